//! Expressions: each is lowered into a destination, to an operand, or for its effects.

use super::Lowerer;
use super::body::{EXIT, RESULT};
use crate::facts::body::*;
use crate::facts::body_flags;
use crate::facts::types::PathId;
use crate::source::TextRange;
use proc_macro2::Span;
use syn::{Expr, Lit, Member, UnOp};

/// Literal elements of an array beyond this many say nothing new.
const ARRAY_LITERALS: usize = 8;
/// Longer string literals are not kept.
const LITERAL_TEXT: usize = 64;

impl Lowerer {
    /// Lowers `e` so that its value ends in `dest`; with no `dest` the value dies with the statement.
    pub(super) fn into(&mut self, dest: PlaceId, e: &Expr) {
        match e {
            Expr::Paren(e) => self.into(dest, &e.expr),
            Expr::Group(e) => self.into(dest, &e.expr),
            Expr::Call(e) => self.call(dest, e),
            Expr::MethodCall(e) => self.method_call(dest, e),
            Expr::Macro(e) => self.macro_call(dest, &e.mac),
            Expr::Await(e) => self.await_expr(dest, e),
            Expr::Try(e) => self.try_expr(dest, e),
            Expr::Closure(e) => self.closure(dest, e),
            Expr::Async(e) => self.async_block(dest, e),
            Expr::Struct(e) => self.struct_literal(dest, e),
            Expr::Tuple(e) if e.elems.is_empty() => self.unit(dest),
            Expr::Tuple(e) => self.aggregate(dest, Op::Tuple, 0, e.elems.iter(), e.paren_token.span.open()),
            Expr::Array(e) => self.aggregate(dest, Op::Array, 0, e.elems.iter(), e.bracket_token.span.open()),
            Expr::Repeat(e) => {
                let elements = [&*e.expr, &*e.len];
                self.aggregate(dest, Op::Array, 0, elements.into_iter(), e.bracket_token.span.open());
            }
            Expr::Range(e) => {
                let ends = e.start.iter().chain(&e.end).map(|e| &**e);
                let args: Vec<_> = ends.map(|e| self.operand(e, Position::Bare)).collect();
                self.emit(Op::Range, dest, 0, &args, TextRange::default());
            }
            Expr::Binary(e) => self.binary(dest, e),
            Expr::Unary(e) if !matches!(e.op, UnOp::Deref(_)) => self.unary(dest, e),
            Expr::Cast(e) => {
                let arg = self.operand(&e.expr, Position::Bare);
                let ty = self.ty(&e.ty);
                let span = self.range(e.as_token.span);
                self.emit(Op::Cast, dest, ty.0, &[arg], span);
            }
            Expr::Assign(e) => self.assign(e),
            Expr::Let(_) => self.bool_value(dest, e),
            Expr::Const(e) => self.block_value(dest, &e.block),
            Expr::Unsafe(e) => self.block_value(dest, &e.block),
            Expr::TryBlock(e) => self.block_value(dest, &e.block),
            Expr::Block(e) => self.labelled_block(dest, e),
            Expr::If(e) => self.if_expr(dest, e),
            Expr::Match(e) => self.match_expr(dest, e),
            Expr::Loop(e) => self.loop_expr(dest, e),
            Expr::While(e) => self.while_expr(e),
            Expr::ForLoop(e) => self.for_expr(e),
            Expr::Return(e) => self.return_expr(e),
            Expr::Break(e) => self.break_expr(e),
            Expr::Continue(e) => self.continue_expr(e),
            Expr::Yield(e) => {
                if let Some(value) = &e.expr {
                    self.operand(value, Position::Bare);
                }
                self.unit(dest);
            }
            Expr::Path(_)
            | Expr::Field(_)
            | Expr::Index(_)
            | Expr::Unary(_)
            | Expr::Reference(_)
            | Expr::RawAddr(_)
            | Expr::Lit(_) => {
                let arg = self.operand(e, Position::Bare);
                self.assign_operand(dest, arg, TextRange::default());
            }
            _ => self.unit(dest),
        }
    }

    /// Lowers `e` for its effects; its value dies with the statement.
    pub(super) fn discard(&mut self, e: &Expr) {
        self.into(PlaceId::NONE, e);
    }

