//! One function's part in channels: where ends of them go, and what is done with them.

use super::super::access::{Root, Tracer};
use super::super::effects::slot;
use super::super::exits::is_service_loop;
use super::super::sources::{Ends, end_of, ends_in};
use super::super::{Callee, DefId, Symbol, Ty, TyData};
use super::loops::{loop_over, peer_loops, per_item_await};
use super::{ChannelUses, Holder, Made, Use, UseKind};
use crate::apis::{End, FnRow, Owner, Slot, TypeRow};
use crate::facts::body::*;
use crate::source::Span;

/// What a function does with channels.
pub fn uses(tracer: &Tracer, function: u32) -> ChannelUses {
    let mut walk = Walk { tracer, function, out: ChannelUses::default() };
    for index in 0..tracer.function.bodies.len() as u32 {
        if walk.has_ends(index) {
            walk.body(index);
        }
    }
    walk.out.loops = peer_loops(tracer);
    walk.out
}

struct Walk<'a> {
    tracer: &'a Tracer<'a>,
    function: u32,
    out: ChannelUses,
}

impl Walk<'_> {
    fn has_ends(&self, index: u32) -> bool {
        let types = &self.tracer.body(index).types;
        types.places.iter().chain(&types.locals).any(|&ty| ends_in(self.tracer.model, ty).any())
    }

    fn body(&mut self, index: u32) {
        let body = &self.tracer.body(index).body;
        for block in &body.blocks {
            for id in block.statements.ids().map(StatementId) {
                if !self.tracer.model.is_left_out(self.tracer.span(index, id)) {
                    self.statement(index, id, block.in_loop);
                }
            }
        }
        for id in (0..body.loops.len() as u32).map(LoopId) {
            self.iterated(index, id);
        }
        self.idle(index);
    }

    fn ends(&self, index: u32, place: PlaceId) -> Ends {
        ends_in(self.tracer.model, self.tracer.ty(index, place))
    }

    fn holder(&self, index: u32, place: PlaceId) -> Option<Holder> {
        match self.tracer.place(index, place.get()?).root {
            Root::Static(def) => Some(Holder::Static(def)),
            Root::Field(owner, name) => Some(Holder::Field(owner, name)),
            Root::Param(def, param) => Some(Holder::Param(def, param)),
            Root::Local(0, LocalId(0)) => Some(Holder::Result(self.tracer.model.owner(self.tracer.function.root().at))),
            Root::Local(body, local) => Some(Holder::Local(self.function, body, local)),
            Root::Unknown => None,
        }
    }

    fn join(&mut self, a: Option<Holder>, b: Option<Holder>, ends: Ends) {
        if let (Some(a), Some(b)) = (a, b)
            && a != b
        {
            self.out.joins.extend(ends.list().map(|end| (a, b, end)));
        }
    }

    /// Joins, where the other side is declared as what it may hold; else the end is out of sight: `dyn Stream`.
    fn hand_on(&mut self, index: u32, id: StatementId, to: Holder, declared: Ty, place: PlaceId) {
        let ends = self.ends(index, place);
        let known = ends_in(self.tracer.model, declared);
        if ends.tx && !known.tx || ends.rx && !known.rx {
            self.note(index, id, LoopId::NONE, place, ends, UseKind::Escape);
        }
        let from = self.holder(index, place);
        self.join(Some(to), from, ends);
    }

    fn note(&mut self, index: u32, id: StatementId, in_loop: LoopId, place: PlaceId, ends: Ends, kind: UseKind) {
        let Some(holder) = self.holder(index, place) else { return };
        let span = self.tracer.span(index, id);
        for end in ends.list() {
            let of = (holder, end);
            let function = self.function;
            self.out.uses.push(Use { of, kind, function, body: index, statement: id, in_loop, span, awaits: None });
        }
    }

    fn statement(&mut self, index: u32, id: StatementId, in_loop: LoopId) {
        let body = &self.tracer.body(index).body;
        let statement = &body.statements[id.index()];
        let args = body.args(statement);
        match statement.op {
            Op::Call | Op::CallMethod | Op::CallValue => self.call(index, id, in_loop),
            Op::Assign | Op::Cast => {
                if let (Some((_, from)), Some(to)) = (args.first().and_then(|a| a.as_place()), statement.dest.get()) {
                    let (from_holder, to_holder) = (self.holder(index, from), self.holder(index, to));
                    self.join(to_holder, from_holder, self.ends(index, from));
                }
            }
            Op::Tuple | Op::Array => {
                for (_, from) in args.iter().filter_map(|a| a.as_place()) {
                    let (from_holder, to_holder) = (self.holder(index, from), self.holder(index, statement.dest));
                    self.join(to_holder, from_holder, self.ends(index, from));
                }
            }
            Op::Struct => self.literal(index, id),
            Op::Macro | Op::OpaqueMacro => {
                for (_, place) in args.iter().filter_map(|a| a.as_place()) {
                    let ends = self.ends(index, place);
                    self.note(index, id, in_loop, place, ends, UseKind::Escape);
                }
            }
            _ => {}
        }
    }

    /// `Worker { rx, .. }`
    fn literal(&mut self, index: u32, id: StatementId) {
        let typed = self.tracer.body(index);
        let model = self.tracer.model;
        let statement = &typed.body.statements[id.index()];
        let made = typed.body.local_of(statement.dest).map(|l| model.payload(typed.types.locals[l.index()]));
        let owner = made.and_then(|ty| match *model.ty(ty) {
            TyData::Adt(owner, _) => Some(owner),
            _ => None,
        });
        for pair in typed.body.args(statement).chunks_exact(2) {
            let (OperandKind::Name(name), Some((_, place))) = (pair[0].kind(), pair[1].as_place()) else { continue };
            match owner {
                Some(owner) => self.fill_field(index, id, owner, model.name(typed.at.file, name), place),
                None => self.note(index, id, LoopId::NONE, place, self.ends(index, place), UseKind::Escape),
            }
        }
    }

    fn fill_field(&mut self, index: u32, id: StatementId, owner: DefId, name: Symbol, place: PlaceId) {
        if self.ends(index, place).any() {
            let declared = self.tracer.model.declared_field(owner, name).unwrap_or_default();
            self.hand_on(index, id, Holder::Field(owner, name), declared, place);
        }
    }

    fn call(&mut self, index: u32, id: StatementId, in_loop: LoopId) {
        let typed = self.tracer.body(index);
        let statement = &typed.body.statements[id.index()];
        let places: Vec<(usize, PlaceId)> =
            typed.body.args(statement).iter().enumerate().filter_map(|(at, a)| Some((at, a.as_place()?.1))).collect();
        match typed.types.callee(id) {
            Callee::Def(def) => self.own_call(index, id, def, &places, in_loop),
            Callee::Constructor(owner) => {
                for (at, place) in places {
                    self.fill_field(index, id, owner, self.tracer.model.symbols.intern(&at.to_string()), place);
                }
            }
            Callee::External(_) | Callee::Distinctive(_) => {
                let row = self.tracer.row(index, id);
                self.made(index, id, row);
                for &(at, place) in &places {
                    self.library_argument(index, id, in_loop, row, (at, place), &places);
                }
            }
            _ => {
                for (at, place) in places {
                    let receiver = at == 0 && statement.op == Op::CallMethod;
                    self.unknown(index, id, in_loop, place, receiver);
                }
            }
        }
    }

    fn made(&mut self, index: u32, id: StatementId, row: Option<&FnRow>) {
        if !row.is_some_and(|row| row.unbounded) {
            return;
        }
        let dest = self.tracer.body(index).body.statements[id.index()].dest;
        if let Some(at) = dest.get().and_then(|dest| self.holder(index, dest)) {
            let span = self.tracer.span(index, id);
            self.out.made.push(Made { at, function: self.function, body: index, span });
        }
    }

    /// A call of the run: what is given to a parameter, and what comes back.
    fn own_call(&mut self, index: u32, id: StatementId, def: DefId, places: &[(usize, PlaceId)], in_loop: LoopId) {
        let model = self.tracer.model;
        let given: Vec<(usize, PlaceId)> =
            places.iter().copied().filter(|&(_, place)| self.ends(index, place).any()).collect();
        let dest = self.tracer.body(index).body.statements[id.index()].dest;
        let back = dest.get().map_or(Ends::default(), |dest| self.ends(index, dest));
        if given.is_empty() && !back.any() {
            return;
        }
        let targets = match model.body_of(def) {
            Some(_) => vec![def],
            None => model.implementations(def),
        };
        for &(at, place) in &given {
            if targets.is_empty() {
                self.note(index, id, in_loop, place, self.ends(index, place), UseKind::Escape);
            }
            for &target in &targets {
                let declared = model.params_of(target).get(at).copied().unwrap_or_default();
                self.hand_on(index, id, Holder::Param(target, at as u32), declared, place);
            }
        }
        for &target in &targets {
            let to = dest.get().and_then(|dest| self.holder(index, dest));
            self.join(to, Some(Holder::Result(target)), back);
        }
    }

    fn library_argument(
        &mut self,
        index: u32,
        id: StatementId,
        in_loop: LoopId,
        row: Option<&'static FnRow>,
        (at, place): (usize, PlaceId),
        places: &[(usize, PlaceId)],
    ) {
        let statement = &self.tracer.body(index).body.statements[id.index()];
        let Some(row) = row else {
            return self.unknown(index, id, in_loop, place, at == 0 && statement.op == Op::CallMethod);
        };
        let slot = slot(row, at);
        if slot == Slot::Receiver {
            return self.receiver(index, id, in_loop, place, row);
        }
        let ends = self.ends(index, place);
        let Slot::Arg(number) = slot else { return };
        if !ends.any() || row.drops == Some(slot) {
            return;
        }
        if row.wraps.contains(&number) || row.through {
            let (to, from) = (self.holder(index, statement.dest), self.holder(index, place));
            self.join(to, from, ends);
        } else if let Some(&(_, keeper)) =
            places.iter().find(|(at, _)| *at == 0).filter(|_| row.stores.contains(&number))
        {
            match self.holder(index, keeper) {
                Some(keeper) => {
                    let from = self.holder(index, place);
                    self.join(Some(keeper), from, ends);
                }
                None => self.note(index, id, in_loop, place, ends, UseKind::Escape),
            }
        } else {
            self.note(index, id, in_loop, place, ends, UseKind::Escape);
        }
    }

    /// A method that a library gives an end, or what holds one.
    fn receiver(&mut self, index: u32, id: StatementId, in_loop: LoopId, place: PlaceId, row: &'static FnRow) {
        let tracer = self.tracer;
        let Some(end) = end_of(tracer, index, place) else { return };
        let body = &tracer.body(index).body;
        let name = tracer.method_name(index, &body.statements[id.index()]);
        let model = tracer.model;
        let own =
            model.autoderef(tracer.ty(index, place)).find_map(|ty| model.type_row(ty).filter(|r| r.end.is_some()));
        let says = |list: fn(&TypeRow) -> &Vec<String>| own.is_some_and(|row| list(row).iter().any(|n| n == name));
        let takes = row.moves_out || row.element || row.from_outside || !row.grows.is_empty();
        let kind = match end {
            End::Tx if says(|row| &row.grow) => UseKind::Send,
            _ if name != "is_empty" && (says(|row| &row.bound) || name == "len") => UseKind::Size,
            End::Rx if takes || row.owner != Owner::Receiver && !row.through => UseKind::Read,
            _ => return,
        };
        if kind != UseKind::Read {
            return self.note(index, id, in_loop, place, Ends::of(end), kind);
        }
        let around = loop_over(tracer, index, id).or(in_loop.get());
        self.note(index, id, around.unwrap_or_default(), place, Ends::of(end), kind);
        let awaits = around.and_then(|l| per_item_await(tracer, index, l, Some(id)));
        if let Some(read) = self.out.uses.last_mut().filter(|u| u.statement == id) {
            read.awaits = awaits;
        }
    }

    /// What cannot be resolved may do anything with an end.
    fn unknown(&mut self, index: u32, id: StatementId, in_loop: LoopId, place: PlaceId, receiver: bool) {
        let ends = self.ends(index, place);
        if receiver && ends.rx {
            self.note(index, id, in_loop, place, Ends::of(End::Rx), UseKind::Read);
        }
        self.note(index, id, in_loop, place, ends, UseKind::Escape);
    }

    /// `for item in rx`
    fn iterated(&mut self, index: u32, id: LoopId) {
        let tracer = self.tracer;
        let body = &tracer.body(index).body;
        let Some((_, place)) = body.loops[id.index()].iterates.as_place() else { return };
        if self.ends(index, place) != Ends::of(End::Rx) {
            return;
        }
        let Some(holder) = self.holder(index, place) else { return };
        let span = Span { file: tracer.body(index).at.file, range: body.loops[id.index()].span };
        let of = (holder, End::Rx);
        let awaits = per_item_await(tracer, index, id, None);
        let (kind, function) = (UseKind::Read, self.function);
        let statement = StatementId::NONE;
        self.out.uses.push(Use { of, kind, function, body: index, statement, in_loop: id, span, awaits });
    }

    /// `let (tx, _rx) = unbounded();` in a body that goes on: nothing reads, and nothing closes.
    fn idle(&mut self, index: u32) {
        let tracer = self.tracer;
        let typed = tracer.body(index);
        let body = &typed.body;
        if !(0..body.loops.len() as u32).any(|l| is_service_loop(tracer, index, LoopId(l))) {
            return;
        }
        for (number, local) in body.locals.iter().enumerate().map(|(n, l)| (LocalId(n as u32), l)) {
            let named = local.kind == LocalKind::Binding && !local.name.is_none();
            if !named || ends_in(tracer.model, typed.types.locals[number.index()]) != Ends::of(End::Rx) {
                continue;
            }
            let used = |a: &Operand| a.as_place().is_some_and(|(_, place)| body.local_of(place) == Some(number));
            let captured = || {
                tracer
                    .function
                    .bodies
                    .iter()
                    .any(|b| b.body.locals.iter().any(|l| l.kind == LocalKind::Capture && l.outer == number))
            };
            if body.operands.iter().any(used) || body.blocks.iter().any(|b| used(&b.operand)) || captured() {
                continue;
            }
            let held = match tracer.local_access(index, number).root {
                Root::Local(body, local) => Holder::Local(self.function, body, local),
                _ => continue,
            };
            self.out.idle.push((held, Span { file: typed.at.file, range: local.span }));
        }
    }
}
