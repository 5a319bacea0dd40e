#![doc = include_str!("../../lints/unbounded_pool.md")]

use crate::diagnostic::{Confidence, Diagnostic};
use crate::model::access::Tracer;
use crate::model::heat::Runs;
use crate::model::lacking::{Lacking, of_function};
use crate::model::{DefId, Model, TargetKind};

const NAME: &str = "unbounded_pool";

/// Reports pools and clients that are built without limits or timeouts.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    model.each_function(
        |digest| digest.builds,
        |tracer, position| {
            out.extend(of_function(tracer).iter().map(|one| report(model, tracer, position, one)));
        },
    );
}

fn report(model: &Model, tracer: &Tracer, position: u32, one: &Lacking) -> Diagnostic {
    let owner = model.analysis.digests[position as usize].owner;
    let (confidence, assumed) = confidence(model, position, owner, one);
    let mut missing: Vec<String> = one.lacks.iter().map(|lack| lack.what.clone()).collect();
    missing.extend(one.lifted.iter().map(|(_, sets)| sets.what.clone()));
    let mut diagnostic = Diagnostic::new(
        NAME,
        confidence,
        tracer.span(one.body, one.made),
        model.item_path(owner),
        format!("this is built without {}", joined(&missing, "or")),
        looked_for(one),
        help(one),
    )
    .primary("built here");
    for (call, sets) in one.lifted.iter().filter(|(call, _)| *call != one.made) {
        diagnostic = diagnostic.label(tracer.span(one.body, *call), format!("{} is set to none here", sets.what));
    }
    let mut sources: Vec<&str> = one.lacks.iter().map(|lack| lack.source.as_str()).collect();
    sources.dedup();
    for source in sources {
        diagnostic = diagnostic.note(format!("there is none by default: {source}"));
    }
    if let Some(assumed) = assumed { diagnostic.note(assumed) } else { diagnostic }
}

/// How sure, and what was assumed for that.
fn confidence(model: &Model, position: u32, owner: DefId, one: &Lacking) -> (Confidence, Option<String>) {
    let minor = one.lacks.iter().all(|lack| lack.minor) && one.lifted.iter().all(|(_, sets)| sets.minor);
    let runs = model.analysis.heats[position as usize];
    if minor || runs == Runs::Test || runs == Runs::Never || model.is_for_tests_by_name(owner) {
        return (Confidence::Low, None);
    }
    if one.lifted.iter().any(|(_, sets)| !sets.minor) {
        return (Confidence::High, None);
    }
    let krate = model.crate_id_of(model.def(owner).module);
    let heavy = || one.lacks.iter().filter(|lack| !lack.minor);
    let timed = heavy().all(|lack| model.is_timed_elsewhere(krate, lack));
    // Each request can have a timeout of its own, which whoever uses a library may give it.
    let of_requests = heavy().all(|lack| lack.felt_in.is_empty());
    if !one.in_sight || timed || !may_serve(model, owner, of_requests) {
        return (Confidence::Low, None);
    }
    (
        Confidence::Medium,
        Some("assumed that it is used for as long as the program runs, by work that can pile up".to_owned()),
    )
}

/// Whether the code may be part of a program that runs for long: one that serves or, unless it has to be sure, one that does
/// something again and again, and any library. A command that does its work and ends is none.
fn may_serve(model: &Model, owner: DefId, sure: bool) -> bool {
    let id = model.crate_id_of(model.def(owner).module);
    let is_bin = |kind| kind == TargetKind::Bin;
    if model.crate_at(id).kind == TargetKind::Lib && !model.crates().iter().any(|c| is_bin(c.kind)) {
        return !sure;
    }
    model.analysis.digests.iter().enumerate().any(|(position, digest)| {
        let other = model.crate_id_of(model.def(digest.owner).module);
        let busy = digest.serves || !sure && model.analysis.heats[position] == Runs::Repeated;
        // What a program does says nothing of those beside it in its package.
        let concerns = other == id || !is_bin(model.crate_at(id).kind) && model.is_built_on(other, id);
        busy && concerns
    })
}

fn help(one: &Lacking) -> String {
    let why = "so that callers get an error and no queue of waiting work grows";
    match setters(one) {
        names if names.is_empty() => format!("put a timeout around each use, {why}"),
        names => format!("set a limit that the other side can bear, {why}: {}", quoted(&names, "and")),
    }
}

/// What would set what is missing.
fn setters(one: &Lacking) -> Vec<&str> {
    let mut names: Vec<&str> = one.lacks.iter().filter_map(|lack| lack.set_by.first()).map(String::as_str).collect();
    names.dedup();
    names
}

fn looked_for(one: &Lacking) -> String {
    let mut names: Vec<&str> = one.lacks.iter().flat_map(|lack| &lack.set_by).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    match (names.is_empty(), one.lifted.is_empty()) {
        (_, false) => "looked for a call that sets it again; found none".to_owned(),
        (true, true) => "looked for a timeout around its uses; found none".to_owned(),
        (false, true) => format!("looked for {} in this function; found none", quoted(&names, "or")),
    }
}

fn quoted(names: &[&str], last: &str) -> String {
    joined(&names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>(), last)
}

fn joined(parts: &[String], last: &str) -> String {
    match parts.split_last() {
        Some((end, before)) if !before.is_empty() => format!("{} {last} {end}", before.join(", ")),
        Some((end, _)) => end.clone(),
        None => String::new(),
    }
}
