//! Closures that are registered somewhere: who keeps them, and whether they take along a strong handle of that same owner, so
//! that neither can ever end. Owners are compared as paths of a variable and its fields, through names, clones, captures,
//! locks and borrows. Knows nothing of how often it happens, or whether something breaks the circle later.

use super::access::{Access, Root, Tracer};
use super::digest::Digest;
use super::ledger::{Event, EventKind};
use super::{BodyRef, Callee, DefId, Model, Symbol, Ty, TyData};
use crate::facts::body::*;
use crate::source::{FileId, Span};

/// A closure that is kept by what it keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registration {
    /// The position of the body within the function.
    pub body: u32,
    /// Where the closure is handed over.
    pub statement: StatementId,
    /// Who keeps it.
    pub keeper: Keeper,
    /// The closure.
    pub closure: Span,
    /// The variable that it takes along, and where that comes from.
    pub captured: (Symbol, Span),
}

/// Who keeps a closure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    /// An object of a library, by a method like `connect_clicked`.
    Object,
    /// The receiver of a library's method that keeps it.
    Receiver,
    /// What a builder builds, whose handle is put where the closure finds it.
    Built,
    /// A variable of the function, which nothing else gets: `Rc<RefCell<Option<Closure>>>`.
    Variable,
    /// A field.
    Field(DefId, Symbol),
    /// The receiver of a function of the run, if that function keeps its argument.
    Callee(DefId, u32),
}

/// A variable and fields of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Path {
    root: (u32, LocalId),
    fields: Vec<Symbol>,
}

/// Longer chains of names and calls are not followed.
const STEPS: u32 = 24;

/// Methods that put a value where the receiver leads to.
const STORING: [&str; 6] = ["insert", "push", "push_back", "push_front", "replace", "set"];

/// All such closures of a function.
pub fn registrations(tracer: &Tracer) -> Vec<Registration> {
    let mut list = Vec::new();
    if tracer.function.bodies.len() == 1 {
        return list;
    }
    for index in 0..tracer.function.bodies.len() as u32 {
        let body = &tracer.body(index).body;
        for id in (0..body.statements.len() as u32).map(StatementId) {
            list.extend(registered(tracer, index, id));
        }
    }
    list
}

fn registered(tracer: &Tracer, index: u32, id: StatementId) -> Option<Registration> {
    let typed = tracer.body(index);
    let statement = &typed.body.statements[id.index()];
    let args = typed.body.args(statement);
    let (at, (closure, made)) = match statement.op {
        Op::CallMethod => {
            args.iter().enumerate().skip(1).find_map(|(at, &arg)| Some((at, closure_of(tracer, index, arg, 8)?)))?
        }
        Op::Assign if is_behind_something(&typed.body, statement.dest) => {
            (0, closure_of(tracer, index, *args.first()?, 8)?)
        }
        _ => return None,
    };
    let owner = if statement.op == Op::Assign { statement.dest } else { args.first()?.as_place()?.1 };
    let owner_path = path(tracer, index, owner, STEPS)?;
    let keeper = keeper(tracer, index, id, at, owner, &owner_path)?;
    let captures = whole_captures(tracer, closure);
    let owns = |(local, taken): &&(LocalId, Path)| {
        keeps(tracer, (closure, *local), taken, (index, owner), &owner_path, keeper)
    };
    let (captured, keeper) = match captures.iter().find(owns) {
        Some((local, _)) => (*local, keeper),
        None if keeper == Keeper::Receiver => {
            (captures.iter().find(|(_, taken)| is_fed(tracer, index, id, taken))?.0, Keeper::Built)
        }
        None => return None,
    };
    let body = &tracer.body(closure).body;
    let name = body.locals[captured.index()].name.get()?;
    let closure_span = Span { file: typed.at.file, range: typed.body.spans[made.index()] };
    let name = tracer.model.name(typed.at.file, name);
    Some(Registration {
        body: index,
        statement: id,
        keeper,
        closure: closure_span,
        captured: (name, declared(tracer, closure, captured)?),
    })
}

/// Where a captured variable is declared.
fn declared(tracer: &Tracer, index: u32, local: LocalId) -> Option<Span> {
    let (outer, local) = tracer.outer(index, local)?;
    let typed = tracer.body(outer);
    match typed.body.locals[local.index()].kind {
        LocalKind::Capture => declared(tracer, outer, local),
        _ => Some(Span { file: typed.at.file, range: typed.body.locals[local.index()].span }),
    }
}

