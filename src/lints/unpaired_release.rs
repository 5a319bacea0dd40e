#![doc = include_str!("../../lints/unpaired_release.md")]

use super::loss::labelled;
use crate::apis::ObligationKind;
use crate::diagnostic::{Confidence, Diagnostic};
use crate::facts::body::EdgeKind;
use crate::model::access::Tracer;
use crate::model::acquires::acquired;
use crate::model::digest::{Digest, Seed, SeedKind};
use crate::model::flow::{Fate, Loss, Lost, Terms, fate};
use crate::model::{DefId, Model};

const NAME: &str = "unpaired_release";

/// Reports what functions of the run hand out and siblings give back, where an error exit loses it.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    let wanted = |seed: &Seed| matches!(seed.kind, SeedKind::Call(def) if !model.own_releases(def).is_empty());
    model.each_seed(wanted, |tracer, position, seed| {
        let SeedKind::Call(acquire) = seed.kind else { return };
        // A task or a child has lints of its own.
        if acquired(tracer, seed).is_none() {
            return;
        }
        let releases = model.own_releases(acquire);
        let terms = Terms { copy: true, given_back_to: releases, ..Terms::of(ObligationKind::Handle) };
        let fate = fate(tracer, &model.analysis.releases, terms, seed.body, seed.statement);
        let error = fate.losses.iter().find(|loss| loss.lost == Lost::Exit(EdgeKind::Error));
        let digest = &model.analysis.digests[position as usize];
        if let Some(loss) = error.filter(|_| !releases.contains(&digest.owner) && !fate.gave_up) {
            out.push(report(model, tracer, digest, seed, (acquire, releases[0]), &fate, loss));
        }
    });
}

fn report(
    model: &Model,
    tracer: &Tracer,
    digest: &Digest,
    seed: &Seed,
    (acquire, release): (DefId, DefId),
    fate: &Fate,
    loss: &Loss,
) -> Diagnostic {
    let name = |def| model.text(model.def_name(def));
    let diagnostic = Diagnostic::new(
        NAME,
        if model.is_tool(digest.owner) { Confidence::Low } else { Confidence::Medium },
        model.span_of(tracer, seed.body, seed.statement),
        model.item_path(digest.owner),
        format!("what `{}` gives is not given back when an error is returned", name(acquire)),
        format!(
            "looked for `{}`, a place that keeps it, or a caller that gets it; found none on this path",
            name(release)
        ),
        format!("call `{}` on the error path too, or keep it in a guard whose `Drop` does", name(release)),
    )
    .primary("handed out here");
    let diagnostic = labelled(diagnostic, tracer, seed, fate, loss, "given back");
    let diagnostic = match model.own_sibling(acquire) {
        Some(sibling) if sibling.file == model.def_span(digest.owner).file || fate.releases.is_empty() => {
            diagnostic.label(sibling, "another function gives it back here")
        }
        _ => diagnostic,
    };
    diagnostic
        .note(format!("assumed that `{}` takes it back: another function calls both for one value", name(release)))
}
