//! Macro calls. One table says how a macro's arguments read; what is not in it is tried as a list of expressions, and
//! what cannot be parsed keeps its identifiers.

use super::Lowerer;
use super::body::EXIT;
use super::select::Arms;
use crate::facts::body::*;
use crate::facts::body_flags;
use crate::facts::types::PathId;
use crate::source::TextRange;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, Macro, Pat, Token};

/// How the arguments of a macro read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grammar {
    /// A format string with arguments, or `key = value` fields as logging macros take: all are borrowed.
    Format,
    /// The same, and the flow ends.
    Panic,
    /// The same, and the function returns an error.
    Bail,
    /// A condition, then a format: the flow ends where it does not hold.
    Assert,
    /// A condition, then a format: the function returns an error where it does not hold.
    Ensure,
    /// Two or more compared values, then a format: all are borrowed.
    Compare,
    /// `vec![a, b]`, `vec![a; n]`.
    List,
    /// `matches!(e, P if g)`.
    Matches,
    /// Futures that are awaited together; `try_join!` gives a `Result` and does not return by itself.
    Join,
    /// Arms with pattern, future, guard and body.
    Select,
    /// One value, handed through.
    Same,
    /// `pin!(x)`, `pin_mut!(x)`: the value stays where it is.
    Pin,
    /// `stream! { … yield x; … }`: a body that runs as far as somebody asks for items.
    Stream,
    /// A value known at compile time.
    Constant,
    /// A closure, and what it takes along: `clone!(#[weak] x, move || ..)`.
    Captures,
}

/// By the macro's last name, sorted.
const GRAMMARS: &[(&str, Grammar)] = &[
    ("anyhow", Grammar::Format),
    ("assert", Grammar::Assert),
    ("assert_eq", Grammar::Compare),
    ("assert_matches", Grammar::Matches),
    ("assert_ne", Grammar::Compare),
    ("bail", Grammar::Bail),
    ("cfg", Grammar::Constant),
    ("clone", Grammar::Captures),
    ("closure", Grammar::Captures),
    ("closure_local", Grammar::Captures),
    ("column", Grammar::Constant),
    ("concat", Grammar::Constant),
    ("dbg", Grammar::Same),
    ("debug", Grammar::Format),
    ("debug_assert", Grammar::Assert),
    ("debug_assert_eq", Grammar::Compare),
    ("debug_assert_ne", Grammar::Compare),
    ("debug_span", Grammar::Format),
    ("enclose", Grammar::Captures),
    ("ensure", Grammar::Ensure),
    ("env", Grammar::Constant),
    ("eprint", Grammar::Format),
    ("eprintln", Grammar::Format),
    ("error", Grammar::Format),
    ("error_span", Grammar::Format),
    ("event", Grammar::Format),
    ("eyre", Grammar::Format),
    ("file", Grammar::Constant),
    ("format", Grammar::Format),
    ("format_args", Grammar::Format),
    ("include_bytes", Grammar::Constant),
    ("include_str", Grammar::Constant),
    ("info", Grammar::Format),
    ("info_span", Grammar::Format),
    ("join", Grammar::Join),
    ("line", Grammar::Constant),
    ("log", Grammar::Format),
    ("matches", Grammar::Matches),
    ("module_path", Grammar::Constant),
    ("option_env", Grammar::Constant),
    ("panic", Grammar::Panic),
    ("pin", Grammar::Pin),
    ("pin_mut", Grammar::Pin),
    ("print", Grammar::Format),
    ("println", Grammar::Format),
    ("select", Grammar::Select),
    ("select_biased", Grammar::Select),
    ("span", Grammar::Format),
    ("stream", Grammar::Stream),
    ("stringify", Grammar::Constant),
    ("todo", Grammar::Panic),
    ("trace", Grammar::Format),
    ("trace_span", Grammar::Format),
    ("try_join", Grammar::Join),
    ("try_stream", Grammar::Stream),
    ("unimplemented", Grammar::Panic),
    ("unreachable", Grammar::Panic),
    ("vec", Grammar::List),
    ("warn", Grammar::Format),
    ("warn_span", Grammar::Format),
    ("write", Grammar::Format),
    ("writeln", Grammar::Format),
];

/// The grammar of a macro, by its last name.
pub(super) fn grammar(path: &syn::Path) -> Option<Grammar> {
    let name = path.segments.last()?.ident.to_string();
    let index = GRAMMARS.binary_search_by(|(known, _)| (*known).cmp(&name)).ok()?;
    Some(GRAMMARS[index].1)
}

