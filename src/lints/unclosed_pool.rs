#![doc = include_str!("../../lints/unclosed_pool.md")]

use crate::apis::{DropEffect, ObligationKind};
use crate::diagnostic::{Confidence, Diagnostic};
use crate::facts::body::*;
use crate::model::Model;
use crate::model::access::Tracer;
use crate::model::digest::{Seed, SeedKind};
use crate::model::flow::{Fate, Loss, Lost, Terms, fate};
use crate::source::Span;

const NAME: &str = "unclosed_pool";

/// Reports pools that are made for the length of a function and not closed on some path.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    let wanted = |seed: &Seed| match seed.kind {
        SeedKind::Acquire(kind) => kind == ObligationKind::Pool,
        SeedKind::Call(def) => model.acquires(def) == Some(ObligationKind::Pool),
        _ => false,
    };
    model.each_seed(wanted, |tracer, position, seed| {
        let Some(obligation) = tracer.obligation_of(seed) else { return };
        // A pool that closes itself when it is dropped owes nothing.
        if obligation.drop == DropEffect::Closes {
            return;
        }
        let terms = Terms {
            kind: ObligationKind::Pool,
            copy: false,
            ended_by: &obligation.ended_by,
            released_by: &[],
            safe_drop: false,
        };
        let fate = fate(tracer, &model.analysis.releases, terms, seed.body, seed.statement);
        // A second handle that was kept or handed on keeps the pool in use.
        if fate.escapes || !fate.stored.is_empty() || fate.returned {
            return;
        }
        if let Some(loss) = fate.worst() {
            out.push(report(model, tracer, position, seed, &fate, loss));
        }
    });
}

fn report(model: &Model, tracer: &Tracer, position: u32, seed: &Seed, fate: &Fate, loss: &Loss) -> Diagnostic {
    let span = model.span_of(tracer, seed.body, seed.statement);
    let owner = model.analysis.digests[position as usize].owner;
    let confidence = match loss.lost {
        Lost::Exit(EdgeKind::Cancel) => Confidence::Low,
        // The process ends with `main`, and the connections with it.
        _ if model.is_main(owner) => Confidence::Low,
        _ if fate.gave_up => Confidence::Medium,
        _ => Confidence::High,
    };
    let message = match loss.lost {
        Lost::Exit(EdgeKind::Error) => "this connection pool is not closed when an error is returned",
        Lost::Exit(EdgeKind::Cancel) => "this connection pool is not closed when the future is dropped",
        Lost::Exit(_) => "this connection pool is not closed on an early return",
        _ => "this connection pool is made here, used here, and never closed",
    };
    let mut diagnostic = Diagnostic::new(
        NAME,
        confidence,
        span,
        model.item_path(owner),
        message.to_owned(),
        "looked for `close`, for a field, static or application state that keeps the pool, and for a caller that gets it; \
         found none on this path"
            .to_owned(),
        "make one pool per process and share it; where it must be this short-lived, close it on every path".to_owned(),
    )
    .primary("made here");
    let at = |range| Span { file: span.file, range };
    if loss.at.hi > 0 {
        diagnostic = diagnostic.label(at(loss.at), "dropped here without `close`");
    } else {
        let local = &tracer.body(seed.body).body.locals[loss.holder.index()];
        if local.span.hi > 0 {
            diagnostic = diagnostic.label(at(local.span), "dropped at the end of this name's scope");
        }
    }
    if let Some(&release) = fate.releases.first() {
        diagnostic = diagnostic.label(at(release), "closed here, on another path");
    }
    diagnostic
}
