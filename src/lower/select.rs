//! `select!` in its dialects: the arms of tokio and futures, which race futures, and those of crossbeam, which wait for
//! channels.

use super::Lowerer;
use super::body::EXIT;
use super::branches::Arm;
use crate::facts::body::*;
use crate::facts::body_flags;
use crate::source::TextRange;
use proc_macro2::{Delimiter, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Pat, Token};

/// The arms of a `select!`.
pub(super) struct Arms {
    list: Vec<SelectArm>,
    /// Whether they are futures, which are dropped with the task; crossbeam's `recv(rx) -> msg` are none.
    futures: bool,
}

struct SelectArm {
    pat: Option<Pat>,
    future: Option<Expr>,
    guard: Option<Expr>,
    body: Expr,
}

impl Lowerer {
    pub(super) fn select_macro(&mut self, dest: PlaceId, arms: &Arms, span: TextRange) {
        let after = self.top().new_block();
        for guard in arms.list.iter().filter_map(|arm| arm.guard.as_ref()) {
            self.operand(guard, Position::Bare);
        }
        // All futures are made before any is polled.
        let futures: Vec<_> = arms.list.iter().map(|arm| arm.future.as_ref().map(|e| self.place_of(e))).collect();
        let opened: Vec<_> =
            arms.list.iter().zip(&futures).map(|(arm, &future)| self.open_select(arm, future)).collect();
        self.poll(&futures, &opened, arms.futures, span);
        for (arm, opened) in arms.list.iter().zip(opened) {
            self.in_arm(opened, after, |l| l.into(dest, &arm.body));
        }
        self.top().enter(after);
    }

    fn open_select(&mut self, arm: &SelectArm, future: Option<PlaceId>) -> Arm {
        let output = future.map(|future| self.top().project(future, Projection::Output));
        self.open_arm(arm.pat.as_ref().zip(output))
    }

    /// The statement holds the futures in the order of the arms, which is the order of the edges.
    fn poll(&mut self, futures: &[Option<PlaceId>], arms: &[Arm], cancel: bool, span: TextRange) {
        let polled = futures.iter().map(|f| f.map_or(Operand::NONE, |f| Operand::place(Position::Bare, f)));
        let polled: Vec<_> = polled.collect();
        let name = self.name("select");
        let path = self.single_segment(name);
        self.emit(Op::Macro, PlaceId::NONE, path.0, &polled, span);
        let mut edges: Vec<_> = arms.iter().map(Arm::edge).collect();
        if cancel {
            edges.push((EXIT, EdgeKind::Cancel, PatternId::NONE));
            self.top().flags |= body_flags::AWAIT;
        }
        self.top().end(End::Select, Operand::NONE, &edges, span);
    }
}

impl Parse for Arms {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let mut arms = Arms { list: Vec::new(), futures: true };
        // `biased;`
        if input.peek(syn::Ident) && input.peek2(Token![;]) {
            input.parse::<syn::Ident>()?;
            input.parse::<Token![;]>()?;
        }
        while !input.is_empty() {
            let arm = match channel_operation(input) {
                true => {
                    arms.futures = false;
                    channel_arm(input)?
                }
                false => select_arm(input)?,
            };
            arms.list.push(arm);
            let _: Option<Token![,]> = input.parse()?;
        }
        Ok(arms)
    }
}

/// `pat = future [, if guard] => body`, `else => body`, `default => body`, `complete => body`.
fn select_arm(input: ParseStream) -> syn::Result<SelectArm> {
    // `else => …`, `default => …`
    let bare = input.peek(Token![else]) || (input.peek(syn::Ident) && input.peek2(Token![=>]));
    if bare {
        input.parse::<TokenTree>()?;
        input.parse::<Token![=>]>()?;
        return Ok(SelectArm { pat: None, future: None, guard: None, body: arm_body(input)? });
    }
    let pat = Pat::parse_multi_with_leading_vert(input)?;
    input.parse::<Token![=]>()?;
    let future: Expr = input.parse()?;
    let mut guard = None;
    if input.peek(Token![,]) && input.peek2(Token![if]) {
        input.parse::<Token![,]>()?;
        input.parse::<Token![if]>()?;
        guard = Some(input.parse()?);
    }
    input.parse::<Token![=>]>()?;
    Ok(SelectArm { pat: Some(pat), future: Some(future), guard, body: arm_body(input)? })
}

/// Whether a channel arm is next: `recv(rx) -> …` or `default(timeout) => …`.
fn channel_operation(input: ParseStream) -> bool {
    let start = input.cursor();
    // `(a, b) = …`
    let Some((name, rest)) = start.ident() else { return false };
    // `msg = …`
    let Some((_, _, rest)) = rest.group(Delimiter::Parenthesis) else { return false };
    match rest.punct() {
        // `recv(rx) -> msg => …`, and not `Some(x) = …`
        Some((p, _)) if p.as_char() == '-' => true,
        Some((p, rest)) => {
            name == "default" && p.as_char() == '=' && rest.punct().is_some_and(|(p, _)| p.as_char() == '>')
        }
        None => false,
    }
}

/// `recv(rx) -> pat => body`, `send(tx, value) -> pat => body`, `default(timeout) => body`.
fn channel_arm(input: ParseStream) -> syn::Result<SelectArm> {
    let operation = [input.parse::<TokenTree>()?, input.parse::<TokenTree>()?];
    let future = syn::parse2(operation.into_iter().collect())?;
    let pat = match input.parse::<Option<Token![->]>>()? {
        Some(_) => Some(Pat::parse_single(input)?),
        None => None,
    };
    input.parse::<Token![=>]>()?;
    Ok(SelectArm { pat, future: Some(future), guard: None, body: arm_body(input)? })
}

/// A block ends the arm without a comma, as in `match`.
fn arm_body(input: ParseStream) -> syn::Result<Expr> {
    if input.peek(syn::token::Brace) {
        let block: syn::Block = input.parse()?;
        if input.is_empty() || !(input.peek(Token![.]) || input.peek(Token![?])) {
            return Ok(Expr::Block(syn::ExprBlock { attrs: Vec::new(), label: None, block }));
        }
        // `=> { a }.b(), …`
        return Err(input.error("a block that goes on"));
    }
    input.parse()
}
