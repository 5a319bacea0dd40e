//! How often each function runs: from its attributes, its traits, its visibility, and from those who call it.

use super::digest::{CallSite, Digest};
use super::{DefId, Model, Res, Symbol, TargetKind};
use crate::apis::Heat;
use crate::facts::{BodyKind, ItemKind, item_flags};
use rustc_hash::{FxHashMap, FxHashSet};

/// How often a function runs, as far as can be proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Runs {
    /// It is a test, or part of one.
    Test,
    /// No program in sight can call it: nothing that it is built on says its name.
    Never,
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

/// Of a function that is implemented for more types than this, a call says little about each of them.
const IMPLEMENTORS: usize = 3;

/// How often functions run, by digest.
#[derive(Debug, Default)]
pub struct Heats {
    /// As far as each shows by itself.
    pub own: Vec<Runs>,
    /// With what those who call it give it.
    pub all: Vec<Runs>,
}

/// How often each function runs.
pub fn heats(model: &Model, digests: &[Digest]) -> Heats {
    let called = Called::new(model, digests);
    let mut own: Vec<Runs> = digests.iter().map(|d| seed(model, d, &called)).collect();
    let heats = own.clone();
    let by_def: FxHashMap<DefId, u32> = digests.iter().enumerate().map(|(i, d)| (d.owner, i as u32)).collect();
    let mut spread = Spread { model, digests, edges: edges(model, digests, &by_def), heats };
    spread.from((0..digests.len() as u32).collect());
    // Where all callers of a trait's method are out of sight themselves, it can be called any number of times.
    let open = |&position: &u32| {
        let def = digests[position as usize].owner;
        spread.heats[position as usize] == Runs::Unknown && model.trait_of(def).is_some()
    };
    let open: Vec<u32> = (0..digests.len() as u32).filter(open).collect();
    for &position in &open {
        own[position as usize] = Runs::PerCall;
        spread.heats[position as usize] = Runs::PerCall;
    }
    spread.from(open);
    Heats { own, all: spread.heats }
}

struct Spread<'a> {
    model: &'a Model,
    digests: &'a [Digest],
    edges: Vec<Vec<Edge>>,
    heats: Vec<Runs>,
}

impl Spread<'_> {
    /// Hands the heat of these functions on to all that they reach. Heat only rises, so the result does not depend on the
    /// order.
    fn from(&mut self, mut todo: Vec<u32>) {
        while let Some(caller) = todo.pop() {
            for edge in &self.edges[caller as usize] {
                let (digest, reached) = (&self.digests[caller as usize], edge.reached);
                let call = &digest.calls[edge.call as usize];
                let given = given(self.model, self.digests, digest, self.heats[caller as usize], call, reached);
                let heat = &mut self.heats[reached.callee as usize];
                // What is compiled for tests only runs in tests only, whoever calls it.
                if given > *heat && *heat != Runs::Test {
                    *heat = given;
                    todo.push(reached.callee);
                }
            }
        }
    }
}

/// How often a call makes what it reaches run, if its own function runs `runs` often.
pub(super) fn given(
    model: &Model,
    digests: &[Digest],
    caller: &Digest,
    runs: Runs,
    call: &CallSite,
    reached: Reached,
) -> Runs {
    let given = at_site(caller, runs, call.body, call.heat);
    let given = if reached.one_of_many { given.min(Runs::PerCall) } else { given };
    // Macros and build scripts run in a build, and a build ends.
    let built = model.target(digests[reached.callee as usize].owner) == TargetKind::Build;
    if built { given.min(Runs::Once) } else { given }
}

/// What a program calls of the libraries that it is made of. Nothing is known of a run that holds no program.
#[derive(Default)]
struct Called {
    /// Functions whose callers are all in sight.
    functions: FxHashSet<DefId>,
    /// Libraries that a program of the run is built on, by package.
    inside: FxHashSet<usize>,
    /// Names that are called, or stand in a macro.
    names: FxHashSet<Symbol>,
}

impl Called {
    fn new(model: &Model, digests: &[Digest]) -> Called {
        if !model.crates().iter().any(|c| c.kind == TargetKind::Bin) {
            return Called::default();
        }
        let free = |def: &DefId| model.item(*def).flags & item_flags::FOREIGN == 0;
        let functions =
            digests.iter().flat_map(|d| &d.calls).flat_map(|c| model.twins(c.callee)).filter(free).collect();
        let named = |d: &Digest| {
            // That a type's own methods name it says nothing of who calls them.
            let own = model.container_type(d.owner).map(|of| model.def_name(of));
            model.names_called(d.owner).filter(move |&name| Some(name) != own).collect::<Vec<_>>()
        };
        let mut names: FxHashSet<Symbol> = digests.iter().flat_map(named).collect();
        for file in model.files() {
            names.extend(file.facts.header.words.iter().map(|&word| model.name(file.id, word)));
        }
        Called { functions, inside: model.packages_of_programs(), names }
    }

