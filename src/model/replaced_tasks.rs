//! Whether a handle that is put where another one may be already takes the place of one that nobody ended: what the
//! function, those it calls and those that call it do with the place before. Any look at it excuses. It knows no lint.

use super::access::{Access, Root, Tracer};
use super::digest::is_contended;
use super::entries::is_made_up;
use super::exits::call_behind;
use super::kept_tasks::{FieldUse, How, Keep, UseKind};
use super::setup::holder;
use super::{DefId, Model, Ty, TyData};
use crate::facts::body::*;
use crate::source::Span;
use rustc_hash::FxHashSet;

/// Calls from the function that replaces are followed as far as this.
const DEPTH: u32 = 2;

/// Whether a handle kept there may take the place of another one, as far as the statement shows.
pub fn may_replace(tracer: &Tracer, index: u32, keep: &Keep) -> bool {
    let model = tracer.model;
    let body = &tracer.body(index).body;
    let statement = &body.statements[keep.statement.index()];
    let place = match keep.how {
        How::Assigned => statement.dest.get(),
        How::Replaces => body.args(statement).first().and_then(|a| a.as_place()).map(|(_, place)| place),
        How::Made | How::Added => None,
    };
    let Some(place) = place else { return false };
    let access = tracer.place(index, place);
    let made = model.is_being_made(model.owner(tracer.function.root().at), holder(tracer, access));
    !made
        && !(keep.how == How::Replaces
            && (is_used(body, statement.dest) || has_fresh_key(tracer, index, keep.statement)))
        && !is_kept_by_guard(model, access)
}

/// Whether what is in the container ends its task when it is dropped.
fn is_kept_by_guard(model: &Model, access: Access) -> bool {
    let ty = match access.root {
        Root::Field(owner, name) => model.declared_field(owner, name),
        Root::Static(def) => Some(model.item_ty(def)),
        _ => None,
    };
    model.drops_what_it_holds(ty.unwrap_or_default())
}

/// `if let Some(old) = self.tasks.insert(id, task) { old.abort() }`
fn is_used(body: &Body, result: PlaceId) -> bool {
    let Some(local) = result.get().and_then(|place| body.local_of(place)) else { return false };
    let is_it = |operand: Operand| operand.as_place().and_then(|(_, place)| body.local_of(place)) == Some(local);
    let uses = |s: &Statement| !matches!(s.op, Op::Use | Op::ScopeEnd) && body.args(s).iter().any(|&arg| is_it(arg));
    local == LocalId(0) || body.statements.iter().any(uses) || body.blocks.iter().any(|b| is_it(b.operand))
}

/// A key that was not used before: a new id, the address of a peer that just connected, the id of the task itself.
fn has_fresh_key(tracer: &Tracer, index: u32, statement: StatementId) -> bool {
    let body = &tracer.body(index).body;
    let args = body.args(&body.statements[statement.index()]);
    let Some((_, place)) = args.get(1).filter(|_| args.len() > 2).and_then(|a| a.as_place()) else { return false };
    let Some(key) = body.local_of(place) else { return false };
    let ty = tracer.model.peel_refs(tracer.ty(index, place));
    let address = tracer.model.external_path(ty).is_some_and(|path| tracer.model.text(path).starts_with("std::net::"));
    let own_id = || {
        let call = call_behind(tracer, index, key).map(|id| &body.statements[id.index()]);
        call.is_some_and(|s| s.op == Op::CallMethod && tracer.method_name(index, s) == "id")
    };
    address || is_made_up(tracer, index, key, 12) || own_id()
}

/// Whether somebody looks at the place before the handle is put there: this function, one that it calls, or one that calls
/// it.
pub fn is_looked_at_before(tracer: &Tracer, position: u32, index: u32, keep: &Keep, uses: &[FieldUse]) -> bool {
    let model = tracer.model;
    let at = tracer.span(index, keep.statement);
    let aware: FxHashSet<DefId> = uses
        .iter()
        .filter(|u| u.kind > UseKind::Views && u.function != position)
        .map(|u| model.analysis.digests[u.function as usize].owner)
        .collect();
    let around: Vec<u32> = up(tracer, index);
    let concerns = |body: u32| around.contains(&body) || !runs_apart(tracer, body);
    let looks = |u: &&FieldUse| u.function == position && u.kind > UseKind::Views && concerns(u.body);
    let before = |span: Span| span.range.lo < at.range.lo;
    if uses.iter().filter(looks).any(|u| before(u.span)) {
        return true;
    }
    let digest = &model.analysis.digests[position as usize];
    if contends(tracer, index, keep) || has_flag(tracer, index, keep) {
        return true;
    }
    let calls = digest.calls.iter().filter(|c| before(c.span) && concerns(c.body));
    calls.into_iter().any(|c| is_aware(model, c.callee, &aware, DEPTH))
        || is_looked_at_by_caller(model, digest.owner, uses, &aware)
}

