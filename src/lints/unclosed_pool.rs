#![doc = include_str!("../../lints/unclosed_pool.md")]

use super::often::says_how_often;
use crate::apis::ObligationKind;
use crate::diagnostic::{Confidence, Diagnostic};
use crate::facts::body::EdgeKind;
use crate::model::Model;
use crate::model::access::Tracer;
use crate::model::digest::{Seed, SeedKind};
use crate::model::endings::{Ending, endings};
use crate::model::flow::{Loss, Lost, Terms, drops_safely};
use crate::model::heat::Runs;
use crate::source::Span;
use rustc_hash::FxHashSet;

const NAME: &str = "unclosed_pool";

/// Reports pools that are made for the length of a function and not closed on some path.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    let mut seen = FxHashSet::default();
    let wanted = |seed: &Seed| seed.kind == SeedKind::Acquire(ObligationKind::Pool);
    model.each_seed(wanted, |tracer, function, seed| {
        let Some(obligation) = tracer.obligation_of(seed) else { return };
        // A pool that closes itself when it is dropped owes nothing.
        if drops_safely(obligation) {
            return;
        }
        let made = model.span_of(tracer, seed.body, seed.statement);
        for end in endings(tracer, function, seed, &Terms::of_shared(obligation)) {
            // A second handle that was kept or handed on keeps the pool in use.
            if end.fate.escapes || !end.fate.stored.is_empty() || end.fate.returned || !seen.insert(end.span) {
                continue;
            }
            // Closed each time, but for a future that is dropped: `pool_per_call`.
            if !end.is_lost() && end.runs == Runs::Repeated {
                continue;
            }
            if let Some(loss) = end.fate.worst() {
                out.push(report(model, &end, loss, made));
            }
        }
    });
}

fn report(model: &Model, end: &Ending, loss: &Loss, made: Span) -> Diagnostic {
    let digest = &model.analysis.digests[end.function as usize];
    let (typed, owner, span, fate) = (model.typed(digest.root), digest.owner, end.span, &end.fate);
    let tracer = Tracer::new(model, &typed);
    let confidence = match loss.lost {
        Lost::Exit(EdgeKind::Cancel) => Confidence::Low,
        // The process ends with `main`, and the connections with it.
        _ if model.is_main(owner) || model.is_for_tests_by_name(owner) => Confidence::Low,
        // So it does if a server cannot start.
        Lost::Exit(_) if end.stays && end.runs < Runs::PerCall => Confidence::Low,
        // Made once in a process, by a command or while it starts: no more connections stay open with each call.
        _ if end.runs < Runs::PerCall => Confidence::Medium,
        _ if fate.gave_up => Confidence::Medium,
        _ => Confidence::High,
    };
    let message = match loss.lost {
        Lost::Exit(EdgeKind::Error) => "this connection pool is not closed when an error is returned",
        Lost::Exit(EdgeKind::Cancel) => "this connection pool is not closed when the future is dropped",
        Lost::Exit(_) => "this connection pool is not closed on an early return",
        _ if end.runs == Runs::Repeated => "this connection pool is made again and again, and never closed",
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
    .primary(if span == made { "made here" } else { "comes from here" });
    if span != made {
        diagnostic = diagnostic.label(made, "made here");
    }
    let at = |range| Span { file: span.file, range };
    if loss.at.hi > 0 {
        diagnostic = diagnostic.label(at(loss.at), "dropped here without `close`");
    } else {
        let local = &tracer.body(end.body).body.locals[loss.holder.index()];
        if local.span.hi > 0 {
            diagnostic = diagnostic.label(at(local.span), "dropped at the end of this name's scope");
        }
    }
    if let Some(&release) = fate.releases.first() {
        diagnostic = diagnostic.label(at(release), "closed here, on another path");
    }
    match end.runs {
        // With each call more connections stay open.
        Runs::Repeated => says_how_often(diagnostic, &tracer, end.function, (end.body, end.statement)),
        _ => diagnostic,
    }
}
