//! Types of the locals of a function and of the closures in it, and what each call calls.
//!
//! One forward pass over the statements in the order of blocks, a second one where loops or later uses can tell more.
//! Declared types come first; nothing is guessed: what is not known stays unknown. A closure is typed when the call it
//! is given to is, for that call says what its parameters are.

use super::Model;
use super::calls::Call;
use super::defs::{BodyRef, DefId};
use super::paths::{Namespace, Res, Scope};
use super::symbols::{Symbol, known};
use super::terms::Subst;
use super::types::{Ty, TyData};
use crate::facts::body::*;
use crate::facts::types::PathId;
use crate::facts::{BodyId, BodyKind, body_flags};
use rustc_hash::FxHashMap;

/// What a call calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Callee {
    /// A function or method of the run (for a call through a trait, the trait's method); see [`Model::twins`].
    Def(DefId),
    /// A tuple struct or variant constructor of the run: the struct or enum.
    Constructor(DefId),
    /// A function, method or constructor of another crate, by canonical path. It need not have a row in the tables.
    External(Symbol),
    /// A method on a receiver of unknown type that a row says can be told by its name: the row's path.
    Distinctive(Symbol),
    /// A closure of this function.
    Closure(BodyRef),
    /// Not known, or the statement is no call.
    Unknown,
}

/// The types of one body.
#[derive(Debug, Clone, Default)]
pub struct BodyTypes {
    /// By local.
    pub locals: Vec<Ty>,
    /// By place.
    pub places: Vec<Ty>,
    /// By statement.
    pub callees: Vec<Callee>,
}

impl BodyTypes {
    /// What a statement calls.
    pub fn callee(&self, statement: StatementId) -> Callee {
        self.callees[statement.index()]
    }

    /// The type of a place.
    pub fn place(&self, place: PlaceId) -> Ty {
        place.get().map_or(Ty::UNKNOWN, |p| self.places[p.index()])
    }

    /// The type of a local.
    pub fn local(&self, local: LocalId) -> Ty {
        self.locals[local.index()]
    }
}

/// A body with its types.
#[derive(Debug, Clone)]
pub struct TypedBody {
    /// Which.
    pub at: BodyRef,
    /// The position of the body it stands in among those of the function; none for the function's own.
    pub parent: Option<usize>,
    /// The names in scope, for resolving its paths.
    pub scope: Scope,
    /// Its control flow.
    pub body: Body,
    /// Its types.
    pub types: BodyTypes,
}

/// A function (or initialiser) with the closures and async blocks in it.
#[derive(Debug, Clone)]
pub struct TypedFn {
    /// The function's own body first; every body after the one it stands in.
    pub bodies: Vec<TypedBody>,
}

impl TypedFn {
    /// The function's own body.
    pub fn root(&self) -> &TypedBody {
        &self.bodies[0]
    }

    /// One of its bodies.
    pub fn body(&self, at: BodyRef) -> Option<&TypedBody> {
        self.bodies.iter().find(|b| b.at == at)
    }
}

impl Model {
    /// Decodes a function's (or initialiser's) body and those nested in it, and finds types and callees.
    pub fn typed(&self, root: BodyRef) -> TypedFn {
        let mut inference = Inference::new(self, root);
        inference.declare(0);
        inference.body(0);
        let rest: Vec<usize> = (1..inference.parts.len()).collect();
        // Closures that no call took, in order: an outer one may have typed what an inner one captures.
        for part in rest {
            if !inference.parts[part].done {
                inference.nested(part, &[]);
            }
        }
        inference.finish()
    }
}

/// A body being typed.
pub(super) struct Part {
    at: BodyRef,
    parent: Option<usize>,
    pub scope: Scope,
    pub body: Body,
    /// The blocks in the order of control flow.
    order: Vec<BlockId>,
    flags: u8,
    kind: BodyKind,
    pub locals: Vec<Ty>,
    callees: Vec<Callee>,
    done: bool,
    /// What a declared or learned type changed after it had been used.
    pub refined: bool,
    /// Parameters and captures when it was typed last.
    inputs: Vec<Ty>,
}

/// A function being typed.
pub(super) struct Inference<'m> {
    pub model: &'m Model,
    pub parts: Vec<Part>,
    by_body: FxHashMap<BodyId, usize>,
    /// What the destination of the call at hand is known to be.
    pub expected: Ty,
}

