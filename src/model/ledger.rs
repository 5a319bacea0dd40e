//! What happens to each collection: every place where it grows, shrinks, is replaced, bounded or given out of sight.
//!
//! Events are collected function by function ([`events()`]) and then gathered per container ([`Ledger`]), across files and
//! packages. Containers that share one collection (`Arc::clone` into another struct's field) are one.

mod events;
mod own;
mod present;
mod sizes;

pub use events::{collection_row, events, is_finite};

use super::access::{Access, Root};
use super::setup::Held;
use super::{DefId, Model, Symbol};
use crate::apis::Collection;
use crate::facts::body::*;
use crate::source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventKind {
    /// An element is added.
    Grow,
    /// Elements are removed.
    Shrink,
    /// The whole is replaced or cleared.
    Replace,
    /// Its size is asked for.
    Bound,
    /// It gives back spare room and keeps every element.
    Trim,
    /// An element is asked for.
    Look,
    /// It goes where it cannot be followed.
    Expose,
    /// It is handed to a parameter of a function of the run.
    Pass(DefId, u32),
}

/// Where the key of an added element comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// A literal, a bool, a fieldless enum: there are only so many.
    Finite,
    /// Anything else.
    Open,
    /// There is no key.
    None,
}

/// Where something happens: function (by its position in [`Model::digests`]), body, statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Site {
    /// The function.
    pub function: u32,
    /// The body within it.
    pub body: u32,
    /// The statement.
    pub statement: StatementId,
    /// Its source.
    pub span: Span,
}

/// One event.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// To which container.
    pub access: Access,
    /// Where.
    pub site: Site,
    /// The innermost loop of its body.
    pub in_loop: LoopId,
    /// Whether a loop around it in its body runs as long as there is work.
    pub repeated: bool,
    /// Whether a loop around it in its body takes its work from outside.
    pub serving: bool,
    /// For growth, what kind of collection.
    pub collection: Option<Collection>,
    /// For growth, its key.
    pub key: Key,
    /// For growth, whether what is added is a task or thread: a `JoinSet`, or a list of handles.
    pub tasks: bool,
    /// For growth of a field, whose the field is.
    pub held: Held,
}

impl Event {
    /// Whether it adds by key.
    pub fn has_key(&self) -> bool {
        matches!(self.collection, Some(Collection::Map | Collection::Set))
    }

    /// Whether an element is added for certain to a collection that keeps it: no channel, no bounded one, no element of
    /// another collection, and not by one of few keys.
    pub fn is_growth(&self) -> bool {
        use Collection::*;
        self.kind == EventKind::Grow
            && !self.access.element
            && self.access.exact
            && self.key != Key::Finite
            && matches!(self.collection, Some(Map | Set | List | Queue))
    }
}

/// The events of one function.
#[derive(Debug, Default, Clone)]
pub struct Events {
    /// In the order of the text.
    pub list: Vec<Event>,
    /// The same of lists that the run writes itself.
    pub own: Vec<Event>,
    /// Containers that hold the same collection.
    pub aliases: Vec<(Root, Root)>,
}

/// All events of the run, per container.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Events whose container is known; those that share a collection are under one root.
    by_root: FxHashMap<Root, Vec<Event>>,
    /// Shrinks, bounds and the like of containers that are known by their last name only.
    by_name: FxHashMap<Symbol, Vec<Event>>,
    /// Events of lists that the run writes itself.
    own: FxHashMap<Root, Vec<Event>>,
    leader: FxHashMap<Root, Root>,
    /// Names that stand beside a shrinking method's name in an item-level macro that could not be parsed.
    in_macros: FxHashSet<Symbol>,
}

