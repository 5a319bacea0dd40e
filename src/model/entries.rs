//! Entries that a function puts into a collection that outlives it: by a key that it made up itself, or with the end of a
//! channel that it made. Nobody else can take such an entry out by its key, or has a use for it, if the function fails.

use super::access::{Root, Tracer};
use super::alive::is_alive_at;
use super::digest::{counts_up, innermost_loop};
use super::keyed::{Exit, Touch, fails, sources};
use super::ledger::{Event, EventKind, collection_row};
use super::{Callee, DefId, Model, Symbol, TyData};
use crate::apis::Collection;
use crate::facts::body::*;
use crate::facts::types::PathId;
use rustc_hash::FxHashSet;

/// Why an entry is of no use to anyone after an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Useless {
    /// Its key was made up here.
    Key,
    /// It is the end of a channel whose other end is in one of these locals.
    Channel(Vec<LocalId>),
}

/// Longer ways through the call graph are not followed.
const CALLS: usize = 400;

/// Why the entry that an event adds is useless after an error, if it is.
pub fn useless(tracer: &Tracer, event: &Event) -> Option<Useless> {
    let index = event.site.body;
    let body = &tracer.body(index).body;
    let statement = &body.statements[event.site.statement.index()];
    let local = |at: usize| body.local_of(body.args(statement).get(at)?.as_place()?.1);
    let by_key = matches!(event.collection, Some(Collection::Map | Collection::Set));
    let receiver = body.args(statement).first()?.as_place()?.1;
    // `map.entry(k).or_insert(v)` looks first: what is there already is of use to somebody.
    let row = collection_row(tracer.model, tracer.ty(index, receiver));
    if statement.op != Op::CallMethod || row.is_none() {
        return None;
    }
    // `let id = slots.insert(x);`: the key is what the insert gives back.
    if row.is_some_and(|row| row.makes_key.is_some()) {
        return Some(Useless::Key);
    }
    if by_key && local(1).is_some_and(|key| is_made_up(tracer, index, key, 12)) {
        return Some(Useless::Key);
    }
    let ends = other_ends(tracer, index, local(if by_key { 2 } else { 1 })?);
    (!ends.is_empty()).then_some(Useless::Channel(ends))
}

/// Whether a key is new: from a counter, a generator, a clock, by itself or as part of a name. What another function makes of
/// something new is not.
pub fn is_made_up(tracer: &Tracer, index: u32, key: LocalId, steps: u32) -> bool {
    if let Some((outer, local)) = tracer.outer(index, key) {
        return steps > 0 && is_made_up(tracer, outer, local, steps - 1);
    }
    let (model, typed) = (tracer.model, tracer.body(index));
    let Some(id) = tracer.definition_id(index, key).filter(|_| steps > 0) else { return false };
    let statement = &typed.body.statements[id.index()];
    let args = typed.body.args(statement);
    let of_part = || {
        let mut parts = args.iter().filter_map(|a| typed.body.local_of(a.as_place()?.1));
        parts.any(|part| is_made_up(tracer, index, part, steps - 1))
    };
    match (statement.op, typed.types.callee(id)) {
        // `let id = self.next_id; self.next_id += 1;`
        (Op::Assign, _) => {
            let counted = |from| typed.body.statements.iter().any(|s| s.dest == from && counts_up(&typed.body, s));
            args.first().and_then(|a| a.as_place()).is_some_and(|(_, from)| counted(from)) || of_part()
        }
        (Op::Cast | Op::Binary | Op::Tuple | Op::Struct | Op::Macro, _) | (Op::Call, Callee::Constructor(_)) => {
            of_part()
        }
        // `self.next_id()`
        (_, Callee::Def(def)) => {
            let alone = args.len() <= 1 && !matches!(model.ty(model.item_ty(def)), TyData::Ref { .. });
            alone && model.digest_of(def).is_some_and(|d| d.fresh || d.counts)
        }
        (Op::Call | Op::CallMethod, _) => {
            let same = ["clone", "to_owned", "to_string", "into", "from", "new", "as_u128", "simple"];
            tracer.row(index, id).is_some_and(|row| row.fresh)
                || args.len() == 1 && same.contains(&tracer.method_name(index, statement)) && of_part()
        }
        _ => false,
    }
}

