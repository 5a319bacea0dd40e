#![doc = include_str!("../../lints/undrained_task_set.md")]

use super::often::runs_often;
use crate::diagnostic::{Confidence, Diagnostic};
use crate::facts::body::*;
use crate::model::access::{Root, Tracer};
use crate::model::exits::{is_service_loop, loops_up};
use crate::model::heat::Runs;
use crate::model::ledger::{Event, EventKind};
use crate::model::{DefId, Model, Symbol};
use crate::source::Span;

const NAME: &str = "undrained_task_set";

/// Reports sets of tasks that are filled in a loop, or per call, and not drained while they grow.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    let grows = |e: &Event| e.tasks && !e.access.element;
    for (position, digest) in model.analysis.digests.iter().enumerate() {
        let runs = model.analysis.heats[position];
        if runs == Runs::Test && !model.tests || !digest.events.list.iter().any(grows) {
            continue;
        }
        let function = model.typed(digest.root);
        let tracer = Tracer::new(model, &function);
        for event in digest.events.list.iter().filter(|e| grows(e)) {
            let found = match event.access.root {
                Root::Local(body, local) => local_set(&tracer, &digest.events.list, event, body, local),
                Root::Field(owner, name) => field_set(&tracer, event, owner, name),
                _ => None,
            };
            if let Some(found) = found {
                out.push(report(model, digest.owner, event, found));
            }
        }
    }
}

struct Found {
    confidence: Confidence,
    /// The declaration of the set.
    declared: Option<Span>,
    /// The loop that fills it.
    filled: Option<Span>,
    /// A drain that comes too late, or that does not match what has ended.
    late: Option<(Span, &'static str)>,
    assumption: Option<String>,
}

/// A set in a local: filled in a loop that serves, made before it, and not drained within.
fn local_set(tracer: &Tracer, events: &[Event], event: &Event, body: u32, local: LocalId) -> Option<Found> {
    let index = event.site.body;
    if index != body {
        // `handles.push(..)` in a closure: the loop is elsewhere.
        return None;
    }
    let typed = tracer.body(index);
    let made = tracer.definition_id(index, local).and_then(|id| crate::model::digest::innermost_loop(&typed.body, id));
    let made_in: Vec<LoopId> = made.map_or(Vec::new(), |l| loops_up(&typed.body, l).collect());
    let filling = loops_up(&typed.body, event.in_loop)
        .filter(|l| !made_in.contains(l))
        .find(|&l| is_service_loop(tracer, index, l))?;
    let in_loop = |e: &Event| e.site.body != index || loops_up(&typed.body, e.in_loop).any(|l| l == filling);
    let drains: Vec<&Event> = events.iter().filter(|e| e.access.root == event.access.root && drains(e)).collect();
    if drains.iter().any(|e| in_loop(e) && !is_refutable_arm(tracer, e)) {
        return None;
    }
    let late = drains.first().map(|e| {
        let text = if in_loop(e) {
            "this arm does not match a task that ended well, and is then switched off"
        } else {
            "drained here, after the loop"
        };
        (e.site.span, text)
    });
    let file = typed.at.file;
    let declared = Span { file, range: typed.body.locals[local.index()].span };
    let filled = Span { file, range: typed.body.loops[filling.index()].span };
    Some(Found { confidence: Confidence::High, declared: Some(declared), filled: Some(filled), late, assumption: None })
}

fn drains(event: &Event) -> bool {
    !matches!(event.kind, EventKind::Grow | EventKind::Look | EventKind::Trim)
}

/// `Some(Err(e)) = set.join_next() =>`: below `Some` the pattern may fail, and the arm is off until the next turn.
fn is_refutable_arm(tracer: &Tracer, event: &Event) -> bool {
    let body = &tracer.body(event.site.body).body;
    let Some(future) = body.whole_local(body.statements[event.site.statement.index()].dest) else { return false };
    for block in body.blocks.iter().filter(|b| b.end == End::Select) {
        let Some(polled) = block.statements.of(&body.statements).iter().rev().find(|s| s.op == Op::Macro) else {
            continue;
        };
        let arm = body
            .args(polled)
            .iter()
            .position(|a| a.as_place().is_some_and(|(_, place)| body.whole_local(place) == Some(future)));
        if let Some(arm) = arm {
            let pattern = block.edges.of(&body.edges)[arm].pattern;
            return pattern.get().is_some_and(|p| below_first(body, p).iter().any(|&p| body.is_refutable(p)));
        }
    }
    false
}

fn below_first(body: &Body, pattern: PatternId) -> &[PatternId] {
    body.patterns[pattern.index()].args.of(&body.pattern_args)
}

/// A set in a field: filled in a loop that serves, or per call, and drained nowhere but at the end.
fn field_set(tracer: &Tracer, event: &Event, owner: DefId, name: Symbol) -> Option<Found> {
    let model = tracer.model;
    if model.field_is_borrowed(owner, name) || model.is_setup(event) {
        return None;
    }
    let all = model.analysis.ledger.events(event.access.root);
    let at_the_end = |e: &Event| model.is_shutdown(model.analysis.digests[e.site.function as usize].owner, owner);
    let others: Vec<&Event> = all.iter().filter(|e| drains(e)).collect();
    let excuses = |e: &&Event| !at_the_end(e);
    if others.iter().any(excuses) || model.analysis.ledger.may_shrink(name, |e| !at_the_end(e)) {
        return None;
    }
    let runs = model.runs_of(event);
    let index = event.site.body;
    let typed = tracer.body(index);
    let filling = loops_up(&typed.body, event.in_loop).find(|&l| is_service_loop(tracer, index, l));
    let item = model.item_path(model.analysis.digests[event.site.function as usize].owner);
    let (confidence, assumption) = match runs {
        _ if filling.is_some() => (Confidence::High, None),
        Runs::Repeated => (Confidence::High, None),
        Runs::PerCall => (Confidence::Medium, Some(runs_often(&item))),
        _ => return None,
    };
    Some(Found {
        confidence,
        declared: model.field_span(owner, name),
        filled: filling.map(|l| Span { file: typed.at.file, range: typed.body.loops[l.index()].span }),
        late: others.first().map(|e| (e.site.span, "drained here, when everything ends")),
        assumption,
    })
}

fn report(model: &Model, owner: DefId, event: &Event, found: Found) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(
        NAME,
        found.confidence,
        event.site.span,
        model.item_path(owner),
        "this set of tasks is filled as long as there is work, and not drained meanwhile".to_owned(),
        "looked for `join_next`, `try_join_next`, `next`, `retain`, a helper or anything else that takes out finished tasks \
         while the set grows; found none"
            .to_owned(),
        "take finished tasks out where new ones are added: a `select!` arm `Some(result) = set.join_next()`, or \
         `while let Some(result) = set.try_join_next()`; where no result is needed, use a `TaskTracker`"
            .to_owned(),
    )
    .primary("a task is added here");
    for (span, text) in [(found.declared, "the set"), (found.filled, "filled in this loop")] {
        if let Some(span) = span.filter(|s| s.range.hi > 0) {
            diagnostic = diagnostic.label(span, text);
        }
    }
    if let Some((span, text)) = found.late {
        diagnostic = diagnostic.label(span, text);
    }
    match found.assumption {
        Some(note) => diagnostic.note(note),
        None => diagnostic,
    }
}
