//! Branches: `if`, conditions, `match`.

use super::Lowerer;
use super::patterns::Bound;
use crate::facts::NameId;
use crate::facts::body::*;
use crate::source::TextRange;
use syn::{BinOp, Expr, Pat, UnOp};

/// An arm whose pattern is bound and whose body is yet to be lowered.
pub(super) struct Arm {
    scope: ScopeId,
    block: BlockId,
    bound: Option<Bound>,
    names: Vec<(NameId, LocalId)>,
}

impl Arm {
    /// The edge into it.
    pub(super) fn edge(&self) -> (BlockId, EdgeKind, PatternId) {
        (self.block, EdgeKind::Normal, self.bound.as_ref().map_or(PatternId::NONE, |b| b.pattern))
    }
}

impl Lowerer {
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
        let arms: Vec<_> = e.arms.iter().map(|arm| self.open_arm(Some((&arm.pat, scrutinee)))).collect();
        let edges: Vec<_> = arms.iter().map(Arm::edge).collect();
        let operand = Operand::place(Position::Scrutinee, scrutinee);
        self.top().end(End::Switch, operand, &edges, span);
        for (index, (arm, opened)) in e.arms.iter().zip(arms).enumerate() {
            self.in_arm(opened, after, |l| {
                if let Pat::Guard(guarded) = &arm.pat {
                    let (yes, no) = (l.top().new_block(), l.top().new_block());
                    l.condition(&guarded.guard, yes, no);
                    l.top().enter(no);
                    l.top().end(End::Switch, operand, &edges[index + 1..], span);
                    l.top().enter(yes);
                }
                l.into(dest, &arm.body);
            });
        }
        self.top().enter(after);
    }

    /// Opens the scope of an arm and its block within, and binds its pattern if it has one (`else => …` has none).
    pub(super) fn open_arm(&mut self, matched: Option<(&Pat, PlaceId)>) -> Arm {
        let kept = self.top().env.len();
        let scope = self.top().open_scope(ScopeKind::Block);
        let block = self.top().new_block();
        let bound = matched.map(|(pat, place)| self.bind(pat, place));
        let names = self.top().env.split_off(kept);
        self.top().leave_scope();
        Arm { scope, block, bound, names }
    }

    /// Runs `f` in an arm, then goes on `after`.
    pub(super) fn in_arm(&mut self, arm: Arm, after: BlockId, f: impl FnOnce(&mut Lowerer)) {
        let state = self.top();
        let outer = std::mem::replace(&mut state.scope, arm.scope);
        let kept = state.env.len();
        state.env.extend(arm.names);
        state.enter(arm.block);
        if let Some(bound) = &arm.bound {
            self.assign_bindings(bound);
        }
        f(self);
        let state = self.top();
        state.close_scope();
        state.scope = outer;
        state.env.truncate(kept);
        state.goto(after, EdgeKind::Normal, TextRange::default());
    }
}
