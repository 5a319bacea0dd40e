//! Entries that are lost: the function that puts one into a collection leaves by an error, or it gives back what stands for the
//! entry (the key that it made up, a shared pointer to it), and a caller, who owes the removal from then on, does.

use super::access::Tracer;
use super::entries::{Removers, Useless, ends_of_value, leaves_useless, shows_taken, useless};
use super::exits::call_behind;
use super::keyed::{Exit, sources, ways};
use super::ledger::{Event, EventKind};
use super::{Callee, DefId, Model, Ty, TyData};
use crate::facts::body::*;
use crate::source::Span;

/// Whether an event adds an entry, to a known collection or to a list that the run writes itself.
pub fn is_addition(event: &Event) -> bool {
    event.is_growth() || event.kind == EventKind::Grow && event.collection.is_none() && !event.access.element
}

/// An entry that stays.
#[derive(Debug, Clone, Copy)]
pub struct Loss {
    /// Where it is put, by itself or by a function that gives back what stands for it.
    pub put: Span,
    /// The function that does so.
    pub function: u32,
    /// Where it stays behind.
    pub exit: Exit,
}

/// Where the entry that an event adds is lost: in its own function, or in those that are given what stands for it.
pub fn losses(model: &Model, removers: &Removers, event: &Event) -> Vec<Loss> {
    let typed = model.typed(model.analysis.digests[event.site.function as usize].root);
    let tracer = Tracer::new(model, &typed);
    if is_weak(&tracer, event) {
        return Vec::new();
    }
    let why = useless(&tracer, event);
    if let Some(why) = &why {
        let put = Put { function: event.site.function, body: event.site.body, statement: event.site.statement };
        let ends = ends_of_value(&tracer, event);
        if let Some(exit) = lost(&tracer, removers, &put, why, &ends) {
            let (put, function) = (event.site.span, put.function);
            return vec![Loss { put, function, exit }];
        }
    }
    if !is_handed_on(&tracer, event, why.as_ref()) {
        return Vec::new();
    }
    let def = model.analysis.digests[event.site.function as usize].owner;
    let mut found = Vec::new();
    for function in callers(model, def) {
        let typed = model.typed(model.analysis.digests[function as usize].root);
        let tracer = Tracer::new(model, &typed);
        for (body, statement) in calls_of(&tracer, def) {
            let dest = tracer.body(body).body.statements[statement.index()].dest;
            let put = Put { function, body, statement };
            let exit = lost(&tracer, removers, &put, &Useless::Key, &[]);
            if let Some(exit) = exit.filter(|_| !is_guard(model, tracer.ty(body, dest))) {
                found.push(Loss { put: tracer.span(body, statement), function, exit });
            }
        }
    }
    found
}

/// Where an entry is put.
struct Put {
    function: u32,
    body: u32,
    statement: StatementId,
}

/// The exit with which an entry is lost.
fn lost(tracer: &Tracer, removers: &Removers, put: &Put, why: &Useless, ends: &[LocalId]) -> Option<Exit> {
    if removers.are_around(tracer.model, put.function, put.body) || is_noted_elsewhere(tracer, put) {
        return None;
    }
    let touch = |id| removers.touch(tracer, put.function, put.body, id);
    let taken = |block: &Block, position| shows_taken(tracer, put.body, ends, block, position);
    let ways = ways(tracer, put.body, put.statement, &touch, &taken);
    let exits = ways.exits.iter().filter(|e| leaves_useless(tracer, put.body, why, e));
    exits.min_by_key(|e| (e.kind == EdgeKind::Cancel, e.at)).copied()
}

/// `watchers.push(Arc::downgrade(&x))`: an entry that is dead tells so itself.
fn is_weak(tracer: &Tracer, event: &Event) -> bool {
    let body = &tracer.body(event.site.body).body;
    let last = body.args(&body.statements[event.site.statement.index()]).last().and_then(|a| a.as_place());
    let ty = last.map_or(Ty::UNKNOWN, |(_, place)| tracer.ty(event.site.body, place));
    tracer.model.type_row(ty).is_some_and(|row| row.weak)
}

