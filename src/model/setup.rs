//! Whether the owner of a field is still being made where something is put into it: what a builder or a constructor fills
//! in, and what belongs to a value that its function made itself and has not given away.

use super::access::{Access, Root, Tracer};
use super::digest::{CallSite, Digest};
use super::exits::call_behind;
use super::ledger::Event;
use super::{Callee, DefId, Model, TargetKind, Ty, TyData, known};
use crate::apis::Heat;
use crate::facts::body::*;
use rustc_hash::{FxHashMap, FxHashSet};

/// Whose the value is that a place belongs to, as far as its function shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    /// Somebody else's, or not known.
    Other,
    /// A local's, from a literal.
    New,
    /// A local's, from a call of this function.
    Made(DefId),
    /// This parameter's.
    Param(u32),
}

/// Arguments of a call behind these are not looked at.
pub const PARAMS: usize = 4;

/// The owner of the field that an access starts from, if the field was reached directly.
pub fn holder(tracer: &Tracer, access: Access) -> Held {
    match access.holder {
        // In a closure nothing tells how often, and for how long.
        Some((0, local)) => held(tracer, tracer.local_access(0, local)),
        _ => Held::Other,
    }
}

/// The same for the values that a call is given: the receiver and the first arguments.
pub fn given(tracer: &Tracer, index: u32, args: &[Operand]) -> [Held; PARAMS] {
    let mut list = [Held::Other; PARAMS];
    for (at, operand) in args.iter().enumerate().take(PARAMS) {
        if let (0, Some((_, place))) = (index, operand.as_place()) {
            list[at] = held(tracer, tracer.place(index, place));
        }
    }
    list
}

fn held(tracer: &Tracer, access: Access) -> Held {
    match access.root {
        // `self.routes.add(..)`, with the routes a part of `self`: as old as that is.
        Root::Field(owner, name) if tracer.model.is_part(owner, name) => holder(tracer, access),
        _ if access.element => Held::Other,
        Root::Param(_, at) if (at as usize) < PARAMS => Held::Param(at),
        Root::Local(0, local) => made(tracer, local),
        _ => Held::Other,
    }
}

/// What makes the value of a local.
fn made(tracer: &Tracer, local: LocalId) -> Held {
    let body = &tracer.body(0).body;
    let writes = |s: &Statement| {
        !matches!(s.op, Op::Declare | Op::ScopeEnd) && s.dest.get().and_then(|d| body.whole_local(d)) == Some(local)
    };
    let ids = (0..body.statements.len() as u32).map(StatementId).filter(|id| writes(&body.statements[id.index()]));
    let mut sources = ids.map(|id| source(tracer, id));
    let Some(first) = sources.next() else { return Held::Other };
    // `server = server.with(tls)`: what a builder gives back is still being made.
    let rebuilt = |held| matches!(held, Held::New | Held::Made(_));
    if sources.all(rebuilt) { first } else { Held::Other }
}

/// What makes the value that a statement writes.
fn source(tracer: &Tracer, id: StatementId) -> Held {
    let typed = tracer.body(0);
    let statement = &typed.body.statements[id.index()];
    let own = matches!(tracer.model.ty(tracer.ty(0, statement.dest)), TyData::Adt(..));
    match typed.types.callee(id) {
        Callee::Def(def) => Held::Made(def),
        Callee::Constructor(_) => Held::New,
        _ if statement.op == Op::Struct => Held::New,
        // `S::default()`, derived.
        Callee::External(path) if own && tracer.model.text(path).ends_with("::default") => Held::New,
        _ if statement.op == Op::Assign => {
            let from = typed.body.args(statement).first().and_then(|a| a.as_place());
            let temp = from.and_then(|(_, place)| typed.body.local_of(place));
            temp.and_then(|temp| call_behind(tracer, 0, temp)).map_or(Held::Other, |call| source(tracer, call))
        }
        _ => Held::Other,
    }
}

/// What is known of the making of values.
#[derive(Debug, Default)]
pub struct Setup {
    /// Functions that make the value they return.
    constructors: FxHashSet<DefId>,
    /// Functions with those of their parameters that are still being made wherever they are called.
    fillers: FxHashSet<(DefId, u32)>,
}

