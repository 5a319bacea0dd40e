#![doc = include_str!("../../lints/insert_lost_on_error.md")]

use crate::diagnostic::{Confidence, Diagnostic};
use crate::facts::body::EdgeKind;
use crate::model::access::Root;
use crate::model::enrolled::{Loss, is_addition, losses};
use crate::model::entries::Removers;
use crate::model::heat::Runs;
use crate::model::ledger::Event;
use crate::model::{Model, Symbol};
use crate::source::Span;

const NAME: &str = "insert_lost_on_error";

/// Reports entries of long-lived collections that stay when what they were made for fails.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    let ledger = &model.analysis.ledger;
    let known = ledger.roots().map(|root| (root, ledger.events(root)));
    let own = ledger.own_lists().map(|(root, events)| (root, events.to_vec()));
    for (root, events) in known.chain(own) {
        if !matches!(root, Root::Static(_) | Root::Field(..)) {
            continue;
        }
        let mut growth: Vec<Event> = events
            .iter()
            .filter(|e| is_addition(e) && (model.tests || model.runs_of(e) != Runs::Test))
            .copied()
            .collect();
        growth.sort_by_key(|e| e.site);
        if growth.is_empty() {
            continue;
        }
        let Some(removers) = Removers::of(model, root, events) else { continue };
        for event in growth {
            out.extend(
                losses(model, &removers, &event)
                    .iter()
                    .map(|loss| report(model, root, &event, loss, confidence(model, root, &event, loss))),
            );
        }
    }
}

fn confidence(model: &Model, root: Root, event: &Event, loss: &Loss) -> Confidence {
    let function = loss.function;
    let lives_long = match root {
        // Behind a lock it is there for others, for as long as they are.
        Root::Field(owner, name) => {
            model.is_shared_field(owner, name)
                || model.lifetime(owner, name, event).is_some()
                || function != event.site.function
                    && model.is_shared_method(model.analysis.digests[function as usize].owner)
        }
        _ => true,
    };
    let runs = match function == event.site.function {
        true => model.runs_of(event),
        false => model.analysis.heats[function as usize],
    };
    match loss.exit.kind {
        EdgeKind::Cancel => Confidence::Low,
        // What makes up a key is there to be called more than once, if it is not seen to run once.
        _ if !lives_long || matches!(runs, Runs::Once | Runs::Test) => Confidence::Low,
        _ => Confidence::Medium,
    }
}

fn report(model: &Model, root: Root, event: &Event, loss: &Loss, confidence: Confidence) -> Diagnostic {
    let exit = loss.exit;
    let item = model.item_path(model.analysis.digests[loss.function as usize].owner);
    let (what, declared) = match root {
        Root::Field(owner, name) => (named(model, &model.item_path(owner), name), model.field_span(owner, name)),
        Root::Static(def) => (model.item_path(def), None),
        _ => (String::new(), None),
    };
    let when = match exit.kind {
        EdgeKind::Cancel => "when the future is dropped",
        _ => "when an error is returned",
    };
    let mut diagnostic = Diagnostic::new(
        NAME,
        confidence,
        loss.put,
        item.clone(),
        format!("this entry of `{what}` stays there {when}, though nobody can use it then"),
        "looked for a removal on the way out, in the functions called there, in a closure, and in the `Drop` of a guard; \
         found none"
            .to_owned(),
        "do what can fail before the insert, remove the entry where it fails, or insert through a guard that removes it \
         unless it is told to keep it"
            .to_owned(),
    )
    .primary("inserted here")
    .label(Span { file: loss.put.file, range: exit.at }, "leaves here, the entry stays");
    if loss.put != event.site.span {
        diagnostic = diagnostic.label(event.site.span, "the entry is added here");
    }
    if let Some(span) = declared {
        diagnostic = diagnostic.label(span, "declared here");
    }
    match confidence {
        Confidence::Medium => {
            diagnostic.note(format!("assumed that `{what}` outlives the call, and that `{item}` runs often"))
        }
        _ => diagnostic,
    }
}

fn named(model: &Model, owner: &str, name: Symbol) -> String {
    format!("{owner}::{}", model.text(name))
}