impl<'m> Inference<'m> {
    fn new(model: &'m Model, root: BodyRef) -> Inference<'m> {
        let mut inference =
            Inference { model, parts: Vec::new(), by_body: FxHashMap::default(), expected: Ty::UNKNOWN };
        inference.add(root, None);
        let mut next = 0;
        while next < inference.parts.len() {
            let nested: Vec<BodyRef> = model.nested(inference.parts[next].at).collect();
            nested.into_iter().for_each(|at| inference.add(at, Some(next)));
            next += 1;
        }
        inference
    }

    fn add(&mut self, at: BodyRef, parent: Option<usize>) {
        let body = self.model.body(at);
        let header = self.model.body_header(at);
        self.by_body.insert(at.body, self.parts.len());
        self.parts.push(Part {
            at,
            parent,
            scope: self.model.scope_of_body(at),
            flags: header.flags,
            kind: header.kind,
            locals: vec![Ty::UNKNOWN; body.locals.len()],
            callees: vec![Callee::Unknown; body.statements.len()],
            order: flow_order(&body),
            body,
            done: false,
            refined: false,
            inputs: Vec::new(),
        });
    }

    /// Types that are written: of locals, and of a function's parameters and result.
    fn declare(&mut self, part: usize) {
        let Part { body, scope, kind, at, .. } = &self.parts[part];
        let mut locals: Vec<Ty> = body.locals.iter().map(|l| self.model.lower_ty(scope, &body.types, l.ty)).collect();
        if *kind == BodyKind::Fn {
            let owner = self.model.owner(*at);
            let params = self.model.params_of(owner);
            for (local, ty) in locals.iter_mut().skip(1).take(body.params as usize).zip(params) {
                *local = self.model.merge(ty, *local);
            }
        }
        self.parts[part].locals = locals;
    }

    /// Types a body whose parameters and captures are set.
    fn body(&mut self, part: usize) {
        self.parts[part].done = true;
        self.pass(part);
        let again = self.parts[part].refined || self.parts[part].flags & body_flags::LOOP != 0;
        if again {
            self.pass(part);
        }
    }

    fn pass(&mut self, part: usize) {
        let order = std::mem::take(&mut self.parts[part].order);
        for &block in &order {
            let run = self.parts[part].body.blocks[block.index()].statements;
            for index in run.ids() {
                self.statement(part, StatementId(index));
            }
        }
        self.parts[part].order = order;
    }

    /// Types a closure or async block; `params` as far as whoever calls it tells.
    pub fn nested(&mut self, part: usize, params: &[Ty]) {
        if !self.parts[part].done {
            self.declare(part);
        }
        let mut inputs = Vec::new();
        for index in 0..self.parts[part].body.locals.len() {
            let local = &self.parts[part].body.locals[index];
            let given = match local.kind {
                LocalKind::Param => params.get(index - 1).copied().unwrap_or_default(),
                LocalKind::Capture => {
                    let outer = local.outer.get();
                    let parent = self.parts[part].parent;
                    outer.zip(parent).map_or(Ty::UNKNOWN, |(o, p)| self.parts[p].locals[o.index()])
                }
                _ => continue,
            };
            let ty = self.model.merge(self.parts[part].locals[index], given);
            self.parts[part].locals[index] = ty;
            inputs.push(ty);
        }
        if !self.parts[part].done || self.parts[part].inputs != inputs {
            self.parts[part].inputs = inputs;
            self.body(part);
        }
    }

    fn statement(&mut self, part: usize, id: StatementId) {
        let statement = self.parts[part].body.statements[id.index()];
        match statement.op {
            Op::Call | Op::CallMethod | Op::CallValue => {
                let call = self.call(part, &statement);
                let Call { callee, ty } = call;
                self.parts[part].callees[id.index()] = callee;
                self.assign(part, statement.dest, ty);
            }
            _ => {
                let ty = self.value(part, &statement);
                self.assign(part, statement.dest, ty);
            }
        }
    }

    fn value(&mut self, part: usize, statement: &Statement) -> Ty {
        let args = self.args(part, statement);
        match statement.op {
            Op::Assign => self.assigned(part, statement.dest, args[0]),
            Op::Struct => self.struct_literal(part, statement, &args),
            Op::Tuple => {
                let parts: Vec<Ty> = args.iter().map(|&a| self.operand_ty(part, a)).collect();
                self.model.tuple(&parts)
            }
            Op::Array => self.list(part, statement, &args),
            Op::Range => {
                let of = args.first().map_or(Ty::UNKNOWN, |&a| self.operand_ty(part, a));
                self.model.external(known::RANGE, &[of])
            }
            Op::Cast => {
                let Part { scope, body, .. } = &self.parts[part];
                self.model.lower_ty(scope, &body.types, crate::facts::types::TypeId(statement.data))
            }
            Op::Binary if BinaryOp::from_data(statement.data).computes() => self.number(part, args[0]),
            Op::Binary => Ty::BOOL,
            Op::Unary => self.number(part, args[0]),
            Op::Closure => {
                let at = BodyRef { body: BodyId(statement.data), ..self.parts[part].at };
                self.model.intern_ty(TyData::Closure(at))
            }
            Op::Async => self.async_block(part, BodyId(statement.data)),
            Op::Macro => self.macro_result(part, statement, &args),
            Op::Call | Op::CallMethod | Op::CallValue => Ty::UNKNOWN,
            Op::Use | Op::OpaqueMacro | Op::Declare | Op::ScopeEnd => Ty::UNKNOWN,
        }
    }

    /// Operators keep the type of primitive operands; what else they do is up to impls.
    fn number(&self, part: usize, operand: Operand) -> Ty {
        let ty = self.operand_ty(part, operand);
        if matches!(self.model.ty(ty), TyData::Prim(_)) { ty } else { Ty::UNKNOWN }
    }

    fn async_block(&mut self, part: usize, body: BodyId) -> Ty {
        let Some(&inner) = self.by_body.get(&body) else { return Ty::UNKNOWN };
        self.nested(inner, &[]);
        let output = self.parts[inner].locals[0];
        self.model.future(output, Some(BodyRef { body, ..self.parts[part].at }))
    }

    /// `[a, b]` and `vec![a, b]`.
    fn list(&mut self, part: usize, statement: &Statement, args: &[Operand]) -> Ty {
        let of = args.iter().map(|&a| self.operand_ty(part, a)).find(|ty| ty.is_known()).unwrap_or_default();
        match statement.data {
            0 => self.model.intern_ty(TyData::Array(of)),
            _ => self.model.external(known::VEC, &[of]),
        }
    }

    fn macro_result(&mut self, part: usize, statement: &Statement, args: &[Operand]) -> Ty {
        let Part { scope, body, .. } = &self.parts[part];
        let last = body.types.last_name(PathId(statement.data)).get();
        let name = last.map_or("", |n| self.model.text(self.model.name(scope.file, n)));
        match name {
            "format" => self.model.external(known::STRING, &[]),
            "join" | "try_join" => {
                let outputs = args.iter().map(|&a| self.model.awaited(self.operand_ty(part, a)));
                let fallible = name == "try_join";
                let parts: Vec<Ty> = outputs.map(|o| if fallible { self.model.success(o) } else { o }).collect();
                let joined = self.model.tuple(&parts);
                let output = if fallible { self.model.external(known::RESULT, &[joined, Ty::UNKNOWN]) } else { joined };
                self.model.future(output, None)
            }
            _ => Ty::UNKNOWN,
        }
    }

    fn struct_literal(&mut self, part: usize, statement: &Statement, args: &[Operand]) -> Ty {
        let path = PathId(statement.data);
        let Part { scope, body, .. } = &self.parts[part];
        let res = self.model.resolve(scope, &body.types, path, Namespace::Type);
        let (def, variant, mut subst) = match res {
            Res::Variant(def, variant) => (def, Some(variant), Subst::new()),
            Res::External(path) => return self.external_literal(path),
            _ => {
                let last = body.types.path_segments(path).last().copied();
                match self.model.ty(self.model.res_ty(scope, &body.types, res, last)) {
                    TyData::Adt(def, args) => (*def, None, self.model.args_env(*def, args)),
                    _ => return Ty::UNKNOWN,
                }
            }
        };
        subst.retain(|(_, ty)| ty.is_known());
        for pair in args.chunks_exact(2) {
            let OperandKind::Name(name) = pair[0].kind() else { continue };
            let name = self.model.name(self.parts[part].scope.file, name);
            let Some(declared) = self.literal_field(def, variant, name) else { continue };
            let actual = self.operand_ty(part, pair[1]);
            self.model.unify(declared, actual, &mut subst);
            self.learn(part, pair[1], self.model.instantiate(declared, def, &subst));
        }
        self.applied(def, &subst)
    }

    fn external_literal(&self, path: Symbol) -> Ty {
        match self.model.type_row_at(path) {
            Some(_) => self.model.external_type(path, &[]),
            None => Ty::UNKNOWN,
        }
    }

    fn literal_field(&self, def: DefId, variant: Option<u32>, name: Symbol) -> Option<Ty> {
        let index = match variant {
            None => self.model.field_index(def, name)?,
            Some(variant) => {
                let file = self.model.def(def).file;
                let fields = self.model.variant_fields(def, variant);
                let found = fields.iter().position(|f| self.model.name(file, f.name) == name)?;
                self.model.variants_of(def)[variant as usize].fields.start + found as u32
            }
        };
        Some(self.model.declared_field_ty(def, index))
    }

    /// A struct or enum with its parameters put in.
    pub fn applied(&self, def: DefId, subst: &Subst) -> Ty {
        let count = self.model.generics_of(def).len() as u32;
        let param = |index: u32| super::Param { owner: def, index };
        let of = |index: u32| subst.iter().find(|(p, _)| *p == param(index)).map_or(Ty::UNKNOWN, |&(_, ty)| ty);
        let args: Vec<Ty> = (0..count).map(of).collect();
        self.model.adt(def, &args)
    }

    /// What a callable operand returns; closures of this function are typed with `params` first.
    pub fn call_operand(&mut self, part: usize, operand: Operand, params: &[Ty]) -> Ty {
        let ty = self.operand_ty(part, operand);
        let ty = self.model.peel_refs(ty);
        match *self.model.ty(ty) {
            TyData::Closure(at) => {
                let Some(&inner) = self.by_body.get(&at.body) else { return Ty::UNKNOWN };
                self.nested(inner, params);
                self.closure_result(inner)
            }
            _ => self.model.signature(ty).map_or(Ty::UNKNOWN, |(_, result)| result),
        }
    }

    /// What calling a closure gives.
    pub fn closure_result(&self, inner: usize) -> Ty {
        let output = self.parts[inner].locals[0];
        let is_async = self.parts[inner].flags & body_flags::ASYNC != 0;
        if is_async { self.model.future(output, Some(self.parts[inner].at)) } else { output }
    }

    fn finish(self) -> TypedFn {
        let places: Vec<Vec<Ty>> = (0..self.parts.len())
            .map(|part| {
                (0..self.parts[part].body.places.len() as u32).map(|p| self.place_ty(part, PlaceId(p))).collect()
            })
            .collect();
        let bodies = self.parts.into_iter().zip(places).map(|(part, places)| TypedBody {
            at: part.at,
            parent: part.parent,
            scope: part.scope,
            body: part.body,
            types: BodyTypes { locals: part.locals, places, callees: part.callees },
        });
        TypedFn { bodies: bodies.collect() }
    }
}

/// The blocks so that each comes after those that lead to it, loops aside; unreachable ones last.
fn flow_order(body: &Body) -> Vec<BlockId> {
    let mut seen = vec![false; body.blocks.len()];
    let mut order = Vec::with_capacity(body.blocks.len());
    for start in 0..body.blocks.len() as u32 {
        let first = order.len();
        // Blocks with the number of edges already followed.
        let mut path = vec![(BlockId(start), 0)];
        if std::mem::replace(&mut seen[start as usize], true) {
            continue;
        }
        while let Some((block, followed)) = path.last_mut() {
            let edges = body.edges_of(*block);
            // The last edge first, so that the first comes first in the reverse order.
            match edges.len().checked_sub(*followed + 1).map(|index| edges[index].to) {
                Some(to) => {
                    *followed += 1;
                    if !std::mem::replace(&mut seen[to.index()], true) {
                        path.push((to, 0));
                    }
                }
                None => {
                    order.push(*block);
                    path.pop();
                }
            }
        }
        order[first..].reverse();
    }
    order
}
