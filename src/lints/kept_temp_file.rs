#![doc = include_str!("../../lints/kept_temp_file.md")]

use super::loss::{labelled, when};
use super::often::says_how_often;
use crate::apis::ObligationKind;
use crate::diagnostic::{Confidence, Diagnostic};
use crate::facts::body::*;
use crate::model::access::{Root, Tracer};
use crate::model::digest::{Digest, Seed, SeedKind, innermost_loop, is_repeated};
use crate::model::files::{is_removed_around, makes, name_of, path_root, touch};
use crate::model::flow::{Fate, Loss, Lost, Terms, fate};
use crate::model::heat::Runs;
use crate::model::keyed::{Exit, Touch, Ways, sources, ways};
use crate::model::{Model, TyData};
use crate::source::Span;

const NAME: &str = "kept_temp_file";

/// Reports temporary files that nobody removes, or nobody removes after an error.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    let wanted = |seed: &Seed| seed.kind == SeedKind::Acquire(ObligationKind::TempFile);
    model.each_seed(wanted, |tracer, position, seed| {
        let runs = runs(model, tracer, position, seed.body, seed.statement);
        let Some(acquires) = tracer.row(seed.body, seed.statement).and_then(|row| row.acquires.as_ref()) else {
            return;
        };
        // `(file, path)`: which part is the path cannot be followed.
        let dest = tracer.body(seed.body).body.statements[seed.statement.index()].dest.get();
        let is_tuple = |place| matches!(model.ty(model.payload(tracer.ty(seed.body, place))), TyData::Tuple(_));
        if dest.is_some_and(is_tuple) || !matches!(runs, Runs::PerThread | Runs::PerCall | Runs::Repeated) {
            return;
        }
        let terms = Terms { copy: false, ..Terms::of_raw(acquires) };
        let fate = fate(tracer, &model.analysis.releases, terms, seed.body, seed.statement);
        // `Snapshot::new(folder.keep())`: what a function does with a path that it is given is not followed.
        let given = fate.losses.iter().any(|l| matches!(l.lost, Lost::InCallee(_)));
        if let Some(loss) = fate.worst().filter(|_| !given && !fate.escapes && !fate.returned && fate.stored.is_empty())
        {
            let what = acquires.what.as_deref().unwrap_or("temporary file");
            out.push(report_kept(model, tracer, position, seed, &fate, loss, (what, runs)));
        }
    });
    let makes_files =
        |digest: &Digest| digest.makes_files || digest.calls.iter().any(|c| model.creates_files(c.callee));
    model.each_function(makes_files, |tracer, position| {
        for index in 0..tracer.function.bodies.len() as u32 {
            hand_made(model, tracer, position, index, out);
        }
    });
}

fn runs(model: &Model, tracer: &Tracer, position: u32, index: u32, id: StatementId) -> Runs {
    let around = innermost_loop(&tracer.body(index).body, id).unwrap_or_default();
    model.runs_at(position, index, is_repeated(tracer, index, around))
}

/// `create(&tmp)?; write()?; rename(&tmp, target)`: what leaves in between leaves the file.
fn hand_made(model: &Model, tracer: &Tracer, position: u32, index: u32, out: &mut Vec<Diagnostic>) {
    let body = &tracer.body(index).body;
    let mut made: Vec<Root> = Vec::new();
    for id in (0..body.statements.len() as u32).map(StatementId) {
        let Some(place) = makes(tracer, index, id) else { continue };
        let root = path_root(tracer, index, place);
        // What a caller or an owner gave the name to, they may remove as well.
        let Root::Local(of, local) = root else { continue };
        if of != index || made.contains(&root) || is_removed_around(tracer, index) {
            continue;
        }
        let name = name_of(tracer, index, local);
        // What is in a folder goes with it.
        let in_made = name.parts.iter().any(|&(body, local)| made.contains(&Root::Local(body, local)));
        made.push(root);
        if in_made || name.guarded || touched_before(tracer, index, id, root, &name.parts) {
            continue;
        }
        let ways = ways(tracer, index, id, &|s| touch(tracer, index, s, root, &name.parts), &|_, _| false);
        let exit = ways.exits.iter().min_by_key(|e| (e.kind == EdgeKind::Cancel, e.at));
        // Where some way keeps it, it is the product and not a means.
        let Some(exit) = exit.filter(|_| !ways.stays && !ways.taken_back.is_empty()) else { continue };
        let runs = runs(model, tracer, position, index, id);
        let owner = model.analysis.digests[position as usize].owner;
        let confidence = match exit.kind {
            EdgeKind::Cancel => Confidence::Low,
            // A fixed name is taken again by the next run: one file at most stays behind.
            _ if !name.fresh => Confidence::Low,
            // A tool that runs once leaves one file, and says why it failed.
            _ if runs < Runs::PerThread && model.is_tool(owner) => Confidence::Low,
            _ if runs == Runs::Repeated => Confidence::High,
            _ => Confidence::Medium,
        };
        out.push(report_hand_made(model, tracer, position, (index, id), exit, &ways, confidence));
    }
}

