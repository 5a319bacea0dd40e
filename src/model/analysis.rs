//! What is computed once from the digests of all functions, and how lints walk over functions.

use super::access::{Root, Tracer};
use super::acquires::HandOver;
use super::digest::{Digest, Seed, SeedKind, digest};
use super::effects::{Effects, ReleaseNames, solve};
use super::exits::Ends;
use super::heat::{Heats, Runs, at_site, heats};
use super::ledger::{Event, Ledger};
use super::owners::{in_locks, in_statics, makers, replaced, serving_callers};
use super::pairs::{Pair, learn};
use super::raw_fields::{Released, gather};
use super::setup::Setup;
use super::{Callee, CrateId, DefId, Model, Symbol, TargetKind, Ty};
use crate::apis::{Heat, ObligationKind};
use crate::facts::body::*;
use crate::source::Span;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

/// All that spans functions.
#[derive(Default)]
pub struct Analysis {
    /// One per function, in the order of files and bodies.
    pub digests: Vec<Digest>,
    /// How often each runs.
    pub heats: Vec<Runs>,
    /// The same as far as it shows by itself.
    pub(super) own_heats: Vec<Runs>,
    /// Every collection's events.
    pub ledger: Ledger,
    /// What methods of some name release.
    pub releases: ReleaseNames,
    effects: FxHashMap<DefId, Vec<Effects>>,
    positions: FxHashMap<DefId, u32>,
    never: FxHashSet<DefId>,
    fresh: FxHashMap<DefId, ObligationKind>,
    pairs: FxHashMap<Callee, Pair>,
    handed_over: FxHashMap<DefId, HandOver>,
    /// By function that hands something out: who takes it back, and where that is seen.
    own_pairs: FxHashMap<DefId, (Vec<DefId>, Span)>,
    pub(super) released_raw: Released,
    released_fields: FxHashSet<(Root, ObligationKind)>,
    released_names: FxHashSet<(Symbol, ObligationKind)>,
    daemons: FxHashSet<CrateId>,
    /// Types of the run that statics hold.
    pub(super) in_statics: FxHashSet<DefId>,
    /// Types of the run that somebody keeps behind a lock.
    pub(super) in_locks: FxHashSet<DefId>,
    /// By callee, who calls it in a loop that serves.
    pub(super) callers: FxHashMap<DefId, Vec<u32>>,
    /// By type, who makes values of it.
    pub(super) makers: FxHashMap<DefId, Vec<u32>>,
    /// Where values are made.
    pub(super) setup: Setup,
    /// Types whose values are replaced or removed as a whole.
    pub(super) replaced: FxHashSet<DefId>,
}

impl Analysis {
    /// Digests all functions and solves what they depend on each other for.
    pub fn new(model: &Model) -> Analysis {
        let releases = ReleaseNames::new(model);
        // Test code excuses nothing and, unless it was asked for, is not judged.
        let roots: Vec<_> = model.roots().filter(|&at| model.tests || !model.is_test(model.owner(at))).collect();
        let digests: Vec<Digest> =
            roots.par_iter().enumerate().map(|(i, &root)| digest(model, &releases, root, i as u32)).collect();
        let positions = digests.iter().enumerate().map(|(i, d)| (d.owner, i as u32)).collect();
        let params = digests.iter().map(|d| (d.owner, &d.params)).collect();
        let effects = solve(&params);
        let pairs = learn(model, &digests);
        let known = |def, param: u32| {
            let list: Option<&Vec<Effects>> = effects.get(&def);
            list.and_then(|list| list.get(param as usize)).copied().unwrap_or(Effects::UNKNOWN)
        };
        let released_raw = gather(&digests, known, &run_at_end(model, &digests));
        let Heats { own, all } = heats(model, &digests);
        let mut analysis = Analysis {
            heats: all,
            own_heats: own,
            ledger: Ledger::gather(model, digests.iter().map(|d| &d.events)),
            never: never_ending(&digests),
            fresh: fresh(&digests, &pairs),
            pairs,
            handed_over: FxHashMap::default(),
            own_pairs: own_pairs(&digests),
            released_raw,
            released_fields: FxHashSet::default(),
            released_names: FxHashSet::default(),
            daemons: FxHashSet::default(),
            in_locks: in_locks(model),
            in_statics: in_statics(model),
            callers: serving_callers(&digests),
            makers: makers(&digests),
            replaced: FxHashSet::default(),
            setup: Setup::new(model, &digests),
            digests,
            releases,
            effects,
            positions,
        };
        analysis.replaced = replaced(model, &analysis.ledger);
        analysis.field_releases();
        analysis.daemons(model);
        analysis
    }

    /// Takes back that functions give out something raw, but for these.
    pub(super) fn keep_fresh(&mut self, handed_over: FxHashMap<DefId, HandOver>) {
        let raw = |kind| matches!(kind, ObligationKind::Handle | ObligationKind::RawMemory);
        self.fresh.retain(|def, kind| !raw(*kind) || handed_over.contains_key(def));
        self.handed_over = handed_over;
    }

