//! How sure it is that a value made to be shared is made again and again: how often the place runs, in what program, and
//! whether the making is cheap.

use super::access::Tracer;
use super::digest::{Seed, SeedKind};
use super::endings::Ending;
use super::heat::Runs;
use super::{DefId, Model, Ty, TyData};
use crate::apis::{DropEffect, Obligation, ObligationKind};
use crate::diagnostic::Confidence;
use crate::facts::body::Op;

/// How sure it is that dropping the value there is a waste; none if it is not. `cheap`: it has no threads of its own.
pub fn how_sure(model: &Model, end: &Ending, obligation: Option<&Obligation>, cheap: bool) -> Option<Confidence> {
    let owner = model.analysis.digests[end.function as usize].owner;
    if !end.is_end() || end.stays || !end.used {
        return None;
    }
    // Not closed on some path: that is worse, and `unclosed_pool` says so.
    let owes =
        obligation.is_some_and(|o| !matches!(o.drop, DropEffect::Closes | DropEffect::Joins | DropEffect::Aborts));
    if owes && end.is_lost() {
        return None;
    }
    let kind = obligation.map(|o| o.kind);
    let sure = match end.runs {
        Runs::Repeated => Confidence::High,
        // `let api = Api::new()?` may ask something while it is made.
        Runs::PerCall if makes_its_type(model, owner) => return None,
        // `pub fn run<F: Future>(future: F)`: how long that goes on is the caller's affair.
        Runs::PerCall if kind == Some(ObligationKind::Runtime) && is_given_work(model, owner) => Confidence::Low,
        Runs::PerCall => Confidence::Medium,
        Runs::Once | Runs::Unknown if end.in_for => Confidence::Low,
        _ => return None,
    };
    // `Handle::try_current().or_else(|_| Runtime::new())`: hardly ever.
    let found = obligation.is_some_and(|o| o.found_by.iter().any(|name| model.calls_name(owner, name)));
    if found || model.is_for_tests_by_name(owner) {
        return Some(Confidence::Low);
    }
    // A program that ends soon builds few of them.
    let short = model.is_tool(owner) || model.is_of_tool(owner);
    let less = u32::from(cheap) + u32::from(owes) + u32::from(end.fate.gave_up) + u32::from(short);
    Some((0..less).fold(sure, |sure, _| match sure {
        Confidence::High => Confidence::Medium,
        _ => Confidence::Low,
    }))
}

/// `pub fn new() -> Result<Self, Error>`, `pub fn restored(self) -> Self`
fn makes_its_type(model: &Model, def: DefId) -> bool {
    let result = model.ty(model.payload(model.result_ty(def)));
    matches!(*result, TyData::Adt(of, _) if model.container_type(def) == Some(of))
}

/// Whether a function gets a value of a type that its caller chooses.
fn is_given_work(model: &Model, def: DefId) -> bool {
    let open = |&ty: &Ty| matches!(model.ty(ty), TyData::Param(_) | TyData::Impl(_) | TyData::Dyn(_));
    model.params_of(def).iter().any(open)
}

impl Tracer<'_> {
    /// `Command::new("x").kill_on_drop(true).spawn()`, `Builder::new_current_thread().build()`: a call on the builder excuses
    /// what is done with what is built.
    pub fn is_excused(&self, seed: &Seed, obligation: &Obligation) -> bool {
        let Some(excuse) = &obligation.excuse else { return false };
        if let SeedKind::Call(def) = seed.kind {
            return self.model.calls_name(def, excuse);
        }
        let body = &self.body(seed.body).body;
        let calls = body.statements.iter().filter(|s| matches!(s.op, Op::CallMethod | Op::Call));
        calls.into_iter().any(|s| self.method_name(seed.body, s) == excuse)
    }
}
