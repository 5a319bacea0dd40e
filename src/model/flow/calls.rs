//! What a call does with a held value: releases it, keeps it, hands it through, drops it, or only looks at it.

use super::super::access::is_reference;
use super::super::effects::{Effects, adopts, is_number, may_matter, slot};
use super::super::{BodyRef, Callee, DefId, Ty, TyData};
use super::{Fate, Held, Lost, Role, State, Step, Stored, Walk, fate_of_local};
use crate::apis::{FnRow, ObligationKind, Slot};
use crate::facts::body::*;
use crate::facts::{BodyId, ItemKind, body_flags};

impl Walk<'_> {
    pub(super) fn call(&mut self, id: StatementId, statement: &Statement, held: Held, state: &mut State) -> Step {
        let Held { at, by_ref, .. } = held;
        if statement.op == Op::CallMethod && at == 0 {
            let name = self.tracer.method_name(self.index, statement);
            let receiver =
                self.body().args(statement)[0].as_place().map(|(_, place)| self.tracer.ty(self.index, place));
            let released = receiver.map_or(Effects::default(), |ty| self.releases.on(self.model(), ty, name));
            if released.any(Effects::releases(self.terms.kind)) {
                return self.released(id);
            }
            if self.terms.ended_by.iter().any(|n| n == name) {
                state.ended = true;
                return Step::Go;
            }
        }
        match self.tracer.body(self.index).types.callee(id) {
            callee if self.terms.copy && self.is_lent(id, callee) => self.lent(id, statement, callee, state),
            Callee::Def(def) => self.call_def(id, statement, def, held, state),
            Callee::Constructor(_) if self.terms.around => self.wrapped(id, statement, held, state),
            Callee::Constructor(_) => self.keep(id, at, state),
            Callee::Unknown | Callee::External(_) | Callee::Distinctive(_)
                if by_ref && self.may_copy(id, statement, at) =>
            {
                self.arrive(state, statement.dest, id, Role::View);
                Step::Go
            }
            // `&x` to something unknown: what needs `&mut` or the value itself cannot be done there.
            Callee::Unknown if self.is_shared_borrow(statement, at) => Step::Go,
            Callee::Closure(_) | Callee::Unknown => self.escape(),
            Callee::External(_) | Callee::Distinctive(_) => match self.tracer.row(self.index, id) {
                Some(row) => self.call_row(id, statement, row, held, state),
                // A library's function that gets a mere reference is taken to look at it.
                None if by_ref => Step::Go,
                None if statement.op == Op::CallMethod && at == 0 && is_number(self.tracer, self.index, statement) => {
                    Step::Go
                }
                None => self.escape(),
            },
        }
    }

    /// Whether a raw value goes to C code of which no row tells more.
    fn is_lent(&self, id: StatementId, callee: Callee) -> bool {
        self.model().is_foreign(callee) && self.tracer.row(self.index, id).is_none()
    }

    /// Foreign code borrows it, unless its name says that it takes it back or keeps it, or it gets a function that takes
    /// it back too.
    fn lent(&mut self, id: StatementId, statement: &Statement, callee: Callee, state: &mut State) -> Step {
        state.lent = true;
        let name = self.model().foreign_name(callee);
        self.fate.kept_by_c |= name.may_keep();
        match self.terms.kind {
            _ if name.releases() => self.released(id),
            ObligationKind::Handle if name.may_keep() => self.escape(),
            _ if self.gives_destructor(statement) => self.escape(),
            _ => Step::Go,
        }
    }

    fn is_shared_borrow(&self, statement: &Statement, at: usize) -> bool {
        matches!(self.body().args(statement)[at].as_place(), Some((Position::Ref, _)))
    }

    /// Whether a view is a reference, and not a second handle (`pool.clone()`).
    pub(super) fn is_reference(&self, place: PlaceId) -> bool {
        is_reference(self.model(), self.tracer.ty(self.index, place))
    }

    fn call_def(&mut self, id: StatementId, statement: &Statement, def: DefId, held: Held, state: &mut State) -> Step {
        let Held { at, local, by_ref } = held;
        let item = self.model().item(def);
        if item.kind != ItemKind::Fn {
            return self.escape();
        }
        if let Some(step) = self.terms.around.then(|| self.call_around(id, statement, def, held, state)).flatten() {
            return step;
        }
        let effects = self.model().effects(def, at as u32);
        if effects.any(Effects::releases(self.terms.kind)) || self.gives_back(def) {
            return self.released(id);
        }
        if effects.any(Effects(Effects::UNKNOWN.0 | Effects::STORES.0)) {
            let kept = self.model().digest_of(def).map_or(&[][..], |d| &d.params.kept_in);
            let kept = kept.iter().filter(|(param, ..)| *param == at as u32);
            self.fate.kept_in.extend(kept.map(|&(_, owner, field)| (owner, field)));
            return self.escape();
        }
        // `env.set_field(JValue::from(p as i64))`: such parameters are not looked at.
        let param = self.model().params_of(def).get(at).copied().unwrap_or_default();
        if self.terms.copy && !may_matter(self.model(), param) {
            return self.escape();
        }
        state.lent |= self.terms.copy && effects.any(Effects::FOREIGN);
        let to_reference =
            matches!(self.model().params_of(def).get(at).map(|&t| self.model().ty(t)), Some(TyData::Ref { .. }));
        let role = if by_ref || to_reference { Role::View } else { Role::Owner };
        if effects.any(Effects::RETURNS) {
            if role == Role::Owner {
                self.moved(state, local);
            }
            self.arrive(state, statement.dest, id, role);
            return Step::Go;
        }
        if role == Role::View || self.terms.copy {
            return Step::Go;
        }
        if self.never_ends(def) {
            return self.escape();
        }
        // `note(pool.clone())`: a second handle is dropped there, and the first one is still here.
        if self.terms.around && state.role(local) == Some(Role::View) {
            return Step::Go;
        }
        self.lose(Lost::InCallee(def), self.body().spans[id.index()], local, state);
        Step::Met
    }

    /// Whether a function is one of those that take the value back, or calls one.
    fn gives_back(&self, def: DefId) -> bool {
        let partners = self.terms.given_back_to;
        let calls =
            || self.model().digest_of(def).is_some_and(|d| d.calls.iter().any(|c| partners.contains(&c.callee)));
        !partners.is_empty() && (partners.contains(&def) || calls())
    }

    /// `sqlite3_create_function(.., data, .., Some(destroy))`: `destroy` takes back what `data` is.
    fn gives_destructor(&self, statement: &Statement) -> bool {
        let operands = self.body().args(statement).iter().filter_map(|a| a.as_place());
        operands.filter_map(|(_, place)| self.function_behind(place)).any(|def| {
            self.model()
                .digest_of(def)
                .is_some_and(|d| d.reclaims.iter().any(|r| self.terms.released_by.iter().any(|p| p == r)))
        })
    }

    /// The function that an operand is, by itself or in `Some(f)`.
    fn function_behind(&self, place: PlaceId) -> Option<DefId> {
        let direct = self.model().fn_def(self.tracer.ty(self.index, place));
        direct.or_else(|| {
            let definition = self.tracer.definition(self.index, self.body().whole_local(place)?)?;
            let (_, inner) = self.body().args(definition).first()?.as_place()?;
            self.model().fn_def(self.tracer.ty(self.index, inner))
        })
    }

    fn call_row(&mut self, id: StatementId, statement: &Statement, row: &FnRow, held: Held, state: &mut State) -> Step {
        let Held { at, local, by_ref } = held;
        let slot = slot(row, at);
        let same = |s: Option<Slot>| s == Some(slot);
        if same(row.releases) || same(row.waits) || adopts(row, slot) || self.terms.released_by.contains(&row.path) {
            return self.released(id);
        }
        // `task.detach()`
        if same(row.detaches) && !by_ref {
            self.lose(Lost::Detached, self.body().spans[id.index()], local, state);
            return Step::Met;
        }
        if same(row.drops) && !by_ref && !self.terms.copy {
            self.lose(Lost::Discarded, self.body().spans[id.index()], local, state);
            return Step::Met;
        }
        // `mem::forget(child)` says that it is meant; whether it should is another lint's question.
        if same(row.forgets) && !by_ref {
            return self.escape();
        }
        // `libc::dup(fd)`, `libc::fstat(fd, ..)`
        if self.terms.copy
            && self.model().apis.is_foreign(&row.path)
            && !matches!(slot, Slot::Arg(n) if row.stores.contains(&n) || row.wraps.contains(&n))
        {
            state.lent = true;
            return Step::Go;
        }
        // `Arc::into_raw(Arc::new(Box::into_raw(x)))`: the outer one is judged. `nix::unistd::dup(fd)` only looks at `fd`.
        if row.acquires.is_some() && !matches!(slot, Slot::Arg(n) if row.borrows.contains(&n)) {
            return self.escape();
        }
        match slot {
            // `fds.into_iter()`: a copy of each.
            Slot::Receiver if self.terms.copy && row.element => {
                self.arrive(state, statement.dest, id, Role::Owner);
                Step::Go
            }
            Slot::Receiver if row.consumes && !by_ref => self.adapted(id, statement, row, local, state),
            Slot::Receiver if row.through || row.element => {
                let role = if row.moves_out { Role::Owner } else { Role::View };
                self.arrive(state, statement.dest, id, role);
                Step::Go
            }
            Slot::Receiver => Step::Go,
            Slot::Arg(n) if row.wraps.contains(&n) => {
                if !by_ref {
                    self.moved(state, local);
                }
                self.arrive(state, statement.dest, id, if by_ref { Role::View } else { Role::Owner });
                Step::Go
            }
            Slot::Arg(n) if row.borrows.contains(&n) || by_ref && !row.stores.contains(&n) => Step::Go,
            Slot::Arg(n) if row.stores.contains(&n) => {
                self.store(id, Some(at));
                Step::Met
            }
            Slot::Arg(_) => self.escape(),
        }
    }

    /// `map`, `ok`, `unwrap`, `and_then`: the value goes into the result, or into the closure.
    fn adapted(
        &mut self,
        id: StatementId,
        statement: &Statement,
        row: &FnRow,
        local: LocalId,
        state: &mut State,
    ) -> Step {
        if row.through {
            self.moved(state, local);
            self.arrive(state, statement.dest, id, Role::Owner);
            return Step::Go;
        }
        let called = row.calls.iter().find(|c| !c.takes.is_empty());
        let closure = called.and_then(|c| {
            let operand = *self.body().args(statement).get(c.arg as usize + 1)?;
            self.closure_behind(operand)
        });
        let Some(inner) = closure else {
            let dropped = row.calls.is_empty() && row.returns.is_some() && !row.moves_out;
            if dropped && self.drops_receiver(statement) {
                self.lose(Lost::Discarded, self.body().spans[id.index()], local, state);
                return Step::Met;
            }
            return self.escape();
        };
        let fate = self.nested(inner, LocalId(1));
        if let Some(loss) = fate.losses.first() {
            state.ended |= loss.ended;
            self.lose(loss.lost, self.body().spans[id.index()], local, state);
            return Step::Met;
        }
        if fate.returned && !fate.escapes {
            state.remove(local);
            self.arrive(state, statement.dest, id, Role::Owner);
            return Step::Go;
        }
        self.fate.releases.extend(fate.releases);
        self.fate.stored.extend(fate.stored.first().map(|_| Stored { statement: id, operand: None }));
        self.fate.escapes |= fate.escapes;
        Step::Met
    }

    /// Whether the result of a consuming method cannot hold the receiver: `is_ok_and`, `err`.
    fn drops_receiver(&self, statement: &Statement) -> bool {
        let ty = self.tracer.ty(self.index, statement.dest);
        self.model().obligation(self.model().payload(ty)).is_none() && ty != Ty::UNKNOWN
    }

    /// The position of the closure that an operand is.
    pub(super) fn closure_behind(&self, operand: Operand) -> Option<u32> {
        let (local, ..) = self.local_of(operand)?;
        let definition = self.tracer.definition(self.index, local)?;
        let nested = self.body().nested(definition)?;
        self.tracer.function.bodies.iter().position(|b| b.at.body == nested).map(|p| p as u32)
    }

    fn nested(&self, inner: u32, local: LocalId) -> Fate {
        if self.depth > 4 {
            return Fate { escapes: true, ..Fate::default() };
        }
        fate_of_local(self.tracer, self.releases, self.terms.clone(), inner, local, self.depth + 1)
    }

    /// A closure or async block takes it along: by move it owns it from now on, else it may release it.
    pub(super) fn captured(
        &mut self,
        id: StatementId,
        statement: &Statement,
        local: LocalId,
        state: &mut State,
    ) -> Step {
        let Some(nested) = self.body().nested(statement) else { return self.escape() };
        let Some(inner) = self.tracer.function.bodies.iter().position(|b| b.at.body == nested) else {
            return self.escape();
        };
        let body = &self.tracer.function.bodies[inner].body;
        let captured = body.locals.iter().position(|l| l.kind == LocalKind::Capture && l.outer == local);
        let Some(captured) = captured else { return self.escape() };
        let fate = self.nested(inner as u32, LocalId(captured as u32));
        let at = BodyId(statement.data);
        let header = self.model().body_header(BodyRef { file: self.tracer.body(self.index).at.file, body: at });
        let moves = header.flags & body_flags::MOVE != 0;
        if fate.losses.is_empty() || !moves || self.terms.copy {
            let untouched = fate.releases.is_empty() && fate.stored.is_empty() && !fate.returned && !fate.escapes;
            // `move || login_tty(fd)`: a copy goes along.
            if untouched && (!moves || self.terms.copy) {
                return Step::Go;
            }
            self.fate.releases.extend(fate.releases);
            self.fate.escapes |= fate.escapes || fate.returned || !fate.stored.is_empty();
            return Step::Met;
        }
        let loss = fate.losses[0].clone();
        state.ended |= loss.ended;
        self.lose(loss.lost, self.body().spans[id.index()], local, state);
        Step::Met
    }
}
