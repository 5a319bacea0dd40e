//! Collections whose values say when they end: how their entries are looked at, and whether anything sweeps those whose time
//! is up.

use super::access::{Root, Tracer};
use super::entries::{Removal, removal};
use super::heat::Runs;
use super::ledger::{Event, EventKind, Site, collection_row};
use super::{Callee, DefId, Model, Symbol, Ty, TyData};
use crate::apis::Collection;
use crate::facts::body::*;
use rustc_hash::FxHashSet;

/// Words in the name of a field that holds a point in time at which something ends.
const ENDS: [&str; 7] = ["expires", "expire", "expiry", "expiration", "expired", "deadline", "ttl"];

/// A collection whose entries outlive their time.
#[derive(Debug, Clone, Copy)]
pub struct Outlived {
    /// The collection.
    pub root: Root,
    /// Where entries are put in.
    pub put: Event,
    /// Where somebody sees that the time of one is up.
    pub seen: Site,
}

/// What says when an entry ends.
#[derive(Debug, Clone)]
enum Expiry {
    /// A field of the values' own type, and whether its name says so.
    Field(DefId, Symbol, bool),
    /// Something in the values, which are of types of libraries.
    Inside,
}

impl Model {
    /// All collections of the run that only a look at the same key frees from what has expired.
    pub fn outlived(&self) -> &[Outlived] {
        self.outlived.get_or_init(|| find(self))
    }
}

fn find(model: &Model) -> Vec<Outlived> {
    let mut roots: Vec<Root> = model.analysis.ledger.roots().collect();
    roots.sort_unstable();
    let mut found: Vec<Outlived> = roots.into_iter().filter_map(|root| judge(model, root)).collect();
    found.sort_by_key(|o| o.put.site);
    found
}

fn judge(model: &Model, root: Root) -> Option<Outlived> {
    let (ty, static_keys) = match root {
        Root::Field(owner, name) if !model.is_public_field(owner, name) && !model.field_is_borrowed(owner, name) => {
            (model.declared_field(owner, name)?, model.field_keys_are_static(owner, name))
        }
        Root::Static(def) if !model.is_exported(def) => (model.item_ty(def), model.static_keys_are_static(def)),
        _ => return None,
    };
    let expiries = expiries(model, ty);
    if expiries.is_empty() || static_keys {
        return None;
    }
    let events = model.analysis.ledger.events(root);
    let grows = |e: &&Event| {
        e.is_growth()
            && e.collection == Some(Collection::Map)
            // That entries have a time to live says that they come and go.
            && !matches!(model.runs_of(e), Runs::Test | Runs::Never | Runs::Once)
            && lives_long(model, root, e)
    };
    let put = *events.iter().filter(grows).min_by_key(|e| e.site)?;
    let readers: FxHashSet<u32> = events
        .iter()
        .filter(|e| e.kind == EventKind::Look && !model.is_test_event(e))
        .map(|e| e.site.function)
        .collect();
    let mut readers: Vec<u32> = readers.into_iter().collect();
    readers.sort_unstable();
    let (seen, by_name) = readers.iter().find_map(|&function| check_in(model, root, function, &expiries))?;
    let name = match root {
        Root::Field(_, name) => name,
        Root::Static(def) => model.def_name(def),
        _ => return None,
    };
    let swept = events.iter().any(|e| sweeps(model, e, &readers, by_name));
    let unresolved = model.analysis.ledger.may_shrink(name, |e| !model.is_test_event(e));
    (!swept && !unresolved).then_some(Outlived { root, put, seen })
}

fn lives_long(model: &Model, root: Root, event: &Event) -> bool {
    match root {
        Root::Field(owner, name) => {
            model.lifetime(owner, name, event).is_some() && !model.is_tool(owner) && !model.is_of_tool(owner)
        }
        _ => true,
    }
}

/// Whether an event takes out what nobody asks for again, or may do so.
fn sweeps(model: &Model, event: &Event, readers: &[u32], by_name: bool) -> bool {
    if model.is_test_event(event) {
        return false;
    }
    match event.kind {
        EventKind::Grow | EventKind::Look | EventKind::Trim | EventKind::Pass(..) => false,
        EventKind::Expose => true,
        EventKind::Replace | EventKind::Bound => !event.access.element,
        EventKind::Shrink if event.access.element => false,
        EventKind::Shrink => match removal(model, event) {
            // One key, where it is read; or, if its name says that it expires, wherever somebody says that it is done.
            Removal::Single => event.in_loop.get().is_some() || !(by_name || readers.contains(&event.site.function)),
            _ => true,
        },
    }
}

