#![doc = include_str!("../../lints/unbounded_field_collection.md")]

use super::growth::{is_look, told_once};
use super::often::runs_often;
use crate::diagnostic::{Confidence, Diagnostic};
use crate::model::access::Root;
use crate::model::heat::Runs;
use crate::model::ledger::Event;
use crate::model::owners::Lifetime;
use crate::model::{DefId, Model, Symbol};
use rustc_hash::FxHashSet;

const NAME: &str = "unbounded_field_collection";

/// Reports fields of long-lived objects that only grow.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    let mut roots: Vec<Root> = model.analysis.ledger.roots().collect();
    roots.sort_unstable();
    // What two owners share grows once.
    let mut places = FxHashSet::default();
    let programs = model.packages_of_programs();
    for root in roots {
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
        // A clear at shutdown is too late. What is emptied by half is another lint's.
        let kept_small = model.is_kept_small(name, &events, &|e| model.is_in_time(owner, e));
        if kept_small || model.is_half_emptied(root) {
            continue;
        }
        let (mut functions, mut reports) = (Vec::new(), Vec::new());
        let package = model.crate_of(model.def(owner).module).package;
        let in_program = package.is_some_and(|package| programs.contains(&package));
        let keys_are_static = model.field_keys_are_static(owner, name);
        for event in events.iter().filter(|e| e.is_growth() && !(keys_are_static && e.has_key())) {
            let Some(lifetime) = model.lifetime(owner, name, event) else { continue };
            let often = matches!(model.runs_of(event), Runs::PerCall | Runs::PerThread | Runs::Repeated)
                || lifetime == Lifetime::Loop;
            if often && !functions.contains(&event.site.function) && places.insert(event.site) {
                functions.push(event.site.function);
                let looked_up = events.iter().any(|e| is_look(e, event));
                reports.push(report(model, owner, name, event, (lifetime, looked_up, in_program)));
            }
        }
        out.extend(told_once(reports));
    }
}

fn report(
    model: &Model,
    owner: DefId,
    name: Symbol,
    event: &Event,
    (lifetime, looked_up, in_program): (Lifetime, bool, bool),
) -> Diagnostic {
    let field = model.text(name);
    let of = model.item_path(owner);
    let item = model.item_path(model.analysis.digests[event.site.function as usize].owner);
    let runs = model.runs_of(event);
    let held = model.declared_field(owner, name).unwrap_or_default();
    let confidence = match (lifetime, runs) {
        // What a command-line tool keeps, it keeps for one command.
        (Lifetime::Shared, _) if model.is_tool(owner) || model.is_of_tool(owner) => Confidence::Low,
        // A memo has one entry per different key: that there is no end of keys is one assumption more.
        (Lifetime::Shared, _) if looked_up => Confidence::Low,
        // All who call it are in sight, and none is seen to do so again and again: two assumptions are one too many.
        (Lifetime::Shared, runs) if in_program && runs != Runs::Repeated => Confidence::Low,
        // `register(&self, name, codec)`: nothing shows that there is no end of implementations, or of what was leaked.
        _ if model.holds_leaked(held) || runs != Runs::Repeated && model.holds_implementations(held) => Confidence::Low,
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
    match lifetime {
        Lifetime::Outlives(span) => {
            diagnostic = diagnostic.label(span, "what belongs to the same entry is removed here")
        }
        Lifetime::Trimmed(span) => diagnostic = diagnostic.label(span, "gives back room, and leaves every entry"),
        Lifetime::Static | Lifetime::Loop | Lifetime::Shared | Lifetime::Actor => {}
    }
    let why = match lifetime {
        Lifetime::Static | Lifetime::Loop => None,
        Lifetime::Actor => Some(format!("assumed that `{of}` lives long: it is called as long as there is work")),
        Lifetime::Outlives(_) => {
            Some(format!("assumed that `{of}` lives long: entries of others of its collections are removed"))
        }
        Lifetime::Trimmed(_) => {
            Some(format!("assumed that `{of}` lives long: spare room of the collection is given back"))
        }
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
