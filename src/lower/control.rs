//! Blocks and statements.

use super::Lowerer;
use super::items::item_macro;
use crate::facts::NameId;
use crate::facts::body::*;
use crate::facts::types::TypeId;
use crate::source::TextRange;
use syn::{Expr, Pat, Stmt};

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
            // `{}`
            return self.unit(dest);
        };
        let alternatives = cfg_alternatives(statements);
        if alternatives.len() > 1 {
            statements[..statements.len() - alternatives.len()].iter().for_each(|s| self.statement(s));
            return self.alternatives(dest, &alternatives);
        }
        for statement in before {
            self.statement(statement);
        }
        match last {
            Stmt::Expr(e, None) => {
                self.block_attributes(e);
                self.into(dest, e);
            }
            Stmt::Macro(m) if m.semi_token.is_none() && !item_macro(&m.mac) => self.macro_call(dest, &m.mac),
            _ => {
                self.statement(last);
                self.unit(dest);
            }
        }
    }

    /// `#[cfg(unix)] { a } #[cfg(windows)] { b }` at the end of a block: one of them is its value.
    fn alternatives(&mut self, dest: PlaceId, alternatives: &[&Expr]) {
        let after = self.top().new_block();
        let Some((last, before)) = alternatives.split_last() else { return };
        for e in before {
            let (this, others) = (self.top().new_block(), self.top().new_block());
            let none = PatternId::NONE;
            let edges = [(this, EdgeKind::Normal, none), (others, EdgeKind::Normal, none)];
            self.top().end(End::Branch, Operand::NONE, &edges, TextRange::default());
            self.top().enter(this);
            self.block_attributes(e);
            self.into(dest, e);
            self.top().goto(after, EdgeKind::Normal, TextRange::default());
            self.top().enter(others);
        }
        self.block_attributes(last);
        self.into(dest, last);
        self.top().fall_into(after);
    }

    pub(super) fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Local(local) => self.let_statement(local),
            Stmt::Item(_) => {}
            Stmt::Expr(e, semicolon) => {
                self.block_attributes(e);
                if let Some(semicolon) = semicolon {
                    self.call_attributes(e, semicolon);
                }
                self.in_scope(ScopeKind::Statement, |l| l.discard(e));
            }
            // `thread_local! { … }`, `pin! { let x = e; }`
            Stmt::Macro(m) if item_macro(&m.mac) || self.pinned_lets(&m.mac) => {}
            Stmt::Macro(m) => self.in_scope(ScopeKind::Statement, |l| l.macro_call(PlaceId::NONE, &m.mac)),
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

    /// `#[cfg(test)] self.seen.push(x);`
    fn call_attributes(&mut self, e: &Expr, semicolon: &syn::Token![;]) {
        let attrs = match e {
            Expr::MethodCall(e) => &e.attrs,
            Expr::Call(e) => &e.attrs,
            _ => return,
        };
        if let Some(first) = attrs.first() {
            self.lint_attributes(attrs, first.pound_token.span, semicolon.span);
        }
    }

    fn let_statement(&mut self, local: &syn::Local) {
        self.lint_attributes(&local.attrs, local.let_token.span, local.semi_token.span);
        let (pat, ty) = match &local.pat {
            Pat::Type(typed) => (&*typed.pat, Some(&*typed.ty)),
            pat => (pat, None),
        };
        let ty = ty.map_or(TypeId::NONE, |ty| self.ty(ty));
        let Some(init) = &local.init else {
            // `let x;`
            return self.declare(pat, ty);
        };
        // `let Some(x) = e else { … };`
        if let Some((_, diverge)) = &init.diverge {
            return self.let_else(pat, ty, &init.expr, diverge);
        }
        let block_scope = self.top().scope;
        self.top().open_scope(ScopeKind::Statement);
        match pat {
            Pat::Wild(_) => self.wild_let(&init.expr),
            Pat::Ident(pat) if pat.subpat.is_none() && pat.by_ref.is_none() => {
                let (name, bound) = self.binding_in(block_scope, pat, ty);
                let dest = self.top().local_place(bound);
                self.initialise(dest, block_scope, &init.expr);
                self.top().env.push(name, bound);
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

    /// Lowers `e` into the variable of a `let`. In `let x = &f();` what is borrowed lives as long as `x`.
    fn initialise(&mut self, dest: PlaceId, block_scope: ScopeId, e: &Expr) {
        match e {
            Expr::Reference(e) if !matches!(&*e.expr, Expr::Lit(_)) => {
                let borrowed = self.extended_place(block_scope, &e.expr);
                let position = if e.mutability.is_some() { Position::RefMut } else { Position::Ref };
                self.assign_operand(dest, Operand::place(position, borrowed), TextRange::default());
            }
            e => self.into(dest, e),
        }
    }

    /// The place of `e`; if `e` or what it is a field of makes a value, that goes to a temporary of `scope`.
    fn extended_place(&mut self, scope: ScopeId, e: &Expr) -> PlaceId {
        match e {
            Expr::Paren(e) => self.extended_place(scope, &e.expr),
            Expr::Field(e) => {
                let base = self.extended_place(scope, &e.base);
                self.field_place(base, &e.member)
            }
            Expr::Path(_) | Expr::Index(_) | Expr::Unary(_) => self.place_of(e),
            e => {
                let inner = std::mem::replace(&mut self.top().scope, scope);
                let temp = self.top().temp();
                self.top().scope = inner;
                self.into(temp, e);
                temp
            }
        }
    }

    /// `let _ = e;`: a place stays untouched, a value dies here.
    fn wild_let(&mut self, e: &Expr) {
        // `let _ = guard;`, `let _ = self.handle;`
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

    /// `let x;`, `let (a, b);`
    fn declare(&mut self, pat: &Pat, ty: TypeId) {
        match pat {
            Pat::Ident(pat) => {
                let scope = self.top().scope;
                let (name, bound) = self.binding_in(scope, pat, ty);
                let state = self.top();
                let place = state.local_place(bound);
                state.push(Op::Declare, place, 0, &[], TextRange::default());
                state.env.push(name, bound);
            }
            Pat::Tuple(pat) => pat.elems.iter().for_each(|pat| self.declare(pat, TypeId::NONE)),
            _ => {}
        }
    }

    fn binding_in(&mut self, scope: ScopeId, pat: &syn::PatIdent, ty: TypeId) -> (NameId, LocalId) {
        let name = self.ident(&pat.ident);
        let span = self.range(pat.ident.span());
        let state = self.top();
        let inner = std::mem::replace(&mut state.scope, scope);
        let local = state.new_local(LocalKind::Binding, name, ty, span);
        state.scope = inner;
        (name, local)
    }

    fn let_else(&mut self, pat: &Pat, ty: TypeId, init: &Expr, diverge: &Expr) {
        let span = match diverge {
            Expr::Block(block) => self.range(block.block.brace_token.span.open()),
            _ => TextRange::default(),
        };
        let block_scope = self.top().scope;
        let other = self.top().new_block();
        self.top().open_scope(ScopeKind::Statement);
        let scrutinee = self.typed_place(init, ty);
        let matched = self.top().new_block();
        let names = self.top().env.len();
        let inner = std::mem::replace(&mut self.top().scope, block_scope);
        let bound = self.bind(pat, scrutinee);
        let new_names = self.top().env.split_off(names);
        self.top().scope = inner;
        let edges = [(matched, EdgeKind::Normal, bound.pattern), (other, EdgeKind::Normal, PatternId::NONE)];
        self.top().end(End::Switch, Operand::place(Position::Scrutinee, scrutinee), &edges, span);
        // What the initialiser left behind is dropped before the `else` block runs.
        self.top().scope = block_scope;
        self.top().enter(other);
        self.in_scope(ScopeKind::Block, |l| l.discard(diverge));
        self.top().diverge(TextRange::default());
        self.top().scope = inner;
        self.top().enter(matched);
        self.top().env.extend(new_names);
        self.assign_bindings(&bound);
        self.top().close_scope();
    }
}

/// The values at the end of a block that `cfg` chooses from.
fn cfg_alternatives(statements: &[Stmt]) -> Vec<&Expr> {
    let chosen = |statement| match statement {
        &Stmt::Expr(ref e, None) => attributes_of(e).iter().any(|a| a.path().is_ident("cfg")).then_some(e),
        _ => None,
    };
    let mut found: Vec<&Expr> = statements.iter().rev().map_while(chosen).collect();
    found.reverse();
    found
}

/// The attributes of the kinds of expressions that end a block.
fn attributes_of(e: &Expr) -> &[syn::Attribute] {
    match e {
        Expr::Block(e) => &e.attrs,
        Expr::Unsafe(e) => &e.attrs,
        Expr::If(e) => &e.attrs,
        Expr::Match(e) => &e.attrs,
        Expr::Lit(e) => &e.attrs,
        Expr::Path(e) => &e.attrs,
        Expr::Call(e) => &e.attrs,
        Expr::MethodCall(e) => &e.attrs,
        Expr::Unary(e) => &e.attrs,
        Expr::Struct(e) => &e.attrs,
        Expr::Tuple(e) => &e.attrs,
        Expr::Return(e) => &e.attrs,
        _ => &[],
    }
}
