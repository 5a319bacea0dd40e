//! Limits and timeouts that pools and clients are built without: those that the tables say are missing by default and that
//! the function that builds them does not set, and those that are set to none. Knows nothing of confidence.

use super::access::Tracer;
use super::builders::{Builder, is_max, is_off};
use super::{Callee, CrateId, Model, TyData};
use crate::apis::{FnRow, Lacks, SetsLimit};
use crate::facts::body::*;
use crate::version::Version;

/// How many calls of a chain are looked at.
const CHAIN: usize = 16;

/// Something that is built without limits.
#[derive(Debug, Clone)]
pub struct Lacking {
    /// The position of the body within its function.
    pub body: u32,
    /// The call or literal that builds it; if all that is known is a limit that was set to none, that call.
    pub made: StatementId,
    /// What is missing by default and not set.
    pub lacks: Vec<&'static Lacks>,
    /// What is set to none, and where.
    pub lifted: Vec<(StatementId, &'static SetsLimit)>,
    /// Whether all that could set it is in sight.
    pub in_sight: bool,
}

/// What a call or a struct literal lacks unless more is said.
pub fn lacks<'a>(tracer: &'a Tracer, index: u32, id: StatementId) -> impl Iterator<Item = &'static Lacks> + 'a {
    let row = builds(tracer, index, id);
    row.into_iter().flat_map(|row| &row.lacks)
}

/// The row that says what is missing: that of the call, or for `T { … }` and `Default::default()` that of `T::default`.
fn builds(tracer: &Tracer, index: u32, id: StatementId) -> Option<&'static FnRow> {
    let statement = &tracer.body(index).body.statements[id.index()];
    if statement.op == Op::Struct || is_default(tracer, index, id) {
        let model = tracer.model;
        let TyData::External(of, _) = *model.ty(tracer.ty(index, statement.dest.get()?)) else { return None };
        return model.fn_row(model.external_join(of, model.symbols.intern("default")));
    }
    tracer.row(index, id)
}

/// `Default::default()` of a type that is known only from where it goes.
fn is_default(tracer: &Tracer, index: u32, id: StatementId) -> bool {
    match tracer.body(index).types.callee(id) {
        Callee::External(path) => tracer.model.text(path) == "std::default::Default::default",
        _ => false,
    }
}

/// All that a function builds without limits, in the order of the text; of those that lack the same, the first.
pub fn of_function(tracer: &Tracer) -> Vec<Lacking> {
    let mut found: Vec<Lacking> = Vec::new();
    for index in 0..tracer.function.bodies.len() as u32 {
        let count = tracer.body(index).body.statements.len() as u32;
        for id in (0..count).map(StatementId) {
            let lacks = missing(tracer, index, id);
            if !lacks.is_empty() && !is_base(tracer, index, id) {
                let in_sight = is_in_sight(tracer, index, id);
                found.push(Lacking { body: index, made: id, lacks, lifted: Vec::new(), in_sight });
            }
        }
    }
    found.sort_by_key(|one| !one.in_sight);
    let mut seen: Vec<&str> = Vec::new();
    found.retain(|one| {
        let first = one.lacks[0].what.as_str();
        let new = !seen.contains(&first);
        seen.push(first);
        new
    });
    lifted(tracer, &mut found);
    found.sort_by_key(|one| (one.body, one.made));
    found
}

/// What is missing by default in the version that is used, and nothing in the function sets.
fn missing(tracer: &Tracer, index: u32, id: StatementId) -> Vec<&'static Lacks> {
    let Some(row) = builds(tracer, index, id).filter(|row| !row.lacks.is_empty()) else { return Vec::new() };
    let krate = row.path.split(['@', ':']).next().unwrap_or_default();
    let version = tracer.model.version_used(tracer.body(index).at.file, krate);
    let at = tracer.span(index, id);
    let holds = |lack: &&Lacks| {
        is_of_version(lack, version)
            && !is_set(tracer, &lack.set_by)
            && (lack.not_for.is_empty() || !tracer.model.is_only_for(at, &lack.not_for))
    };
    row.lacks.iter().filter(holds).collect()
}

fn is_of_version(lack: &Lacks, version: Option<Version>) -> bool {
    match version {
        Some(version) => lack.since.is_none_or(|v| v <= version) && lack.until.is_none_or(|v| version < v),
        None => lack.since.is_none() && lack.until.is_none(),
    }
}