impl Lowerer {
    pub(super) fn macro_call(&mut self, dest: PlaceId, mac: &Macro) {
        let Some(grammar) = grammar(&mac.path) else {
            // `my_macro!(x)`
            return self.unknown_macro(dest, mac);
        };
        let span = self.path_range(&mac.path);
        match grammar {
            Grammar::Constant => self.unit(dest),
            Grammar::Captures => self.captures_macro(dest, mac),
            Grammar::Format => self.format_macro(dest, mac, span),
            Grammar::Panic => {
                self.format_macro(PlaceId::NONE, mac, span);
                self.top().diverge(span);
            }
            Grammar::Bail => {
                self.format_macro(PlaceId::NONE, mac, span);
                self.top().leave(EXIT, EdgeKind::Error, span);
            }
            Grammar::Assert | Grammar::Ensure => self.condition_macro(dest, mac, grammar, span),
            Grammar::Compare => {
                self.format_macro(PlaceId::NONE, mac, span);
                self.unit(dest);
            }
            Grammar::List => self.list_macro(dest, mac),
            Grammar::Matches => self.two_ways(dest, |l, yes, no| {
                if !l.matches_branch(mac, yes, no) {
                    l.unknown_macro(PlaceId::NONE, mac);
                    l.top().goto(yes, EdgeKind::Normal, span);
                }
            }),
            Grammar::Join => self.join_macro(dest, mac, span),
            Grammar::Select => match syn::parse2::<Arms>(mac.tokens.clone()) {
                Ok(arms) => self.select_macro(dest, &arms, span),
                Err(_) => self.unknown_macro(dest, mac),
            },
            Grammar::Same => match syn::parse2::<Expr>(mac.tokens.clone()) {
                Ok(e) => self.into(dest, &e),
                Err(_) => self.unknown_macro(dest, mac),
            },
            Grammar::Pin => self.pin_macro(dest, mac),
            Grammar::Stream => match syn::Block::parse_within.parse2(mac.tokens.clone()) {
                Ok(statements) => self.async_body(dest, body_flags::MOVE | body_flags::STREAM, &statements, span),
                // `stream!(a, b)` of another crate.
                Err(_) => self.unknown_macro(dest, mac),
            },
        }
    }

    /// A macro that the table does not know: its arguments, if they are expressions, may be moved; a body that is no
    /// list of expressions keeps its identifiers.
    pub(super) fn unknown_macro(&mut self, dest: PlaceId, mac: &Macro) {
        let span = self.path_range(&mac.path);
        let list = Punctuated::<Expr, Token![,]>::parse_terminated;
        match list.parse2(mac.tokens.clone()) {
            Ok(exprs) => {
                let args: Vec<_> = exprs.iter().map(|e| self.operand(e, Position::Bare)).collect();
                let path = self.macro_path(mac);
                self.emit(Op::Macro, dest, path.0, &args, span);
            }
            Err(_) => {
                let mut args = Vec::new();
                self.opaque_tokens(mac.tokens.clone(), &mut args);
                let path = self.macro_path(mac);
                self.top().flags |= body_flags::OPAQUE_MACRO;
                self.emit(Op::OpaqueMacro, dest, path.0, &args, span);
            }
        }
    }

    /// `pin! { let x = e; }` as a statement: what it binds is seen by the statements after it.
    pub(super) fn pinned_lets(&mut self, mac: &Macro) -> bool {
        // `log!(x);`
        if grammar(&mac.path) != Some(Grammar::Pin) {
            return false;
        }
        // `pin!(x);`
        let Ok(statements) = syn::Block::parse_within.parse2(mac.tokens.clone()) else { return false };
        // `pin!(x);` again: an expression is a statement too.
        if !statements.iter().all(|s| matches!(s, syn::Stmt::Local(_))) {
            return false;
        }
        statements.iter().for_each(|s| self.statement(s));
        true
    }

    pub(super) fn macro_path(&mut self, mac: &Macro) -> PathId {
        let path = self.path(&mac.path);
        self.note_path(path);
        path
    }

    fn list_macro(&mut self, dest: PlaceId, mac: &Macro) {
        let open = mac.path.segments.last().map_or_else(proc_macro2::Span::call_site, |s| s.ident.span());
        let repeat = |input: ParseStream| {
            let value: Expr = input.parse()?;
            input.parse::<Token![;]>()?;
            Ok([value, input.parse()?])
        };
        let list = Punctuated::<Expr, Token![,]>::parse_terminated;
        if let Ok(exprs) = list.parse2(mac.tokens.clone()) {
            self.aggregate(dest, Op::Array, 1, exprs.iter(), open);
        } else if let Ok(exprs) = repeat.parse2(mac.tokens.clone()) {
            self.aggregate(dest, Op::Array, 2, exprs.iter(), open);
        } else {
            self.unknown_macro(dest, mac);
        }
    }

