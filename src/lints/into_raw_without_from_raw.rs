#![doc = include_str!("../../lints/into_raw_without_from_raw.md")]

use crate::apis::{Acquires, ObligationKind};
use crate::diagnostic::{Confidence, Diagnostic};
use crate::facts::body::*;
use crate::facts::item_flags;
use crate::model::access::Tracer;
use crate::model::acquires::{gives_up, is_correlated, is_put_back, last_two, was_pointed_to};
use crate::model::digest::{Seed, SeedKind};
use crate::model::flow::{Fate, Loss, Lost, Terms, fate};
use crate::model::{Model, TyData};
use crate::source::Span;

const NAME: &str = "into_raw_without_from_raw";

/// Reports pointers from `into_raw` that are not taken back on some path.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    let wanted = |seed: &Seed| seed.kind == SeedKind::Acquire(ObligationKind::RawMemory);
    model.each_seed(wanted, |tracer, position, seed| {
        // `alloc`, `mmap`: a lint of their own.
        if is_meant(model, position) || !gives_up(tracer, seed) {
            return;
        }
        let Some(acquires) = acquires(tracer, seed).filter(|_| !is_put_back(tracer, seed)) else { return };
        let terms = Terms::of_raw(acquires);
        let fate = fate(tracer, &model.analysis.releases, terms, seed.body, seed.statement);
        let loss = fate.losses.iter().min_by_key(|l| (l.lost == Lost::Exit(EdgeKind::Cancel), l.lent, l.at));
        // `match give(p) { 0 => Ok(()), e => { Box::from_raw(p); Err(e) } }`: taken back where it was refused.
        let handed_over = |l: &Loss| l.lent && !matches!(l.lost, Lost::Exit(_)) && !fate.releases.is_empty();
        if let Some(loss) = loss
            .filter(|loss| !handed_over(loss) && !is_correlated(tracer, seed, &fate, loss))
            .filter(|loss| loss.lost != Lost::Discarded || !was_pointed_to(tracer, seed))
        {
            out.push(report(model, tracer, position, seed, acquires, &fate, loss));
        } else if fate.returned && is_export(model, position) && !is_taken_back(tracer, position, seed, acquires) {
            out.push(given_out(model, tracer, position, seed, acquires));
        }
    });
}

fn acquires(tracer: &Tracer, seed: &Seed) -> Option<&'static Acquires> {
    tracer.row(seed.body, seed.statement)?.acquires.as_ref()
}

/// `pub fn leak(self)`: the function's name says it.
fn is_meant(model: &Model, position: u32) -> bool {
    let name = model.text(model.def_name(model.analysis.digests[position as usize].owner));
    name.split('_').any(|part| part == "leak" || part == "forget")
}

/// Whether the run takes such a pointer back somewhere. One that is given out under its own type comes back under it.
fn is_taken_back(tracer: &Tracer, position: u32, seed: &Seed, acquires: &Acquires) -> bool {
    let model = tracer.model;
    let ty = tracer.ty(seed.body, tracer.body(seed.body).body.statements[seed.statement.index()].dest);
    let given_as = model.result_ty(model.analysis.digests[position as usize].owner);
    match *model.ty(ty) {
        TyData::Pointer(to) if ty == given_as && !model.is_partial(to) && !model.is_generic(to) => {
            model.reclaims_ty(&acquires.released_by, to)
        }
        _ => model.reclaims(&acquires.released_by),
    }
}

/// `extern "C" fn`: its caller is C code, which has no `from_raw`.
fn is_export(model: &Model, position: u32) -> bool {
    let item = model.item(model.analysis.digests[position as usize].owner);
    item.flags & item_flags::FOREIGN != 0 && item.flags & item_flags::EXPORTED != 0
}

fn given_out(model: &Model, tracer: &Tracer, position: u32, seed: &Seed, acquires: &Acquires) -> Diagnostic {
    let owner = model.analysis.digests[position as usize].owner;
    Diagnostic::new(
        NAME,
        Confidence::Medium,
        model.span_of(tracer, seed.body, seed.statement),
        model.item_path(owner),
        "this raw pointer is given to foreign code, and the crate has no function that takes it back".to_owned(),
        format!("looked in the whole run for {}; found none", partners(acquires)),
        "export a function that takes the pointer back with the matching `from_raw`, and tell callers to use it"
            .to_owned(),
    )
    .primary("ownership is given up here")
    .note("assumed that the foreign caller cannot free it by itself")
}

fn partners(acquires: &Acquires) -> String {
    acquires.released_by.iter().map(|p| format!("`{}`", last_two(p))).collect::<Vec<_>>().join(", ")
}

fn report(
    model: &Model,
    tracer: &Tracer,
    position: u32,
    seed: &Seed,
    acquires: &Acquires,
    fate: &Fate,
    loss: &Loss,
) -> Diagnostic {
    let span = model.span_of(tracer, seed.body, seed.statement);
    let owner = model.analysis.digests[position as usize].owner;
    let confidence = match loss.lost {
        // Foreign code got it, and somewhere the run takes such pointers back: a token that goes round.
        _ if loss.lent && fate.releases.is_empty() && model.reclaims(&acquires.released_by) => Confidence::Low,
        // `if size_of::<T>() == 0 { p = dangling }`: what was there may have been nothing.
        Lost::Exit(EdgeKind::Cancel) | Lost::Overwritten => Confidence::Low,
        _ if fate.escapes || fate.gave_up || !fate.stored.is_empty() => Confidence::Medium,
        _ => Confidence::High,
    };
    let message = match loss.lost {
        Lost::Exit(EdgeKind::Error) => "the memory behind this raw pointer is leaked when an error is returned",
        Lost::Exit(EdgeKind::Early) => "the memory behind this raw pointer is leaked on an early return",
        Lost::Exit(EdgeKind::Cancel) => "the memory behind this raw pointer is leaked when the future is dropped",
        _ if !fate.releases.is_empty() => "the memory behind this raw pointer is not taken back on every path",
        _ => "the memory behind this raw pointer is never taken back",
    };
    let help = match loss.lost {
        Lost::Exit(_) => {
            "do what can fail before ownership is given up, or take the pointer back with the matching `from_raw` on every \
             path"
        }
        _ => {
            "lend the pointer (`as_ptr`, a reference) where it is only looked at, or take it back with the matching \
             `from_raw` when the other side is done with it"
        }
    };
    let partners = partners(acquires);
    let mut diagnostic = Diagnostic::new(
        NAME,
        confidence,
        span,
        model.item_path(owner),
        message.to_owned(),
        format!(
            "looked for {partners}, a place that keeps the pointer, or a caller that gets it; found none on this path"
        ),
        help.to_owned(),
    )
    .primary("ownership is given up here");
    let at = |range| Span { file: span.file, range };
    if loss.at.hi > 0 {
        let text = match loss.lost {
            Lost::Overwritten => "the pointer is overwritten here",
            _ => "leaves here without taking it back",
        };
        diagnostic = diagnostic.label(at(loss.at), text);
    }
    if let Some(&release) = fate.releases.first() {
        diagnostic = diagnostic.label(at(release), "taken back here, on another path");
    }
    if confidence == Confidence::Medium {
        diagnostic = diagnostic.note("assumed that nobody else takes it back: on other paths it is handed on");
    }
    diagnostic
}
