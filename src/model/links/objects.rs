//! Which object a place is, and what a value was made of.

use super::super::access::{Root, Tracer};
use super::super::cycles::TypeGraph;
use super::super::{Callee, DefId, Namespace, Res, TyData};
use super::{Base, Object, Source, Step};
use crate::apis::Owner;
use crate::facts::BodyKind;
use crate::facts::body::{LocalId, LocalKind, Op, Operand, PlaceId, Position, Projection, StatementId};

/// Longer chains of names and calls are not followed.
pub const STEPS: u32 = 24;

/// The object that a place is.
pub fn object(tracer: &Tracer, index: u32, place: PlaceId, steps: u32) -> Object {
    if steps == 0 {
        return Object::of(Base::Unknown);
    }
    let typed = tracer.body(index);
    let projections = typed.body.projections_of(place);
    let part = tuple_part(tracer, index, place);
    let mut object = match typed.body.places[place.index()].base {
        _ if let Some(part) = part => object(tracer, index, part, steps - 1),
        crate::facts::body::Base::Local(local) => local_object(tracer, index, local, steps),
        crate::facts::body::Base::Path(_) => match tracer.place(index, place).root {
            Root::Static(def) => Object::of(Base::Static(def)),
            _ => Object::of(Base::Unknown),
        },
    };
    let mut payload = false;
    for step in &projections[part.is_some() as usize..] {
        match *step {
            // `Some(x)` is a wrapper, `Shape::Group(x)` has a field.
            Projection::Variant(path) => {
                let scope = tracer.model.scope_of_body(typed.at);
                let variant = tracer.model.resolve(&scope, &typed.body.types, path, Namespace::Value);
                payload = !matches!(variant, Res::Variant(..) | Res::Def(_) | Res::SelfType);
                continue;
            }
            Projection::Field(name) if !payload => {
                object.path.push(Step::Field(tracer.model.name(typed.at.file, name)))
            }
            Projection::Element => object.path.push(Step::Element),
            _ => {}
        }
        payload = false;
    }
    object
}

/// `b` of `let (x, y) = (a, b)`, for `y`.
fn tuple_part(tracer: &Tracer, index: u32, place: PlaceId) -> Option<PlaceId> {
    let typed = tracer.body(index);
    let Some(Projection::Field(name)) = typed.body.projections_of(place).first() else { return None };
    let made = tracer.definition(index, typed.body.local_of(place)?).filter(|s| s.op == Op::Tuple)?;
    let at: usize = tracer.model.text(tracer.model.name(typed.at.file, *name)).parse().ok()?;
    typed.body.args(made).get(at)?.as_place().map(|(_, part)| part)
}

fn local_object(tracer: &Tracer, index: u32, local: LocalId, steps: u32) -> Object {
    let itself = Object::of(Base::Local(index, local));
    let typed = tracer.body(index);
    if steps == 0 {
        return Object::of(Base::Unknown);
    }
    match typed.body.locals[local.index()].kind {
        LocalKind::Capture => match tracer.outer(index, local) {
            Some((outer, local)) => local_object(tracer, outer, local, steps - 1),
            None => Object::of(Base::Unknown),
        },
        LocalKind::Param if tracer.model.body_header(typed.at).kind == BodyKind::Fn => {
            Object::of(Base::Param(local.0 - 1))
        }
        LocalKind::Param => given(tracer, index, local, steps).unwrap_or(itself),
        LocalKind::Return => itself,
        LocalKind::Binding | LocalKind::Temp => {
            let made = tracer.definition_id(index, local);
            made.and_then(|id| defined(tracer, index, id, steps - 1)).unwrap_or(itself)
        }
    }
}

/// What a closure is given by the method that calls it: the content of its receiver, or an element.
fn given(tracer: &Tracer, index: u32, local: LocalId, steps: u32) -> Option<Object> {
    let (outer, call, _) = tracer.handed_to(index)?;
    tracer.row(outer, call).filter(|row| row.through || row.element || !row.calls.is_empty())?;
    let body = &tracer.body(outer).body;
    let (_, receiver) = body.args(&body.statements[call.index()]).first()?.as_place()?;
    let mut found = object(tracer, outer, receiver, steps - 1);
    if tracer.local_access(index, local).element && !found.is_element() {
        found.path.push(Step::Element);
    }
    Some(found)
}

/// What the only definition of a local makes it a name for.
fn defined(tracer: &Tracer, index: u32, id: StatementId, steps: u32) -> Option<Object> {
    let typed = tracer.body(index);
    let statement = &typed.body.statements[id.index()];
    let args = typed.body.args(statement);
    let at = |n: usize| args.get(n).and_then(|a| a.as_place()).map(|(_, place)| object(tracer, index, place, steps));
    let element = |object: Object, is: bool| {
        let path = object.path.into_iter().chain(is.then_some(Step::Element)).collect();
        Object { path, ..object }
    };
    match statement.op {
        Op::Assign | Op::Cast => return at(0),
        Op::Call | Op::CallMethod => {}
        _ => return None,
    }
    let (_, first) = args.first()?.as_place()?;
    let model = tracer.model;
    // Who holds an object weakly does not lead to it.
    if model.inside(tracer.ty(index, first)).any(|ty| model.type_row(ty).is_some_and(|row| row.weak)) {
        return None;
    }
    match tracer.row(index, id) {
        Some(row) if row.moves_out => None,
        Some(row) if row.path.ends_with("::clone") => at(0),
        Some(row) if row.through || row.element => at(0).map(|o| element(o, row.element)),
        Some(row) if row.wraps.len() == 1 && statement.op == Op::Call => at(row.wraps[0] as usize),
        Some(_) => None,
        None => match typed.types.callee(id) {
            Callee::Def(def) => view(tracer, def, &at),
            Callee::Unknown if statement.op == Op::CallMethod => {
                let name = tracer.method_name(index, statement);
                let is_element = model.apis.is_element_name(name);
                (is_element || model.apis.is_through_name(name)).then(|| at(0))?.map(|o| element(o, is_element))
            }
            _ => None,
        },
    }
}

