//! Whether a body can end: loops without an exit of their own, through calls that never return.

use super::access::Tracer;
use super::{Callee, DefId, Ty};
use crate::facts::body::*;
use crate::facts::item_flags;
use rustc_hash::FxHashSet;

/// Whether a body ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ends {
    /// Some path reaches its end, or may.
    Yes,
    /// No path does: there is a loop without an exit. The loop that was found.
    Never(LoopId),
    /// It does, unless one of these never returns.
    Unless(Vec<DefId>),
}

/// Bodies that call more functions of the run are taken to end.
const CALLEES: usize = 24;

/// Whether the body at `index` ends, as far as it shows itself.
pub fn ends(tracer: &Tracer, index: u32) -> Ends {
    let body = &tracer.body(index).body;
    match reach(tracer, index, None) {
        Reach::Loop(found) => return Ends::Never(found),
        Reach::Nowhere => return Ends::Yes,
        Reach::End => {}
    }
    let mut seen = FxHashSet::default();
    let mut unless = Vec::new();
    for id in (0..body.statements.len() as u32).map(StatementId) {
        let Callee::Def(def) = tracer.body(index).types.callee(id) else { continue };
        if seen.insert(def) && seen.len() <= CALLEES && reach(tracer, index, Some(def)) != Reach::End {
            unless.push(def);
        }
    }
    if unless.is_empty() { Ends::Yes } else { Ends::Unless(unless) }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// The exit, a panic, or a call that ends the process.
    End,
    /// A loop that has no way out.
    Loop(LoopId),
    /// Neither: everything waits for a call that never returns.
    Nowhere,
}

/// Where the entry leads to, if `never` does not return.
fn reach(tracer: &Tracer, index: u32, never: Option<DefId>) -> Reach {
    let body = &tracer.body(index).body;
    let mut seen = vec![false; body.blocks.len()];
    let mut todo = vec![BlockId(0)];
    let mut endless = None;
    while let Some(id) = todo.pop() {
        if std::mem::replace(&mut seen[id.index()], true) {
            continue;
        }
        let block = &body.blocks[id.index()];
        if matches!(block.end, End::Exit | End::Diverge) {
            return Reach::End;
        }
        match statements(tracer, index, block, never) {
            Through::Ends => return Reach::End,
            Through::Stops => continue,
            Through::Goes => {}
        }
        if block.end == End::Await && never.is_some() && awaits(tracer, index, block, never) {
            continue;
        }
        if let Some(found) = block.in_loop.get() {
            endless = endless.or(Some(found));
        }
        todo.extend(body.edges_of(id).iter().filter(|e| e.kind != EdgeKind::Cancel).map(|e| e.to));
    }
    endless.map_or(Reach::Nowhere, Reach::Loop)
}

enum Through {
    Goes,
    Stops,
    Ends,
}

fn statements(tracer: &Tracer, index: u32, block: &Block, never: Option<DefId>) -> Through {
    let typed = tracer.body(index);
    for id in block.statements.ids().map(StatementId) {
        match typed.types.callee(id) {
            Callee::Def(def) => {
                let waits = tracer.model.item(def).flags & item_flags::ASYNC == 0;
                if Some(def) == never && waits {
                    return Through::Stops;
                }
                // `fn leave(code: i32) -> ! { process::exit(code) }`
                if waits && tracer.model.item_ty(def) == Ty::NEVER {
                    return Through::Ends;
                }
            }
            Callee::External(_) | Callee::Distinctive(_) => {
                let Some(row) = tracer.row(index, id) else { continue };
                if row.never || panics_at_the_end(tracer, index, id) {
                    return Through::Ends;
                }
            }
            _ => {}
        }
    }
    Through::Goes
}

/// Whether every path from a statement on ends the process, panics or stays in a loop: nothing runs after it for which
/// it would matter what was lost.
pub fn never_comes_back(tracer: &Tracer, index: u32, statement: StatementId) -> bool {
    let body = &tracer.body(index).body;
    let Some(start) = super::digest::block_of(body, statement) else { return false };
    let ends = |id: BlockId, from: u32| {
        let run = body.blocks[id.index()].statements;
        let rest = Block {
            statements: crate::facts::Run { start: from, len: run.start + run.len - from },
            ..body.blocks[id.index()]
        };
        matches!(statements(tracer, index, &rest, None), Through::Ends)
    };
    let mut seen = vec![false; body.blocks.len()];
    let mut todo = vec![(start, statement.0 + 1)];
    while let Some((id, from)) = todo.pop() {
        if ends(id, from) {
            continue;
        }
        if body.blocks[id.index()].end == End::Exit {
            return false;
        }
        for edge in body.edges_of(id) {
            if !std::mem::replace(&mut seen[edge.to.index()], true) {
                todo.push((edge.to, body.blocks[edge.to.index()].statements.start));
            }
        }
    }
    true
}

/// `rx.recv().unwrap()`: the panic is how the loop ends when the channel is closed.
fn panics_at_the_end(tracer: &Tracer, index: u32, id: StatementId) -> bool {
    let body = &tracer.body(index).body;
    let statement = &body.statements[id.index()];
    if statement.op != Op::CallMethod || !matches!(tracer.method_name(index, statement), "unwrap" | "expect") {
        return false;
    }
    let source = body.args(statement).first().and_then(|a| a.as_place());
    let Some(local) = source.and_then(|(_, place)| body.local_of(place)) else { return false };
    call_behind(tracer, index, local).is_some_and(|call| tracer.row(index, call).is_some_and(|row| row.ends))
}

