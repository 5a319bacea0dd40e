#![doc = include_str!("../../lints/detached_task.md")]

use crate::apis::{ObligationKind, SpawnKind};
use crate::diagnostic::{Confidence, Diagnostic};
use crate::facts::body::*;
use crate::model::access::Tracer;
use crate::model::digest::{Seed, SeedKind};
use crate::model::exits::Ends;
use crate::model::flow::{Fate, Lost, Terms, drops_safely, fate};
use crate::model::heat::Runs;
use crate::model::{Callee, DefId, Model};
use crate::source::Span;

const NAME: &str = "detached_task";

/// Reports tasks and threads whose handle is dropped although they never end.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    let wanted = |seed: &Seed| matches!(seed.kind, SeedKind::Spawn(kind) if kind != SpawnKind::Scoped);
    model.each_seed(wanted, |tracer, position, seed| {
        let SeedKind::Spawn(kind) = seed.kind else { return };
        // `set.spawn(..)`, `runtime.spawn(..)`: the receiver owns it, whatever becomes of the handle.
        if tracer.row(seed.body, seed.statement).and_then(|row| row.spawns).is_some_and(|s| s.owned) {
            return;
        }
        let fate = handle(tracer, seed, kind);
        if !is_detached(tracer, seed, &fate) {
            return;
        }
        let runs = runs_at(model, tracer, position, seed);
        let endless = endless(tracer, seed);
        let confidence = match (&endless, runs) {
            (None, _) => Confidence::Low,
            (Some(_), Runs::Repeated) => Confidence::High,
            (Some(_), Runs::PerCall | Runs::PerThread) => Confidence::Medium,
            // Spawned once for the life of the process, or nobody knows how often.
            (Some(_), _) => return,
        };
        out.push(report(model, tracer, position, seed, kind, confidence, endless.flatten(), runs));
    });
}

/// What becomes of the handle. Where the type of the handle is not known, so is its fate.
fn handle(tracer: &Tracer, seed: &Seed, kind: SpawnKind) -> Fate {
    let kind = match kind {
        SpawnKind::Thread => ObligationKind::Thread,
        _ => ObligationKind::Task,
    };
    let safe_drop = tracer.obligation_of(seed).is_some_and(drops_safely);
    let terms = Terms { safe_drop, ..Terms::of(kind) };
    fate(tracer, &tracer.model.analysis.releases, terms, seed.body, seed.statement)
}

/// Dropped on every path on which it is not returned: nothing releases, stores or takes it.
fn is_detached(tracer: &Tracer, seed: &Seed, fate: &Fate) -> bool {
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

fn runs_at(model: &Model, tracer: &Tracer, position: u32, seed: &Seed) -> Runs {
    let body = &tracer.body(seed.body).body;
    let around = crate::model::digest::innermost_loop(body, seed.statement).unwrap_or_default();
    let repeated = crate::model::digest::is_repeated(tracer, seed.body, around);
    model.runs_at(position, seed.body, repeated)
}

/// The endless loop of what is spawned, if it has one; the place of the loop if it can be shown.
fn endless(tracer: &Tracer, seed: &Seed) -> Option<Option<Span>> {
    let row = tracer.row(seed.body, seed.statement)?;
    let arg = row.spawns?.arg as usize + usize::from(row_has_receiver(tracer, seed));
    let typed = tracer.body(seed.body);
    let operand = *typed.body.args(&typed.body.statements[seed.statement.index()]).get(arg)?;
    let (_, place) = operand.as_place()?;
    let local = typed.body.local_of(place);
    let definition = local.and_then(|l| tracer.definition(seed.body, l));
    if let Some(nested) = definition.and_then(|d| typed.body.nested(d)) {
        let inner = tracer.function.bodies.iter().position(|b| b.at.body == nested)?;
        return never_ends(tracer, inner as u32);
    }
    // `spawn(run(x))`, `thread::spawn(run)`
    let call = local.and_then(|l| tracer.definition_id(seed.body, l)).map(|id| typed.types.callee(id));
    let def = match call {
        Some(Callee::Def(def)) => def,
        _ => tracer.model.fn_def(tracer.ty(seed.body, place))?,
    };
    tracer.model.never_returns(def).then(|| loop_of(tracer.model, def))
}

fn row_has_receiver(tracer: &Tracer, seed: &Seed) -> bool {
    let typed = tracer.body(seed.body);
    typed.body.statements[seed.statement.index()].op == Op::CallMethod
}

fn never_ends(tracer: &Tracer, inner: u32) -> Option<Option<Span>> {
    let typed = tracer.body(inner);
    match crate::model::exits::ends(tracer, inner) {
        Ends::Never(found) => {
            let range = typed.body.loops[found.index()].span;
            Some(Some(Span { file: typed.at.file, range }))
        }
        Ends::Unless(callees) => {
            let never = callees.into_iter().find(|&c| tracer.model.never_returns(c))?;
            Some(loop_of(tracer.model, never))
        }
        Ends::Yes => None,
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

#[allow(clippy::too_many_arguments, reason = "the parts of one finding")]
fn report(
    model: &Model,
    tracer: &Tracer,
    position: u32,
    seed: &Seed,
    kind: SpawnKind,
    confidence: Confidence,
    loop_at: Option<Span>,
    runs: Runs,
) -> Diagnostic {
    let span = model.span_of(tracer, seed.body, seed.statement);
    let owner = model.analysis.digests[position as usize].owner;
    let noun = if kind == SpawnKind::Thread { "thread" } else { "task" };
    let message = match confidence {
        Confidence::Low => format!("the handle of this {noun} is dropped, so its result and its panic are lost"),
        _ => format!("the handle of this {noun} is dropped, and the {noun} never ends"),
    };
    let looked_for = match confidence {
        Confidence::Low => "looked for a join, an await, an abort, or a place that keeps the handle; found none",
        _ => {
            "looked for a join, an await, an abort, or a place that keeps the handle, and for an exit of the loop (a closed \
             channel, a cancellation, a shutdown signal, a dead `Weak`); found none"
        }
    };
    let help = match kind {
        SpawnKind::Thread => {
            "keep the `JoinHandle`, give the loop a way out (a stop flag, a closed channel), and join it when its owner is dropped"
        }
        _ => {
            "keep the handle in a `JoinSet`, a `TaskTracker` or an `AbortOnDropHandle`, or give the loop a `CancellationToken` to end by"
        }
    };
    let item = model.item_path(owner);
    let mut diagnostic = Diagnostic::new(NAME, confidence, span, item, message, looked_for.to_owned(), help.to_owned())
        .primary("spawned here, the handle is dropped");
    if let Some(at) = loop_at.filter(|_| confidence > Confidence::Low) {
        diagnostic = diagnostic.label(at, "this loop has no exit");
    }
    if confidence == Confidence::Medium {
        let how =
            if runs == Runs::PerThread { "runs once in every thread" } else { "can be called any number of times" };
        diagnostic =
            diagnostic.note(format!("assumed that `{}` runs more than once: it {how}", model.item_path(owner)));
    }
    diagnostic
}
