//! Work that stays for ever because it keeps open itself what would end it: it owns the sending end of the channel it
//! receives from, by a value that it captures.
//!
//! The walk assumes that what is kept open never closes, takes away the edges on which it has closed, and asks whether
//! the end can still be reached.

use super::access::{Root, Tracer};
use super::captures::{Captured, Made, Variable, captured, made, made_by, spawned_by, variable};
use super::channel_ends::{is_given_up, kept_receivers, made_at, received, sender_within, subscribed, subscription};
use super::digest::Seed;
use super::exits::origin_of;
use super::keyed::fails;
use super::{Callee, DefId, Symbol, Ty};
use crate::apis::Heat;
use crate::facts::body::*;
use crate::facts::body_flags;
use crate::facts::item_flags;
use crate::source::Span;
use std::cell::RefCell;

/// Why work stays.
#[derive(Debug, Clone)]
pub struct Pinned {
    /// Its loop.
    pub loop_at: Span,
    /// What would end it, unless the loop has no exit at all.
    pub kept: Option<Kept>,
}

/// Something that work keeps open.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Where the channel is made or subscribed to.
    pub made: Span,
    /// The captured value that holds the sending end, in the function that spawns or in one that it calls.
    pub by: Captured,
    /// The field that it is in.
    pub field: Option<Field>,
}

/// A field of a type of the run.
type Field = (DefId, Symbol);

/// Functions called by functions are followed this far.
const DEPTH: u32 = 3;

/// A function of which some bodies run as the work.
struct Scene<'a, 't> {
    tracer: &'t Tracer<'a>,
    /// What the work owns.
    owned: Vec<Captured>,
    /// Parameters that are receiving ends which the caller keeps open.
    held: Vec<LocalId>,
    /// Fields of what the work owns that are receiving ends of channels which it keeps open itself.
    fields: &'t [(Field, Kept)],
    kept: &'t RefCell<Vec<Kept>>,
    /// What is owned by calls and blocks that were made, by where they are made: it has been given to them.
    given: RefCell<Vec<(u32, StatementId, LocalId)>>,
}

/// Whether what a seed spawns stays, and why.
pub fn pinned(tracer: &Tracer, seed: &Seed) -> Option<Pinned> {
    let kept = RefCell::default();
    let owned = captured(tracer, seed);
    let id = spawned_by(tracer, seed)?;
    let fields = receiving_fields(tracer, &owned);
    let scene = Scene::new(tracer, owned, Vec::new(), (&fields, &kept));
    let loop_at = scene.made(seed.body, id, DEPTH)?;
    Some(Pinned { loop_at, kept: kept.take().into_iter().next() })
}

/// The fields in which the function that spawns puts the receiving end of a channel whose sending end the work owns:
/// `Actor { inbox, myself: sender.clone() }`.
fn receiving_fields(tracer: &Tracer, owned: &[Captured]) -> Vec<(Field, Kept)> {
    let mut list = Vec::new();
    for (field, channel) in kept_receivers(tracer) {
        let Some((by, fields)) = sender_within(tracer, channel, owned) else { continue };
        if !fields.iter().any(|&(owner, name)| is_given_up(tracer.model, owner, name)) {
            let kept = Kept { made: made_at(tracer, channel), by: *by, field: fields.first().copied() };
            list.push((field, kept));
        }
    }
    list
}

/// Whether a body runs once in the life of a value, not of the process: `self.task.get_or_init(|| spawn(..))`.
pub fn is_once_per_value(tracer: &Tracer, index: u32) -> bool {
    let mut at = index;
    while let Some((outer, call, _)) = tracer.handed_to(at) {
        let body = &tracer.body(outer).body;
        let receiver = body.args(&body.statements[call.index()]).first().and_then(|a| a.as_place());
        let once = tracer.row(outer, call).is_some_and(|row| row.calls.iter().any(|c| c.heat == Heat::Once));
        if once && let Some((_, place)) = receiver {
            return matches!(tracer.place(outer, place).root, Root::Field(owner, _) if !tracer.model.is_in_static(owner));
        }
        at = outer;
    }
    false
}

impl<'a, 't> Scene<'a, 't> {
    fn new(
        tracer: &'t Tracer<'a>,
        owned: Vec<Captured>,
        held: Vec<LocalId>,
        (fields, kept): (&'t [(Field, Kept)], &'t RefCell<Vec<Kept>>),
    ) -> Scene<'a, 't> {
        Scene { tracer, owned, held, fields, kept, given: RefCell::default() }
    }

    /// Whether a closure, an async block or a call never ends: its loop.
    fn made(&self, index: u32, id: StatementId, depth: u32) -> Option<Span> {
        match made(self.tracer, index, id)? {
            Made::Body(inner) => self.stays(inner, depth),
            Made::Function(def) => self.callee(index, id, def, depth),
        }
    }

