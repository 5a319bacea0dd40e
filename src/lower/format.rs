//! Arguments of formatting and logging macros: all of them, and the names inside the format string, are borrowed.

use super::Lowerer;
use super::macros::split_commas;
use crate::facts::body::*;
use crate::source::TextRange;
use proc_macro2::{TokenStream, TokenTree};
use syn::{Expr, ExprLit, Lit, Macro};

impl Lowerer {
    pub(super) fn format_macro(&mut self, dest: PlaceId, mac: &Macro, span: TextRange) {
        let args = self.format_args(mac.tokens.clone());
        let path = self.macro_path(mac);
        self.emit(Op::Macro, dest, path.0, &args, span);
    }

    pub(super) fn format_args(&mut self, tokens: TokenStream) -> Vec<Operand> {
        let mut args = Vec::new();
        for part in split_commas(tokens) {
            match syn::parse2::<Expr>(value_tokens(part.clone())) {
                Ok(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => self.inline_names(&text.value(), &mut args),
                Ok(e) => args.push(self.operand(&e, Position::Ref)),
                Err(_) => self.loose_names(part, &mut args),
            }
        }
        args
    }

    /// `"{x} {y:?} {0} {{z}}"` borrows `x` and `y`.
    fn inline_names(&mut self, text: &str, args: &mut Vec<Operand>) {
        for piece in text.replace("{{", "").split('{').skip(1) {
            let name: String = piece.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
                continue;
            }
            let name = self.name(&name);
            if let Some(local) = self.lookup(name) {
                let place = self.top().local_place(local);
                args.push(Operand::place(Position::Ref, place));
            }
        }
    }

    /// Names in an argument of a logging macro that is no expression.
    fn loose_names(&mut self, tokens: TokenStream, args: &mut Vec<Operand>) {
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    let name = self.ident(&ident);
                    if let Some(local) = self.lookup(name) {
                        let place = self.top().local_place(local);
                        args.push(Operand::place(Position::Ref, place));
                    }
                }
                TokenTree::Group(group) => self.loose_names(group.stream(), args),
                _ => {}
            }
        }
    }
}

/// The value of `name = value`, `a.b = %value`, `?value`, `target: value`, without what stands before it.
fn value_tokens(tokens: TokenStream) -> TokenStream {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let is = |token: &TokenTree, c: char| matches!(token, TokenTree::Punct(p) if p.as_char() == c);
    let names = tokens.iter().take_while(|t| matches!(t, TokenTree::Ident(_)) || is(t, '.')).count();
    let mut start = 0;
    if names > 0 && tokens.len() > names + 1 {
        let single = |c| is(&tokens[names], c) && !is(&tokens[names + 1], c);
        if single('=') || (single(':') && names == 1) {
            start = names + 1;
        }
    }
    while start < tokens.len() && (is(&tokens[start], '%') || is(&tokens[start], '?')) {
        start += 1;
    }
    tokens[start..].iter().cloned().collect()
}