    /// `assert!(cond, …)` and `ensure!(cond, …)`.
    fn condition_macro(&mut self, dest: PlaceId, mac: &Macro, grammar: Grammar, span: TextRange) {
        let parse = |input: ParseStream| {
            let condition: Expr = input.parse()?;
            let _: Option<Token![,]> = input.parse()?;
            Ok((condition, input.parse::<TokenStream>()?))
        };
        // `assert!(matches ~ x)` of another crate.
        let Ok((condition, rest)) = parse.parse2(mac.tokens.clone()) else {
            return self.unknown_macro(dest, mac);
        };
        let (holds, fails) = (self.top().new_block(), self.top().new_block());
        self.condition(&condition, holds, fails);
        self.top().enter(fails);
        let args = self.format_args(rest);
        let path = self.macro_path(mac);
        self.emit(Op::Macro, PlaceId::NONE, path.0, &args, span);
        match grammar {
            Grammar::Ensure => self.top().goto(EXIT, EdgeKind::Error, span),
            _ => self.top().end(End::Diverge, Operand::NONE, &[], span),
        }
        self.top().enter(holds);
        self.unit(dest);
    }

    /// Branches on `matches!(e, P)`; says whether it was one.
    pub(super) fn matches_branch(&mut self, mac: &Macro, yes: BlockId, no: BlockId) -> bool {
        // `if any!(a, b) {`
        if grammar(&mac.path) != Some(Grammar::Matches) {
            return false;
        }
        let parse = |input: ParseStream| {
            let value: Expr = input.parse()?;
            input.parse::<Token![,]>()?;
            let pat = Pat::parse_multi_with_leading_vert(input)?;
            let guard: Option<Expr> =
                if input.parse::<Option<Token![if]>>()?.is_some() { Some(input.parse()?) } else { None };
            input.parse::<TokenStream>()?;
            Ok((value, pat, guard))
        };
        // `assert_matches!(a)` of another crate.
        let Ok((value, pat, guard)) = parse.parse2(mac.tokens.clone()) else {
            return false;
        };
        let span = self.path_range(&mac.path);
        let names = self.top().env.len();
        let scrutinee = self.place_of(&value);
        match guard {
            None => self.pattern_branch(&pat, scrutinee, yes, no, span),
            Some(guard) => {
                let guarded = self.top().new_block();
                self.pattern_branch(&pat, scrutinee, guarded, no, span);
                self.top().enter(guarded);
                self.condition(&guard, yes, no);
            }
        }
        // What the pattern binds is seen by its guard alone.
        self.top().env.truncate(names);
        true
    }

    fn join_macro(&mut self, dest: PlaceId, mac: &Macro, span: TextRange) {
        let parse = |input: ParseStream| {
            if input.peek(syn::Ident) && input.peek2(Token![;]) {
                input.parse::<syn::Ident>()?;
                input.parse::<Token![;]>()?;
            }
            Punctuated::<Expr, Token![,]>::parse_terminated(input)
        };
        // `join!(a => b)` of another crate.
        let Ok(futures) = parse.parse2(mac.tokens.clone()) else {
            return self.unknown_macro(dest, mac);
        };
        let args: Vec<_> = futures.iter().map(|e| self.operand(e, Position::Bare)).collect();
        let path = self.macro_path(mac);
        let joined = self.top().temp();
        self.emit(Op::Macro, joined, path.0, &args, span);
        self.await_place(dest, joined, span);
    }

    /// `pin!(e)` as a value; `pin!(x)` as a statement keeps the name.
    fn pin_macro(&mut self, dest: PlaceId, mac: &Macro) {
        match syn::parse2::<Expr>(mac.tokens.clone()) {
            Ok(Expr::Let(_)) | Err(_) => self.unknown_macro(dest, mac),
            // `pin!(x);`
            Ok(Expr::Path(_)) if dest.is_none() => {}
            Ok(e) => self.into(dest, &e),
        }
    }
}

/// The token streams between top-level commas.
pub(super) fn split_commas(tokens: TokenStream) -> Vec<TokenStream> {
    let mut parts = vec![Vec::new()];
    for token in tokens {
        match &token {
            TokenTree::Punct(p) if p.as_char() == ',' => parts.push(Vec::new()),
            _ => parts.last_mut().expect("never empty").push(token),
        }
    }
    parts.into_iter().filter(|p| !p.is_empty()).map(|p| p.into_iter().collect()).collect()
}

/// Whether a macro call is written with braces, as item-like macros are.
pub(super) fn braced(mac: &Macro) -> bool {
    matches!(mac.delimiter, syn::MacroDelimiter::Brace(_))
}

/// The contents of the brace groups in a token stream, at its top level.
pub(super) fn brace_groups(tokens: TokenStream) -> Vec<TokenStream> {
    tokens
        .into_iter()
        .filter_map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group.stream()),
            _ => None,
        })
        .collect()
}
