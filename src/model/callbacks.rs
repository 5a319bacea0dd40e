//! Callbacks that others hold while their owner keeps a handle: `Closure`, a listener. Whether a seed forgets such a handle,
//! so that the callback and all that it captured stay for good. Knows nothing of what the callback does.

use super::Model;
use super::access::Tracer;
use super::digest::{Seed, SeedKind};
use super::exits::origin_of;
use crate::apis::{FnRow, Owner, Slot, TypeRow, split_last};
use crate::facts::body::*;
use crate::source::Span;

/// A callback whose handle is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgotten {
    /// What it is.
    pub what: &'static str,
    /// Whether being called frees it.
    pub freed_by_call: bool,
    /// Where it is made, if not in the same call.
    pub made: Option<Span>,
}

/// The callback whose handle a seed forgets, if it is one.
pub fn forgotten(tracer: &Tracer, seed: &Seed) -> Option<Forgotten> {
    if seed.kind != SeedKind::Forget {
        return None;
    }
    let model = tracer.model;
    let row = tracer.row(seed.body, seed.statement)?;
    // `Closure::once_into_js(f)`: there never is a handle.
    if let Some(what) = of_type(model, row).and_then(what).filter(|_| row.owner == Owner::Type) {
        return Some(Forgotten { what, freed_by_call: row.freed_by_call, made: None });
    }
    let body = &tracer.body(seed.body).body;
    let (_, place) = body.args(&body.statements[seed.statement.index()]).get(operand(row))?.as_place()?;
    let what = what(model.type_row(model.payload(tracer.ty(seed.body, place)))?)?;
    let made = body.local_of(place).and_then(|local| origin_of(tracer, seed.body, local));
    let freed_by_call = made.and_then(|made| tracer.row(seed.body, made)).is_some_and(|row| row.freed_by_call);
    Some(Forgotten { what, freed_by_call, made: made.map(|made| tracer.span(seed.body, made)) })
}

fn what(row: &'static TypeRow) -> Option<&'static str> {
    row.callback.as_deref()
}

fn of_type(model: &Model, row: &'static FnRow) -> Option<&'static TypeRow> {
    model.apis.type_row(split_last(&row.path)?.0)
}

/// Which operand of a call is forgotten.
pub fn operand(row: &FnRow) -> usize {
    match row.forgets {
        Some(Slot::Arg(arg)) => arg as usize + usize::from(matches!(row.owner, Owner::Receiver | Owner::Trait)),
        _ => 0,
    }
}
