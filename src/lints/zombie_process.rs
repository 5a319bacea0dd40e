#![doc = include_str!("../../lints/zombie_process.md")]

use super::loss::{labelled, when};
use crate::apis::{DropEffect, ObligationKind};
use crate::diagnostic::{Confidence, Diagnostic};
use crate::facts::body::EdgeKind;
use crate::model::access::{Root, Tracer};
use crate::model::digest::{Ended, Seed};
use crate::model::flow::{Fate, Loss, Lost, Terms, fate};
use crate::model::heat::Runs;
use crate::model::{DefId, Model, Symbol};
use crate::source::Span;

const NAME: &str = "zombie_process";

/// Reports children that are not waited for on some path.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    let wanted = |seed: &Seed| model.gives(seed.kind) == Some(ObligationKind::Child);
    let mut reported = Vec::new();
    model.each_seed(wanted, |tracer, position, seed| {
        let Some(obligation) = tracer.obligation_of(seed) else { return };
        let span = model.span_of(tracer, seed.body, seed.statement);
        if tracer.is_excused(seed, obligation) || model.is_only_for(span, &obligation.not_for) {
            return;
        }
        let terms = Terms::of_value(obligation);
        let fate = fate(tracer, &model.analysis.releases, terms, seed.body, seed.statement);
        let field = kept(tracer, seed, &fate);
        if let Some(Found::Field { owner, .. }) = field {
            reported.push(owner);
        }
        for found in field.into_iter().chain(fate.worst().map(Found::Path)) {
            out.push(report(model, tracer, position, seed, &fate, found));
        }
    });
    killed_in_drop(model, &reported, out);
}

/// `fn drop(&mut self) { self.0.kill(); }`: the last one who could wait does not.
fn killed_in_drop(model: &Model, reported: &[DefId], out: &mut Vec<Diagnostic>) {
    for digest in &model.analysis.digests {
        let Some(owner) = model.dropped_type(digest.owner).filter(|o| !reported.contains(o)) else { continue };
        for end in digest.ended.iter().filter(|e| e.kind == ObligationKind::Child) {
            let Root::Field(of, name) = end.root else { continue };
            if of == owner && !model.field_is_released(owner, name, end.kind) && !model.is_tool(owner) {
                out.push(report_drop(model, digest.owner, owner, name, end));
            }
        }
    }
}

fn report_drop(model: &Model, drop: DefId, owner: DefId, name: Symbol, end: &Ended) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        NAME,
        Confidence::High,
        end.span,
        model.item_path(drop),
        "this child process is killed when its owner is dropped, and never waited for".to_owned(),
        format!(
            "looked for a wait on `{}::{}`, in this `drop` and elsewhere; found none",
            model.item_path(owner),
            model.text(name)
        ),
        "wait after the kill: a process that was killed stays a zombie until then".to_owned(),
    )
    .primary("killed here");
    match model.field_span(owner, name) {
        Some(span) => diagnostic.label(span, "the child process is kept here"),
        None => diagnostic,
    }
}

enum Found<'a> {
    /// Lost on a path.
    Path(&'a Loss),
    /// Kept in a field that nobody waits for.
    Field { span: Span, owner: DefId, name: Symbol },
}

/// A child stored in a field of a type of the run, where nobody waits for it or takes it out again.
fn kept(tracer: &Tracer, seed: &Seed, fate: &Fate) -> Option<Found<'static>> {
    let model = tracer.model;
    let mut fields = fate.stored.iter().filter_map(|&stored| model.stored_in(tracer, seed.body, stored));
    fields.find_map(|(owner, name)| {
        let released =
            model.is_public_field(owner, name) || model.field_is_released(owner, name, ObligationKind::Child);
        let span = model.field_span(owner, name).filter(|_| !released)?;
        Some(Found::Field { span, owner, name })
    })
}