/// Whether anything in the function sets a limit of one of these names, whatever it is set on.
fn is_set(tracer: &Tracer, names: &[String]) -> bool {
    let says = |file, name| names.iter().any(|n| n == tracer.model.text(tracer.model.name(file, name)));
    (0..tracer.function.bodies.len() as u32).any(|index| {
        let typed = tracer.body(index);
        let body = &typed.body;
        body.statements.iter().enumerate().any(|(position, statement)| match statement.op {
            Op::CallMethod => {
                let sets = names.iter().any(|n| n == tracer.method_name(index, statement));
                sets && !is_none(tracer, index, StatementId(position as u32), false)
            }
            Op::Struct => body.args(statement).chunks_exact(2).any(|pair| match pair[0].kind() {
                OperandKind::Name(name) => says(typed.at.file, name) && !is_nothing(tracer, index, pair[1], false, 2),
                _ => false,
            }),
            // `config.timeouts.wait = Some(..)`
            Op::Assign => statement.dest.get().is_some_and(|dest| {
                let steps = body.projections_of(dest).iter();
                let named = steps.filter_map(|s| if let Projection::Field(name) = s { Some(*name) } else { None });
                let set = named.filter(|&name| says(typed.at.file, name)).count() > 0;
                set && !body.args(statement).first().is_some_and(|&a| is_nothing(tracer, index, a, false, 2))
            }),
            _ => false,
        })
    })
}

/// `..Config::new()`: the literal around it is judged.
fn is_base(tracer: &Tracer, index: u32, id: StatementId) -> bool {
    let body = &tracer.body(index).body;
    let Some(made) = body.statements[id.index()].dest.get().and_then(|d| body.whole_local(d)) else { return false };
    body.statements.iter().filter(|s| s.op == Op::Struct).any(|s| {
        let base = body.args(s).chunks_exact(2).remainder().first();
        base.and_then(|b| b.as_place()).is_some_and(|(_, place)| body.local_of(place) == Some(made))
    })
}

/// Whether nothing out of sight could set more: a builder that is made here, a configuration that only a library gets.
fn is_in_sight(tracer: &Tracer, index: u32, id: StatementId) -> bool {
    let body = &tracer.body(index).body;
    let statement = &body.statements[id.index()];
    if statement.op == Op::CallMethod {
        // `client.get_connection_manager()`: a client is no builder.
        let asked = tracer.row(index, id).is_some_and(|row| !row.consumes);
        return asked || Builder::of(tracer, index, id).in_sight;
    }
    let Some(made) = statement.dest.get().and_then(|d| body.whole_local(d)) else { return false };
    let builder = Builder::of(tracer, index, id);
    let names = if builder.names.is_empty() { vec![made] } else { builder.names };
    let own = |l: &LocalId| matches!(body.locals[l.index()].kind, LocalKind::Temp | LocalKind::Binding);
    // `T { a, ..base }` of a base that is not made here.
    let base = body.args(statement).chunks_exact(2).remainder().first().filter(|_| statement.op == Op::Struct);
    let whole = base.is_none_or(|base| {
        let local = base.as_place().and_then(|(_, place)| body.local_of(place));
        let made = local.and_then(|base| tracer.definition_id(index, base));
        made.is_some_and(|made| is_default(tracer, index, made) || builds(tracer, index, made).is_some())
    });
    whole && is_client(tracer, index, id) | (names.iter().all(own) && !given_away(tracer, index, &names))
}

/// What is made is the pool or client itself: nobody can set anything any more.
fn is_client(tracer: &Tracer, index: u32, id: StatementId) -> bool {
    let dest = tracer.body(index).body.statements[id.index()].dest.get();
    dest.is_some_and(|d| tracer.model.obligation(tracer.model.payload(tracer.ty(index, d))).is_some())
}

/// Whether code of the run gets a configuration, or something that holds it and may be changed later.
fn given_away(tracer: &Tracer, index: u32, names: &[LocalId]) -> bool {
    let body = &tracer.body(index).body;
    let mut names = names.to_vec();
    let mut position = 0;
    while let Some(statement) = body.statements.get(position) {
        let id = StatementId(position as u32);
        position += 1;
        let is_name =
            |a: &Operand| a.as_place().and_then(|(_, p)| body.local_of(p)).is_some_and(|l| names.contains(&l));
        let asked = statement.op == Op::CallMethod && !body.args(statement).iter().skip(1).any(is_name);
        if !body.args(statement).iter().any(is_name) {
            continue;
        }
        let holder = holder(tracer, index, id).filter(|l| !names.contains(l));
        let own = holder.is_none_or(|l| matches!(body.locals[l.index()].kind, LocalKind::Temp | LocalKind::Binding));
        if !own || !asked && leaves(tracer, index, id) {
            return true;
        }
        if let Some(holder) = holder {
            names.push(holder);
            position = 0;
        }
    }
    false
}

