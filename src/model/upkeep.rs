//! What keeps a collection small while its owner lives, and what shows that the owner lives longer than single entries:
//! spare room that is given back now and then, entries that its other collections lose one by one.

use super::access::Root;
use super::entries::{Removal, removal};
use super::ledger::{Event, EventKind};
use super::types::Bound;
use super::{DefId, Model, Symbol, Ty, TyData, known};
use crate::apis::{Collection, TypeRow};

impl Model {
    /// Whether something makes a collection smaller, bounds it, or takes it out of sight; `in_time` says which events
    /// happen while it grows.
    pub fn is_kept_small(&self, name: Symbol, events: &[Event], in_time: &dyn Fn(&Event) -> bool) -> bool {
        let excuses = |e: &Event| match e.kind {
            EventKind::Grow | EventKind::Look | EventKind::Trim | EventKind::Pass(..) => false,
            // What is removed from an element leaves its key.
            EventKind::Shrink | EventKind::Replace => !e.access.element && in_time(e),
            EventKind::Bound => !e.access.element && in_time(e) && !is_for_room(e, events),
            EventKind::Expose => true,
        };
        events.iter().any(excuses) || self.analysis.ledger.may_shrink(name, in_time)
    }

    /// Where spare room is given back, if that is done when there is much of it: who does so expects entries to go.
    pub fn room_given_back<'e>(&self, events: &'e [Event], in_time: &dyn Fn(&Event) -> bool) -> Option<&'e Event> {
        let same = |a: &Event, b: &Event| a.site.function == b.site.function && !b.access.element;
        let asked = |e: &Event| events.iter().any(|b| b.kind == EventKind::Bound && same(e, b));
        let filled = |e: &Event| events.iter().any(|b| b.kind == EventKind::Grow && same(e, b));
        let trims = events.iter().filter(|e| e.kind == EventKind::Trim && !e.access.element && in_time(e));
        trims.filter(|&e| asked(e) && !filled(e)).min_by_key(|e| e.site)
    }

    /// Where another collection of the same owner loses an entry by a key as this one has them, or by any if this one
    /// makes its keys itself: the owner is still there when what its entries stand for is gone.
    pub fn sibling_removal(&self, owner: DefId, name: Symbol) -> Option<Event> {
        let (own, own_key) = self.keyed_field(owner, name)?;
        let mut found: Option<(bool, Event)> = None;
        for root in self.analysis.ledger.roots() {
            let Root::Field(of, other) = root else { continue };
            if of != owner || other == name {
                continue;
            }
            let Some((row, key)) = self.keyed_field(owner, other) else { continue };
            let goes_with = key == own_key && self.is_telling_key(key);
            if !goes_with && own.makes_key.is_none() {
                continue;
            }
            let gone = |e: &Event| {
                let function = self.analysis.digests[e.site.function as usize].owner;
                e.kind == EventKind::Shrink
                    && !e.access.element
                    && !self.is_test(function)
                    && !self.is_shutdown(function, owner)
                    && matches!(removal(self, e), Removal::Single)
            };
            // The collection that makes the keys says when what they stand for ends.
            let rank = !(goes_with && row.makes_key.is_some());
            let events = self.analysis.ledger.events(root).into_iter().filter(|e| gone(e));
            let first = events.min_by_key(|e| e.site).map(|e| (rank, e));
            let better = |new: &(bool, Event)| found.is_none_or(|(rank, e)| (new.0, new.1.site) < (rank, e.site));
            found = first.filter(better).or(found);
        }
        found.map(|(_, event)| event)
    }

    /// Whether what a collection holds lives for ever anyway: `HashMap<u64, &'static str>`, the table of an interner.
    pub fn holds_leaked(&self, ty: Ty) -> bool {
        matches!(self.ty(self.collected(ty)), TyData::Ref { .. })
    }

    /// Whether a collection has implementations by their names: `HashMap<String, Arc<dyn Codec>>`. There are as many as
    /// the program has.
    pub fn holds_implementations(&self, ty: Ty) -> bool {
        let is_any =
            |bound: &Bound| self.external_path(bound.of).is_some_and(|path| self.text(path) == "std::any::Any");
        let called = |ty: Ty| match self.ty(ty) {
            TyData::Dyn(bounds) => bounds.iter().any(|b| self.external_path(b.of).is_some_and(Model::is_fn_trait)),
            ty => matches!(ty, TyData::FnPtr(_)),
        };
        let code = |ty: Ty| match *self.ty(ty) {
            TyData::Dyn(ref bounds) => !bounds.iter().any(is_any),
            TyData::FnPtr(_) => true,
            // `Factory { name, make: Arc<dyn Fn() -> T> }`
            TyData::Adt(def, _) => {
                let mut fields = self.item(def).fields.ids();
                fields.any(|index| self.inside(self.declared_field_ty(def, index)).any(called))
            }
            _ => false,
        };
        let key = self.keyed(ty).map_or(Ty::UNKNOWN, |(_, key)| key);
        let named = self.inside(key).any(|ty| ty == Ty::STR || self.external_path(ty) == Some(known::STRING));
        named && self.inside(self.collected(ty)).any(code)
    }

    /// What the collection in a type holds.
    fn collected(&self, ty: Ty) -> Ty {
        let collection = |ty: &Ty| self.type_row(*ty).is_some_and(|row| row.collection.is_some());
        self.inside(ty).find(collection).map_or(Ty::UNKNOWN, |ty| self.element(ty))
    }

    /// The row and the type of the keys of a field that is a map, a set, or makes its keys itself.
    fn keyed_field(&self, owner: DefId, name: Symbol) -> Option<(&'static TypeRow, Ty)> {
        self.keyed(self.declared_field(owner, name)?)
    }

    fn keyed(&self, ty: Ty) -> Option<(&'static TypeRow, Ty)> {
        let inside = self.inside(ty);
        let (ty, row) = inside.filter_map(|ty| Some((ty, self.type_row(ty)?))).find(|(_, r)| r.collection.is_some())?;
        let keyed = matches!(row.collection, Some(Collection::Map | Collection::Set)) || row.makes_key.is_some();
        let key = row.makes_key.as_ref().or(row.key.as_ref()).map_or(Ty::UNKNOWN, |term| self.row_term(ty, row, term));
        keyed.then_some((row, key))
    }

    /// Whether two maps with such keys have them for the same reason: a string or a number may stand for anything.
    fn is_telling_key(&self, key: Ty) -> bool {
        match self.ty(key) {
            TyData::Adt(..) => true,
            TyData::External(path, _) => {
                self.text(*path) != "std::string::String" && self.text(*path) != "std::sync::Arc"
            }
            _ => false,
        }
    }
}

/// Whether the size is asked for only to give back spare room: `if map.capacity() > 500 && map.len() < 250 {
/// map.shrink_to(500) }`.
fn is_for_room(bound: &Event, events: &[Event]) -> bool {
    let here = |e: &&Event| e.site.function == bound.site.function && !e.access.element;
    let changes = |e: &Event| matches!(e.kind, EventKind::Grow | EventKind::Shrink | EventKind::Replace);
    events.iter().filter(here).any(|e| e.kind == EventKind::Trim) && !events.iter().filter(here).any(changes)
}
