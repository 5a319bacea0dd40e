#![doc = include_str!("../../lints/heap_in_arena.md")]

use crate::diagnostic::{Confidence, Diagnostic};
use crate::model::access::Tracer;
use crate::model::digest::{Seed, SeedKind};
use crate::model::heat::Runs;
use crate::model::{DefId, Model, Ty, TyData};

const NAME: &str = "heap_in_arena";

/// Reports values that own something and are put where no destructor runs.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    model.each_seed(
        |seed| seed.kind == SeedKind::Undropped,
        |tracer, position, seed| {
            let Some(inside) = inside(tracer, seed) else { return };
            let Some(part) = model.owned_part(inside) else { return };
            let owner = model.analysis.digests[position as usize].owner;
            let runs = model.runs_at(position, seed.body, false);
            out.push(report(tracer, owner, seed, runs, inside, part));
        },
    );
}

/// The type of what lies in the arena: what the result refers to.
fn inside(tracer: &Tracer, seed: &Seed) -> Option<Ty> {
    let model = tracer.model;
    let dest = tracer.body(seed.body).body.statements[seed.statement.index()].dest.get()?;
    let result = model.payload(tracer.ty(seed.body, dest));
    match *model.ty(result) {
        TyData::Ref { to, .. } => Some(to),
        TyData::External(..) => model.deref(result),
        _ => None,
    }
}

fn report(tracer: &Tracer, owner: DefId, seed: &Seed, runs: Runs, inside: Ty, part: Ty) -> Diagnostic {
    let model = tracer.model;
    let name = model.short_name(part);
    let message = match inside == part {
        true => format!("this `{name}` is put into an arena, which never drops it"),
        false => {
            format!("this `{}` is put into an arena, which never drops the `{name}` in it", model.short_name(inside))
        }
    };
    // What is made once goes with the process anyway.
    let once = matches!(runs, Runs::Once | Runs::Unknown);
    let diagnostic = Diagnostic::new(
        NAME,
        if once { Confidence::Low } else { Confidence::Medium },
        model.span_of(tracer, seed.body, seed.statement),
        model.item_path(owner),
        message,
        format!("looked for what the value is made of and found `{name}`, whose memory is outside of the arena; no destructor runs when the arena is freed or reset"),
        "put its content into the arena too (the arena's own `Vec`, `String` and `alloc_str`), use the arena's owning box, or \
         keep the value outside and a reference in the arena"
            .to_owned(),
    )
    .primary("goes into the arena here");
    match once {
        true => diagnostic,
        false => {
            diagnostic.note("assumed that arenas come and go: one that lives as long as the process loses nothing")
        }
    }
}
