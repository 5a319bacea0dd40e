//! What is asked of the size of a collection: whether it is compared with something, or counted up to.

use super::super::access::Tracer;
use super::super::exits::{call_behind, loops_up};
use crate::facts::body::*;

/// Whether a size is compared with something, or is itself a yes or no.
pub fn is_compared(tracer: &Tracer, index: u32, dest: PlaceId) -> bool {
    let body = &tracer.body(index).body;
    let Some(mut local) = body.whole_local(dest) else { return true };
    let uses = |s: &Statement, local| {
        body.args(s).iter().any(|a| a.as_place().is_some_and(|(_, p)| body.whole_local(p) == Some(local)))
    };
    for _ in 0..3 {
        if body.blocks.iter().any(|b| b.operand.as_place().is_some_and(|(_, p)| body.whole_local(p) == Some(local))) {
            return true;
        }
        let Some(user) = body.statements.iter().find(|s| s.op != Op::ScopeEnd && uses(s, local)) else { return false };
        match (user.op, user.dest.get().and_then(|d| body.whole_local(d))) {
            (Op::Binary, _) if user.data >= BinaryOp::Eq as u32 => return true,
            (Op::Assign | Op::Cast | Op::Binary, Some(next)) => local = next,
            // `map.len().min(max)`, `limit.is_reached(map.len())`: what is asked of a size may be a limit.
            (Op::Call | Op::CallMethod | Op::CallValue, Some(next)) if next != local => {
                let first = body.args(user).first().and_then(|a| a.as_place());
                let of_size = first.is_some_and(|(_, p)| body.whole_local(p) == Some(local));
                if !of_size {
                    // `names.insert(name, id)` with the size as the id limits nothing.
                    let name = tracer.method_name(index, user);
                    return user.op != Op::CallMethod || !tracer.model.apis.is_grow_name(name);
                }
                local = next;
            }
            _ => return false,
        }
    }
    false
}

/// `for _ in list.len()..size { list.push(..) }`: it grows up to a size.
pub fn fills_up(tracer: &Tracer, index: u32, in_loop: LoopId) -> bool {
    let body = &tracer.body(index).body;
    loops_up(body, in_loop).any(|l| {
        let iterated = body.loops[l.index()].iterates.as_place().and_then(|(_, place)| body.whole_local(place));
        let range = iterated.and_then(|local| tracer.definition(index, local)).filter(|s| s.op == Op::Range);
        let from = range.and_then(|s| body.args(s).first()?.as_place());
        from.and_then(|(_, place)| body.whole_local(place)).is_some_and(|local| is_size(tracer, index, local))
    })
}

fn is_size(tracer: &Tracer, index: u32, local: LocalId) -> bool {
    if let Some((outer, local)) = tracer.outer(index, local) {
        return is_size(tracer, outer, local);
    }
    let Some(call) = call_behind(tracer, index, local) else { return false };
    let statement = &tracer.body(index).body.statements[call.index()];
    statement.op == Op::CallMethod && tracer.model.apis.is_bound_name(tracer.method_name(index, statement))
}