/// `Some(config)`, `config.clone()`, `settings.pool = config`: the local that holds it, or a copy, from then on.
fn holder(tracer: &Tracer, index: u32, id: StatementId) -> Option<LocalId> {
    let body = &tracer.body(index).body;
    let statement = &body.statements[id.index()];
    let hands_on = match statement.op {
        Op::Assign => true,
        Op::Call | Op::CallMethod => {
            tracer.row(index, id).is_some_and(|row| !row.wraps.is_empty()) || called(tracer, index, id) == "clone"
        }
        _ => false,
    };
    statement.dest.get().and_then(|dest| body.local_of(dest)).filter(|_| hands_on)
}

/// Whether what a statement is given comes to where code of the run may change it.
fn leaves(tracer: &Tracer, index: u32, id: StatementId) -> bool {
    let typed = tracer.body(index);
    let statement = &typed.body.statements[id.index()];
    let is_library = |dest: PlaceId| tracer.model.type_row(tracer.ty(index, dest)).is_some();
    match statement.op {
        Op::Call | Op::CallMethod => !matches!(typed.types.callee(id), Callee::External(_) | Callee::Distinctive(_)),
        Op::Struct => !statement.dest.get().is_some_and(is_library),
        // Into a field of something that is no local.
        Op::Assign => statement.dest.get().is_none_or(|d| typed.body.local_of(d).is_none()),
        Op::Use | Op::ScopeEnd | Op::Declare | Op::Binary | Op::Unary => false,
        _ => true,
    }
}

/// Adds the calls that set a limit to none, to what is built by their builder or by themselves.
fn lifted(tracer: &Tracer, found: &mut Vec<Lacking>) {
    for index in 0..tracer.function.bodies.len() as u32 {
        let count = tracer.body(index).body.statements.len() as u32;
        for id in (0..count).map(StatementId) {
            let Some(sets) = tracer.row(index, id).and_then(|row| row.sets_limit.as_ref()) else { continue };
            if !is_none(tracer, index, id, sets.zero_is_none) {
                continue;
            }
            let builder = Builder::of(tracer, index, id);
            let name = |id: StatementId| tracer.method_name(index, &tracer.body(index).body.statements[id.index()]);
            let again =
                |&other: &StatementId| name(other) == name(id) && !is_none(tracer, index, other, sets.zero_is_none);
            if builder.calls.iter().any(again) {
                continue;
            }
            let known = found.iter_mut().find(|one| one.body == index && builder.calls.contains(&one.made));
            match known {
                Some(known) => known.lifted.push((id, sets)),
                None => found.push(Lacking {
                    body: index,
                    made: id,
                    lacks: Vec::new(),
                    lifted: vec![(id, sets)],
                    in_sight: true,
                }),
            }
        }
    }
}

/// `max_connections(u32::MAX)`, `acquire_timeout(Duration::MAX)`, `connection_timeout(None)`: a limit that is none.
fn is_none(tracer: &Tracer, index: u32, call: StatementId, zero: bool) -> bool {
    let body = &tracer.body(index).body;
    let statement = &body.statements[call.index()];
    let first = usize::from(statement.op == Op::CallMethod);
    body.args(statement).get(first).is_some_and(|&operand| is_nothing(tracer, index, operand, zero, 3))
}

fn is_nothing(tracer: &Tracer, index: u32, operand: Operand, zero: bool, steps: u32) -> bool {
    let typed = tracer.body(index);
    let body = &typed.body;
    if let OperandKind::Literal(id) = operand.kind() {
        let text = body.literals[id.index()].text.get();
        return zero && text.is_some_and(|n| tracer.model.text(tracer.model.name(typed.at.file, n)) == "0");
    }
    if is_max(tracer, index, operand) || is_off(tracer, index, operand) {
        return true;
    }
    // `Some(Duration::MAX)`, `Duration::from_secs(u64::MAX)`
    let local = operand.as_place().and_then(|(_, place)| body.whole_local(place));
    let made = local.and_then(|local| tracer.definition(index, local)).filter(|_| steps > 0);
    made.is_some_and(|made| {
        let args = body.args(made);
        matches!(made.op, Op::Call | Op::Assign | Op::Cast)
            && !args.is_empty()
            && args.iter().all(|&arg| is_nothing(tracer, index, arg, false, steps - 1))
    })
}