/// `self.senders.insert(id, tx); self.deadlines.insert(id, when)`: whoever has the other entry may take out this one.
fn is_noted_elsewhere(tracer: &Tracer, put: &Put) -> bool {
    let body = &tracer.body(put.body).body;
    let statement = &body.statements[put.statement.index()];
    let place = |operand: Option<&Operand>| Some(operand?.as_place()?.1);
    let root = |s: &Statement| place(body.args(s).first()).map(|place| tracer.place(put.body, place).root);
    // The key is given, or made by the call.
    let given = place(body.args(statement).get(1)).filter(|_| statement.op == Op::CallMethod);
    let made = statement.dest.get();
    let keys: Vec<LocalId> = given.into_iter().chain(made).filter_map(|place| body.local_of(place)).collect();
    let from: Vec<_> = keys.iter().flat_map(|&key| sources(tracer, put.body, key, &mut |_, _| {})).collect();
    let names_one = |operand: &Operand| {
        let local = place(Some(operand)).and_then(|place| body.local_of(place));
        local.is_some_and(|l| sources(tracer, put.body, l, &mut |_, _| {}).iter().any(|s| from.contains(s)))
    };
    (put.statement.index() + 1..body.statements.len()).map(|id| &body.statements[id]).any(|other| {
        other.op == Op::CallMethod
            && tracer.model.apis.is_grow_name(tracer.method_name(put.body, other))
            && root(other) != root(statement)
            && body.args(other)[1..].iter().any(names_one)
    })
}

/// Whether the function that adds an entry gives back what stands for it.
fn is_handed_on(tracer: &Tracer, event: &Event, why: Option<&Useless>) -> bool {
    let index = event.site.body;
    let body = &tracer.body(index).body;
    let statement = &body.statements[event.site.statement.index()];
    let args = body.args(statement);
    let local = |operand: Option<&Operand>| body.local_of(operand?.as_place()?.1);
    if index != 0 || statement.op != Op::CallMethod {
        return false;
    }
    let returned = sources(tracer, 0, LocalId(0), &mut |_, _| {});
    let is_returned = |local: LocalId| returned.contains(&(0, local));
    if why == Some(&Useless::Key) {
        // `let id = slots.insert(x); Ok(id)`, `map.insert(id, x); id`
        let key =
            if event.has_key() { local(args.get(1)) } else { statement.dest.get().and_then(|d| body.local_of(d)) };
        return key.is_some_and(is_returned);
    }
    // What a map has under a key can be found by all who have the key.
    let Some(value) = local(args.last()).filter(|_| args.len() > 1 && !event.has_key()) else { return false };
    sources(tracer, 0, value, &mut |_, _| {})
        .iter()
        .any(|&(of, l)| of == 0 && is_returned(l) && is_new_shared(tracer, l))
}

/// `let entry = Arc::new(..)`
fn is_new_shared(tracer: &Tracer, local: LocalId) -> bool {
    let typed = tracer.body(0);
    let strong = tracer.model.type_row(typed.types.locals[local.index()]).is_some_and(|row| row.strong);
    strong
        && call_behind(tracer, 0, local).is_some_and(|call| {
            let statement = &typed.body.statements[call.index()];
            let copied = matches!(tracer.method_name(0, statement), "clone" | "upgrade");
            matches!(typed.types.callee(call), Callee::External(_)) && !copied
        })
}

/// Whether a value takes its entry out itself when it is dropped: a guard.
fn is_guard(model: &Model, ty: Ty) -> bool {
    let drops = |ty: Ty| {
        let shared = |ty: &Ty| model.type_row(*ty).is_some_and(|row| row.strong || row.weak);
        let mut inside = model.inside(ty).take_while(|ty| !shared(ty));
        inside.any(|ty| matches!(*model.ty(ty), TyData::Adt(def, _) if model.has_drop(def).is_some()))
    };
    let ty = model.payload(ty);
    drops(ty)
        || match *model.ty(ty) {
            TyData::Adt(def, _) => model.item(def).fields.ids().any(|field| drops(model.declared_field_ty(def, field))),
            _ => false,
        }
}

/// The functions that call `def`, by their position among the digests.
fn callers(model: &Model, def: DefId) -> impl Iterator<Item = u32> + '_ {
    let calls = move |&position: &u32| {
        let digest = &model.analysis.digests[position as usize];
        digest.owner != def && digest.calls.iter().any(|c| c.callee == def)
    };
    (0..model.analysis.digests.len() as u32).filter(calls)
}

impl Model {
    /// Whether a function is a method with `&self`: what it changes is shared with others.
    pub fn is_shared_method(&self, def: DefId) -> bool {
        let first = self.params_of(def).first().map(|&ty| self.ty(ty));
        self.container_type(def).is_some() && matches!(first, Some(TyData::Ref { mutable: false, .. }))
    }
}

/// Where a function calls `def`: body and statement.
fn calls_of(tracer: &Tracer, def: DefId) -> Vec<(u32, StatementId)> {
    let mut found = Vec::new();
    for index in 0..tracer.function.bodies.len() as u32 {
        let body = &tracer.body(index).body;
        let calls = |id: &StatementId| {
            let calls = matches!(body.statements[id.index()].op, Op::Call | Op::CallMethod);
            calls && tracer.body(index).types.callee(*id) == Callee::Def(def)
        };
        found.extend((0..body.statements.len() as u32).map(StatementId).filter(calls).map(|id| (index, id)));
    }
    found
}