    /// Lowers `e` and says how its value is used.
    pub(super) fn operand(&mut self, e: &Expr, position: Position) -> Operand {
        match e {
            Expr::Lit(e) => self.literal(&e.lit),
            Expr::Paren(e) => self.operand(&e.expr, position),
            Expr::Group(e) => self.operand(&e.expr, position),
            Expr::Reference(e) => {
                let position = if e.mutability.is_some() { Position::RefMut } else { Position::Ref };
                self.operand(&e.expr, position)
            }
            Expr::RawAddr(e) => {
                let mutable = matches!(e.mutability, syn::PointerMutability::Mut(_));
                self.operand(&e.expr, if mutable { Position::RefMut } else { Position::Ref })
            }
            Expr::Tuple(e) if e.elems.is_empty() => self.unit_operand(),
            _ => Operand::place(position, self.place_of(e)),
        }
    }

    /// The place that `e` denotes; its value goes to a temporary if it denotes none.
    pub(super) fn place_of(&mut self, e: &Expr) -> PlaceId {
        match e {
            Expr::Paren(e) => self.place_of(&e.expr),
            Expr::Group(e) => self.place_of(&e.expr),
            Expr::Path(e) => self.path_place(e),
            Expr::Field(e) => {
                let base = self.place_of(&e.base);
                self.field_place(base, &e.member)
            }
            Expr::Index(e) => {
                let base = self.place_of(&e.expr);
                self.operand(&e.index, Position::Bare);
                self.top().project(base, Projection::Element)
            }
            Expr::Unary(e) if matches!(e.op, UnOp::Deref(_)) => {
                let base = self.place_of(&e.expr);
                self.top().project(base, Projection::Deref)
            }
            _ => {
                let temp = self.top().temp();
                self.into(temp, e);
                temp
            }
        }
    }

    /// `base.member`.
    pub(super) fn field_place(&mut self, base: PlaceId, member: &Member) -> PlaceId {
        let name = self.member(member);
        let state = self.top();
        state.fields.push(name);
        state.project(base, Projection::Field(name))
    }

    pub(super) fn member(&mut self, member: &Member) -> crate::facts::NameId {
        match member {
            Member::Named(ident) => self.ident(ident),
            Member::Unnamed(index) => self.tuple_field(index.index as usize),
        }
    }

    /// The name of a tuple's field.
    pub(super) fn tuple_field(&mut self, index: usize) -> crate::facts::NameId {
        const SMALL: [&str; 8] = ["0", "1", "2", "3", "4", "5", "6", "7"];
        match SMALL.get(index) {
            Some(name) => self.name(name),
            None => self.name(&index.to_string()),
        }
    }

    fn path_place(&mut self, e: &syn::ExprPath) -> PlaceId {
        match self.path_or_local(e) {
            Ok(local) => self.top().local_place(local),
            Err(path) => {
                self.note_path(path);
                self.top().path_place(path)
            }
        }
    }

    /// The local that a path means, else the path.
    fn path_or_local(&mut self, e: &syn::ExprPath) -> Result<LocalId, PathId> {
        let Some(ident) = e.path.get_ident().filter(|_| e.qself.is_none()) else {
            // `a::B`, `None::<T>`, `<T>::new`
            return Err(self.qualified_path(&e.path, e.qself.as_ref()));
        };
        let name = self.ident(ident);
        self.lookup(name).ok_or_else(|| self.single_segment(name))
    }

    /// Adds a path's last name to what the body calls.
    pub(super) fn note_path(&mut self, path: PathId) {
        let state = self.top();
        let name = state.body.types.last_name(path);
        if !name.is_none() {
            state.calls.push(name);
        }
    }

    /// Pushes a statement; a value that nobody wants goes to a temporary, which dies with the statement.
    pub(super) fn emit(&mut self, op: Op, dest: PlaceId, data: u32, args: &[Operand], span: TextRange) {
        let state = self.top();
        let dest = if dest.is_none() { state.temp() } else { dest };
        state.push(op, dest, data, args, span);
    }

    /// `dest = operand`, or a mere use where there is no `dest`.
    pub(super) fn assign_operand(&mut self, dest: PlaceId, arg: Operand, span: TextRange) {
        let used = arg.as_place().is_some();
        match dest.get() {
            Some(dest) => self.top().push(Op::Assign, dest, 0, &[arg], span),
            None if used => self.top().push(Op::Use, dest, 0, &[arg], span),
            None => {}
        }
    }

    pub(super) fn unit(&mut self, dest: PlaceId) {
        if !dest.is_none() {
            let unit = self.unit_operand();
            self.top().push(Op::Assign, dest, 0, &[unit], TextRange::default());
        }
    }