fn report(model: &Model, tracer: &Tracer, position: u32, seed: &Seed, fate: &Fate, found: Found) -> Diagnostic {
    let owner = model.analysis.digests[position as usize].owner;
    let spawn = model.span_of(tracer, seed.body, seed.statement);
    // tokio reaps what is dropped when it happens to look.
    let best_effort = tracer.obligation_of(seed).is_some_and(|o| o.drop == DropEffect::Detaches);
    let confidence = confidence(model, owner, fate, &found, best_effort);
    let mut diagnostic = match found {
        Found::Path(loss) => report_path(model, tracer, seed, owner, confidence, fate, loss),
        Found::Field { span, owner, name } => report_field(model, confidence, (owner, name, span), spawn),
    };
    if let Some(command) = tracer.chain_start(seed).filter(|c| c.range.hi + MULTI_LINE < spawn.range.lo) {
        diagnostic = diagnostic.label(command, "the command");
    }
    if best_effort {
        diagnostic =
            diagnostic.note("assumed that the runtime does not reap it in time: it promises no more than to try");
    }
    match tool_note(model, owner) {
        Some(text) => diagnostic.note(text),
        None => diagnostic,
    }
}

fn report_path(
    model: &Model,
    tracer: &Tracer,
    seed: &Seed,
    owner: DefId,
    confidence: Confidence,
    fate: &Fate,
    loss: &Loss,
) -> Diagnostic {
    let message = match when(loss) {
        Some(when) => format!("this child process is not waited for {when}"),
        None if !fate.releases.is_empty() => "this child process is not waited for on every path".to_owned(),
        None if loss.ended => "this child process is killed and never waited for".to_owned(),
        None => "nobody waits for this child process".to_owned(),
    };
    let diagnostic = Diagnostic::new(
        NAME,
        confidence,
        model.span_of(tracer, seed.body, seed.statement),
        model.item_path(owner),
        message,
        "looked for `wait`, `wait_with_output`, a function that waits for it, or an owner that does; found none on this path"
            .to_owned(),
        HELP.to_owned(),
    )
    .primary("spawned here");
    labelled(diagnostic, tracer, seed, fate, loss, "waited for")
}

fn report_field(
    model: &Model,
    confidence: Confidence,
    (owner, name, span): (DefId, Symbol, Span),
    spawn: Span,
) -> Diagnostic {
    let field = format!("{}::{}", model.item_path(owner), model.text(name));
    Diagnostic::new(
        NAME,
        confidence,
        span,
        field,
        "this field keeps a child process that nobody waits for".to_owned(),
        "looked for `wait` and `wait_with_output` on this field, in a `Drop` and elsewhere, and for a place that takes it \
         out; found none"
            .to_owned(),
        HELP.to_owned(),
    )
    .primary("kept here")
    .label(spawn, "spawned here")
}

const HELP: &str = "wait for the child on every path, the error paths too; if nobody needs its result, wait in a helper \
                    thread or keep it in a type whose `Drop` kills and waits";

/// A command that begins this many bytes before its `spawn` stands on a line of its own.
const MULTI_LINE: u32 = 60;

/// A program that ends soon leaves its children to init.
fn tool_note(model: &Model, owner: DefId) -> Option<String> {
    let tool = model.is_tool(owner);
    tool.then(|| "this program has no endless loop: its children are taken over when it ends".to_owned())
}

fn confidence(model: &Model, owner: DefId, fate: &Fate, found: &Found, best_effort: bool) -> Confidence {
    let runs = model.digest_position(owner).map_or(Runs::Unknown, |p| model.analysis.heats[p as usize]);
    match found {
        _ if model.is_tool(owner) || runs == Runs::Test => Confidence::Low,
        Found::Path(loss) if loss.lost == Lost::Exit(EdgeKind::Cancel) => Confidence::Low,
        Found::Path(_) if fate.escapes || fate.gave_up || best_effort => Confidence::Medium,
        Found::Field { .. } => Confidence::Medium,
        Found::Path(_) => Confidence::High,
    }
}
