#![doc = include_str!("../../lints/replaced_task_handle.md")]

use crate::diagnostic::{Confidence, Diagnostic};
use crate::model::Model;
use crate::model::access::{Root, Tracer};
use crate::model::digest::Seed;
use crate::model::heat::Runs;
use crate::model::kept_tasks::{FieldUse, How, Keep, UseKind, keeps};
use crate::model::replaced_tasks::{is_looked_at_before, is_told_otherwise, may_replace};
use crate::model::tasks::{self, Lasting, Spawned};
use crate::source::Span;

const NAME: &str = "replaced_task_handle";

/// Reports handles of tasks that are put where one may be already, which nobody ends.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    model.each_seed(tasks::is_spawn, |tracer, position, seed| {
        let Some(spawned) = tasks::spawned(tracer, seed) else { return };
        let runs = tasks::spawn_runs(tracer, position, seed);
        if runs < Runs::PerThread {
            return;
        }
        let keeps = keeps(tracer, seed.body, seed.statement);
        if !keeps.iter().any(|keep| may_replace(tracer, seed.body, keep)) {
            return;
        }
        let lasting = tasks::lasts(tracer, spawned.work);
        let uses: Vec<Vec<FieldUse>> = keeps.iter().map(|keep| model.uses_of(keep.root)).collect();
        // What is aborted somewhere is worth to be.
        let aborted = uses.iter().flatten().find(|u| u.kind == UseKind::Aborts).map(|u| u.span);
        for (keep, uses) in keeps.iter().zip(&uses).filter(|(keep, _)| may_replace(tracer, seed.body, keep)) {
            let told = lasting.is_none() && is_told_otherwise(tracer, seed.body, keep);
            if told || is_looked_at_before(tracer, position, seed.body, keep, uses) {
                continue;
            }
            let confidence = match (lasting, aborted) {
                (Some(_), _) if runs == Runs::Repeated => Confidence::High,
                (Some(_), _) | (None, Some(_)) => Confidence::Medium,
                (None, None) => Confidence::Low,
            };
            let found = Found { spawned, lasting, aborted, confidence, runs };
            out.push(report(tracer, position, seed, keep, &found));
        }
    });
}

struct Found {
    spawned: Spawned,
    lasting: Option<Lasting>,
    aborted: Option<Span>,
    confidence: Confidence,
    runs: Runs,
}

fn report(tracer: &Tracer, position: u32, seed: &Seed, keep: &Keep, found: &Found) -> Diagnostic {
    let model = tracer.model;
    let noun = found.spawned.noun();
    let owner = model.analysis.digests[position as usize].owner;
    let (place, declared) = match keep.root {
        Root::Field(of, name) => (model.text(name).to_owned(), model.field_span(of, name)),
        Root::Static(def) => (model.item_path(def), None),
        _ => (String::new(), None),
    };
    let goes_on = match found.lasting {
        Some(_) => format!("that {noun} never ends"),
        None => format!("that {noun} goes on"),
    };
    let how = if keep.how == How::Assigned { "an assignment" } else { "an insert" };
    let mut diagnostic = Diagnostic::new(
        NAME,
        found.confidence,
        tracer.span(seed.body, keep.statement),
        model.item_path(owner),
        format!("this replaces the handle of an older {noun} in `{place}`, and {goes_on}"),
        format!(
            "looked for an abort or a join of the old one, a use of what {how} gives back, a look whether there is one, and \
             a new key, here, in what is called before, and in the callers; found none"
        ),
        format!(
            "take the old handle out first and abort or join it; or do not spawn while there is one; or keep the {noun}s in \
             a type that aborts what is dropped, an `AbortOnDropHandle` or a `JoinMap`"
        ),
    )
    .primary("the old handle is dropped here")
    .label(model.span_of(tracer, seed.body, seed.statement), "the new one is spawned here");
    if let Some(span) = declared {
        diagnostic = diagnostic.label(span, "kept here");
    }
    if let Some(at) = found.lasting.and_then(|l| l.at) {
        diagnostic = diagnostic.label(at, "this loop has no exit");
    }
    if let (None, Some(at)) = (found.lasting, found.aborted) {
        diagnostic = diagnostic
            .label(at, "elsewhere it is aborted")
            .note(format!("assumed that the old {noun} may still run: elsewhere it is worth an abort"));
    }
    if found.runs != Runs::Repeated && found.confidence > Confidence::Low {
        let spawner = model.item_path(owner);
        diagnostic = diagnostic
            .note(format!("assumed that `{spawner}` runs more than once: it can be called any number of times"));
    }
    diagnostic
}