/// `*cell.borrow_mut() = ..`, `self.callback = ..`
fn is_behind_something(body: &Body, dest: PlaceId) -> bool {
    dest.get().is_some_and(|d| {
        body.projections_of(d).iter().any(|step| matches!(step, Projection::Deref | Projection::Field(_)))
    })
}

/// The closure in an operand, through names, boxes, and what is made with it: the body, and the statement that makes it.
fn closure_of(tracer: &Tracer, index: u32, operand: Operand, steps: u32) -> Option<(u32, StatementId)> {
    let body = &tracer.body(index).body;
    let (position, place) = operand.as_place()?;
    let id = tracer.definition_id(index, body.local_of(place)?)?;
    let statement = &body.statements[id.index()];
    // `Listener::new(closure)?`, but not a field of what is made with it.
    let whole = body.projections_of(place).iter().all(|step| *step == Projection::Success);
    if position != Position::Bare || steps == 0 || !whole {
        return None;
    }
    let args = body.args(statement);
    let inside = match statement.op {
        Op::Closure => {
            let nested = body.nested(statement)?;
            let at = tracer.function.bodies.iter().position(|b| b.at.body == nested)?;
            return Some((at as u32, id));
        }
        Op::Assign | Op::Cast | Op::Tuple | Op::Array | Op::Struct => args,
        Op::Call if is_made_with(tracer, index, id) => args,
        Op::Call | Op::CallMethod => {
            let at = *tracer.row(index, id)?.wraps.first()? as usize;
            return closure_of(tracer, index, *args.get(at)?, steps - 1);
        }
        _ => return None,
    };
    inside.iter().find_map(|&part| closure_of(tracer, index, part, steps - 1))
}

/// `Listener::new(id, closure)`, `Item::Pending(closure)`: a value that holds what it is made with.
fn is_made_with(tracer: &Tracer, index: u32, id: StatementId) -> bool {
    let statement = &tracer.body(index).body.statements[id.index()];
    match tracer.body(index).types.callee(id) {
        Callee::Constructor(_) => true,
        Callee::Closure(_) => false,
        _ => tracer.row(index, id).is_none() && tracer.method_name(index, statement).starts_with("new"),
    }
}

fn keeper(tracer: &Tracer, index: u32, id: StatementId, at: usize, owner: PlaceId, to: &Path) -> Option<Keeper> {
    let (model, typed) = (tracer.model, tracer.body(index));
    let statement = &typed.body.statements[id.index()];
    let name = if statement.op == Op::CallMethod { tracer.method_name(index, statement) } else { "" };
    match typed.types.callee(id) {
        Callee::Def(def) => return Some(Keeper::Callee(def, at as u32)),
        _ if statement.op == Op::Assign || STORING.contains(&name) => {}
        // The number of the handler is kept: it can be taken away.
        _ if model.apis.is_connecting(name) && model.uses_objects(typed.at.file) => {
            return (!is_used(tracer, index, statement.dest, 8)).then_some(Keeper::Object);
        }
        _ => {
            let row = tracer.row(index, id)?;
            let stays = row.through || !is_used(tracer, index, statement.dest, 8);
            return (stays && row.stores.contains(&(at as u8 - 1))).then_some(Keeper::Receiver);
        }
    }
    match to.fields.last() {
        Some(&field) => {
            let of = last_owner(tracer, index, owner, field)?;
            Some(Keeper::Field(of, field))
        }
        None => is_private(tracer, to).then_some(Keeper::Variable),
    }
}

/// The type of the run that the last field of a path belongs to.
fn last_owner(tracer: &Tracer, index: u32, place: PlaceId, field: Symbol) -> Option<DefId> {
    match tracer.place(index, place).root {
        Root::Field(owner, name) if name == field => Some(owner),
        _ => None,
    }
}

/// Whether a value is looked at again, apart from being unwrapped and dropped.
fn is_used(tracer: &Tracer, index: u32, dest: PlaceId, steps: u32) -> bool {
    let body = &tracer.body(index).body;
    let Some(local) = dest.get().and_then(|d| body.whole_local(d)) else { return dest.get().is_some() };
    if steps == 0 || body.locals[local.index()].kind == LocalKind::Return {
        return true;
    }
    body.statements.iter().any(|s| {
        let named =
            |operand: &Operand| operand.as_place().is_some_and(|(_, place)| body.local_of(place) == Some(local));
        if !body.args(s).iter().any(named) {
            return false;
        }
        match s.op {
            Op::Use | Op::ScopeEnd | Op::Declare => false,
            Op::Assign => is_used(tracer, index, s.dest, steps - 1),
            Op::CallMethod => {
                let name = tracer.method_name(index, s);
                let unwraps = tracer.model.apis.is_through_name(name) || name.starts_with("map");
                !unwraps || is_used(tracer, index, s.dest, steps - 1)
            }
            _ => true,
        }
    })
}

