//! Who owns what, and which values must be long-lived: those in statics, those of endless loops, and what is shared
//! behind a lock by construction.

use super::access::Root;
use super::digest::Digest;
use super::heat::Runs;
use super::ledger::{Event, EventKind, Ledger, Site};
use super::{DefId, Model, Res, Symbol, TargetKind, Ty, TyData, known};
use crate::apis::ObligationKind;
use crate::facts::types::{TypeId, TypeKind, TypeTable};
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
    /// The collection, or its owner, is behind a lock, or it is concurrent: it is shared by construction.
    Shared,
    /// A table says that methods of its owner are called as long as there is work.
    Actor,
    /// Its owner is still there when what an entry stands for is gone: what else it has for it is taken out there.
    Outlives(Span),
    /// Spare room in it is given back there.
    Trimmed(Span),
}

/// Names of functions that run when something ends; what they drain was there for as long as it lived.
const SHUTDOWN: [&str; 8] = ["shutdown", "close", "stop", "terminate", "teardown", "abort", "finish", "join_all"];

impl Model {
    /// Why the owner of a field must live long, seen from a place where the field grows.
    pub fn lifetime(&self, owner: DefId, name: Symbol, event: &Event) -> Option<Lifetime> {
        if self.is_setup(event) || self.is_never_made(owner) || self.is_in_own_stream(owner, &event.site) {
            return None;
        }
        let in_static = self.analysis.in_statics.contains(&owner);
        // A static table of owners may lose one: what the owner holds grows until then.
        if let Some(gone) = self.sibling_removal(owner, name).filter(|_| in_static) {
            return Some(Lifetime::Outlives(gone.site.span));
        }
        // `*self.index.write() = Index::new()`: with the owner goes what it holds.
        if self.analysis.replaced.contains(&owner) || self.is_made_per_request(owner) {
            return None;
        }
        if in_static && !self.is_made_often(owner) {
            return Some(Lifetime::Static);
        }
        if self.in_loop_of_self(owner, &event.site, event.serving) {
            return Some(Lifetime::Loop);
        }
        if self.is_shared_field(owner, name) || self.analysis.in_locks.contains(&owner) {
            return Some(Lifetime::Shared);
        }
        if self.is_actor(owner) {
            return Some(Lifetime::Actor);
        }
        let events = self.analysis.ledger.events(Root::Field(owner, name));
        let in_time = |e: &Event| self.is_in_time(owner, e);
        self.room_given_back(&events, &in_time).map(|e| Lifetime::Trimmed(e.site.span))
    }

    /// Whether something happens while the owner of a field lives, and not in a test or at its end.
    pub fn is_in_time(&self, owner: DefId, event: &Event) -> bool {
        !self.is_shutdown(self.analysis.digests[event.site.function as usize].owner, owner)
            && !self.is_test_event(event)
    }

    /// Whether the place is in the body of a `stream!` that a method of the owner gives out: it runs as far as somebody asks
    /// for items, and ends with them.
    fn is_in_own_stream(&self, owner: DefId, site: &Site) -> bool {
        let digest = &self.analysis.digests[site.function as usize];
        self.container_type(digest.owner) == Some(owner) && digest.is_in_stream(site.body)
    }

    /// Whether values of that type are made in what runs more than once: then one in a static says nothing of the others.
    fn is_made_often(&self, owner: DefId) -> bool {
        let makers = self.analysis.makers.get(&owner);
        makers.is_some_and(|list| list.iter().any(|&p| self.analysis.heats[p as usize] > Runs::Once))
    }

    /// How often values of that type are made, as far as that is seen; those of a type that is never written out, any number
    /// of times. Who clones them is not known well enough to count.
    pub fn made_runs(&self, owner: DefId) -> Runs {
        let clones = |def| self.trait_of(def).is_some() && self.text(self.def_name(def)) == "clone";
        let makers = self.analysis.makers.get(&owner).into_iter().flatten();
        let makers = makers.filter(|&&p| !clones(self.analysis.digests[p as usize].owner));
        makers.map(|&p| self.analysis.heats[p as usize]).max().unwrap_or(Runs::PerCall)
    }

    /// Whether a function makes a value of a type that a static holds, or is called only by functions that do: what it does,
    /// it does for the one value.
    pub fn makes_for_static(&self, def: DefId) -> bool {
        self.is_for_static(def, 4)
    }

    fn is_for_static(&self, def: DefId, steps: u32) -> bool {
        let made = |owner| self.analysis.makers.get(&owner).into_iter().flatten();
        let itself = self.container_type(def).is_some_and(|owner| {
            let at = self.digest_position(def);
            self.analysis.in_statics.contains(&owner) && made(owner).any(|&p| Some(p) == at)
        });
        if itself || steps == 0 {
            return itself;
        }
        let calls = |d: &&Digest| d.owner != def && d.calls.iter().any(|c| c.callee == def);
        let mut callers = self.analysis.digests.iter().filter(calls).peekable();
        callers.peek().is_some() && callers.all(|d| self.is_for_static(d.owner, steps - 1))
    }

