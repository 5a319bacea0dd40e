#![doc = include_str!("../../lints/replaced_task_handle.md")]

use crate::diagnostic::{Confidence, Diagnostic};
use crate::model::Model;
use crate::model::access::{Root, Tracer};
use crate::model::heat::Runs;
use crate::model::kept_tasks::{FieldUse, How, Keep, UseKind, keeps};
use crate::model::replaced_tasks::{is_looked_at_before, is_told_otherwise, may_replace};
use crate::model::tasks::{self, Handle};
use crate::source::Span;

const NAME: &str = "replaced_task_handle";

/// Reports handles of tasks that are put where one may be already, which nobody ends.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    tasks::each_handle(model, |tracer, position, handle| {
        if handle.runs < Runs::PerThread {
            return;
        }
        let keeps = keeps(tracer, handle.body, handle.statement);
        if !keeps.iter().any(|keep| may_replace(tracer, handle.body, keep)) {
            return;
        }
        let uses: Vec<Vec<FieldUse>> = keeps.iter().map(|keep| model.uses_of(keep.root)).collect();
        // What is aborted somewhere is worth to be.
        let aborted = uses.iter().flatten().find(|u| u.kind == UseKind::Aborts).map(|u| u.span);
        for (keep, uses) in keeps.iter().zip(&uses).filter(|(keep, _)| may_replace(tracer, handle.body, keep)) {
            let told = handle.lasting.is_none() && is_told_otherwise(tracer, handle.body, keep);
            if !told && !is_looked_at_before(tracer, position, handle.body, keep, uses) {
                let confidence = confidence(model, position, handle, aborted.is_some());
                out.push(report(tracer, position, handle, keep, aborted, confidence));
            }
        }
    });
}

fn confidence(model: &Model, position: u32, handle: &Handle, aborted: bool) -> Confidence {
    // `fn start(&mut self)` of a trait for services: whoever drives them starts each once.
    let of_trait = model.trait_of(model.analysis.digests[position as usize].owner).is_some();
    match handle.lasting {
        _ if handle.runs != Runs::Repeated && of_trait => Confidence::Low,
        Some(_) if handle.runs == Runs::Repeated => Confidence::High,
        Some(_) => Confidence::Medium,
        None if aborted => Confidence::Medium,
        None => Confidence::Low,
    }
}

fn report(
    tracer: &Tracer,
    position: u32,
    handle: &Handle,
    keep: &Keep,
    aborted: Option<Span>,
    confidence: Confidence,
) -> Diagnostic {
    let model = tracer.model;
    let noun = handle.spawned.noun();
    let owner = model.analysis.digests[position as usize].owner;
    let (place, declared) = match keep.root {
        Root::Field(of, name) => (model.text(name).to_owned(), model.field_span(of, name)),
        Root::Static(def) => (model.item_path(def), None),
        _ => (String::new(), None),
    };
    let goes_on = match handle.lasting {
        Some(_) => format!("that {noun} never ends"),
        None => format!("that {noun} goes on"),
    };
    let how = if keep.how == How::Assigned { "an assignment" } else { "an insert" };
    let mut diagnostic = Diagnostic::new(
        NAME,
        confidence,
        tracer.span(handle.body, keep.statement),
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
    .label(handle.at, "the new one is spawned here");
    if let Some(span) = declared {
        diagnostic = diagnostic.label(span, "kept here");
    }
    if let Some(at) = handle.lasting.and_then(|l| l.at) {
        diagnostic = diagnostic.label(at, "this loop has no exit");
    }
    if let (None, Some(at)) = (handle.lasting, aborted) {
        diagnostic = diagnostic
            .label(at, "elsewhere it is aborted")
            .note(format!("assumed that the old {noun} may still run: elsewhere it is worth an abort"));
    }
    if handle.runs != Runs::Repeated && confidence > Confidence::Low {
        let spawner = model.item_path(owner);
        diagnostic = diagnostic
            .note(format!("assumed that `{spawner}` runs more than once: it can be called any number of times"));
    }
    diagnostic
}
