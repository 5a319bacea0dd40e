//! Lists of those who want to be told: callbacks, senders, wakers, kept in a field or static. What such a collection is, told
//! by the type of its elements, and what takes elements out of it, or may. Knows nothing of confidence.

use super::access::Root;
use super::ledger::{Event, EventKind};
use super::{Model, Symbol, Ty, TyData, known};
use crate::apis::Collection;

/// How those in a list are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// They are called.
    Callback,
    /// Something is sent to them, or they are woken.
    Sender,
}

/// What names of such lists are about. A struct that holds a sender among other things may be anything else.
const WORDS: [&str; 12] = [
    "callback",
    "handler",
    "hook",
    "listener",
    "observer",
    "sender",
    "sink",
    "subscriber",
    "subscription",
    "waiter",
    "waker",
    "watcher",
];

impl Model {
    /// How those in the collection at `root` are told, if it is a list of listeners.
    pub fn listeners(&self, root: Root) -> Option<Told> {
        let (ty, name) = match root {
            Root::Field(owner, name) => (self.declared_field(owner, name)?, name),
            Root::Static(def) => (self.item_ty(def), self.def_name(def)),
            _ => return None,
        };
        let (element, keyed) = self.innermost_element(ty)?;
        if let Some(told) = self.told(element).filter(|_| !keyed || self.is_about_listeners(name)) {
            return Some(told);
        }
        // `listeners: Vec<Listener>` with `struct Listener { id: u64, call: Box<dyn Fn()> }`
        match *self.ty(self.unwrapped(element)) {
            // By key they are those who are there: connections, sessions.
            TyData::Adt(def, _) if !keyed && self.is_about_listeners(name) => {
                let fields = self.item(def).fields;
                fields.ids().find_map(|index| self.told(self.declared_field_ty(def, index)))
            }
            _ => None,
        }
    }

    /// What the innermost of nested collections holds, and whether it is found there by a key.
    fn innermost_element(&self, ty: Ty) -> Option<(Ty, bool)> {
        let (mut ty, mut found) = (ty, None);
        for _ in 0..8 {
            let row = self.type_row(ty).and_then(|row| row.collection);
            ty = match row {
                Some(Collection::List | Collection::Queue | Collection::Set) => {
                    let element = self.element(ty);
                    found = Some((element, false));
                    element
                }
                Some(Collection::Map) => {
                    let element = self.element(ty);
                    found = Some((element, true));
                    element
                }
                Some(_) => break,
                None => self.content(ty).unwrap_or_default(),
            };
            if ty == Ty::UNKNOWN {
                break;
            }
        }
        found.filter(|(element, _)| element.is_known())
    }

    /// What a wrapper holds.
    fn content(&self, ty: Ty) -> Option<Ty> {
        match self.ty(ty) {
            TyData::Ref { to, .. } => Some(*to),
            TyData::External(path, args) => {
                let wraps = *path == known::BOX
                    || *path == known::OPTION
                    || self.type_row(ty).is_some_and(|row| row.strong || row.locks || row.deref.is_some());
                args.first().copied().filter(|_| wraps)
            }
            _ => None,
        }
    }

    fn unwrapped(&self, ty: Ty) -> Ty {
        std::iter::successors(Some(ty), |&ty| self.content(ty)).take(6).last().unwrap_or(ty)
    }

    /// How whoever is behind a value of that type is told: it is called, or something is sent.
    fn told(&self, ty: Ty) -> Option<Told> {
        let inner = self.unwrapped(ty);
        match self.ty(inner) {
            TyData::Tuple(parts) => parts.iter().find_map(|&part| self.told_alone(part)),
            _ => self.told_alone(ty),
        }
    }

    fn told_alone(&self, ty: Ty) -> Option<Told> {
        let inner = self.unwrapped(ty);
        if self.type_row(inner).is_some_and(|row| row.notifies) {
            return Some(Told::Sender);
        }
        let callable = matches!(self.ty(inner), TyData::Dyn(_)) && self.signature(inner).is_some();
        callable.then_some(Told::Callback)
    }

    fn is_about_listeners(&self, name: Symbol) -> bool {
        let name = self.text(name).to_lowercase();
        WORDS.iter().any(|word| name.contains(word))
    }

    /// Whether something takes listeners out again, bounds them, or takes the list out of sight. What happens when its owner
    /// ends is too late.
    pub fn lets_listeners_go(&self, root: Root, events: &[Event]) -> bool {
        let (owner, name) = match root {
            Root::Field(owner, name) => (Some(owner), name),
            Root::Static(def) => (None, self.def_name(def)),
            _ => return true,
        };
        let function = |e: &Event| self.analysis.digests[e.site.function as usize].owner;
        let in_time =
            |e: &Event| !self.is_test_event(e) && owner.is_none_or(|owner| !self.is_shutdown(function(e), owner));
        let excuses = |e: &Event| match e.kind {
            EventKind::Grow | EventKind::Look | EventKind::Trim | EventKind::Pass(..) => false,
            // From one of many lists, by topic: that is what is asked for here.
            EventKind::Shrink | EventKind::Replace | EventKind::Bound => in_time(e),
            EventKind::Expose => true,
        };
        events.iter().any(excuses) || self.analysis.ledger.may_shrink(name, in_time)
    }

    /// Whether an event adds a listener for certain.
    pub fn adds_listener(&self, event: &Event) -> bool {
        use Collection::{List, Map, Queue, Set};
        event.kind == EventKind::Grow
            && event.access.exact
            && !event.tasks
            && matches!(event.collection, Some(List | Queue | Set | Map))
            && (event.collection != Some(Map) || !event.access.element)
    }
}
