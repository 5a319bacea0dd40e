#![doc = include_str!("../../lints/task_handle_without_drop.md")]

use crate::diagnostic::{Confidence, Diagnostic};
use crate::model::access::{Root, Tracer};
use crate::model::heat::Runs;
use crate::model::kept_tasks::{How, keeps};
use crate::model::tasks::{self, Handle};
use crate::model::{DefId, Model, Symbol};
use crate::source::Span;
use rustc_hash::FxHashSet;

const NAME: &str = "task_handle_without_drop";

const HELP_THREAD: &str = "give the loop a way out (a stop flag, a closed channel), and end and join the thread in a \
                           `Drop` of its owner";
const HELP_TASK: &str = "keep an `AbortOnDropHandle`, abort the task in a `Drop` of its owner, or end the loop by a \
                         `CancellationToken` whose `DropGuard` the owner keeps";

/// Until when a task goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// For ever.
    Never,
    /// Until somebody outside ends it.
    Peer,
    /// Until somebody sets a flag that its owner has.
    Told,
}

impl Until {
    fn message(self, noun: &str, keeper: &str) -> String {
        let dropped = format!("the `{keeper}` that keeps its handle");
        match self {
            Until::Never => format!("this {noun} never ends, and goes on when {dropped} is dropped"),
            Until::Peer => format!("this {noun} goes on until its peer ends it, though {dropped} is dropped"),
            Until::Told => format!("this {noun} goes on until it is told to end, which dropping {dropped} does not do"),
        }
    }

    fn label(self) -> &'static str {
        match self {
            Until::Never => "this loop has no exit",
            Until::Peer => "only what comes from outside ends this loop",
            Until::Told => "only a flag ends this loop",
        }
    }
}

/// Reports structs that keep the handle of a task that never ends, and that leave it running when they are dropped.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    let mut seen = FxHashSet::default();
    tasks::each_handle(model, |tracer, position, handle| {
        // What is made once lives as long as the process.
        if handle.runs < Runs::PerThread || handle.leaves {
            return;
        }
        match (handle.lasting, &handle.ender) {
            (Some(lasting), _) => judge(tracer, position, handle, (Until::Never, lasting.at), &mut seen, out),
            (None, Some(ender)) => {
                let until = if ender.flags.is_empty() { Until::Peer } else { Until::Told };
                judge(tracer, position, handle, (until, Some(ender.at)), &mut seen, out);
            }
            (None, None) => {}
        }
    });
}

/// Reports the fields in which a handle is kept that nothing ends.
fn judge(
    tracer: &Tracer,
    position: u32,
    handle: &Handle,
    until: (Until, Option<Span>),
    seen: &mut FxHashSet<(DefId, Symbol)>,
    out: &mut Vec<Diagnostic>,
) {
    let model = tracer.model;
    for keep in keeps(tracer, handle.body, handle.statement) {
        let Root::Field(owner, name) = keep.root else { continue };
        // `session.connect()` again and again is one task at a time; it is the sessions that count.
        let runs = if keep.how == How::Made { handle.runs } else { handle.runs.min(model.made_runs(owner)) };
        if runs < Runs::PerThread || model.is_in_static(owner) || model.keeper_drops(owner, name) {
            continue;
        }
        let flags = handle.ender.as_ref().map_or(&[][..], |ender| &ender.flags);
        let Some(mut ended) = model.ended_by_others(keep.root, position) else { continue };
        ended.extend(model.setters(owner, flags));
        if !model.has_flags_alone(owner, flags) || !seen.insert((owner, name)) {
            continue;
        }
        let confidence = match ended.first() {
            // `server.stop()`: somebody does remember.
            Some(_) if ended.iter().any(|&def| is_called(model, def)) => Confidence::Low,
            None if until.0 == Until::Never && runs == Runs::Repeated && !model.is_public_field(owner, name) => {
                Confidence::High
            }
            _ => Confidence::Medium,
        };
        out.push(report(model, handle, runs, until, (owner, name), ended.first().copied(), confidence));
    }
}

fn is_called(model: &Model, def: DefId) -> bool {
    let open = model.trait_of(def).is_some() || model.is_main(def);
    open || model.analysis.digests.iter().any(|d| d.calls.iter().any(|call| call.callee == def))
}

fn report(
    model: &Model,
    handle: &Handle,
    runs: Runs,
    (until, loop_at): (Until, Option<Span>),
    (owner, name): (DefId, Symbol),
    ended: Option<DefId>,
    confidence: Confidence,
) -> Diagnostic {
    let noun = handle.spawned.noun();
    let (keeper, spawner) = (model.item_path(owner), model.item_path(handle.spawner));
    let help = if noun == "thread" { HELP_THREAD } else { HELP_TASK };
    let mut diagnostic = Diagnostic::new(
        NAME,
        confidence,
        handle.at,
        spawner.clone(),
        until.message(noun, &keeper),
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
    if let Some(at) = loop_at {
        diagnostic = diagnostic.label(at, until.label());
    }
    if let Some(ended) = ended {
        diagnostic = diagnostic.note(format!("assumed that not every caller remembers `{}`", model.item_path(ended)));
    }
    if runs != Runs::Repeated {
        diagnostic = diagnostic.note(format!("assumed that `{spawner}` runs for more than one `{keeper}`"));
    }
    match model.is_public_field(owner, name) {
        true => diagnostic.note("assumed that no other crate ends it: the field is public"),
        false => diagnostic,
    }
}