    /// Whether no program in sight can make a value of that type.
    fn is_never_made(&self, owner: DefId) -> bool {
        let makers = self.analysis.makers.get(&owner);
        makers.is_some_and(|list| list.iter().all(|&p| self.analysis.heats[p as usize] <= Runs::Never))
    }

    /// Whether there is one value of that type in the life of the process: all that make one run once, or nothing is seen to
    /// make one but a static has it.
    pub fn is_made_once(&self, owner: DefId) -> bool {
        match self.analysis.makers.get(&owner) {
            Some(list) => list.iter().all(|&p| self.analysis.heats[p as usize] == Runs::Once),
            None => self.is_in_static(owner),
        }
    }

    /// Whether every place that makes a value of that type runs again and again: a query's context, a connection's state.
    fn is_made_per_request(&self, owner: DefId) -> bool {
        let makers = self.analysis.makers.get(&owner);
        makers.is_some_and(|list| list.iter().all(|&p| self.analysis.heats[p as usize] == Runs::Repeated))
    }

    /// Whether the place is in a loop that serves, of a function whose `self` (or other parameter) is the owner, or in a
    /// method that such a loop calls.
    fn in_loop_of_self(&self, owner: DefId, site: &Site, serving: bool) -> bool {
        let digest = &self.analysis.digests[site.function as usize];
        let of_owner = |def| self.container_type(def) == Some(owner);
        if !of_owner(digest.owner) {
            return false;
        }
        if serving {
            return true;
        }
        let calls = self.analysis.callers.get(&digest.owner);
        calls.into_iter().flatten().any(|&caller| of_owner(self.analysis.digests[caller as usize].owner))
    }

