#![doc = include_str!("../../lints/swallowed_task_error.md")]

use crate::diagnostic::{Confidence, Diagnostic};
use crate::facts::body::*;
use crate::model::access::Tracer;
use crate::model::digest::{Seed, innermost_loop};
use crate::model::exits::{is_lasting, loops_up};
use crate::model::heat::Runs;
use crate::model::results::{discarded, may_fail, tells_within};
use crate::model::tasks::{Work, handle, is_dropped, is_spawn, spawn_runs, spawned};
use crate::model::{Callee, DefId, Model};
use crate::source::Span;

const NAME: &str = "swallowed_task_error";

/// Reports background work whose errors nobody can see.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    model.each_seed(is_spawn, |tracer, position, seed| {
        if spawn_runs(tracer, position, seed) <= Runs::Never {
            return;
        }
        let Some(work) = spawned(tracer, seed) else { return };
        let function = model.analysis.digests[position as usize].owner;
        match work.work {
            Work::Body(index) => {
                result(tracer, seed, (tracer, index), (work.noun(), function), out);
                calls(tracer, index, model.span_of(tracer, seed.body, seed.statement), out);
            }
            Work::Function(def) => {
                let Some(root) = model.body_of(def) else { return };
                let inner = model.typed(root);
                let inner = Tracer::new(model, &inner);
                result(tracer, seed, (&inner, 0), (work.noun(), function), out);
                calls(&inner, 0, model.span_of(tracer, seed.body, seed.statement), out);
            }
            Work::Unknown => {}
        }
    });
}

/// The result of the work itself, where the handle is dropped.
fn result(
    tracer: &Tracer,
    seed: &Seed,
    (inner, index): (&Tracer, u32),
    (noun, function): (&str, DefId),
    out: &mut Vec<Diagnostic>,
) {
    let model = tracer.model;
    let ty = model.payload(tracer.ty(seed.body, tracer.body(seed.body).body.statements[seed.statement.index()].dest));
    // `spawn(async { .. })` of a future that gives a `Result`
    let error = model.obligation(ty).and_then(|_| model.telling_error(model.arg(ty, 0)));
    let Some(kind) = spawned(tracer, seed).filter(|_| error.is_some()).map(|s| s.kind) else { return };
    if !may_fail(inner, index) || !is_dropped(tracer, seed, &handle(tracer, seed, kind)) || told(inner, index, 2) {
        return;
    }
    let found = lasting(inner, index, 2);
    let confidence = if found.is_some() && !model.is_tool(function) { Confidence::Medium } else { Confidence::Low };
    let mut diagnostic = Diagnostic::new(
        NAME,
        confidence,
        model.span_of(tracer, seed.body, seed.statement),
        model.item_path(function),
        format!("the handle of this {noun} is dropped, and with it the error that ends it"),
        "looked for a log, a send, or anything else that tells of the error where it arises, and for somebody who awaits \
         the handle; found none"
            .to_owned(),
        format!("log the error in the {noun}, or keep the handle and look at its result: in a `JoinSet`, or where the service ends"),
    )
    .primary("its result is dropped");
    if let Some(at) = found {
        diagnostic = diagnostic.label(at, "this ends for good at the first error");
    }
    if confidence == Confidence::Medium {
        diagnostic = diagnostic.note("assumed that what it calls does not tell of its errors either".to_owned());
    }
    out.push(diagnostic);
}

/// Whether a body, or a function that it calls and that can fail, tells somebody of errors.
fn told(tracer: &Tracer, index: u32, depth: u32) -> bool {
    tells_within(tracer, index)
        || callees(tracer, index, depth, &mut |inner| told(inner, 0, depth - 1).then_some(())).is_some()
}

/// A loop of a body that runs as long as there is work, or the call of a library that serves; in it, or in a function
/// that it calls and that can fail.
fn lasting(tracer: &Tracer, index: u32, depth: u32) -> Option<Span> {
    let typed = tracer.body(index);
    let mut loops = (0..typed.body.loops.len() as u32).map(LoopId);
    if let Some(found) = loops.find(|&l| is_lasting(tracer, index, l)) {
        return Some(Span { file: typed.at.file, range: typed.body.loops[found.index()].span });
    }
    let mut calls = (0..typed.body.statements.len() as u32).map(StatementId);
    match calls.find(|&id| tracer.row(index, id).is_some_and(|row| row.serves)) {
        Some(serves) => Some(tracer.span(index, serves)),
        None => callees(tracer, index, depth, &mut |inner| lasting(inner, 0, depth - 1)),
    }
}

/// Asks the functions that a body calls and that give an error that says something.
fn callees<T>(tracer: &Tracer, index: u32, depth: u32, ask: &mut dyn FnMut(&Tracer) -> Option<T>) -> Option<T> {
    let model = tracer.model;
    let typed = tracer.body(index);
    let callees = typed.types.callees.iter().filter_map(|c| if let Callee::Def(def) = *c { Some(def) } else { None });
    let fallible = callees.filter(|&def| depth > 0 && model.telling_error(model.outcome(def)).is_some());
    fallible.filter_map(|def| model.body_of(def)).find_map(|root| {
        let function = model.typed(root);
        ask(&Tracer::new(model, &function))
    })
}

/// Whether a loop calls nothing else of the run: then its error is that of the whole round.
fn is_all(tracer: &Tracer, index: u32, around: LoopId, callee: DefId) -> bool {
    let typed = tracer.body(index);
    let blocks = (0..typed.body.blocks.len() as u32).map(BlockId).filter(|&b| typed.body.block_in_loop(b, around));
    let mut calls = blocks.flat_map(|b| typed.body.blocks[b.index()].statements.ids()).map(StatementId);
    calls.all(|id| !matches!(typed.types.callee(id), Callee::Def(other) if other != callee))
}

/// Calls in the loop of the work whose error is thrown away.
fn calls(tracer: &Tracer, index: u32, spawned_at: Span, out: &mut Vec<Diagnostic>) {
    let model = tracer.model;
    let typed = tracer.body(index);
    for (id, callee) in discarded(tracer, index) {
        let innermost = innermost_loop(&typed.body, id).unwrap_or_default();
        let Some(around) = loops_up(&typed.body, innermost).find(|&l| is_lasting(tracer, index, l)) else { continue };
        let span = model.span_of(tracer, index, id);
        let seen = out.iter().any(|d| d.lint == NAME && d.span == span);
        if seen || model.is_left_out(span) || model.tells_of_errors(callee) {
            continue;
        }
        let owner = model.owner(typed.at);
        let whole = is_all(tracer, index, around, callee) && !model.is_tool(owner);
        let confidence = if whole { Confidence::Medium } else { Confidence::Low };
        let name = model.text(model.def_name(callee));
        let range = typed.body.loops[around.index()].span;
        let mut diagnostic = Diagnostic::new(
            NAME,
            confidence,
            span,
            model.item_path(owner),
            format!("the error of `{name}` is thrown away in the loop of a background task"),
            format!("looked for a log, a count, a branch on the result, and for a log in `{name}` itself; found none"),
            "log or count the error, and leave the loop when it goes on failing".to_owned(),
        )
        .primary("its error is dropped")
        .label(spawned_at, "runs in the background")
        .label(Span { file: typed.at.file, range }, "and goes on");
        if confidence == Confidence::Medium {
            diagnostic = diagnostic.note(format!("assumed that nobody learns otherwise that `{name}` fails"));
        }
        out.push(diagnostic);
    }
}
