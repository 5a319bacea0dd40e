//! Whether a map has a key already where something is put under it: then a value is replaced, and nothing grows.

use super::super::access::{Access, Tracer};
use super::super::digest::block_of;
use super::super::exits::call_behind;
use super::super::keyed::fails;
use crate::facts::body::*;

/// Questions for a key.
const ASKS: [&str; 4] = ["contains_key", "contains", "get", "get_mut"];

/// What is there if the key is.
const KEEPS: [&str; 6] = ["copied", "cloned", "as_ref", "as_mut", "as_deref", "is_some"];

/// Whether every way to a statement leads over a branch where the same map was asked for a key and has it: `if
/// map.contains_key(&k) { map.insert(k, v); }`.
pub fn replaces_value(tracer: &Tracer, index: u32, id: StatementId, map: Access) -> bool {
    let body = &tracer.body(index).body;
    let Some(home) = block_of(body, id) else { return false };
    let shown: Vec<(BlockId, usize)> = (0..body.blocks.len() as u32)
        .map(BlockId)
        .filter(|&b| b != home && asks(tracer, index, b, map))
        .flat_map(|b| (0..body.edges_of(b).len()).map(move |at| (b, at)))
        .filter(|&(b, at)| shows_presence(tracer, index, b, at))
        .collect();
    !shown.is_empty() && !reaches(body, home, &shown)
}

/// Whether a block ends by asking the map for a key.
fn asks(tracer: &Tracer, index: u32, block: BlockId, map: Access) -> bool {
    let body = &tracer.body(index).body;
    let block = &body.blocks[block.index()];
    if !matches!(block.end, End::Branch | End::Switch) {
        return false;
    }
    let Some(local) = block.operand.as_place().and_then(|(_, place)| body.local_of(place)) else { return false };
    // `map.get(&k).copied()`, `map.get(&k).is_some()`
    let mut local = local;
    for _ in 0..4 {
        let Some(call) = call_behind(tracer, index, local) else { return false };
        let statement = &body.statements[call.index()];
        let receiver = body.args(statement).first().and_then(|a| a.as_place());
        let (name, Some((_, place))) = (tracer.method_name(index, statement), receiver) else { return false };
        if ASKS.contains(&name) {
            let asked = tracer.place(index, place);
            return asked.root == map.root && asked.element == map.element && asked.last == map.last;
        }
        let Some(inner) = body.local_of(place).filter(|_| KEEPS.contains(&name)) else { return false };
        local = inner;
    }
    false
}

/// Whether the edge at that position is taken when the key is there.
fn shows_presence(tracer: &Tracer, index: u32, block: BlockId, position: usize) -> bool {
    let body = &tracer.body(index).body;
    match body.blocks[block.index()].end {
        End::Branch => position == 0,
        _ => body.edges_of(block)[position].pattern.get().is_some_and(|pattern| {
            body.patterns[pattern.index()].kind == PatternKind::TupleVariant && !fails(tracer, index, pattern)
        }),
    }
}

/// Whether a block is reached without these edges.
fn reaches(body: &Body, home: BlockId, without: &[(BlockId, usize)]) -> bool {
    let mut seen = vec![false; body.blocks.len()];
    let mut todo = vec![BlockId(0)];
    while let Some(id) = todo.pop() {
        if std::mem::replace(&mut seen[id.index()], true) {
            continue;
        }
        if id == home {
            return true;
        }
        let open = body.edges_of(id).iter().enumerate().filter(|(at, _)| !without.contains(&(id, *at)));
        todo.extend(open.map(|(_, edge)| edge.to));
    }
    false
}
