//! Closures and async blocks: bodies of their own, and what they capture.

use super::body::RESULT;
use super::{BodyPlace, Lowerer};
use crate::facts::body::*;
use crate::facts::types::TypeId;
use crate::facts::{BodyKind, ItemId, ModuleId, NameId, body_flags};
use crate::source::TextRange;
use syn::{Pat, ReturnType};

impl Lowerer {
    /// The local that a name means, captured from enclosing bodies where it must be.
    pub(super) fn lookup(&mut self, name: NameId) -> Option<LocalId> {
        let top = self.stack.len() - 1;
        let mut depth = top;
        let mut local = loop {
            if let Some(local) = self.stack[depth].env.find(name) {
                break local;
            }
            // A nested `fn` sees no locals of the function around it: `let x = 1; fn g() { x }`.
            if !self.stack[depth].captures_names {
                return None;
            }
            depth -= 1;
        };
        for state in &mut self.stack[depth + 1..] {
            local = state.capture(local, name);
        }
        Some(local)
    }

    fn nested_place(&mut self, kind: BodyKind, flags: u8, span: TextRange) -> BodyPlace {
        let state = self.stack.last().expect("closures stand in a body");
        let (outer, module) = (state.id, state.module);
        BodyPlace { kind, item: self.item_of(outer), module, flags, span }
    }

    fn item_of(&self, body: crate::facts::BodyId) -> ItemId {
        self.header.bodies[body.index()].item
    }

    pub(super) fn closure(&mut self, dest: PlaceId, e: &syn::ExprClosure) {
        let mut flags = if e.capture.is_some() { body_flags::MOVE } else { 0 };
        flags |= if e.asyncness.is_some() { body_flags::ASYNC } else { 0 };
        let span = self.range_to(e.inputs_begin.span, e.inputs_end.span);
        let place = self.nested_place(BodyKind::Closure, flags, span);
        let id = self.open_body(place);
        let mut params: Vec<(&Pat, TypeId)> = Vec::with_capacity(e.inputs.len());
        for input in &e.inputs {
            match input {
                Pat::Type(typed) => params.push((&typed.pat, self.ty(&typed.ty))),
                pat => params.push((pat, TypeId::NONE)),
            }
        }
        if let ReturnType::Type(_, ty) = &e.output {
            let ty = self.ty(ty);
            self.top().body.locals[0].ty = ty;
        }
        self.parameters(&params);
        self.upgrade_taken();
        self.into(RESULT, &e.body);
        let captures = self.close_body();
        self.nested_statement(Op::Closure, dest, id.0, &captures, span);
    }

    pub(super) fn async_block(&mut self, dest: PlaceId, e: &syn::ExprAsync) {
        let flags = if e.capture.is_some() { body_flags::MOVE } else { 0 };
        let span = match &e.capture {
            Some(capture) => self.range_to(e.async_token.span, capture.span),
            None => self.range(e.async_token.span),
        };
        self.async_body(dest, flags, &e.block.stmts, span);
    }

    /// A body that runs when it is polled.
    pub(super) fn async_body(&mut self, dest: PlaceId, flags: u8, statements: &[syn::Stmt], span: TextRange) {
        let place = self.nested_place(BodyKind::AsyncBlock, flags, span);
        let id = self.open_body(place);
        self.upgrade_taken();
        self.statements(RESULT, statements);
        let captures = self.close_body();
        self.nested_statement(Op::Async, dest, id.0, &captures, span);
    }

    fn nested_statement(&mut self, op: Op, dest: PlaceId, body: u32, captures: &[(LocalId, LocalId)], span: TextRange) {
        let state = self.top();
        let args: Vec<_> = captures
            .iter()
            .map(|&(outer, _)| {
                let place = state.local_place(outer);
                Operand::place(Position::Capture, place)
            })
            .collect();
        self.emit(op, dest, body, &args, span);
    }

    /// Opens the body of a function or an initialiser.
    pub(super) fn open_item_body(
        &mut self,
        kind: BodyKind,
        item: ItemId,
        module: ModuleId,
        span: TextRange,
    ) -> crate::facts::BodyId {
        self.open_body(BodyPlace { kind, item, module, flags: 0, span })
    }
}
