#![doc = include_str!("../../lints/raw_handle_leak.md")]

use super::loss::{labelled, when};
use crate::apis::ObligationKind;
use crate::diagnostic::{Confidence, Diagnostic};
use crate::facts::body::EdgeKind;
use crate::model::access::Tracer;
use crate::model::acquires::{Acquired, acquired, gives_up, is_correlated, is_one_of_cfgs, is_put_back};
use crate::model::digest::Seed;
use crate::model::flow::{Fate, Loss, Lost, fate};
use crate::model::heat::Runs;
use crate::model::{Model, pairs::Evidence};

const NAME: &str = "raw_handle_leak";

/// Reports raw handles that are not released on some path.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    let wanted =
        |seed: &Seed| matches!(model.gives(seed.kind), Some(ObligationKind::Handle | ObligationKind::RawMemory));
    model.each_seed(wanted, |tracer, position, seed| {
        let excused = gives_up(tracer, seed) || is_put_back(tracer, seed);
        let Some(acquired) = acquired(tracer, seed).filter(|_| !excused) else { return };
        // What is made once lives as long as the process.
        if model.runs_at(position, seed.body, false) == Runs::Once {
            return;
        }
        let fate = fate(tracer, &model.analysis.releases, acquired.terms(), seed.body, seed.statement);
        // `let _ = file.into_raw_fd();` gives it up on purpose, as `forget` does.
        let meant = |loss: &Loss| loss.lost == Lost::Discarded && !loss.lent && consumes(tracer, seed);
        // `if let Err(e) = driver.poll(p) { free(p); return Err(e) } Ok(())`: taken back where it was refused.
        let given = |loss: &Loss| {
            loss.lent && !matches!(loss.lost, Lost::Exit(_)) && is_boxed(&acquired) && !fate.releases.is_empty()
        };
        let may_be_met = |loss: &Loss| is_correlated(tracer, seed, &fate, loss) || is_one_of_cfgs(tracer, seed, loss);
        if let Some(loss) = fate.worst().filter(|l| !meant(l) && !given(l) && !may_be_met(l)) {
            out.push(report(model, tracer, position, seed, &acquired, &fate, loss));
        }
    });
}

fn is_boxed(acquired: &Acquired) -> bool {
    matches!(acquired, Acquired::Made(_, ObligationKind::RawMemory, _))
}

fn consumes(tracer: &Tracer, seed: &Seed) -> bool {
    tracer.row(seed.body, seed.statement).is_some_and(|row| row.consumes)
}

fn report(
    model: &Model,
    tracer: &Tracer,
    position: u32,
    seed: &Seed,
    acquired: &Acquired,
    fate: &Fate,
    loss: &Loss,
) -> Diagnostic {
    let owner = model.analysis.digests[position as usize].owner;
    let what = acquired.what();
    let message = match when(loss) {
        Some(when) => format!("this {what} is not released {when}"),
        None if !fate.releases.is_empty() => format!("this {what} is not released on every path"),
        None => format!("this {what} is never released"),
    };
    let diagnostic = Diagnostic::new(
        NAME,
        confidence(model, owner, acquired, fate, loss),
        model.span_of(tracer, seed.body, seed.statement),
        model.item_path(owner),
        message,
        format!(
            "looked for {}, an owner that takes it, or a caller that gets it; found none on this path",
            acquired.partners(model)
        ),
        match consumes(tracer, seed) {
            true => "keep the owner and lend the handle (`as_raw_fd`, `as_raw_handle`), or give it to an owner again",
            false => {
                "give it to an owner as soon as it is acquired (`OwnedFd`, or a struct whose `Drop` releases it): then \
                 every exit releases it"
            }
        }
        .to_owned(),
    )
    .primary("acquired here");
    let diagnostic = match acquired.origin(model) {
        Some(origin) => diagnostic.label(origin, "this is what it gives out"),
        None => diagnostic,
    };
    let diagnostic = labelled(diagnostic, tracer, seed, fate, loss, "released");
    let diagnostic = match acquired.assumed(model) {
        Some(assumed) => diagnostic.note(assumed),
        None => diagnostic,
    };
    match fate.escapes || !fate.stored.is_empty() {
        true => diagnostic.note("assumed that nobody else releases it: on other paths it is handed on"),
        false => diagnostic,
    }
}

fn confidence(model: &Model, owner: crate::model::DefId, acquired: &Acquired, fate: &Fate, loss: &Loss) -> Confidence {
    let by_name = matches!(acquired.evidence(), Some(Evidence::Named | Evidence::Typed | Evidence::NamedAndTyped));
    match loss.lost {
        Lost::Exit(EdgeKind::Cancel) => Confidence::Low,
        // `if size == 0 { p = dangling }`: what was there may have been nothing.
        Lost::Overwritten => Confidence::Low,
        _ if model.is_tool(owner) => Confidence::Low,
        // A pair that was guessed, and never a release of what this call gives: they may not belong together.
        _ if by_name && fate.releases.is_empty() => Confidence::Low,
        // An object that takes itself back in a callback looks the same.
        _ if is_boxed(acquired) && fate.releases.is_empty() => Confidence::Low,
        _ if acquired.evidence().is_some() || fate.escapes || fate.gave_up || !fate.stored.is_empty() => {
            Confidence::Medium
        }
        _ => Confidence::High,
    }
}
