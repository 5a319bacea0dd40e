//! Entries that are taken out of one place and stay in another: a key that goes into two collections of an object and
//! leaves only one of them, and a collection within a map that is drained while its key stays.
//!
//! That entries are taken out shows that they come and go while their owner lives; so nothing else has to show that it
//! lives long.

use super::access::{Root, Tracer};
use super::digest::block_of;
use super::entries::{Removal, removal};
use super::heat::Runs;
use super::ledger::{Event, EventKind, collection_row};
use super::owners::Lifetime;
use super::{DefId, Model, TyData};
use crate::apis::Collection;
use crate::facts::body::*;
use rustc_hash::FxHashMap;

/// A removal that leaves something behind.
#[derive(Debug, Clone, Copy)]
pub struct Partial {
    /// The collection in which it stays.
    pub left_in: Root,
    /// Where it was put there.
    pub put: Event,
    /// The removal that leaves it.
    pub removal: Event,
    /// The collection that the removal takes it from: the same one, if that takes from what its values hold.
    pub taken_from: Root,
    /// Whether nothing shows that the owner outlives one piece of work: a tool's, or one whose values are only sieved.
    pub may_be_short: bool,
}

/// The key of an insert, as far as it can be compared with that of another one in the same function.
#[derive(Debug, Clone, PartialEq, Eq)]
enum KeyPath {
    /// A local of a body, with the steps into it.
    Place(u32, LocalId, Vec<Projection>),
    /// What a call gives: the key that the other collection made.
    Call(u32, StatementId),
}

/// All removals of the run that leave something behind, in the order of the text.
fn find(model: &Model) -> Vec<Partial> {
    let mut roots: Vec<Root> = model.analysis.ledger.roots().filter(|r| is_judged(model, *r)).collect();
    roots.sort_unstable();
    let mut found: Vec<Partial> = roots.iter().filter_map(|&root| drained(model, root)).collect();
    let siblings = siblings(model, &roots, &found);
    found.extend(siblings);
    found.sort_by_key(|p| (p.removal.site, p.put.site));
    found
}

/// Whether all that happens to a collection can be seen.
fn is_judged(model: &Model, root: Root) -> bool {
    match root {
        Root::Static(def) => !model.is_exported(def) && (model.tests || !model.is_test(def)),
        Root::Field(owner, name) => {
            !model.is_public_field(owner, name)
                && !model.field_is_borrowed(owner, name)
                && (model.tests || !model.is_test(owner))
        }
        _ => false,
    }
}

/// Whether something takes entries out of it in time, limits it, or takes it out of sight.
fn is_emptied(model: &Model, root: Root, events: &[Event]) -> bool {
    let name = match root {
        Root::Field(_, name) => name,
        Root::Static(def) => model.def_name(def),
        _ => return true,
    };
    model.is_kept_small(name, events, &|e| is_in_time(model, root, e))
}

/// Whether something happens while the collection is in use: not in a test, nor when its owner ends.
fn is_in_time(model: &Model, root: Root, event: &Event) -> bool {
    let owner = model.analysis.digests[event.site.function as usize].owner;
    let at_end = |of| {
        // `fn finish(self)`
        let first = model.params_of(owner).first().copied().unwrap_or_default();
        model.is_shutdown(owner, of) || matches!(*model.ty(first), TyData::Adt(def, _) if def == of)
    };
    !matches!(root, Root::Field(of, _) if at_end(of)) && !model.is_test_event(event)
}

/// Whether entries are added again and again, under keys of which there is no end.
fn is_put(model: &Model, root: Root, event: &Event) -> bool {
    let keys_are_static = match root {
        Root::Field(owner, name) => model.field_keys_are_static(owner, name),
        Root::Static(def) => model.static_keys_are_static(def),
        _ => true,
    };
    event.is_growth()
        && event.has_key()
        && !keys_are_static
        && !model.is_setup(event)
        && !matches!(model.runs_of(event), Runs::Test | Runs::Never | Runs::Once)
}