    pub(super) fn unit_operand(&mut self) -> Operand {
        self.push_literal(LiteralKind::Unit, crate::facts::NameId::NONE)
    }

    fn push_literal(&mut self, kind: LiteralKind, text: crate::facts::NameId) -> Operand {
        let literals = &mut self.top().body.literals;
        literals.push(Literal { kind, text });
        Operand::literal(LiteralId(literals.len() as u32 - 1))
    }

    /// `true` or `false`.
    pub(super) fn bool_operand(&mut self, value: bool) -> Operand {
        let text = self.name(if value { "true" } else { "false" });
        self.push_literal(LiteralKind::Bool, text)
    }

    pub(super) fn literal(&mut self, lit: &Lit) -> Operand {
        let none = crate::facts::NameId::NONE;
        let (kind, text) = match lit {
            Lit::Str(s) => {
                let value = s.value();
                (LiteralKind::Text, if value.len() <= LITERAL_TEXT { self.name(&value) } else { none })
            }
            Lit::ByteStr(_) | Lit::CStr(_) => (LiteralKind::Text, none),
            Lit::Byte(_) | Lit::Char(_) => (LiteralKind::Char, none),
            Lit::Int(n) => (LiteralKind::Number, self.name(n.base10_digits())),
            Lit::Float(n) => (LiteralKind::Number, self.name(n.base10_digits())),
            Lit::Bool(b) => (LiteralKind::Bool, self.name(if b.value { "true" } else { "false" })),
            _ => (LiteralKind::Unit, none),
        };
        self.push_literal(kind, text)
    }

    fn call(&mut self, dest: PlaceId, e: &syn::ExprCall) {
        if let Expr::Path(callee) = &*e.func {
            match self.path_or_local(callee) {
                Err(path) => self.call_path(dest, path, callee, e),
                Ok(local) => {
                    let local = self.top().local_place(local);
                    self.call_value(dest, Operand::place(Position::Receiver, local), e);
                }
            }
        } else {
            let callee = self.operand(&e.func, Position::Receiver);
            self.call_value(dest, callee, e);
        }
    }

    fn call_path(&mut self, dest: PlaceId, path: PathId, callee: &syn::ExprPath, e: &syn::ExprCall) {
        self.note_path(path);
        let args: Vec<_> = e.args.iter().map(|a| self.operand(a, Position::Bare)).collect();
        let span = self.path_range(&callee.path);
        self.emit(Op::Call, dest, path.0, &args, span);
        // `return Err(e)`, and `Err(e)` at the end; not `let failed = Err(e);`
        if dest == RESULT && is_error(&callee.path) {
            self.top().leave(EXIT, EdgeKind::Error, span);
        }
    }

    fn call_value(&mut self, dest: PlaceId, callee: Operand, e: &syn::ExprCall) {
        let mut args = Vec::with_capacity(e.args.len() + 1);
        args.push(callee);
        args.extend(e.args.iter().map(|a| self.operand(a, Position::Bare)));
        let span = self.range(e.paren_token.span.open());
        self.emit(Op::CallValue, dest, 0, &args, span);
    }

    fn method_call(&mut self, dest: PlaceId, e: &syn::ExprMethodCall) {
        let mut args = Vec::with_capacity(e.args.len() + 1);
        args.push(self.operand(&e.receiver, Position::Receiver));
        args.extend(e.args.iter().map(|a| self.operand(a, Position::Bare)));
        let path = self.method_path(e);
        self.note_path(path);
        let span = self.range(e.method.span());
        self.emit(Op::CallMethod, dest, path.0, &args, span);
        // `Err(e).context("…")`
        if dest == RESULT && is_changed_error(&e.receiver) {
            self.top().leave(EXIT, EdgeKind::Error, span);
        }
    }

    fn await_expr(&mut self, dest: PlaceId, e: &syn::ExprAwait) {
        let future = self.place_of(&e.base);
        let span = self.range(e.await_token.span);
        self.await_place(dest, future, span);
    }

    /// Awaits a future that sits in a place.
    pub(super) fn await_place(&mut self, dest: PlaceId, future: PlaceId, span: TextRange) {
        let state = self.top();
        state.flags |= body_flags::AWAIT;
        let next = state.new_block();
        let none = PatternId::NONE;
        let operand = Operand::place(Position::Bare, future);
        state.end(End::Await, operand, &[(next, EdgeKind::Normal, none), (EXIT, EdgeKind::Cancel, none)], span);
        state.enter(next);
        let value = state.project(future, Projection::Output);
        self.assign_value(dest, value, span);
    }

