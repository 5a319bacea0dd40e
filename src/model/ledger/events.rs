//! The events of one function: what each statement does to the collections it reaches.

use super::super::access::{Access, Root, Tracer};
use super::super::effects::slot;
use super::super::setup::{Held, holder};
use super::super::{Callee, Model, Res, Symbol, Ty, TyData};
use super::own::{may_take, own_kind};
use super::present::replaces_value;
use super::sizes::{fills_up, is_compared};
use super::{Event, EventKind, Events, Key, Site};
use crate::apis::{Apis, Collection, FnRow, ObligationKind, Owner, Slot, TypeRow};
use crate::facts::ItemKind;
use crate::facts::body::*;
use crate::facts::types::TypeKind;

/// Collects the events of a function.
pub fn events(tracer: &Tracer, function: u32) -> Events {
    let model = tracer.model;
    let reads_only = match model.trait_of(model.owner(tracer.function.root().at)) {
        Some(Res::External(of)) => model.apis.trait_row(model.text(of)).is_some_and(|row| row.reads_only),
        _ => false,
    };
    let mut walk = Walk { tracer, function, reads_only, events: Events::default() };
    for index in 0..tracer.function.bodies.len() as u32 {
        walk.body(index);
    }
    walk.events
}

struct Walk<'a> {
    tracer: &'a Tracer<'a>,
    function: u32,
    /// Whether it is there to look only: `impl Debug`.
    reads_only: bool,
    events: Events,
}

