//! Arguments of formatting and logging macros: all of them, and the names inside the format string, are borrowed.

use super::Lowerer;
use super::macros::split_commas;
use crate::facts::body::*;
use crate::source::TextRange;
use proc_macro2::{TokenStream, TokenTree};
use syn::buffer::Cursor;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, ExprLit, Lit, Macro, Token};

/// `value`, or `key = value`.
struct Argument {
    key: Option<syn::Ident>,
    value: Expr,
}

impl Lowerer {
    pub(super) fn format_macro(&mut self, dest: PlaceId, mac: &Macro, span: TextRange) {
        let mut args = self.format_args(mac.tokens.clone());
        // Its text begins what comes out: `format!("127.0.0.1:{port}")`. It comes last, as nothing is done with it.
        if mac.path.is_ident("format")
            && let Some(TokenTree::Literal(first)) = mac.tokens.clone().into_iter().next()
            && let Lit::Str(text) = Lit::new(first)
        {
            args.push(self.literal(&Lit::Str(text)));
        }
        let path = self.macro_path(mac);
        self.emit(Op::Macro, dest, path.0, &args, span);
    }

    pub(super) fn format_args(&mut self, tokens: TokenStream) -> Vec<Operand> {
        let mut args = Vec::new();
        if let Ok(list) = arguments.parse2(tokens.clone()) {
            self.borrow_arguments(&list, &mut args);
            return args;
        }
        // One argument that is no expression does not spoil the others.
        for part in split_commas(tokens) {
            match arguments.parse2(part.clone()) {
                Ok(list) => self.borrow_arguments(&list, &mut args),
                Err(_) => self.loose_names(part, &mut args),
            }
        }
        args
    }

    fn borrow_arguments(&mut self, list: &[Argument], args: &mut Vec<Operand>) {
        for argument in list {
            match &argument.value {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => self.inline_names(&text.value(), list, args),
                value => args.push(self.operand(value, Position::Ref)),
            }
        }
    }

    /// `"{x} {y:?} {:width$} {0} {{z}}"` borrows `x`, `y` and `width`; names that are `list`'s keys are no variables.
    fn inline_names(&mut self, text: &str, list: &[Argument], args: &mut Vec<Operand>) {
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            rest = &rest[at + 1..];
            // `{{x}}`
            if let Some(escaped) = rest.strip_prefix('{') {
                rest = escaped;
                continue;
            }
            let inside = rest.split('}').next().unwrap_or_default();
            let (name, spec) = inside.split_once(':').unwrap_or((inside, ""));
            let sizes = spec.split('$').map(|before| before.rsplit(|c: char| !is_word(c)).next().unwrap_or_default());
            let last = spec.matches('$').count();
            for name in std::iter::once(name.trim()).chain(sizes.take(last)) {
                let named = list.iter().any(|argument| argument.key.as_ref().is_some_and(|key| key == name));
                if !named && is_variable(name) {
                    let name = self.name(name);
                    self.borrow_local(name, args);
                }
            }
        }
    }

    /// Names in an argument of a logging macro that is no expression.
    fn loose_names(&mut self, tokens: TokenStream, args: &mut Vec<Operand>) {
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    let name = self.ident(&ident);
                    self.borrow_local(name, args);
                }
                TokenTree::Group(group) => self.loose_names(group.stream(), args),
                _ => {}
            }
        }
    }

    fn borrow_local(&mut self, name: crate::facts::NameId, args: &mut Vec<Operand>) {
        if let Some(local) = self.lookup(name) {
            let place = self.top().local_place(local);
            args.push(Operand::place(Position::Ref, place));
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Not the `0` and the empty name of `{0} {}`.
fn is_variable(name: &str) -> bool {
    name.chars().all(is_word) && name.starts_with(|c: char| !c.is_ascii_digit())
}

fn arguments(input: ParseStream) -> syn::Result<Vec<Argument>> {
    let mut list = Vec::new();
    while !input.is_empty() {
        let key = input.step(|cursor| Ok(after_key(*cursor)))?;
        list.push(Argument { key, value: input.parse()? });
        // `info!(key = value; "text")`
        if input.parse::<Option<Token![;]>>()?.is_none() && !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(list)
}

/// The value of `name = value`, `a.b = %value`, `key:? = value`, `?value`, `target: value`, with the key if it is one name.
fn after_key(start: Cursor) -> (Option<syn::Ident>, Cursor) {
    let (mut at, mut parts) = (start, 0);
    let mut found = (None, start);
    while let Some((ident, next)) = at.ident() {
        parts += 1;
        let Some((punct, after)) = next.punct() else { break };
        match punct.as_char() {
            '.' => at = after,
            '=' if !matches!(after.punct(), Some((p, _)) if matches!(p.as_char(), '=' | '>')) => {
                found = (Some(ident).filter(|_| parts == 1), after);
                break;
            }
            ':' if parts == 1 && !matches!(after.punct(), Some((p, _)) if p.as_char() == ':') => {
                let value = skip_sigils(after);
                found = (None, value.punct().filter(|(p, _)| p.as_char() == '=').map_or(value, |(_, after)| after));
                break;
            }
            _ => break,
        }
    }
    (found.0, skip_sigils(found.1))
}

/// `%` and `?` say how a field is recorded.
fn skip_sigils(mut at: Cursor) -> Cursor {
    while let Some((_, after)) = at.punct().filter(|(p, _)| matches!(p.as_char(), '%' | '?')) {
        at = after;
    }
    at
}
