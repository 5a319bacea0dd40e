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
    /// Whether it may never be called: whoever takes it gives something back by which it can be cancelled, or waits for an event.
    pub may_wait: bool,
    /// Where it is made, if not in the same call.
    pub made: Option<Span>,
}

/// The callback whose handle a seed forgets, if it is one.
pub fn forgotten(tracer: &Tracer, seed: &Seed) -> Option<Forgotten> {
    if seed.kind != SeedKind::Forget {
        return None;
    }
    let model = tracer.model;
    let body = &tracer.body(seed.body).body;
    let row = tracer.row(seed.body, seed.statement)?;
    // `Closure::once_into_js(f)`: there never is a handle.
    if let Some(what) = of_type(model, row).and_then(what).filter(|_| row.owner == Owner::Type) {
        let made = body.statements[seed.statement.index()].dest.get().and_then(|d| body.whole_local(d));
        let may_wait = made.is_none_or(|made| may_wait(tracer, seed.body, made, 8));
        return Some(Forgotten { what, freed_by_call: row.freed_by_call, may_wait, made: None });
    }
    let (_, place) = body.args(&body.statements[seed.statement.index()]).get(operand(row))?.as_place()?;
    let what = what(model.type_row(model.payload(tracer.ty(seed.body, place)))?)?;
    let made = body.local_of(place).and_then(|local| origin_of(tracer, seed.body, local));
    let freed_by_call = made.and_then(|made| tracer.row(seed.body, made)).is_some_and(|row| row.freed_by_call);
    Some(Forgotten { what, freed_by_call, may_wait: true, made: made.map(|made| tracer.span(seed.body, made)) })
}

/// Whether a call that takes the callback in `local` gives back what is used afterwards, or is named after events. A timeout
/// whose number is thrown away is over some day: `set_timeout(call.unchecked_ref(), 0);`
fn may_wait(tracer: &Tracer, index: u32, local: LocalId, steps: u32) -> bool {
    let body = &tracer.body(index).body;
    if steps == 0 || body.locals[local.index()].kind == LocalKind::Return {
        return true;
    }
    body.statements.iter().any(|statement| {
        let Some(at) = used_at(body, statement, local) else { return false };
        let dest = statement.dest.get().and_then(|d| body.whole_local(d));
        match statement.op {
            Op::Use | Op::ScopeEnd | Op::Declare => false,
            Op::Assign => dest.is_none_or(|dest| may_wait(tracer, index, dest, steps - 1)),
            Op::Call | Op::CallMethod => {
                let name = tracer.method_name(index, statement);
                let view = at == 0 && tracer.model.apis.is_through_name(name);
                !view && EVENTS.iter().any(|word| name.contains(word))
                    || dest.is_some_and(|dest| may_wait(tracer, index, dest, steps - 1))
            }
            _ => true,
        }
    })
}

/// In names of functions that wait for what may not come.
const EVENTS: [&str; 3] = ["listener", "set_on", "then"];

fn used_at(body: &Body, statement: &Statement, local: LocalId) -> Option<usize> {
    body.args(statement).iter().position(|a| a.as_place().is_some_and(|(_, place)| body.local_of(place) == Some(local)))
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
