//! Loops that read from a peer or a stream, and what is done per item: what runs after a read, in the same round.

use super::super::access::Tracer;
use super::super::exits::call_behind;
use super::super::sources::{Source, end_of, source};
use super::super::{Callee, DefId};
use crate::apis::End as ChannelEnd;
use crate::facts::body::*;
use crate::facts::body_flags;
use crate::source::Span;

/// A loop that reads from a peer or a stream, and what it does then.
#[derive(Debug, Clone)]
pub struct PeerLoop {
    /// The body it stands in.
    pub body: u32,
    /// Which of its loops it is.
    pub id: LoopId,
    /// Its keyword.
    pub span: Span,
    /// Statements that run after the read.
    pub statements: Vec<StatementId>,
    /// Functions of the run that are called after the read, and where.
    pub calls: Vec<(DefId, Span)>,
    /// Whether it waits for leave to go on, or for an answer: a permit, a reply.
    pub paced: bool,
}

/// The loops of a function that read from a peer or a stream.
pub fn peer_loops(tracer: &Tracer) -> Vec<PeerLoop> {
    let bodies = 0..tracer.function.bodies.len() as u32;
    bodies
        .flat_map(|index| (0..tracer.body(index).body.loops.len() as u32).map(move |l| (index, LoopId(l))))
        .filter_map(|(index, id)| peer_loop(tracer, index, id))
        .collect()
}

fn peer_loop(tracer: &Tracer, index: u32, id: LoopId) -> Option<PeerLoop> {
    let typed = tracer.body(index);
    let body = &typed.body;
    let innermost = |b: &BlockId| body.blocks[b.index()].in_loop == id;
    let blocks: Vec<BlockId> =
        (0..body.blocks.len() as u32).map(BlockId).filter(|b| body.block_in_loop(*b, id)).collect();
    let mut after: Vec<BlockId> = Vec::new();
    for &block in blocks.iter().filter(|b| innermost(b)) {
        for statement in body.blocks[block.index()].statements.ids().map(StatementId) {
            if reads_from_peer(tracer, index, statement) {
                after.extend(after_read(tracer, index, id, block, statement));
            }
        }
    }
    // `for line in reader.lines()`
    if iterates_over_peer(tracer, index, id) {
        after.extend(&blocks);
    }
    if after.is_empty() {
        return None;
    }
    let statements: Vec<StatementId> = body_statements(body, &after);
    let calls = statements.iter().filter_map(|&s| match typed.types.callee(s) {
        Callee::Def(def) => Some((def, tracer.span(index, s))),
        _ => None,
    });
    let paced = blocks.iter().any(|&b| waits_for_leave(tracer, index, b));
    let span = Span { file: typed.at.file, range: body.loops[id.index()].span };
    Some(PeerLoop { body: index, id, span, calls: calls.collect(), statements, paced })
}

fn body_statements(body: &Body, blocks: &[BlockId]) -> Vec<StatementId> {
    let mut all: Vec<StatementId> =
        blocks.iter().flat_map(|b| body.blocks[b.index()].statements.ids().map(StatementId)).collect();
    all.sort();
    all.dedup();
    all
}

/// Whether a call takes what a peer, a device or a stream has sent. A new connection is not yet work.
fn reads_from_peer(tracer: &Tracer, index: u32, statement: StatementId) -> bool {
    let reads = tracer.row(index, statement).is_some_and(|row| row.ends);
    reads && source(tracer, index, statement) == Some(Source::Outside)
}

/// `for line in reader.lines()`, `for stream in listener.incoming()`
fn iterates_over_peer(tracer: &Tracer, index: u32, id: LoopId) -> bool {
    let body = &tracer.body(index).body;
    let iterated = body.loops[id.index()].iterates.as_place().and_then(|(_, place)| body.local_of(place));
    let call = iterated.and_then(|local| call_behind(tracer, index, local));
    call.is_some_and(|call| source(tracer, index, call) == Some(Source::Outside))
}

/// The blocks of a loop that run after a statement in one of them, in the same round: for an arm of `select!`, that arm.
fn after_read(tracer: &Tracer, index: u32, id: LoopId, block: BlockId, statement: StatementId) -> Vec<BlockId> {
    let body = &tracer.body(index).body;
    let header = body.loops[id.index()].header;
    let mut todo = match arm_of(body, statement) {
        Some(arm) => vec![arm],
        None => body.edges_of(block).iter().filter(|e| e.kind != EdgeKind::Cancel).map(|e| e.to).collect(),
    };
    let mut seen = vec![block];
    while let Some(next) = todo.pop() {
        if next == header || !body.block_in_loop(next, id) || seen.contains(&next) {
            continue;
        }
        seen.push(next);
        todo.extend(body.edges_of(next).iter().filter(|e| e.kind != EdgeKind::Cancel).map(|e| e.to));
    }
    seen
}