    /// Whether the call of a function of the run never comes back.
    fn callee(&self, index: u32, id: StatementId, def: DefId, depth: u32) -> Option<Span> {
        let model = self.tracer.model;
        let root = model.body_of(def).filter(|_| depth > 0)?;
        let function = model.typed(root);
        let tracer = Tracer::new(model, &function);
        let body = &self.tracer.body(index).body;
        let (mut owned, mut held) = (Vec::new(), Vec::new());
        let params = function.root().body.params;
        for (at, operand) in body.args(&body.statements[id.index()]).iter().enumerate().take(params as usize) {
            let Some((_, place)) = operand.as_place() else { continue };
            let param = LocalId(at as u32 + 1);
            let from = variable(self.tracer, index, place);
            if self.owned.iter().any(|o| Some(o.local) == from || Some(o.from) == from) {
                owned.push(Captured { local: (0, param), from: (0, param), ty: function.root().types.local(param) });
            }
            if self.keeps_open(index, place) {
                held.push(param);
            }
        }
        Scene::new(&tracer, owned, held, (self.fields, self.kept)).stays(0, depth - 1)
    }

    /// Whether no path through a body reaches its end: the loop that it stays in.
    fn stays(&self, index: u32, depth: u32) -> Option<Span> {
        let typed = self.tracer.body(index);
        let mut seen = vec![false; typed.body.blocks.len()];
        let (mut todo, mut found) = (vec![BlockId(0)], None);
        while let Some(id) = todo.pop() {
            if std::mem::replace(&mut seen[id.index()], true) {
                continue;
            }
            let block = &typed.body.blocks[id.index()];
            if matches!(block.end, End::Exit | End::Diverge) {
                return None;
            }
            match self.through(index, block, depth) {
                Through::Ends => return None,
                Through::Stays(at) => {
                    found = found.or(Some(at));
                    continue;
                }
                Through::Goes => {}
            }
            if let Some(inside) = block.in_loop.get() {
                let range = typed.body.loops[inside.index()].span;
                found = found.or(Some(Span { file: typed.at.file, range }));
            }
            for (position, edge) in typed.body.edges_of(id).iter().enumerate() {
                if edge.kind != EdgeKind::Cancel && !self.has_closed(index, block, position, edge) {
                    todo.push(edge.to);
                }
            }
        }
        let gone = |kept: &Kept| self.given.borrow().iter().any(|&(_, _, local)| kept.by.local.1 == local);
        found.filter(|_| !self.kept.borrow().iter().any(gone))
    }

    fn through(&self, index: u32, block: &Block, depth: u32) -> Through {
        let typed = self.tracer.body(index);
        let model = self.tracer.model;
        for id in block.statements.ids().map(StatementId) {
            self.gives_away(index, id);
            match typed.types.callee(id) {
                Callee::Def(def) if model.item(def).flags & item_flags::ASYNC == 0 => {
                    if model.item_ty(def) == Ty::NEVER {
                        return Through::Ends;
                    }
                    // `this.run(jobs)`: only what is given something owned can stay because of it.
                    let stays = || self.callee(index, id, def, depth);
                    if let Some(at) = self.gives_owned(index, id).then(stays).flatten() {
                        self.given.borrow_mut().retain(|&(body, by, _)| (body, by) != (index, id));
                        return Through::Stays(at);
                    }
                }
                Callee::External(_) | Callee::Distinctive(_)
                    if self.tracer.row(index, id).is_some_and(|row| row.never || row.exits) =>
                {
                    return Through::Ends;
                }
                _ => {}
            }
        }
        if block.end == End::Await
            && let Some(made) = block.operand.as_place().and_then(|(_, place)| made_by(self.tracer, index, place))
            && let Some(at) = self.made(made.0, made.1, depth)
        {
            self.given.borrow_mut().retain(|&(body, by, _)| (body, by) != made);
            return Through::Stays(at);
        }
        Through::Goes
    }

    /// Notes what a statement moves out of the work: `drop(tx)`, another task. What is moved into the call or block that
    /// the work stays in is still there.
    fn gives_away(&self, index: u32, id: StatementId) {
        let typed = self.tracer.body(index);
        let statement = &typed.body.statements[id.index()];
        let moves = typed.body.nested(statement).is_some_and(|nested| {
            self.tracer.model.body_header(self.tracer.model.beside(typed.at, nested)).flags & body_flags::MOVE != 0
        });
        for (position, place) in typed.body.args(statement).iter().filter_map(|a| a.as_place()) {
            let moved = match position {
                Position::Bare => !matches!(statement.op, Op::Macro | Op::Binary | Op::OpaqueMacro),
                Position::Capture => moves,
                _ => false,
            };
            // `drop(self.sender)`: what else is in `self` stays, but is not looked for.
            let part = statement.op == Op::Call && !self.tracer.model.is_copy(self.tracer.ty(index, place));
            let whole = typed.body.whole_local(place);
            let Some(local) = whole.or(typed.body.local_of(place).filter(|_| part)).filter(|_| moved) else { continue };
            let Some(owned) = self.owner(index, local) else { continue };
            self.given.borrow_mut().push((index, id, owned.1));
        }
    }

