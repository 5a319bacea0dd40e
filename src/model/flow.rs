//! What becomes of a value on every path: released, moved to an owner, returned, or lost, and where.
//!
//! One walk over the control flow from the acquire on. Its state is the set of locals that hold the value: owners, whose
//! end drops it, and views, through which it may be released. Branches that show that the acquire failed end the
//! obligation. What excuses is enough if possible; what is lost is lost for certain, on that path.
//!
//! `fate` says what is asked and found, `calls` what calls do with a held value, `branches` which edges show that there
//! is none, `ends` what never comes back.

mod around;
mod branches;
mod calls;
mod conditions;
mod ends;
mod fate;

pub use fate::{Fate, Loss, Lost, Stored, Terms, drops_safely};

use super::access::{Root, Tracer};
use super::effects::{ReleaseNames, covers};
use super::{Model, TyData, known};
use crate::apis::ObligationKind;
use crate::facts::body::*;
use crate::source::TextRange;
use rustc_hash::FxHashSet;

/// Paths are followed up to this many states.
const STATES: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Role {
    Owner,
    View,
    /// Not the value, but what tells whether it was acquired.
    Status,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct State {
    held: Vec<(LocalId, Role)>,
    ended: bool,
    lent: bool,
    /// Whether a loop over what is held has gone round.
    rounds: bool,
    /// Somebody has a copy of a raw value: nothing is owed here any more, but others may get one too.
    kept: bool,
}

impl State {
    fn role(&self, local: LocalId) -> Option<Role> {
        self.held.iter().find(|(l, _)| *l == local).map(|(_, r)| *r)
    }

    fn add(&mut self, local: LocalId, role: Role) {
        self.remove(local);
        self.held.push((local, role));
        self.held.sort_unstable();
    }

    fn remove(&mut self, local: LocalId) {
        self.held.retain(|(l, _)| *l != local);
    }

    fn owned(&self) -> bool {
        self.held.iter().any(|(_, r)| *r == Role::Owner)
    }

    /// What ends with its scope. What told whether there is a value tells it still: `let ok = pipe(..) == 0;`.
    fn dying(&self, in_scope: impl Fn(LocalId) -> bool) -> Vec<(LocalId, Role)> {
        self.held.iter().copied().filter(|&(l, role)| role != Role::Status && in_scope(l)).collect()
    }
}

struct Node {
    block: BlockId,
    state: State,
    from: usize,
    /// The branch that was taken to come here.
    branch: Option<BlockId>,
}

/// The walk over one body.
pub struct Walk<'a> {
    tracer: &'a Tracer<'a>,
    releases: &'a ReleaseNames,
    terms: Terms<'a>,
    index: u32,
    fate: Fate,
    node: usize,
    nodes: Vec<Node>,
    depth: u32,
    /// That of the state at hand.
    kept: bool,
}

/// The fate of what the call `acquire` of body `index` gives.
pub fn fate(tracer: &Tracer, releases: &ReleaseNames, terms: Terms, index: u32, acquire: StatementId) -> Fate {
    let body = &tracer.body(index).body;
    let statement = body.statements[acquire.index()];
    let mut walk = Walk::new(tracer, releases, terms, index, 0);
    let Some(block) = super::digest::block_of(body, acquire) else { return walk.fate };
    let mut state = State::default();
    let dest = statement.dest.get();
    match walk.terms.out {
        Some(out) => {
            let Some(behind) = body.args(&statement).get(out as usize).and_then(|a| a.as_place()) else {
                return walk.fate;
            };
            match tracer.place(index, behind.1).root {
                Root::Local(of, local) if of == index => state.add(local, Role::Owner),
                Root::Field(..) | Root::Static(_) => walk.store(acquire, Some(out as usize)),
                _ => walk.fate.escapes = true,
            }
            if let Some(status) = dest.and_then(|d| body.whole_local(d)).filter(|&l| l != LocalId(0)) {
                state.add(status, Role::Status);
            }
        }
        None => match dest {
            Some(dest) => match body.whole_local(dest).filter(|&l| l != LocalId(0)) {
                Some(local) => state.add(local, Role::Owner),
                None => walk.arrive(&mut state, dest, acquire, Role::Owner),
            },
            None => return walk.fate,
        },
    }
    if state.owned() {
        walk.run(block, acquire.0 + 1, state);
    }
    walk.finish()
}

