//! How the path lints show a loss: what was acquired, where it is lost, where other paths release it.

use crate::diagnostic::Diagnostic;
use crate::facts::body::{EdgeKind, LocalKind, Op};
use crate::model::access::Tracer;
use crate::model::digest::Seed;
use crate::model::flow::{Fate, Loss, Lost};
use crate::source::{Span, TextRange};

/// When it is lost, to follow a message: `… is not closed when an error is returned`.
pub fn when(loss: &Loss) -> Option<&'static str> {
    match loss.lost {
        Lost::Exit(EdgeKind::Error) => Some("when an error is returned"),
        Lost::Exit(EdgeKind::Cancel) => Some("when the future is dropped"),
        Lost::Exit(_) => Some("on an early return"),
        _ => None,
    }
}

/// Adds labels for the decisive branch before the loss, the loss, and a release on another path (`released`: what
/// happens there, as in `closed here, on another path`).
pub fn labelled(
    diagnostic: Diagnostic,
    tracer: &Tracer,
    seed: &Seed,
    fate: &Fate,
    loss: &Loss,
    released: &str,
) -> Diagnostic {
    let typed = tracer.body(seed.body);
    let at = |range| Span { file: typed.at.file, range };
    let mut diagnostic = diagnostic;
    if loss.at.hi > 0 {
        diagnostic = diagnostic.label(at(loss.at), how(tracer, loss, released));
    } else if let Some(range) = holder(tracer, seed, loss) {
        diagnostic = diagnostic.label(at(range), format!("not {released} before this name's scope ends"));
    }
    let from = typed.body.spans[seed.statement.index()];
    let decisive = loss.way.iter().rev().map(|&block| tracer.branch_span(seed.body, block));
    let decisive = decisive.into_iter().find(|range| *range != loss.at && range.lo > from.lo);
    if let (Some(branch), Lost::Exit(_)) = (decisive, loss.lost) {
        diagnostic = diagnostic.label(at(branch), "this decides which path is taken");
    }
    let elsewhere = || fate.releases.iter().copied().filter(|&range| range != loss.at);
    if let Some(release) = elsewhere().find(|&range| polled(tracer, seed, range).is_none()) {
        return diagnostic.label(at(release), format!("{released} here, on another path"));
    }
    let asked = elsewhere().find_map(|range| polled(tracer, seed, range).map(|name| (range, name)));
    match asked {
        Some((range, name)) => diagnostic.label(at(range), format!("`{name}` here, on another path")),
        None => diagnostic,
    }
}

/// `try_wait`: the method that only asks, if that is what is called at `range`.
fn polled<'a>(tracer: &'a Tracer, seed: &Seed, range: TextRange) -> Option<&'a str> {
    let polls = &tracer.obligation_of(seed)?.polled_by;
    (0..tracer.function.bodies.len() as u32).find_map(|index| {
        let body = &tracer.body(index).body;
        let calls = body.statements.iter().zip(&body.spans).filter(|(s, at)| s.op == Op::CallMethod && **at == range);
        let mut names = calls.map(|(statement, _)| tracer.method_name(index, statement));
        names.find(|name| polls.iter().any(|poll| poll == name))
    })
}

fn how(tracer: &Tracer, loss: &Loss, released: &str) -> String {
    match loss.lost {
        Lost::Exit(EdgeKind::Error) => "the error leaves here without it".to_owned(),
        Lost::Exit(EdgeKind::Cancel) => "the future may be dropped here".to_owned(),
        Lost::Exit(_) => "returns here without it".to_owned(),
        Lost::Overwritten => "overwritten here".to_owned(),
        Lost::InCallee(def) => format!("`{}` gets it, and there it is not {released}", tracer.model.item_path(def)),
        Lost::Detached | Lost::Discarded | Lost::ScopeEnd => "lost here".to_owned(),
    }
}

/// Where the name is bound that holds it to its end.
fn holder(tracer: &Tracer, seed: &Seed, loss: &Loss) -> Option<TextRange> {
    let local = &tracer.body(seed.body).body.locals[loss.holder.index()];
    (local.span.hi > 0 && local.kind != LocalKind::Temp).then_some(local.span)
}
