#![doc = include_str!("../../lints/forgotten_value.md")]

use super::often::says_how_often;
use crate::apis::FnRow;
use crate::diagnostic::{Confidence, Diagnostic};
use crate::facts::body::*;
use crate::model::access::Tracer;
use crate::model::callbacks::{forgotten, operand};
use crate::model::digest::{Seed, SeedKind, is_repeated_at};
use crate::model::exits::{call_behind, never_comes_back};
use crate::model::heat::Runs;
use crate::model::taken::{Taken, is_loan, taken};
use crate::model::{Model, Symbol, Ty, TyData};

const NAME: &str = "forgotten_value";

/// Reports values that own something and are kept from ever being dropped.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    model.each_seed(
        |seed| seed.kind == SeedKind::Forget,
        |tracer, position, seed| {
            let runs = model.runs_at(position, seed.body, is_repeated_at(tracer, seed.body, seed.statement));
            let often = matches!(runs, Runs::PerThread | Runs::PerCall | Runs::Repeated);
            let owner = model.analysis.digests[position as usize].owner;
            // `fn leak(self)`: the function's name says it.
            let meant = model.name_says(owner, &["leak", "forget"]);
            // A `Drop` that forgets knows that something else, a kernel say, still uses it.
            if !often || meant || model.dropped_type(owner).is_some() {
                return;
            }
            if let Some(lost) = lost(tracer, seed) {
                out.push(report(tracer, position, seed, runs, lost));
            }
        },
    );
}

/// What is lost.
enum Lost {
    /// All of a value: its type.
    Value(Ty),
    /// Fields of a struct that nobody took out.
    Fields(Ty, Vec<Symbol>),
    /// What the value stands for: a permit.
    Right(Ty),
}

fn lost(tracer: &Tracer, seed: &Seed) -> Option<Lost> {
    let model = tracer.model;
    let row = tracer.row(seed.body, seed.statement)?;
    let body = &tracer.body(seed.body).body;
    // A callback that others go on calling: `leaked_closure`.
    if forgotten(tracer, seed).is_some() {
        return None;
    }
    let operand = *body.args(&body.statements[seed.statement.index()]).get(operand(row))?;
    let (position, place) = operand.as_place()?;
    let ty = tracer.ty(seed.body, place);
    if !matches!(position, Position::Bare | Position::Receiver) || never_comes_back(tracer, seed.body, seed.statement) {
        return None;
    }
    if !row.given_back_by.is_empty() {
        return (!model.reclaims(&row.given_back_by)).then_some(Lost::Right(ty));
    }
    let local = body.whole_local(place)?;
    let captured = body.locals[local.index()].kind == LocalKind::Capture;
    if captured || is_kept(tracer, seed, row) || is_loan(tracer, seed.body, local) {
        return None;
    }
    let gone = match taken(tracer, seed.body, local, seed.statement) {
        Taken::All => return None,
        Taken::Fields(fields) => fields,
    };
    let fields = model.owning_fields(ty);
    match model.ty(ty) {
        TyData::Adt(..) if !fields.is_empty() => {
            let left: Vec<Symbol> = fields.into_iter().filter(|f| !gone.contains(f)).collect();
            (!left.is_empty()).then_some(Lost::Fields(ty, left))
        }
        // What it owns is raw: whoever reads a field has it, also where it lay before: `forget(replace(self, new))`.
        TyData::Adt(..)
            if model.frees_raw_parts(ty) && (names_part(body, local) || was_elsewhere(tracer, seed.body, local)) =>
        {
            None
        }
        _ if is_panic(model, ty) => None,
        _ => model.owned_part(ty).filter(|_| gone.is_empty()).map(|_| Lost::Value(ty)),
    }
}