/// A map of collections that are drained, with nothing that takes out its keys.
fn drained(model: &Model, root: Root) -> Option<Partial> {
    let events = model.analysis.ledger.events(root);
    let put = *events.iter().filter(|e| is_put(model, root, e)).min_by_key(|e| e.site)?;
    if put.collection != Some(Collection::Map) {
        return None;
    }
    let drains = |e: &&Event| {
        e.kind == EventKind::Shrink
            && e.access.element
            && e.access.exact
            && removal(model, e) != Removal::Other
            && is_in_time(model, root, e)
    };
    let mut drains: Vec<Event> = events.iter().filter(drains).copied().collect();
    drains.sort_by_key(|e| e.site);
    let holds_collections = match root {
        Root::Field(owner, name) => model.declared_field(owner, name),
        Root::Static(def) => Some(model.item_ty(def)),
        _ => None,
    }
    .is_some_and(|ty| {
        let map = model.inside(ty).find(|&ty| model.type_row(ty).is_some_and(|row| row.collection.is_some()));
        map.is_some_and(|map| collection_row(model, model.element(map)).is_some())
    });
    if drains.is_empty()
        || !holds_collections
        || is_emptied(model, root, &events)
        || grows_for_long(model, root, &events)
    {
        return None;
    }
    let drain = drains.into_iter().find(|drain| !is_of_entry(model, drain) && !is_ring(model, &events, drain))?;
    let sieved = removal(model, &drain) == Removal::Sweep && !is_behind_lock(model, root);
    Some(Partial {
        left_in: root,
        put,
        removal: drain,
        taken_from: root,
        may_be_short: sieved || is_of_tool(model, root),
    })
}

/// What a command-line tool keeps, it keeps for one command.
fn is_of_tool(model: &Model, root: Root) -> bool {
    matches!(root, Root::Field(owner, _) if model.is_tool(owner) || model.is_of_tool(owner))
}

/// Whether some field holds the owner behind a lock: it is shared.
fn is_behind_lock(model: &Model, root: Root) -> bool {
    let Root::Field(owner, _) = root else { return true };
    model.defs().any(|def| {
        model.item(def).fields.ids().any(|index| {
            let mut locked = false;
            model.inside(model.declared_field_ty(def, index)).any(|ty| {
                locked |= model.type_row(ty).is_some_and(|row| row.locks && !row.unsync);
                locked && matches!(*model.ty(ty), TyData::Adt(of, _) if of == owner)
            })
        })
    })
}

/// Whether its owner must live long, so that its growth alone says enough. A memo that looks first may have few keys.
fn grows_for_long(model: &Model, root: Root, events: &[Event]) -> bool {
    let Root::Field(owner, name) = root else { return true };
    let looked_up = |put: &Event| {
        let looks = |e: &&Event| matches!(e.kind, EventKind::Look | EventKind::Bound) && !e.access.element;
        events.iter().filter(looks).any(|e| e.site.function == put.site.function)
    };
    events.iter().filter(|e| is_put(model, root, e)).any(|put| match model.lifetime(owner, name, put) {
        Some(Lifetime::Shared) => !looked_up(put) && !model.is_tool(owner) && !model.is_of_tool(owner),
        lifetime => lifetime.is_some(),
    })
}

/// `free.entry(kind).or_default().pop()`: the key is put in right here, for what will be pushed back.
fn is_of_entry(model: &Model, drain: &Event) -> bool {
    let function = model.typed(model.analysis.digests[drain.site.function as usize].root);
    let tracer = Tracer::new(model, &function);
    let index = drain.site.body;
    let body = &tracer.body(index).body;
    let mut statement = &body.statements[drain.site.statement.index()];
    for _ in 0..12 {
        if model.type_row(tracer.ty(index, statement.dest)).is_some_and(|row| row.entry) {
            return true;
        }
        let receiver = body.args(statement).first().and_then(|a| a.as_place());
        let Some(local) = receiver.and_then(|(_, place)| body.local_of(place)) else { return false };
        match tracer.definition(index, local) {
            Some(definition) => statement = definition,
            None => return false,
        }
    }
    false
}

/// `if queue.len() > MAX { queue.pop_front(); } queue.push_back(x)`: the last few are kept, and so is their key.
fn is_ring(model: &Model, events: &[Event], drain: &Event) -> bool {
    if removal(model, drain) == Removal::Sweep {
        return false;
    }
    let here = |e: &&Event| e.access.element && e.site.function == drain.site.function;
    let bounded = events.iter().filter(here).any(|e| e.kind == EventKind::Bound);
    let function = model.typed(model.analysis.digests[drain.site.function as usize].root);
    let tracer = Tracer::new(model, &function);
    bounded && events.iter().filter(here).any(|e| e.kind == EventKind::Grow && are_on_one_way(&tracer, e, drain))
}

/// Whether one run of the code around both can come to both.
fn are_on_one_way(tracer: &Tracer, a: &Event, b: &Event) -> bool {
    common_body(tracer, a, b).is_none_or(|(body, a, b)| a == b || reaches(body, a, b) || reaches(body, b, a))
}

