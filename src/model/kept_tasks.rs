//! Where handles of tasks are kept, and what the run does with what is kept there: ends it, hands it on, or only looks at
//! it. It knows what a spawn gives from [`super::tasks`], and no lint.
//!
//! ```text
//! kept_tasks::keeps(tracer, body, statement)   every place in the body where the handle that a call gives is put
//! model.uses_of(root)                          what all functions do with what is in a field or static
//! model.keeper_drops(owner, name)              whether a `Drop` of the field, its owner, or an owner of that ends it
//! ```

use super::access::{Access, Root, Tracer};
use super::effects::{Effects, covers, slot};
use super::flow::{Stored, drops_safely};
use super::{Callee, DefId, Model, Symbol, Ty, TyData, known};
use crate::apis::{FnRow, ObligationKind, Slot};
use crate::facts::ItemKind;
use crate::facts::body::*;
use crate::source::Span;
use rustc_hash::FxHashSet;

/// A place where a handle is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// A field of a type of the run, a static, or a local.
    pub root: Root,
    /// The statement that puts it there.
    pub statement: StatementId,
    /// How.
    pub how: How,
}

/// How a handle is put somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// With its owner: `Pinger { task }`.
    Made,
    /// `self.task = Some(handle)`
    Assigned,
    /// `self.task.replace(handle)`, `self.tasks.insert(key, handle)`
    Replaces,
    /// `self.tasks.push(handle)`
    Added,
}

/// Every place in body `index` where the handle that `spawn` gives, or one to abort it with, is put: itself or in a struct.
pub fn keeps(tracer: &Tracer, index: u32, spawn: StatementId) -> Vec<Keep> {
    let body = &tracer.body(index).body;
    let mut walk = Walk { tracer, index, held: vec![false; body.locals.len()], keeps: Vec::new() };
    walk.arrives(body.statements[spawn.index()].dest);
    // Twice, so that what a loop hands back is seen.
    for _ in 0..2 {
        (0..body.statements.len() as u32).map(StatementId).for_each(|id| walk.statement(id));
    }
    walk.keeps
}

struct Walk<'a> {
    tracer: &'a Tracer<'a>,
    index: u32,
    /// By local: may it hold the handle?
    held: Vec<bool>,
    keeps: Vec<Keep>,
}

impl Walk<'_> {
    fn arrives(&mut self, dest: PlaceId) {
        let local = dest.get().and_then(|d| self.tracer.body(self.index).body.whole_local(d));
        if let Some(local) = local.filter(|&l| l != LocalId(0)) {
            self.held[local.index()] = true;
        }
    }

    fn keep(&mut self, root: Root, statement: StatementId, how: How) {
        let keep = Keep { root, statement, how };
        if matches!(root, Root::Field(..) | Root::Static(_)) && !self.keeps.contains(&keep) {
            self.keeps.push(keep);
        }
    }

    fn is_held(&self, operand: Operand) -> bool {
        operand.as_place().is_some_and(|(_, place)| {
            let local = self.tracer.body(self.index).body.local_of(place);
            local.is_some_and(|l| self.held[l.index()]) && covers(self.tracer, self.index, place)
        })
    }

    fn statement(&mut self, id: StatementId) {
        let (tracer, index) = (self.tracer, self.index);
        let typed = tracer.body(index);
        let statement = &typed.body.statements[id.index()];
        let args = typed.body.args(statement);
        let Some(at) = args.iter().position(|&arg| self.is_held(arg)) else { return };
        match statement.op {
            Op::Assign | Op::Cast => match typed.body.whole_local(statement.dest) {
                Some(_) => self.arrives(statement.dest),
                None => self.keep(tracer.place(index, statement.dest).root, id, How::Assigned),
            },
            Op::Tuple => self.arrives(statement.dest),
            Op::Struct => self.literal(id, at),
            Op::Call if matches!(typed.types.callee(id), Callee::Constructor(_)) => self.literal(id, at),
            Op::Call | Op::CallMethod => self.call(id, at),
            _ => {}
        }
    }

    /// `Running { abort: handle.abort_handle() }`: from now on the struct is what holds it.
    fn literal(&mut self, id: StatementId, at: usize) {
        let stored = Stored { statement: id, operand: Some(at as u16) };
        if let Some((owner, name)) = self.tracer.model.stored_in(self.tracer, self.index, stored) {
            self.keep(Root::Field(owner, name), id, How::Made);
        }
        self.arrives(self.tracer.body(self.index).body.statements[id.index()].dest);
    }

    fn call(&mut self, id: StatementId, at: usize) {
        let (tracer, index) = (self.tracer, self.index);
        let typed = tracer.body(index);
        let statement = &typed.body.statements[id.index()];
        let Some(row) = tracer.row(index, id) else { return };
        match slot(row, at) {
            Slot::Receiver if row.through || is_handle(tracer.model, tracer.ty(index, statement.dest)) => {
                self.arrives(statement.dest);
            }
            Slot::Arg(n) if row.wraps.contains(&n) => self.arrives(statement.dest),
            Slot::Arg(n) if row.stores.contains(&n) || row.grows.contains(&Slot::Receiver) => {
                let Some((_, receiver)) = typed.body.args(statement)[0].as_place() else { return };
                let access = tracer.place(index, receiver);
                let replaces = matches!(tracer.method_name(index, statement), "insert" | "replace" | "set");
                self.keep(access.root, id, if replaces { How::Replaces } else { How::Added });
            }
            _ => {}
        }
    }
}

