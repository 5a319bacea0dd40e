//! Why a place runs as often as it does: the way from what is repeated, over calls, to the place. Asked for when there is
//! something to report; knows no lint.

use super::access::Tracer;
use super::digest::{CallSite, Digest};
use super::exits::loops_up;
use super::heat::{Reached, Runs, at_site, given, reached};
use super::{Callee, DefId, Model};
use crate::apis::{Heat, Slot};
use crate::diagnostic::Label;
use crate::facts::ItemKind;
use crate::facts::body::*;
use crate::source::{Span, TextRange};
use rustc_hash::FxHashSet;
use std::collections::VecDeque;

/// Of more steps than this the first and the last ones are shown. With the place itself there are five.
const STEPS: usize = 4;

/// A call that reaches a function.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller {
    function: u32,
    /// Position among its calls.
    call: u32,
    one_of_many: bool,
}

impl Model {
    /// Why a place runs again and again, or whenever somebody asks: from what makes it so down to the function that the
    /// place is in. Empty if it does not.
    pub fn chain(&self, tracer: &Tracer, position: u32, index: u32, statement: StatementId) -> Vec<Label> {
        let at = tracer.span(index, statement);
        let repeated = super::digest::is_repeated_at(tracer, index, statement);
        let runs = self.runs_at(position, index, repeated);
        if !matches!(runs, Runs::PerCall | Runs::Repeated) {
            return Vec::new();
        }
        let digest = &self.analysis.digests[position as usize];
        let heat = if repeated { Heat::Repeated } else { Heat::Same };
        if at_site(digest, Runs::Unknown, index, heat) >= runs {
            return rise(tracer, index, at.range).into_iter().collect();
        }
        self.way_to(position, runs)
    }

    /// The shortest way by which a function comes to run that often. Of two that are equally short, the one whose functions
    /// come first.
    fn way_to(&self, target: u32, runs: Runs) -> Vec<Label> {
        let mut came: Vec<(u32, Option<(usize, Caller)>)> = vec![(target, None)];
        let mut seen = FxHashSet::from_iter([target]);
        let mut todo = VecDeque::from([0]);
        while let Some(at) = todo.pop_front() {
            let (function, _) = came[at];
            if self.analysis.own_heats[function as usize] >= runs {
                // `pub fn open() { .. }`, and the place is in it: there is no way to show.
                if at == 0 && runs == Runs::PerCall {
                    return Vec::new();
                }
                return self.steps_of(self.shown_by_itself(function, runs), &came, at);
            }
            for &caller in &self.callers()[function as usize] {
                let digest = &self.analysis.digests[caller.function as usize];
                let call = &digest.calls[caller.call as usize];
                if self.handed_down(caller, function) < runs || !seen.insert(caller.function) {
                    continue;
                }
                came.push((caller.function, Some((at, caller))));
                if at_site(digest, Runs::Unknown, call.body, call.heat) >= runs {
                    return self.steps_of(self.rise_at(digest, call), &came, came.len() - 1);
                }
                todo.push_back(came.len() - 1);
            }
        }
        Vec::new()
    }

    fn handed_down(&self, caller: Caller, callee: u32) -> Runs {
        let digest = &self.analysis.digests[caller.function as usize];
        let call = &digest.calls[caller.call as usize];
        let reached = Reached { callee, one_of_many: caller.one_of_many };
        given(self, &self.analysis.digests, digest, self.analysis.heats[caller.function as usize], call, reached)
    }

    /// The first step, and then each call from there to the target.
    fn steps_of(&self, first: Option<Label>, came: &[(u32, Option<(usize, Caller)>)], mut at: usize) -> Vec<Label> {
        let mut steps: Vec<Label> = Vec::new();
        while let (_, Some((next, caller))) = came[at] {
            let digest = &self.analysis.digests[caller.function as usize];
            let callee = self.analysis.digests[came[next].0 as usize].owner;
            steps.push(self.call_step(digest, &digest.calls[caller.call as usize], callee));
            at = next;
        }
        let room = STEPS - usize::from(first.is_some());
        let hidden = steps.len().saturating_sub(room);
        first.into_iter().chain(steps.into_iter().skip(hidden)).collect()
    }

    fn call_step(&self, caller: &Digest, call: &CallSite, callee: DefId) -> Label {
        let (from, to) = (self.called_name(caller.owner), self.called_name(callee));
        let function = self.typed(caller.root);
        let tracer = Tracer::new(self, &function);
        let message = match is_given_to(&tracer, call) {
            None => format!("`{from}` calls `{to}`"),
            Some(id) => {
                let taker = given_to(&tracer, call.body, id);
                match called_again(&tracer, call.body, id) {
                    true => format!("`{from}` gives `{to}` to `{taker}`, which calls it again and again"),
                    false => format!("`{from}` gives `{to}` to `{taker}`"),
                }
            }
        };
        Label { span: call.span, message }
    }