/// The other ends of the channel that a local is an end of: `rx` of `let (tx, rx) = channel()`.
fn other_ends(tracer: &Tracer, index: u32, end: LocalId) -> Vec<LocalId> {
    let body = &tracer.body(index).body;
    let mut pairs = Vec::new();
    let own = sources(tracer, index, end, &mut |of, id| {
        if of == index && tracer.row(of, id).is_some_and(|row| row.pair.is_some()) {
            pairs.extend(body.whole_local(body.statements[id.index()].dest));
        }
    });
    let is_other = |&local: &LocalId| {
        !own.contains(&(index, local))
            && body.locals[local.index()].kind == LocalKind::Binding
            && tracer.definition(index, local).is_some_and(|s| {
                let from = body.args(s).first().and_then(|a| a.as_place()).and_then(|(_, p)| body.local_of(p));
                s.op == Op::Assign && from.is_some_and(|from| pairs.contains(&from))
            })
    };
    (0..body.locals.len() as u32).map(LocalId).filter(is_other).collect()
}

/// Whether the entry is of no use any more when this exit is taken.
pub fn leaves_useless(tracer: &Tracer, index: u32, why: &Useless, exit: &Exit) -> bool {
    let block = &tracer.body(index).body.blocks[exit.block.index()];
    match why {
        Useless::Key => true,
        Useless::Channel(ends) => {
            let last = block.statements.ids().last().map(StatementId);
            last.is_some_and(|last| ends.iter().any(|&end| is_alive_at(tracer, index, end, last)))
        }
    }
}

/// Whether taking this edge shows that somebody took the entry out: something came from the other end of its channel, or
/// shows that nothing will. That the time is up (`timeout(d, rx).await?`) shows nothing.
pub fn shows_taken(tracer: &Tracer, index: u32, ends: &[LocalId], block: &Block, position: usize) -> bool {
    let body = &tracer.body(index).body;
    if !matches!(block.end, End::Try | End::Switch) || ends.is_empty() {
        return false;
    }
    let Some((_, place)) = block.operand.as_place() else { return false };
    let Some(local) = body.local_of(place) else { return false };
    let mut timed = false;
    let from = sources(tracer, index, local, &mut |of, id| {
        let statement = &tracer.body(of).body.statements[id.index()];
        let called = matches!(statement.op, Op::Call | Op::CallMethod);
        timed |= called && ["timeout", "deadline"].iter().any(|n| tracer.method_name(of, statement).contains(n));
    });
    if !ends.iter().any(|&end| from.contains(&(index, end))) {
        return false;
    }
    let inner = body.projections_of(place).contains(&Projection::Success);
    let succeeded = match block.end {
        End::Try => position == 0,
        _ => block.edges.of(&body.edges)[position].pattern.get().is_some_and(|pattern| {
            body.patterns[pattern.index()].kind == PatternKind::TupleVariant && !fails(tracer, index, pattern)
        }),
    };
    !timed || inner || succeeded
}

/// The other ends of a channel one end of which the entry's value is.
pub fn ends_of_value(tracer: &Tracer, event: &Event) -> Vec<LocalId> {
    let index = event.site.body;
    let body = &tracer.body(index).body;
    let args = body.args(&body.statements[event.site.statement.index()]);
    let value = args.last().and_then(|a| a.as_place()).and_then(|(_, place)| body.local_of(place));
    value.map_or_else(Vec::new, |value| other_ends(tracer, index, value))
}

/// What is known of who takes entries out of a collection.
pub struct Removers {
    /// Functions that do.
    functions: FxHashSet<DefId>,
    /// The collection's name.
    name: Option<Symbol>,
    root: Root,
    /// All that happens to it.
    pub events: Vec<Event>,
}

impl Removers {
    /// Those of the collection at `root` to which `events` happen, if somebody takes single entries out of it and nobody
    /// sweeps it.
    pub fn of(model: &Model, root: Root, events: Vec<Event>) -> Option<Removers> {
        let takes = |e: &&Event| matches!(e.kind, EventKind::Shrink | EventKind::Replace | EventKind::Expose);
        let owner = |e: &Event| model.analysis.digests[e.site.function as usize].owner;
        let functions = events.iter().filter(takes).map(owner).collect();
        let mut single = false;
        for event in events.iter().filter(|e| e.kind == EventKind::Shrink && !e.access.element) {
            match removal(model, event) {
                Removal::Sweep => return None,
                Removal::Single => single = true,
                Removal::Other => {}
            }
        }
        let name = events.first().and_then(|e| e.access.last);
        single.then_some(Removers { functions, name, root, events })
    }