/// Whether a value of that type is one to end a task with, though not its owner: an `AbortHandle`.
fn is_handle(model: &Model, ty: Ty) -> bool {
    let ends = |row: &&crate::apis::TypeRow| {
        row.obligation.as_ref().is_some_and(|o| o.kind == ObligationKind::Task)
            || model.apis.method(&row.path, "abort").is_some()
    };
    model.type_row(model.payload(ty)).filter(ends).is_some()
}

/// What a function does with what a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldUse {
    /// The function, by its position among the digests.
    pub function: u32,
    /// The body within it.
    pub body: u32,
    /// Where.
    pub span: Span,
    /// What.
    pub kind: UseKind,
}

/// What is done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UseKind {
    /// A step on the way to it: `lock`, `as_ref`.
    Views,
    /// Something is asked, or it is taken out and goes only as far as can be followed.
    Looks,
    /// It is handed on, out of sight.
    Leaves,
    /// It is joined or awaited.
    Joins,
    /// It is aborted.
    Aborts,
}

impl Model {
    /// What all functions do with what a field or static holds, or one of that name in a value of unknown type.
    pub fn uses_of(&self, root: Root) -> Vec<FieldUse> {
        let mut uses = Vec::new();
        for (position, digest) in self.analysis.digests.iter().enumerate() {
            let names = match root {
                Root::Field(_, name) => self.fields_touched(digest.root).any(|touched| touched == name),
                Root::Static(def) => self.names_called(digest.owner).any(|named| named == self.def_name(def)),
                _ => false,
            };
            if names {
                let function = self.typed(digest.root);
                let tracer = Tracer::new(self, &function);
                (0..function.bodies.len() as u32)
                    .for_each(|index| uses_in(&tracer, position as u32, index, root, &mut uses));
            }
        }
        uses
    }

    /// Functions other than that at `position` that end what is kept there; nothing if one hands it on. What a function that
    /// ends it hands on is the result.
    pub fn ended_by_others(&self, root: Root, position: u32) -> Option<Vec<DefId>> {
        let uses: Vec<FieldUse> = self.uses_of(root).into_iter().filter(|u| u.function != position).collect();
        let ends: FxHashSet<u32> = uses.iter().filter(|u| u.kind >= UseKind::Joins).map(|u| u.function).collect();
        let handed_on = uses.iter().any(|u| u.kind == UseKind::Leaves && !ends.contains(&u.function));
        let mut ended: Vec<u32> = ends.into_iter().collect();
        ended.sort_unstable();
        (!handed_on).then(|| ended.into_iter().map(|at| self.analysis.digests[at as usize].owner).collect())
    }