impl Model {
    /// Whether the package of a crate has a timeout of its own around what waits without this one. Of requests, each of
    /// which can have one, that is any timeout at all, also of code that is built on it.
    pub fn is_timed_elsewhere(&self, krate: CrateId, lack: &Lacks) -> bool {
        let package = self.crate_at(krate).package;
        self.analysis.digests.iter().any(|digest| {
            let names = |wanted: &dyn Fn(&str) -> bool| self.names_called(digest.owner).any(|n| wanted(self.text(n)));
            let among = |names: &[String], name: &str| names.iter().any(|n| n == name);
            let other = self.crate_id_of(self.def(digest.owner).module);
            let same = self.crate_at(other).package == package;
            match &lack.felt_in[..] {
                [] => {
                    names(&|name| is_timeout(name) || among(&lack.set_by, name))
                        && (same || self.is_built_on(other, krate))
                }
                methods => {
                    same && names(&is_timeout) && names(&|name| among(methods, name)) && {
                        let function = self.typed(digest.root);
                        has_timed(&Tracer::new(self, &function), methods)
                    }
                }
            }
        })
    }
}

fn is_timeout(name: &str) -> bool {
    matches!(name, "timeout" | "timeout_at")
}

/// `timeout(limit, pool.get())`, `timeout(limit, async { pool.get().await })`, `pool.get().timeout(limit)`
fn has_timed(tracer: &Tracer, methods: &[String]) -> bool {
    (0..tracer.function.bodies.len() as u32).any(|index| {
        let body = &tracer.body(index).body;
        let outer = tracer.handed_to(index);
        let within = outer.is_some_and(|(outer, call, _)| is_timeout(called(tracer, outer, call)));
        let mut ids = (0..body.statements.len() as u32).map(StatementId);
        ids.any(|id| waits(tracer, index, id, methods) && (within || is_timed(tracer, index, id)))
    })
}

/// `pool.get()` on a pool, a client, or what nothing is known of.
fn waits(tracer: &Tracer, index: u32, id: StatementId, methods: &[String]) -> bool {
    let body = &tracer.body(index).body;
    let statement = &body.statements[id.index()];
    let named = statement.op == Op::CallMethod && methods.iter().any(|m| m == tracer.method_name(index, statement));
    named
        && body.args(statement).first().and_then(|a| a.as_place()).is_some_and(|(_, place)| {
            let model = tracer.model;
            let mut inside = model.inside(tracer.ty(index, place));
            let ty = model.peel_refs(tracer.ty(index, place));
            !ty.is_known() || inside.any(|ty| model.obligation(ty).is_some() || model.type_row(ty).is_none())
        })
}

/// Whether the future that a call gives goes into a timeout, or what the calls after it make of it before anyone awaits:
/// `client.get(url).header(k, v).timeout(limit)`, `timeout(limit, client.get(url).send())`.
fn is_timed(tracer: &Tracer, index: u32, id: StatementId) -> bool {
    let body = &tracer.body(index).body;
    let made = |s: &Statement| s.dest.get().and_then(|d| body.whole_local(d));
    let Some(mut future) = made(&body.statements[id.index()]) else { return false };
    let uses = |s: &Statement, local: LocalId| {
        body.args(s).iter().any(|a| a.as_place().is_some_and(|(_, place)| body.local_of(place) == Some(local)))
    };
    let calls = |s: &&Statement| matches!(s.op, Op::Call | Op::CallMethod);
    for _ in 0..CHAIN {
        let next = body.statements.iter().enumerate().find(|(_, s)| calls(s) && uses(s, future));
        let Some((at, call)) = next else { return false };
        if is_timeout(called(tracer, index, StatementId(at as u32))) {
            return true;
        }
        let temporary = made(call).filter(|l| body.locals[l.index()].kind == LocalKind::Temp);
        let Some(made) = temporary.filter(|_| call.op == Op::CallMethod) else { return false };
        future = made;
    }
    false
}

/// The last name of what a statement calls.
fn called<'a>(tracer: &Tracer<'a>, index: u32, id: StatementId) -> &'a str {
    let statement = &tracer.body(index).body.statements[id.index()];
    if matches!(statement.op, Op::Call | Op::CallMethod) { tracer.method_name(index, statement) } else { "" }
}
