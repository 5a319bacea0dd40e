//! What is spawned: which body or function runs, whether it ends, and what becomes of its handle. For tasks, local tasks,
//! blocking work and threads alike; it knows no lint.
//!
//! ```text
//! tasks::spawned(tracer, seed)           Some(Spawned) for a spawn that leaves the handle to the caller
//! spawned.runs                           Work::Body(index) | Work::Function(def) | Work::Unknown
//! tasks::lasts(tracer, spawned.runs)     Some(Lasting) if it never ends; where its loop stands
//! tasks::handle(tracer, seed, kind)      the fate of the handle
//! tasks::is_dropped(tracer, seed, &fate) whether the handle is lost, unless its name says that it is meant
//! tasks::spawn_runs(tracer, position, seed)   how often it is spawned
//! tasks::each_handle(model, visit)       every call that gives a handle: spawns, and functions of the run that return one
//! ```

use super::access::Tracer;
use super::digest::{Seed, SeedKind, is_repeated_at};
use super::exits::{Ends, ends};
use super::flow::{Fate, Lost, Terms, drops_safely, fate};
use super::heat::Runs;
use super::peers::{Ender, ended_by};
use super::{Callee, DefId, Model};
use crate::apis::{ObligationKind, SpawnKind};
use crate::facts::body::*;
use crate::source::Span;
use rustc_hash::FxHashMap;

/// A spawn whose handle belongs to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spawned {
    /// A thread, a task, …
    pub kind: SpawnKind,
    /// What it runs.
    pub work: Work,
}

/// What a spawn runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A closure or async block of the same function, by its position.
    Body(u32),
    /// A function of the run: `spawn(run(x))`, `thread::spawn(run)`.
    Function(DefId),
    /// It cannot be seen.
    Unknown,
}

/// Work that never ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lasting {
    /// The loop without an exit, if one can be shown.
    pub at: Option<Span>,
}

impl Spawned {
    /// What one calls it.
    pub fn noun(self) -> &'static str {
        if self.kind == SpawnKind::Thread { "thread" } else { "task" }
    }
}

/// A handle that a call gives: a spawn, or a function of the run that returns the handle of what it spawns.
#[derive(Debug, Clone)]
pub struct Handle {
    /// The body of the call.
    pub body: u32,
    /// The call.
    pub statement: StatementId,
    /// What is spawned.
    pub spawned: Spawned,
    /// Whether it never ends.
    pub lasting: Option<Lasting>,
    /// Who ends it, if it ends but not by dropping what belongs to it.
    pub ender: Option<Ender>,
    /// Where it is spawned.
    pub at: Span,
    /// The function that spawns it.
    pub spawner: DefId,
    /// How often the call is reached.
    pub runs: Runs,
    /// Whether the function of the call returns it, or hands it on to where it cannot be followed.
    pub leaves: bool,
}

/// Visits every call that gives a handle.
pub fn each_handle(model: &Model, mut visit: impl FnMut(&Tracer, u32, &Handle)) {
    let mut given: FxHashMap<DefId, Handle> = FxHashMap::default();
    model.each_seed(is_spawn, |tracer, position, seed| {
        let Some(spawned) = spawned(tracer, seed) else { return };
        let spawner = model.analysis.digests[position as usize].owner;
        let fate = handle(tracer, seed, spawned.kind);
        let lasting = lasts(tracer, spawned.work);
        let found = Handle {
            body: seed.body,
            statement: seed.statement,
            spawned,
            lasting,
            ender: if lasting.is_none() { ended_by(tracer, seed.body, seed.statement, spawned.work) } else { None },
            at: tracer.span(seed.body, seed.statement),
            spawner,
            runs: spawn_runs(tracer, position, seed),
            leaves: fate.returned || fate.escapes,
        };
        if fate.returned && fate.part.is_none() {
            given.insert(spawner, found.clone());
        }
        visit(tracer, position, &found);
    });
    // `Pinger { task: spawn_ping() }`
    let wanted = |seed: &Seed| matches!(seed.kind, SeedKind::Call(def) if given.contains_key(&def));
    model.each_seed(wanted, |tracer, position, seed| {
        let SeedKind::Call(def) = seed.kind else { return };
        let runs = spawn_runs(tracer, position, seed);
        let inner = given[&def].clone();
        let fate = handle(tracer, seed, inner.spawned.kind);
        let leaves = fate.returned || fate.escapes;
        visit(tracer, position, &Handle { body: seed.body, statement: seed.statement, runs, leaves, ..inner });
    });
}

/// Whether a seed starts something in the background that nothing ends by itself. Scoped threads are joined by their
/// scope.
pub fn is_spawn(seed: &Seed) -> bool {
    matches!(seed.kind, SeedKind::Spawn(kind) if kind != SpawnKind::Scoped)
}