    /// Whether what a field holds is ended when its owner is: by the type in the field, by a `Drop` of the owner, or by one
    /// of those who own that.
    pub fn keeper_drops(&self, owner: DefId, name: Symbol) -> bool {
        let declared = self.declared_field(owner, name).unwrap_or_default();
        self.drops_what_it_holds(declared) || self.is_dropped_by_owner(owner)
    }

    /// Whether values of a type, or those in them, do something about their task when they are dropped.
    pub fn drops_what_it_holds(&self, ty: Ty) -> bool {
        self.any_within(ty, &|ty| match *self.ty(ty) {
            TyData::Adt(of, _) => self.has_drop(of).is_some(),
            _ => self.obligation(ty).is_some_and(drops_safely),
        })
    }

    fn any_within(&self, ty: Ty, holds: &impl Fn(Ty) -> bool) -> bool {
        holds(ty)
            || match self.ty(ty) {
                TyData::Adt(_, args) | TyData::External(_, args) | TyData::Tuple(args) => {
                    args.iter().any(|&arg| self.any_within(arg, holds))
                }
                _ => false,
            }
    }

    fn is_dropped_by_owner(&self, owner: DefId) -> bool {
        let (mut seen, mut todo) = (FxHashSet::default(), vec![owner]);
        while let Some(of) = todo.pop().filter(|_| seen.len() < 32) {
            if self.has_drop(of).is_some() {
                return true;
            }
            if seen.insert(of) {
                todo.extend(self.owners_of(of));
            }
        }
        false
    }

    /// The types of the run with a field that holds values of a type.
    fn owners_of(&self, of: DefId) -> Vec<DefId> {
        let holds = |&def: &DefId| {
            let fields = self.item(def).fields.ids();
            let is_it = |ty| matches!(*self.ty(ty), TyData::Adt(def, _) if def == of);
            fields.into_iter().any(|index| self.any_within(self.declared_field_ty(def, index), &is_it))
        };
        self.defs().filter(|&def| self.item(def).kind == ItemKind::Struct).filter(holds).collect()
    }
}

/// What a function may do with a parameter so that it is out of sight.
const HANDS_ON: Effects =
    Effects(Effects::RELEASES_ANY.0 | Effects::STORES.0 | Effects::UNKNOWN.0 | Effects::RETURNS.0);

fn uses_in(tracer: &Tracer, function: u32, index: u32, root: Root, uses: &mut Vec<FieldUse>) {
    let typed = tracer.body(index);
    let named = if let Root::Field(_, name) = root { Some(name) } else { None };
    let is_it = |access: Access| match access.root {
        Root::Unknown => named.is_some() && access.last == named,
        of => of == root,
    };
    let mut push = |range, kind| {
        let span = Span { file: typed.at.file, range };
        uses.push(FieldUse { function, body: index, span, kind });
    };
    for block in &typed.body.blocks {
        for id in block.statements.ids().map(StatementId) {
            let statement = &typed.body.statements[id.index()];
            if matches!(statement.op, Op::ScopeEnd | Op::Declare | Op::Closure | Op::Async) {
                continue;
            }
            for (at, operand) in typed.body.args(statement).iter().enumerate() {
                let Some((position, place)) = operand.as_place() else { continue };
                let access = tracer.place(index, place);
                let kind = kind_of_use(tracer, index, id, at, position, place);
                // Of what cannot be resolved only what excuses counts.
                if is_it(access) && (access.root != Root::Unknown || kind >= UseKind::Joins) {
                    push(typed.body.spans[id.index()], kind);
                }
            }
        }
        match (block.end, tracer.operand(index, block.operand).filter(|&access| is_it(access))) {
            (End::Await, Some(_)) => push(block.span, UseKind::Joins),
            // `if let Some(task) = &self.task`, but not `if let Ok(guard) = self.task.lock()`
            (End::Switch, Some(access)) if access.root == root && is_option(tracer, index, block.operand) => {
                push(block.span, UseKind::Looks)
            }
            _ => {}
        }
    }
}

