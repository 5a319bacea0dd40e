//! What one function does to the fields that matter, statement by statement.

use super::super::access::{Root, Tracer};
use super::super::cycles::TypeGraph;
use super::super::effects::slot;
use super::super::{Callee, DefId, Symbol, Ty, TyData, known};
use super::objects::{Made, STEPS, made_of, object};
use super::{Cleared, Link, Links, Object, Setters, Step};
use crate::apis::{FnRow, Slot};
use crate::facts::body::*;

/// Collects what a function does to the fields that `wanted` names.
pub fn links(tracer: &Tracer, graph: &TypeGraph, setters: &Setters, wanted: &dyn Fn(Symbol) -> bool) -> Links {
    let mut walk = Walk { tracer, graph, setters, wanted, links: Links::default() };
    for index in 0..tracer.function.bodies.len() as u32 {
        for block in &tracer.body(index).body.blocks {
            for id in block.statements.ids().map(StatementId) {
                if !tracer.model.is_left_out(tracer.span(index, id)) {
                    walk.statement(index, id);
                }
            }
        }
    }
    walk.links
}

struct Walk<'a> {
    tracer: &'a Tracer<'a>,
    graph: &'a TypeGraph,
    setters: &'a Setters,
    wanted: &'a dyn Fn(Symbol) -> bool,
    links: Links,
}