/// What a closure takes along as a whole: its locals for it, and their paths outside.
fn whole_captures(tracer: &Tracer, closure: u32) -> Vec<(LocalId, Path)> {
    let typed = tracer.body(closure);
    let is_capture = |local: &LocalId| typed.body.locals[local.index()].kind == LocalKind::Capture;
    let locals = (0..typed.body.locals.len() as u32).map(LocalId).filter(is_capture);
    locals
        .filter(|&local| is_taken_whole(tracer, closure, local))
        .filter_map(|local| Some((local, local_path(tracer, closure, local, STEPS)?)))
        .collect()
}

/// Whether a closure takes a variable, and not some field of it. What is behind a shared pointer comes with the pointer.
fn is_taken_whole(tracer: &Tracer, closure: u32, local: LocalId) -> bool {
    let typed = tracer.body(closure);
    let ty = typed.types.locals[local.index()];
    if !matches!(tracer.model.ty(ty), TyData::Adt(..)) {
        return !matches!(tracer.model.ty(ty), TyData::Ref { .. });
    }
    let places = typed.body.operands.iter().filter_map(|o| o.as_place()).map(|(_, place)| place);
    places.filter(|&p| typed.body.local_of(p) == Some(local)).any(|p| typed.body.whole_local(p).is_some())
}

fn local_path(tracer: &Tracer, index: u32, local: LocalId, steps: u32) -> Option<Path> {
    let itself = Path { root: (index, local), fields: Vec::new() };
    let body = &tracer.body(index).body;
    if steps == 0 {
        return None;
    }
    if body.locals[local.index()].kind == LocalKind::Capture {
        let (outer, local) = tracer.outer(index, local)?;
        return local_path(tracer, outer, local, steps - 1);
    }
    let Some(id) = tracer.definition_id(index, local) else { return Some(itself) };
    let statement = &body.statements[id.index()];
    let first = || body.args(statement).first().and_then(|a| a.as_place()).map(|(_, place)| place);
    match statement.op {
        Op::Assign => match first() {
            Some(place) if body.local_of(place).is_some() => path(tracer, index, place, steps - 1),
            _ => Some(itself),
        },
        Op::Call | Op::CallMethod => match first() {
            Some(place) if is_same(tracer, index, id) => path(tracer, index, place, steps - 1),
            _ => Some(itself),
        },
        _ => Some(itself),
    }
}

/// Whether a call gives its receiver again: a clone of a handle, a view.
fn is_same(tracer: &Tracer, index: u32, id: StatementId) -> bool {
    let statement = &tracer.body(index).body.statements[id.index()];
    let weak = statement.dest.get().is_some_and(|dest| is_weak(tracer.model, tracer.ty(index, dest)));
    match tracer.row(index, id) {
        _ if weak || tracer.method_name(index, statement) == "downgrade" => false,
        Some(row) => (row.through && !row.moves_out) || row.path.ends_with("::clone"),
        None if matches!(tracer.body(index).types.callee(id), Callee::Def(_)) => false,
        None => {
            let name = tracer.method_name(index, statement);
            statement.op == Op::CallMethod && (name == "clone" || tracer.model.apis.is_through_name(name))
        }
    }
}

fn path(tracer: &Tracer, index: u32, place: PlaceId, steps: u32) -> Option<Path> {
    let typed = tracer.body(index);
    let mut found = local_path(tracer, index, typed.body.local_of(place)?, steps)?;
    for step in typed.body.projections_of(place) {
        match step {
            Projection::Field(name) => found.fields.push(tracer.model.name(typed.at.file, *name)),
            Projection::Deref | Projection::Success => {}
            // `widgets[0]`, a future's result: another one each time.
            _ => return None,
        }
    }
    Some(found)
}

/// Whether what is captured owns the owner of the closure: the same, or what that is a part of, behind a shared pointer.
fn keeps(
    tracer: &Tracer,
    captured: (u32, LocalId),
    taken: &Path,
    owner: (u32, PlaceId),
    to: &Path,
    keeper: Keeper,
) -> bool {
    let model = tracer.model;
    if taken.root != to.root || !to.fields.starts_with(&taken.fields) {
        return false;
    }
    let mut ty = tracer.body(captured.0).types.locals[captured.1.index()];
    let mut strong = is_strong(model, ty);
    if is_weak(model, ty) {
        return false;
    }
    for &field in &to.fields[taken.fields.len()..] {
        ty = model.field_ty(ty, field);
        let apart = |ty| matches!(model.ty(ty), TyData::Ref { .. }) || model.type_row(ty).is_some_and(|row| row.weak);
        if model.inside(ty).any(apart) {
            return false;
        }
        strong |= is_strong(model, ty);
    }
    match keeper {
        // Their clones are handles, whatever they are called.
        Keeper::Object => strong || model.may_be_object(ty),
        Keeper::Callee(..) => strong || model.has_shared_field(tracer.ty(owner.0, owner.1)),
        _ => strong,
    }
}