    /// What a function shows by itself.
    fn shown_by_itself(&self, function: u32, runs: Runs) -> Option<Label> {
        let def = self.analysis.digests[function as usize].owner;
        let name = self.called_name(def);
        let message = if let Some((row, _)) = self.attribute_heat(def) {
            let of = row.path.rsplit("::").next().unwrap_or_default();
            format!("`#[{of}]` makes it a function that runs again and again")
        } else if runs == Runs::Repeated {
            format!("`{name}` is called again and again, as its trait says")
        } else {
            format!("`{name}` can be called any number of times")
        };
        Some(Label { span: self.def_span(def), message })
    }

    fn rise_at(&self, digest: &Digest, call: &CallSite) -> Option<Label> {
        let function = self.typed(digest.root);
        let tracer = Tracer::new(self, &function);
        // `get(handler)`: the step itself says that it is called again and again.
        let told = is_given_to(&tracer, call).is_some_and(|id| called_again(&tracer, call.body, id));
        if told { None } else { rise(&tracer, call.body, call.span.range) }
    }

    /// `Service::call`, `main`.
    fn called_name(&self, def: DefId) -> String {
        let name = self.text(self.def_name(def));
        let block = self.def(def).parent.filter(|&p| self.item(p).kind == ItemKind::Trait);
        match self.container_type(def).or(block) {
            Some(of) => format!("{}::{name}", self.text(self.def_name(of))),
            None => name.to_owned(),
        }
    }

    /// The calls that reach a function, with the positions of those that make them.
    pub(super) fn calls_of(&self, function: u32) -> impl Iterator<Item = (u32, &CallSite)> {
        let call = |c: &Caller| (c.function, &self.analysis.digests[c.function as usize].calls[c.call as usize]);
        self.callers()[function as usize].iter().filter(|c| !c.one_of_many).map(call)
    }

    /// By function, who calls it; filled in when asked for.
    fn callers(&self) -> &[Vec<Caller>] {
        self.callers.get_or_init(|| {
            let mut callers = vec![Vec::new(); self.analysis.digests.len()];
            for (function, digest) in (0u32..).zip(&self.analysis.digests) {
                for (at, call) in (0u32..).zip(&digest.calls) {
                    for Reached { callee, one_of_many } in reached(self, call, |def| self.digest_position(def)) {
                        callers[callee as usize].push(Caller { function, call: at, one_of_many });
                    }
                }
            }
            callers
        })
    }
}

/// What within a function lifts a place above the function's own heat: a loop around it, or what the closure around it is
/// handed to.
fn rise(tracer: &Tracer, index: u32, at: TextRange) -> Option<Label> {
    let typed = tracer.body(index);
    let (body, file) = (&typed.body, typed.at.file);
    let around = |l: &LoopId| body.loops[l.index()].whole.contains(at);
    // An outer loop stands before those within it.
    let innermost = (0..body.loops.len() as u32).rev().map(LoopId).find(around);
    let lasting = |l: &LoopId| {
        let own = &body.loops[l.index()];
        own.kind != LoopKind::For || super::exits::is_service_loop(tracer, index, *l)
    };
    if let Some(l) = innermost.and_then(|innermost| loops_up(body, innermost).find(lasting)) {
        let span = Span { file, range: body.loops[l.index()].span };
        return Some(Label { span, message: "this loop goes on for as long as there is work".to_owned() });
    }
    let Some((outer, call, arg)) = tracer.handed_to(index) else {
        // `|item| async { .. }`: the block is what the closure gives.
        let (outer, made) = tracer.made_in(index)?;
        return rise(tracer, outer, tracer.span(outer, made).range);
    };
    let span = tracer.span(outer, call);
    let row = tracer.row(outer, call);
    let slot = row.map(|row| super::effects::slot(row, arg));
    let hot = |heat| matches!(heat, Heat::Repeated | Heat::PerCall);
    if row.is_some_and(|row| row.calls.iter().any(|c| Some(Slot::Arg(c.arg)) == slot && hot(c.heat))) {
        let message = format!("`{}` calls what it is given again and again", given_to(tracer, outer, call));
        return Some(Label { span, message });
    }
    rise(tracer, outer, span.range)
}

/// The call that gets a function as a value, if that is how it is reached: `get(handler)`.
fn is_given_to(tracer: &Tracer, call: &CallSite) -> Option<StatementId> {
    let typed = tracer.body(call.body);
    let here = |id: &StatementId| typed.body.spans[id.index()] == call.span.range;
    let mut statements = (0..typed.body.statements.len() as u32).map(StatementId).filter(here);
    let first = statements.clone().next()?;
    let direct = statements.any(|id| typed.types.callee(id) == Callee::Def(call.callee));
    (!direct).then_some(first)
}

/// Whether a call calls what it is given more often than it is called itself.
fn called_again(tracer: &Tracer, index: u32, call: StatementId) -> bool {
    let row = tracer.row(index, call);
    row.is_some_and(|row| row.calls.iter().any(|c| c.heat == Heat::Repeated))
}

/// The name of what is called.
fn given_to<'a>(tracer: &'a Tracer, index: u32, call: StatementId) -> &'a str {
    let statement = &tracer.body(index).body.statements[call.index()];
    let row = tracer.row(index, call).map_or("", |row| row.path.rsplit("::").next().unwrap_or_default());
    Some(tracer.method_name(index, statement)).filter(|name| !name.is_empty()).unwrap_or(row)
}