impl Walk<'_> {
    fn body(&mut self, index: u32) {
        let body = &self.tracer.body(index).body;
        for block in &body.blocks {
            for id in block.statements.ids().map(StatementId) {
                self.statement(index, id, block.in_loop);
            }
        }
    }

    fn push(&mut self, kind: EventKind, access: Access, index: u32, id: StatementId, in_loop: LoopId) -> &mut Event {
        let span = self.tracer.span(index, id);
        let site = Site { function: self.function, body: index, statement: id, span };
        let kind = match kind {
            // An element given out is no way to the container.
            EventKind::Expose if access.element || self.reads_only => EventKind::Look,
            kind => kind,
        };
        let repeated = super::super::digest::is_repeated(self.tracer, index, in_loop);
        let serving = super::super::digest::is_served(self.tracer, index, in_loop);
        self.events.list.push(Event {
            kind,
            access,
            site,
            in_loop,
            repeated,
            serving,
            collection: None,
            key: Key::None,
            tasks: false,
            held: if kind == EventKind::Grow { holder(self.tracer, access) } else { Held::Other },
        });
        self.events.list.last_mut().expect("just pushed")
    }

    fn statement(&mut self, index: u32, id: StatementId, in_loop: LoopId) {
        let body = &self.tracer.body(index).body;
        let statement = &body.statements[id.index()];
        if self.tracer.model.is_left_out(self.tracer.span(index, id)) {
            return;
        }
        match statement.op {
            Op::CallMethod => {
                self.returned_view(index, id, in_loop);
                self.method(index, id, in_loop);
                self.arguments(index, id, in_loop);
            }
            Op::Call => {
                self.returned_view(index, id, in_loop);
                self.row_slots(index, id, in_loop);
                self.arguments(index, id, in_loop);
            }
            Op::Assign => self.assign(index, id, in_loop),
            Op::Struct => self.struct_fields(index, id),
            Op::OpaqueMacro => self.opaque(index, id, in_loop),
            Op::CallValue | Op::Macro => self.arguments(index, id, in_loop),
            _ => {}
        }
    }

    /// `self.map.lock().unwrap()` as the result: whoever gets the guard can do anything.
    fn returned_view(&mut self, index: u32, id: StatementId, in_loop: LoopId) {
        let tracer = self.tracer;
        let body = &tracer.body(index).body;
        let dest = body.statements[id.index()].dest;
        // What a closure returns goes to the method that it is handed to, and is followed there.
        let result = index == 0 && dest.get().and_then(|d| body.whole_local(d)) == Some(LocalId(0));
        if result
            && is_view(tracer.model, tracer.ty(index, dest))
            && !self.is_followed()
            && let Some(access) = tracer.call(index, id)
        {
            self.push(EventKind::Expose, access, index, id, in_loop);
        }
    }

    /// `self.triggers.into_inner()`: the collection leaves its owner.
    fn consumed(&mut self, index: u32, id: StatementId, in_loop: LoopId) {
        let tracer = self.tracer;
        let body = &tracer.body(index).body;
        let first = body.args(&body.statements[id.index()]).first().and_then(|a| a.as_place());
        let Some((_, place)) = first else { return };
        let consumes = tracer.row(index, id).is_some_and(|row| row.consumes);
        if consumes && self.is_moved_out(index, place, place) {
            let access = tracer.place(index, place);
            self.push(EventKind::Expose, access, index, id, in_loop);
        }
    }

    /// A view that private functions get as a result is followed to them.
    fn is_followed(&self) -> bool {
        let model = self.tracer.model;
        let owner = model.owner(self.tracer.function.root().at);
        model.result_view(owner).is_some() && !model.is_exported(owner)
    }

    /// A method on a collection, or one that may be.
    fn method(&mut self, index: u32, id: StatementId, in_loop: LoopId) {
        self.consumed(index, id, in_loop);
        let tracer = self.tracer;
        let typed = tracer.body(index);
        let statement = &typed.body.statements[id.index()];
        let name = tracer.method_name(index, statement);
        let apis = tracer.model.apis;
        let looks = apis.is_element_name(name);
        let known = [Apis::is_grow_name, Apis::is_shrink_name, Apis::is_bound_name, Apis::is_trim_name];
        if !looks && !may_take(name) && !known.iter().any(|is| is(apis, name)) {
            // `input.read_line(&mut line)`
            return self.row_slots(index, id, in_loop);
        }
        let Some((_, place)) = typed.body.args(statement).first().and_then(|a| a.as_place()) else { return };
        let ty = tracer.ty(index, place);
        if let Some(row) = collection_row(tracer.model, ty) {
            if let Some(kind) = kind_of(row, name) {
                let access = tracer.place(index, place);
                if kind == EventKind::Bound && !is_compared(tracer, index, statement.dest) {
                    return;
                }
                if kind == EventKind::Grow && is_by_key(row) && replaces_value(tracer, index, id, access) {
                    return;
                }
                let limited = fills_up(tracer, index, in_loop);
                let key = if limited { Key::Finite } else { self.key(index, statement, row) };
                let tasks = !limited && self.adds_task(index, statement, row);
                let event = self.push(kind, access, index, id, in_loop);
                event.collection = row.collection;
                event.key = key;
                event.tasks = kind == EventKind::Grow && tasks;
                return;
            }
            // `sessions.remove_expired()`: a row may have forgotten it.
            if may_take(name) && tracer.row(index, id).is_none() && !matches!(typed.types.callee(id), Callee::Def(_)) {
                let access = tracer.place(index, place);
                self.push(EventKind::Shrink, access, index, id, in_loop);
                return;
            }
            // `entry` is the first half of an insert.
            let entry = tracer.model.type_row(tracer.ty(index, statement.dest)).is_some_and(|row| row.entry);
            if looks && !entry && self.list_looks(index, place) {
                let access = tracer.place(index, place);
                self.push(EventKind::Look, access, index, id, in_loop);
            }
        } else if let Some(kind) = own_kind(tracer.model, ty, name) {
            let access = tracer.place(index, place);
            self.push(kind, access, index, id, in_loop);
            self.events.own.extend(self.events.list.pop());
            return;
        } else if ty == Ty::UNKNOWN && tracer.row(index, id).is_none() {
            // A receiver of unknown type can only excuse.
            let kind = if apis.is_shrink_name(name) { EventKind::Shrink } else { EventKind::Bound };
            if apis.is_shrink_name(name) || apis.is_bound_name(name) {
                let access = tracer.place(index, place);
                self.push(kind, Access { exact: false, ..access }, index, id, in_loop);
            }
            return;
        }
        self.row_slots(index, id, in_loop);
    }

    /// Looks are of interest for what lives long only.
    fn list_looks(&self, index: u32, place: PlaceId) -> bool {
        matches!(self.tracer.place(index, place).root, Root::Static(_) | Root::Field(..) | Root::Param(..))
    }

    /// `Entry::or_insert`, `mem::take(&mut x)`: rows that say which slot grows or shrinks.
    fn row_slots(&mut self, index: u32, id: StatementId, in_loop: LoopId) {
        let tracer = self.tracer;
        let Some(row) = tracer.row(index, id) else { return };
        if row.grows.is_empty() && row.shrinks.is_empty() {
            return;
        }
        let body = &tracer.body(index).body;
        for (at, operand) in body.args(&body.statements[id.index()]).iter().enumerate() {
            let Some((_, place)) = operand.as_place() else { continue };
            let slot = slot(row, at);
            for (slots, kind) in [(&row.grows, EventKind::Grow), (&row.shrinks, EventKind::Shrink)] {
                if slots.contains(&slot) {
                    self.slot_event(index, id, in_loop, place, kind, row);
                }
            }
        }
    }

    fn slot_event(
        &mut self,
        index: u32,
        id: StatementId,
        in_loop: LoopId,
        place: PlaceId,
        kind: EventKind,
        row: &FnRow,
    ) {
        let mut access = self.tracer.place(index, place);
        let mut key = Key::Open;
        let mut collection = collection_row(self.tracer.model, self.tracer.ty(index, place)).and_then(|r| r.collection);
        if collection.is_none() && row.owner != Owner::Module {
            // An entry: what grows is the map it was taken from, one element further up.
            let entry = self.entry_of(index, place);
            access.element = entry.is_some_and(|(_, _, nested)| nested);
            if let Some((row, entry_key, _)) = entry {
                collection = row.collection;
                key = entry_key;
            }
        }
        let event = self.push(kind, access, index, id, in_loop);
        event.collection = collection;
        event.key = key;
    }

    /// The map that an entry was taken from, the key, and whether that map is itself an element.
    fn entry_of(&self, index: u32, place: PlaceId) -> Option<(&'static TypeRow, Key, bool)> {
        let tracer = self.tracer;
        let typed = tracer.body(index);
        let mut local = typed.body.local_of(place)?;
        for _ in 0..8 {
            let id = tracer.definition_id(index, local)?;
            let statement = &typed.body.statements[id.index()];
            let (_, source) = typed.body.args(statement).first()?.as_place()?;
            if let Some(row) = collection_row(tracer.model, tracer.ty(index, source))
                && statement.op == Op::CallMethod
            {
                return Some((row, self.key(index, statement, row), tracer.place(index, source).element));
            }
            local = typed.body.local_of(source)?;
        }
        None
    }

    /// Whether what a growing method adds is a task or thread. Not `all.extend(more)`: what is moved over was counted
    /// where it was made; and not a channel, which hands its tasks on.
    fn adds_task(&self, index: u32, statement: &Statement, row: &TypeRow) -> bool {
        match row.collection {
            Some(Collection::TaskSet) => return true,
            Some(Collection::List | Collection::Queue | Collection::Map) => {}
            _ => return false,
        }
        let model = self.tracer.model;
        let added = self.tracer.body(index).body.args(statement).last().and_then(|a| a.as_place());
        added.is_some_and(|(_, place)| {
            let kind = model.obligation(model.payload(self.tracer.ty(index, place))).map(|o| o.kind);
            matches!(kind, Some(ObligationKind::Task | ObligationKind::Thread))
        })
    }

    fn key(&self, index: u32, statement: &Statement, row: &TypeRow) -> Key {
        let typed = self.tracer.body(index);
        if !is_by_key(row) {
            // A list of functions: there are only so many in a program.
            let pushed = typed.body.args(statement).get(1).and_then(|a| a.as_place());
            let ty = pushed.map_or(Ty::UNKNOWN, |(_, place)| self.tracer.ty(index, place));
            let is_code =
                matches!(self.tracer.model.ty(ty), TyData::FnPtr(_) | TyData::FnDef(_) | TyData::FnExternal(_));
            return if is_code { Key::Finite } else { Key::None };
        }
        match typed.body.args(statement).get(1).map(|a| a.kind()) {
            Some(OperandKind::Literal(_)) => Key::Finite,
            Some(OperandKind::Place(_, place)) if is_finite(self.tracer.model, self.tracer.ty(index, place)) => {
                Key::Finite
            }
            Some(OperandKind::Place(_, place)) if is_constant(self.tracer, index, place) => Key::Finite,
            Some(OperandKind::Place(_, place)) if is_static_text(&typed.body, place) => Key::Finite,
            _ => Key::Open,
        }
    }

    /// Collections among the arguments: to functions of the run by parameter, to others out of sight.
    fn arguments(&mut self, index: u32, id: StatementId, in_loop: LoopId) {
        let tracer = self.tracer;
        let typed = tracer.body(index);
        let statement = &typed.body.statements[id.index()];
        let callee = typed.types.callee(id);
        for (at, operand) in typed.body.args(statement).iter().enumerate() {
            let Some((position, place)) = operand.as_place() else { continue };
            let ty = tracer.ty(index, place);
            if statement.op == Op::CallMethod && at == 0 && !matches!(callee, Callee::Def(_)) {
                continue;
            }
            if !self.may_change(ty, position) {
                continue;
            }
            let kind = match callee {
                Callee::Def(def) => EventKind::Pass(def, at as u32),
                Callee::External(_) | Callee::Distinctive(_) => match tracer.row(index, id) {
                    Some(row) if !row.stores.iter().any(|&n| slot(row, at) == Slot::Arg(n)) => continue,
                    _ => EventKind::Expose,
                },
                _ => EventKind::Expose,
            };
            let access = tracer.place(index, place);
            self.push(kind, access, index, id, in_loop);
        }
    }

    /// Whether someone who gets a value of that type, used so, could change a collection in it.
    fn may_change(&self, ty: Ty, position: Position) -> bool {
        let model = self.tracer.model;
        let holds = |ty| collection_row(model, ty).is_some();
        match model.ty(ty) {
            TyData::Ref { mutable: true, to } => holds(*to),
            TyData::Ref { mutable: false, to } => is_interior(model, *to),
            _ => match position {
                Position::RefMut => holds(ty),
                _ => is_interior(model, ty),
            },
        }
    }

    fn assign(&mut self, index: u32, id: StatementId, in_loop: LoopId) {
        let tracer = self.tracer;
        let body = &tracer.body(index).body;
        let statement = &body.statements[id.index()];
        let dest = statement.dest;
        let stored = body.projections_of(dest).iter().any(|s| !matches!(s, Projection::Success | Projection::Output));
        if stored {
            let access = tracer.place(index, dest);
            if access.root != Root::Unknown {
                self.push(EventKind::Replace, access, index, id, in_loop);
            }
        }
        let Some((position, place)) = body.args(statement).first().and_then(|a| a.as_place()) else { return };
        let ty = tracer.ty(index, place);
        let returned = body.local_of(dest).is_some_and(|l| body.locals[l.index()].kind == LocalKind::Return);
        let result = index == 0 && returned;
        if result && self.may_change(ty, position) && !self.is_followed() {
            let access = tracer.place(index, place);
            self.push(EventKind::Expose, access, index, id, in_loop);
        } else if !stored && self.is_moved_out(index, dest, place) {
            // `let Waiting { triggers } = self;`: the owner is taken apart.
            let access = tracer.place(index, place);
            self.push(EventKind::Expose, access, index, id, in_loop);
        } else if stored && is_interior(tracer.model, ty) {
            let (to, from) = (tracer.place(index, dest), tracer.place(index, place));
            self.alias(to.root, from.root);
        }
    }

    /// Whether a field's collection leaves it by value, which only the owner of the whole can do.
    fn is_moved_out(&self, index: u32, dest: PlaceId, place: PlaceId) -> bool {
        let tracer = self.tracer;
        let model = tracer.model;
        let typed = tracer.body(index);
        let Some(Projection::Field(last)) = typed.body.projections_of(place).last() else { return false };
        // Not the guard in `Ok(map)` of `self.map.lock()`.
        let name = model.name(typed.at.file, *last);
        let to = tracer.ty(index, dest);
        !matches!(model.ty(to), TyData::Ref { .. })
            && (collection_row(model, to).is_some() || is_interior(model, to))
            && matches!(tracer.place(index, place).root, Root::Field(_, field) if field == name)
    }

    /// `Owner { map: shared }`: the field and what was put into it are one collection.
    fn struct_fields(&mut self, index: u32, id: StatementId) {
        let tracer = self.tracer;
        let typed = tracer.body(index);
        let statement = &typed.body.statements[id.index()];
        let args = typed.body.args(statement);
        let owner = typed.body.local_of(statement.dest).map(|l| typed.types.locals[l.index()]);
        let Some(&TyData::Adt(owner, _)) = owner.map(|ty| tracer.model.ty(ty)) else { return };
        for pair in args.chunks_exact(2) {
            let (OperandKind::Name(name), Some((_, place))) = (pair[0].kind(), pair[1].as_place()) else { continue };
            let ty = tracer.ty(index, place);
            let from = tracer.place(index, place);
            if is_interior(tracer.model, ty) {
                let field = Root::Field(owner, tracer.model.name(typed.at.file, name));
                self.alias(field, from.root);
            } else if is_view(tracer.model, ty) {
                // `Writer { guard: self.nodes.write() }`
                self.push(EventKind::Expose, from, index, id, LoopId::NONE);
            }
        }
    }

    fn alias(&mut self, a: Root, b: Root) {
        // A local of one function is a container of its own; across functions only fields and statics are named.
        if a != b && a != Root::Unknown && b != Root::Unknown {
            self.events.aliases.push((a, b));
        }
    }

    /// In a macro that could not be parsed, a name next to a shrinking method's name excuses that name.
    fn opaque(&mut self, index: u32, id: StatementId, in_loop: LoopId) {
        let tracer = self.tracer;
        let typed = tracer.body(index);
        let args = typed.body.args(&typed.body.statements[id.index()]);
        let file = typed.at.file;
        let names: Vec<Symbol> = args
            .iter()
            .filter_map(|a| match a.kind() {
                OperandKind::Name(name) => Some(tracer.model.name(file, name)),
                OperandKind::Place(_, place) => {
                    let local = typed.body.local_of(place)?;
                    typed.body.locals[local.index()].name.get().map(|n| tracer.model.name(file, n))
                }
                _ => None,
            })
            .collect();
        if names.iter().any(|&n| tracer.model.apis.is_shrink_name(tracer.model.text(n))) {
            for name in names {
                let access = Access { last: Some(name), ..Access::UNKNOWN };
                self.push(EventKind::Shrink, access, index, id, in_loop);
            }
        }
    }
}

