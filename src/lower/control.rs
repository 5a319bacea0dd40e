//! Blocks, statements, branches, loops and jumps.

use super::Lowerer;
use super::body::{EXIT, Frame, RESULT};
use crate::facts::NameId;
use crate::facts::body::*;
use crate::facts::types::TypeId;
use crate::source::TextRange;
use syn::{BinOp, Expr, Pat, Stmt, UnOp};

impl Lowerer {
    /// `{ … }` as a value.
    pub(super) fn block_value(&mut self, dest: PlaceId, block: &syn::Block) {
        self.in_scope(ScopeKind::Block, |l| l.statements(dest, &block.stmts));
    }

    /// Runs `f` in a scope of its own; names bound within end with it.
    pub(super) fn in_scope(&mut self, kind: ScopeKind, f: impl FnOnce(&mut Lowerer)) {
        let state = self.top();
        let names = state.env.len();
        state.open_scope(kind);
        f(self);
        let state = self.top();
        state.close_scope();
        state.env.truncate(names);
    }

    pub(super) fn statements(&mut self, dest: PlaceId, statements: &[Stmt]) {
        self.nested_items(statements);
        let Some((last, before)) = statements.split_last() else {
            return self.unit(dest);
        };
        for statement in before {
            self.statement(statement);
        }
        match last {
            Stmt::Expr(e, None) => {
                self.block_attributes(e);
                self.into(dest, e);
            }
            Stmt::Macro(m) if m.semi_token.is_none() => self.macro_call(dest, &m.mac),
            _ => {
                self.statement(last);
                self.unit(dest);
            }
        }
    }

    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Local(local) => self.let_statement(local),
            Stmt::Item(_) => {}
            Stmt::Expr(e, _) => {
                self.block_attributes(e);
                self.in_scope(ScopeKind::Statement, |l| l.discard(e));
            }
            Stmt::Macro(m) => {
                // A macro may bind names that later statements use (`pin!(x)`), so it opens no block.
                self.in_scope(ScopeKind::Statement, |l| l.macro_call(PlaceId::NONE, &m.mac));
            }
        }
    }

    /// `#[cfg(windows)] { … }`
    fn block_attributes(&mut self, e: &Expr) {
        let (attrs, block) = match e {
            Expr::Block(e) => (&e.attrs, &e.block),
            Expr::Unsafe(e) => (&e.attrs, &e.block),
            _ => return,
        };
        self.lint_attributes(attrs, block.brace_token.span.open(), block.brace_token.span.close());
    }

    fn let_statement(&mut self, local: &syn::Local) {
        self.lint_attributes(&local.attrs, local.let_token.span, local.semi_token.span);
        let (pat, ty) = match &local.pat {
            Pat::Type(typed) => (&*typed.pat, Some(&*typed.ty)),
            pat => (pat, None),
        };
        let ty = ty.map_or(TypeId::NONE, |ty| self.ty(ty));
        let Some(init) = &local.init else {
            return self.declare(pat, ty);
        };
        if let Some((_, diverge)) = &init.diverge {
            return self.let_else(pat, &init.expr, diverge);
        }
        let block_scope = self.top().scope;
        self.top().open_scope(ScopeKind::Statement);
        match pat {
            Pat::Wild(_) => self.wild_let(&init.expr),
            Pat::Ident(pat) if pat.subpat.is_none() && pat.by_ref.is_none() => {
                let bound = self.binding_in(block_scope, pat, ty);
                let dest = self.top().local_place(bound);
                self.into(dest, &init.expr);
                let name = self.ident(&pat.ident);
                self.top().env.push((name, bound));
            }
            pat => {
                let scrutinee = self.typed_place(&init.expr, ty);
                let inner = std::mem::replace(&mut self.top().scope, block_scope);
                let bound = self.bind(pat, scrutinee);
                self.top().scope = inner;
                self.assign_bindings(&bound);
            }
        }
        self.top().close_scope();
    }

    /// `let _ = e;`: a place stays untouched, a value dies here.
    fn wild_let(&mut self, e: &Expr) {
        if !matches!(e, Expr::Path(_) | Expr::Field(_) | Expr::Index(_)) {
            self.discard(e);
        }
    }

    /// The place of `e`, with the type that was written for it.
    fn typed_place(&mut self, e: &Expr, ty: TypeId) -> PlaceId {
        let place = self.place_of(e);
        let state = self.top();
        if let Some(local) = state.body.whole_local(place)
            && state.body.locals[local.index()].ty.is_none()
        {
            state.body.locals[local.index()].ty = ty;
        }
        place
    }

    fn declare(&mut self, pat: &Pat, ty: TypeId) {
        if let Pat::Ident(pat) = pat {
            let scope = self.top().scope;
            let bound = self.binding_in(scope, pat, ty);
            let name = self.ident(&pat.ident);
            let state = self.top();
            let place = state.local_place(bound);
            state.push(Op::Declare, place, 0, &[], TextRange::default());
            state.env.push((name, bound));
        }
    }

    fn binding_in(&mut self, scope: ScopeId, pat: &syn::PatIdent, ty: TypeId) -> LocalId {
        let name = self.ident(&pat.ident);
        let span = self.range(pat.ident.span());
        let state = self.top();
        let inner = std::mem::replace(&mut state.scope, scope);
        let local = state.new_local(LocalKind::Binding, name, ty, span);
        state.scope = inner;
        local
    }

    fn let_else(&mut self, pat: &Pat, init: &Expr, diverge: &Expr) {
        let scrutinee = self.place_of(init);
        let span = match diverge {
            Expr::Block(block) => self.range(block.block.brace_token.span.open()),
            _ => TextRange::default(),
        };
        let (matched, other) = (self.top().new_block(), self.top().new_block());
        let names = self.top().env.len();
        let bound = self.bind(pat, scrutinee);
        let new_names = self.top().env.split_off(names);
        let edges = [(matched, EdgeKind::Normal, bound.pattern), (other, EdgeKind::Normal, PatternId::NONE)];
        self.top().end(End::Switch, Operand::place(Position::Scrutinee, scrutinee), &edges, span);
        self.top().enter(other);
        self.in_scope(ScopeKind::Block, |l| l.discard(diverge));
        self.top().diverge(TextRange::default());
        self.top().enter(matched);
        self.top().env.extend(new_names);
        self.assign_bindings(&bound);
    }

    pub(super) fn labelled_block(&mut self, dest: PlaceId, e: &syn::ExprBlock) {
        let Some(label) = &e.label else {
            return self.block_value(dest, &e.block);
        };
        let label = self.ident(&label.name.ident);
        let after = self.top().new_block();
        self.top().frames.push(Frame { label: Some(label), again: None, after, dest });
        self.block_value(dest, &e.block);
        self.top().frames.pop();
        self.top().fall_into(after);
    }

    pub(super) fn if_expr(&mut self, dest: PlaceId, e: &syn::ExprIf) {
        let state = self.top();
        let (otherwise, after) = (state.new_block(), state.new_block());
        let names = state.env.len();
        state.open_scope(ScopeKind::Block);
        let then = self.top().new_block();
        self.condition(&e.cond, then, otherwise);
        self.top().enter(then);
        self.block_value(dest, &e.then_branch);
        self.top().close_scope();
        self.top().env.truncate(names);
        self.top().goto(after, EdgeKind::Normal, TextRange::default());
        self.top().enter(otherwise);
        match &e.else_branch {
            Some((_, otherwise)) => self.into(dest, otherwise),
            None => self.unit(dest),
        }
        self.top().fall_into(after);
    }

    /// Branches on `e`; ends the current block. `let` bindings are in scope in `yes`.
    pub(super) fn condition(&mut self, e: &Expr, yes: BlockId, no: BlockId) {
        match e {
            Expr::Paren(e) => self.condition(&e.expr, yes, no),
            Expr::Group(e) => self.condition(&e.expr, yes, no),
            Expr::Unary(e) if matches!(e.op, UnOp::Not(_)) => self.condition(&e.expr, no, yes),
            Expr::Binary(e) if matches!(e.op, BinOp::And(_)) => {
                let both = self.top().new_block();
                self.condition(&e.left, both, no);
                self.top().enter(both);
                self.condition(&e.right, yes, no);
            }
            Expr::Binary(e) if matches!(e.op, BinOp::Or(_)) => {
                let second = self.top().new_block();
                self.condition(&e.left, yes, second);
                self.top().enter(second);
                self.condition(&e.right, yes, no);
            }
            Expr::Let(e) => {
                let span = self.range(e.let_token.span);
                let scrutinee = self.place_of(&e.expr);
                self.pattern_branch(&e.pat, scrutinee, yes, no, span);
            }
            Expr::Macro(m) if self.matches_branch(&m.mac, yes, no) => {}
            e => {
                self.top().open_scope(ScopeKind::Statement);
                let operand = self.operand(e, Position::Bare);
                let none = PatternId::NONE;
                let edges = [(yes, EdgeKind::Normal, none), (no, EdgeKind::Normal, none)];
                self.top().end(End::Branch, operand, &edges, TextRange::default());
                self.top().leave_scope();
            }
        }
    }

    /// Goes to `yes`, with the names bound, where the pattern matches, else to `no`.
    pub(super) fn pattern_branch(&mut self, pat: &Pat, scrutinee: PlaceId, yes: BlockId, no: BlockId, span: TextRange) {
        let bind = self.top().new_block();
        let guard = match pat {
            Pat::Guard(guarded) => Some(&*guarded.guard),
            _ => None,
        };
        let bound = self.bind(pat, scrutinee);
        let edges = [(bind, EdgeKind::Normal, bound.pattern), (no, EdgeKind::Normal, PatternId::NONE)];
        self.top().end(End::Switch, Operand::place(Position::Scrutinee, scrutinee), &edges, span);
        self.top().enter(bind);
        self.assign_bindings(&bound);
        match guard {
            Some(guard) => self.condition(guard, yes, no),
            None => self.top().goto(yes, EdgeKind::Normal, TextRange::default()),
        }
    }

    /// A condition as a value.
    pub(super) fn bool_value(&mut self, dest: PlaceId, e: &Expr) {
        self.two_ways(dest, |l, yes, no| l.condition(e, yes, no));
    }

    pub(super) fn short_circuit(&mut self, dest: PlaceId, e: &syn::ExprBinary) {
        let and = matches!(e.op, BinOp::And(_));
        self.two_ways(dest, |l, yes, no| {
            let second = l.top().new_block();
            let (if_yes, if_no) = if and { (second, no) } else { (yes, second) };
            l.condition(&e.left, if_yes, if_no);
            l.top().enter(second);
            l.condition(&e.right, yes, no);
        });
    }

    /// Stores `true` or `false`, depending on which block `branch` goes to.
    pub(super) fn two_ways(&mut self, dest: PlaceId, branch: impl FnOnce(&mut Lowerer, BlockId, BlockId)) {
        let state = self.top();
        let after = state.new_block();
        let names = state.env.len();
        state.open_scope(ScopeKind::Block);
        let (yes, no) = (state.new_block(), state.new_block());
        branch(self, yes, no);
        for (block, value) in [(yes, true), (no, false)] {
            self.top().enter(block);
            let value = self.bool_operand(value);
            self.assign_operand(dest, value, TextRange::default());
            self.top().goto(after, EdgeKind::Normal, TextRange::default());
        }
        self.top().leave_scope();
        self.top().env.truncate(names);
        self.top().enter(after);
    }

    pub(super) fn match_expr(&mut self, dest: PlaceId, e: &syn::ExprMatch) {
        let scrutinee = self.place_of(&e.expr);
        let span = self.range(e.match_token.span);
        let after = self.top().new_block();
        let mut arms = Vec::with_capacity(e.arms.len());
        for arm in &e.arms {
            // Each arm has its scope, and its block belongs to it.
            let names = self.top().env.len();
            let scope = self.top().open_scope(ScopeKind::Block);
            let block = self.top().new_block();
            let bound = self.bind(&arm.pat, scrutinee);
            let bound_names = self.top().env.split_off(names);
            self.top().leave_scope();
            arms.push((arm, scope, block, bound, bound_names));
        }
        let switch = |rest: &[(&syn::Arm, ScopeId, BlockId, super::patterns::Bound, Vec<(NameId, LocalId)>)]| {
            rest.iter().map(|(_, _, block, bound, _)| (*block, EdgeKind::Normal, bound.pattern)).collect::<Vec<_>>()
        };
        let operand = Operand::place(Position::Scrutinee, scrutinee);
        self.top().end(End::Switch, operand, &switch(&arms), span);
        for (index, (arm, scope, block, bound, names)) in arms.iter().enumerate() {
            let outer = std::mem::replace(&mut self.top().scope, *scope);
            let kept = self.top().env.len();
            self.top().env.extend_from_slice(names);
            self.top().enter(*block);
            self.assign_bindings(bound);
            if let Pat::Guard(guarded) = &arm.pat {
                let (yes, no) = (self.top().new_block(), self.top().new_block());
                self.condition(&guarded.guard, yes, no);
                self.top().enter(no);
                self.top().end(End::Switch, operand, &switch(&arms[index + 1..]), span);
                self.top().enter(yes);
            }
            self.into(dest, &arm.body);
            self.top().close_scope();
            self.top().scope = outer;
            self.top().env.truncate(kept);
            self.top().goto(after, EdgeKind::Normal, TextRange::default());
        }
        self.top().enter(after);
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
            Expr::Let(_) => LoopKind::WhileLet,
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
