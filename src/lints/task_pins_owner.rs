#![doc = include_str!("../../lints/task_pins_owner.md")]

use crate::apis::SpawnKind;
use crate::diagnostic::{Confidence, Diagnostic};
use crate::model::access::{Root, Tracer};
use crate::model::captures::captured;
use crate::model::digest::Seed;
use crate::model::heat::Runs;
use crate::model::kept_tasks::{FieldUse, UseKind, keeps};
use crate::model::pinned::{Kept, Pinned, is_once_per_value, pinned};
use crate::model::tasks::{handle, is_dropped, is_spawn, spawn_runs, spawned};
use crate::model::{DefId, Model, Symbol};

const NAME: &str = "task_pins_owner";

/// Reports tasks and threads that own what owns the only thing that would end them.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    model.each_seed(is_spawn, |tracer, position, seed| {
        let Some(work) = spawned(tracer, seed) else { return };
        let runs = match spawn_runs(tracer, position, seed) {
            Runs::Once if is_once_per_value(tracer, seed.body) => model.analysis.heats[position as usize],
            runs => runs,
        };
        let confidence = match runs {
            Runs::Repeated => Confidence::High,
            Runs::PerCall | Runs::PerThread => Confidence::Medium,
            // Spawned once for the life of the process, or nobody knows how often.
            _ => return,
        };
        let owner = model.analysis.digests[position as usize].owner;
        if model.makes_for_static(owner) {
            return;
        }
        let Some(pin) = pinned(tracer, seed) else { return };
        let Some(held) = handle_of(tracer, seed, work.kind) else { return };
        let reason = match (&pin.kept, held) {
            (Some(kept), Handle::Dropped | Handle::Field(..)) => Reason::Channel(kept),
            (None, Handle::Field(owner, name)) if model.keeper_drops(owner, name) => Reason::Handle(owner, name),
            // Nothing would end it at all.
            (None, _) => return,
        };
        let confidence = if model.is_tool(owner) { Confidence::Low } else { confidence };
        out.push(report(tracer, seed, (work.noun(), owner), confidence, &pin, &reason));
    });
}

/// Where the handle is.
enum Handle {
    Dropped,
    /// In a field of what the task keeps alive, and only the `Drop` of that ends it.
    Field(DefId, Symbol),
}

/// What would end the task.
enum Reason<'k> {
    /// A channel whose sending end it owns.
    Channel(&'k Kept),
    /// Its handle, by the `Drop` of what it owns.
    Handle(DefId, Symbol),
}

/// Where the handle is, if nobody but the task's own captures can end the task by it.
fn handle_of(tracer: &Tracer, seed: &Seed, kind: SpawnKind) -> Option<Handle> {
    let model = tracer.model;
    let fate = handle(tracer, seed, kind);
    if is_dropped(tracer, seed, &fate) {
        return Some(Handle::Dropped);
    }
    if !fate.releases.is_empty() || fate.returned || fate.escapes || fate.stored.is_empty() {
        return None;
    }
    let owned: Vec<DefId> = captured(tracer, seed).iter().flat_map(|c| model.keeps_alive(c.ty)).collect();
    let fields = keeps(tracer, seed.body, seed.statement).into_iter().map(|keep| match keep.root {
        Root::Field(owner, name) => Some((owner, name)),
        _ => None,
    });
    let fields: Vec<(DefId, Symbol)> = fields.collect::<Option<_>>()?;
    let &(owner, name) = fields.first()?;
    let pinned = |&(owner, name): &(DefId, Symbol)| owned.contains(&owner) && !is_released(model, owner, name);
    fields.iter().all(pinned).then_some(Handle::Field(owner, name))
}

/// Whether something else than a `Drop` may end or wait for what a field holds.
fn is_released(model: &Model, owner: DefId, name: Symbol) -> bool {
    let drops = |u: &FieldUse| model.dropped_type(model.analysis.digests[u.function as usize].owner).is_some();
    let uses = model.uses_of(Root::Field(owner, name));
    uses.iter().filter(|u| !drops(u)).any(|u| u.kind >= UseKind::Leaves)
}

fn report(
    tracer: &Tracer,
    seed: &Seed,
    (noun, function): (&str, DefId),
    confidence: Confidence,
    pin: &Pinned,
    reason: &Reason,
) -> Diagnostic {
    let model = tracer.model;
    let text = |def| model.text(model.def_name(def));
    let (message, looked_for) = match reason {
        Reason::Channel(Kept { field: Some((owner, name)), .. }) => (
            format!(
                "this {noun} ends when its channel is closed, but it owns the `{}` that keeps the channel open in `{}`",
                text(*owner),
                model.text(*name)
            ),
            "looked for another exit of the loop, a `Weak` in its place, and code that takes the sending end out; found none",
        ),
        Reason::Channel(_) => (
            format!("this {noun} ends when its channel is closed, but it owns a sending end of that channel"),
            "looked for another exit of the loop, and for code that gives the sending end away; found none",
        ),
        Reason::Handle(owner, name) => (
            format!(
                "this {noun} is ended by the `Drop` of `{}`, which holds it in `{}`, but it owns that `{}` itself",
                text(*owner),
                model.text(*name),
                text(*owner)
            ),
            "looked for an exit of the loop, a `Weak` in its place, and another abort or join of the handle; found none",
        ),
    };
    let help = "give it a `Weak` and end when `upgrade` fails, or give its loop a `CancellationToken` that the owner's \
                users cancel";
    let span = model.span_of(tracer, seed.body, seed.statement);
    let item = model.item_path(function);
    let mut diagnostic =
        Diagnostic::new(NAME, confidence, span, item.clone(), message, looked_for.to_owned(), help.to_owned())
            .primary("neither this nor what it owns can end");
    match reason {
        Reason::Channel(kept) => {
            diagnostic = diagnostic.label(kept.made, "the channel is made here");
            diagnostic = label_field(model, diagnostic, kept.field);
        }
        Reason::Handle(owner, name) => diagnostic = label_field(model, diagnostic, Some((*owner, *name))),
    }
    diagnostic = diagnostic.label(pin.loop_at, "this loop goes on as long as it is open");
    if confidence < Confidence::High {
        diagnostic = diagnostic.note(super::often::runs_often(&item));
    }
    diagnostic
}

fn label_field(model: &Model, diagnostic: Diagnostic, field: Option<(DefId, Symbol)>) -> Diagnostic {
    match field.and_then(|(owner, name)| model.field_span(owner, name)) {
        Some(span) => diagnostic.label(span, "held here"),
        None => diagnostic,
    }
}