/// Where a `select!` goes on when the future that a statement makes is the first.
fn arm_of(body: &Body, statement: StatementId) -> Option<BlockId> {
    let future = body.whole_local(body.statements[statement.index()].dest.get()?)?;
    body.blocks.iter().filter(|b| b.end == End::Select).find_map(|block| {
        let polled = block.statements.of(&body.statements).iter().rev().find(|s| s.op == Op::Macro)?;
        let is_future = |a: &Operand| a.as_place().is_some_and(|(_, p)| body.whole_local(p) == Some(future));
        let arm = body.args(polled).iter().position(is_future)?;
        Some(block.edges.of(&body.edges).get(arm)?.to)
    })
}

/// Whether a block waits for a permit, for room in a queue, or for the answer to what was sent.
fn waits_for_leave(tracer: &Tracer, index: u32, block: BlockId) -> bool {
    let body = &tracer.body(index).body;
    let block = &body.blocks[block.index()];
    let paces = |s: u32| {
        let statement = &body.statements[s as usize];
        let named = || statement.op == Op::CallMethod && tracer.method_name(index, statement).starts_with("acquire");
        match tracer.row(index, StatementId(s)) {
            Some(row) => row.paces,
            None => tracer.body(index).types.callee(StatementId(s)) == Callee::Unknown && named(),
        }
    };
    let answered = block.end == End::Await
        && block.operand.as_place().is_some_and(|(_, place)| end_of(tracer, index, place) == Some(ChannelEnd::Rx));
    answered || block.statements.ids().any(paces)
}

/// What a loop awaits for each item that `read` takes, other than the next item: the first such `.await`. Without `read`
/// the loop is a `for` over the items.
pub fn per_item_await(tracer: &Tracer, index: u32, id: LoopId, read: Option<StatementId>) -> Option<Span> {
    let typed = tracer.body(index);
    let body = &typed.body;
    let iterated = body.loops[id.index()].iterates.as_place().is_some();
    let mut blocks: Vec<BlockId> = match read.filter(|_| !iterated) {
        Some(read) => after_read(tracer, index, id, super::super::digest::block_of(body, read)?, read),
        None => (0..body.blocks.len() as u32).map(BlockId).filter(|b| body.block_in_loop(*b, id)).collect(),
    };
    blocks.sort();
    let found = blocks.into_iter().find(|&b| is_work(tracer, index, b, read))?;
    Some(Span { file: typed.at.file, range: body.blocks[found.index()].span })
}

/// Whether a block ends with an `.await` of something that takes its time: no lock, and not the read itself.
fn is_work(tracer: &Tracer, index: u32, block: BlockId, read: Option<StatementId>) -> bool {
    let body = &tracer.body(index).body;
    let block = &body.blocks[block.index()];
    let Some((_, place)) = block.operand.as_place().filter(|_| block.end == End::Await) else { return false };
    let Some(call) = body.local_of(place).and_then(|local| call_behind(tracer, index, local)) else { return true };
    if Some(call) == read || source(tracer, index, call) == Some(Source::Channel) {
        return false;
    }
    match tracer.body(index).types.callee(call) {
        Callee::Def(def) => {
            tracer.model.body_of(def).is_none_or(|at| tracer.model.body_header(at).flags & body_flags::AWAIT != 0)
        }
        _ => tracer.row(index, call).is_none_or(|row| !row.through && row.spawns.is_none()),
    }
}

/// The innermost loop that runs as a `for` over what a statement gives.
pub fn loop_over(tracer: &Tracer, index: u32, statement: StatementId) -> Option<LoopId> {
    let body = &tracer.body(index).body;
    let made = body.whole_local(body.statements[statement.index()].dest.get()?)?;
    (0..body.loops.len() as u32).map(LoopId).find(|l| {
        let source = body.loops[l.index()].iterates.as_place().and_then(|(_, place)| body.local_of(place));
        source.is_some_and(|local| local == made || call_behind(tracer, index, local) == Some(statement))
    })
}
