//! Attributes, and what they say about tests and conditional compilation.

use super::Lowerer;
use crate::facts::{Attribute, NameId, Run, item_flags as flag};
use crate::source::TextRange;
use proc_macro2::{Span, TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::{Expr, Lit, Meta, Token};

impl Lowerer {
    /// Records the attributes of an item whose name is at `target`.
    pub(super) fn attributes(&mut self, attrs: &[syn::Attribute], target: TextRange) -> Run {
        let start = self.header.attributes.len() as u32;
        for attr in attrs.iter().filter(|a| !is_noise(a) && !is_lint_level(a)) {
            self.attribute(attr, target);
        }
        Run { start, len: self.header.attributes.len() as u32 - start }
    }

    /// Records `#[allow(…)]`, `#[cfg(…)]` and their like with the extent of what they stand on.
    pub(super) fn lint_attributes(&mut self, attrs: &[syn::Attribute], first: Span, last: Span) {
        for attr in attrs.iter().filter(|a| is_lint_level(a) || a.path().is_ident("cfg")) {
            let target = self.range_to(first, last);
            self.attribute(attr, target);
        }
    }

    fn attribute(&mut self, attr: &syn::Attribute, target: TextRange) {
        // Attributes of a body's statements are facts of the file all the same.
        let stack = std::mem::take(&mut self.stack);
        let path = self.path(attr.path());
        self.stack = stack;
        let start = self.header.words.len() as u32;
        if let Meta::List(list) = &attr.meta {
            self.words(list.tokens.clone());
        }
        let words = Run { start, len: self.header.words.len() as u32 - start };
        self.header.attributes.push(Attribute { path, words, target });
    }

    /// Appends every identifier and literal in `tokens` to the header's words.
    pub(super) fn words(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    let name = self.ident(&ident);
                    self.header.words.push(name);
                }
                TokenTree::Group(group) => self.words(group.stream()),
                // `target_os = "windows"`
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    let name = self.name(text.trim_matches('"'));
                    self.header.words.push(name);
                }
                TokenTree::Punct(_) => {}
            }
        }
    }

    /// Test and cfg flags of a list of attributes.
    pub(super) fn attribute_flags(&mut self, attrs: &[syn::Attribute]) -> u16 {
        attrs.iter().fold(0, |flags, attr| {
            // `#[]` is not parsed; every path has a segment.
            let Some(last) = attr.path().segments.last() else { return flags };
            flags
                | match &attr.meta {
                    Meta::List(list) if last.ident == "cfg" => match requires_test(list.tokens.clone()) {
                        true => flag::TEST,
                        false => flag::CFG,
                    },
                    _ if is_test_attribute(&last.ident.to_string()) => flag::TEST,
                    _ => 0,
                }
        })
    }

    /// The texts of `#[path = "…"]` and of each `#[cfg_attr(…, path = "…")]`.
    pub(super) fn path_attributes(&mut self, attrs: &[syn::Attribute]) -> Vec<NameId> {
        let mut paths = Vec::new();
        for attr in attrs {
            match &attr.meta {
                Meta::NameValue(_) => paths.extend(path_text(&attr.meta)),
                Meta::List(list) if list.path.is_ident("cfg_attr") => {
                    let metas = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
                    paths.extend(metas.iter().flatten().skip(1).filter_map(path_text));
                }
                _ => {}
            }
        }
        paths.iter().map(|text| self.name(text)).collect()
    }
}

fn path_text(meta: &Meta) -> Option<String> {
    match meta {
        Meta::NameValue(meta) if meta.path.is_ident("path") => match &meta.value {
            Expr::Lit(lit) => match &lit.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// `#[test]`, `#[tokio::test]`, `#[rstest]`, `#[bench]` …
fn is_test_attribute(name: &str) -> bool {
    matches!(name, "test" | "rstest" | "bench" | "test_case" | "wasm_bindgen_test" | "proptest" | "quickcheck")
}

fn is_noise(attr: &syn::Attribute) -> bool {
    ["doc", "inline", "must_use", "cfg", "cold", "deprecated", "rustfmt", "track_caller"]
        .iter()
        .any(|name| attr.path().is_ident(name))
}

fn is_lint_level(attr: &syn::Attribute) -> bool {
    ["allow", "expect", "warn", "deny", "forbid", "cfg_attr"].iter().any(|name| attr.path().is_ident(name))
}

/// Whether a cfg predicate holds in tests only: `test`, `all(test, …)`, `feature = "testing"`, but not `not(test)` nor
/// `any(test, unix)`.
fn requires_test(tokens: TokenStream) -> bool {
    let tokens: Vec<_> = tokens.into_iter().collect();
    match tokens.as_slice() {
        [TokenTree::Ident(word)] => word == "test",
        [TokenTree::Ident(word), TokenTree::Group(group)] if word == "all" => {
            super::macros::split_commas(group.stream()).into_iter().any(requires_test)
        }
        // `any(test, feature = "test-utils")`
        [TokenTree::Ident(word), TokenTree::Group(group)] if word == "any" => {
            super::macros::split_commas(group.stream()).into_iter().all(requires_test)
        }
        [TokenTree::Ident(word), TokenTree::Punct(_), TokenTree::Literal(name)] if word == "feature" => {
            name.to_string().contains("test")
        }
        _ => false,
    }
}