    /// Whether it is called in the run, through its trait or directly; for a trait of a library that cannot be seen.
    fn is_in_sight(&self, model: &Model, def: DefId) -> bool {
        match model.trait_of(def) {
            None => self.functions.contains(&def),
            Some(Res::Def(of_trait)) => {
                let declared = model.member_of_impl(of_trait, model.def_name(def));
                self.functions.contains(&def) || declared.is_some_and(|d| self.functions.contains(&d))
            }
            Some(_) => false,
        }
    }

    /// Whether no program in sight can call it: nothing that it is built on says its name.
    fn is_dead(&self, model: &Model, def: DefId) -> bool {
        let package = model.crate_of(model.def(def).module).package;
        // What an attribute makes of it cannot be seen.
        let plain = model.attribute_names(def).iter().all(|&name| model.text(name) == "instrument");
        let free = plain && model.trait_of(def).is_none() && model.item(def).flags & item_flags::FOREIGN == 0;
        // `Type::new()` is resolved for certain unless a macro writes it; a method on a value of unknown type is not.
        let of_type = model.container_type(def).filter(|_| !model.has_receiver(def));
        let name = model.def_name(of_type.unwrap_or(def));
        free && package.is_some_and(|p| self.inside.contains(&p)) && !self.names.contains(&name)
    }
}

/// A function that a call may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reached {
    /// The position of its digest.
    pub callee: u32,
    /// It may be called here, or another one of its trait.
    pub one_of_many: bool,
}

struct Edge {
    reached: Reached,
    /// Position among the caller's calls.
    call: u32,
}

/// Who calls whom, each pair once for each body and heat.
fn edges(model: &Model, digests: &[Digest], by_def: &FxHashMap<DefId, u32>) -> Vec<Vec<Edge>> {
    let of = |digest: &Digest| {
        let mut list: Vec<Edge> = Vec::new();
        for (at, call) in (0u32..).zip(&digest.calls) {
            let found = reached(model, call, |def| by_def.get(&def).copied());
            list.extend(found.into_iter().map(|reached| Edge { reached, call: at }));
        }
        let key = |e: &Edge| {
            let call = &digest.calls[e.call as usize];
            (e.reached, call.body, call.heat as u8)
        };
        list.sort_unstable_by_key(|e| (key(e), e.call));
        list.dedup_by_key(|e| key(e));
        list
    };
    digests.iter().map(of).collect()
}

/// What a call reaches: of a trait's method, its implementations too.
pub(super) fn reached(model: &Model, call: &CallSite, position: impl Fn(DefId) -> Option<u32>) -> Vec<Reached> {
    let mut list = Vec::new();
    let mut reach = |def: DefId, one_of_many: bool| {
        let found = model.twins(def).into_iter().filter_map(&position);
        list.extend(found.map(|callee| Reached { callee, one_of_many }));
    };
    reach(call.callee, false);
    let implementations = model.implementations(call.callee);
    let many = implementations.len() > IMPLEMENTORS;
    implementations.into_iter().for_each(|def| reach(def, many));
    list
}

/// How often a place in a function runs: the function's own heat, raised by loops and by what the closure it is in is
/// handed to.
pub fn at_site(digest: &Digest, function: Runs, body: u32, heat: Heat) -> Runs {
    // `if STARTED.swap(true, ..) { return; }`
    if digest.once && function > Runs::Never {
        return Runs::Once;
    }
    // From the outermost body inwards: `call_once(|| …)` runs once, whatever is around it.
    let mut around = vec![heat];
    let mut at = body;
    while digest.bodies[at as usize].parent != at {
        around.push(digest.bodies[at as usize].heat);
        at = digest.bodies[at as usize].parent;
    }
    around.into_iter().rev().fold(function, |runs, heat| match heat {
        // Also `get_or_init(Engine::new)`.
        Heat::Once if runs > Runs::Never => Runs::Once,
        heat => raise(runs, heat),
    })
}

fn raise(runs: Runs, heat: Heat) -> Runs {
    match heat {
        _ if runs <= Runs::Never => runs,
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
fn seed(model: &Model, digest: &Digest, called: &Called) -> Runs {
    let def = digest.owner;
    let item = model.item(def);
    if model.is_test(def) {
        return Runs::Test;
    }
    if item.kind != ItemKind::Fn || model.body_header(digest.root).kind == BodyKind::Initialiser {
        return if item.flags & item_flags::THREAD_LOCAL != 0 { Runs::PerThread } else { Runs::Once };
    }
    if model.is_main(def) || model.target(def) == TargetKind::Build {
        return Runs::Once;
    }
    if let Some((_, heat)) = model.attribute_heat(def) {
        return raise(Runs::Unknown, heat);
    }
    if let Some(heat) = model.trait_heat(def) {
        return raise(Runs::Unknown, heat);
    }
    if called.is_dead(model, def) {
        return Runs::Never;
    }
    if is_api(model, def) && !called.is_in_sight(model, def) { Runs::PerCall } else { Runs::Unknown }
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
