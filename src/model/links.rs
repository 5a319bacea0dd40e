//! Which objects a function links to which: every place where a shared pointer is put into a field, whose field it is, and
//! what the pointer leads to. Also where fields lose what they hold. Objects are told apart by where a function got them
//! and by the fields on the way, so that `parent` of `let parent = self.parent.clone()` is what `self.parent` points to.

use super::access::{Root, Tracer};
use super::cycles::{Edge, TypeGraph};
use super::digest::Digest;
use super::effects::slot;
use super::{Callee, DefId, Model, Namespace, Res, Symbol, Ty, TyData, known};
use crate::apis::{FnRow, Owner, Slot};
use crate::facts::BodyKind;
use crate::facts::body::*;
use crate::source::Span;
use rayon::prelude::*;
use rustc_hash::FxHashSet;

/// Longer chains of names and calls are not followed.
const STEPS: u32 = 24;

/// Where a function got an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// A parameter, counted from 0, `self` included.
    Param(u32),
    /// A static.
    Static(DefId),
    /// A local of a body that no other name stands for: it was made here, or comes from a call.
    Local(u32, LocalId),
    /// Not known.
    Unknown,
}

/// A step from an object to one that it holds. Pointers, locks and guards are no steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A field.
    Field(Symbol),
    /// An element of a collection: which one is not known.
    Element,
}

/// An object, seen from one function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Where it comes from.
    pub base: Base,
    /// The way from there.
    pub path: Vec<Step>,
}

impl Object {
    fn of(base: Base) -> Object {
        Object { base, path: Vec::new() }
    }

    /// Whether it is one of many.
    pub fn is_element(&self) -> bool {
        self.path.contains(&Step::Element)
    }

    /// Whether the way to `other` begins with this very object.
    fn leads_to(&self, other: &Object) -> bool {
        let known = self.base != Base::Unknown && !self.is_element();
        known && self.base == other.base && other.path.starts_with(&self.path)
    }
}

/// What a stored pointer leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The object.
    pub object: Object,
    /// The type of the value that leads to it.
    pub ty: Ty,
    /// Whether it was there before and somebody else keeps it: the pointer is a copy of one that was only lent.
    pub lent: bool,
}

/// A shared pointer is put into a field.
#[derive(Debug, Clone)]
pub struct Link {
    /// Where.
    pub span: Span,
    /// The body in its function, and the statement.
    pub at: (u32, StatementId),
    /// The field as an object: the way to it ends with its name.
    pub to: Object,
    /// The type that declares the field.
    pub owner: DefId,
    /// The field.
    pub field: Symbol,
    /// What the value leads to: itself first, then what it was made of.
    pub sources: Vec<Source>,
    /// Whether all that the value was made of is in sight.
    pub made_here: bool,
}

/// A field that loses what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cleared {
    /// A field of a type.
    Field(DefId, Symbol),
    /// A field of that name, of what type is not known.
    Named(Symbol),
    /// All fields of a type: values of it are replaced.
    All(DefId),
}

/// What a function does to fields.
#[derive(Debug, Default)]
pub struct Links {
    /// In the order of the text.
    pub list: Vec<Link>,
    /// Fields that lose something.
    pub cleared: Vec<Cleared>,
}

/// Collects what a function does to the fields that `wanted` names.
fn links(tracer: &Tracer, graph: &TypeGraph, wanted: &dyn Fn(Symbol) -> bool) -> Links {
    let mut walk = Walk { tracer, graph, wanted, links: Links::default() };
    for index in 0..tracer.function.bodies.len() as u32 {
        for block in &tracer.body(index).body.blocks {
            for id in block.statements.ids().map(StatementId) {
                if !tracer.model.is_left_out(tracer.span(index, id)) {
                    walk.statement(index, id);
                }
            }
        }
    }
    walk.links
}

/// What shows that a link closes a circle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// What is stored leads to where it is stored.
    Closed,
    /// What is stored always holds an object of the type that it is stored in.
    Holds,
    /// Two objects of a graph that were there before are joined.
    Any,
    /// The types allow it.
    May,
}

/// What shows that a link through the field `edge` closes a circle; none if it cannot.
pub fn proof(model: &Model, graph: &TypeGraph, links: &[Link], link: &Link, edge: &Edge) -> Option<Proof> {
    if closes(model, links, link) {
        return Some(Proof::Closed);
    }
    let stored = link.sources.first()?;
    // What is being made leads nowhere yet that leads to it: `let node = Node { next: list.clone() }`.
    if matches!(link.to.base, Base::Local(..) | Base::Unknown) && !link.to.is_element() {
        return None;
    }
    // All it was made of is in sight, and does not lead back.
    if link.made_here {
        return None;
    }
    let (pointee, shared) = graph.pointee(edge);
    let holds = match pointee == link.owner {
        true => edge.way.registry,
        false => graph.always_holds(pointee, link.owner),
    };
    if holds {
        return Some(Proof::Holds);
    }
    let old = stored.object.is_element() || stored.lent;
    let joins = shared && pointee == link.owner && edge.way.many && old && stored.object.base != Base::Unknown;
    Some(if joins && !is_tree(model.text(link.field)) { Proof::Any } else { Proof::May })
}

