//! Loops, labelled blocks and jumps.

use super::Lowerer;
use super::body::{EXIT, Frame, RESULT};
use crate::facts::body::*;
use crate::source::TextRange;
use syn::{BinOp, Expr};

impl Lowerer {
    pub(super) fn labelled_block(&mut self, dest: PlaceId, e: &syn::ExprBlock) {
        let Some(label) = &e.label else {
            // `{ … }`
            return self.block_value(dest, &e.block);
        };
        let label = self.ident(&label.name.ident);
        let after = self.top().new_block();
        self.top().frames.push(Frame { label: Some(label), again: None, after, dest });
        self.block_value(dest, &e.block);
        self.top().frames.pop();
        self.top().fall_into(after);
    }

    fn frame(&mut self, label: &Option<syn::Label>, again: BlockId, after: BlockId, dest: PlaceId) {
        let label = label.as_ref().map(|l| self.ident(&l.name.ident));
        self.top().frames.push(Frame { label, again: Some(again), after, dest });
    }

    /// The body of a loop: a scope that ends with every round, then back to the header.
    fn round(&mut self, header: BlockId, body: &syn::Block) {
        self.in_scope(ScopeKind::Loop, |l| l.statements(PlaceId::NONE, &body.stmts));
        self.top().goto(header, EdgeKind::Normal, TextRange::default());
        self.top().frames.pop();
        self.top().close_loop();
    }

    pub(super) fn loop_expr(&mut self, dest: PlaceId, e: &syn::ExprLoop) {
        let span = self.range(e.loop_token.span);
        let whole = span.to(self.range(e.body.brace_token.span.close()));
        let after = self.top().new_block();
        let id = self.top().open_loop(LoopKind::Loop, span, whole);
        let header = self.top().body.loops[id.index()].header;
        self.frame(&e.label, header, after, dest);
        self.round(header, &e.body);
        self.top().enter(after);
    }

    pub(super) fn while_expr(&mut self, e: &syn::ExprWhile) {
        let span = self.range(e.while_token.span);
        let whole = span.to(self.range(e.body.brace_token.span.close()));
        let always = matches!(&*e.cond, Expr::Lit(lit) if matches!(&lit.lit, syn::Lit::Bool(b) if b.value));
        let kind = match &*e.cond {
            _ if always => LoopKind::Loop,
            cond if begins_with_let(cond) => LoopKind::WhileLet,
            _ => LoopKind::While,
        };
        let after = self.top().new_block();
        let id = self.top().open_loop(kind, span, whole);
        let header = self.top().body.loops[id.index()].header;
        self.frame(&e.label, header, after, PlaceId::NONE);
        let names = self.top().env.len();
        self.top().open_scope(ScopeKind::Loop);
        if !always {
            let body = self.top().new_block();
            self.condition(&e.cond, body, after);
            self.top().enter(body);
        }
        self.statements(PlaceId::NONE, &e.body.stmts);
        self.top().close_scope();
        self.top().env.truncate(names);
        self.top().goto(header, EdgeKind::Normal, TextRange::default());
        self.top().frames.pop();
        self.top().close_loop();
        self.top().enter(after);
    }

    pub(super) fn for_expr(&mut self, e: &syn::ExprForLoop) {
        let span = self.range(e.for_token.span);
        let whole = span.to(self.range(e.body.brace_token.span.close()));
        self.top().open_scope(ScopeKind::Block);
        let after = self.top().new_block();
        let iterated = self.operand(&e.expr, Position::Bare);
        let id = self.top().open_loop(LoopKind::For, span, whole);
        self.top().body.loops[id.index()].iterates = iterated;
        let header = self.top().body.loops[id.index()].header;
        self.frame(&e.label, header, after, PlaceId::NONE);
        let names = self.top().env.len();
        self.top().open_scope(ScopeKind::Loop);
        let body = self.top().new_block();
        let none = PatternId::NONE;
        let edges = [(body, EdgeKind::Normal, none), (after, EdgeKind::Normal, none)];
        self.top().end(End::Next, iterated, &edges, span);
        self.top().enter(body);
        let source = match iterated.as_place() {
            Some((_, place)) => place,
            None => self.top().temp(),
        };
        let element = self.top().project(source, Projection::Element);
        let bound = self.bind(&e.pat, element);
        self.assign_bindings(&bound);
        self.statements(PlaceId::NONE, &e.body.stmts);
        self.top().close_scope();
        self.top().env.truncate(names);
        self.top().goto(header, EdgeKind::Normal, TextRange::default());
        self.top().frames.pop();
        self.top().close_loop();
        self.top().enter(after);
        self.top().close_scope();
    }

    pub(super) fn return_expr(&mut self, e: &syn::ExprReturn) {
        let span = self.range(e.return_token.span);
        match &e.expr {
            Some(value) => self.into(RESULT, value),
            None => self.unit(RESULT),
        }
        self.top().leave(EXIT, EdgeKind::Early, span);
    }

    pub(super) fn break_expr(&mut self, e: &syn::ExprBreak) {
        let label = e.label.as_ref().map(|l| self.ident(&l.ident));
        let span = self.range(e.break_token.span);
        let frames = &self.top().frames;
        let frame = frames.iter().rev().find(|f| match label {
            Some(label) => f.label == Some(label),
            None => f.again.is_some(),
        });
        // `break` outside a loop is what a macro may have left us with; it leaves the body.
        let (after, dest) = frame.map_or((EXIT, PlaceId::NONE), |f| (f.after, f.dest));
        if let Some(value) = &e.expr {
            self.into(dest, value);
        }
        self.top().leave(after, EdgeKind::Normal, span);
    }

    pub(super) fn continue_expr(&mut self, e: &syn::ExprContinue) {
        let label = e.label.as_ref().map(|l| self.ident(&l.ident));
        let span = self.range(e.continue_token.span);
        let frames = &self.top().frames;
        let again = frames.iter().rev().filter(|f| label.is_none() || f.label == label).find_map(|f| f.again);
        self.top().leave(again.unwrap_or(EXIT), EdgeKind::Normal, span);
    }
}

/// `let P = e`, `let P = e && …`
fn begins_with_let(cond: &Expr) -> bool {
    match cond {
        Expr::Let(_) => true,
        Expr::Binary(e) => matches!(e.op, BinOp::And(_)) && begins_with_let(&e.left),
        _ => false,
    }
}
