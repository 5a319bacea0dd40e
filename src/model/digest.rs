//! What is kept of a function once its bodies are put away: whom it calls, what it does to its parameters and to
//! collections, what it acquires, and whether it ends. Digests are made in parallel, one function at a time, and all that
//! spans functions is computed from them.

mod calls;
mod fields;

pub use calls::{counts_up, is_contended};

use super::access::{Access, Root, Tracer};
use super::channels::{self, ChannelUses};
use super::effects::{ParamUses, ReleaseNames, param_uses, slot};
use super::exits::{Ends, ends, is_endless, is_lasting, is_service_loop, loops_up};
use super::files::{PathUse, path_uses};
use super::ledger::{Events, events};
use super::nearby::Binds;
use super::raw_fields::{RawFields, raw_fields};
use super::registrations::{Registration, registrations};
use super::setup::{Held, PARAMS};
use super::{BodyRef, Callee, DefId, Model, Ty, TyData};
use crate::apis::{FnRow, Heat, ObligationKind, Owner, Slot, SpawnKind, term::Term};
use crate::facts::BodyKind;
use crate::facts::body::*;
use crate::facts::body_flags;
use crate::source::Span;

/// A function of the run that another one calls, or names as a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallSite {
    /// Whom.
    pub callee: DefId,
    /// It is named as a value: `post(upload)`.
    pub named: bool,
    /// The position of the body within the function.
    pub body: u32,
    /// How often, seen from that body: `Repeated` in a loop that has no end of its own.
    pub heat: Heat,
    /// Whether it stands in a loop that takes its work from outside.
    pub serving: bool,
    /// Whose the receiver and the first arguments are.
    pub given: [Held; PARAMS],
    /// Where.
    pub span: Span,
}

/// Something that is acquired or started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed {
    /// What.
    pub kind: SeedKind,
    /// The position of the body within the function.
    pub body: u32,
    /// The call.
    pub statement: StatementId,
}

/// What a seed starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeedKind {
    /// Background work.
    Spawn(SpawnKind),
    /// A value with an obligation.
    Acquire(ObligationKind),
    /// The result of a function of the run that may be such a value.
    Call(DefId),
    /// What a foreign function gives out, if it turns out to give something out.
    Foreign(Callee),
    /// A value that is kept from ever being dropped.
    Forget,
    /// Memory that is given away for the rest of the process.
    Leak,
    /// A value put where nothing drops it.
    Undropped,
    /// A callback added where it stays until it is taken away.
    Listen,
}

/// A body within a function.
#[derive(Debug, Clone)]
pub struct BodyDigest {
    /// The body it stands in; its own position for the first.
    pub parent: u32,
    /// How often it runs, seen from the body it stands in.
    pub heat: Heat,
    /// Whether it runs in the background.
    pub spawned: Option<SpawnKind>,
    /// Whether it ends.
    pub ends: Ends,
    /// Whether it has a loop that takes its work from outside.
    pub serves: bool,
    /// Whether it is the body of a `stream!`.
    pub stream: bool,
    /// Whether it has a plain `loop` that only an error leaves.
    pub endless: bool,
}

/// Something in a field that is ended without being released: `self.child.kill()`.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The field.
    pub root: Root,
    /// What it holds.
    pub kind: ObligationKind,
    /// Where.
    pub span: Span,
}

/// What is kept of a function.
#[derive(Debug, Clone)]
pub struct Digest {
    /// Its own body.
    pub root: BodyRef,
    /// The function, static or const.
    pub owner: DefId,
    /// Its bodies, in the order of [`super::TypedFn::bodies`].
    pub bodies: Vec<BodyDigest>,
    /// Calls of functions of the run.
    pub calls: Vec<CallSite>,
    /// Its parameters.
    pub params: ParamUses,
    /// Its collections.
    pub events: Events,
    /// Its part in channels.
    pub channels: ChannelUses,
    /// What it acquires and starts.
    pub seeds: Vec<Seed>,
    /// Whether what its seeds acquire may come back in its result.
    pub returns: Vec<SeedKind>,
    /// Paths of functions that take back what is raw or forgotten, and that it calls or names.
    pub reclaims: Vec<&'static str>,
    /// Foreign functions without a row that it calls.
    pub foreign: Vec<Callee>,
    /// Foreign functions whose result it gives to another that takes things back.
    pub used_together: Vec<(Callee, Callee)>,
    /// The types that such pointers point to, as far as they are known.
    pub reclaimed: Vec<Ty>,
    /// Functions of the run whose result it gives to another one of a name that goes with it, and where.
    pub given_back: Vec<(DefId, DefId, Span)>,
    /// Whether what it does is guarded by a static that lets one caller pass.
    pub once: bool,
    /// Whether something lets one caller pass: a static, or a field, which may be in one.
    pub contended: bool,
    /// Whether it calls what keeps a program running.
    pub serves: bool,
    /// Types of the run that it makes values of.
    pub makes: Vec<DefId>,
    /// Fields whose content it ends.
    pub ended: Vec<Ended>,
    /// Fields that hold something raw.
    pub raw_fields: RawFields,
    /// Closures that it registers at something that they keep alive.
    pub registrations: Vec<Registration>,
    /// Fields whose content it releases or hands on.
    pub field_releases: Vec<(Access, ObligationKind)>,
    /// What it does with files whose paths it is given.
    pub path_uses: Vec<PathUse>,
    /// Whether it adds to a number in a field: it may be what makes ids.
    pub counts: bool,
    /// Whether it ends the process.
    pub exits: bool,
    /// Whether it removes files.
    pub removes_files: bool,
    /// Whether it may make files: by a library's function, or by one of the run.
    pub makes_files: bool,
    /// Whether it calls what gives another value each time.
    pub fresh: bool,
    /// Whether it calls what may make a cache without a limit, or what has an effect only together with another call.
    pub builds: bool,
    /// Whether it brings in numbers that somebody outside chose.
    pub reads_numbers: bool,
    /// Whether it reserves memory for as much as some variable says.
    pub reserves: bool,
    /// What its calls say of limits of what is read.
    pub reads: Reads,
}