fn is_weak(model: &Model, ty: Ty) -> bool {
    model.inside(ty).any(|ty| model.type_row(ty).is_some_and(|row| row.weak))
}

fn is_strong(model: &Model, ty: Ty) -> bool {
    model.inside(ty).any(|ty| model.type_row(ty).is_some_and(|row| row.strong))
}

/// Whether nothing but this function and its closures gets a variable: it is not returned, stored or passed on.
fn is_private(tracer: &Tracer, to: &Path) -> bool {
    let body = &tracer.body(to.root.0).body;
    if body.locals[to.root.1.index()].kind == LocalKind::Param {
        return false;
    }
    let mut bodies = (0..tracer.function.bodies.len() as u32).flat_map(|index| {
        let body = &tracer.body(index).body;
        (0..body.statements.len() as u32).map(move |id| (index, StatementId(id)))
    });
    !bodies.any(|(index, id)| leaves(tracer, index, id, to))
}

/// Whether a statement gives a variable away, or takes out what it holds.
fn leaves(tracer: &Tracer, index: u32, id: StatementId, to: &Path) -> bool {
    let body = &tracer.body(index).body;
    let statement = &body.statements[id.index()];
    let is_it = |place| path(tracer, index, place, STEPS).as_ref() == Some(to);
    if statement.op == Op::Assign && is_behind_something(body, statement.dest) && is_it(statement.dest) {
        return is_none(tracer, index, body.args(statement));
    }
    let returned = statement.dest.get().and_then(|d| body.local_of(d)) == Some(LocalId(0));
    body.args(statement).iter().enumerate().any(|(at, operand)| {
        let Some((_, place)) = operand.as_place().filter(|&(_, place)| is_it(place)) else { return false };
        // A view of its content may be passed on.
        let whole = is_strong(tracer.model, tracer.ty(index, place)) || tracer.ty(index, place) == Ty::UNKNOWN;
        match statement.op {
            Op::Assign => returned && whole,
            Op::Closure | Op::Async | Op::ScopeEnd | Op::Declare | Op::Use | Op::Binary => false,
            Op::CallMethod if at == 0 => {
                matches!(tracer.method_name(index, statement), "take" | "clear" | "into_inner")
            }
            Op::CallMethod | Op::Call => {
                whole
                    && tracer.row(index, id).is_none_or(|row| {
                        !row.through && !row.path.contains("clone") && !row.path.contains("downgrade")
                    })
            }
            _ => whole,
        }
    })
}

/// `None`
fn is_none(tracer: &Tracer, index: u32, args: &[Operand]) -> bool {
    let typed = tracer.body(index);
    let path = args.first().and_then(|a| a.as_place()).map(|(_, place)| typed.body.places[place.index()].base);
    let Some(Base::Path(path)) = path else { return false };
    tracer.model.text(tracer.model.name(typed.at.file, typed.body.types.last_name(path))) == "None"
}

/// Whether something made of what the call gives is put where the closure finds it: `*slot.write() = Some(runtime.handle())`.
fn is_fed(tracer: &Tracer, index: u32, call: StatementId, taken: &Path) -> bool {
    let body = &tracer.body(index).body;
    let shared = taken.fields.is_empty() && taken.root.0 == index && {
        is_strong(tracer.model, tracer.body(index).types.locals[taken.root.1.index()])
    };
    shared
        && body.statements.iter().any(|statement| {
            statement.op == Op::Assign
                && is_behind_something(body, statement.dest)
                && path(tracer, index, statement.dest, STEPS).as_ref() == Some(taken)
                && body.args(statement).iter().any(|&value| is_made_of(tracer, index, value, call, 12))
        })
}

/// Whether a value comes from the result of a call, through other calls.
fn is_made_of(tracer: &Tracer, index: u32, value: Operand, call: StatementId, steps: u32) -> bool {
    let body = &tracer.body(index).body;
    let local = value.as_place().and_then(|(_, place)| body.local_of(place));
    let Some(id) = local.and_then(|local| tracer.definition_id(index, local)).filter(|_| steps > 0) else {
        return false;
    };
    let args = body.args(&body.statements[id.index()]);
    id == call || args.iter().any(|&arg| is_made_of(tracer, index, arg, call, steps - 1))
}

