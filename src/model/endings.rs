//! Where values end that are made to be shared: in the function that makes one, or in a caller that gets it from there,
//! by itself or in a struct around it. It knows neither what is made nor whether it should have been kept.

use super::access::Tracer;
use super::digest::{CallSite, Digest, Seed, is_repeated, is_repeated_at};
use super::exits::{Ends, loops_up};
use super::flow::{Fate, Loss, Lost, Terms, fate};
use super::heat::Runs;
use super::{Callee, DefId, Model};
use crate::facts::body::*;
use crate::source::Span;

/// A value is followed through this many functions that return it.
const CALLERS: u32 = 4;

/// Of more places than this the rest are not looked at.
const ENDINGS: usize = 48;

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
    /// Whether anything is done with it: what is compiled in another configuration only is bound and never used.
    pub used: bool,
    /// Whether the function stays for long once it has the value, in a loop that serves, say.
    pub stays: bool,
}

impl Ending {
    /// Whether it is dropped on some path, other than with a future that nobody drives any more.
    pub fn is_lost(&self) -> bool {
        self.fate.losses.iter().any(|loss| loss.lost != Lost::Exit(EdgeKind::Cancel))
    }

    /// Whether it is seen to go nowhere from where it could be used again: lost, or released.
    pub fn is_end(&self) -> bool {
        let fate = &self.fate;
        (self.is_lost() || !fate.releases.is_empty()) && !fate.escapes && !fate.returned && fate.stored.is_empty()
    }
}

/// What becomes of what a seed gives: in its function, and in all that get it from there.
pub fn endings(tracer: &Tracer, function: u32, seed: &Seed, terms: &Terms) -> Vec<Ending> {
    let mut out = Vec::new();
    follow(tracer, Place { function, body: seed.body, statement: seed.statement }, false, terms, CALLERS, &mut out);
    out
}

/// The ending of a value that a library's function makes and drops itself.
pub fn ends_at_once(tracer: &Tracer, function: u32, seed: &Seed) -> Ending {
    let (body, statement) = (seed.body, seed.statement);
    let range = tracer.span(body, statement).range;
    let holder = LocalId(0);
    let loss = Loss { lost: Lost::Discarded, at: range, ended: false, lent: false, holder, way: Vec::new() };
    Ending {
        function,
        body,
        statement,
        span: tracer.span(body, statement),
        holder: None,
        runs: tracer.model.runs_at(function, body, is_repeated_at(tracer, body, statement)),
        in_for: in_for(tracer, body, statement),
        wrapped: false,
        used: true,
        stays: false,
        fate: Fate { losses: vec![loss], ..Fate::default() },
    }
}

/// What gives the value.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    function: u32,
    body: u32,
    statement: StatementId,
}

fn follow(tracer: &Tracer, at: Place, wrapped: bool, terms: &Terms, depth: u32, out: &mut Vec<Ending>) {
    let model = tracer.model;
    let Place { function, body, statement } = at;
    let known = |e: &Ending| at == Place { function: e.function, body: e.body, statement: e.statement };
    if out.len() >= ENDINGS || out.iter().any(known) {
        return;
    }
    let fate = fate(tracer, &model.analysis.releases, terms.clone(), body, statement);
    let digest = &model.analysis.digests[function as usize];
    let file = tracer.body(body).at.file;
    let holder = fate.worst().map(|loss| tracer.body(body).body.locals[loss.holder.index()].span);
    let handed_on = fate.returned && body == 0 && !fate.escapes && fate.stored.is_empty();
    out.push(Ending {
        function,
        body,
        statement,
        span: tracer.span(body, statement),
        holder: holder.filter(|range| range.hi > 0).map(|range| Span { file, range }),
        runs: model.runs_at(function, body, is_repeated_at(tracer, body, statement)),
        in_for: in_for(tracer, body, statement),
        wrapped,
        used: fate.worst().is_none_or(|loss| is_used(&tracer.body(body).body, loss.holder)),
        stays: stays(tracer, digest, body, statement),
        fate,
    });
    if !handed_on || depth == 0 {
        return;
    }
    let wraps = model.obligation(model.payload(model.result_ty(digest.owner))).is_none();
    for (caller, call) in model.calls_of(function).filter(|(caller, _)| *caller != function) {
        let typed = model.typed(model.analysis.digests[caller as usize].root);
        let tracer = Tracer::new(model, &typed);
        if let Some(statement) = statement_of(&tracer, call) {
            let place = Place { function: caller, body: call.body, statement };
            follow(&tracer, place, wrapped || wraps, terms, depth - 1, out);
        }
    }
}

/// `#[cfg(wasm)] let client = wasm_client(); #[cfg(not(wasm))] let client = client();`: the first name is never used.
fn is_used(body: &Body, holder: LocalId) -> bool {
    let operands = body.operands.iter().copied().chain(body.blocks.iter().map(|b| b.operand));
    let mut places = operands.filter_map(|operand| operand.as_place());
    body.locals[holder.index()].kind != LocalKind::Binding
        || places.any(|(_, place)| body.local_of(place) == Some(holder))
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
    let own =
        own.map(|b| &digest.bodies[b as usize]).any(|b| b.serves || b.endless || matches!(b.ends, Ends::Never(_)));
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
}