    fn try_expr(&mut self, dest: PlaceId, e: &syn::ExprTry) {
        let tried = self.place_of(&e.expr);
        let span = self.range(e.question_token.span);
        self.try_place(dest, tried, span);
    }

    /// `tried?`.
    pub(super) fn try_place(&mut self, dest: PlaceId, tried: PlaceId, span: TextRange) {
        let state = self.top();
        let next = state.new_block();
        let none = PatternId::NONE;
        let operand = Operand::place(Position::Bare, tried);
        state.end(End::Try, operand, &[(next, EdgeKind::Normal, none), (EXIT, EdgeKind::Error, none)], span);
        state.enter(next);
        let value = state.project(tried, Projection::Success);
        self.assign_value(dest, value, span);
    }

    /// A value that came out of another place; where nobody wants it, it goes to a temporary.
    fn assign_value(&mut self, dest: PlaceId, value: PlaceId, span: TextRange) {
        let dest = if dest.is_none() { self.top().temp() } else { dest };
        self.assign_operand(dest, Operand::place(Position::Bare, value), span);
    }

    fn struct_literal(&mut self, dest: PlaceId, e: &syn::ExprStruct) {
        let mut args = Vec::with_capacity(e.fields.len() * 2 + 1);
        for field in &e.fields {
            let name = self.member(&field.member);
            let value = self.operand(&field.expr, Position::Bare);
            self.top().fields.push(name);
            args.extend([Operand::name(name), value]);
        }
        if let Some(base) = &e.rest {
            args.push(self.operand(base, Position::Bare));
        }
        let path = self.qualified_path(&e.path, e.qself.as_ref());
        self.note_path(path);
        let span = self.path_range(&e.path);
        self.emit(Op::Struct, dest, path.0, &args, span);
    }

