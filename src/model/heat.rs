//! How often each function runs: from its attributes, its traits, its visibility, and from those who call it.

use super::digest::Digest;
use super::{DefId, Model, TargetKind};
use crate::apis::Heat;
use crate::facts::{BodyKind, ItemKind, item_flags};
use rustc_hash::{FxHashMap, FxHashSet};

/// How often a function runs, as far as can be proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Runs {
    /// It is a test, or part of one.
    Test,
    /// Nothing is known: nobody calls it, or only such functions and tests do.
    Unknown,
    /// Once in the life of the process.
    Once,
    /// Once in a thread.
    PerThread,
    /// It can be called any number of times, and nothing shows that it runs once.
    PerCall,
    /// In a loop without an end, per request, per tick.
    Repeated,
}

/// A function that is implemented for more types than this says nothing about each of them.
const IMPLEMENTORS: usize = 3;

/// By digest, how often its function runs.
pub fn heats(model: &Model, digests: &[Digest]) -> Vec<Runs> {
    let called = called_in_applications(model, digests);
    let mut heats: Vec<Runs> = digests.iter().map(|d| seed(model, d, &called)).collect();
    let by_def: FxHashMap<DefId, u32> = digests.iter().enumerate().map(|(i, d)| (d.owner, i as u32)).collect();
    let edges = edges(model, digests, &by_def);
    // Heat only rises, so the result does not depend on the order.
    let mut todo: Vec<u32> = (0..digests.len() as u32).collect();
    while let Some(caller) = todo.pop() {
        for &(callee, body, heat) in &edges[caller as usize] {
            let given = at_site(&digests[caller as usize], heats[caller as usize], body, heat);
            // What is compiled for tests only runs in tests only, whoever calls it.
            let pinned = heats[callee as usize] == Runs::Test;
            if given > heats[callee as usize] && !pinned {
                heats[callee as usize] = given;
                todo.push(callee);
            }
        }
    }
    heats
}

/// Functions whose callers are all in sight: those that are called, in a run that holds the program they are for.
fn called_in_applications(model: &Model, digests: &[Digest]) -> FxHashSet<DefId> {
    if !model.crates().iter().any(|c| c.kind == TargetKind::Bin) {
        return FxHashSet::default();
    }
    let free = |def: &DefId| model.item(*def).flags & item_flags::FOREIGN == 0 && model.trait_of(*def).is_none();
    digests.iter().flat_map(|d| &d.calls).map(|c| c.callee).filter(free).collect()
}

type Edge = (u32, u32, Heat);

/// Who calls whom. A call of a trait's method reaches its implementations, if they are few.
fn edges(model: &Model, digests: &[Digest], by_def: &FxHashMap<DefId, u32>) -> Vec<Vec<Edge>> {
    digests
        .iter()
        .map(|digest| {
            let mut list: Vec<Edge> = Vec::new();
            for call in &digest.calls {
                let mut reach = |def: DefId| {
                    for twin in model.twins(def) {
                        list.extend(by_def.get(&twin).map(|&i| (i, call.body, call.heat)));
                    }
                };
                reach(call.callee);
                let implementations = model.implementations(call.callee);
                if implementations.len() <= IMPLEMENTORS {
                    implementations.into_iter().for_each(&mut reach);
                }
            }
            list.sort_unstable_by_key(|e| (e.0, e.1, e.2 as u8));
            list.dedup();
            list
        })
        .collect()
}

/// How often a place in a function runs: the function's own heat, raised by loops and by what the closure it is in is
/// handed to.
pub fn at_site(digest: &Digest, function: Runs, body: u32, heat: Heat) -> Runs {
    // `if STARTED.swap(true, ..) { return; }`
    if digest.once && function != Runs::Test {
        return Runs::Once;
    }
    // From the outermost body inwards: `call_once(|| …)` runs once, whatever is around it.
    let mut around = vec![];
    let mut at = body;
    while digest.bodies[at as usize].parent != at {
        around.push(digest.bodies[at as usize].heat);
        at = digest.bodies[at as usize].parent;
    }
    let runs = around.into_iter().rev().fold(function, |runs, heat| match heat {
        Heat::Once if runs != Runs::Test => Runs::Once,
        heat => raise(runs, heat),
    });
    raise(runs, heat)
}

fn raise(runs: Runs, heat: Heat) -> Runs {
    match heat {
        _ if runs == Runs::Test => Runs::Test,
        Heat::Same => runs,
        Heat::Repeated => Runs::Repeated,
        Heat::PerCall => runs.max(Runs::PerCall),
        Heat::PerThread => runs.max(Runs::PerThread),
        Heat::Once if runs == Runs::Unknown => Runs::Once,
        Heat::Once => runs,
        Heat::Test => Runs::Test,
    }
}

/// What a function shows by itself.
fn seed(model: &Model, digest: &Digest, called: &FxHashSet<DefId>) -> Runs {
    let def = digest.owner;
    let item = model.item(def);
    if model.is_test(def) {
        return Runs::Test;
    }
    if item.kind != ItemKind::Fn || model.body_header(digest.root).kind == BodyKind::Initialiser {
        return if item.flags & item_flags::THREAD_LOCAL != 0 { Runs::PerThread } else { Runs::Once };
    }
    let attribute = model.attribute_rows(def).map(|row| row.heat).max_by_key(|heat| *heat as u8);
    if let Some(heat) = attribute {
        return raise(Runs::Unknown, heat);
    }
    if model.is_main(def) || model.target(def) == TargetKind::Build {
        return Runs::Once;
    }
    if let Some(heat) = model.trait_heat(def) {
        return raise(Runs::Unknown, heat);
    }
    if is_api(model, def) && !called.contains(&def) { Runs::PerCall } else { Runs::Unknown }
}

/// Whether code that is not in sight may call it: public API of a library, exported symbols, trait implementations.
fn is_api(model: &Model, def: DefId) -> bool {
    let item = model.item(def);
    let of_trait = model.def(def).parent.is_some_and(|p| {
        let parent = model.item(p);
        parent.kind == ItemKind::Trait || !parent.of_trait.is_none()
    });
    let visible = item.flags & item_flags::EXPORTED != 0 && model.target(def) == TargetKind::Lib;
    visible || of_trait || item.flags & item_flags::FOREIGN != 0
}