/// `if self.running.swap(true) { return; }`, before that, on a static or on something beside the handle.
fn contends(tracer: &Tracer, index: u32, keep: &Keep) -> bool {
    let body = &tracer.body(index).body;
    let beside = |place| match (tracer.place(index, place).root, keep.root) {
        (Root::Field(of, other), Root::Field(owner, name)) => of == owner && other != name,
        (root, _) => matches!(root, Root::Static(_) | Root::Unknown),
    };
    body.statements[..keep.statement.index()].iter().filter(|s| s.op == Op::CallMethod).any(|s| {
        let receiver = body.args(s).first().and_then(|a| a.as_place());
        is_contended(tracer, index, s) && receiver.is_some_and(|(_, place)| beside(place))
    })
}

/// `if self.running { return; } self.running = true;`: something beside the handle, that the function asks for and sets.
fn has_flag(tracer: &Tracer, index: u32, keep: &Keep) -> bool {
    let Root::Field(owner, name) = keep.root else { return false };
    let body = &tracer.body(index).body;
    let is_bool = |place| matches!(*tracer.model.ty(tracer.ty(index, place)), TyData::Prim(of) if tracer.model.text(of) == "bool");
    let beside = |place| match tracer.place(index, place).root {
        Root::Field(of, other) if of == owner && other != name && is_bool(place) => Some(other),
        _ => None,
    };
    let set = |flag| body.statements.iter().any(|s| s.op == Op::Assign && s.dest.get().and_then(beside) == Some(flag));
    let asked = |block: &Block| {
        let (_, place) = block.operand.as_place()?;
        // `!self.running`
        let inner = || {
            let negated = tracer.definition(index, body.local_of(place)?).filter(|s| s.op == Op::Unary)?;
            beside(body.args(negated).first()?.as_place()?.1)
        };
        beside(place).or_else(inner)
    };
    body.blocks.iter().filter(|b| b.end == End::Branch).filter_map(asked).any(set)
}

/// `self.stop(); self.start();`, `if self.task.is_none() { self.start() }`
fn is_looked_at_by_caller(model: &Model, def: DefId, uses: &[FieldUse], aware: &FxHashSet<DefId>) -> bool {
    model.analysis.digests.iter().enumerate().filter(|(_, d)| d.owner != def).any(|(caller, digest)| {
        digest.calls.iter().filter(|c| c.callee == def).any(|site| {
            let before = |span: Span| span.range.lo < site.span.range.lo;
            let looks = |u: &FieldUse| u.function == caller as u32 && u.kind > UseKind::Views && before(u.span);
            uses.iter().any(looks)
                || digest.calls.iter().any(|c| before(c.span) && is_aware(model, c.callee, aware, DEPTH))
        })
    })
}

/// Whether a function, or one that it calls, looks at the place.
fn is_aware(model: &Model, def: DefId, aware: &FxHashSet<DefId>, depth: u32) -> bool {
    let calls = || model.digest_of(def).into_iter().flat_map(|d| &d.calls).map(|c| c.callee);
    aware.contains(&def)
        || depth > 0 && calls().any(|callee| callee != def && is_aware(model, callee, aware, depth - 1))
}

/// Whether a body runs in the background, itself or with one around it.
fn runs_apart(tracer: &Tracer, index: u32) -> bool {
    up(tracer, index).into_iter().any(|body| {
        let Some((outer, call, _)) = tracer.handed_to(body) else { return false };
        tracer.row(outer, call).is_some_and(|row| row.spawns.is_some())
    })
}

/// A body and those that it is in.
fn up(tracer: &Tracer, index: u32) -> Vec<u32> {
    let parent = |&index: &u32| {
        let parent = tracer.model.body_header(tracer.body(index).at).parent.get()?;
        tracer.function.bodies.iter().position(|b| b.at.body == parent).map(|p| p as u32)
    };
    std::iter::successors(Some(index), parent).collect()
}

/// Whether a function does something before a place to what stands beside a field in the same value, that may end the task:
/// `self.stop.store(true)`, `self.commands = sender`.
pub fn is_told_otherwise(tracer: &Tracer, index: u32, keep: &Keep) -> bool {
    let Root::Field(owner, name) = keep.root else { return false };
    let body = &tracer.body(index).body;
    let beside =
        |place| matches!(tracer.place(index, place).root, Root::Field(of, other) if of == owner && other != name);
    let signals = |ty: Ty| {
        let model = tracer.model;
        model
            .inside(ty)
            .any(|ty| model.type_row(ty).is_some_and(|row| row.collection == Some(crate::apis::Collection::Channel)))
    };
    body.statements.iter().any(|s| match s.op {
        Op::Assign => s.dest.get().is_some_and(|place| beside(place) && signals(tracer.ty(index, place))),
        Op::CallMethod => {
            const WORDS: [&str; 8] = ["cancel", "store", "send", "notify", "close", "stop", "shutdown", "abort"];
            let receiver = body.args(s).first().and_then(|a| a.as_place());
            let told = WORDS.iter().any(|word| tracer.method_name(index, s).starts_with(word));
            told && receiver.is_some_and(|(_, place)| beside(place))
        }
        _ => false,
    })
}