/// What a function of the run gives a view of: `fn state(&self) -> MutexGuard<State> { self.state.lock().unwrap() }`.
fn view(tracer: &Tracer, def: DefId, at: &dyn Fn(usize) -> Option<Object>) -> Option<Object> {
    let access = tracer.model.result_view(def)?;
    match access.root {
        Root::Param(of, param) if of == def && !access.element => at(param as usize),
        Root::Field(_, name) if !access.element && access.holder == Some((0, LocalId(1))) => {
            let mut object = at(0)?;
            object.path.push(Step::Field(name));
            Some(object)
        }
        _ => None,
    }
}

/// What a value is made of.
pub fn made_of<'a>(tracer: &'a Tracer<'a>, graph: &'a TypeGraph, index: u32, value: Operand) -> Made<'a> {
    let mut made = Made { tracer, graph, sources: Vec::new(), in_sight: true, follows: true };
    made.of(index, value, 8);
    made
}

/// `fn under(parent: &Rc<Node>) -> Rc<Node> { Rc::new(Node { parent: Some(parent.clone()) }) }`: whether a function puts what
/// it is lent into its result.
fn keeps_in_result(tracer: &Tracer, graph: &TypeGraph, def: DefId, param: u32) -> bool {
    let Some(root) = tracer.model.body_of(def) else { return false };
    let function = tracer.model.typed(root);
    let tracer = Tracer::new(tracer.model, &function);
    let mut made = Made { tracer: &tracer, graph, sources: Vec::new(), in_sight: true, follows: false };
    if let Some(id) = tracer.definition_id(0, LocalId(0)) {
        made.parts(0, id, 8);
    }
    made.sources.iter().any(|source| source.object == Object::of(Base::Param(param)))
}

/// What a value is made of, collected.
pub struct Made<'a> {
    tracer: &'a Tracer<'a>,
    graph: &'a TypeGraph,
    /// What it leads to: itself first.
    pub sources: Vec<Source>,
    /// Whether nothing else went into it.
    pub in_sight: bool,
    /// Whether functions of the run that make a part of it are looked into.
    follows: bool,
}

impl Made<'_> {
    fn of(&mut self, index: u32, operand: Operand, depth: u32) {
        let Some((_, place)) = operand.as_place() else { return };
        let ty = self.tracer.ty(index, place);
        if depth == 0 || !self.tracer.model.holds_shared(ty) {
            return;
        }
        let object = object(self.tracer, index, place, STEPS);
        let local = match object.base {
            Base::Local(body, local) if object.path.is_empty() => Some((body, local)),
            _ => None,
        };
        let lent = matches!(object.base, Base::Param(n) if self.is_reference(n));
        self.sources.push(Source { object, ty, lent });
        match local.and_then(|(body, local)| Some((body, self.tracer.definition_id(body, local)?))) {
            Some((body, id)) => self.parts(body, id, depth - 1),
            None => self.in_sight = false,
        }
    }

    fn is_reference(&self, param: u32) -> bool {
        let root = self.tracer.function.root();
        matches!(self.tracer.model.ty(root.types.locals[param as usize + 1]), TyData::Ref { .. })
    }

    /// What the statement that makes a value puts into it.
    fn parts(&mut self, index: u32, id: StatementId, depth: u32) {
        let typed = self.tracer.body(index);
        let statement = &typed.body.statements[id.index()];
        let args = typed.body.args(statement);
        let row = self.tracer.row(index, id);
        match (statement.op, typed.types.callee(id)) {
            (Op::Struct | Op::Tuple | Op::Array | Op::Assign, _) | (Op::Call, Callee::Constructor(_)) => {
                args.iter().for_each(|&arg| self.of(index, arg, depth));
            }
            (Op::Call, _) if row.is_some_and(|row| !row.wraps.is_empty() && row.owner != Owner::Trait) => {
                args.iter().for_each(|&arg| self.of(index, arg, depth));
            }
            // `RefCell::default()`
            (Op::Call, _) if args.is_empty() => {}
            (Op::Call | Op::CallMethod, Callee::Def(def)) => self.made_by(index, def, args, depth),
            _ => self.in_sight = false,
        }
    }

    /// `Child::new(parent.clone())`: a shared pointer that is given by value is kept, if the result has room for it.
    fn made_by(&mut self, index: u32, def: DefId, args: &[Operand], depth: u32) {
        let model = self.tracer.model;
        let result = model.runs_inside(model.result_ty(def));
        for (param, &arg) in args.iter().enumerate() {
            let Some((position, place)) = arg.as_place() else { continue };
            let ty = self.tracer.ty(index, place);
            let lent = position != Position::Bare || matches!(model.ty(ty), TyData::Ref { .. });
            let pointer = model.peel_refs(ty);
            if lent && model.holds_shared(pointer) {
                if self.follows && keeps_in_result(self.tracer, self.graph, def, param as u32) {
                    let object = object(self.tracer, index, place, STEPS);
                    self.sources.push(Source { object, ty: pointer, lent: true });
                }
                self.in_sight = false;
                continue;
            }
            let held = model.runs_inside(ty);
            if held.iter().any(|&to| result.iter().any(|&from| self.graph.may_hold(from, to))) {
                self.of(index, arg, depth);
            }
        }
    }
}
