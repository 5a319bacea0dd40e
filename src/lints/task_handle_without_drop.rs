#![doc = include_str!("../../lints/task_handle_without_drop.md")]

use crate::diagnostic::{Confidence, Diagnostic};
use crate::facts::body::StatementId;
use crate::model::access::{Root, Tracer};
use crate::model::digest::{Seed, SeedKind};
use crate::model::heat::Runs;
use crate::model::kept_tasks::{FieldUse, UseKind, keeps};
use crate::model::tasks::{self, Lasting, Spawned};
use crate::model::{DefId, Model, Symbol};
use crate::source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

const NAME: &str = "task_handle_without_drop";

/// A task that never ends, and where it is spawned.
#[derive(Clone, Copy)]
struct Endless {
    spawned: Spawned,
    lasting: Lasting,
    at: Span,
    /// The function.
    position: u32,
    runs: Runs,
}

/// Reports structs that keep the handle of a task that never ends, and that leave it running when they are dropped.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    let (mut seen, mut given) = (FxHashSet::default(), FxHashMap::default());
    model.each_seed(tasks::is_spawn, |tracer, position, seed| {
        let Some(spawned) = tasks::spawned(tracer, seed) else { return };
        let Some(lasting) = tasks::lasts(tracer, spawned.work) else { return };
        let fate = tasks::handle(tracer, seed, spawned.kind);
        let at = model.span_of(tracer, seed.body, seed.statement);
        let endless = Endless { spawned, lasting, at, position, runs: tasks::spawn_runs(tracer, position, seed) };
        if fate.returned && fate.part.is_none() {
            given.insert(model.analysis.digests[position as usize].owner, endless);
        } else if !fate.returned && !fate.escapes {
            judge(tracer, (seed.body, seed.statement), endless, &mut seen, out);
        }
    });
    // `Pinger { task: spawn_ping() }`
    let wanted = |seed: &Seed| matches!(seed.kind, SeedKind::Call(def) if given.contains_key(&def));
    model.each_seed(wanted, |tracer, position, seed| {
        let SeedKind::Call(def) = seed.kind else { return };
        let endless = given[&def];
        let fate = tasks::handle(tracer, seed, endless.spawned.kind);
        let runs = tasks::spawn_runs(tracer, position, seed);
        if !fate.returned && !fate.escapes {
            judge(tracer, (seed.body, seed.statement), Endless { runs, ..endless }, &mut seen, out);
        }
    });
}

/// Reports the fields in which a handle is kept that nothing ends.
fn judge(
    tracer: &Tracer,
    (body, spawn): (u32, StatementId),
    endless: Endless,
    seen: &mut FxHashSet<(DefId, Symbol)>,
    out: &mut Vec<Diagnostic>,
) {
    let model = tracer.model;
    for keep in keeps(tracer, body, spawn) {
        let Root::Field(owner, name) = keep.root else { continue };
        // What is made once lives as long as the process.
        if endless.runs < Runs::PerThread || model.is_in_static(owner) || model.keeper_drops(owner, name) {
            continue;
        }
        let own = model.analysis.digests[endless.position as usize].owner;
        let uses = model.uses_of(keep.root).into_iter();
        let uses: Vec<FieldUse> = uses.filter(|u| model.analysis.digests[u.function as usize].owner != own).collect();
        let ended: Vec<DefId> = uses
            .iter()
            .filter(|u| u.kind >= UseKind::Joins)
            .map(|u| model.analysis.digests[u.function as usize].owner)
            .collect();
        if !seen.insert((owner, name)) || uses.iter().any(|u| u.kind == UseKind::Leaves) {
            continue;
        }
        let confidence = match ended.first() {
            // `server.stop()`: somebody does remember.
            Some(_) if ended.iter().any(|&def| is_called(model, def)) => Confidence::Low,
            None if endless.runs == Runs::Repeated && !model.is_public_field(owner, name) => Confidence::High,
            _ => Confidence::Medium,
        };
        out.push(report(model, endless, (owner, name), ended.first().copied(), confidence));
    }
}

fn is_called(model: &Model, def: DefId) -> bool {
    let open = model.trait_of(def).is_some() || model.is_main(def);
    open || model.analysis.digests.iter().any(|d| d.calls.iter().any(|call| call.callee == def))
}

fn report(
    model: &Model,
    endless: Endless,
    (owner, name): (DefId, Symbol),
    ended: Option<DefId>,
    confidence: Confidence,
) -> Diagnostic {
    let noun = endless.spawned.noun();
    let (keeper, spawner) = (model.item_path(owner), model.analysis.digests[endless.position as usize].owner);
    let help = match noun {
        "thread" => {
            "give the loop a way out (a stop flag, a closed channel), and end and join the thread in a `Drop` of its owner"
        }
        _ => {
            "keep an `AbortOnDropHandle`, abort the task in a `Drop` of its owner, or let the loop end by a `CancellationToken` that the owner drops"
        }
    };
    let mut diagnostic = Diagnostic::new(
        NAME,
        confidence,
        endless.at,
        model.item_path(spawner),
        format!("this {noun} never ends, and goes on when the `{keeper}` that keeps its handle is dropped"),
        format!(
            "looked for a `Drop` of `{keeper}` or of a type that owns it, for a type that aborts the {noun} when it is \
             dropped, and for an exit of the loop; found none"
        ),
        help.to_owned(),
    )
    .primary("spawned here");
    if let Some(span) = model.field_span(owner, name) {
        diagnostic = diagnostic.label(span, "its handle is kept here");
    }
    if let Some(at) = endless.lasting.at {
        diagnostic = diagnostic.label(at, "this loop has no exit");
    }
    if let Some(ended) = ended {
        diagnostic = diagnostic.note(format!("assumed that not every caller remembers `{}`", model.item_path(ended)));
    }
    if endless.runs != Runs::Repeated {
        let spawner = model.item_path(spawner);
        diagnostic = diagnostic
            .note(format!("assumed that `{spawner}` runs more than once: it can be called any number of times"));
    }
    match model.is_public_field(owner, name) {
        true => diagnostic.note("assumed that no other crate ends it: the field is public"),
        false => diagnostic,
    }
}
