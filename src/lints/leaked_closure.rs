#![doc = include_str!("../../lints/leaked_closure.md")]

use super::often::says_how_often;
use crate::diagnostic::{Confidence, Diagnostic};
use crate::model::access::Tracer;
use crate::model::callbacks::{Added, Forgotten, added, forgotten};
use crate::model::digest::{Seed, SeedKind, is_repeated_at};
use crate::model::heat::Runs;
use crate::model::lookups::fills_on_a_miss;
use crate::model::{DefId, Model};

const NAME: &str = "leaked_closure";

/// Words in the names of functions that run when a page is loaded.
const SETUP: [&str; 12] = [
    "boot",
    "bootstrap",
    "hydrate",
    "init",
    "initialise",
    "initialize",
    "install",
    "launch",
    "main",
    "mount",
    "setup",
    "start",
];

/// Reports callbacks whose handle is forgotten, and listeners that stay, where that happens again and again.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    model.each_seed(
        |seed| matches!(seed.kind, SeedKind::Forget | SeedKind::Listen),
        |tracer, position, seed| {
            let runs = model.runs_at(position, seed.body, is_repeated_at(tracer, seed.body, seed.statement));
            let owner = model.analysis.digests[position as usize].owner;
            // `if events.contains(name) { return } .. events.insert(name)`: one for each name.
            if !is_often(model, owner, runs) || fills_on_a_miss(tracer) {
                return;
            }
            if let Some(lost) = forgotten(tracer, seed) {
                out.push(report(tracer, position, seed, runs, lost));
            } else if let Some(added) = added(tracer, seed) {
                out.push(report_added(tracer, position, seed, added));
            }
        },
    );
}

fn is_often(model: &Model, owner: DefId, runs: Runs) -> bool {
    match runs {
        // `pub fn forget(self) { self.closure.forget() }`: whoever calls it decides.
        _ if model.name_says(owner, &["forget", "leak"]) => false,
        Runs::Repeated => true,
        // `pub fn start()`: once for the page, unless it is a method, for each object.
        Runs::PerCall => model.has_receiver(owner) || !model.name_says(owner, &SETUP),
        _ => false,
    }
}

fn report(tracer: &Tracer, position: u32, seed: &Seed, runs: Runs, lost: Forgotten) -> Diagnostic {
    let model = tracer.model;
    let item = model.item_path(model.analysis.digests[position as usize].owner);
    let Forgotten { what, freed_by_call, may_wait, made } = lost;
    let message = match freed_by_call {
        true => format!("this {what} is freed only if it is called, and stays for good if it is not"),
        false => format!("this {what} is forgotten each time this code runs, and stays with all that it captured"),
    };
    let confidence = match runs {
        _ if freed_by_call && !may_wait => Confidence::Low,
        Runs::Repeated if !freed_by_call => Confidence::High,
        _ => Confidence::Medium,
    };
    let span = model.span_of(tracer, seed.body, seed.statement);
    let mut diagnostic = Diagnostic::new(
        NAME,
        confidence,
        span,
        item.clone(),
        message,
        "looked for a handle that is kept beside what it listens to and dropped with it, and for something that makes this \
         code run once; found none"
            .to_owned(),
        "keep the handle in the component and drop it when that is taken away (`on_cleanup`, the closure that an effect \
         returns, `use_drop`), or give it to JavaScript's collector by `into_js_value`"
            .to_owned(),
    )
    .primary("forgotten here");
    if let Some(made) = made.filter(|&made| made != span) {
        diagnostic = diagnostic.label(made, "made here");
    }
    if freed_by_call {
        diagnostic =
            diagnostic.note("assumed that it may be cancelled, or that what it waits for may never come".to_owned());
    }
    says_how_often(diagnostic, tracer, position, (seed.body, seed.statement))
}

fn report_added(tracer: &Tracer, position: u32, seed: &Seed, added: Added) -> Diagnostic {
    let model = tracer.model;
    let item = model.item_path(model.analysis.digests[position as usize].owner);
    let Added { made, removed_by } = added;
    let diagnostic = Diagnostic::new(
        NAME,
        Confidence::Medium,
        model.span_of(tracer, seed.body, seed.statement),
        item.clone(),
        "this listener is added each time this code runs, to something that stays as long as the page".to_owned(),
        format!("looked in this function for a call of `{removed_by}..`, and for a place where the listener goes; found none"),
        "keep what is needed to remove it, and remove it when the component is taken away (`on_cleanup`, the closure that an \
         effect returns, `use_drop`)"
            .to_owned(),
    )
    .primary("added here")
    .label(made, "given to the collector, which frees it with what it listens to");
    says_how_often(diagnostic, tracer, position, (seed.body, seed.statement))
}
