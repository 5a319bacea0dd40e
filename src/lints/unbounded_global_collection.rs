#![doc = include_str!("../../lints/unbounded_global_collection.md")]

use super::growth::{is_look, told_once};
use super::often::runs_often;
use crate::diagnostic::{Confidence, Diagnostic};
use crate::model::access::Root;
use crate::model::heat::Runs;
use crate::model::ledger::Event;
use crate::model::{DefId, Model};

const NAME: &str = "unbounded_global_collection";

/// Reports statics that only grow.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    for root in model.analysis.ledger.roots() {
        let Root::Static(def) = root else { continue };
        // Lists of listeners are judged by a lint of their own.
        let judged_elsewhere = model.is_exported(def) || model.listeners(root).is_some();
        if judged_elsewhere || model.is_test(def) && !model.tests {
            continue;
        }
        let events = model.analysis.ledger.events(root);
        // What is emptied by half is another lint's.
        let kept_small = model.is_kept_small(model.def_name(def), &events, &|e| !model.is_test_event(e));
        if kept_small || model.is_half_emptied(root) {
            continue;
        }
        let reports = growth(model, def, &events).into_iter().map(|event| {
            let looked_up = events.iter().any(|e| is_look(e, event));
            report(model, def, event, looked_up)
        });
        out.extend(told_once(reports.collect()));
    }
}

/// The places where it grows without end, each function's first.
fn growth<'e>(model: &Model, def: DefId, events: &'e [Event]) -> Vec<&'e Event> {
    let mut found: Vec<&Event> = Vec::new();
    let keys_are_static = model.static_keys_are_static(def);
    for event in events.iter().filter(|e| !(keys_are_static && e.has_key())) {
        let often = matches!(model.runs_of(event), Runs::PerCall | Runs::PerThread | Runs::Repeated);
        if event.is_growth() && often && !found.iter().any(|f| f.site.function == event.site.function) {
            found.push(event);
        }
    }
    found
}

fn report(model: &Model, def: DefId, event: &Event, looked_up: bool) -> Diagnostic {
    let name = model.text(model.def_name(def));
    let owner = model.analysis.digests[event.site.function as usize].owner;
    let item = model.item_path(owner);
    let runs = model.runs_of(event);
    // `if let Some(id) = names.get(name) { return id }`, then an insert: a table of names, not a leak of requests.
    let interner = looked_up && model.returns_handle(owner);
    let held = model.item_ty(def);
    let confidence = match runs {
        _ if interner || model.holds_leaked(held) => Confidence::Low,
        _ if runs != Runs::Repeated && model.holds_implementations(held) => Confidence::Low,
        // A memo that looks first has one entry per different key, not one per call.
        _ if looked_up => Confidence::Medium,
        Runs::Repeated => Confidence::High,
        _ => Confidence::Medium,
    };
    let diagnostic = Diagnostic::new(
        NAME,
        confidence,
        event.site.span,
        item.clone(),
        format!("the static `{name}` grows here, and nothing ever makes it smaller"),
        "looked in the whole crate for a removal, a clear, a replacement, a check of its length, or a place where it goes out \
         of sight; found none"
            .to_owned(),
        "remove what is done with, bound it (an LRU cache, `moka` with a capacity), or keep it in something that ends"
            .to_owned(),
    )
    .primary("grows here")
    .label(model.def_span(def), "declared here, for the life of the process");
    match runs {
        Runs::Repeated => diagnostic,
        Runs::PerThread => diagnostic.note(format!("assumed that threads come and go: `{item}` runs once in each")),
        _ => diagnostic.note(runs_often(&item)),
    }
}
