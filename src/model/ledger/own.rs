//! Lists that the run writes itself, with raw pointers or indices: linked lists, slot tables, wheels. What they are is told by
//! the names of their methods, which is enough to ask whether an entry is taken out again, and not to say that they grow.

use super::super::{DefId, Model, Ty, TyData};
use super::EventKind;
use super::events::collection_row;

/// Names of methods that put an element into a list, and that take one out.
const ADDS: [&str; 4] = ["push", "push_back", "push_front", "insert"];
const TAKES: [&str; 5] = ["remove", "pop", "pop_back", "pop_front", "unlink"];

/// How the names of methods begin that take something out.
const TAKING: [&str; 9] = ["remove", "clear", "retain", "drain", "pop", "evict", "expire", "prune", "purge"];

/// Whether a method of that name takes something out, as far as one can tell from the name.
pub fn may_take(name: &str) -> bool {
    TAKING.iter().any(|&word| name.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with('_')))
}

/// What a method does to a list that the run writes itself: one that has a method to put elements in and one to take
/// elements out, and no collection in it that is known.
pub fn own_kind(model: &Model, ty: Ty, name: &str) -> Option<EventKind> {
    let kind = match () {
        () if ADDS.contains(&name) => EventKind::Grow,
        () if TAKES.contains(&name) => EventKind::Shrink,
        () => return None,
    };
    let def = model.autoderef(ty).find_map(|ty| match *model.ty(ty) {
        TyData::Adt(def, _) => Some(def),
        _ => None,
    })?;
    let has = |names: &[&str]| {
        names.iter().any(|n| model.symbols.find(n).is_some_and(|name| !model.methods(def, name).is_empty()))
    };
    (has(&ADDS) && has(&TAKES) && !holds_known(model, def)).then_some(kind)
}

fn holds_known(model: &Model, def: DefId) -> bool {
    model.item(def).fields.ids().any(|index| collection_row(model, model.declared_field_ty(def, index)).is_some())
}