/// A guard that was made before the file, and removes it.
fn touched_before(tracer: &Tracer, index: u32, put: StatementId, root: Root, parts: &[(u32, LocalId)]) -> bool {
    (0..put.0).map(StatementId).any(|id| touch(tracer, index, id, root, parts) == Touch::MayTakeBack)
}

/// `println!("the report is in {}", path.display())`: the user is told where it is.
fn is_told(tracer: &Tracer, seed: &Seed) -> bool {
    let body = &tracer.body(seed.body).body;
    let kept = body.statements[seed.statement.index()].dest.get().and_then(|d| body.local_of(d));
    let Some(kept) = kept.map(|local| (seed.body, local)) else { return false };
    let of_kept = |place| {
        let local = body.local_of(place);
        local.is_some_and(|local| sources(tracer, seed.body, local, &mut |_, _| {}).contains(&kept))
    };
    let macros = body.statements.iter().filter(|s| s.op == Op::Macro);
    macros.flat_map(|s| body.args(s)).filter_map(|a| a.as_place()).any(|(_, place)| of_kept(place))
}

fn report_kept(
    model: &Model,
    tracer: &Tracer,
    position: u32,
    seed: &Seed,
    fate: &Fate,
    loss: &Loss,
    (what, runs): (&str, Runs),
) -> Diagnostic {
    let span = model.span_of(tracer, seed.body, seed.statement);
    let item = model.item_path(model.analysis.digests[position as usize].owner);
    let confidence = match loss.lost {
        Lost::Exit(EdgeKind::Cancel) => Confidence::Low,
        // `let _ = file.keep();`: its path is known from before, and whoever writes this wants it to stay.
        Lost::Discarded => Confidence::Low,
        _ if is_told(tracer, seed) => Confidence::Low,
        _ if runs == Runs::Repeated && !fate.gave_up => Confidence::High,
        _ => Confidence::Medium,
    };
    let message = match when(loss) {
        Some(when) => format!("this {what} is kept, and not removed {when}"),
        None => format!("this {what} is kept, and nobody removes it"),
    };
    let diagnostic = Diagnostic::new(
        NAME,
        confidence,
        span,
        item.clone(),
        message,
        "looked for a function that removes or renames it, a place that keeps its path, and a caller that gets it; found \
         none on this path"
            .to_owned(),
        "keep the guard alive as long as the file is needed instead of keeping the file; or `persist` it to where it belongs"
            .to_owned(),
    )
    .primary("kept from here on");
    let diagnostic = labelled(diagnostic, tracer, seed, fate, loss, "removed");
    says_how_often(diagnostic, tracer, position, (seed.body, seed.statement))
}

fn report_hand_made(
    model: &Model,
    tracer: &Tracer,
    position: u32,
    (index, id): (u32, StatementId),
    exit: &Exit,
    ways: &Ways,
    confidence: Confidence,
) -> Diagnostic {
    let span = model.span_of(tracer, index, id);
    let at = |range| Span { file: span.file, range };
    let when = match exit.kind {
        EdgeKind::Cancel => "when the future is dropped",
        _ => "when an error is returned",
    };
    let diagnostic = Diagnostic::new(
        NAME,
        confidence,
        span,
        model.item_path(model.analysis.digests[position as usize].owner),
        format!("this temporary file or folder is not removed {when}"),
        "looked for a removal or a rename on the way out, a guard whose `Drop` removes it, and a function around this one \
         that does; found none"
            .to_owned(),
        "let `tempfile` make it, so that it is removed when its guard is dropped and `persist` renames it; or do the work \
         in an inner function and remove the file when that fails"
            .to_owned(),
    )
    .primary("made here")
    .label(at(exit.at), "leaves here, the file stays")
    .label(at(ways.taken_back[0]), "removed or renamed here, where all goes well");
    match confidence {
        Confidence::Medium => {
            diagnostic.note("assumed that nobody sweeps the folder: each error leaves a file under another name")
        }
        _ => diagnostic,
    }
}