    /// What a statement does to the entry.
    pub fn touch(&self, tracer: &Tracer, function: u32, index: u32, id: StatementId) -> Touch {
        let here = |e: &Event| e.site.function == function && e.site.body == index && e.site.statement == id;
        if self.events.iter().any(|e| here(e) && matches!(e.kind, EventKind::Shrink | EventKind::Replace)) {
            return Touch::TakesBack;
        }
        let model = tracer.model;
        let own = &model.analysis.digests[function as usize].events.list;
        let unresolved = |e: &Event| e.access.root == Root::Unknown && e.access.last == self.name;
        let exposed =
            |e: &&Event| here(e) && (unresolved(e) && e.kind != EventKind::Look || e.kind == EventKind::Expose);
        if own.iter().any(|e| exposed(&e)) {
            return Touch::MayTakeBack;
        }
        let statement = &tracer.body(index).body.statements[id.index()];
        let guard = statement.dest.get().and_then(|place| match *model.ty(model.payload(tracer.ty(index, place))) {
            TyData::Adt(def, _) if statement.op != Op::Assign => model.has_drop(def),
            _ => None,
        });
        let called = match tracer.body(index).types.callee(id) {
            Callee::Def(def) => Some(def),
            _ => None,
        };
        let may = [guard, called].into_iter().flatten().any(|def| self.may_be_reached(model, def));
        if may { Touch::MayTakeBack } else { Touch::None }
    }

    /// Whether another body of the same function takes entries out: a guard's closure, `map_err(|e| { map.remove(&k); e })`.
    pub fn are_around(&self, model: &Model, function: u32, index: u32) -> bool {
        let takes = |e: &Event| {
            let other = e.site.function == function && e.site.body != index;
            other && matches!(e.kind, EventKind::Shrink | EventKind::Replace)
        };
        let calls = &model.analysis.digests[function as usize].calls;
        self.events.iter().any(takes) || calls.iter().any(|c| c.body != index && self.may_be_reached(model, c.callee))
    }

    /// Whether a function may come to one that takes entries out.
    fn may_be_reached(&self, model: &Model, def: DefId) -> bool {
        let mut seen: FxHashSet<DefId> = FxHashSet::default();
        let mut todo = vec![def];
        while let Some(def) = todo.pop() {
            if self.functions.contains(&def) || seen.len() > CALLS {
                return true;
            }
            if !seen.insert(def) {
                continue;
            }
            todo.extend(model.digest_of(def).into_iter().flat_map(|d| d.calls.iter().map(|c| c.callee)));
            todo.extend(model.implementations(def));
        }
        false
    }

    /// The collection.
    pub fn root(&self) -> Root {
        self.root
    }
}

/// How much a statement takes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// `remove(&key)`, `pop_front()`.
    Single,
    /// `retain(|e| ..)`: what is dead goes.
    Sweep,
    /// `clear()`, `drain(..)`, `while let Some(x) = queue.pop()`.
    Other,
}

/// How much an event that makes a collection smaller takes out.
pub fn removal(model: &Model, event: &Event) -> Removal {
    let function = model.typed(model.analysis.digests[event.site.function as usize].root);
    let typed = &function.bodies[event.site.body as usize];
    let statement = &typed.body.statements[event.site.statement.index()];
    // `mem::take(&mut map)`
    if statement.op != Op::CallMethod {
        return Removal::Other;
    }
    let name = typed.body.types.last_name(PathId(statement.data)).get();
    let name = name.map_or("", |n| model.text(model.name(typed.at.file, n)));
    let in_loop = innermost_loop(&typed.body, event.site.statement).is_some();
    match name {
        "retain" | "retain_mut" | "extract_if" | "drain_filter" | "split_off" => Removal::Sweep,
        name if name.starts_with("pop") && !in_loop => Removal::Single,
        name if name.contains("remove") || name == "take" => Removal::Single,
        _ => Removal::Other,
    }
}
