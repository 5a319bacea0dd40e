//! Macros that say what a closure takes along: `clone!(#[weak] view, move |_| ..)`, `clone!(@strong x => move || ..)`,
//! `enclose!((x, y) move || ..)`. They are lowered as what they stand for: a clone or a `downgrade` of each value before
//! the closure, and an `upgrade` at its beginning.

use super::Lowerer;
use crate::facts::NameId;
use crate::facts::body::*;
use crate::facts::types::TypeId;
use crate::source::TextRange;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Ident, Macro, Token, Type, token};

/// A value that the closure takes along under a name.
struct Taken {
    value: Expr,
    name: Ident,
    weak: bool,
}

/// All of them, and the closure.
struct Captures {
    taken: Vec<Taken>,
    body: Expr,
}

fn captures(input: ParseStream) -> syn::Result<Captures> {
    let taken = if input.peek(Token![#]) {
        attributed(input)?
    } else if input.peek(token::Paren) || input.peek(token::Bracket) {
        grouped(input)?
    } else {
        before_arrow(input)?
    };
    let body = input.parse()?;
    input.parse::<Option<Token![,]>>()?;
    match body {
        // `clone!(x => value)` of another crate.
        Expr::Closure(_) | Expr::Async(_) if input.is_empty() => Ok(Captures { taken, body }),
        _ => Err(input.error("expected a closure")),
    }
}

/// `#[weak] a, #[strong(rename_to = this)] self, #[upgrade_or] false,`
fn attributed(input: ParseStream) -> syn::Result<Vec<Taken>> {
    let mut list = Vec::new();
    loop {
        let attrs = input.call(Attribute::parse_outer)?;
        let Some(attribute) = attrs.last() else { return Ok(list) };
        let how = attribute.path().require_ident()?.to_string();
        match how.as_str() {
            "strong" | "to_owned" | "weak" | "weak_allow_none" | "watch" => {
                let value = input.parse()?;
                list.push(taken(value, renamed(attribute), how.starts_with('w'))?);
                input.parse::<Option<Token![,]>>()?;
            }
            "upgrade_or" | "upgrade_or_else" | "default_value" => {
                input.parse::<Expr>()?;
                input.parse::<Token![,]>()?;
            }
            // `#[upgrade_or_default] move || ..`
            _ => {
                input.parse::<Option<Token![,]>>()?;
            }
        }
    }
}

fn renamed(attribute: &Attribute) -> Option<Ident> {
    let parse = |input: ParseStream| {
        input.parse::<Ident>()?;
        input.parse::<Token![=]>()?;
        input.parse()
    };
    attribute.parse_args_with(parse).ok()
}

/// `(a, b)`, `[a, b],`
fn grouped(input: ParseStream) -> syn::Result<Vec<Taken>> {
    let inner;
    if input.peek(token::Paren) {
        syn::parenthesized!(inner in input);
    } else {
        syn::bracketed!(inner in input);
    }
    let values = Punctuated::<Expr, Token![,]>::parse_terminated(&inner)?;
    input.parse::<Option<Token![,]>>()?;
    input.parse::<Option<Token![=>]>>()?;
    values.into_iter().map(|value| taken(value, None, false)).collect()
}

/// `@weak a, @strong self.b as b, c => @default-return false,`
fn before_arrow(input: ParseStream) -> syn::Result<Vec<Taken>> {
    let mut list = Vec::new();
    while !input.peek(Token![=>]) {
        let weak = at_word(input)?.is_some_and(|word| word != "strong" && word != "to");
        list.push(taken(input.parse()?, None, weak)?);
        if input.parse::<Option<Token![,]>>()?.is_none() {
            break;
        }
    }
    input.parse::<Token![=>]>()?;
    if let Some(word) = at_word(input)? {
        // `@default-panic,`
        if word == "default" && !input.peek(Token![,]) {
            input.parse::<Expr>()?;
        }
        input.parse::<Token![,]>()?;
    }
    Ok(list)
}

/// The first word of `@weak-allow-none`, if there is one.
fn at_word(input: ParseStream) -> syn::Result<Option<Ident>> {
    if input.parse::<Option<Token![@]>>()?.is_none() {
        return Ok(None);
    }
    let word = input.parse()?;
    while input.parse::<Option<Token![-]>>()?.is_some() {
        input.call(<Ident as syn::ext::IdentExt>::parse_any)?;
    }
    Ok(Some(word))
}

/// A value with the name that it gets: its own, or that of `x as name`.
fn taken(value: Expr, name: Option<Ident>, weak: bool) -> syn::Result<Taken> {
    let (value, renamed) = match value {
        Expr::Cast(cast) => match &*cast.ty {
            Type::Path(ty) => (*cast.expr, ty.path.get_ident().cloned()),
            _ => (*cast.expr, None),
        },
        value => (value, None),
    };
    let own = match &value {
        Expr::Path(path) => path.path.get_ident().cloned(),
        _ => None,
    };
    let nameless = syn::Error::new(proc_macro2::Span::call_site(), "expected a name");
    let name = name.or(renamed).or(own).ok_or(nameless)?;
    Ok(Taken { value, name, weak })
}

impl Lowerer {
    /// `clone!(..)` and the like.
    pub(super) fn captures_macro(&mut self, dest: PlaceId, mac: &Macro) {
        // `clone!(x)`
        let Ok(Captures { taken, body }) = captures.parse2(mac.tokens.clone()) else {
            return self.unknown_macro(dest, mac);
        };
        let names = self.top().env.len();
        let bound: Vec<_> = taken.iter().map(|taken| self.take_along(taken)).collect();
        for (taken, &(name, local)) in taken.iter().zip(&bound) {
            self.top().env.push(name, local);
            if taken.weak {
                self.upgrades.push(name);
            }
        }
        self.into(dest, &body);
        self.upgrades.clear();
        self.top().env.truncate(names);
    }

    /// `let x = x.clone();`
    fn take_along(&mut self, taken: &Taken) -> (NameId, LocalId) {
        let value = self.operand(&taken.value, Position::Receiver);
        let span = self.range(taken.name.span());
        let name = self.ident(&taken.name);
        let local = self.top().new_local(LocalKind::Binding, name, TypeId::NONE, span);
        let place = self.top().local_place(local);
        self.plain_call(place, if taken.weak { "downgrade" } else { "clone" }, value, span);
        (name, local)
    }

    /// `let x = x.upgrade()?;` for each weak reference that the body being opened takes along.
    pub(super) fn upgrade_taken(&mut self) {
        for name in std::mem::take(&mut self.upgrades) {
            // It is there: it was bound right before.
            let Some(weak) = self.lookup(name) else { continue };
            let weak = self.top().local_place(weak);
            let upgraded = self.top().temp();
            self.plain_call(upgraded, "upgrade", Operand::place(Position::Receiver, weak), TextRange::default());
            let value = self.top().project(upgraded, Projection::Success);
            let local = self.top().new_local(LocalKind::Binding, name, TypeId::NONE, TextRange::default());
            let place = self.top().local_place(local);
            let value = Operand::place(Position::Bare, value);
            self.top().push(Op::Assign, place, 0, &[value], TextRange::default());
            self.top().env.push(name, local);
        }
    }

    fn plain_call(&mut self, dest: PlaceId, method: &str, receiver: Operand, span: TextRange) {
        let name = self.name(method);
        let path = self.single_segment(name);
        self.note_path(path);
        self.emit(Op::CallMethod, dest, path.0, &[receiver], span);
    }
}
