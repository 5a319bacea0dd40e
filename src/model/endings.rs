//! Where values end that are made to be shared: in the function that makes one, or in a caller that gets it from there,
//! by itself or in a struct around it. It knows neither what is made nor whether it should have been kept.

use super::access::Tracer;
use super::digest::{CallSite, Digest, Seed, is_repeated, is_repeated_at};
use super::exits::{Ends, loops_up};
use super::flow::{Fate, Terms, fate};
use super::heat::Runs;
use super::{Callee, DefId, Model, TyData};
use crate::facts::body::*;
use crate::source::Span;
use rustc_hash::FxHashMap;
use std::cell::OnceCell;

/// A value is followed through this many functions that return it.
const CALLERS: usize = 4;

/// Callees of callees are asked down to here whether they stay for long.
const CALLEES: u32 = 3;

/// What becomes of a value in one function.
#[derive(Debug, Clone)]
pub struct Ending {
    /// The function, as position of its digest.
    pub function: u32,
    /// The body in it.
    pub body: u32,
    /// What gives the value there.
    pub statement: StatementId,
    /// Where that is.
    pub span: Span,
    /// What becomes of it.
    pub fate: Fate,
    /// Where the name that holds it last is declared.
    pub holder: Option<Span>,
    /// How often that runs.
    pub runs: Runs,
    /// Whether it stands in a `for` over what is at hand.
    pub in_for: bool,
    /// Whether it came here in a struct that another function put around it.
    pub wrapped: bool,
    /// Whether the function stays for long once it has the value, in a loop that serves, say.
    pub stays: bool,
}

impl Ending {
    /// Whether it is seen to go nowhere from where it could be used again: lost, or released.
    pub fn is_end(&self) -> bool {
        let fate = &self.fate;
        let gone = !fate.losses.is_empty() || !fate.releases.is_empty();
        gone && !fate.escapes && !fate.returned && fate.stored.is_empty()
    }
}

/// The call sites of the run, by callee. Made when first asked for.
pub struct Callers<'a> {
    model: &'a Model,
    by_callee: OnceCell<FxHashMap<DefId, Vec<(u32, CallSite)>>>,
}

impl<'a> Callers<'a> {
    /// Those of the run.
    pub fn new(model: &'a Model) -> Callers<'a> {
        Callers { model, by_callee: OnceCell::new() }
    }

    fn of(&self, callee: DefId) -> &[(u32, CallSite)] {
        let gather = || {
            let mut by_callee: FxHashMap<DefId, Vec<(u32, CallSite)>> = FxHashMap::default();
            for (position, digest) in self.model.analysis.digests.iter().enumerate() {
                for call in &digest.calls {
                    by_callee.entry(call.callee).or_default().push((position as u32, *call));
                }
            }
            by_callee
        };
        self.by_callee.get_or_init(gather).get(&callee).map_or(&[], |list| list)
    }

    /// What becomes of what a seed gives: in its function, and in all that get it from there.
    pub fn endings(&self, tracer: &Tracer, function: u32, seed: &Seed, terms: &Terms) -> Vec<Ending> {
        let mut out = Vec::new();
        self.follow(tracer, (function, seed.body, seed.statement), false, terms, &mut out);
        out
    }

    fn follow(
        &self,
        tracer: &Tracer,
        (function, body, statement): (u32, u32, StatementId),
        wrapped: bool,
        terms: &Terms,
        out: &mut Vec<Ending>,
    ) {
        let model = self.model;
        let known = |e: &Ending| (e.function, e.body, e.statement) == (function, body, statement);
        if out.iter().any(known) || out.len() > 64 {
            return;
        }
        let fate = fate(tracer, &model.analysis.releases, terms.clone(), body, statement);
        let digest = &model.analysis.digests[function as usize];
        let file = tracer.body(body).at.file;
        let holder = fate.worst().map(|loss| tracer.body(body).body.locals[loss.holder.index()].span);
        let handed_on = fate.returned && body == 0 && !fate.escapes && fate.stored.is_empty();
        let depth = out.len();
        out.push(Ending {
            function,
            body,
            statement,
            span: tracer.span(body, statement),
            holder: holder.filter(|range| range.hi > 0).map(|range| Span { file, range }),
            runs: model.runs_at(function, body, is_repeated_at(tracer, body, statement)),
            in_for: in_for(tracer, body, statement),
            wrapped,
            stays: stays(tracer, digest, body, statement),
            fate,
        });
        if !handed_on || depth > CALLERS * 8 {
            return;
        }
        let inside = model.obligation(model.payload(model.result_ty(digest.owner))).is_none();
        for (caller, call) in self.of(digest.owner) {
            if *caller == function {
                continue;
            }
            let typed = model.typed(model.analysis.digests[*caller as usize].root);
            let tracer = Tracer::new(model, &typed);
            if let Some(statement) = statement_of(&tracer, call) {
                self.follow(&tracer, (*caller, call.body, statement), wrapped || inside, terms, out);
            }
        }
    }
}

/// The statement of a call.
fn statement_of(tracer: &Tracer, call: &CallSite) -> Option<StatementId> {
    let typed = tracer.body(call.body);
    let is_it = |&id: &StatementId| {
        typed.body.spans[id.index()] == call.span.range && typed.types.callee(id) == Callee::Def(call.callee)
    };
    (0..typed.body.statements.len() as u32).map(StatementId).find(is_it)
}

fn in_for(tracer: &Tracer, index: u32, statement: StatementId) -> bool {
    let body = &tracer.body(index).body;
    let innermost = super::digest::innermost_loop(body, statement).unwrap_or_default();
    loops_up(body, innermost).any(|l| body.loops[l.index()].kind == LoopKind::For)
}

/// Whether a body stays for long after a statement: a loop that serves comes later, in it or in what it calls, and the
/// statement is in none itself.
fn stays(tracer: &Tracer, digest: &Digest, index: u32, statement: StatementId) -> bool {
    let within = |body: u32| {
        let up = |&at: &u32| Some(digest.bodies[at as usize].parent).filter(|&parent| parent != at);
        std::iter::successors(Some(body), up).any(|at| at == index)
    };
    let innermost = super::digest::innermost_loop(&tracer.body(index).body, statement).unwrap_or_default();
    let repeated = is_repeated(tracer, index, innermost);
    let own = (0..digest.bodies.len() as u32).filter(|&b| within(b) && !(repeated && b == index));
    let own = own.map(|b| &digest.bodies[b as usize]).any(|b| b.serves || b.endless || matches!(b.ends, Ends::Never(_)));
    let calls = digest.calls.iter().filter(|c| within(c.body));
    own || digest.serves || calls.into_iter().any(|c| tracer.model.stays_long(c.callee, CALLEES))
}

impl Model {
    /// Whether a function of the run, or one that it calls, has a loop that goes on for as long as there is work.
    fn stays_long(&self, def: DefId, depth: u32) -> bool {
        let Some(digest) = self.digest_of(def) else { return false };
        let endless = |d: &Digest| d.bodies.iter().any(|b| b.serves || b.endless && matches!(b.ends, Ends::Never(_)));
        self.never_returns(def)
            || digest.serves
            || endless(digest)
            || depth > 0 && digest.calls.iter().any(|c| c.callee != def && self.stays_long(c.callee, depth - 1))
    }

    /// The name of a value that a function of the run is made for: `Client`.
    pub fn holds_by_drop(&self, def: DefId) -> bool {
        matches!(self.ty(self.payload(self.result_ty(def))), TyData::Adt(of, _) if self.has_drop(*of).is_some())
    }
}