impl Walk<'_> {
    fn statement(&mut self, index: u32, id: StatementId) {
        let body = &self.tracer.body(index).body;
        let statement = &body.statements[id.index()];
        let args = body.args(statement);
        match statement.op {
            Op::Assign => {
                let whole = statement.dest.get().is_none_or(|dest| body.projections_of(dest).is_empty());
                if !whole && let Some(&value) = args.first() {
                    self.assigned(index, id, statement.dest, value);
                }
            }
            Op::Call | Op::CallMethod => match self.tracer.body(index).types.callee(id) {
                Callee::Def(def) => self.set_by(index, id, def, args),
                Callee::Constructor(_) => {}
                _ => self.called(index, id, statement, args),
            },
            // `self.slot = None` where the value needs no place of its own.
            _ if statement.dest.get().is_some_and(|dest| !body.projections_of(dest).is_empty()) => {
                self.clear(index, statement.dest);
            }
            _ => {}
        }
    }

    /// `x.items.push(value)`, `x.next.take()`
    fn called(&mut self, index: u32, id: StatementId, statement: &Statement, args: &[Operand]) {
        let row = self.tracer.row(index, id);
        let keeps = |at: usize| row.is_some_and(|row| matches!(slot(row, at), Slot::Arg(n) if row.stores.contains(&n)));
        let stored: Vec<Operand> = (1..args.len()).filter(|&at| keeps(at)).map(|at| args[at]).collect();
        // `slot.replace(value)`: what was there goes, and something else comes.
        let filled = !stored.is_empty() && !stored.iter().any(|&value| self.may_be_empty(index, value));
        for (at, operand) in args.iter().enumerate() {
            let Some((_, place)) = operand.as_place() else { continue };
            if self.clears(index, statement, row, at, place) && !(at == 0 && filled) {
                self.clear(index, place);
            }
        }
        if let Some((_, place)) = args.first().and_then(|a| a.as_place()) {
            stored.into_iter().for_each(|value| self.stored(index, id, place, value));
        }
    }

    /// `context.set_watcher(watcher)`
    fn set_by(&mut self, index: u32, id: StatementId, def: DefId, args: &[Operand]) {
        let setters = self.setters;
        for setter in setters.get(&def).into_iter().flatten() {
            let at = |param: u32| args.get(param as usize).copied();
            let (Some((_, of)), Some(value)) = (at(setter.of).and_then(|a| a.as_place()), at(setter.value)) else {
                continue;
            };
            let mut to = object(self.tracer, index, of, STEPS);
            to.path.extend(&setter.path);
            self.link(index, id, to, (setter.owner, setter.field), value);
        }
    }

    /// `x.next = value`, `*x.next.borrow_mut() = value`
    fn assigned(&mut self, index: u32, id: StatementId, dest: PlaceId, value: Operand) {
        match self.may_be_empty(index, value) {
            true => self.clear(index, dest),
            false => self.stored(index, id, dest, value),
        }
    }

    fn may_be_empty(&self, index: u32, value: Operand) -> bool {
        value.as_place().is_none_or(|(_, place)| {
            let ty = self.tracer.ty(index, place);
            let optional = self.tracer.model.external_path(ty) == Some(known::OPTION);
            let collection = self.tracer.model.type_row(ty).is_some_and(|row| row.collection.is_some());
            collection || !ty.is_known() || optional && !self.is_some(index, place)
        })
    }

    fn is_some(&self, index: u32, place: PlaceId) -> bool {
        let tracer = self.tracer;
        let made = tracer.body(index).body.whole_local(place).and_then(|local| tracer.definition_id(index, local));
        made.is_some_and(|id| tracer.body(index).types.callee(id) == Callee::External(known::SOME))
    }

    fn stored(&mut self, index: u32, id: StatementId, place: PlaceId, value: Operand) {
        let tracer = self.tracer;
        let Root::Field(owner, field) = tracer.place(index, place).root else { return };
        let mut to = object(tracer, index, place, STEPS);
        let Some(end) = to.path.iter().rposition(|&step| step == Step::Field(field)) else { return };
        to.path.truncate(end + 1);
        if !(self.wanted)(field) {
            return;
        }
        self.link(index, id, to, (tracer.model.first_twin(owner), field), value);
    }

    fn link(&mut self, index: u32, id: StatementId, to: Object, (owner, field): (DefId, Symbol), value: Operand) {
        let tracer = self.tracer;
        let Made { sources, in_sight: made_here, .. } = made_of(tracer, self.graph, index, value);
        if !sources.is_empty() {
            let span = tracer.span(index, id);
            self.links.list.push(Link { span, at: (index, id), to, owner, field, sources, made_here });
        }
    }

    fn clears(&self, index: u32, statement: &Statement, row: Option<&FnRow>, at: usize, place: PlaceId) -> bool {
        let tracer = self.tracer;
        let name = if statement.op == Op::CallMethod { tracer.method_name(index, statement) } else { "" };
        let model = tracer.model;
        let Some(row) = row else { return at == 0 && model.apis.is_shrink_name(name) };
        let slot = slot(row, at);
        // What an iterator hands out may still be where it was.
        let holders = || model.autoderef(tracer.ty(index, place)).filter_map(|ty| Some((ty, model.type_row(ty)?)));
        let takes = holders().any(|(ty, of)| {
            let holds = of.locks || of.collection.is_some() || model.external_path(ty) == Some(known::OPTION);
            row.moves_out && holds || of.shrink.iter().chain(&of.replace).any(|n| n == name)
        });
        row.shrinks.contains(&slot) || slot == Slot::Receiver && takes
    }

    fn clear(&mut self, index: u32, place: PlaceId) {
        let tracer = self.tracer;
        let model = tracer.model;
        // `*node.borrow_mut() = Node::default()`: with the value goes what it holds.
        let behind = match (tracer.body(index).body.projections_of(place).last(), model.ty(tracer.ty(index, place))) {
            (Some(Projection::Deref), TyData::Adt(def, _)) => Some(*def),
            (None, &TyData::Ref { mutable: true, to }) => self.adt(to),
            _ => None,
        };
        self.links.cleared.extend(behind.map(|def| Cleared::All(model.first_twin(def))));
        match tracer.place(index, place).root {
            Root::Field(owner, field) => self.links.cleared.push(Cleared::Field(model.first_twin(owner), field)),
            Root::Unknown => {
                let path = object(tracer, index, place, STEPS).path.into_iter().rev();
                let mut fields = path.filter_map(|step| if let Step::Field(name) = step { Some(name) } else { None });
                self.links.cleared.extend(fields.next().map(Cleared::Named));
            }
            _ => {}
        }
    }

    fn adt(&self, ty: Ty) -> Option<DefId> {
        match *self.tracer.model.ty(ty) {
            TyData::Adt(def, _) => Some(def),
            _ => None,
        }
    }
}