/// What calls say of limits of what is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reads {
    /// Something is read to its end, or a limit taken away.
    pub all: bool,
    /// Something comes in piece by piece.
    pub pieces: bool,
    /// Bodies get a limit.
    pub caps: bool,
    /// Others are let in.
    pub accepts: bool,
    /// Where servers are bound.
    pub binds: Binds,
}

impl Digest {
    /// Whether a body, or one around it, is that of a `stream!`.
    pub fn is_in_stream(&self, body: u32) -> bool {
        self.around(body).any(|b| b.stream)
    }

    /// Whether a body, or one around it, runs in the background.
    pub fn is_in_background(&self, body: u32) -> bool {
        self.around(body).any(|b| b.spawned.is_some())
    }

    /// A body and those around it.
    fn around(&self, body: u32) -> impl Iterator<Item = &BodyDigest> {
        let up = |&at: &u32| Some(self.bodies[at as usize].parent).filter(|&parent| parent != at);
        std::iter::successors(Some(body), up).map(|at| &self.bodies[at as usize])
    }
}

/// Digests the function with body `root`; `position` is its place in the list of digests.
pub fn digest(model: &Model, releases: &ReleaseNames, root: BodyRef, position: u32) -> Digest {
    let function = model.typed(root);
    let tracer = Tracer::new(model, &function);
    let count = function.bodies.len() as u32;
    let mut digest = Digest {
        root,
        owner: model.owner(root),
        bodies: (0..count).map(|index| body_digest(&tracer, index)).collect(),
        calls: Vec::new(),
        params: param_uses(&tracer, releases),
        events: events(&tracer, position),
        channels: channels::uses(&tracer, position),
        seeds: Vec::new(),
        returns: Vec::new(),
        reclaims: Vec::new(),
        foreign: Vec::new(),
        used_together: Vec::new(),
        given_back: Vec::new(),
        reclaimed: Vec::new(),
        once: false,
        contended: false,
        serves: false,
        makes: Vec::new(),
        ended: fields::ended(&tracer),
        raw_fields: raw_fields(&tracer),
        registrations: registrations(&tracer),
        field_releases: fields::field_releases(&tracer, releases),
        path_uses: path_uses(&tracer),
        counts: false,
        exits: false,
        removes_files: false,
        makes_files: false,
        fresh: false,
        builds: false,
        reads_numbers: false,
        reserves: false,
        reads: Reads::default(),
    };
    for index in 0..count {
        calls::calls_and_seeds(&tracer, index, &mut digest);
    }
    digest.returns = returned(&tracer, &digest.seeds);
    digest
}

fn body_digest(tracer: &Tracer, index: u32) -> BodyDigest {
    let (mut parent, mut heat, mut spawned) = (index, Heat::Same, None);
    if let Some((outer, call, arg)) = tracer.handed_to(index) {
        parent = outer;
        if let Some(row) = tracer.row(outer, call) {
            let slot = slot(row, arg);
            let called = row.calls.iter().find(|c| Slot::Arg(c.arg) == slot);
            heat = called.map_or(Heat::Same, |c| c.heat);
            spawned = row.spawns.filter(|s| Slot::Arg(s.arg) == slot).map(|s| s.kind);
        }
        let around = innermost_loop(&tracer.body(outer).body, call);
        if is_repeated(tracer, outer, around.unwrap_or_default()) {
            heat = Heat::Repeated;
        }
    } else if let Some(outer) = outer_body(tracer, index) {
        parent = outer;
    }
    let loops = tracer.body(index).body.loops.len() as u32;
    let serves = (0..loops).any(|l| is_service_loop(tracer, index, LoopId(l)));
    let endless = (0..loops).any(|l| is_endless(&tracer.body(index).body, LoopId(l)));
    let stream = tracer.model.body_header(tracer.body(index).at).flags & body_flags::STREAM != 0;
    BodyDigest { parent, heat, spawned, ends: ends(tracer, index), serves, stream, endless }
}