impl Ledger {
    /// Gathers the events of all functions, in their order.
    pub fn gather<'e>(model: &Model, functions: impl Iterator<Item = &'e Events> + Clone) -> Ledger {
        let mut ledger = Ledger { in_macros: names_in_macros(model), ..Ledger::default() };
        for &(a, b) in functions.clone().flat_map(|e| &e.aliases).filter(|(a, b)| is_named(*a) && is_named(*b)) {
            let (a, b) = (ledger.lead(a), ledger.lead(b));
            // The smaller one leads; which one that is does not matter to anyone.
            ledger.leader.insert(a.max(b), a.min(b));
        }
        ledger.join_passed(functions.clone());
        functions.clone().for_each(|events| ledger.join_by_locals(events));
        for events in functions.clone() {
            ledger.adopt_locals(events);
        }
        for event in functions.clone().flat_map(|e| &e.own).filter(|e| is_named(e.access.root) && e.access.exact) {
            ledger.own.entry(event.access.root).or_default().push(*event);
        }
        for event in functions.clone().flat_map(|e| &e.list) {
            match event.access.root {
                Root::Unknown => {
                    if let Some(name) = event.access.last {
                        ledger.by_name.entry(name).or_default().push(*event);
                    }
                }
                Root::Local(..) => {}
                root => {
                    let root = ledger.lead(root);
                    ledger.by_root.entry(root).or_default().push(*event);
                }
            }
        }
        ledger
    }

    /// `Device::new(self.pending.clone())`, where `new` keeps its parameter in a field: both fields are one collection.
    fn join_passed<'e>(&mut self, functions: impl Iterator<Item = &'e Events> + Clone) {
        let both = |(a, b): &(Root, Root)| [*a, *b];
        let kept: FxHashSet<Root> = functions.clone().flat_map(|e| e.aliases.iter().flat_map(both)).collect();
        for event in functions.flat_map(|e| &e.list) {
            let EventKind::Pass(def, arg) = event.kind else { continue };
            let param = Root::Param(def, arg);
            if kept.contains(&param) && is_named(event.access.root) && !event.access.element {
                let (a, b) = (self.lead(event.access.root), self.lead(param));
                self.leader.insert(a.max(b), a.min(b));
            }
        }
    }

    /// `let map = Arc::new(..); Pair { a: A { map: map.clone() }, b: B { map } }`: what one local is put into is one collection.
    fn join_by_locals(&mut self, events: &Events) {
        let mut first: FxHashMap<Root, Root> = FxHashMap::default();
        for &(a, b) in &events.aliases {
            let (named, local) = match (a, b) {
                (local @ Root::Local(..), named) | (named, local @ Root::Local(..)) if is_named(named) => {
                    (named, local)
                }
                _ => continue,
            };
            let other = *first.entry(local).or_insert(named);
            let (a, b) = (self.lead(other), self.lead(named));
            if a != b {
                self.leader.insert(a.max(b), a.min(b));
            }
        }
    }

    /// `let map = Arc::new(..); spawn(move || map2.retain(..)); Self { map }`: what happens to the local happens to the
    /// field. What is put into it before is how it is made.
    fn adopt_locals(&mut self, events: &Events) {
        for &(a, b) in &events.aliases {
            let (named, local) = match (a, b) {
                (Root::Local(..), named) if is_named(named) => (named, a),
                (named, Root::Local(..)) if is_named(named) => (named, b),
                _ => continue,
            };
            let named = self.lead(named);
            let of_local = events.list.iter().filter(|e| e.access.root == local && e.kind != EventKind::Grow);
            self.by_root.entry(named).or_default().extend(of_local.copied());
        }
    }

    fn lead(&self, root: Root) -> Root {
        let mut root = root;
        while let Some(&leader) = self.leader.get(&root) {
            if leader == root {
                break;
            }
            root = leader;
        }
        root
    }

    /// Whether other containers hold the same collection.
    pub fn is_joined(&self, root: Root) -> bool {
        let lead = self.lead(root);
        lead != root || self.leader.values().any(|&leader| leader == root)
    }

    /// All containers with events.
    pub fn roots(&self) -> impl Iterator<Item = Root> + '_ {
        self.by_root.keys().copied()
    }

    /// The lists that the run writes itself, with their events.
    pub fn own_lists(&self) -> impl Iterator<Item = (Root, &[Event])> + '_ {
        self.own.iter().map(|(&root, events)| (root, &events[..]))
    }

    /// The events of a container, with those that happen through parameters it is passed to.
    pub fn events(&self, root: Root) -> Vec<Event> {
        let mut all = Vec::new();
        let mut seen = vec![self.lead(root)];
        let mut next = 0;
        while next < seen.len() {
            for event in self.by_root.get(&seen[next]).into_iter().flatten() {
                all.push(*event);
                if let EventKind::Pass(def, arg) = event.kind {
                    let param = self.lead(Root::Param(def, arg));
                    if !seen.contains(&param) {
                        seen.push(param);
                    }
                }
            }
            next += 1;
        }
        all
    }

    /// Whether something that cannot be resolved may shrink a container of this name, as far as `counts` says.
    pub fn may_shrink(&self, name: Symbol, counts: impl Fn(&Event) -> bool) -> bool {
        self.in_macros.contains(&name)
            || self.named(name).iter().any(|e| !matches!(e.kind, EventKind::Look | EventKind::Trim) && counts(e))
    }

    /// Events of containers that cannot be resolved but whose last name is this one.
    fn named(&self, name: Symbol) -> &[Event] {
        self.by_name.get(&name).map_or(&[], Vec::as_slice)
    }
}

/// All identifiers of item-level macros that could not be parsed and name a shrinking method.
fn names_in_macros(model: &Model) -> FxHashSet<Symbol> {
    let mut names = FxHashSet::default();
    for file in model.files() {
        for (_, words) in &file.facts.header.opaque_macros {
            let words = words.of(&file.facts.header.words);
            if words.iter().any(|&w| model.apis.is_shrink_name(file.facts.names.get(w))) {
                names.extend(words.iter().map(|&w| model.name(file.id, w)));
            }
        }
    }
    names
}

/// Only containers that mean the same everywhere can be joined.
fn is_named(root: Root) -> bool {
    matches!(root, Root::Static(_) | Root::Field(..) | Root::Param(..))
}
