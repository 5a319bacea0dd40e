//! Callbacks that others hold while their owner keeps a handle: `Closure`, a listener. Whether a seed forgets such a handle,
//! or adds a listener that nobody takes away, so that the callback and all that it captured stay for good. Knows nothing of
//! what the callback does.

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

/// A callback that was given to a collector, and is then added as a listener to what stays as long as the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Added {
    /// Where it was given to the collector.
    pub made: Span,
    /// How the names of functions begin that would take it away.
    pub removed_by: &'static str,
}

/// What a seed adds for good, if it does: the function takes it away nowhere, and nobody else has it. Without an owner the
/// closure is collected with what it listens to, which is never.
pub fn added(tracer: &Tracer, seed: &Seed) -> Option<Added> {
    if seed.kind != SeedKind::Listen {
        return None;
    }
    let (model, index) = (tracer.model, seed.body);
    let listens = tracer.row(index, seed.statement)?.listens.as_ref()?;
    let body = &tracer.body(index).body;
    let args = body.args(&body.statements[seed.statement.index()]);
    let (_, target) = args.first()?.as_place()?;
    if !model.autoderef(tracer.ty(index, target)).any(|ty| model.type_row(ty).is_some_and(|row| row.lasting)) {
        return None;
    }
    let (_, listener) = args.get(listens.arg as usize + 1)?.as_place()?;
    let made = viewed(tracer, index, body.local_of(listener)?)?;
    let given = tracer.row(index, made)?;
    // `listener.as_ref()` of a `Closure` that is kept: whoever keeps it drops it.
    let collected = given.consumes && given.forgets.is_none() && of_type(model, given).and_then(what).is_some();
    let owner = model.owner(tracer.function.root().at);
    let removed = model.names_called(owner).any(|name| model.text(name).starts_with(&*listens.removed_by));
    let made_in = body.local_of(body.statements[made.index()].dest)?;
    (collected && !removed && !is_handed_on(tracer, index, made_in, 8))
        .then(|| Added { made: tracer.span(index, made), removed_by: &listens.removed_by })
}

/// The call that gives what a local is a view of: `closure.as_ref().unchecked_ref()`, whatever the types.
fn viewed(tracer: &Tracer, index: u32, local: LocalId) -> Option<StatementId> {
    let body = &tracer.body(index).body;
    let mut found = origin_of(tracer, index, local)?;
    for _ in 0..4 {
        let statement = &body.statements[found.index()];
        let view =
            statement.op == Op::CallMethod && tracer.model.apis.is_through_name(tracer.method_name(index, statement));
        let of = body.args(statement).first().filter(|_| view).and_then(|a| a.as_place());
        match of.and_then(|(_, place)| origin_of(tracer, index, body.local_of(place)?)) {
            Some(inner) => found = inner,
            None => break,
        }
    }
    Some(found)
}

/// Whether a value goes where it could be taken away from: into a closure, a struct, the result, another function.
fn is_handed_on(tracer: &Tracer, index: u32, local: LocalId, steps: u32) -> bool {
    let body = &tracer.body(index).body;
    if steps == 0 || body.locals[local.index()].kind == LocalKind::Return {
        return true;
    }
    body.statements.iter().enumerate().any(|(id, statement)| {
        let Some(at) = used_at(body, statement, local) else { return false };
        let dest = statement.dest.get().and_then(|d| body.whole_local(d));
        match statement.op {
            Op::Use | Op::ScopeEnd | Op::Declare => false,
            Op::CallMethod if at == 0 && tracer.model.apis.is_through_name(tracer.method_name(index, statement)) => {
                dest.is_none_or(|dest| is_handed_on(tracer, index, dest, steps - 1))
            }
            Op::CallMethod => tracer.row(index, StatementId(id as u32)).is_none_or(|row| row.listens.is_none()),
            Op::Assign => dest.is_none_or(|dest| is_handed_on(tracer, index, dest, steps - 1)),
            _ => true,
        }
    })
}
