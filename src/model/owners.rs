//! Who owns what, and which values must be long-lived: those in statics, those of endless loops, and what is shared
//! behind a lock by construction.

use super::digest::Digest;
use super::heat::Runs;
use super::ledger::{Event, Site};
use super::{DefId, Model, Symbol, TargetKind, Ty, TyData};
use crate::facts::{ItemKind, item_flags};
use crate::source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

/// Why a field's owner lives long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// It sits in a static.
    Static,
    /// It is what an endless loop works on.
    Loop,
    /// The collection is behind a lock, or concurrent, and grows through a shared reference.
    Shared,
}

/// Names of functions that run when something ends; what they drain was there for as long as it lived.
const SHUTDOWN: [&str; 9] =
    ["shutdown", "close", "drop", "stop", "terminate", "teardown", "abort", "finish", "join_all"];

impl Model {
    /// Why the owner of a field must live long, seen from a place where the field grows.
    pub fn lifetime(&self, owner: DefId, name: Symbol, event: &Event) -> Option<Lifetime> {
        if self.analysis.in_statics.contains(&owner) {
            return Some(Lifetime::Static);
        }
        if self.in_loop_of_self(owner, &event.site, event.repeated) {
            return Some(Lifetime::Loop);
        }
        self.is_shared_field(owner, name).then_some(Lifetime::Shared)
    }

    /// Whether the place is in a loop that serves, of a function whose `self` (or other parameter) is the owner, or in a
    /// method that such a loop calls.
    fn in_loop_of_self(&self, owner: DefId, site: &Site, repeated: bool) -> bool {
        let digest = &self.analysis.digests[site.function as usize];
        let of_owner = |def| self.container_type(def) == Some(owner);
        if !of_owner(digest.owner) {
            return false;
        }
        if repeated && digest.bodies[site.body as usize].serves {
            return true;
        }
        let calls = self.analysis.callers.get(&digest.owner);
        calls.into_iter().flatten().any(|&(caller, body)| {
            let caller = &self.analysis.digests[caller as usize];
            of_owner(caller.owner) && caller.bodies[body as usize].serves
        })
    }

    /// The type that a function drops, if it is a `Drop::drop`.
    pub fn dropped_type(&self, def: DefId) -> Option<DefId> {
        let owner = self.container_type(def)?;
        (self.has_drop(owner) == Some(def)).then_some(owner)
    }

    /// The type that a function is a method of.
    pub fn container_type(&self, def: DefId) -> Option<DefId> {
        let block = self.impl_of(def)?;
        match *self.ty(self.item_ty(block)) {
            TyData::Adt(of, _) => Some(of),
            _ => None,
        }
    }

    /// Whether a field's declared type is a lock around a collection, or a concurrent one.
    fn is_shared_field(&self, owner: DefId, name: Symbol) -> bool {
        let Some(ty) = self.declared_field(owner, name) else { return false };
        let mut shared = false;
        for step in self.contents(ty) {
            let Some(row) = self.type_row(step) else { continue };
            shared |= row.locks || row.shared;
            if row.collection.is_some() {
                return shared;
            }
        }
        false
    }

    /// Whether what a field holds, or its elements, has to be released one by one (tasks, children).
    pub fn field_holds_obligations(&self, owner: DefId, name: Symbol) -> bool {
        let Some(ty) = self.declared_field(owner, name) else { return false };
        self.contents(ty).into_iter().any(|ty| self.obligation(self.payload(self.element(ty))).is_some())
    }

    fn declared_field(&self, owner: DefId, name: Symbol) -> Option<Ty> {
        Some(self.declared_field_ty(owner, self.field_index(owner, name)?))
    }

    /// Where a field is declared.
    pub fn field_span(&self, owner: DefId, name: Symbol) -> Option<Span> {
        let index = self.field_index(owner, name)?;
        let file = self.def(owner).file;
        Some(Span { file, range: self.header(file).fields[index as usize].span })
    }

    /// Whether code outside the run may reach a field by its name.
    pub fn is_public_field(&self, owner: DefId, name: Symbol) -> bool {
        let Some(index) = self.field_index(owner, name) else { return false };
        self.header(self.def(owner).file).fields[index as usize].public && self.is_exported(owner)
    }

    /// Whether code outside the run may name an item.
    pub fn is_exported(&self, def: DefId) -> bool {
        self.item(def).flags & item_flags::EXPORTED != 0 && self.target(def) == TargetKind::Lib
    }

    /// Whether a function runs when something ends.
    pub fn is_shutdown(&self, def: DefId) -> bool {
        // `close(&self, id)` ends one of many.
        if self.params_of(def).len() > 1 {
            return false;
        }
        let name = self.text(self.def_name(def));
        SHUTDOWN.iter().any(|word| name.split('_').any(|part| part == *word) || name == *word)
    }

    /// Whether an event stands in test code.
    pub fn is_test_event(&self, event: &Event) -> bool {
        self.analysis.heats[event.site.function as usize] == Runs::Test
    }

    /// Whether a function gives back a small id or a reference that lives for ever, as interners do.
    pub fn returns_handle(&self, def: DefId) -> bool {
        let ty = self.payload(self.result_ty(def));
        match self.ty(ty) {
            TyData::Ref { .. } => {
                self.params_of(def).iter().all(|&p| !matches!(self.ty(p), TyData::Ref { mutable: true, .. }))
            }
            TyData::Prim(name) => matches!(self.text(*name), "usize" | "u64" | "u32" | "u16" | "i32" | "i64"),
            TyData::Adt(of, _) => self.derives(*of, "Copy"),
            _ => false,
        }
    }
}

/// All types of the run that a static holds, through their fields.
pub fn in_statics(model: &Model) -> FxHashSet<DefId> {
    let mut found = FxHashSet::default();
    let mut todo: Vec<Ty> = model
        .defs()
        .filter(|&d| model.item(d).kind == ItemKind::Static && model.item(d).flags & item_flags::TEST == 0)
        .map(|d| model.item_ty(d))
        .collect();
    while let Some(ty) = todo.pop() {
        for part in std::iter::once(ty).chain(model.part_tys(ty)) {
            if let TyData::Adt(def, _) = *model.ty(part) {
                if found.insert(def) {
                    let fields = model.item(def).fields.ids();
                    todo.extend(fields.map(|index| model.declared_field_ty(def, index)));
                }
            } else if part != ty {
                todo.push(part);
            }
        }
    }
    found
}

/// Which function calls which, by the callee: the caller's position and the body of the call.
pub fn callers(digests: &[Digest]) -> FxHashMap<DefId, Vec<(u32, u32)>> {
    let mut callers: FxHashMap<DefId, Vec<(u32, u32)>> = FxHashMap::default();
    for (position, digest) in digests.iter().enumerate() {
        for call in &digest.calls {
            callers.entry(call.callee).or_default().push((position as u32, call.body));
        }
    }
    callers
}