/// The innermost body around two places of a function, and the blocks there that lead to them.
fn common_body<'a>(tracer: &Tracer<'a>, a: &Event, b: &Event) -> Option<(&'a Body, BlockId, BlockId)> {
    let (mut a, mut b) = ((a.site.body, a.site.statement), (b.site.body, b.site.statement));
    // From closures out to the body that both stand in: inner bodies come later.
    while a.0 != b.0 {
        let inner = if a.0 > b.0 { &mut a } else { &mut b };
        let (outer, call, _) = tracer.handed_to(inner.0)?;
        *inner = (outer, call);
    }
    let body = &tracer.body(a.0).body;
    Some((body, block_of(body, a.1)?, block_of(body, b.1)?))
}

/// Whether there is a way from one block to another that does not start the next round of a loop.
fn reaches(body: &Body, from: BlockId, to: BlockId) -> bool {
    let mut seen = vec![false; body.blocks.len()];
    let mut todo = vec![from];
    while let Some(block) = todo.pop() {
        if block == to {
            return true;
        }
        if !std::mem::replace(&mut seen[block.index()], true) {
            // Blocks stand in the order of the text; the way back to a loop's head goes up.
            let onward = body.edges_of(block).iter().map(|e| e.to);
            todo.extend(onward.filter(|next| *next > block || body.blocks[next.index()].in_loop.is_none()));
        }
    }
    false
}

/// Keys that go into two collections and leave only one.
fn siblings(model: &Model, roots: &[Root], told: &[Partial]) -> Vec<Partial> {
    let mut by_function: FxHashMap<u32, Vec<(Root, Event)>> = FxHashMap::default();
    for &root in roots {
        for event in model.analysis.ledger.events(root) {
            if event.is_growth() && !model.is_test_event(&event) {
                by_function.entry(event.site.function).or_default().push((root, event));
            }
        }
    }
    let mut functions: Vec<(u32, Vec<(Root, Event)>)> = by_function.into_iter().collect();
    functions.retain(|(_, puts)| puts.iter().any(|(root, _)| *root != puts[0].0));
    functions.sort_unstable_by_key(|(function, _)| *function);
    let mut found: Vec<Partial> = Vec::new();
    for (function, puts) in functions {
        let typed = model.typed(model.analysis.digests[function as usize].root);
        let tracer = Tracer::new(model, &typed);
        for &(left_in, put) in puts.iter().filter(|(root, e)| is_put(model, *root, e)) {
            if found.iter().chain(told).any(|p| p.left_in == left_in) {
                continue;
            }
            let taken = puts.iter().filter(|(other, _)| *other != left_in && are_related(model, *other, left_in));
            // `fill(&mut self.a); fill(&mut self.b)`: one insert into either of them.
            let taken = taken.filter(|(_, e)| e.site != put.site && have_one_key(&tracer, e, &put));
            let mut removals: Vec<(Event, Root)> =
                taken.filter_map(|&(other, _)| Some((single_removal(model, other, left_in)?, other))).collect();
            removals.sort_by_key(|(e, root)| (e.site, *root));
            let Some(&(removal, taken_from)) = removals.first() else { continue };
            if !is_emptied(model, left_in, &model.analysis.ledger.events(left_in)) {
                let may_be_short = is_of_tool(model, left_in);
                found.push(Partial { left_in, put, removal, taken_from, may_be_short });
            }
        }
    }
    found
}

/// Collections of one object, or of an object and a part of it. An object that is itself taken out of a collection takes
/// along what it holds.
fn are_related(model: &Model, taken: Root, left: Root) -> bool {
    match (taken, left) {
        (Root::Field(a, _), Root::Field(b, _)) => {
            a == b || (model.holds(a, b) || model.holds(b, a)) && !model.is_replaced(b)
        }
        (Root::Static(_), Root::Static(_)) => true,
        _ => false,
    }
}

/// The first place that takes one entry out by its key while the collection is in use. A function that puts keys in and
/// takes them out marks what it is at: what it puts elsewhere may be there to stay.
fn single_removal(model: &Model, root: Root, left_in: Root) -> Option<Event> {
    let ledger = &model.analysis.ledger;
    let puts = |function: u32, root: Root| {
        ledger
            .events(root)
            .iter()
            .any(|e| e.kind == EventKind::Grow && !e.access.element && e.site.function == function)
    };
    let takes = |e: &&Event| {
        e.kind == EventKind::Shrink
            && !e.access.element
            && e.access.exact
            && removal(model, e) == Removal::Single
            && is_in_time(model, root, e)
            && !puts(e.site.function, root)
            && !puts(e.site.function, left_in)
    };
    ledger.events(root).iter().filter(takes).min_by_key(|e| e.site).copied()
}

