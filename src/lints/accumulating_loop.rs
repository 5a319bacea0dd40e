#![doc = include_str!("../../lints/accumulating_loop.md")]

use crate::diagnostic::{Confidence, Diagnostic};
use crate::model::access::Root;
use crate::model::accumulate::{Accumulated, After, accumulated};
use crate::model::ledger::Event;
use crate::model::{DefId, Model};

const NAME: &str = "accumulating_loop";

/// Reports local collections that a loop fills for as long as it runs.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    let local_growth = |e: &&Event| matches!(e.access.root, Root::Local(..)) && e.is_growth() && e.serving;
    model.each_function(
        |digest| digest.events.list.iter().any(|e| local_growth(&e)),
        |tracer, position| {
            let digest = &model.analysis.digests[position as usize];
            let mut seen = Vec::new();
            for event in digest.events.list.iter().filter(local_growth) {
                if seen.contains(&event.access.root) {
                    continue;
                }
                let Some(found) = accumulated(tracer, &digest.events.list, event) else { continue };
                seen.push(event.access.root);
                if let Some(confidence) = confidence(model, digest.owner, &found) {
                    out.push(report(model, digest.owner, event, &found, confidence));
                }
            }
        },
    );
}

fn confidence(model: &Model, owner: DefId, found: &Accumulated) -> Option<Confidence> {
    match found.after {
        // What the loop was for: `while let Some(part) = parts.next().await { all.push(part); } Ok(all)`.
        After::Moved => None,
        After::Read => Some(Confidence::Low),
        // A program that ends soon takes what it kept with it.
        After::Unused if model.is_tool(owner) || model.is_of_tool(owner) => Some(Confidence::Low),
        After::Unused if found.endless && !found.keyed => Some(Confidence::High),
        // That there is no end of keys and that there is one of the loop are two assumptions.
        After::Unused if found.keyed && !found.endless => Some(Confidence::Low),
        After::Unused => Some(Confidence::Medium),
    }
}

fn report(model: &Model, owner: DefId, event: &Event, found: &Accumulated, confidence: Confidence) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(
        NAME,
        confidence,
        event.site.span,
        model.item_path(owner),
        "this collection grows for as long as the loop runs, and nothing in the loop makes it smaller".to_owned(),
        "looked in the loop for a removal, a clear, a flush, a replacement, a check of its length, or a place where it goes \
         out of sight; found none"
            .to_owned(),
        "take out what has been dealt with, flush and clear it when it reaches a size, or make it anew in each round".to_owned(),
    )
    .primary("grows here")
    .label(found.declared, "made before the loop")
    .label(found.in_loop, "filled in this loop");
    if confidence == Confidence::Medium && found.keyed {
        diagnostic = diagnostic.note("assumed that there is no end of different keys".to_owned());
    }
    if confidence == Confidence::Medium && !found.endless && !found.keyed {
        diagnostic = diagnostic.note("assumed that the loop has a lot to read before it ends".to_owned());
    }
    diagnostic
}
