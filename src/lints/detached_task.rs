#![doc = include_str!("../../lints/detached_task.md")]

use crate::diagnostic::{Confidence, Diagnostic};
use crate::model::Model;
use crate::model::access::Tracer;
use crate::model::digest::Seed;
use crate::model::heat::Runs;
use crate::model::tasks::{self, Lasting, Spawned};

const NAME: &str = "detached_task";

/// Reports tasks and threads whose handle is dropped although they never end.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    model.each_seed(tasks::is_spawn, |tracer, position, seed| {
        let Some(spawned) = tasks::spawned(tracer, seed) else { return };
        if !tasks::is_dropped(tracer, seed, &tasks::handle(tracer, seed, spawned.kind)) {
            return;
        }
        let runs = tasks::spawn_runs(tracer, position, seed);
        let lasting = tasks::lasts(tracer, spawned.work);
        let confidence = match (&lasting, runs) {
            (None, _) => Confidence::Low,
            (Some(_), Runs::Repeated) => Confidence::High,
            (Some(_), Runs::PerCall | Runs::PerThread) => Confidence::Medium,
            // Spawned once for the life of the process, or nobody knows how often.
            (Some(_), _) => return,
        };
        out.push(report(tracer, position, seed, spawned, confidence, lasting, runs));
    });
}

#[allow(clippy::too_many_arguments, reason = "the parts of one finding")]
fn report(
    tracer: &Tracer,
    position: u32,
    seed: &Seed,
    spawned: Spawned,
    confidence: Confidence,
    lasting: Option<Lasting>,
    runs: Runs,
) -> Diagnostic {
    let model = tracer.model;
    let span = model.span_of(tracer, seed.body, seed.statement);
    let owner = model.analysis.digests[position as usize].owner;
    let noun = spawned.noun();
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
    let help = match spawned.noun() {
        "thread" => {
            "keep the `JoinHandle`, give the loop a way out (a stop flag, a closed channel), and join it when its owner is dropped"
        }
        _ => {
            "keep the handle in a `JoinSet`, a `TaskTracker` or an `AbortOnDropHandle`, or give the loop a `CancellationToken` to end by"
        }
    };
    let item = model.item_path(owner);
    let mut diagnostic = Diagnostic::new(NAME, confidence, span, item, message, looked_for.to_owned(), help.to_owned())
        .primary("spawned here, the handle is dropped");
    if let Some(at) = lasting.and_then(|l| l.at) {
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