fn is_by_key(row: &TypeRow) -> bool {
    match row.collection {
        Some(Collection::Map | Collection::Set) => true,
        // A cache.
        Some(Collection::Bounded) => row.key.is_some(),
        _ => false,
    }
}

fn kind_of(row: &TypeRow, name: &str) -> Option<EventKind> {
    let has = |list: &[String]| list.iter().any(|n| n == name);
    match () {
        _ if has(&row.grow) => Some(EventKind::Grow),
        _ if has(&row.shrink) => Some(EventKind::Shrink),
        _ if has(&row.replace) => Some(EventKind::Replace),
        _ if has(&row.bound) => Some(EventKind::Bound),
        _ if has(&row.trim) => Some(EventKind::Trim),
        _ => None,
    }
}

/// The row of the collection that a method call on `ty` reaches, through references, locks and shared pointers.
pub fn collection_row(model: &Model, ty: Ty) -> Option<&'static TypeRow> {
    model.autoderef(ty).find_map(|ty| model.type_row(ty).filter(|row| row.collection.is_some()))
}

/// Whether a value of that type shares a collection that can change through it: behind `Arc` and a lock, or concurrent.
fn is_interior(model: &Model, ty: Ty) -> bool {
    let mut inside = false;
    for step in model.inside(ty) {
        let Some(row) = model.type_row(step) else { continue };
        inside |= row.locks || row.shared;
        if row.collection.is_some() {
            return inside;
        }
    }
    false
}