impl Setup {
    /// Finds both in the calls of the run.
    pub fn new(model: &Model, digests: &[Digest]) -> Setup {
        let mut setup = Setup { constructors: constructors(model, digests), fillers: FxHashSet::default() };
        let application = model.crates().iter().any(|c| c.kind == TargetKind::Bin);
        let open = |def: DefId| model.trait_of(def).is_some() || model.is_exported(def) && !application;
        let given = |(caller, call): (DefId, &CallSite)| {
            let (callee, heat) = (call.callee, call.heat);
            call.given.into_iter().enumerate().map(move |(at, held)| (caller, (callee, at as u32), heat, held))
        };
        let given = || digests.iter().flat_map(|d| d.calls.iter().map(|c| (d.owner, c))).flat_map(given);
        let made = given().filter(|&(_, (callee, _), _, held)| held != Held::Other && !open(callee));
        setup.fillers = made.map(|(_, filler, ..)| filler).collect();
        // From all that may be to those that are: each round takes out what one caller gives something older.
        loop {
            let older: Vec<(DefId, u32)> = given()
                .filter(|(_, filler, ..)| setup.fillers.contains(filler))
                .filter(|&(caller, _, heat, held)| heat == Heat::Repeated || !setup.is_new(model, caller, held))
                .map(|(_, filler, ..)| filler)
                .collect();
            if older.is_empty() {
                return setup;
            }
            older.iter().for_each(|filler| {
                setup.fillers.remove(filler);
            });
        }
    }

    fn is_new(&self, model: &Model, within: DefId, held: Held) -> bool {
        match held {
            Held::Other => false,
            Held::New => true,
            Held::Made(by) => self.constructors.contains(&by),
            Held::Param(at) => self.fillers.contains(&(within, at)) || at == 0 && model.is_builder(within),
        }
    }
}

/// Functions that return a value which they, or constructors that they call, make.
fn constructors(model: &Model, digests: &[Digest]) -> FxHashSet<DefId> {
    let by_def: FxHashMap<DefId, &Digest> = digests.iter().map(|d| (d.owner, d)).collect();
    let held = |d: &Digest| {
        d.calls.iter().flat_map(|c| c.given).chain(d.events.list.iter().map(|e| e.held)).collect::<Vec<_>>()
    };
    let asked: FxHashSet<DefId> = digests
        .iter()
        .flat_map(held)
        .filter_map(|held| if let Held::Made(by) = held { Some(by) } else { None })
        .collect();
    asked.into_iter().filter(|&def| makes_result(model, &by_def, def, 3)).collect()
}

fn makes_result(model: &Model, by_def: &FxHashMap<DefId, &Digest>, def: DefId, depth: u32) -> bool {
    let (Some(digest), Some(made)) = (by_def.get(&def), model.made_result(def)) else { return false };
    if digest.makes.contains(&made) {
        return true;
    }
    let same = |callee: DefId| model.made_result(callee) == Some(made);
    depth > 0
        && digest
            .calls
            .iter()
            .any(|c| c.callee != def && same(c.callee) && makes_result(model, by_def, c.callee, depth - 1))
}

impl Model {
    /// Whether a place where a field grows belongs to the making of its owner. A loop that runs as long as there is work is
    /// past that.
    pub fn is_setup(&self, event: &Event) -> bool {
        let owner = self.analysis.digests[event.site.function as usize].owner;
        let shared = self.analysis.ledger.is_joined(event.access.root);
        !event.repeated && !shared && self.analysis.setup.is_new(self, owner, event.held)
    }

    /// Whether the owner of a field that a function reaches is still being made there.
    pub fn is_being_made(&self, within: DefId, held: Held) -> bool {
        self.analysis.setup.is_new(self, within, held)
    }

    /// `fn with(mut self, ..) -> Self`
    fn is_builder(&self, def: DefId) -> bool {
        let first = self.params_of(def).first().copied().unwrap_or_default();
        match *self.ty(first) {
            TyData::Adt(of, _) => self.made_result(def) == Some(of),
            _ => false,
        }
    }

    /// The type of the run that a function returns, by value or behind a shared pointer.
    fn made_result(&self, def: DefId) -> Option<DefId> {
        let mut ty = self.payload(self.result_ty(def));
        for _ in 0..3 {
            match *self.ty(ty) {
                TyData::Adt(of, _) => return Some(of),
                TyData::External(path, ref args) => {
                    let wraps = path == known::BOX || self.type_row(ty).is_some_and(|row| row.strong || row.locks);
                    ty = args.first().copied().filter(|_| wraps).unwrap_or(Ty::UNKNOWN);
                }
                _ => return None,
            }
        }
        None
    }

    /// Whether a field holds its content itself, so that it is as old as its owner: nothing in it is shared.
    fn is_part(&self, owner: DefId, name: super::Symbol) -> bool {
        let shared = |ty| matches!(self.ty(ty), TyData::Ref { .. }) || self.type_row(ty).is_some_and(|row| row.strong);
        self.declared_field(owner, name).is_some_and(|ty| ty != Ty::UNKNOWN && !self.inside(ty).any(shared))
    }
}
