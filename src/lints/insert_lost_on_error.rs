#![doc = include_str!("../../lints/insert_lost_on_error.md")]

use crate::diagnostic::{Confidence, Diagnostic};
use crate::facts::body::{Block, EdgeKind};
use crate::model::access::Root;
use crate::model::entries::{Removers, ends_of_value, leaves_useless, shows_taken, useless};
use crate::model::heat::Runs;
use crate::model::keyed::{Exit, ways};
use crate::model::ledger::Event;
use crate::model::{Model, Symbol};
use crate::source::Span;

const NAME: &str = "insert_lost_on_error";

/// Reports entries of long-lived collections that stay when what they were made for fails.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    for root in model.analysis.ledger.roots() {
        if !matches!(root, Root::Static(_) | Root::Field(..)) {
            continue;
        }
        let grows = |e: &&Event| e.is_growth() && (model.tests || model.runs_of(e) != Runs::Test);
        let mut growth: Vec<Event> = model.analysis.ledger.events(root).iter().filter(grows).copied().collect();
        growth.sort_by_key(|e| e.site);
        if growth.is_empty() {
            continue;
        }
        let Some(removers) = Removers::of(model, root) else { continue };
        for event in growth {
            if let Some((exit, confidence)) = lost(model, &removers, &event) {
                out.push(report(model, root, &event, &exit, confidence));
            }
        }
    }
}

/// The exit with which an entry is lost.
fn lost(model: &Model, removers: &Removers, event: &Event) -> Option<(Exit, Confidence)> {
    let (function, index) = (event.site.function, event.site.body);
    if removers.are_around(function, index) {
        return None;
    }
    let digest = &model.analysis.digests[function as usize];
    let typed = model.typed(digest.root);
    let tracer = crate::model::access::Tracer::new(model, &typed);
    let why = useless(&tracer, event)?;
    let ends = ends_of_value(&tracer, event);
    let touch = |id| removers.touch(&tracer, function, index, id);
    let taken = |block: &Block, position| shows_taken(&tracer, index, &ends, block, position);
    let ways = ways(&tracer, index, event.site.statement, &touch, &taken);
    let exits = ways.exits.iter().filter(|e| leaves_useless(&tracer, index, &why, e));
    let exit = *exits.min_by_key(|e| (e.kind == EdgeKind::Cancel, e.at))?;
    let lives_long = match removers.root() {
        // Behind a lock it is there for others, for as long as they are.
        Root::Field(owner, name) => model.lifetime(owner, name, event).is_some() || model.is_shared_field(owner, name),
        _ => true,
    };
    let confidence = match exit.kind {
        EdgeKind::Cancel => Confidence::Low,
        // What makes up a key is there to be called more than once, if it is not seen to run once.
        _ if !lives_long || model.runs_of(event) == Runs::Once => Confidence::Low,
        _ => Confidence::Medium,
    };
    Some((exit, confidence))
}

fn report(model: &Model, root: Root, event: &Event, exit: &Exit, confidence: Confidence) -> Diagnostic {
    let item = model.item_path(model.analysis.digests[event.site.function as usize].owner);
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
        event.site.span,
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
    .label(Span { file: event.site.span.file, range: exit.at }, "leaves here, the entry stays");
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