/// Whether a value of that type lets its holder change a collection that it does not own: `&mut`, guards, handles.
fn is_view(model: &Model, ty: Ty) -> bool {
    match model.ty(ty) {
        TyData::Ref { mutable: true, to } => collection_row(model, *to).is_some(),
        TyData::Ref { mutable: false, to } => is_interior(model, *to),
        TyData::External(..) => {
            let owned = model.type_row(ty).is_some_and(|row| row.collection.is_some());
            !owned && (collection_row(model, ty).is_some() || is_interior(model, ty))
        }
        _ => false,
    }
}

/// Types with few values.
pub fn is_finite(model: &Model, ty: Ty) -> bool {
    match model.ty(model.peel_refs(ty)) {
        TyData::Prim(name) => matches!(model.text(*name), "bool" | "u8" | "i8"),
        TyData::Adt(def, _) => model.is_fieldless_enum(*def),
        TyData::Tuple(parts) => !parts.is_empty() && parts.iter().all(|&part| is_finite(model, part)),
        TyData::External(..) => model.type_row(model.peel_refs(ty)).is_some_and(|row| row.finite),
        _ => false,
    }
}

/// A parameter of type `&'static str`: written in the program.
fn is_static_text(body: &Body, place: PlaceId) -> bool {
    let ty = body.whole_local(place).and_then(|l| body.locals[l.index()].ty.get());
    ty.is_some_and(|ty| body.types.ty(ty).kind == TypeKind::StaticRef)
}

/// A const, a static or a literal behind a name.
fn is_constant(tracer: &Tracer, index: u32, place: PlaceId) -> bool {
    let typed = tracer.body(index);
    match typed.body.places[place.index()].base {
        Base::Path(path) => tracer
            .model
            .resolve_value(typed, path)
            .is_some_and(|def| matches!(tracer.model.item(def).kind, ItemKind::Const | ItemKind::Static)),
        Base::Local(local) => tracer.definition(index, local).is_some_and(|s| {
            let first = typed.body.args(s).first();
            match s.op {
                Op::Assign => matches!(first.map(|a| a.kind()), Some(OperandKind::Literal(_))),
                // `"name".to_owned()`, `NAME.into()`
                Op::CallMethod if s.args == 1 => match first.map(|a| a.kind()) {
                    Some(OperandKind::Literal(_)) => true,
                    Some(OperandKind::Place(_, inner)) => inner != place && is_constant(tracer, index, inner),
                    _ => false,
                },
                _ => false,
            }
        }),
    }
}
