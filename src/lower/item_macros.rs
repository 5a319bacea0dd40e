//! Macros at item level: `lazy_static!` and `thread_local!` declare statics; a macro whose body is items (`cfg_if!`,
//! `cfg_rt! { … }`) is looked into; of any other the identifiers are kept.

use super::Lowerer;
use super::items::Place;
use super::macros::{brace_groups, braced};
use crate::facts::{ItemKind, Run, item_flags as flag};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Expr, Ident, ImplItem, Macro, Token, Type, Visibility};

/// `#[attr] pub static ref NAME: T = init;`
struct StaticDeclaration {
    attrs: Vec<Attribute>,
    vis: Visibility,
    ident: Ident,
    ty: Type,
    init: Expr,
}

impl Parse for StaticDeclaration {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        input.parse::<Token![static]>()?;
        input.parse::<Option<Token![ref]>>()?;
        let ident = input.parse()?;
        input.parse::<Token![:]>()?;
        let ty = input.parse()?;
        input.parse::<Token![=]>()?;
        let init = input.parse()?;
        input.parse::<Option<Token![;]>>()?;
        Ok(StaticDeclaration { attrs, vis, ident, ty, init })
    }
}

fn declarations(input: ParseStream) -> syn::Result<Vec<StaticDeclaration>> {
    let mut list = Vec::new();
    while !input.is_empty() {
        list.push(input.parse()?);
    }
    Ok(list)
}

fn members(input: ParseStream) -> syn::Result<Vec<ImplItem>> {
    let mut list = Vec::new();
    while !input.is_empty() {
        list.push(input.parse()?);
    }
    Ok(list)
}

impl Lowerer {
    pub(super) fn macro_item(&mut self, attrs: &[Attribute], mac: &Macro, place: Place) {
        let place = Place { inherited: place.inherited | self.attribute_flags(attrs), ..place };
        let name = mac.path.segments.last().map(|s| s.ident.to_string()).unwrap_or_default();
        match name.as_str() {
            "lazy_static" => self.statics(mac, flag::LAZY, place),
            "thread_local" => self.statics(mac, flag::THREAD_LOCAL, place),
            "macro_rules" => self.opaque_items(mac, place),
            _ => self.items_in_macro(mac, place),
        }
    }

    fn statics(&mut self, mac: &Macro, kind: u16, place: Place) {
        let Ok(list) = declarations.parse2(mac.tokens.clone()) else {
            // `thread_local!(static_of!(X));`
            return self.opaque_items(mac, place);
        };
        for declaration in list {
            let StaticDeclaration { attrs, vis, ident, ty, init } = declaration;
            let id = self.start_item(ItemKind::Static, &ident, &attrs, &vis, place);
            self.header.items[id.index()].flags |= kind;
            self.value(id, &ty, Some(&init));
        }
    }

    /// `cfg_if! { if #[cfg(a)] { items } else { items } }`, `my_cfg! { items }`, and the latter within an impl block.
    fn items_in_macro(&mut self, mac: &Macro, place: Place) {
        let inner = Place { inherited: place.inherited | flag::CFG, ..place };
        // `my_list![a, b];`
        if !braced(mac) {
            return self.opaque_items(mac, place);
        }
        // `impl S { my_cfg! { fn f() {} } }`
        if let Some(parent) = place.parent.get() {
            let in_impl = self.header.items[parent.index()].kind == ItemKind::Impl;
            return match members.parse2(mac.tokens.clone()) {
                Ok(list) if in_impl => list.iter().for_each(|member| self.impl_member(member, inner)),
                _ => self.opaque_items(mac, place),
            };
        }
        let branches = if mac.path.is_ident("cfg_if") { brace_groups(mac.tokens.clone()) } else { Vec::new() };
        let bodies = if branches.is_empty() { vec![mac.tokens.clone()] } else { branches };
        let files: Result<Vec<_>, _> = bodies.into_iter().map(syn::parse2::<syn::File>).collect();
        match files {
            Ok(files) => files.iter().for_each(|file| self.items(&file.items, inner)),
            Err(_) => self.opaque_items(mac, place),
        }
    }

    fn opaque_items(&mut self, mac: &Macro, place: Place) {
        let start = self.header.words.len() as u32;
        self.words(mac.tokens.clone());
        let words = Run { start, len: self.header.words.len() as u32 - start };
        self.header.opaque_macros.push((place.module, words));
    }
}
