//! Collections in locals that a loop fills for as long as it runs: whether the loop, or one around it, ever takes
//! something out of them, and whether they are used once it is over.

use super::access::{Root, Tracer};
use super::exits::{call_behind, is_endless, is_lasting, loops_up};
use super::ledger::{Event, EventKind};
use super::sources::source;
use super::{Model, TyData};
use crate::apis::Collection;
use crate::facts::body::*;
use crate::source::Span;

/// A local collection that only grows in a lasting loop.
#[derive(Debug, Clone, Copy)]
pub struct Accumulated {
    /// Where it is declared.
    pub declared: Span,
    /// The outermost lasting loop behind its declaration.
    pub id: LoopId,
    /// The same, at its keyword.
    pub in_loop: Span,
    /// Whether only an error leaves that loop.
    pub endless: bool,
    /// Whether the loop waits for one of several things at a time.
    pub selects: bool,
    /// What is added goes under a key.
    pub keyed: bool,
    /// What becomes of it when the loop is over.
    pub after: After,
}

/// How a collection is used behind the loop that filled it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Not at all.
    Unused,
    /// It is looked at.
    Read,
    /// It goes on to somebody else: what the loop was for.
    Moved,
}

/// What a growth of a local amounts to, if it lasts and nothing in the loop takes anything out.
pub fn accumulated(tracer: &Tracer, events: &[Event], growth: &Event) -> Option<Accumulated> {
    let Root::Local(index, local) = growth.access.root else { return None };
    if growth.site.body != index || !growth.is_growth() || growth.tasks || !is_owned(tracer, index, local) {
        return None;
    }
    let body = &tracer.body(index).body;
    let outermost = loops_up(body, growth.in_loop)
        .take_while(|&l| !is_defined_in(body, local, l))
        .filter(|&l| is_lasting(tracer, index, l) && goes_on(tracer, index, l))
        .last()?;
    let inside = |e: &Event| e.site.body != index || loops_up(body, e.in_loop).any(|l| l == outermost);
    let own = events.iter().filter(|e| e.access.root == growth.access.root);
    if own.clone().any(|e| inside(e) && takes_out(tracer.model, e)) || is_given_away(body, local, outermost) {
        return None;
    }
    let name = body.locals[local.index()].name.get().map(|n| tracer.model.name(tracer.body(index).at.file, n));
    if events.iter().any(|e| e.access.root == Root::Unknown && e.access.last == name && takes_out(tracer.model, e)) {
        return None;
    }
    let file = tracer.body(index).at.file;
    let blocks = || (0..body.blocks.len() as u32).map(BlockId).filter(|&b| body.block_in_loop(b, outermost));
    Some(Accumulated {
        declared: Span { file, range: body.locals[local.index()].span },
        id: outermost,
        in_loop: Span { file, range: body.loops[outermost.index()].span },
        endless: is_endless(body, outermost),
        selects: blocks().any(|b| body.blocks[b.index()].end == End::Select),
        keyed: matches!(growth.collection, Some(Collection::Map | Collection::Set)),
        after: after(body, local, outermost),
    })
}

/// Whether a loop has no end, waits for several things, or takes in what others send. Not one that tries again.
fn goes_on(tracer: &Tracer, index: u32, id: LoopId) -> bool {
    let body = &tracer.body(index).body;
    let blocks = || (0..body.blocks.len() as u32).map(BlockId).filter(|&b| body.block_in_loop(b, id));
    let takes_in = |s: u32| source(tracer, index, StatementId(s)).is_some();
    // `for line in reader.lines()`
    let iterated = body.loops[id.index()].iterates.as_place().and_then(|(_, place)| body.local_of(place));
    is_endless(body, id)
        || iterated.and_then(|local| call_behind(tracer, index, local)).is_some_and(|call| takes_in(call.0))
        || blocks().any(|b| body.blocks[b.index()].end == End::Select)
        || blocks().flat_map(|b| body.blocks[b.index()].statements.ids()).any(takes_in)
}

/// Whether a local is a variable with a collection of its own, and no view of another.
fn is_owned(tracer: &Tracer, index: u32, local: LocalId) -> bool {
    let typed = tracer.body(index);
    let ty = typed.types.locals[local.index()];
    let owned = !matches!(tracer.model.ty(ty), TyData::Ref { .. });
    let row = tracer.model.type_row(ty).filter(|_| owned);
    typed.body.locals[local.index()].kind == LocalKind::Binding && row.is_some_and(|row| row.collection.is_some())
}