/// Whether a field's name says that what it holds stands below or above its owner, so that nothing leads back.
fn is_tree(name: &str) -> bool {
    const WORDS: [&str; 20] = [
        "args",
        "ancestor",
        "ancestors",
        "base",
        "bases",
        "body",
        "branch",
        "branches",
        "child",
        "children",
        "inputs",
        "items",
        "leaves",
        "operands",
        "parent",
        "parents",
        "parts",
        "sources",
        "sub",
        "super",
    ];
    name.split('_').any(|word| WORDS.contains(&word))
}

/// What all functions do to fields of these names, in their order.
pub fn links_of_run(model: &Model, graph: &TypeGraph, fields: &FxHashSet<Symbol>) -> Vec<Links> {
    let names_one = |digest: &&Digest| model.fields_touched(digest.root).any(|name| fields.contains(&name));
    let digests: Vec<&Digest> = model.analysis.digests.iter().filter(names_one).collect();
    let of = |digest: &&Digest| {
        let function = model.typed(digest.root);
        links(&Tracer::new(model, &function), graph, &|name| fields.contains(&name))
    };
    digests.par_iter().map(of).collect()
}

/// Whether a link closes a circle of objects: what it stores leads to where it is stored, by itself or by other links of
/// the same function.
fn closes(model: &Model, links: &[Link], link: &Link) -> bool {
    let mut seen = vec![false; links.len()];
    let mut todo: Vec<&Source> = link.sources.iter().collect();
    while let Some(source) = todo.pop() {
        if leads(model, source, link) {
            return true;
        }
        for (index, other) in links.iter().enumerate() {
            if !seen[index] && leads(model, source, other) {
                seen[index] = true;
                todo.extend(&other.sources);
            }
        }
    }
    false
}

/// Whether who has `source` keeps the object alive whose field a link sets: its own pointer leads there.
fn leads(model: &Model, source: &Source, link: &Link) -> bool {
    if !source.object.leads_to(&link.to) {
        return false;
    }
    let mut ty = source.ty;
    let mut rest = link.to.path[source.object.path.len()..].iter();
    // A copy of a plain struct is another object, unless what leads on is itself shared.
    loop {
        if model.inside(ty).any(|ty| model.type_row(ty).is_some_and(|row| row.strong)) {
            return true;
        }
        let Some(Step::Field(name)) = rest.next() else { return false };
        let holder = model.inside(ty).find(|&ty| matches!(model.ty(ty), TyData::Adt(..)));
        ty = model.field_ty(holder.unwrap_or_default(), *name);
    }
}

struct Walk<'a> {
    tracer: &'a Tracer<'a>,
    graph: &'a TypeGraph,
    wanted: &'a dyn Fn(Symbol) -> bool,
    links: Links,
}