    fn field_releases(&mut self) {
        for (access, kind) in self.digests.iter().flat_map(|d| &d.field_releases) {
            self.released_fields.insert((access.root, *kind));
            if let (Root::Unknown, Some(name)) = (access.root, access.last) {
                self.released_names.insert((name, *kind));
            }
        }
    }

    fn daemons(&mut self, model: &Model) {
        for (digest, &runs) in self.digests.iter().zip(&self.heats) {
            let endless = digest.serves || digest.bodies.iter().any(|b| b.endless || matches!(b.ends, Ends::Never(_)));
            if endless && runs != Runs::Test {
                self.daemons.insert(model.module(model.def(digest.owner).module).krate);
            }
        }
    }
}

/// Functions that run when something is dropped: each `Drop::drop` and what it calls.
fn run_at_end(model: &Model, digests: &[Digest]) -> FxHashSet<DefId> {
    let by_def: FxHashMap<DefId, &Digest> = digests.iter().map(|d| (d.owner, d)).collect();
    let mut todo: Vec<DefId> = digests.iter().map(|d| d.owner).filter(|&d| model.dropped_type(d).is_some()).collect();
    let mut ending = FxHashSet::default();
    while let Some(def) = todo.pop() {
        if ending.insert(def) {
            todo.extend(by_def.get(&def).into_iter().flat_map(|d| &d.calls).map(|call| call.callee));
        }
    }
    ending
}

/// Functions that never return, through those they call.
fn never_ending(digests: &[Digest]) -> FxHashSet<DefId> {
    let mut never = FxHashSet::default();
    loop {
        let before = never.len();
        for digest in digests {
            let stuck = match &digest.bodies[0].ends {
                Ends::Never(_) => true,
                Ends::Unless(callees) => callees.iter().any(|c| never.contains(c)),
                Ends::Yes => false,
            };
            if stuck {
                never.insert(digest.owner);
            }
        }
        if never.len() == before {
            return never;
        }
    }
}

/// Functions that hand something out, with those that take it back.
fn own_pairs(digests: &[Digest]) -> FxHashMap<DefId, (Vec<DefId>, Span)> {
    let mut pairs: FxHashMap<DefId, (Vec<DefId>, Span)> = FxHashMap::default();
    for &(acquire, release, at) in digests.iter().flat_map(|d| &d.given_back) {
        let releases = &mut pairs.entry(acquire).or_insert((Vec::new(), at)).0;
        if !releases.contains(&release) {
            releases.push(release);
        }
    }
    pairs
}

/// Functions whose result is something they acquired.
fn fresh(digests: &[Digest], pairs: &FxHashMap<Callee, Pair>) -> FxHashMap<DefId, ObligationKind> {
    let mut fresh: FxHashMap<DefId, ObligationKind> = FxHashMap::default();
    loop {
        let before = fresh.len();
        for digest in digests {
            let kind = digest.returns.iter().find_map(|kind| match kind {
                SeedKind::Acquire(kind) => Some(*kind),
                SeedKind::Call(callee) => fresh.get(callee).copied(),
                SeedKind::Foreign(callee) => pairs.get(callee).map(|_| ObligationKind::Handle),
                _ => None,
            });
            if let Some(kind) = kind {
                fresh.entry(digest.owner).or_insert(kind);
            }
        }
        if fresh.len() == before {
            return fresh;
        }
    }
}

impl Model {
    /// What a function may do with a parameter.
    pub fn effects(&self, def: DefId, param: u32) -> Effects {
        let known = self.analysis.effects.get(&def).and_then(|list| list.get(param as usize));
        known.copied().unwrap_or(Effects::UNKNOWN)
    }

    /// Whether the run calls one of these functions anywhere.
    pub fn reclaims(&self, paths: &[String]) -> bool {
        self.analysis.digests.iter().any(|d| d.reclaims.iter().any(|r| paths.iter().any(|p| p == r)))
    }

    /// Whether the run calls one of these functions on a pointer to that type, or to one that is not known.
    pub fn reclaims_ty(&self, paths: &[String], ty: Ty) -> bool {
        self.takes_back(paths, |taken| self.is_partial(taken) || self.is_generic(taken) || taken == ty)
    }

    /// Whether the run calls one of these functions on a pointer to that very type.
    pub fn reclaims_exactly(&self, paths: &[String], ty: Ty) -> bool {
        self.takes_back(paths, |taken| taken == ty && taken.is_known())
    }

    fn takes_back(&self, paths: &[String], fits: impl Fn(Ty) -> bool) -> bool {
        let calls = |d: &Digest| d.reclaims.iter().any(|r| paths.iter().any(|p| p == r));
        self.analysis.digests.iter().any(|d| calls(d) && d.reclaimed.iter().any(|&ty| fits(ty)))
    }