/// The fate of what `local` holds when body `index` begins.
fn fate_of_local(
    tracer: &Tracer,
    releases: &ReleaseNames,
    terms: Terms,
    index: u32,
    local: LocalId,
    depth: u32,
) -> Fate {
    let mut walk = Walk::new(tracer, releases, terms, index, depth);
    let mut state = State::default();
    state.add(local, Role::Owner);
    let first = tracer.body(index).body.blocks[0].statements.start;
    walk.run(BlockId(0), first, state);
    walk.finish()
}

/// A held value among the operands of a call.
#[derive(Clone, Copy)]
struct Held {
    /// Which operand.
    at: usize,
    local: LocalId,
    /// Whether the callee gets a reference to it.
    by_ref: bool,
}

enum Step {
    Go,
    /// Nothing is owed on this path any more.
    Met,
    /// The path ends.
    Stop,
}

impl<'a> Walk<'a> {
    fn new(tracer: &'a Tracer, releases: &'a ReleaseNames, terms: Terms<'a>, index: u32, depth: u32) -> Walk<'a> {
        Walk { tracer, releases, terms, index, fate: Fate::default(), node: 0, nodes: Vec::new(), depth, kept: false }
    }

    fn body(&self) -> &'a Body {
        &self.tracer.body(self.index).body
    }