impl Walk<'_> {
    fn statement(&mut self, index: u32, id: StatementId) {
        let body = &self.tracer.body(index).body;
        let statement = &body.statements[id.index()];
        let args = body.args(statement);
        match statement.op {
            Op::Assign => {
                let whole = statement.dest.get().is_none_or(|dest| body.projections_of(dest).is_empty());
                if !whole && let Some(&value) = args.first() {
                    self.assigned(index, id, statement.dest, value);
                }
            }
            Op::Call | Op::CallMethod => {
                let row = self.tracer.row(index, id);
                let own = matches!(self.tracer.body(index).types.callee(id), Callee::Def(_) | Callee::Constructor(_));
                for (at, operand) in args.iter().enumerate().filter(|_| !own) {
                    let Some((_, place)) = operand.as_place() else { continue };
                    if self.clears(index, statement, row, at, place) {
                        self.clear(index, place);
                    }
                }
                let first = args.first().and_then(|a| a.as_place());
                if let (Some(row), Some((_, place))) = (row, first) {
                    let stored = args.iter().enumerate().skip(1);
                    let stored =
                        stored.filter(|&(at, _)| matches!(slot(row, at), Slot::Arg(n) if row.stores.contains(&n)));
                    stored.for_each(|(_, &value)| self.stored(index, id, place, value));
                }
            }
            // `self.slot = None` where the value needs no place of its own.
            _ if statement.dest.get().is_some_and(|dest| !body.projections_of(dest).is_empty()) => {
                self.clear(index, statement.dest);
            }
            _ => {}
        }
    }

    /// `x.next = value`, `*x.next.borrow_mut() = value`
    fn assigned(&mut self, index: u32, id: StatementId, dest: PlaceId, value: Operand) {
        let may_be_empty = value.as_place().is_none_or(|(_, place)| {
            let ty = self.tracer.ty(index, place);
            let optional = self.tracer.model.external_path(ty) == Some(known::OPTION);
            let collection = self.tracer.model.type_row(ty).is_some_and(|row| row.collection.is_some());
            collection || !ty.is_known() || optional && !self.is_some(index, place)
        });
        match may_be_empty {
            true => self.clear(index, dest),
            false => self.stored(index, id, dest, value),
        }
    }

    fn is_some(&self, index: u32, place: PlaceId) -> bool {
        let tracer = self.tracer;
        let made = tracer.body(index).body.whole_local(place).and_then(|local| tracer.definition_id(index, local));
        made.is_some_and(|id| tracer.body(index).types.callee(id) == Callee::External(known::SOME))
    }

    fn stored(&mut self, index: u32, id: StatementId, place: PlaceId, value: Operand) {
        let tracer = self.tracer;
        let Root::Field(owner, field) = tracer.place(index, place).root else { return };
        let mut to = object(tracer, index, place, STEPS);
        let Some(end) = to.path.iter().rposition(|&step| step == Step::Field(field)) else { return };
        to.path.truncate(end + 1);
        if !(self.wanted)(field) {
            return;
        }
        let mut made = Made { tracer, graph: self.graph, sources: Vec::new(), in_sight: true };
        made.of(index, value, 8);
        if !made.sources.is_empty() {
            let owner = tracer.model.first_twin(owner);
            let (sources, made_here) = (made.sources, made.in_sight);
            self.links.list.push(Link {
                span: tracer.span(index, id),
                at: (index, id),
                to,
                owner,
                field,
                sources,
                made_here,
            });
        }
    }

    fn clears(&self, index: u32, statement: &Statement, row: Option<&FnRow>, at: usize, place: PlaceId) -> bool {
        let tracer = self.tracer;
        let name = if statement.op == Op::CallMethod { tracer.method_name(index, statement) } else { "" };
        let model = tracer.model;
        let Some(row) = row else { return at == 0 && model.apis.is_shrink_name(name) };
        let slot = slot(row, at);
        // What an iterator hands out may still be where it was.
        let holders = || model.autoderef(tracer.ty(index, place)).filter_map(|ty| Some((ty, model.type_row(ty)?)));
        let takes = holders().any(|(ty, of)| {
            let holds = of.locks || of.collection.is_some() || model.external_path(ty) == Some(known::OPTION);
            row.moves_out && holds || of.shrink.iter().chain(&of.replace).any(|n| n == name)
        });
        row.shrinks.contains(&slot) || slot == Slot::Receiver && takes
    }

    fn clear(&mut self, index: u32, place: PlaceId) {
        let tracer = self.tracer;
        let model = tracer.model;
        // `*node.borrow_mut() = Node::default()`: with the value goes what it holds.
        let behind = match (tracer.body(index).body.projections_of(place).last(), model.ty(tracer.ty(index, place))) {
            (Some(Projection::Deref), TyData::Adt(def, _)) => Some(*def),
            (None, &TyData::Ref { mutable: true, to }) => self.adt(to),
            _ => None,
        };
        self.links.cleared.extend(behind.map(|def| Cleared::All(model.first_twin(def))));
        match tracer.place(index, place).root {
            Root::Field(owner, field) => self.links.cleared.push(Cleared::Field(model.first_twin(owner), field)),
            Root::Unknown => {
                let path = object(tracer, index, place, STEPS).path.into_iter().rev();
                let mut fields = path.filter_map(|step| if let Step::Field(name) = step { Some(name) } else { None });
                self.links.cleared.extend(fields.next().map(Cleared::Named));
            }
            _ => {}
        }
    }

    fn adt(&self, ty: Ty) -> Option<DefId> {
        match *self.tracer.model.ty(ty) {
            TyData::Adt(def, _) => Some(def),
            _ => None,
        }
    }
}

/// The object that a place is.
fn object(tracer: &Tracer, index: u32, place: PlaceId, steps: u32) -> Object {
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
struct Made<'a> {
    tracer: &'a Tracer<'a>,
    graph: &'a TypeGraph,
    sources: Vec<Source>,
    in_sight: bool,
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
        for &arg in args {
            let Some((position, place)) = arg.as_place() else { continue };
            let ty = self.tracer.ty(index, place);
            let lent = position != Position::Bare || matches!(model.ty(ty), TyData::Ref { .. });
            if lent && model.holds_shared(model.peel_refs(ty)) {
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
