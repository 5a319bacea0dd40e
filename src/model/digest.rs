//! What is kept of a function once its bodies are put away: whom it calls, what it does to its parameters and to
//! collections, what it acquires, and whether it ends. Digests are made in parallel, one function at a time, and all that
//! spans functions is computed from them.

use super::access::{Access, Root, Tracer};
use super::effects::{Effects, ParamUses, ReleaseNames, param_uses, slot};
use super::exits::{Ends, ends, is_endless, is_lasting, is_service_loop, loops_up, origin_of};
use super::files::{PathUse, path_uses};
use super::ledger::{Events, events};
use super::raw_fields::{RawFields, raw_fields};
use super::setup::{Held, receiver};
use super::words::Name;
use super::{BodyRef, Callee, DefId, Model, Ty, TyData};
use crate::apis::{FnRow, Heat, ObligationKind, Slot, SpawnKind, term::Term};
use crate::facts::body::*;
use crate::facts::{BodyKind, ItemKind};
use crate::source::Span;

/// A function of the run that another one calls, or names as a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallSite {
    /// Whom.
    pub callee: DefId,
    /// The position of the body within the function.
    pub body: u32,
    /// How often, seen from that body: `Repeated` in a loop that has no end of its own.
    pub heat: Heat,
    /// Whether it stands in a loop that takes its work from outside.
    pub serving: bool,
    /// Whose the receiver (or first argument) is.
    pub first: Held,
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
        ended: ended(&tracer),
        raw_fields: raw_fields(&tracer),
        field_releases: field_releases(&tracer, releases),
        path_uses: path_uses(&tracer),
        counts: false,
        exits: false,
        removes_files: false,
        makes_files: false,
        fresh: false,
    };
    for index in 0..count {
        calls_and_seeds(&tracer, index, &mut digest);
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
    BodyDigest { parent, heat, spawned, ends: ends(tracer, index), serves, endless }
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

fn calls_and_seeds(tracer: &Tracer, index: u32, digest: &mut Digest) {
    let typed = tracer.body(index);
    let body = &typed.body;
    for block in &body.blocks {
        let repeated = is_repeated(tracer, index, block.in_loop);
        let heat = if repeated { Heat::Repeated } else { Heat::Same };
        let serving = is_served(tracer, index, block.in_loop);
        for id in block.statements.ids().map(StatementId) {
            let span = tracer.span(index, id);
            if tracer.model.is_left_out(span) {
                continue;
            }
            let statement = &body.statements[id.index()];
            named_functions(tracer, index, id, statement, heat, span, digest);
            digest.counts |= counts_up(body, statement);
            if let Some(made) = made(tracer, index, id) {
                digest.makes.push(made);
            }
            digest.contended |= statement.op == Op::CallMethod && is_contended(tracer, index, statement);
            match typed.types.callee(id) {
                callee if tracer.row(index, id).is_none() && tracer.model.is_foreign(callee) => {
                    foreign_call(tracer, index, id, callee, digest);
                }
                Callee::Def(callee) => {
                    let first = body.args(statement).first().and_then(|a| a.as_place());
                    let first = first.map_or(Held::Other, |(_, place)| receiver(tracer, index, place));
                    digest.calls.push(CallSite { callee, body: index, heat, serving, first, span });
                    given_back(tracer, index, id, callee, digest);
                    if may_acquire(tracer.model, tracer.model.item_ty(callee)) {
                        digest.seeds.push(Seed { kind: SeedKind::Call(callee), body: index, statement: id });
                    }
                }
                Callee::External(_) | Callee::Distinctive(_) => {
                    let Some(row) = tracer.row(index, id) else { continue };
                    digest.serves |= row.serves;
                    digest.fresh |= row.fresh;
                    digest.exits |= row.exits;
                    digest.removes_files |= row.removes_path.is_some();
                    digest.makes_files |= row.creates_path.is_some();
                    digest.once |= row.once_guard && is_on_static(tracer, index, id);
                    if takes_back(row) {
                        taken_back(tracer, index, id, row, digest);
                    }
                    if let Some(kind) = seed_kind(tracer.model, row) {
                        digest.seeds.push(Seed { kind, body: index, statement: id });
                    }
                }
                _ => {}
            }
        }
    }
}

/// `let slot = x.allocate_slot(); …; x.free_slot(slot)`
fn given_back(tracer: &Tracer, index: u32, id: StatementId, release: DefId, digest: &mut Digest) {
    let model = tracer.model;
    let text = |def| model.text(model.def_name(def));
    if !Name::may_release(text(release)) {
        return;
    }
    let body = &tracer.body(index).body;
    let places = body.args(&body.statements[id.index()]).iter().filter_map(|a| a.as_place());
    let calls = places.filter_map(|(_, place)| origin_of(tracer, index, body.local_of(place)?));
    for call in calls {
        if let Callee::Def(acquire) = tracer.body(index).types.callee(call)
            && Name::of(text(acquire)).pairs_with(&Name::of(text(release)))
        {
            digest.given_back.push((acquire, release, tracer.span(index, id)));
        }
    }
}

/// A call into C: what it gives may have to go back there.
fn foreign_call(tracer: &Tracer, index: u32, id: StatementId, callee: Callee, digest: &mut Digest) {
    if !digest.foreign.contains(&callee) {
        digest.foreign.push(callee);
    }
    digest.seeds.push(Seed { kind: SeedKind::Foreign(callee), body: index, statement: id });
    let body = &tracer.body(index).body;
    let first = body.args(&body.statements[id.index()]).first().and_then(|a| a.as_place());
    let Some(origin) = first.and_then(|(_, place)| body.local_of(place)).and_then(|l| origin_of(tracer, index, l))
    else {
        return;
    };
    let acquire = tracer.body(index).types.callee(origin);
    let pair = (acquire, callee);
    if tracer.model.is_foreign(acquire)
        && tracer.row(index, origin).is_none()
        && tracer.model.foreign_name(callee).releases()
        && !digest.used_together.contains(&pair)
    {
        digest.used_together.push(pair);
    }
}

/// `self.next_id += 1`
pub fn counts_up(body: &Body, statement: &Statement) -> bool {
    let to = statement.dest.get().map_or(&[][..], |d| body.projections_of(d));
    statement.op == Op::Binary
        && BinaryOp::from_data(statement.data) == BinaryOp::Arithmetic
        && to.iter().any(|step| matches!(step, Projection::Field(_)))
}

/// `self.state.compare_exchange(..)`, on whatever it may be.
fn is_contended(tracer: &Tracer, index: u32, statement: &Statement) -> bool {
    let apis = tracer.model.apis;
    apis.methods_named(tracer.method_name(index, statement)).iter().any(|&id| apis.row(id).once_guard)
}

/// Whether a function ends what would otherwise stay for ever.
fn takes_back(row: &FnRow) -> bool {
    row.releases.is_some() || row.adopts.is_some() || row.gives_back || row.drops_by_hand.is_some()
}

fn taken_back(tracer: &Tracer, index: u32, id: StatementId, row: &'static FnRow, digest: &mut Digest) {
    if !digest.reclaims.contains(&&*row.path) {
        digest.reclaims.push(&row.path);
    }
    let body = &tracer.body(index).body;
    let first = body.args(&body.statements[id.index()]).first().and_then(|a| a.as_place());
    let pointee = match first.map(|(_, place)| tracer.model.ty(tracer.ty(index, place))) {
        Some(&TyData::Pointer(to)) => to,
        _ => Ty::UNKNOWN,
    };
    if !digest.reclaimed.contains(&pointee) {
        digest.reclaimed.push(pointee);
    }
}

/// Whether a method is called on a static.
fn is_on_static(tracer: &Tracer, index: u32, id: StatementId) -> bool {
    let body = &tracer.body(index).body;
    let first = body.args(&body.statements[id.index()]).first().and_then(|a| a.as_place());
    first.is_some_and(|(_, place)| matches!(tracer.place(index, place).root, Root::Static(_)))
}

/// The type of the run that a literal or constructor makes a value of.
fn made(tracer: &Tracer, index: u32, id: StatementId) -> Option<DefId> {
    let typed = tracer.body(index);
    let statement = &typed.body.statements[id.index()];
    match typed.types.callee(id) {
        Callee::Constructor(def) => Some(def),
        _ if statement.op == Op::Struct => match *tracer.model.ty(tracer.ty(index, statement.dest)) {
            TyData::Adt(def, _) => Some(def),
            _ => None,
        },
        _ => None,
    }
}

/// Functions given as values: `get(handler)`, `map(f)`, `thread::spawn(worker)`.
fn named_functions(
    tracer: &Tracer,
    index: u32,
    id: StatementId,
    statement: &Statement,
    heat: Heat,
    span: Span,
    digest: &mut Digest,
) {
    let typed = tracer.body(index);
    for (at, operand) in typed.body.args(statement).iter().enumerate() {
        let Some((_, place)) = operand.as_place() else { continue };
        if !matches!(typed.body.places[place.index()].base, Base::Path(_)) {
            continue;
        }
        let &TyData::FnDef(callee) = tracer.model.ty(tracer.ty(index, place)) else { continue };
        if tracer.model.item(callee).kind != ItemKind::Fn {
            continue;
        }
        let row = tracer.row(index, id);
        let called = row.and_then(|row| row.calls.iter().find(|c| Slot::Arg(c.arg) == slot(row, at)));
        let given = called.map_or(Heat::PerCall, |c| if c.heat == Heat::Same { heat } else { c.heat });
        digest.calls.push(CallSite { callee, body: index, heat: given, serving: false, first: Held::Other, span });
    }
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
        _ => {}
    }
    let fresh = !(row.through || row.element || row.moves_out) && row.wraps.is_empty();
    let path = row.returns.as_ref().filter(|_| fresh).and_then(payload)?;
    let obligation = model.apis.type_row(path)?.obligation.as_ref()?;
    Some(SeedKind::Acquire(obligation.kind))
}

