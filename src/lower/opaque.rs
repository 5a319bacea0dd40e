//! Macro bodies that cannot be parsed: their identifiers, and which method is called on what.

use super::Lowerer;
use crate::facts::NameId;
use crate::facts::body::*;
use proc_macro2::{Delimiter, TokenStream, TokenTree};

impl Lowerer {
    /// Every identifier within, in order; those that are locals as captures. Before the name of a method stands what it
    /// is called on, as far as that is a place: `self.map.clear()` gives `self`, `map`, the receiver `self.map`, `clear`.
    pub(super) fn opaque_tokens(&mut self, tokens: TokenStream, out: &mut Vec<Operand>) {
        let mut tokens = tokens.into_iter().peekable();
        // The place that the tokens up to here denote, and whether a `.` follows it.
        let (mut denoted, mut dot) = (None, false);
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '.' => {
                    // `a..b` has no part of `a`.
                    denoted = denoted.filter(|_| !dot);
                    dot = !dot;
                    continue;
                }
                TokenTree::Ident(ident) => {
                    let name = self.ident(&ident);
                    denoted = match (dot, tokens.peek()) {
                        (false, Some(TokenTree::Punct(p))) if p.as_char() == '.' => self.opaque_base(name, out),
                        (false, _) => self.opaque_name(name, out),
                        (true, Some(next)) if begins_call(next) => self.opaque_method(denoted, name, out),
                        (true, _) => self.opaque_field(denoted, name, out),
                    };
                }
                TokenTree::Literal(literal) => {
                    // `self.0.close()`
                    let name = self.name(&literal.to_string());
                    let tuple = denoted.filter(|_| dot);
                    denoted = tuple.map(|place| self.top().project(place, Projection::Field(name)));
                }
                TokenTree::Punct(_) => denoted = None,
                TokenTree::Group(group) => {
                    self.opaque_tokens(group.stream(), out);
                    denoted = None;
                }
            }
            dot = false;
        }
    }

    /// A name on its own; it denotes something if it is a local.
    fn opaque_name(&mut self, name: NameId, out: &mut Vec<Operand>) -> Option<PlaceId> {
        let Some(local) = self.lookup(name) else {
            self.top().calls.push(name);
            out.push(Operand::name(name));
            return None;
        };
        let place = self.top().local_place(local);
        out.push(Operand::place(Position::Capture, place));
        Some(place)
    }

    /// A name before a `.`: a local, or perhaps a static.
    fn opaque_base(&mut self, name: NameId, out: &mut Vec<Operand>) -> Option<PlaceId> {
        self.opaque_name(name, out).or_else(|| {
            let path = self.single_segment(name);
            Some(self.top().path_place(path))
        })
    }

    fn opaque_field(&mut self, of: Option<PlaceId>, name: NameId, out: &mut Vec<Operand>) -> Option<PlaceId> {
        let state = self.top();
        state.calls.push(name);
        state.fields.push(name);
        out.push(Operand::name(name));
        of.map(|place| self.top().project(place, Projection::Field(name)))
    }

    fn opaque_method(&mut self, on: Option<PlaceId>, name: NameId, out: &mut Vec<Operand>) -> Option<PlaceId> {
        self.top().calls.push(name);
        out.extend(on.map(|place| Operand::place(Position::Receiver, place)));
        out.push(Operand::name(name));
        None
    }
}

/// `(…)` or `::<T>(…)` after a name.
fn begins_call(next: &TokenTree) -> bool {
    match next {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Parenthesis,
        TokenTree::Punct(punct) => punct.as_char() == ':',
        _ => false,
    }
}