/// What in the values of a map says when they end.
fn expiries(model: &Model, ty: Ty) -> Vec<Expiry> {
    let map =
        model.inside(ty).find(|&ty| collection_row(model, ty).is_some_and(|r| r.collection == Some(Collection::Map)));
    let Some(map) =
        map.and_then(|ty| model.autoderef(ty).find(|&t| model.type_row(t).is_some_and(|r| r.collection.is_some())))
    else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for ty in model.inside(model.element(map)) {
        match model.ty(ty) {
            TyData::Tuple(parts) if parts.iter().any(|&part| is_time(model, part)) => found.push(Expiry::Inside),
            &TyData::Adt(def, _) => {
                let fields = model.item(def).fields.ids();
                found.extend(fields.filter_map(|index| {
                    let file = model.def(def).file;
                    let name = model.name(file, model.header(file).fields[index as usize].name.get()?);
                    let field = model.payload(model.declared_field_ty(def, index));
                    let ends = model.text(name).split('_').any(|word| ENDS.contains(&word));
                    let number = matches!(model.ty(field), TyData::Prim(p) if matches!(model.text(*p), "u64" | "i64" | "u128" | "i128"));
                    (is_time(model, field) || ends && number).then_some(Expiry::Field(def, name, ends))
                }));
            }
            _ if is_time(model, ty) => found.push(Expiry::Inside),
            _ => {}
        }
    }
    found
}

fn is_time(model: &Model, ty: Ty) -> bool {
    model.type_row(model.payload(ty)).is_some_and(|row| row.time)
}

/// Where a function, or a method of the values that it calls, compares an entry's time with another; and whether the time's
/// name says that it is an end.
fn check_in(model: &Model, root: Root, function: u32, expiries: &[Expiry]) -> Option<(Site, bool)> {
    let typed = model.typed(model.analysis.digests[function as usize].root);
    let tracer = Tracer::new(model, &typed);
    for body in 0..typed.bodies.len() as u32 {
        let statements = &tracer.body(body).body.statements;
        for id in (0..statements.len() as u32).map(StatementId) {
            let site = || Site { function, body, statement: id, span: tracer.span(body, id) };
            if let Some(by_name) = compared(&tracer, body, id, Some(root), expiries) {
                return Some((site(), by_name));
            }
            // `entry.is_expired()`
            if let Callee::Def(def) = tracer.body(body).types.callee(id)
                && let Some(by_name) = asks(model, def, expiries)
            {
                return Some((site(), by_name));
            }
        }
    }
    None
}

/// Whether a method of the values' type compares their time.
fn asks(model: &Model, def: DefId, expiries: &[Expiry]) -> Option<bool> {
    let of = model.container_type(def)?;
    if !expiries.iter().any(|e| matches!(e, Expiry::Field(owner, ..) if *owner == of)) {
        return None;
    }
    let is_bool = matches!(model.ty(model.result_ty(def)), TyData::Prim(p) if model.text(*p) == "bool");
    let typed = model.typed(model.body_of(def).filter(|_| is_bool)?);
    let tracer = Tracer::new(model, &typed);
    (0..typed.bodies.len() as u32).find_map(|body| {
        let count = tracer.body(body).body.statements.len() as u32;
        (0..count).find_map(|id| compared(&tracer, body, StatementId(id), None, expiries))
    })
}

/// Whether a statement compares the time of an entry, or asks for its age.
fn compared(tracer: &Tracer, index: u32, id: StatementId, root: Option<Root>, expiries: &[Expiry]) -> Option<bool> {
    let body = &tracer.body(index).body;
    let statement = &body.statements[id.index()];
    let compares = match statement.op {
        Op::Binary => statement.data >= BinaryOp::Lt as u32,
        Op::CallMethod => tracer.row(index, id).is_some_and(|row| row.tells_age),
        _ => false,
    };
    if !compares {
        return None;
    }
    body.args(statement).iter().filter_map(|a| a.as_place()).find_map(|(_, place)| {
        let access = tracer.place(index, place);
        expiries.iter().find_map(|expiry| match *expiry {
            Expiry::Field(owner, name, ends) => (access.root == Root::Field(owner, name)).then_some(ends),
            Expiry::Inside => {
                let inside = Some(access.root) == root
                    && access.element
                    && is_time(tracer.model, tracer.model.peel_refs(tracer.ty(index, place)));
                inside.then_some(false)
            }
        })
    })
}