    /// The owned value that a local of a body is, captured or itself.
    fn owner(&self, index: u32, local: LocalId) -> Option<Variable> {
        let mut at = (index, local);
        while !self.owned.iter().any(|o| o.local == at) {
            at = self
                .tracer
                .outer(at.0, at.1)
                .filter(|_| self.tracer.body(at.0).body.locals[at.1.index()].kind == LocalKind::Capture)?;
        }
        Some(at)
    }

    fn gives_owned(&self, index: u32, id: StatementId) -> bool {
        let body = &self.tracer.body(index).body;
        let places = body.args(&body.statements[id.index()]).iter().filter_map(|a| a.as_place());
        places.filter_map(|(_, place)| variable(self.tracer, index, place)).any(|from| {
            from.0 == 0 && self.held.contains(&from.1) || self.owned.iter().any(|o| o.from == from || o.local == from)
        })
    }

    /// Whether an edge is taken only when something has closed that the work keeps open.
    fn has_closed(&self, index: u32, block: &Block, position: usize, edge: &Edge) -> bool {
        let edges = || block.edges.of(&self.tracer.body(index).body.edges);
        match block.end {
            End::Try => position == 1 && self.receives(index, block.operand, None),
            End::Next => position == 1 && self.iterates(index, block.operand),
            End::Switch => match edge.pattern.get() {
                Some(pattern) if fails(self.tracer, index, pattern) => {
                    self.receives(index, block.operand, Some(pattern))
                }
                Some(pattern) if self.tracer.body(index).body.patterns[pattern.index()].kind != PatternKind::Wild => {
                    false
                }
                _ => {
                    let before = &edges()[..position];
                    before.iter().any(|e| e.pattern.get().is_some_and(|p| self.succeeds(index, p)))
                        && self.receives(index, block.operand, None)
                }
            },
            End::Branch => self.tested(index, block.operand, position == 0, 4),
            End::Select => self.disabled(index, block, position, edge),
            _ => false,
        }
    }

    /// An arm of `select!` for the end of what is kept open, or the one for when all others are off.
    fn disabled(&self, index: u32, block: &Block, position: usize, edge: &Edge) -> bool {
        let body = &self.tracer.body(index).body;
        let polled = block.statements.ids().last().map(|id| body.args(&body.statements[id as usize]));
        let Some(polled) = polled else { return false };
        match polled.get(position).copied().and_then(|o| o.as_place().map(|_| o)) {
            Some(future) => {
                let ends = edge.pattern.get().is_some_and(|p| fails(self.tracer, index, p));
                ends && self.receives(index, future, edge.pattern.get())
            }
            None => polled.iter().any(|&future| future.as_place().is_some() && self.receives(index, future, None)),
        }
    }

    /// `rx.recv().await.is_none()`
    fn tested(&self, index: u32, test: Operand, taken: bool, steps: u32) -> bool {
        let body = &self.tracer.body(index).body;
        let local = test.as_place().and_then(|(_, place)| body.local_of(place)).filter(|_| steps > 0);
        let Some(definition) = local.and_then(|l| self.tracer.definition(index, l)) else { return false };
        let Some(&first) = body.args(definition).first() else { return false };
        match definition.op {
            Op::Assign => self.tested(index, first, taken, steps - 1),
            Op::Unary if definition.data == 0 => self.tested(index, first, !taken, steps - 1),
            Op::CallMethod => match self.tracer.method_name(index, definition) {
                "is_none" | "is_err" => taken && self.receives(index, first, None),
                "is_some" | "is_ok" => !taken && self.receives(index, first, None),
                _ => false,
            },
            _ => false,
        }
    }

    /// `Some(x)`, `Ok((a, b))`: whatever was received matches.
    fn succeeds(&self, index: u32, pattern: PatternId) -> bool {
        let typed = self.tracer.body(index);
        let name = |p: &Pattern| {
            let name = typed.body.types.last_name(crate::facts::types::PathId(p.data)).get();
            name.map_or("", |n| self.tracer.model.text(self.tracer.model.name(typed.at.file, n)))
        };
        let pattern = &typed.body.patterns[pattern.index()];
        pattern.kind == PatternKind::TupleVariant
            && matches!(name(pattern), "Some" | "Ok")
            && pattern.args.of(&typed.body.pattern_args).iter().all(|&p| !typed.body.is_refutable(p))
    }