fn is_option(tracer: &Tracer, index: u32, operand: Operand) -> bool {
    let ty = operand.as_place().map(|(_, place)| tracer.model.peel_refs(tracer.ty(index, place)));
    ty.is_some_and(|ty| tracer.model.external_path(ty) == Some(known::OPTION))
}

fn kind_of_use(tracer: &Tracer, index: u32, id: StatementId, at: usize, position: Position, place: PlaceId) -> UseKind {
    let typed = tracer.body(index);
    let statement = &typed.body.statements[id.index()];
    let out_of_sight = |out: bool| if out { UseKind::Leaves } else { UseKind::Looks };
    match statement.op {
        Op::CallMethod if at == 0 => on_receiver(tracer, index, id, place),
        Op::Call | Op::CallMethod => match typed.types.callee(id) {
            Callee::Def(def) => out_of_sight(tracer.model.effects(def, at as u32).any(HANDS_ON)),
            _ => match tracer.row(index, id) {
                Some(row) => out_of_sight(position == Position::Bare && !stays_in_sight(row, at)),
                None => UseKind::Leaves,
            },
        },
        Op::CallValue | Op::OpaqueMacro => UseKind::Leaves,
        // `join!(self.task)`, `select! { _ = &mut self.task => .. }`; a message borrows.
        Op::Macro if position != Position::Ref => UseKind::Joins,
        Op::Struct | Op::Tuple | Op::Array => out_of_sight(position == Position::Bare),
        Op::Assign => {
            let to = typed.body.local_of(statement.dest).map(|l| typed.body.locals[l.index()].kind);
            let elsewhere = typed.body.whole_local(statement.dest).is_none();
            out_of_sight(position == Position::Bare && (to == Some(LocalKind::Return) || elsewhere))
        }
        _ => UseKind::Looks,
    }
}

fn stays_in_sight(row: &FnRow, at: usize) -> bool {
    let slot = slot(row, at);
    row.through || row.drops == Some(slot) || matches!(slot, Slot::Arg(n) if row.wraps.contains(&n))
}

fn on_receiver(tracer: &Tracer, index: u32, id: StatementId, place: PlaceId) -> UseKind {
    let model = tracer.model;
    let statement = &tracer.body(index).body.statements[id.index()];
    let name = tracer.method_name(index, statement);
    let released = model.analysis.releases.on(model, tracer.ty(index, place), name);
    let tasks = Effects(Effects::releases(ObligationKind::Task).0 | Effects::releases(ObligationKind::Thread).0);
    if released.any(tasks) {
        let another = is_handle(model, tracer.ty(index, statement.dest));
        return match is_abort(model, name) {
            _ if another => UseKind::Leaves,
            true => UseKind::Aborts,
            false => UseKind::Joins,
        };
    }
    let result = tracer.body(index).body.local_of(statement.dest);
    let given = result.is_some_and(|l| tracer.body(index).body.locals[l.index()].kind == LocalKind::Return);
    match tracer.row(index, id) {
        // `fn into_handle(mut self) -> Option<JoinHandle<()>> { self.task.take() }`
        Some(row) if given && (row.through || row.element) => UseKind::Leaves,
        Some(row) if row.consumes && !row.through => UseKind::Leaves,
        Some(row) if row.through && !row.moves_out => UseKind::Views,
        Some(_) => UseKind::Looks,
        None => match tracer.body(index).types.callee(id) {
            Callee::Def(def) if !model.effects(def, 0).any(HANDS_ON) => UseKind::Looks,
            // `self.stop.store(true)`
            _ if model.inside(tracer.ty(index, place)).any(|ty| model.type_row(ty).is_some_and(|row| row.flag)) => {
                UseKind::Looks
            }
            _ => UseKind::Leaves,
        },
    }
}

/// Whether a method of that name ends a task before its time.
fn is_abort(model: &Model, name: &str) -> bool {
    let tasks = model.apis.types().iter().filter_map(|row| row.obligation.as_ref());
    tasks.filter(|o| o.kind == ObligationKind::Task).any(|o| o.ended_by.iter().any(|n| n == name))
}
