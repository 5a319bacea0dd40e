//! Numbers that somebody outside chose, followed to where memory is reserved for as much as they say: from reads of the wire and
//! of formats, through casts, arithmetic and fields, one call down and up, unless something may have limited them.
//!
//! ```text
//! reads      where numbers come in               follow   where they go within a body
//! checks     what limits them on the way         summaries  functions and fields that hand them on
//! stored     bytes that the program itself has written
//! here       where memory is reserved
//! ```

mod checks;
mod follow;
mod reads;
mod stored;
mod summaries;

pub use reads::{Origin, is_read};
pub use stored::{is_of_machine, is_own, is_unused};

use super::access::Tracer;
use super::digest::Digest;
use super::effects::slot;
use super::{Callee, Model, Symbol};
use crate::apis::Slot;
use crate::facts::body::*;
use crate::source::Span;
use follow::{Flow, Hit};
use summaries::Summaries;

/// Fields below a local.
pub type Path = Vec<Symbol>;

/// Memory that is reserved for as much as somebody outside says.
#[derive(Debug, Clone)]
pub struct Reserve {
    /// The position of the function's digest.
    pub function: u32,
    /// Where: the call, or that of the function that does.
    pub at: Span,
    /// Where that function does.
    pub within: Option<Span>,
    /// Where the number is read.
    pub read: Span,
    /// Whether another function reads it.
    pub elsewhere: bool,
    /// Variables on the way.
    pub names: Vec<Span>,
    /// Who chose it.
    pub origin: Origin,
    /// Whether it is for what is missing: `buf.reserve(n - buf.len())`.
    pub is_rest: bool,
}

/// All such places, in the order of functions and statements.
pub fn reserves(model: &Model) -> Vec<Reserve> {
    let summaries = Summaries::new(model);
    let mut found = Vec::new();
    let wanted = |d: &Digest| summaries.brings(model, d) && summaries.takes(d);
    model.each_function(wanted, |tracer, position| {
        for index in 0..tracer.function.bodies.len() as u32 {
            found.extend(in_body(tracer, index, position, &summaries));
        }
    });
    found
}

/// Statements that reserve memory, each with the operand that says how much.
fn places_of(flow: &Flow) -> Vec<(StatementId, Operand)> {
    let ids = (0..flow.body().statements.len() as u32).map(StatementId);
    ids.filter_map(|id| Some((id, reserved(flow.tracer, flow.index, id)?))).collect()
}

/// The operand that says for how much a statement reserves memory.
pub fn reserved(tracer: &Tracer, index: u32, id: StatementId) -> Option<Operand> {
    let typed = tracer.body(index);
    let statement = &typed.body.statements[id.index()];
    let args = typed.body.args(statement);
    match statement.op {
        // `vec![0; n]`
        Op::Array if statement.data == 2 => args.get(1).copied(),
        Op::Call | Op::CallMethod => match (tracer.row(index, id), typed.types.callee(id)) {
            (Some(row), _) => {
                let arg = row.reserves?;
                (0..args.len()).find(|&at| slot(row, at) == Slot::Arg(arg)).map(|at| args[at])
            }
            (None, Callee::External(_) | Callee::Unknown) => {
                let name = typed.body.types.last_name(crate::facts::types::PathId(statement.data)).get()?;
                let name = tracer.model.text(tracer.model.name(typed.at.file, name));
                let arg = tracer.model.apis.reserve_name(name)?;
                // A window is resized, too.
                let fills = args.len() < 3 || matches!(args[2].kind(), OperandKind::Literal(_));
                let at = arg as usize + usize::from(statement.op == Op::CallMethod);
                args.get(at).copied().filter(|_| fills)
            }
            _ => None,
        },
        Op::Binary if args.len() == 2 => filled_up_to(tracer, index, id),
        _ => None,
    }
}

