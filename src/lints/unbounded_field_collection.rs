#![doc = include_str!("../../lints/unbounded_field_collection.md")]

use super::runs_often;
use crate::diagnostic::{Confidence, Diagnostic};
use crate::model::access::Root;
use crate::model::heat::Runs;
use crate::model::ledger::{Event, EventKind};
use crate::model::owners::Lifetime;
use crate::model::{DefId, Model, Symbol};

const NAME: &str = "unbounded_field_collection";

/// Reports fields of long-lived objects that only grow.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    for root in model.analysis.ledger.roots() {
        let Root::Field(owner, name) = root else { continue };
        // Sets of tasks and lists of listeners are judged by lints of their own.
        let judged_elsewhere = model.is_public_field(owner, name)
            || model.field_holds_obligations(owner, name)
            || model.listeners(root).is_some()
            || model.field_is_borrowed(owner, name);
        if model.is_test(owner) && !model.tests || judged_elsewhere {
            continue;
        }
        let events = model.analysis.ledger.events(root);
        // Another lint says what is wrong with it.
        if excused(model, owner, name, &events) || model.is_half_emptied(root) {
            continue;
        }
        let mut functions = Vec::new();
        let keys_are_static = model.field_keys_are_static(owner, name);
        for event in events.iter().filter(|e| e.is_growth() && !(keys_are_static && e.has_key())) {
            let Some(lifetime) = model.lifetime(owner, name, event) else { continue };
            let often = matches!(model.runs_of(event), Runs::PerCall | Runs::PerThread | Runs::Repeated)
                || lifetime == Lifetime::Loop;
            if often && !functions.contains(&event.site.function) {
                functions.push(event.site.function);
                let looked_up = events.iter().any(|e| {
                    matches!(e.kind, EventKind::Look | EventKind::Bound)
                        && !e.access.element
                        && e.site.function == event.site.function
                });
                out.push(report(model, owner, name, event, lifetime, looked_up));
            }
        }
    }
}

/// Something makes it smaller while it lives, bounds it, or takes it out of sight. A clear at shutdown is too late.
fn excused(model: &Model, owner: DefId, name: Symbol, events: &[Event]) -> bool {
    let in_time = |e: &Event| {
        !model.is_shutdown(model.analysis.digests[e.site.function as usize].owner, owner) && !model.is_test_event(e)
    };
    let excuses = |e: &Event| match e.kind {
        EventKind::Grow | EventKind::Look | EventKind::Pass(..) => false,
        // What is removed from an element leaves its key.
        EventKind::Shrink | EventKind::Replace | EventKind::Bound => !e.access.element && in_time(e),
        EventKind::Expose => true,
    };
    events.iter().any(excuses) || model.analysis.ledger.may_shrink(name, in_time)
}

fn report(model: &Model, owner: DefId, name: Symbol, event: &Event, lifetime: Lifetime, looked_up: bool) -> Diagnostic {
    let field = model.text(name);
    let of = model.item_path(owner);
    let item = model.item_path(model.analysis.digests[event.site.function as usize].owner);
    let runs = model.runs_of(event);
    let confidence = match (lifetime, runs) {
        // What a command-line tool keeps, it keeps for one command.
        (Lifetime::Shared, _) if model.is_tool(owner) || model.is_of_tool(owner) => Confidence::Low,
        // A memo has one entry per different key: that there is no end of keys is one assumption more.
        (Lifetime::Shared, _) if looked_up => Confidence::Low,
        _ if looked_up => Confidence::Medium,
        (Lifetime::Static | Lifetime::Loop, Runs::Repeated) => Confidence::High,
        (Lifetime::Loop, _) => Confidence::High,
        _ => Confidence::Medium,
    };
    let mut diagnostic = Diagnostic::new(
        NAME,
        confidence,
        event.site.span,
        item.clone(),
        format!("`{of}::{field}` grows here, and nothing makes it smaller while its owner lives"),
        "looked in the whole workspace for a removal, a clear, a replacement, a check of its length, or a place where it \
         goes out of sight; found none"
            .to_owned(),
        "remove the entry when what it stands for ends, or bound the collection (an LRU cache, `moka` with a capacity \
         and a time to live)"
            .to_owned(),
    )
    .primary("grows here");
    if let Some(span) = model.field_span(owner, name) {
        diagnostic = diagnostic.label(span, "declared here");
    }
    let why = match lifetime {
        Lifetime::Static => None,
        Lifetime::Loop => None,
        Lifetime::Shared => Some(format!("assumed that `{of}` lives long: the collection is shared behind a lock")),
    };
    if let Some(why) = why {
        diagnostic = diagnostic.note(why);
    }
    if confidence == Confidence::Medium && runs != Runs::Repeated {
        diagnostic = diagnostic.note(runs_often(&item));
    }
    diagnostic
}