    fn model(&self) -> &'a Model {
        self.tracer.model
    }

    fn store(&mut self, statement: StatementId, operand: Option<usize>) {
        self.fate.stored.push(Stored { statement, operand: operand.map(|at| at as u16) });
    }

    fn finish(mut self) -> Fate {
        self.fate.losses.sort_by_key(|l| (l.at, l.lost, l.holder));
        self.fate.losses.dedup_by_key(|l| (l.at, l.lost, l.holder));
        self.fate.releases.sort_unstable();
        self.fate.releases.dedup();
        self.fate.stored.sort_unstable();
        self.fate.stored.dedup();
        self.fate
    }

    fn run(&mut self, block: BlockId, first: u32, state: State) {
        let mut seen: FxHashSet<(BlockId, State)> = FxHashSet::default();
        self.nodes.push(Node { block, state, from: 0, branch: None });
        while self.node < self.nodes.len() {
            let (block, state) = (self.nodes[self.node].block, self.nodes[self.node].state.clone());
            let start = if self.node == 0 { first } else { self.body().blocks[block.index()].statements.start };
            self.block(block, start, state, &mut seen);
            self.node += 1;
            if self.nodes.len() > STATES {
                self.fate.gave_up = true;
                return;
            }
        }
    }

    fn block(&mut self, id: BlockId, start: u32, mut state: State, seen: &mut FxHashSet<(BlockId, State)>) {
        let block = self.body().blocks[id.index()];
        for statement in start..block.statements.start + block.statements.len {
            match self.statement(StatementId(statement), &mut state) {
                Step::Go if state.owned() => {}
                _ => return,
            }
        }
        match block.end {
            End::Exit | End::Diverge => return,
            End::Await if self.is_held(&state, block.operand) && self.awaits_release() => {
                self.fate.releases.push(block.span);
                return;
            }
            _ => {}
        }
        for (position, edge) in self.body().edges_of(id).iter().enumerate() {
            if !self.refuted(&block, position, edge, &state) {
                self.follow(&block, edge, state.clone(), seen);
            }
        }
    }

    fn awaits_release(&self) -> bool {
        matches!(self.terms.kind, ObligationKind::Task | ObligationKind::Thread | ObligationKind::TaskSet)
    }

    fn follow(&mut self, block: &Block, edge: &Edge, mut state: State, seen: &mut FxHashSet<(BlockId, State)>) {
        let body = self.body();
        let left = |l: LocalId| {
            let scope = body.locals[l.index()].scope;
            body.scopes_up(edge.from).take_while(|&s| s != edge.into).any(|s| s == scope)
        };
        let dying = state.dying(left);
        let owner = dying.iter().find(|(_, role)| *role == Role::Owner).map(|(l, _)| *l);
        dying.iter().for_each(|(l, _)| state.remove(*l));
        if !state.owned() {
            if let Some(holder) = owner {
                let lost = match edge.kind {
                    EdgeKind::Normal => self.scope_end(holder),
                    kind => Lost::Exit(kind),
                };
                self.lose(lost, block.span, holder, &state);
            }
            return;
        }
        state.rounds |= self.is_round(edge.to, &state);
        if seen.insert((edge.to, state.clone())) {
            let branch = matches!(block.end, End::Branch | End::Switch).then(|| self.nodes[self.node].block);
            self.nodes.push(Node { block: edge.to, state, from: self.node, branch });
        }
    }

    /// Whether the way back to `to` ends a round of `for fd in fds`.
    fn is_round(&self, to: BlockId, state: &State) -> bool {
        let (body, here) = (self.body(), self.nodes[self.node].block);
        let header = &body.blocks[to.index()];
        header.end == End::Next
            && header.in_loop.get().is_some_and(|l| body.block_in_loop(here, l))
            && self.is_held(state, header.operand)
    }

    fn scope_end(&self, holder: LocalId) -> Lost {
        match self.body().locals[holder.index()].kind {
            LocalKind::Temp => Lost::Discarded,
            _ => Lost::ScopeEnd,
        }
    }

    fn lose(&mut self, lost: Lost, at: TextRange, holder: LocalId, state: &State) {
        let safe = self.terms.safe_drop && lost != Lost::Detached;
        if safe || state.kept || self.is_meant(holder) || !matches!(lost, Lost::Exit(_)) && self.process_ends() {
            return;
        }
        let mut way = Vec::new();
        let mut node = self.node;
        while node != 0 {
            way.extend(self.nodes[node].branch);
            node = self.nodes[node].from;
        }
        way.reverse();
        self.fate.losses.push(Loss { lost, at, ended: state.ended, lent: state.lent, holder, way });
    }

    /// `let _detached = …`: the name says that it is meant.
    fn is_meant(&self, holder: LocalId) -> bool {
        let name = self.body().locals[holder.index()].name.get();
        let name = name.map(|n| self.model().text(self.model().name(self.tracer.body(self.index).at.file, n)));
        name.is_some_and(|n| n.starts_with("_detached") || n.starts_with("_leaked"))
    }

    fn local_of(&self, operand: Operand) -> Option<(LocalId, Position, PlaceId)> {
        let (position, place) = operand.as_place()?;
        let local = self.body().local_of(place)?;
        let inside = match self.part_taken(local, place) {
            Some(part) => Some(part) == self.terms.part,
            None => {
                covers(self.tracer, self.index, place)
                    || self.is_inner_part(position, place)
                    || self.terms.around && self.is_part_around(place)
            }
        };
        inside.then_some((local, position, place))
    }

    /// The component that a place takes of the tuple that a call gave.
    fn part_taken(&self, local: LocalId, place: PlaceId) -> Option<u8> {
        self.terms.part?;
        let ty = self.model().payload(self.tracer.body(self.index).types.locals[local.index()]);
        if !matches!(self.model().ty(ty), TyData::Tuple(_)) {
            return None;
        }
        let file = self.tracer.body(self.index).at.file;
        self.body().projections_of(place).iter().find_map(|step| match step {
            Projection::Field(name) => self.model().text(self.model().name(file, *name)).parse().ok(),
            _ => None,
        })
    }

    /// `pair.1` of a tuple that holds the value; of raw values also `fds[0]`, `&mut (*p).first`, which is as good as `p`, and
    /// the number `handle.0` in a struct that is nothing but a handle.
    fn is_inner_part(&self, position: Position, place: PlaceId) -> bool {
        let steps = self.body().projections_of(place);
        let borrowed = matches!(position, Position::Ref | Position::RefMut);
        let element = |step: &Projection| matches!(step, Projection::Element | Projection::Deref);
        if self.terms.copy && (borrowed && steps.contains(&Projection::Deref) || steps.iter().all(element)) {
            return true;
        }
        let ty = self.body().local_of(place).map(|l| self.tracer.body(self.index).types.locals[l.index()]);
        if self.terms.copy && ty.is_some_and(|ty| self.is_around(ty, steps)) {
            return true;
        }
        let Some(TyData::Tuple(parts)) = ty.map(|ty| self.model().ty(ty)) else { return false };
        // `(1, child)`: where one part is known to be it, a part of unknown type is not.
        let known = parts.iter().any(|&part| self.is_it(part));
        let part = self.tracer.ty(self.index, place);
        matches!(steps, [Projection::Field(_)]) && if known { self.is_it(part) } else { self.may_be(part) }
    }

    /// Whether steps lead to the number or pointer in a raw handle of that type.
    fn is_around(&self, ty: super::Ty, steps: &[Projection]) -> bool {
        let ty = self.model().payload(self.model().peel_refs(ty));
        let raw =
            matches!(self.model().ty(ty), TyData::External(..)) && self.model().type_row(ty).is_some_and(|row| row.raw);
        let file = self.tracer.body(self.index).at.file;
        raw && matches!(steps, [.., Projection::Field(name)] if self.model().name(file, *name) == known::ZERO)
    }

    /// Whether a value of that type has an obligation of the kind that is followed.
    fn is_it(&self, ty: super::Ty) -> bool {
        self.model().obligation(self.model().payload(ty)).is_some_and(|o| o.kind == self.terms.kind)
    }

    /// Whether a value of that type can be the one that is followed.
    fn may_be(&self, ty: super::Ty) -> bool {
        let inner = self.model().payload(ty);
        match self.model().obligation(inner) {
            Some(obligation) => obligation.kind == self.terms.kind,
            None => {
                inner == super::Ty::UNKNOWN || self.terms.copy && matches!(self.model().ty(inner), TyData::Pointer(_))
            }
        }
    }

    fn is_held(&self, state: &State, operand: Operand) -> bool {
        self.local_of(operand).is_some_and(|(l, ..)| state.role(l).is_some_and(|role| role != Role::Status))
    }

    fn statement(&mut self, id: StatementId, state: &mut State) -> Step {
        let body = self.body();
        let statement = body.statements[id.index()];
        self.kept = state.kept;
        if statement.op == Op::ScopeEnd {
            return self.end_of_scope(ScopeId(statement.data), state);
        }
        if self.never_returns(id) {
            return Step::Stop;
        }
        let args = body.args(&statement);
        self.forget_status(&statement, state);
        let held = args.iter().enumerate().find_map(|(at, &arg)| {
            let (local, position, place) = self.local_of(arg)?;
            let role = state.role(local).filter(|&role| role != Role::Status)?;
            Some((at, local, position, place, role))
        });
        let Some((at, local, position, place, role)) = held else {
            return self.unheld(id, &statement, state);
        };
        let by_ref =
            matches!(position, Position::Ref | Position::RefMut) || role == Role::View && self.is_reference(place);
        match statement.op {
            Op::Assign | Op::Cast | Op::Tuple | Op::Array => {
                if statement.op == Op::Tuple {
                    let held = args.iter().filter(|&&arg| self.is_held(state, arg)).count();
                    self.fate.part = u8::try_from(at).ok().filter(|_| held == 1);
                }
                if position == Position::Ref || position == Position::RefMut {
                    self.arrive(state, statement.dest, id, Role::View);
                } else {
                    self.moved(state, local);
                    self.arrive(state, statement.dest, id, role);
                }
                Step::Go
            }
            // `data as usize | FLAG`
            Op::Binary if self.terms.copy && BinaryOp::from_data(statement.data).computes() => {
                self.arrive(state, statement.dest, id, role);
                Step::Go
            }
            Op::Use if role == Role::Owner && position == Position::Bare && !self.terms.copy => {
                self.lose(Lost::Discarded, body.spans[id.index()], local, state);
                Step::Met
            }
            Op::Struct if !by_ref && self.terms.around => {
                self.wrapped(id, &statement, Held { at, local, by_ref }, state)
            }
            Op::Struct if !by_ref => self.keep(id, at, state),
            Op::CallMethod | Op::Call => self.call(id, &statement, Held { at, local, by_ref }, state),
            Op::CallValue => self.escape(),
            Op::OpaqueMacro => self.escape(),
            Op::Macro if position == Position::Bare => self.escape(),
            Op::Closure | Op::Async => self.captured(id, &statement, local, state),
            _ => Step::Go,
        }
    }

    fn escape(&mut self) -> Step {
        self.fate.escapes |= !self.kept;
        Step::Met
    }

    /// The value, or a copy of a raw one, is stored.
    fn keep(&mut self, id: StatementId, at: usize, state: &mut State) -> Step {
        self.store(id, Some(at));
        if !self.terms.copy {
            return Step::Met;
        }
        let body = self.body();
        for (other, &arg) in body.args(&body.statements[id.index()]).iter().enumerate().skip(at + 1) {
            if self.is_held(state, arg) {
                self.store(id, Some(other));
            }
        }
        state.kept = true;
        Step::Go
    }

    fn released(&mut self, id: StatementId) -> Step {
        self.fate.releases.push(self.body().spans[id.index()]);
        Step::Met
    }

    /// The value leaves a local by a bare use; a copy stays behind if the type is `Copy`.
    fn moved(&self, state: &mut State, local: LocalId) {
        if !self.terms.copy {
            state.remove(local);
        }
    }

    /// The value comes to a place.
    fn arrive(&mut self, state: &mut State, dest: PlaceId, id: StatementId, role: Role) {
        let body = self.body();
        // A copy of a raw pointer is as good as the first.
        let role = if self.terms.copy { Role::Owner } else { role };
        match body.whole_local(dest) {
            Some(local) if body.locals[local.index()].kind == LocalKind::Return => {
                self.fate.returned |= !state.kept;
                state.held.clear();
            }
            // `AbortOnDropHandle::new(handle)`: from now on dropping it is safe.
            Some(_) if role == Role::Owner && self.is_guard(self.tracer.ty(self.index, dest)) => {
                self.store(id, None);
                state.held.clear();
            }
            Some(local) => state.add(local, role),
            None if role == Role::Owner => {
                self.store(id, None);
                state.kept = self.terms.copy;
                state.held.retain(|_| self.terms.copy);
            }
            // `self.task = Some(handle.abort_handle())`: a second handle is kept.
            None if !self.is_reference(dest) => {
                self.fate.escapes = true;
                state.held.clear();
            }
            None => {}
        }
    }

    /// Whether dropping a value of that type does all that is owed.
    fn is_guard(&self, ty: super::Ty) -> bool {
        // A struct of the run with a `Drop` of its own may close what it holds.
        if self.terms.around {
            return self.closes_itself(ty);
        }
        let obligation = self.model().obligation(self.model().payload(ty));
        obligation.is_some_and(drops_safely)
    }

    /// A statement that does not touch the value: it may overwrite what holds it, or look at the status.
    fn unheld(&mut self, id: StatementId, statement: &Statement, state: &mut State) -> Step {
        let Some(local) = statement.dest.get().and_then(|d| self.body().whole_local(d)) else { return Step::Go };
        if state.role(local) == Some(Role::Owner) && statement.op != Op::Declare {
            state.remove(local);
            if !state.owned() {
                self.lose(Lost::Overwritten, self.body().spans[id.index()], local, state);
            }
        } else if self.body().args(statement).iter().any(|&arg| self.is_status(state, arg)) {
            // `check(rc)?`, `let ok = rc as u32;`
            state.add(local, Role::Status);
        }
        Step::Go
    }

    /// `rc = step(db)`: from now on it tells of something else.
    fn forget_status(&self, statement: &Statement, state: &mut State) {
        let body = self.body();
        let Some(local) = statement.dest.get().and_then(|d| body.whole_local(d)) else { return };
        let told = || body.args(statement).iter().any(|&arg| self.is_status(state, arg));
        if state.role(local) == Some(Role::Status) && statement.op != Op::Declare && !told() {
            state.remove(local);
        }
    }

    fn is_status(&self, state: &State, operand: Operand) -> bool {
        let local = operand.as_place().and_then(|(_, place)| self.body().local_of(place));
        local.is_some_and(|l| state.role(l) == Some(Role::Status))
    }

    fn end_of_scope(&mut self, scope: ScopeId, state: &mut State) -> Step {
        let body = self.body();
        let dying = state.dying(|l| body.locals[l.index()].scope == scope);
        dying.iter().for_each(|(l, _)| state.remove(*l));
        if state.owned() {
            return Step::Go;
        }
        if let Some((holder, _)) = dying.into_iter().find(|(_, r)| *r == Role::Owner) {
            self.lose(self.scope_end(holder), TextRange::default(), holder, state);
        }
        Step::Met
    }
}