/// `while list.len() <= n { list.push(0) }`, where nothing is read in between.
fn filled_up_to(tracer: &Tracer, index: u32, id: StatementId) -> Option<Operand> {
    let body = &tracer.body(index).body;
    let statement = &body.statements[id.index()];
    let &[list, amount] = body.args(statement) else { return None };
    if !matches!(BinaryOp::from_data(statement.data), BinaryOp::Lt | BinaryOp::Le) {
        return None;
    }
    let within = body.blocks[crate::model::digest::block_of(body, id)?.index()].in_loop.get()?;
    let local = |operand: Operand| operand.as_place().and_then(|(_, place)| body.whole_local(place));
    let asked = tracer.definition(index, local(list)?).filter(|asked| asked.op == Op::CallMethod)?;
    let receiver = |s: &Statement| {
        let place = body.args(s).first()?.as_place()?.1;
        Some((body.local_of(place)?, body.projections_of(place)))
    };
    let list = receiver(asked)?;
    let mut pushes = false;
    for at in (0..body.blocks.len() as u32).map(BlockId).filter(|&at| body.block_in_loop(at, within)) {
        let block = &body.blocks[at.index()];
        if matches!(block.end, End::Await | End::Try | End::Next | End::Switch | End::Select) {
            return None;
        }
        for id in block.statements.ids() {
            let s = &body.statements[id as usize];
            match s.op {
                Op::CallMethod if receiver(s) != Some(list) => return None,
                Op::CallMethod => pushes |= tracer.method_name(index, s).starts_with("push"),
                // `push(Vec::new())` reads nothing.
                Op::Call if !body.args(s).is_empty() => return None,
                Op::Macro | Op::OpaqueMacro | Op::CallValue => return None,
                _ => {}
            }
        }
    }
    (pushes && body.loops[within.index()].kind == LoopKind::While).then_some(amount)
}

fn in_body(tracer: &Tracer, index: u32, position: u32, summaries: &Summaries) -> Vec<Reserve> {
    let flow = Flow::new(tracer, index, summaries, false);
    let mut found = Vec::new();
    if flow.reads.is_empty() {
        return found;
    }
    for id in (0..flow.body().statements.len() as u32).map(StatementId) {
        if tracer.model.is_left_out(tracer.span(index, id)) {
            continue;
        }
        let mut here: Vec<(Hit, Option<Span>)> = Vec::new();
        if let Some(operand) = reserved(tracer, index, id) {
            here.extend(flow.operand(operand).into_iter().map(|hit| (hit, None)));
        } else if let Callee::Def(def) = tracer.body(index).types.callee(id) {
            let statement = &flow.body().statements[id.index()];
            for (at, &arg) in flow.body().args(statement).iter().enumerate() {
                if let Some(&within) = summaries.reserves.get(&(def, at as u32)) {
                    here.extend(flow.operand(arg).into_iter().map(|hit| (hit, Some(within))));
                }
            }
        }
        here.retain(|(hit, _)| hit.rest.is_empty() && checks::reaches(&flow, summaries, hit.read, id));
        here.sort_by_key(|(hit, _)| (flow.reads[hit.read as usize].origin, hit.read));
        if let Some((hit, within)) = here.first() {
            found.push(told(&flow, position, id, hit, *within));
        }
    }
    found
}

fn told(flow: &Flow, function: u32, id: StatementId, hit: &Hit, within: Option<Span>) -> Reserve {
    let read = &flow.reads[hit.read as usize];
    let file = flow.tracer.body(flow.index).at.file;
    let names = flow.names(hit).into_iter().map(|local| flow.body().locals[local.index()].span);
    Reserve {
        function,
        at: reads::span_of(flow.tracer, flow.index, id),
        within,
        read: read.span,
        elsewhere: read.elsewhere,
        names: names.filter(|range| range.hi > 0).map(|range| Span { file, range }).collect(),
        origin: read.origin,
        is_rest: is_rest(flow, id),
    }
}

/// `buf.reserve(n - buf.len())`
fn is_rest(flow: &Flow, id: StatementId) -> bool {
    let (body, tracer) = (flow.body(), flow.tracer);
    let place = |operand: Operand| operand.as_place().map(|(_, place)| place);
    let named = |operand: Operand| Some((body.local_of(place(operand)?)?, body.projections_of(place(operand)?)));
    let statement = &body.statements[id.index()];
    let &[buffer, amount] = body.args(statement) else { return false };
    let mut computed = Some(amount);
    for _ in 0..3 {
        let local = computed.and_then(place).and_then(|place| body.whole_local(place));
        let Some(made) = local.and_then(|local| tracer.definition(flow.index, local)) else { return false };
        if made.op == Op::Binary {
            let lengths = body.args(made).get(1).and_then(|&arg| body.whole_local(place(arg)?));
            let Some(asked) = lengths.and_then(|local| tracer.definition(flow.index, local)) else { return false };
            let of = body.args(asked).first().copied();
            return asked.op == Op::CallMethod && of.and_then(named).is_some_and(|of| Some(of) == named(buffer));
        }
        computed = body.args(made).first().copied().filter(|_| matches!(made.op, Op::Assign | Op::Cast));
    }
    false
}