    pub(super) fn aggregate<'a>(
        &mut self,
        dest: PlaceId,
        op: Op,
        data: u32,
        elements: impl Iterator<Item = &'a Expr>,
        open: proc_macro2::Span,
    ) {
        let mut args = Vec::new();
        for (index, element) in elements.enumerate() {
            // `[0, 1, 1, 2, 3, 5, 8, 13, 21, …]`
            if index < ARRAY_LITERALS || !matches!(element, Expr::Lit(_)) {
                args.push(self.operand(element, Position::Bare));
            }
        }
        let span = self.range(open);
        self.emit(op, dest, data, &args, span);
    }

    fn unary(&mut self, dest: PlaceId, e: &syn::ExprUnary) {
        let arg = self.operand(&e.expr, Position::Bare);
        let negated = matches!(e.op, UnOp::Neg(_)) as u32;
        self.emit(Op::Unary, dest, negated, &[arg], TextRange::default());
    }

    fn binary(&mut self, dest: PlaceId, e: &syn::ExprBinary) {
        use syn::BinOp::*;
        let (op, compound) = match &e.op {
            And(_) | Or(_) => {
                // `a() && b();`
                let dest = if dest.is_none() { self.top().temp() } else { dest };
                return self.short_circuit(dest, e);
            }
            Add(_) | Sub(_) | Div(_) => (BinaryOp::Arithmetic, false),
            Mul(_) => (BinaryOp::Mul, false),
            Rem(_) => (BinaryOp::Rem, false),
            BitXor(_) | BitOr(_) => (BinaryOp::Bits, false),
            BitAnd(_) => (BinaryOp::And, false),
            Shl(_) => (BinaryOp::Shl, false),
            Shr(_) => (BinaryOp::Shr, false),
            Eq(t) => return self.compare(dest, e, BinaryOp::Eq, &t.spans),
            Ne(t) => return self.compare(dest, e, BinaryOp::Ne, &t.spans),
            Lt(t) => return self.compare(dest, e, BinaryOp::Lt, &t.spans),
            Le(t) => return self.compare(dest, e, BinaryOp::Le, &t.spans),
            Gt(t) => return self.compare(dest, e, BinaryOp::Gt, &t.spans),
            Ge(t) => return self.compare(dest, e, BinaryOp::Ge, &t.spans),
            AddAssign(_) | SubAssign(_) | DivAssign(_) => (BinaryOp::Arithmetic, true),
            MulAssign(_) => (BinaryOp::Mul, true),
            RemAssign(_) => (BinaryOp::Rem, true),
            BitAndAssign(_) => (BinaryOp::And, true),
            ShlAssign(_) => (BinaryOp::Shl, true),
            ShrAssign(_) => (BinaryOp::Shr, true),
            _ => (BinaryOp::Bits, true),
        };
        // `x += 1`
        if compound {
            let right = self.operand(&e.right, Position::Bare);
            let left = self.place_of(&e.left);
            let args = [Operand::place(Position::Bare, left), right];
            self.top().push(Op::Binary, left, op as u32, &args, TextRange::default());
            return self.unit(dest);
        }
        let left = self.operand(&e.left, Position::Bare);
        let right = self.operand(&e.right, Position::Bare);
        self.emit(Op::Binary, dest, op as u32, &[left, right], TextRange::default());
    }

    /// A comparison; it is shown by its operator.
    fn compare(&mut self, dest: PlaceId, e: &syn::ExprBinary, op: BinaryOp, operator: &[Span]) {
        let left = self.operand(&e.left, Position::Bare);
        let right = self.operand(&e.right, Position::Bare);
        let span = match operator {
            [first, .., last] => self.range_to(*first, *last),
            [only] => self.range(*only),
            [] => TextRange::default(),
        };
        self.emit(Op::Binary, dest, op as u32, &[left, right], span);
    }

    fn assign(&mut self, e: &syn::ExprAssign) {
        match &*e.left {
            Expr::Infer(_) => self.discard(&e.right),
            Expr::Tuple(_) | Expr::Array(_) | Expr::Struct(_) | Expr::Call(_) => {
                let value = self.place_of(&e.right);
                self.assign_parts(&e.left, value);
            }
            left => {
                // The right side is evaluated first, and `x = f(x)` must not write `x` before reading it.
                let span = self.range(e.eq_token.span);
                let value = self.operand(&e.right, Position::Bare);
                let dest = self.place_of(left);
                self.assign_operand(dest, value, span);
            }
        }
    }

    /// `(a, _) = value`, `[a, b] = value`, `S { x, .. } = value`, `Some(x) = value`.
    fn assign_parts(&mut self, target: &Expr, value: PlaceId) {
        match target {
            // `_`, `..`
            Expr::Infer(_) | Expr::Range(_) => {}
            Expr::Tuple(target) => self.assign_fields(target.elems.iter(), value),
            Expr::Array(target) => {
                let part = self.top().project(value, Projection::Element);
                target.elems.iter().for_each(|target| self.assign_parts(target, part));
            }
            Expr::Call(target) => {
                // `f()(x) = value` is no Rust.
                let Expr::Path(path) = &*target.func else { return };
                let path = self.qualified_path(&path.path, path.qself.as_ref());
                let inside = self.top().project(value, Projection::Variant(path));
                self.assign_fields(target.args.iter(), inside);
            }
            Expr::Struct(target) => {
                let path = self.qualified_path(&target.path, target.qself.as_ref());
                let inside = self.top().project(value, Projection::Variant(path));
                for field in &target.fields {
                    let part = self.field_place(inside, &field.member);
                    self.assign_parts(&field.expr, part);
                }
            }
            target => {
                let dest = self.place_of(target);
                self.assign_operand(dest, Operand::place(Position::Bare, value), TextRange::default());
            }
        }
    }

    /// As with patterns, fields after a `..` have no number.
    fn assign_fields<'a>(&mut self, targets: impl Iterator<Item = &'a Expr>, value: PlaceId) {
        let mut rest = false;
        for (index, target) in targets.enumerate() {
            rest |= matches!(target, Expr::Range(_));
            let step = if rest { Projection::Element } else { Projection::Field(self.tuple_field(index)) };
            let part = self.top().project(value, step);
            self.assign_parts(target, part);
        }
    }
}

/// `Err`, as a function.
fn is_error(path: &syn::Path) -> bool {
    path.segments.last().is_some_and(|s| s.ident == "Err")
}

/// `Err(e).context("…")`, `Err(e).map_err(f)`: what the methods of a `Result` leave is an error still.
fn is_changed_error(receiver: &Expr) -> bool {
    match receiver {
        Expr::MethodCall(e) => is_changed_error(&e.receiver),
        Expr::Call(e) => matches!(&*e.func, Expr::Path(callee) if is_error(&callee.path)),
        _ => false,
    }
}
