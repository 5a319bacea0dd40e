#![doc = include_str!("../../lints/dropped_registration.md")]

use super::loss::labelled;
use super::often::says_how_often;
use crate::apis::ObligationKind;
use crate::diagnostic::{Confidence, Diagnostic};
use crate::facts::body::*;
use crate::model::Model;
use crate::model::access::Tracer;
use crate::model::acquires::last_two;
use crate::model::digest::{Seed, innermost_loop, is_repeated};
use crate::model::flow::{Fate, Loss, Lost, Terms, fate};
use crate::model::heat::Runs;

const NAME: &str = "dropped_registration";

/// Reports tokens that are lost though only they can undo what was registered.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    let wanted = |seed: &Seed| model.gives(seed.kind) == Some(ObligationKind::Registration);
    model.each_seed(wanted, |tracer, position, seed| {
        let around = innermost_loop(&tracer.body(seed.body).body, seed.statement).unwrap_or_default();
        let runs = model.runs_at(position, seed.body, is_repeated(tracer, seed.body, around));
        let owner = model.analysis.digests[position as usize].owner;
        // What `main` registers, or what is made for a static, is registered as long as there is a program.
        if !matches!(runs, Runs::PerThread | Runs::PerCall | Runs::Repeated) || model.makes_for_static(owner) {
            return;
        }
        let fate = fate(tracer, &model.analysis.releases, terms(tracer, seed), seed.body, seed.statement);
        if let Some(loss) = fate.worst() {
            out.push(report(model, tracer, position, seed, &fate, loss, runs));
        }
    });
}

fn terms(tracer: &Tracer, seed: &Seed) -> Terms<'static> {
    let model = tracer.model;
    let dest = tracer.body(seed.body).body.statements[seed.statement.index()].dest;
    let token = dest.get().map(|place| model.payload(tracer.ty(seed.body, place)));
    Terms {
        copy: token.and_then(|ty| model.type_row(ty)).is_some_and(|row| row.copy),
        ..Terms::of(ObligationKind::Registration)
    }
}

fn report(
    model: &Model,
    tracer: &Tracer,
    position: u32,
    seed: &Seed,
    fate: &Fate,
    loss: &Loss,
    runs: Runs,
) -> Diagnostic {
    let acquires = tracer.row(seed.body, seed.statement).and_then(|row| row.acquires.as_ref());
    let what = acquires.and_then(|a| a.what.as_deref()).unwrap_or("registration");
    let (confidence, message) = match loss.lost {
        Lost::Exit(EdgeKind::Cancel) => {
            (Confidence::Low, format!("the token of this {what} is lost when the future is dropped"))
        }
        Lost::Exit(EdgeKind::Error) => {
            (Confidence::Low, format!("the token of this {what} is lost when an error is returned"))
        }
        _ if runs != Runs::Repeated || fate.gave_up => {
            (Confidence::Medium, format!("the token of this {what} is thrown away, so that nobody can unregister it"))
        }
        _ => (Confidence::High, format!("the token of this {what} is thrown away, so that nobody can unregister it")),
    };
    let partners = acquires.map_or("", |a| a.released_by.first().map_or("", |path| last_two(path)));
    let span = model.span_of(tracer, seed.body, seed.statement);
    let item = model.item_path(model.analysis.digests[position as usize].owner);
    let diagnostic = Diagnostic::new(
        NAME,
        confidence,
        span,
        item.clone(),
        message,
        match partners {
            "" => "looked for a place that keeps the token, and for a caller that gets it; found none".to_owned(),
            _ => format!(
                "looked for `{partners}`, a place that keeps the token, and a caller that gets it; found none on this path"
            ),
        },
        "keep the token in the type that the registration belongs to, and unregister it in its `Drop`".to_owned(),
    )
    .primary("registered here");
    let diagnostic = labelled(diagnostic, tracer, seed, fate, loss, "unregistered");
    says_how_often(diagnostic, tracer, position, (seed.body, seed.statement))
}