fn outer_body(tracer: &Tracer, index: u32) -> Option<u32> {
    let parent = tracer.model.body_header(tracer.body(index).at).parent.get()?;
    tracer.function.bodies.iter().position(|b| b.at.body == parent).map(|p| p as u32)
}

/// Whether some loop around runs as long as there is work: a `for` over what is at hand does not.
pub fn is_repeated(tracer: &Tracer, index: u32, innermost: LoopId) -> bool {
    let body = &tracer.body(index).body;
    loops_up(body, innermost).any(|l| body.loops[l.index()].kind != LoopKind::For || is_service_loop(tracer, index, l))
}

/// The same for a statement.
pub fn is_repeated_at(tracer: &Tracer, index: u32, statement: StatementId) -> bool {
    is_repeated(tracer, index, innermost_loop(&tracer.body(index).body, statement).unwrap_or_default())
}

/// Whether some loop around takes its work from outside for as long as there is any.
pub fn is_served(tracer: &Tracer, index: u32, innermost: LoopId) -> bool {
    loops_up(&tracer.body(index).body, innermost).any(|l| is_lasting(tracer, index, l))
}

/// The innermost loop around a statement.
pub fn innermost_loop(body: &Body, statement: StatementId) -> Option<LoopId> {
    let block = block_of(body, statement)?;
    body.blocks[block.index()].in_loop.get()
}

/// The block that a statement is in.
pub fn block_of(body: &Body, statement: StatementId) -> Option<BlockId> {
    let found = body.blocks.iter().position(|b| b.statements.ids().contains(&statement.0));
    found.map(|b| BlockId(b as u32))
}

/// What a call of a library function starts or acquires.
pub fn seed_kind(model: &Model, row: &FnRow) -> Option<SeedKind> {
    if let Some(spawns) = row.spawns {
        return Some(SeedKind::Spawn(spawns.kind));
    }
    if let Some(acquires) = &row.acquires {
        return Some(SeedKind::Acquire(acquires.kind));
    }
    match row {
        FnRow { leaks: Some(_), .. } => return Some(SeedKind::Leak),
        FnRow { forgets: Some(_), .. } => return Some(SeedKind::Forget),
        FnRow { undropped: true, .. } => return Some(SeedKind::Undropped),
        FnRow { listens: Some(_), .. } => return Some(SeedKind::Listen),
        _ => {}
    }
    let fresh = !(row.through || row.element || row.moves_out) && row.wraps.is_empty();
    let path = row.returns.as_ref().filter(|_| fresh).and_then(|term| payload(row, term))?;
    let obligation = model.apis.type_row(path)?.obligation.as_ref()?;
    Some(SeedKind::Acquire(obligation.kind))
}

/// The type that a result is about: `Child` in `Result<Child, Error>`.
fn payload<'a>(row: &'a FnRow, term: &'a Term) -> Option<&'a str> {
    match term {
        Term::Path { path, args } if matches!(&**path, "std::result::Result" | "std::option::Option") => {
            payload(row, args.first()?)
        }
        Term::Path { path, .. } => Some(path),
        // `Client::new()`
        Term::SelfType if row.owner == Owner::Type => Some(row.path.rsplit_once("::")?.0),
        _ => None,
    }
}

/// Whether a type is one with an obligation, or raw, behind `Result` and `Option`.
fn may_acquire(model: &Model, ty: Ty) -> bool {
    let ty = model.payload(ty);
    match model.ty(ty) {
        TyData::Pointer(_) => true,
        // An address may go round as a number.
        TyData::Prim(name) => matches!(model.text(*name), "i32" | "isize" | "u64" | "usize"),
        TyData::Tuple(parts) => parts.iter().any(|&part| may_acquire(model, part)),
        _ => model.type_row(ty).is_some_and(|row| row.raw || row.obligation.is_some()),
    }
}

/// Which seeds may come back in the function's result: what is assigned to it, through names and wrappers.
fn returned(tracer: &Tracer, seeds: &[Seed]) -> Vec<SeedKind> {
    let body = &tracer.function.root().body;
    if tracer.model.body_header(tracer.function.root().at).kind != BodyKind::Fn {
        return Vec::new();
    }
    let mut flows = vec![false; body.locals.len()];
    flows[0] = true;
    // Backwards: statements stand in the order of the text, and values flow downwards in it.
    for statement in body.statements.iter().rev() {
        let Some(dest) = statement.dest.get().and_then(|d| body.local_of(d)) else { continue };
        if flows[dest.index()] {
            for (position, place) in body.args(statement).iter().filter_map(|a| a.as_place()) {
                if let Some(local) = body.local_of(place)
                    && position != Position::Ref
                    && super::effects::covers(tracer, 0, place)
                {
                    flows[local.index()] = true;
                }
            }
        }
    }
    let mut kinds: Vec<SeedKind> = Vec::new();
    for seed in seeds.iter().filter(|s| s.body == 0) {
        let dest = body.statements[seed.statement.index()].dest;
        let flows = dest.get().and_then(|d| body.local_of(d)).is_some_and(|l| flows[l.index()]);
        if flows && !kinds.contains(&seed.kind) {
            kinds.push(seed.kind);
        }
    }
    kinds
}