impl Model {
    /// Whether a file imports from a crate of objects that count who holds them.
    fn uses_objects(&self, file: FileId) -> bool {
        let header = self.header(file);
        let first = |path| header.types.path_segments(path).first().and_then(|s| s.name.get());
        let roots = header.uses.iter().filter_map(|import| first(import.path));
        roots.into_iter().any(|root| self.apis.has_objects(self.text(self.name(file, root))))
    }

    /// Whether a type is one of a crate of objects, or not known.
    fn may_be_object(&self, ty: Ty) -> bool {
        ty == Ty::UNKNOWN
            || self.external_path(ty).is_some_and(|path| {
                let krate = self.text(path).split([':', '@']).next();
                krate.is_some_and(|krate| self.apis.has_objects(krate))
            })
    }

    /// Whether a value of that type is a handle: a shared pointer, or a struct with one.
    fn has_shared_field(&self, ty: Ty) -> bool {
        self.autoderef(ty)
            .any(|ty| is_strong(self, ty) || self.part_tys(ty).into_iter().any(|part| is_strong(self, part)))
    }

    /// The field in which a function keeps a closure that it is given, if that is one of the receiver's.
    pub fn keeps_callback_in(&self, def: DefId, arg: u32) -> Option<(DefId, Symbol)> {
        let receiver = self.container_type(def)?;
        let parts = self.part_tys(self.item_ty(receiver));
        let holds = |owner: DefId| {
            let is_owner = |ty| self.inside(ty).any(|ty| matches!(*self.ty(ty), TyData::Adt(of, _) if of == owner));
            owner == receiver || parts.iter().any(|&part| is_owner(part))
        };
        let kept = &self.digest_of(def)?.params.kept_in;
        kept.iter().find(|&&(param, owner, _)| param == arg && holds(owner)).map(|&(_, owner, field)| (owner, field))
    }

    /// Whether something takes callbacks out of a field again, replaces them, or may. What puts them in does not count, nor
    /// does the `Drop` of the owner, which never comes.
    pub fn lets_callback_go(&self, owner: DefId, field: Symbol, by: &[DefId]) -> bool {
        let events = self.analysis.ledger.events(Root::Field(owner, field));
        let takes = |e: &Event| match e.kind {
            EventKind::Shrink | EventKind::Replace | EventKind::Expose => !self.is_test_event(e),
            _ => false,
        };
        let of = |e: &Event| self.analysis.digests[e.site.function as usize].owner;
        if events.iter().any(|e| takes(e) && !by.contains(&of(e)) && self.dropped_type(of(e)) != Some(owner)) {
            return true;
        }
        let mut found = self.is_public_field(owner, field);
        let wanted = |digest: &Digest| {
            let own = by.contains(&digest.owner) || self.dropped_type(digest.owner) == Some(owner);
            !own && self.touches_field(digest.root, field)
        };
        self.each_function(wanted, |tracer, _| found |= takes_out(tracer, owner, field));
        found
    }

    fn touches_field(&self, root: BodyRef, field: Symbol) -> bool {
        let header = self.header(root.file);
        let end = self.linked(root.file).nested_end[root.body.index()].max(root.body.0 + 1);
        let bodies = header.bodies[root.body.index()..end as usize].iter();
        bodies.flat_map(|body| body.fields.of(&header.body_names)).any(|&name| self.name(root.file, name) == field)
    }
}

/// `self.callback.take()`, `self.callback = None`, `mem::take(&mut self.callback)`
fn takes_out(tracer: &Tracer, owner: DefId, field: Symbol) -> bool {
    let is_it = |index, place| match tracer.place(index, place) {
        Access { root: Root::Field(of, name), .. } => of == owner && name == field,
        Access { root: Root::Unknown, last, .. } => last == Some(field),
        _ => false,
    };
    (0..tracer.function.bodies.len() as u32).any(|index| {
        let body = &tracer.body(index).body;
        body.statements.iter().any(|statement| match statement.op {
            Op::Assign => {
                statement.dest.get().is_some_and(|dest| is_behind_something(body, dest) && is_it(index, dest))
            }
            Op::Call | Op::CallMethod => body.args(statement).iter().enumerate().any(|(at, arg)| {
                let name = tracer.method_name(index, statement);
                let takes = at == 0
                    && (["take", "set", "into_inner"].contains(&name) || tracer.model.apis.is_shrink_name(name));
                arg.as_place()
                    .is_some_and(|(position, place)| (takes || position == Position::RefMut) && is_it(index, place))
            }),
            _ => false,
        })
    })
}
