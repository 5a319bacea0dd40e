#![doc = include_str!("../../lints/zombie_process.md")]

use crate::apis::{DropEffect, Obligation, ObligationKind};
use crate::diagnostic::{Confidence, Diagnostic};
use crate::facts::body::*;
use crate::model::access::{Root, Tracer};
use crate::model::digest::{Ended, Seed, SeedKind};
use crate::model::flow::{Fate, Loss, Lost, Terms, drops_safely, fate};
use crate::model::heat::Runs;
use crate::model::{DefId, Model, Symbol, TyData};
use crate::source::Span;

const NAME: &str = "zombie_process";

/// Reports children that are not waited for on some path.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    let wanted = |seed: &Seed| match seed.kind {
        SeedKind::Acquire(kind) => kind == ObligationKind::Child,
        SeedKind::Call(def) => model.acquires(def) == Some(ObligationKind::Child),
        _ => false,
    };
    let mut reported = Vec::new();
    model.each_seed(wanted, |tracer, position, seed| {
        let Some(obligation) = tracer.obligation_of(seed) else { return };
        let span = model.span_of(tracer, seed.body, seed.statement);
        if excused(tracer, seed, obligation) || model.is_only_for(span, &obligation.not_for) {
            return;
        }
        let terms = Terms {
            kind: ObligationKind::Child,
            copy: false,
            ended_by: &obligation.ended_by,
            released_by: &[],
            safe_drop: drops_safely(obligation),
        };
        let fate = fate(tracer, &model.analysis.releases, terms, seed.body, seed.statement);
        // A field that nobody waits for is worse than an error on the way to it.
        let found = kept(tracer, seed, &fate).or_else(|| fate.worst().map(Found::Path));
        if let Some(found) = found {
            if let Found::Field { owner, .. } = found {
                reported.push(owner);
            }
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

/// `Command::new("x").kill_on_drop(true).spawn()`: the builder made dropping safe.
fn excused(tracer: &Tracer, seed: &Seed, obligation: &Obligation) -> bool {
    let Some(excuse) = &obligation.excuse else { return false };
    if let SeedKind::Call(def) = seed.kind {
        return tracer.model.calls_name(def, excuse);
    }
    let body = &tracer.body(seed.body).body;
    body.statements.iter().any(|s| s.op == Op::CallMethod && tracer.method_name(seed.body, s) == excuse)
}

enum Found<'a> {
    /// Lost on a path.
    Path(&'a Loss),
    /// Kept in a field that nobody waits for.
    Field { span: Span, name: String, owner: DefId },
}

/// A child stored in a field of a type of the run, where nobody waits for it or takes it out again.
fn kept(tracer: &Tracer, seed: &Seed, fate: &Fate) -> Option<Found<'static>> {
    let model = tracer.model;
    let body = &tracer.body(seed.body).body;
    fate.stored.iter().find_map(|id| {
        let statement = &body.statements[id.index()];
        let owner = match model.ty(tracer.ty(seed.body, statement.dest)) {
            &TyData::Adt(owner, _) => owner,
            _ => return None,
        };
        let header = model.header(model.def(owner).file);
        let holds = |ty| {
            model
                .inside(ty)
                .into_iter()
                .any(|ty| model.obligation(model.payload(ty)).is_some_and(|o| o.kind == ObligationKind::Child))
        };
        let item = model.item(owner);
        let index = item.fields.ids().find(|&index| holds(model.declared_field_ty(owner, index)))?;
        let field = &header.fields[index as usize];
        let name = model.name(model.def(owner).file, field.name);
        let released = field.public && item.flags & crate::facts::item_flags::EXPORTED != 0
            || model.field_is_released(owner, name, ObligationKind::Child);
        let span = Span { file: model.def(owner).file, range: field.span };
        (!released).then(|| Found::Field { span, name: model.text(name).to_owned(), owner })
    })
}

fn report(model: &Model, tracer: &Tracer, position: u32, seed: &Seed, fate: &Fate, found: Found) -> Diagnostic {
    let span = model.span_of(tracer, seed.body, seed.statement);
    let owner = model.analysis.digests[position as usize].owner;
    let file = span.file;
    let at = |range| Span { file, range };
    // tokio reaps what is dropped when it happens to look.
    let best_effort = tracer.obligation_of(seed).is_some_and(|o| o.drop == DropEffect::Detaches);
    let (what, label) = match &found {
        Found::Path(loss) => describe(model, loss),
        Found::Field { .. } => {
            ("this child process is kept in a field, and nobody waits for it".to_owned(), String::new())
        }
    };
    let mut diagnostic = Diagnostic::new(
        NAME,
        confidence(model, owner, fate, &found, best_effort),
        span,
        model.item_path(owner),
        what,
        "looked for `wait`, `wait_with_output`, a function that waits for it, or an owner that does; found none on this path"
            .to_owned(),
        "wait for the child on every path, the error paths too; if nobody needs its result, wait in a helper thread or \
         keep it in a type whose `Drop` kills and waits"
            .to_owned(),
    )
    .primary("spawned here");
    if let Some(command) = tracer.chain_start(seed).filter(|c| c.range.hi + MULTI_LINE < span.range.lo) {
        diagnostic = diagnostic.label(command, "the command");
    }
    match found {
        Found::Path(loss) => {
            if loss.at.hi > 0 {
                diagnostic = diagnostic.label(at(loss.at), label);
            } else {
                diagnostic = holder_label(diagnostic, tracer, seed, loss);
            }
        }
        Found::Field { span, name, .. } => {
            diagnostic = diagnostic.label(span, format!("kept in the field `{name}`, which nobody waits for"));
        }
    }
    if let Some(&release) = fate.releases.first() {
        diagnostic = diagnostic.label(at(release), "waited for here, on another path");
    }
    if best_effort {
        diagnostic =
            diagnostic.note("assumed that the runtime does not reap it in time: it promises no more than to try");
    }
    if let Some(text) = tool_note(model, owner) {
        diagnostic = diagnostic.note(text);
    }
    diagnostic
}

/// Where the name is bound that holds the child to its end.
fn holder_label(diagnostic: Diagnostic, tracer: &Tracer, seed: &Seed, loss: &Loss) -> Diagnostic {
    let typed = tracer.body(seed.body);
    let local = &typed.body.locals[loss.holder.index()];
    match local.span.hi {
        0 => diagnostic,
        _ => {
            let span = Span { file: typed.at.file, range: local.span };
            diagnostic.label(span, "dropped at the end of this name's scope")
        }
    }
}

fn describe(model: &Model, loss: &Loss) -> (String, String) {
    let what = match loss.lost {
        Lost::Exit(EdgeKind::Error) => "this child process is not waited for when an error is returned",
        Lost::Exit(EdgeKind::Cancel) => "this child process is not waited for when the future is dropped",
        Lost::Exit(_) => "this child process is not waited for on an early return",
        _ if loss.ended => "this child process is killed and never waited for",
        _ => "nobody waits for this child process",
    };
    let label = match loss.lost {
        Lost::Exit(EdgeKind::Error) => "the error leaves here, the child is dropped".to_owned(),
        Lost::Exit(EdgeKind::Cancel) => "the future may be dropped here".to_owned(),
        Lost::Exit(_) => "returns here, the child is dropped".to_owned(),
        Lost::Overwritten => "overwritten here".to_owned(),
        Lost::InCallee(def) => format!("`{}` drops it", model.item_path(def)),
        Lost::Detached | Lost::Discarded | Lost::ScopeEnd => "dropped here".to_owned(),
    };
    (what.to_owned(), label)
}

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
