//! What a seed acquires that is raw: how it is released, what it is called, and what was assumed to say so.

use super::access::Tracer;
use super::digest::{Digest, Seed, SeedKind};
use super::exits::call_behind;
use super::flow::{Fate, Loss, Terms, fate};
use super::pairs::{Evidence, Pair};
use super::{DefId, Model, TyData};
use crate::apis::{Acquires, ObligationKind};
use crate::facts::body::{Base, Block, BlockId, Body, End, LocalId, LocalKind, Loop, Position, StatementId};
use crate::source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

/// Something raw that a call acquires.
#[derive(Debug, Clone, Copy)]
pub enum Acquired<'a> {
    /// By a row of the tables.
    Row(&'a Acquires),
    /// By a foreign function whose partner was learned.
    Pair(&'a Pair),
    /// By a function of the run, which acquires and returns it, in a component of a tuple or as it is.
    Made(DefId, ObligationKind, Option<u8>),
}

/// What a seed acquires.
pub fn acquired<'a>(tracer: &'a Tracer, seed: &Seed) -> Option<Acquired<'a>> {
    let part = match seed.kind {
        SeedKind::Call(def) => tracer.model.hand_over(def).and_then(|h| h.part),
        _ => None,
    };
    acquired_with(tracer, seed, part)
}

fn acquired_with<'a>(tracer: &'a Tracer, seed: &Seed, part: Option<u8>) -> Option<Acquired<'a>> {
    match seed.kind {
        SeedKind::Acquire(_) => {
            let acquires = tracer.row(seed.body, seed.statement)?.acquires.as_ref()?;
            (!is_excepted(tracer, seed, acquires)).then_some(Acquired::Row(acquires))
        }
        SeedKind::Foreign(callee) => tracer.model.pair(callee).map(Acquired::Pair),
        SeedKind::Call(def) => {
            let dest = tracer.body(seed.body).body.statements[seed.statement.index()].dest.get()?;
            let ty = tracer.model.payload(tracer.ty(seed.body, dest));
            let raw = match tracer.model.ty(ty) {
                TyData::Pointer(_) | TyData::Prim(_) => true,
                TyData::Tuple(_) => part.is_some(),
                _ => tracer.model.type_row(ty).is_some_and(|row| row.raw),
            };
            // `self.map(addr, .., MAP_FIXED)`, where `map` wraps `mmap`.
            let excepted = || is_given(tracer, seed, |name| tracer.model.apis.is_exception(name));
            (raw && !excepted())
                .then(|| Acquired::Made(def, tracer.model.acquires(def).unwrap_or(ObligationKind::Handle), part))
        }
        SeedKind::Spawn(_) | SeedKind::Forget | SeedKind::Leak | SeedKind::Undropped | SeedKind::Listen => None,
    }
}

/// How a function of the run gives out something raw.
#[derive(Debug, Clone, Copy)]
pub struct HandOver {
    /// The component of a tuple that holds it.
    part: Option<u8>,
    /// Where it is acquired.
    at: Span,
}

