#![doc = include_str!("../../lints/leaked_allocation.md")]

use super::often::says_how_often;
use crate::apis::ObligationKind;
use crate::diagnostic::{Confidence, Diagnostic};
use crate::facts::body::*;
use crate::model::access::Tracer;
use crate::model::acquires::last_two;
use crate::model::digest::{Seed, SeedKind, is_repeated_at};
use crate::model::flow::{Stored, Terms, fate};
use crate::model::heat::Runs;
use crate::model::ledger::collection_row;
use crate::model::lookups::fills_on_a_miss;
use crate::model::taken::is_loan;
use crate::model::{Callee, Model, Ty, TyData, known};

const NAME: &str = "leaked_allocation";

/// Words in a function's name that say that what it gives is meant to stay.
const MEANT: [&str; 8] = ["leak", "leaked", "forget", "static", "intern", "interned", "permanent", "immortal"];

/// Reports memory that is given away for good, again and again.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    let wanted = |kind: SeedKind| matches!(kind, SeedKind::Leak | SeedKind::Acquire(ObligationKind::RawMemory));
    model.each_seed(
        |seed| wanted(seed.kind),
        |tracer, position, seed| {
            let runs = model.runs_at(position, seed.body, is_repeated_at(tracer, seed.body, seed.statement));
            let owner = model.analysis.digests[position as usize].owner;
            if !matches!(runs, Runs::PerThread | Runs::PerCall | Runs::Repeated) || model.name_says(owner, &MEANT) {
                return;
            }
            let lost = match seed.kind {
                SeedKind::Leak => !is_taken_back(tracer, seed),
                _ => is_collected(tracer, seed),
            };
            if lost && !is_made_on_a_miss(tracer, position, seed) {
                out.push(report(tracer, position, seed, runs));
            }
        },
    );
}

/// Whether the run takes such memory back somewhere: from a pointer to the same type, or to an unknown one where it is not
/// sure that only shared references are left of it.
fn is_taken_back(tracer: &Tracer, seed: &Seed) -> bool {
    let model = tracer.model;
    let Some(row) = tracer.row(seed.body, seed.statement) else { return true };
    let body = &tracer.body(seed.body).body;
    let given = body.args(&body.statements[seed.statement.index()]).first().and_then(|a| a.as_place());
    // `Box::leak(Box::from_raw(data))`: looked at, and still owned by who has the pointer.
    if given.and_then(|(_, place)| body.local_of(place)).is_some_and(|local| is_loan(tracer, seed.body, local)) {
        return true;
    }
    let dest = body.statements[seed.statement.index()].dest;
    let inside = match *model.ty(tracer.ty(seed.body, dest)) {
        TyData::Ref { to, .. } => to,
        _ => Ty::UNKNOWN,
    };
    // What is `str` or is shared from here on is not what an unknown `from_raw` is about.
    let shared = inside == Ty::STR || is_shared_from_here(tracer, seed, dest);
    match shared {
        true => model.reclaims_exactly(&row.given_back_by, inside),
        false => model.reclaims_ty(&row.given_back_by, inside),
    }
}

/// `let names: &'static [T] = Box::leak(..)`, `Box::leak(..) as &'static str`
fn is_shared_from_here(tracer: &Tracer, seed: &Seed, dest: PlaceId) -> bool {
    let model = tracer.model;
    let body = &tracer.body(seed.body).body;
    let is_shared = |ty: Ty| matches!(model.ty(ty), TyData::Ref { mutable: false, .. });
    let Some(local) = body.whole_local(dest) else { return false };
    let uses_it = |s: &&Statement| {
        body.args(s).iter().any(|a| a.as_place().is_some_and(|(_, place)| body.whole_local(place) == Some(local)))
    };
    let mut uses = body.statements.iter().filter(uses_it);
    uses.any(|s| matches!(s.op, Op::Assign | Op::Cast) && is_shared(tracer.ty(seed.body, s.dest)))
        || is_shared(tracer.body(seed.body).types.locals[local.index()])
}

/// Whether it is made only when there is none yet: after a look into the table that it goes into, for an `Option` that is
/// empty, or for the first that comes.
fn is_made_on_a_miss(tracer: &Tracer, position: u32, seed: &Seed) -> bool {
    let model = tracer.model;
    if model.analysis.digests[position as usize].contended || fills_on_a_miss(tracer) {
        return true;
    }
    let Some((outer, call, arg)) = tracer.handed_to(seed.body) else { return false };
    match tracer.body(outer).types.callee(call) {
        // `set_logger_inner(|| Box::leak(logger))`
        Callee::Def(def) => model.digest_of(def).is_some_and(|digest| digest.contended),
        _ => {
            let receiver =
                tracer.body(outer).body.args(&tracer.body(outer).body.statements[call.index()])[0].as_place();
            let option = receiver.is_some_and(|(_, p)| model.external_path(tracer.ty(outer, p)) == Some(known::OPTION));
            // `free.pop().unwrap_or_else(|| Box::leak(..))`
            arg > 0 && option && tracer.body(seed.body).body.params == 0
        }
    }
}

/// `self.values.push(Box::into_raw(value))` in a run that never calls `from_raw`.
fn is_collected(tracer: &Tracer, seed: &Seed) -> bool {
    let model = tracer.model;
    let acquires = tracer.row(seed.body, seed.statement).and_then(|row| row.acquires.as_ref());
    let Some(acquires) = acquires.filter(|a| !model.reclaims(&a.released_by)) else { return false };
    let terms = Terms::of_raw(acquires);
    let fate = fate(tracer, &model.analysis.releases, terms, seed.body, seed.statement);
    let body = &tracer.body(seed.body).body;
    let grows = |stored: &Stored| {
        let id = &stored.statement;
        let statement = &body.statements[id.index()];
        let receiver = body.args(statement).first().and_then(|a| a.as_place());
        statement.op == Op::CallMethod
            && receiver.is_some_and(|(_, place)| collection_row(model, tracer.ty(seed.body, place)).is_some())
    };
    !fate.escapes && !fate.returned && fate.stored.iter().any(grows)
}

fn report(tracer: &Tracer, position: u32, seed: &Seed, runs: Runs) -> Diagnostic {
    let model = tracer.model;
    let owner = model.analysis.digests[position as usize].owner;
    let item = model.item_path(owner);
    let what = match tracer.body(seed.body).types.callee(seed.statement) {
        Callee::External(path) | Callee::Distinctive(path) => last_two(model.text(path)),
        _ => "this",
    };
    let message = match runs {
        Runs::Repeated => format!("`{what}` gives memory away for good, again and again"),
        Runs::PerThread => format!("`{what}` gives memory away for good, once for each thread"),
        _ => format!("`{what}` gives memory away for good, with each call"),
    };
    let diagnostic = Diagnostic::new(
        NAME,
        match runs {
            // A program that ends soon gives everything back.
            _ if model.is_tool(owner) => Confidence::Low,
            Runs::Repeated => Confidence::High,
            _ => Confidence::Medium,
        },
        model.span_of(tracer, seed.body, seed.statement),
        item.clone(),
        message,
        "looked in the whole run for a function that takes it back, in this one for a table that is asked first, and for \
         a guard or initialiser that runs once; found none"
            .to_owned(),
        "keep an owner (`Box`, `Arc`, `Arc<str>`), borrow for as long as the owner lives, or intern it: look it up and leak \
         only what is new; what lives in a `thread_local!` can own its value"
            .to_owned(),
    )
    .primary("nobody can free it from here on");
    says_how_often(diagnostic, tracer, position, (seed.body, seed.statement))
}
