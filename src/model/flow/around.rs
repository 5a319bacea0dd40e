//! Values within values: a struct of the run that was made around what is followed stands for it, so that a newtype, the
//! client of a service and the function that makes one are seen through.

use super::super::effects::{Effects, may_matter};
use super::super::{DefId, Model, Ty, TyData};
use super::{Held, Role, State, Step, Walk};
use crate::apis::{FnRow, ObligationKind, Owner};
use crate::facts::body::*;
use rustc_hash::FxHashSet;

/// Fields of fields of a type are looked at down to here.
const DEPTH: u32 = 4;

/// Callees of callees are looked at down to here.
const CALLS: u32 = 3;

impl Walk<'_> {
    /// `api.client` of an `api` that is followed: a part that is, or may be, what is owed.
    pub(super) fn is_part_around(&self, place: PlaceId) -> bool {
        let root = self.body().local_of(place).map(|l| self.tracer.body(self.index).types.locals[l.index()]);
        let own = root.is_some_and(|ty| self.is_own(ty));
        own && self.model().may_hold(self.tracer.ty(self.index, place), self.terms.kind)
    }

    /// Whether a type is one of the run, behind references, `Result` and `Option`.
    fn is_own(&self, ty: Ty) -> bool {
        let ty = self.model().payload(self.model().peel_refs(ty));
        matches!(self.model().ty(ty), TyData::Adt(..))
    }

    /// Whether a type of the run has a `Drop`.
    pub(super) fn closes_itself(&self, ty: Ty) -> bool {
        let ty = self.model().payload(ty);
        matches!(*self.model().ty(ty), TyData::Adt(def, _) if self.model().has_drop(def).is_some())
    }

    /// `Client::new(&config)`, `builder.configure(&config)`: what is made from a reference may have a second handle in it. Of a
    /// pool that a method gets, it uses a connection: `query.execute(&pool)`.
    pub(super) fn may_copy(&self, id: StatementId, statement: &Statement, at: usize) -> bool {
        let borrows = |row: &FnRow| !row.borrows.is_empty() || row.owner != Owner::Type;
        let row = self.tracer.row(self.index, id);
        let makes = match statement.op {
            Op::CallMethod => at > 0 && row.is_none() && self.terms.kind == ObligationKind::Client,
            _ => !row.is_some_and(borrows),
        };
        self.terms.around && makes && statement.dest.get().is_some()
    }

    /// A literal or constructor puts it into a value of the run, which is followed from then on.
    pub(super) fn wrapped(&mut self, id: StatementId, statement: &Statement, held: Held, state: &mut State) -> Step {
        let role = state.role(held.local).unwrap_or(Role::Owner);
        if role == Role::Owner {
            self.moved(state, held.local);
        }
        self.arrive(state, statement.dest, id, role);
        Step::Go
    }

    /// A function of the run gets it: one that puts it into its result, or a method of what holds it.
    pub(super) fn call_around(
        &mut self,
        id: StatementId,
        statement: &Statement,
        def: DefId,
        held: Held,
        state: &mut State,
    ) -> Option<Step> {
        let (model, kind) = (self.model(), self.terms.kind);
        let effects = model.effects(def, held.at as u32);
        let gives = model.may_hold(model.result_ty(def), kind) && model.result_ty(def) != Ty::UNKNOWN;
        if effects.any(Effects::UNKNOWN) {
            return None;
        }
        // `Api::new(client)`
        if effects.any(Effects::STORES) {
            let kept = model.digest_of(def).map_or(&[][..], |d| &d.params.kept_in);
            let kept = kept.iter().any(|(param, ..)| *param == held.at as u32);
            return (kept && gives && !held.by_ref).then(|| self.wrapped(id, statement, held, state));
        }
        let (_, place) = self.body().args(statement)[held.at].as_place()?;
        // `routes(app: Arc<App>)`: what becomes of such a parameter is not looked at.
        let param = model.params_of(def).get(held.at).copied().unwrap_or_default();
        if !may_matter(model, param) && !matches!(model.ty(param), TyData::Ref { .. }) {
            return Some(self.escape());
        }
        if !self.is_own(self.tracer.ty(self.index, place)) {
            return None;
        }
        if model.gives_up_field(def, kind) {
            // Whether it is closed or handed on is not told apart; for what nobody closes it can only be the latter.
            return Some(if kind == ObligationKind::Pool { self.released(id) } else { self.escape() });
        }
        let lent = matches!(model.params_of(def).get(held.at).map(|&t| model.ty(t)), Some(TyData::Ref { .. }));
        match (lent || held.by_ref, gives) {
            (_, true) => {
                let role = if lent || held.by_ref { Role::View } else { Role::Owner };
                if role == Role::Owner {
                    self.moved(state, held.local);
                }
                self.arrive(state, statement.dest, id, role);
                Some(Step::Go)
            }
            (true, false) => Some(Step::Go),
            // `fn run(self)`: what becomes of its fields there is not followed.
            (false, false) => Some(self.escape()),
        }
    }
}

impl Model {
    /// Whether a value of that type can have one with an obligation of this kind in it. What is not known can.
    pub fn may_hold(&self, ty: Ty, kind: ObligationKind) -> bool {
        self.holds_within(ty, kind, DEPTH)
    }

    fn holds_within(&self, ty: Ty, kind: ObligationKind, depth: u32) -> bool {
        let any = |parts: &[Ty]| depth > 0 && parts.iter().any(|&part| self.holds_within(part, kind, depth - 1));
        match self.ty(ty) {
            TyData::Unknown | TyData::Dyn(_) | TyData::Impl(_) => true,
            TyData::Ref { to, .. } | TyData::Slice(to) | TyData::Array(to) => self.holds_within(*to, kind, depth),
            TyData::Tuple(parts) => any(parts),
            TyData::External(_, args) => match self.obligation(ty) {
                Some(obligation) => obligation.kind == kind,
                None => args.iter().any(|&arg| arg != Ty::UNKNOWN && self.holds_within(arg, kind, depth)),
            },
            TyData::Adt(_, args) => any(args) || any(&self.part_tys(ty)),
            _ => false,
        }
    }

    /// Whether a function, or one that it calls, ends what a field with such an obligation holds, or hands it on.
    fn gives_up_field(&self, def: DefId, kind: ObligationKind) -> bool {
        let mut seen = FxHashSet::default();
        let mut todo = vec![(def, CALLS)];
        while let Some((def, depth)) = todo.pop() {
            let Some(digest) = self.digest_of(def).filter(|_| seen.insert(def)) else { continue };
            if digest.field_releases.iter().any(|&(_, released)| released == kind) {
                return true;
            }
            if depth > 0 {
                todo.extend(digest.calls.iter().map(|call| (call.callee, depth - 1)));
            }
        }
        false
    }
}