/// `if let Err(payload) = catch_unwind(..) { forget(payload) }`: dropping it may panic again.
fn is_panic(model: &Model, ty: Ty) -> bool {
    let keeps_elements = model.type_row(ty).is_some_and(|row| row.collection.is_some());
    let content_is_unknown = model.is_partial(ty) && !keeps_elements && matches!(model.ty(ty), TyData::External(..));
    content_is_unknown || model.inside(ty).any(|part| matches!(model.ty(part), TyData::Dyn(_)))
}

fn was_elsewhere(tracer: &Tracer, index: u32, local: LocalId) -> bool {
    call_behind(tracer, index, local).and_then(|call| tracer.row(index, call)).is_some_and(|row| row.moves_out)
}

fn names_part(body: &Body, local: LocalId) -> bool {
    let mut places = body.operands.iter().filter_map(|operand| operand.as_place());
    places.any(|(_, place)| body.local_of(place) == Some(local) && body.whole_local(place).is_none())
}

/// `let x = ManuallyDrop::new(x);`, used afterwards or put somewhere.
fn is_kept(tracer: &Tracer, seed: &Seed, row: &FnRow) -> bool {
    let body = &tracer.body(seed.body).body;
    let dest = body.statements[seed.statement.index()].dest;
    if row.wraps.is_empty() {
        return false;
    }
    let Some(wrapper) = dest.get().and_then(|d| body.whole_local(d)).filter(|&l| l != LocalId(0)) else { return true };
    let operands = body.operands.iter().copied().chain(body.blocks.iter().map(|b| b.operand));
    let mut places = operands.filter_map(|operand| operand.as_place());
    // Bound to a name and never looked at again: the binding itself is a use of the temporary.
    places.any(|(_, place)| body.local_of(place) == Some(wrapper))
}

fn report(tracer: &Tracer, position: u32, seed: &Seed, runs: Runs, lost: Lost) -> Diagnostic {
    let model = tracer.model;
    let owner = model.analysis.digests[position as usize].owner;
    let item = model.item_path(owner);
    let ty = match lost {
        Lost::Value(ty) | Lost::Fields(ty, _) | Lost::Right(ty) => ty,
    };
    let name = model.short_name(ty);
    let (message, looked_for, help) = match &lost {
        Lost::Value(_) => (
            format!("this `{name}` is never dropped, and what it owns is lost"),
            "looked for raw parts that were taken out before, and for a later use of it; found none".to_owned(),
            "give ownership away with `into_raw`, `into_raw_fd` or `Vec::into_raw_parts`, so that it can be taken back; \
             let what is only read be dropped by its owner",
        ),
        Lost::Fields(_, fields) => (
            format!("this `{name}` is never dropped, and its {} lost", listed(model, fields)),
            "looked for a use of these fields before: a `ptr::read`, a `take`, a raw part; found none".to_owned(),
            "take each field out that owns something (an `Option` and `take()`, `ManuallyDrop`, `ptr::read`) before the \
             rest is forgotten, or keep what has to be disarmed in a type of its own",
        ),
        Lost::Right(_) => (
            format!("what this `{name}` stands for is never given back"),
            "looked in the whole run for a function that gives it back, as `add_permits` does; found none".to_owned(),
            "let it be dropped when the work is done, keep it beside what it is for, or add the permit again there",
        ),
    };
    let confidence = match runs {
        // A program that ends soon gives everything back.
        _ if model.is_tool(owner) => Confidence::Low,
        Runs::Repeated => Confidence::High,
        _ => Confidence::Medium,
    };
    let span = model.span_of(tracer, seed.body, seed.statement);
    let diagnostic = Diagnostic::new(NAME, confidence, span, item.clone(), message, looked_for, help.to_owned())
        .primary("forgotten here");
    says_how_often(diagnostic, tracer, position, (seed.body, seed.statement))
}

/// "field `a` is", "fields `a`, `b` are".
fn listed(model: &Model, fields: &[Symbol]) -> String {
    let names: Vec<String> = fields.iter().map(|&f| format!("`{}`", model.text(f))).collect();
    match names.as_slice() {
        [one] => format!("field {one} is"),
        _ => format!("fields {} are", names.join(", ")),
    }
}