    /// Whether an operand is what was received from something that is kept open; below `pattern`, that it has closed.
    fn receives(&self, index: u32, operand: Operand, pattern: Option<PatternId>) -> bool {
        let body = &self.tracer.body(index).body;
        let local = operand.as_place().and_then(|(_, place)| body.local_of(place));
        let Some(call) = local.and_then(|local| origin_of(self.tracer, index, local)) else { return false };
        let statement = &body.statements[call.index()];
        let row = self.tracer.row(index, call);
        if statement.op != Op::CallMethod || !row.is_some_and(|row| row.ends) {
            return false;
        }
        let name = self.tracer.method_name(index, statement);
        // `Err(TryRecvError::Empty)` ends a round, `Err(TryRecvError::Disconnected)` the channel.
        if (name.starts_with("try_") || name.contains("timeout") || name.contains("deadline"))
            && !pattern.is_some_and(|p| self.says_closed(index, p, 4))
        {
            return false;
        }
        let receiver = body.args(statement)[0].as_place();
        receiver.is_some_and(|(_, place)| self.keeps_open(index, place))
    }

    fn says_closed(&self, index: u32, pattern: PatternId, depth: u32) -> bool {
        let typed = self.tracer.body(index);
        let pattern = &typed.body.patterns[pattern.index()];
        let name = match pattern.kind {
            PatternKind::Path | PatternKind::TupleVariant | PatternKind::StructVariant => {
                typed.body.types.last_name(crate::facts::types::PathId(pattern.data)).get()
            }
            _ => None,
        };
        let name = name.map(|n| self.tracer.model.text(self.tracer.model.name(typed.at.file, n)));
        matches!(name, Some("Disconnected" | "Closed"))
            || depth > 0
                && pattern.args.of(&typed.body.pattern_args).iter().any(|&p| self.says_closed(index, p, depth - 1))
    }

    /// `for job in jobs`, `for job in jobs.iter()`
    fn iterates(&self, index: u32, operand: Operand) -> bool {
        let body = &self.tracer.body(index).body;
        let Some((_, place)) = operand.as_place() else { return false };
        let call = body.local_of(place).and_then(|local| self.tracer.definition(index, local));
        let call = call.filter(|s| s.op == Op::CallMethod);
        match call {
            Some(call) if matches!(self.tracer.method_name(index, call), "iter" | "into_iter") => {
                body.args(call)[0].as_place().is_some_and(|(_, place)| self.keeps_open(index, place))
            }
            Some(_) => false,
            None => self.keeps_open(index, place),
        }
    }

    /// Whether the work owns what keeps open the channel that a place is the receiving end of.
    fn keeps_open(&self, index: u32, place: PlaceId) -> bool {
        let from = variable(self.tracer, index, place);
        if from.is_some_and(|(body, local)| body == 0 && self.held.contains(&local)) {
            return true;
        }
        match self.keeper(index, place) {
            Some(kept) => {
                self.kept.borrow_mut().push(kept);
                true
            }
            None => false,
        }
    }

    fn keeper(&self, index: u32, place: PlaceId) -> Option<Kept> {
        let model = self.tracer.model;
        if let Some(channel) = received(self.tracer, index, place) {
            let (by, fields) = sender_within(self.tracer, channel, &self.owned)?;
            let given_up = fields.iter().any(|&(owner, name)| is_given_up(model, owner, name));
            return (!given_up).then(|| Kept {
                made: made_at(self.tracer, channel),
                by: *by,
                field: fields.first().copied(),
            });
        }
        if let Root::Field(owner, name) = self.tracer.place(index, place).root
            && let Some((_, kept)) = self.fields.iter().find(|(field, _)| *field == (owner, name))
        {
            let from = variable(self.tracer, index, place);
            let owned = self.owned.iter().any(|o| Some(o.from) == from || Some(o.local) == from);
            return owned.then(|| kept.clone());
        }
        let (body, call) = subscribed(self.tracer, index, place)?;
        let ((owner, name), from) = subscription(self.tracer, body, call, DEPTH)?;
        let by = self
            .owned
            .iter()
            .find(|o| (o.from == from || o.local == from) && model.keeps_alive(o.ty).contains(&owner))?;
        let made = self.tracer.span(body, call);
        (!is_given_up(model, owner, name)).then_some(Kept { made, by: *by, field: Some((owner, name)) })
    }
}

enum Through {
    Goes,
    Stays(Span),
    Ends,
}