    /// The type that a function drops, if it is a `Drop::drop`.
    pub fn dropped_type(&self, def: DefId) -> Option<DefId> {
        (self.trait_of(def) == Some(Res::External(known::DROP_TRAIT))).then(|| self.container_type(def)).flatten()
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
    pub fn is_shared_field(&self, owner: DefId, name: Symbol) -> bool {
        let Some(ty) = self.declared_field(owner, name) else { return false };
        let mut shared = false;
        for step in self.inside(ty) {
            let Some(row) = self.type_row(step) else { continue };
            // A cell is for one thread: it says nothing of who else holds it.
            if row.unsync {
                return false;
            }
            shared |= row.locks || row.shared;
            if row.collection.is_some() {
                return shared;
            }
        }
        false
    }

    /// Whether a field only borrows what it leads to: `&'a mut Vec<T>` belongs to somebody else.
    pub fn field_is_borrowed(&self, owner: DefId, name: Symbol) -> bool {
        let Some(ty) = self.declared_field(owner, name) else { return false };
        self.inside(ty).any(|ty| matches!(self.ty(ty), TyData::Ref { .. }))
    }

    /// Whether the keys of a field's map are written in the program: `HashMap<&'static str, _>`.
    pub fn field_keys_are_static(&self, owner: DefId, name: Symbol) -> bool {
        let Some(index) = self.field_index(owner, name) else { return false };
        let header = self.header(self.def(owner).file);
        keys_are_static(&header.types, header.fields[index as usize].ty)
    }

    /// The same for a static.
    pub fn static_keys_are_static(&self, def: DefId) -> bool {
        keys_are_static(&self.header(self.def(def).file).types, self.item(def).ty)
    }

    /// Whether what a field holds, or its elements, has to be released one by one (tasks, children).
    pub fn field_holds_obligations(&self, owner: DefId, name: Symbol) -> bool {
        let Some(ty) = self.declared_field(owner, name) else { return false };
        let shared = |kind| matches!(kind, ObligationKind::Client | ObligationKind::Runtime);
        self.inside(ty).any(|ty| self.obligation(self.payload(self.element(ty))).is_some_and(|o| !shared(o.kind)))
    }

    /// The type that a field is declared with.
    pub fn declared_field(&self, owner: DefId, name: Symbol) -> Option<Ty> {
        Some(self.declared_field_ty(owner, self.field_index(owner, name)?))
    }

    /// Whether values of a type are replaced, or taken out of a collection, with all that they hold.
    pub fn is_replaced(&self, owner: DefId) -> bool {
        self.analysis.replaced.contains(&owner)
    }

    /// Whether statics of the run hold values of a type.
    pub fn is_in_static(&self, owner: DefId) -> bool {
        self.analysis.in_statics.contains(&owner)
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

    /// Whether a function runs when `owner` ends: its `Drop`, or a method without arguments that is called `shutdown` and
    /// the like. The `Drop` of another type may be a guard that takes out one entry.
    pub fn is_shutdown(&self, def: DefId, owner: DefId) -> bool {
        if self.dropped_type(def) == Some(owner) {
            return true;
        }
        let name = self.text(self.def_name(def));
        // `close(&self, id)` ends one of many.
        let named = SHUTDOWN.contains(&name) || name.starts_with("shutdown_") || name.ends_with("_shutdown");
        named && self.params_of(def).len() <= 1
    }

    /// Whether an event stands in test code.
    pub fn is_test_event(&self, event: &Event) -> bool {
        self.is_test(self.analysis.digests[event.site.function as usize].owner)
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

/// Whether the first argument of the innermost type with arguments is `&'static T`, or a tuple of such.
fn keys_are_static(types: &TypeTable, ty: TypeId) -> bool {
    let Some(ty) = ty.get() else { return false };
    let node = types.ty(ty);
    if node.kind != TypeKind::Path {
        return types.type_args(ty).iter().any(|&inner| keys_are_static(types, inner));
    }
    let Some(last) = types.path_segments(node.path).last() else { return false };
    let args = last.args.of(&types.args);
    args.first().is_some_and(|&key| is_static(types, key)) || args.iter().any(|&inner| keys_are_static(types, inner))
}

fn is_static(types: &TypeTable, ty: TypeId) -> bool {
    match types.ty(ty).kind {
        TypeKind::StaticRef => true,
        TypeKind::Tuple => !types.type_args(ty).is_empty() && types.type_args(ty).iter().all(|&t| is_static(types, t)),
        _ => false,
    }
}

/// All types of the run that a static holds, through their fields.
pub fn in_statics(model: &Model) -> FxHashSet<DefId> {
    let statics = model.defs().filter(|&d| {
        let item = model.item(d);
        item.kind == ItemKind::Static && item.flags & item_flags::TEST == 0
    });
    with_fields(model, statics.flat_map(|d| inner_types(model, model.item_ty(d))).collect())
}

/// Types of the run that somebody keeps behind a lock: `Arc<Mutex<State>>`.
pub fn in_locks(model: &Model) -> FxHashSet<DefId> {
    let mut found = FxHashSet::default();
    let mut add = |ty: Ty| {
        let locked = |ty: &Ty| model.type_row(*ty).is_some_and(|row| row.locks && !row.unsync);
        let inner = model.inside(ty).skip_while(|ty| !locked(ty)).find_map(|ty| match *model.ty(ty) {
            TyData::Adt(def, _) => Some(def),
            _ => None,
        });
        found.extend(inner);
    };
    for def in model.defs() {
        match model.item(def).kind {
            ItemKind::Fn => model.params_of(def).iter().for_each(|&ty| add(ty)),
            _ => model.item(def).fields.ids().for_each(|index| add(model.declared_field_ty(def, index))),
        }
    }
    found
}

/// These types and those of the run that their fields are made of.
fn with_fields(model: &Model, mut todo: Vec<DefId>) -> FxHashSet<DefId> {
    let mut found = FxHashSet::default();
    while let Some(def) = todo.pop() {
        if found.insert(def) {
            let fields = model.item(def).fields.ids();
            todo.extend(fields.flat_map(|index| inner_types(model, model.declared_field_ty(def, index))));
        }
    }
    found
}

/// By callee, the positions of the functions that call it in a loop that serves.
pub fn serving_callers(digests: &[Digest]) -> FxHashMap<DefId, Vec<u32>> {
    let mut callers: FxHashMap<DefId, Vec<u32>> = FxHashMap::default();
    for (position, digest) in digests.iter().enumerate() {
        for call in digest.calls.iter().filter(|c| c.serving) {
            callers.entry(call.callee).or_default().push(position as u32);
        }
    }
    callers
}

/// By type, the positions of the functions that make values of it.
pub fn makers(digests: &[Digest]) -> FxHashMap<DefId, Vec<u32>> {
    let mut makers: FxHashMap<DefId, Vec<u32>> = FxHashMap::default();
    for (position, digest) in digests.iter().enumerate() {
        for &made in &digest.makes {
            makers.entry(made).or_default().push(position as u32);
        }
    }
    makers
}

/// Types whose values are replaced, or are elements of a collection that shrinks, with all that they hold.
pub fn replaced(model: &Model, ledger: &Ledger) -> FxHashSet<DefId> {
    let mut todo = Vec::new();
    for root in ledger.roots() {
        let gone = |e: &Event| matches!(e.kind, EventKind::Shrink | EventKind::Replace);
        if !ledger.events(root).iter().any(gone) {
            continue;
        }
        match root {
            Root::Static(def) => todo.extend(inner_types(model, model.item_ty(def))),
            Root::Field(owner, name) => {
                todo.extend(model.declared_field(owner, name).into_iter().flat_map(|ty| inner_types(model, ty)));
            }
            _ => {}
        }
    }
    with_fields(model, todo)
}

/// The types of the run that a type is made of, not looking into their fields. What an `Arc` shares may outlive it.
pub(super) fn inner_types(model: &Model, ty: Ty) -> Vec<DefId> {
    let mut found = Vec::new();
    let mut todo = vec![ty];
    while let Some(ty) = todo.pop() {
        match model.ty(ty) {
            TyData::Adt(def, args) => {
                found.push(*def);
                todo.extend(args.iter().copied());
            }
            TyData::External(_, args) | TyData::Tuple(args) => todo.extend(args.iter().copied()),
            TyData::Ref { to, .. } | TyData::Slice(to) | TyData::Array(to) => todo.push(*to),
            _ => {}
        }
    }
    found
}