/// Whether two inserts of a function are made under one key, and one of them is not made without the other.
fn have_one_key(tracer: &Tracer, one: &Event, other: &Event) -> bool {
    let same = match (key_path(tracer, one), key_path(tracer, other)) {
        (Some(a), Some(b)) => a == b,
        // `let id = self.nodes.insert(node); self.parents.insert(id, parent)`: the first one makes the key.
        (None, Some(KeyPath::Call(body, id))) => one.site.body == body && one.site.statement == id,
        _ => false,
    };
    same && common_body(tracer, one, other).is_some_and(|(body, a, b)| is_before(body, a, b) || is_before(body, b, a))
}

/// Whether every way to one block goes through another.
fn is_before(body: &Body, first: BlockId, then: BlockId) -> bool {
    let mut seen = vec![false; body.blocks.len()];
    let mut todo = vec![BlockId(0)];
    while let Some(block) = todo.pop() {
        if block != first && !std::mem::replace(&mut seen[block.index()], true) {
            todo.extend(body.edges_of(block).iter().map(|e| e.to));
        }
    }
    first == then || !seen[then.index()]
}

/// The key of an insert: of its argument, or of the `entry` that it is made through.
fn key_path(tracer: &Tracer, put: &Event) -> Option<KeyPath> {
    if !put.has_key() {
        return None;
    }
    let index = put.site.body;
    let body = &tracer.body(index).body;
    let mut id = put.site.statement;
    for _ in 0..8 {
        let statement = &body.statements[id.index()];
        let args = body.args(statement);
        let (_, receiver) = args.first()?.as_place()?;
        if collection_row(tracer.model, tracer.ty(index, receiver)).is_some() && statement.op == Op::CallMethod {
            let (_, key) = args.get(1)?.as_place()?;
            return place_path(tracer, index, key);
        }
        // `.or_default()` of `map.entry(key).or_default()`
        id = tracer.definition_id(index, body.local_of(receiver)?)?;
    }
    None
}

fn place_path(tracer: &Tracer, index: u32, place: PlaceId) -> Option<KeyPath> {
    let (mut index, mut place) = (index, place);
    let mut steps: Vec<Projection> = Vec::new();
    for _ in 0..12 {
        let body = &tracer.body(index).body;
        let mut local = body.local_of(place)?;
        let within = body.projections_of(place).iter().filter(|s| **s != Projection::Deref);
        steps.splice(0..0, within.copied());
        while let Some((outer, of)) = tracer.outer(index, local) {
            (index, local) = (outer, of);
        }
        let body = &tracer.body(index).body;
        let Some(id) = tracer.definition_id(index, local) else { return Some(KeyPath::Place(index, local, steps)) };
        let statement = &body.statements[id.index()];
        let from = body.args(statement).first().and_then(|a| a.as_place());
        let copies = match statement.op {
            Op::Assign => true,
            Op::CallMethod => {
                statement.args == 1
                    && ["clone", "to_owned", "to_string", "into", "copied", "cloned", "as_ref"]
                        .contains(&tracer.method_name(index, statement))
            }
            Op::Call => statement.args == 1 && ["clone", "from"].contains(&tracer.method_name(index, statement)),
            _ => false,
        };
        match from {
            Some((_, from)) if copies => place = from,
            _ if matches!(statement.op, Op::Call | Op::CallMethod) && steps.is_empty() => {
                return Some(KeyPath::Call(index, id));
            }
            _ => return Some(KeyPath::Place(index, local, steps)),
        }
    }
    None
}

impl Model {
    /// All removals of the run that leave something behind, in the order of the text.
    pub fn partial_removals(&self) -> &[Partial] {
        self.partials.get_or_init(|| find(self))
    }

    /// Whether more is known of a collection than that it grows: part of it is taken out, or its entries end.
    pub fn is_half_emptied(&self, root: Root) -> bool {
        self.partial_removals().iter().any(|p| p.left_in == root) || self.outlived().iter().any(|o| o.root == root)
    }

    /// Whether values of one type hold values of another in their fields.
    pub fn holds(&self, whole: DefId, part: DefId) -> bool {
        let fields = self.item(whole).fields.ids();
        fields
            .flat_map(|index| super::owners::inner_types(self, self.declared_field_ty(whole, index)))
            .any(|d| d == part)
    }
}