/// Functions of the run that return something raw that is their caller's from then on. What they also keep, or give to
/// somebody who may, is not.
pub fn handed_over(model: &Model) -> FxHashMap<DefId, HandOver> {
    let raw = |d: &&Digest| matches!(model.acquires(d.owner), Some(ObligationKind::Handle | ObligationKind::RawMemory));
    let candidates: Vec<&Digest> = model.analysis.digests.iter().filter(raw).collect();
    let mut found: FxHashMap<DefId, HandOver> = FxHashMap::default();
    loop {
        let before = found.len();
        for digest in &candidates {
            if !found.contains_key(&digest.owner)
                && let Some(hand_over) = hands_over(model, digest, &found)
            {
                found.insert(digest.owner, hand_over);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

fn hands_over(model: &Model, digest: &Digest, found: &FxHashMap<DefId, HandOver>) -> Option<HandOver> {
    let own = |seed: &&Seed| match seed.kind {
        SeedKind::Call(def) => found.contains_key(&def),
        kind => model.gives(kind).is_some(),
    };
    let mut seeds = digest.seeds.iter().filter(|s| s.body == 0).filter(own).peekable();
    seeds.peek()?;
    let function = model.typed(digest.root);
    let tracer = Tracer::new(model, &function);
    let tuple = matches!(model.ty(model.payload(model.result_ty(digest.owner))), TyData::Tuple(_));
    let hand_overs = seeds.filter_map(|seed| {
        let inner = match seed.kind {
            SeedKind::Call(def) => found.get(&def),
            _ => None,
        };
        let acquired = acquired_with(&tracer, seed, inner.and_then(|i| i.part))?;
        let fate = fate(&tracer, &model.analysis.releases, acquired.terms(), seed.body, seed.statement);
        let whole = fate.returned && fate.stored.is_empty() && !fate.escapes && !fate.kept_by_c;
        let at = inner.map_or_else(|| model.span_of(&tracer, seed.body, seed.statement), |inner| inner.at);
        (whole && (!tuple || fate.part.is_some())).then_some(HandOver { part: fate.part.filter(|_| tuple), at })
    });
    hand_overs.min_by_key(|h| h.at)
}

/// Whether a seed gives up the ownership of a value: `Box::into_raw(b)`.
pub fn gives_up(tracer: &Tracer, seed: &Seed) -> bool {
    let row = tracer.row(seed.body, seed.statement);
    row.and_then(|row| row.acquires.as_ref()).is_some_and(|a| a.kind == ObligationKind::RawMemory)
}

/// `mmap(addr, .., MAP_FIXED, ..)`, `fcntl(fd, F_GETFL)`: nothing new is acquired.
fn is_excepted(tracer: &Tracer, seed: &Seed, acquires: &Acquires) -> bool {
    let only = &acquires.only_with;
    acquires.unless.as_deref().is_some_and(|unless| is_given(tracer, seed, |name| name == unless))
        || !only.is_empty() && !is_given(tracer, seed, |name| only.iter().any(|o| o == name))
}

/// Whether a constant of such a name is among the arguments.
fn is_given(tracer: &Tracer, seed: &Seed, is_wanted: impl Fn(&str) -> bool) -> bool {
    let typed = tracer.body(seed.body);
    let body = &typed.body;
    let mut todo: Vec<_> = body.args(&body.statements[seed.statement.index()]).to_vec();
    for _ in 0..64 {
        let Some(operand) = todo.pop() else { return false };
        let Some((_, place)) = operand.as_place() else { continue };
        match body.places[place.index()].base {
            Base::Path(path) => {
                let name = tracer.model.name(typed.at.file, body.types.last_name(path));
                if is_wanted(tracer.model.text(name)) {
                    return true;
                }
            }
            // `MAP_SHARED | MAP_FIXED`
            Base::Local(local) => {
                todo.extend(tracer.definition(seed.body, local).map_or(&[][..], |s| body.args(s)));
            }
        }
    }
    false
}

/// `let f = File::from_raw_fd(fd); …; f.into_raw_fd();`, `let rc = Rc::from_raw(p); …; Rc::into_raw(rc);`: a loan of
/// something owned elsewhere goes back.
pub fn is_put_back(tracer: &Tracer, seed: &Seed) -> bool {
    let local = given(tracer, seed);
    let Some(call) = local.and_then(|local| call_behind(tracer, seed.body, local)) else { return false };
    tracer.row(seed.body, call).is_some_and(|row| row.adopts.is_some())
}

/// `let p = boxed.as_mut_ptr(); …; let _ = Box::into_raw(boxed);`: the pointer is already where it belongs.
pub fn was_pointed_to(tracer: &Tracer, seed: &Seed) -> bool {
    let body = &tracer.body(seed.body).body;
    let Some(local) = given(tracer, seed).filter(|l| body.locals[l.index()].kind != LocalKind::Temp) else {
        return false;
    };
    let before = &body.statements[..seed.statement.index()];
    before.iter().flat_map(|s| body.args(s)).any(|arg| {
        arg.as_place()
            .is_some_and(|(position, place)| position != Position::Bare && body.local_of(place) == Some(local))
    })
}

/// Whether an acquire stands under a `cfg` within its function, beside another one, and is lost outside: what follows may
/// belong to the other.
pub fn is_one_of_cfgs(tracer: &Tracer, seed: &Seed, loss: &Loss) -> bool {
    let typed = tracer.body(seed.body);
    let (spans, file) = (&typed.body.spans, tracer.model.file(typed.at.file));
    let header = &file.facts.header;
    let lo = spans.iter().filter(|s| s.hi > 0).map(|s| s.lo).min().unwrap_or(0);
    let hi = spans.iter().map(|s| s.hi).max().unwrap_or(0);
    let at = spans[seed.statement.index()];
    let mut cfgs = header.attributes.iter().filter(|a| {
        // The `cfg` of the function is around all of it.
        let within = (lo <= a.target.lo || a.target.hi < hi) && lo < a.target.hi && a.target.lo < hi;
        within && header.types.last_name(a.path).get().is_some_and(|n| file.facts.names.get(n) == "cfg")
    });
    let (here, elsewhere): (Vec<_>, Vec<_>) = cfgs.by_ref().partition(|a| a.target.contains(at));
    here.iter().any(|a| loss.at.hi == 0 || !a.target.contains(loss.at)) && !elsewhere.is_empty()
}

/// `let p = if pid == 0 { current() } else { open(pid) }; …; if pid != 0 { close(p) }`: the branch that leads to the loss
/// asks for the same as one before the acquire, and so may rule the acquire out. Or it asks for the same as one after it:
/// `if status != 0 { free(p) } …; if status != 0 { return }`.
pub fn is_correlated(tracer: &Tracer, seed: &Seed, fate: &Fate, loss: &Loss) -> bool {
    let body = &tracer.body(seed.body).body;
    let from = body.spans[seed.statement.index()].lo;
    let acquired = body.statements[seed.statement.index()].dest.get().and_then(|d| body.local_of(d));
    let asked = |block: &Block| tracer.ingredients(seed.body, block.operand);
    let behind = behind(body, seed.statement);
    // `if flag`: a variable alone has no span.
    let before = |id: BlockId| {
        let span = tracer.branch_span(seed.body, id);
        let is_before = if span.hi > 0 { span.lo < from } else { !behind[id.index()] };
        is_before && matches!(body.blocks[id.index()].end, End::Branch | End::Switch)
    };
    let all = (0..body.blocks.len() as u32).map(BlockId);
    let mut known: FxHashSet<LocalId> =
        all.filter(|&id| before(id)).flat_map(|id| asked(&body.blocks[id.index()])).collect();
    let after = loss.way.iter().map(|id| &body.blocks[id.index()]);
    // `check(status)?`
    let exit = body.blocks.iter().find(|block| block.end == End::Try && block.span == loss.at);
    let repeats = !fate.releases.is_empty();
    after.chain(exit).any(|block| {
        let asked: Vec<LocalId> = asked(block).into_iter().filter(|&local| Some(local) != acquired).collect();
        let met = asked.iter().any(|local| known.contains(local));
        if repeats {
            known.extend(asked);
        }
        met
    })
}

/// By block, whether it ends after a statement: it holds it, or comes later in the same round of all loops around it.
fn behind(body: &Body, statement: StatementId) -> Vec<bool> {
    let mut behind = vec![false; body.blocks.len()];
    let Some(start) = super::digest::block_of(body, statement) else { return behind };
    let around = |l: &Loop| body.blocks[l.header.index()].in_loop.get().is_some_and(|l| body.block_in_loop(start, l));
    let next_round: FxHashSet<BlockId> = body.loops.iter().filter(|l| around(l)).map(|l| l.header).collect();
    let mut todo = vec![start];
    while let Some(id) = todo.pop() {
        if !std::mem::replace(&mut behind[id.index()], true) {
            todo.extend(body.edges_of(id).iter().map(|e| e.to).filter(|to| !next_round.contains(to)));
        }
    }
    behind
}

/// The local that gives up ownership.
fn given(tracer: &Tracer, seed: &Seed) -> Option<LocalId> {
    let body = &tracer.body(seed.body).body;
    let first = body.args(&body.statements[seed.statement.index()]).first()?.as_place();
    first.and_then(|(_, place)| body.local_of(place))
}

impl<'a> Acquired<'a> {
    /// How it is released.
    pub fn terms(self) -> Terms<'a> {
        match self {
            Acquired::Row(acquires) => Terms::of_raw(acquires),
            Acquired::Pair(pair) => Terms::of_pair(pair),
            Acquired::Made(_, kind, part) => Terms { copy: true, part, ..Terms::of(kind) },
        }
    }

    /// What it is called.
    pub fn what(self) -> &'a str {
        match self {
            Acquired::Row(Acquires { what: Some(what), .. }) => what,
            Acquired::Pair(_) => "foreign object",
            Acquired::Row(Acquires { kind: ObligationKind::RawMemory, .. })
            | Acquired::Made(_, ObligationKind::RawMemory, _) => "raw pointer",
            Acquired::Row(_) | Acquired::Made(..) => "handle",
        }
    }

    /// Who may release it, in words.
    pub fn partners(self, model: &Model) -> String {
        let mut names: Vec<String> = match self {
            Acquired::Row(acquires) => acquires.released_by.iter().map(|p| format!("`{}`", last_two(p))).collect(),
            Acquired::Pair(pair) => {
                let name = |&c| model.callee_path(c).rsplit("::").next().unwrap_or_default();
                pair.released_by.iter().map(|c| format!("`{}`", name(c))).collect()
            }
            Acquired::Made(..) => vec!["a release".to_owned()],
        };
        // `libc::close` and `nix::unistd::close` are one name.
        let mut seen = FxHashSet::default();
        names.retain(|name| seen.insert(name.clone()));
        names.join(", ")
    }

    /// What ties a learned pair together.
    pub fn evidence(self) -> Option<Evidence> {
        match self {
            Acquired::Pair(pair) => Some(pair.evidence),
            Acquired::Row(_) | Acquired::Made(..) => None,
        }
    }

    /// Where a function of the run that gives it out acquires it.
    pub fn origin(self, model: &Model) -> Option<Span> {
        match self {
            Acquired::Made(def, ..) => model.hand_over(def).map(|h| h.at),
            Acquired::Row(_) | Acquired::Pair(_) => None,
        }
    }

    /// What had to be assumed to call it an acquire.
    pub fn assumed(self, model: &Model) -> Option<String> {
        let partners = self.partners(model);
        match (self, self.evidence()) {
            (_, Some(Evidence::Named)) => Some(format!("assumed that {partners} takes it back: the names say so")),
            (_, Some(Evidence::Typed | Evidence::NamedAndTyped)) => {
                Some(format!("assumed that {partners} takes it back: name and pointer type say so"))
            }
            (_, Some(Evidence::Used)) => Some(format!("assumed that {partners} takes it back: elsewhere it does")),
            (Acquired::Made(def, ..), None) => Some(format!("`{}` acquires and returns it", model.item_path(def))),
            (Acquired::Row(_) | Acquired::Pair(_), None) => None,
        }
    }
}

/// `Box::from_raw` of `std::boxed::Box::from_raw`; a function in a module, in C or Windows case, by its name.
pub fn last_two(path: &str) -> &str {
    let mut ends = path.rmatch_indices("::").map(|(at, _)| at);
    let last = ends.next();
    let start = match ends.next() {
        Some(at) => at + 2,
        None => 0,
    };
    let owner = &path[start..];
    match last {
        Some(last) if owner.starts_with(char::is_lowercase) || path[last + 2..].starts_with(char::is_uppercase) => {
            &path[last + 2..]
        }
        _ => owner,
    }
}

impl Model {
    /// The kind of what a seed gives, if that is known to be owed.
    pub fn gives(&self, kind: SeedKind) -> Option<ObligationKind> {
        match kind {
            SeedKind::Acquire(kind) => Some(kind),
            SeedKind::Call(def) => self.acquires(def),
            SeedKind::Foreign(callee) => self.pair(callee).map(|_| ObligationKind::Handle),
            SeedKind::Spawn(_) | SeedKind::Forget | SeedKind::Leak | SeedKind::Undropped | SeedKind::Listen => None,
        }
    }
}