/// What a seed spawns; nothing where the receiver owns it, whatever becomes of the handle: `set.spawn(..)`.
pub fn spawned(tracer: &Tracer, seed: &Seed) -> Option<Spawned> {
    let SeedKind::Spawn(kind) = seed.kind else { return None };
    let owned = tracer.row(seed.body, seed.statement).and_then(|row| row.spawns).is_some_and(|s| s.owned);
    (is_spawn(seed) && !owned).then(|| Spawned { kind, work: work(tracer, seed).unwrap_or(Work::Unknown) })
}

fn work(tracer: &Tracer, seed: &Seed) -> Option<Work> {
    let row = tracer.row(seed.body, seed.statement)?;
    let typed = tracer.body(seed.body);
    let statement = &typed.body.statements[seed.statement.index()];
    let arg = row.spawns?.arg as usize + usize::from(statement.op == Op::CallMethod);
    let (_, place) = typed.body.args(statement).get(arg)?.as_place()?;
    let local = typed.body.local_of(place);
    let definition = local.and_then(|l| tracer.definition(seed.body, l));
    if let Some(nested) = definition.and_then(|d| typed.body.nested(d)) {
        let inner = tracer.function.bodies.iter().position(|b| b.at.body == nested)?;
        return Some(Work::Body(inner as u32));
    }
    let call = local.and_then(|l| tracer.definition_id(seed.body, l)).map(|id| typed.types.callee(id));
    match call {
        Some(Callee::Def(def)) => Some(Work::Function(def)),
        _ => tracer.model.fn_def(tracer.ty(seed.body, place)).map(Work::Function),
    }
}

/// Whether what is spawned never ends.
pub fn lasts(tracer: &Tracer, work: Work) -> Option<Lasting> {
    match work {
        Work::Body(inner) => match ends(tracer, inner) {
            Ends::Never(found) => {
                let typed = tracer.body(inner);
                let range = typed.body.loops[found.index()].span;
                Some(Lasting { at: Some(Span { file: typed.at.file, range }) })
            }
            Ends::Unless(callees) => {
                let never = callees.into_iter().find(|&c| tracer.model.never_returns(c))?;
                Some(Lasting { at: loop_of(tracer.model, never) })
            }
            Ends::Yes => None,
        },
        Work::Function(def) => tracer.model.never_returns(def).then(|| Lasting { at: loop_of(tracer.model, def) }),
        Work::Unknown => None,
    }
}

/// Where the endless loop of a function stands, following calls.
fn loop_of(model: &Model, def: DefId) -> Option<Span> {
    let mut def = def;
    for _ in 0..5 {
        let digest = model.digest_of(def)?;
        match &digest.bodies[0].ends {
            Ends::Never(found) => {
                let range = model.body(digest.root).loops[found.index()].span;
                return Some(Span { file: digest.root.file, range });
            }
            Ends::Unless(callees) => def = callees.iter().copied().find(|&c| model.never_returns(c))?,
            Ends::Yes => return None,
        }
    }
    None
}

/// What becomes of the handle. Where its type is not known, so is its fate.
pub fn handle(tracer: &Tracer, seed: &Seed, kind: SpawnKind) -> Fate {
    let kind = match kind {
        SpawnKind::Thread => ObligationKind::Thread,
        _ => ObligationKind::Task,
    };
    let safe_drop = tracer.obligation_of(seed).is_some_and(drops_safely);
    let terms = Terms { safe_drop, ..Terms::of(kind) };
    fate(tracer, &tracer.model.analysis.releases, terms, seed.body, seed.statement)
}

/// Whether the handle is dropped on every path on which it is not returned: nothing releases, stores or takes it.
pub fn is_dropped(tracer: &Tracer, seed: &Seed, fate: &Fate) -> bool {
    let excused = !fate.releases.is_empty() || !fate.stored.is_empty() || fate.returned || fate.escapes;
    let body = &tracer.body(seed.body).body;
    let lost = fate.losses.iter().find(|l| l.lost != Lost::Exit(EdgeKind::Cancel));
    let said = lost.is_some_and(|loss| {
        let local = &body.locals[loss.holder.index()];
        local.name.get().is_some_and(|name| {
            let name = tracer.model.text(tracer.model.name(tracer.body(seed.body).at.file, name));
            // `let _detached = spawn(..)`: the name says that it is meant.
            name.starts_with("_detached") || name.starts_with("_leaked")
        })
    });
    !excused && lost.is_some() && !said
}

/// How often a seed of the function at `position` is reached.
pub fn spawn_runs(tracer: &Tracer, position: u32, seed: &Seed) -> Runs {
    tracer.model.runs_at(position, seed.body, is_repeated_at(tracer, seed.body, seed.statement))
}