    /// Whether a function never returns.
    pub fn never_returns(&self, def: DefId) -> bool {
        self.analysis.never.contains(&def)
    }

    /// What kind of resource a function of the run acquires and returns.
    pub fn acquires(&self, def: DefId) -> Option<ObligationKind> {
        self.analysis.fresh.get(&def).copied()
    }

    /// Functions of the run that take back what another one hands out.
    pub fn own_releases(&self, acquire: DefId) -> &[DefId] {
        self.analysis.own_pairs.get(&acquire).map_or(&[], |(releases, _)| releases)
    }

    /// Where some function gives back what `acquire` hands out.
    pub fn own_sibling(&self, acquire: DefId) -> Option<Span> {
        self.analysis.own_pairs.get(&acquire).map(|&(_, at)| at)
    }

    /// How a function of the run gives out something raw.
    pub fn hand_over(&self, def: DefId) -> Option<HandOver> {
        self.analysis.handed_over.get(&def).copied()
    }

    /// What a foreign function gives out, and who takes it back.
    pub fn pair(&self, callee: Callee) -> Option<&Pair> {
        self.analysis.pairs.get(&callee)
    }

    /// Whether an item is part of a program that ends soon: one without an endless loop, and its build script.
    pub fn is_tool(&self, def: DefId) -> bool {
        self.target(def) != TargetKind::Lib && !self.is_daemon(def)
    }

    /// Whether an item is part of the library of such a program, which no other package of the run uses.
    pub fn is_of_tool(&self, def: DefId) -> bool {
        let Some(package) = self.crate_of(self.def(def).module).package else { return false };
        let own =
            || (0..self.crates().len() as u32).map(CrateId).filter(|c| self.crate_at(*c).package == Some(package));
        own().any(|c| self.crate_at(c).kind == TargetKind::Bin)
            && own().all(|c| !self.analysis.daemons.contains(&c))
            && self.dependents(package).next().is_none()
    }

    /// The position of a function's digest.
    pub fn digest_position(&self, def: DefId) -> Option<u32> {
        self.analysis.positions.get(&def).copied()
    }

    /// The digest of a function.
    pub fn digest_of(&self, def: DefId) -> Option<&Digest> {
        self.analysis.positions.get(&def).map(|&i| &self.analysis.digests[i as usize])
    }

    /// Whether somewhere a value in this field is released or handed on.
    pub fn field_is_released(&self, owner: DefId, name: Symbol, kind: ObligationKind) -> bool {
        self.analysis.released_fields.contains(&(Root::Field(owner, name), kind))
            || self.analysis.released_names.contains(&(name, kind))
    }

    /// Whether the crate of an item runs for long: it has an endless loop.
    pub fn is_daemon(&self, def: DefId) -> bool {
        self.analysis.daemons.contains(&self.module(self.def(def).module).krate)
    }

    /// How often a place in the function at `position` runs.
    pub fn runs_at(&self, position: u32, body: u32, in_loop: bool) -> Runs {
        let digest = &self.analysis.digests[position as usize];
        let heat = if in_loop { Heat::Repeated } else { Heat::Same };
        at_site(digest, self.analysis.heats[position as usize], body, heat)
    }

    /// How often an event happens.
    pub fn runs_of(&self, event: &Event) -> Runs {
        self.runs_at(event.site.function, event.site.body, event.repeated)
    }

    /// Visits every function that has a seed for which `wanted` holds, once per such seed. Test code is left out unless
    /// it was asked for.
    pub fn each_seed(&self, wanted: impl Fn(&Seed) -> bool, mut visit: impl FnMut(&Tracer, u32, &Seed)) {
        for (position, digest) in self.analysis.digests.iter().enumerate() {
            let skipped = self.analysis.heats[position] == Runs::Test && !self.tests;
            if skipped || !digest.seeds.iter().any(&wanted) {
                continue;
            }
            let function = self.typed(digest.root);
            let tracer = Tracer::new(self, &function);
            for seed in digest.seeds.iter().filter(|s| wanted(s)) {
                visit(&tracer, position as u32, seed);
            }
        }
    }

    /// Visits every function whose digest is `wanted`. Test code is left out unless it was asked for.
    pub fn each_function(&self, wanted: impl Fn(&Digest) -> bool, mut visit: impl FnMut(&Tracer, u32)) {
        for (position, digest) in self.analysis.digests.iter().enumerate() {
            let skipped = self.analysis.heats[position] == Runs::Test && !self.tests;
            if !skipped && wanted(digest) {
                let function = self.typed(digest.root);
                visit(&Tracer::new(self, &function), position as u32);
            }
        }
    }

    /// The source of a statement.
    pub fn span_of(&self, tracer: &Tracer, body: u32, statement: StatementId) -> Span {
        let typed = tracer.body(body);
        Span { file: typed.at.file, range: typed.body.spans[statement.index()] }
    }
}
