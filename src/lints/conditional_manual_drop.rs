#![doc = include_str!("../../lints/conditional_manual_drop.md")]

use crate::diagnostic::{Confidence, Diagnostic};
use crate::facts::body::*;
use crate::model::access::Tracer;
use crate::model::guards::{Decision, Reason, decisions, hand_drops};
use crate::model::{DefId, Model};
use crate::source::Span;

const NAME: &str = "conditional_manual_drop";

/// Reports fields that a `Drop` frees by hand, but not on every path on which they are there.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    for digest in &model.analysis.digests {
        let Some(owner) = model.dropped_type(digest.owner).filter(|_| !digest.reclaims.is_empty()) else { continue };
        let function = model.typed(digest.root);
        let tracer = Tracer::new(model, &function);
        for drop in hand_drops(&tracer, owner) {
            let decisions = decisions(&tracer, &drop);
            if let Some(decision) = decisions.iter().find(|d| d.reason != Reason::Itself) {
                out.push(report(&tracer, digest.owner, model.text(drop.field), drop.statement, decision));
            }
        }
    }
}

fn report(tracer: &Tracer, owner: DefId, field: &str, statement: StatementId, decision: &Decision) -> Diagnostic {
    let model = tracer.model;
    let span = model.span_of(tracer, 0, statement);
    let (confidence, why) = match decision.reason {
        Reason::Content => (Confidence::High, format!("`{field}` is looked into here, so it is there on both ways")),
        _ => (Confidence::Medium, format!("this does not say whether `{field}` is still there")),
    };
    let diagnostic = Diagnostic::new(
        NAME,
        confidence,
        span,
        model.item_path(owner),
        format!("the field `{field}` is freed on a condition, and leaked otherwise"),
        format!("looked for a way to free `{field}` when the condition does not hold; found none in this `drop`"),
        "take the field out first (`ManuallyDrop::take`) and then decide what to do with it; use an `Option` where it may be gone \
         already"
            .to_owned(),
    )
    .primary("freed here only")
    .label(Span { file: span.file, range: decision.at }, why);
    match confidence {
        Confidence::High => diagnostic,
        _ => diagnostic.note("assumed that this condition can fail while the field still holds its value"),
    }
}