fn writes(body: &Body, statement: &Statement, local: LocalId) -> bool {
    statement.op != Op::ScopeEnd && statement.dest.get().and_then(|d| body.whole_local(d)) == Some(local)
}

/// Whether a local gets a value in a loop: it is made there, or made anew.
fn is_defined_in(body: &Body, local: LocalId, id: LoopId) -> bool {
    in_loop(body, id).any(|s| writes(body, s, local))
}

fn in_loop(body: &Body, id: LoopId) -> impl Iterator<Item = &Statement> {
    let blocks = (0..body.blocks.len() as u32).map(BlockId).filter(move |&b| body.block_in_loop(b, id));
    blocks.flat_map(|b| body.blocks[b.index()].statements.of(&body.statements))
}

/// Whether an event may make the collection smaller, or take it out of sight.
fn takes_out(model: &Model, event: &Event) -> bool {
    match event.kind {
        EventKind::Grow | EventKind::Look | EventKind::Trim => false,
        EventKind::Shrink | EventKind::Replace | EventKind::Bound => !event.access.element,
        EventKind::Expose => true,
        EventKind::Pass(def, param) => {
            model.analysis.ledger.events(Root::Param(def, param)).iter().any(takes_out_below)
        }
    }
}

/// The same for what a callee does with its parameter; what is passed on from there is among the events.
fn takes_out_below(event: &Event) -> bool {
    !matches!(event.kind, EventKind::Grow | EventKind::Look | EventKind::Trim | EventKind::Pass(..))
        && !event.access.element
}

/// By block, whether it is of a loop and another round may follow: not `return Ok(all)`.
fn goes_round(body: &Body, id: LoopId) -> Vec<bool> {
    let mut round = vec![false; body.blocks.len()];
    round[body.loops[id.index()].header.index()] = true;
    loop {
        let leads_back = |b: &BlockId| {
            !round[b.index()] && body.block_in_loop(*b, id) && body.edges_of(*b).iter().any(|e| round[e.to.index()])
        };
        let found: Vec<BlockId> = (0..body.blocks.len() as u32).map(BlockId).filter(leads_back).collect();
        if found.is_empty() {
            return round;
        }
        found.iter().for_each(|b| round[b.index()] = true);
    }
}

/// Whether the loop moves the collection away and goes on, or lends it to a closure or a block.
fn is_given_away(body: &Body, local: LocalId, id: LoopId) -> bool {
    let round = goes_round(body, id);
    let blocks = body.blocks.iter().zip(round).filter(|(_, round)| *round).map(|(block, _)| block);
    blocks.flat_map(|b| b.statements.of(&body.statements)).any(|statement| {
        let gives = |a: &Operand| match a.as_place() {
            Some((Position::Bare | Position::Capture, place)) => body.local_of(place) == Some(local),
            Some((Position::RefMut, place)) if statement.op == Op::Assign => body.local_of(place) == Some(local),
            _ => false,
        };
        !matches!(statement.op, Op::ScopeEnd | Op::Macro) && body.args(statement).iter().any(gives)
    })
}

/// What becomes of a local behind a loop.
fn after(body: &Body, local: LocalId, id: LoopId) -> After {
    let mut seen = vec![false; body.blocks.len()];
    let round = goes_round(body, id);
    let all = (0..body.blocks.len() as u32).map(BlockId);
    let normal = |e: &&Edge| e.kind != EdgeKind::Cancel;
    let exits = all.filter(|b| round[b.index()]).flat_map(|b| body.edges_of(b).iter().filter(normal).map(|e| e.to));
    let mut todo: Vec<BlockId> = exits.filter(|b| !round[b.index()]).collect();
    let mut after = After::Unused;
    while let Some(block) = todo.pop() {
        if std::mem::replace(&mut seen[block.index()], true) || round[block.index()] {
            continue;
        }
        let data = &body.blocks[block.index()];
        let statements = data.statements.of(&body.statements).iter().filter(|s| s.op != Op::ScopeEnd);
        let operands = statements.flat_map(|s| body.args(s)).chain([&data.operand]);
        for (position, _) in operands.filter_map(|a| a.as_place()).filter(|(_, p)| body.local_of(*p) == Some(local)) {
            match position {
                Position::Bare | Position::Capture => return After::Moved,
                _ => after = After::Read,
            }
        }
        todo.extend(body.edges_of(block).iter().filter(normal).map(|e| e.to));
    }
    after
}