/// The call whose result a local holds, through `.await` and `?`.
pub fn call_behind(tracer: &Tracer, index: u32, local: LocalId) -> Option<StatementId> {
    let body = &tracer.body(index).body;
    let mut local = local;
    for _ in 0..8 {
        let id = tracer.definition_id(index, local)?;
        let statement = &body.statements[id.index()];
        match statement.op {
            Op::Call | Op::CallMethod => return Some(id),
            Op::Assign | Op::Cast => {
                local = body.args(statement).first()?.as_place().and_then(|(_, p)| body.local_of(p))?;
            }
            _ => return None,
        }
    }
    None
}

/// The same, seen through what unwraps and adapts: `next()` of `let id = next().ok_or(Full)?;`.
pub fn origin_of(tracer: &Tracer, index: u32, local: LocalId) -> Option<StatementId> {
    let body = &tracer.body(index).body;
    let mut found = call_behind(tracer, index, local)?;
    for _ in 0..8 {
        let adapts = tracer.row(index, found).is_some_and(|row| row.through);
        let first = body.args(&body.statements[found.index()]).first().and_then(|a| a.as_place());
        let inner = first.filter(|_| adapts).and_then(|(_, place)| body.local_of(place));
        match inner.and_then(|inner| call_behind(tracer, index, inner)) {
            Some(inner) => found = inner,
            None => break,
        }
    }
    Some(found)
}

/// Whether a block awaits the future of `never`.
fn awaits(tracer: &Tracer, index: u32, block: &Block, never: Option<DefId>) -> bool {
    let body = &tracer.body(index).body;
    let Some(local) = block.operand.as_place().and_then(|(_, place)| body.local_of(place)) else { return false };
    let call = call_behind(tracer, index, local);
    call.is_some_and(|id| matches!(tracer.body(index).types.callee(id), Callee::Def(def) if Some(def) == never))
}

/// Whether a loop takes its work from outside and so runs as long as there is any: accepts, receives, ticks, awaits
/// something in a plain `loop`, or has no way out. A `for` over what is at hand does not.
pub fn is_service_loop(tracer: &Tracer, index: u32, id: LoopId) -> bool {
    *tracer.serving[index as usize][id.index()].get_or_init(|| serves(tracer, index, id))
}

fn serves(tracer: &Tracer, index: u32, id: LoopId) -> bool {
    let body = &tracer.body(index).body;
    let entry = &body.loops[id.index()];
    if entry.kind == LoopKind::For {
        // `for stream in listener.incoming()`, but not `for x in batch` with a batch that was received.
        let source = entry.iterates.as_place().and_then(|(_, place)| body.whole_local(place));
        let call = source.filter(|l| body.locals[l.index()].kind == LocalKind::Temp);
        let call = call.and_then(|local| tracer.definition_id(index, local));
        return call.and_then(|call| tracer.row(index, call)).is_some_and(|row| row.from_outside);
    }
    let inside = |block: &Block| {
        std::iter::successors(block.in_loop.get(), |l| body.loops[l.index()].parent.get()).any(|l| l == id)
    };
    let fed = body
        .blocks
        .iter()
        .filter(|b| inside(b))
        .flat_map(|b| b.statements.ids())
        .any(|statement| tracer.row(index, StatementId(statement)).is_some_and(|row| row.from_outside));
    let awaits = || body.blocks.iter().any(|b| inside(b) && matches!(b.end, End::Await | End::Select));
    fed || (entry.kind == LoopKind::Loop && (awaits() || !has_exit(body, id)))
}

/// Whether a loop lasts: it takes its work from outside, and no count or end of what is at hand ends it. `loop { match
/// self.parts.next().await { Some(part) => .., None => break } }` may be one job of many.
pub fn is_lasting(tracer: &Tracer, index: u32, id: LoopId) -> bool {
    let body = &tracer.body(index).body;
    let entry = &body.loops[id.index()];
    if !is_service_loop(tracer, index, id) {
        return false;
    }
    let blocks = || (0..body.blocks.len() as u32).map(BlockId).filter(|&b| body.block_in_loop(b, id));
    let row_says = |s: u32| tracer.row(index, StatementId(s)).is_some_and(|row| row.from_outside || row.ends);
    entry.kind != LoopKind::Loop
        || !has_exit(body, id)
        || blocks().any(|b| body.blocks[b.index()].end == End::Select)
        || blocks().flat_map(|b| body.blocks[b.index()].statements.ids()).any(row_says)
}

/// Whether a loop is a plain `loop` that only an error leaves.
pub fn is_endless(body: &Body, id: LoopId) -> bool {
    body.loops[id.index()].kind == LoopKind::Loop && !has_exit(body, id)
}

/// Whether an edge other than an error or a cancellation leaves a loop.
fn has_exit(body: &Body, id: LoopId) -> bool {
    (0..body.blocks.len() as u32).map(BlockId).filter(|&b| body.block_in_loop(b, id)).any(|b| {
        body.edges_of(b)
            .iter()
            .any(|e| matches!(e.kind, EdgeKind::Normal | EdgeKind::Early) && !body.block_in_loop(e.to, id))
    })
}

/// The innermost loop around a place in a body, and those around it.
pub fn loops_up(body: &Body, innermost: LoopId) -> impl Iterator<Item = LoopId> + '_ {
    std::iter::successors(innermost.get(), |l| body.loops[l.index()].parent.get())
}