/// The type that a result is about: `Child` in `Result<Child, Error>`.
fn payload(term: &Term) -> Option<&str> {
    match term {
        Term::Path { path, args } if matches!(&**path, "std::result::Result" | "std::option::Option") => {
            payload(args.first()?)
        }
        Term::Path { path, .. } => Some(path),
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

/// Fields that hold something with an obligation, where it is met or where the value leaves the field.
fn field_releases(tracer: &Tracer, releases: &ReleaseNames) -> Vec<(Access, ObligationKind)> {
    let mut list = Vec::new();
    for index in 0..tracer.function.bodies.len() as u32 {
        let body = &tracer.body(index).body;
        for (id, statement) in body.statements.iter().enumerate() {
            for (at, operand) in body.args(statement).iter().enumerate() {
                let Some((position, place)) = operand.as_place() else { continue };
                let released = match statement.op {
                    Op::CallMethod if at == 0 => {
                        let name = tracer.method_name(index, statement);
                        // A `try_wait` now and then is no reaper.
                        match is_poll(tracer, tracer.ty(index, place), name) {
                            true => Effects::default(),
                            false => releases.on(tracer.model, tracer.ty(index, place), name),
                        }
                    }
                    Op::Call | Op::CallMethod | Op::CallValue | Op::OpaqueMacro => Effects::default(),
                    _ => continue,
                };
                let handed_on = at > 0 || statement.op != Op::CallMethod;
                if released == Effects::default() && !handed_on {
                    continue;
                }
                let id = StatementId(id as u32);
                if let Some(kind) = tracer.model.held_obligation(tracer.ty(index, place)).map(|o| o.kind) {
                    let by_name = released.any(Effects::releases(kind));
                    if by_name || handed_on && position != Position::Ref && leaves(tracer, index, id, at) {
                        push_field(&mut list, tracer.place(index, place), kind);
                    }
                } else if released != Effects::default() {
                    // `x.child.wait()` on an `x` of unknown type.
                    let access = tracer.place(index, place);
                    if access.root == Root::Unknown {
                        for kind in ObligationKind::ALL.into_iter().filter(|k| released.any(Effects::releases(*k))) {
                            push_field(&mut list, access, kind);
                        }
                    }
                }
            }
        }
    }
    list
}

/// Where something in a field is ended by name.
fn ended(tracer: &Tracer) -> Vec<Ended> {
    let mut list = Vec::new();
    for index in 0..tracer.function.bodies.len() as u32 {
        let typed = tracer.body(index);
        for (id, statement) in typed.body.statements.iter().enumerate().filter(|(_, s)| s.op == Op::CallMethod) {
            let Some((_, place)) = typed.body.args(statement)[0].as_place() else { continue };
            let model = tracer.model;
            let Some(obligation) = model.held_obligation(tracer.ty(index, place)) else { continue };
            let name = tracer.method_name(index, statement);
            if obligation.ended_by.iter().any(|n| n == name) {
                let root = tracer.place(index, place).root;
                let span = Span { file: typed.at.file, range: typed.body.spans[id] };
                list.push(Ended { root, kind: obligation.kind, span });
            }
        }
    }
    list
}

fn is_poll(tracer: &Tracer, ty: Ty, name: &str) -> bool {
    let model = tracer.model;
    let obligation = model.held_obligation(ty);
    obligation.is_some_and(|o| o.polled_by.iter().any(|n| n == name))
}

fn push_field(list: &mut Vec<(Access, ObligationKind)>, access: Access, kind: ObligationKind) {
    if matches!(access.root, Root::Field(..) | Root::Unknown) && !list.contains(&(access, kind)) {
        list.push((access, kind));
    }
}

/// Whether an argument may be released where it is handed to.
fn leaves(tracer: &Tracer, index: u32, id: StatementId, at: usize) -> bool {
    match tracer.body(index).types.callee(id) {
        // What that function does is not solved yet; being handed on excuses.
        Callee::Def(_) => true,
        Callee::External(_) | Callee::Distinctive(_) => tracer.row(index, id).is_none_or(|row| {
            let slot = slot(row, at);
            row.releases == Some(slot)
                || row.waits == Some(slot)
                || matches!(slot, Slot::Arg(n) if row.stores.contains(&n))
        }),
        Callee::Constructor(_) | Callee::Closure(_) | Callee::Unknown => true,
    }
}
