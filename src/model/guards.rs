//! Fields that a `Drop` frees by hand, and the branches that decide whether it does.
//!
//! Most such branches are right: they ask whether the value is still there (a flag, a null check, a reference count). Two kinds
//! are not: one that looks into the value itself, which is there then on both ways, and one that asks for something else that
//! may fail (a lock, a `Weak`).

use super::access::{Root, Tracer};
use super::digest::block_of;
use super::effects::slot;
use super::{DefId, Symbol, Ty, TyData, known};
use crate::apis::{Collection, Owner};
use crate::facts::body::*;
use crate::source::TextRange;

/// A field that is freed.
#[derive(Debug, Clone, Copy)]
pub struct HandDrop {
    /// The call.
    pub statement: StatementId,
    /// The field.
    pub field: Symbol,
    root: Root,
    /// Whether the field's type keeps the compiler from dropping it but not others from looking into it.
    open: bool,
}

/// A branch on which a field is freed on one side only.
#[derive(Debug, Clone, Copy)]
pub struct Decision {
    /// The condition.
    pub at: TextRange,
    /// What it asks for.
    pub reason: Reason,
}

/// What a branch asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Whether the value is there, as far as one can tell.
    Itself,
    /// What is in the value: it is there, then.
    Content,
    /// Something else that may fail.
    Other,
}

/// The fields of `owner` that the function frees by hand.
pub fn hand_drops(tracer: &Tracer, owner: DefId) -> Vec<HandDrop> {
    let body = &tracer.body(0).body;
    let mut list = Vec::new();
    for id in (0..body.statements.len() as u32).map(StatementId) {
        let Some(row) = tracer.row(0, id) else { continue };
        let args = body.args(&body.statements[id.index()]);
        for (at, place) in args.iter().enumerate().filter_map(|(at, a)| Some((at, a.as_place()?.1))) {
            let slot = slot(row, at);
            let frees = row.drops_by_hand == Some(slot) || super::effects::adopts(row, slot);
            let access = tracer.place(0, place);
            if let (true, false, Root::Field(of, field)) = (frees, access.element, access.root)
                && of == owner
            {
                list.push(HandDrop { statement: id, field, root: access.root, open: is_open(tracer, of, field) });
            }
        }
    }
    list
}

/// `ManuallyDrop<T>`, where an empty `T` (an `Option`) has nothing to lose.
fn is_open(tracer: &Tracer, owner: DefId, field: Symbol) -> bool {
    let model = tracer.model;
    let ty = model.field_index(owner, field).map_or(Ty::UNKNOWN, |index| model.declared_field_ty(owner, index));
    let inner = match model.ty(ty) {
        TyData::External(..) => model.deref(ty),
        _ => None,
    };
    inner.is_some_and(|inner| model.external_path(inner) != Some(known::OPTION))
}

/// The branches that decide whether the field is freed.
pub fn decisions(tracer: &Tracer, drop: &HandDrop) -> Vec<Decision> {
    let body = &tracer.body(0).body;
    let reachable = body.reachable();
    let frees: Vec<bool> = (0..body.blocks.len() as u32).map(|b| may_free(tracer, drop, BlockId(b))).collect();
    let Some(home) = block_of(body, drop.statement).filter(|b| reachable[b.index()]) else { return Vec::new() };
    let mut list = Vec::new();
    for id in (0..body.blocks.len() as u32).map(BlockId).filter(|b| reachable[b.index()]) {
        let edges = body.edges_of(id);
        // In the same block, the value was freed before the branch.
        if edges.len() < 2 || frees[id.index()] {
            continue;
        }
        let leads = |edge: &Edge, goal: &dyn Fn(BlockId) -> bool| leads_to(body, edge.to, id, goal);
        let freed = edges.iter().find(|e| leads(e, &|b| b == home));
        let without = edges
            .iter()
            .any(|e| !leads(e, &|b| frees[b.index()]) && leads(e, &|b| body.blocks[b.index()].end == End::Exit));
        if let (Some(edge), true) = (freed, without) {
            list.push(Decision { at: tracer.branch_span(0, id), reason: reason(tracer, drop, id, edge) });
        }
    }
    list
}

/// Whether a way leads from a block to one that is looked for, not through `but`.
fn leads_to(body: &Body, from: BlockId, but: BlockId, goal: &dyn Fn(BlockId) -> bool) -> bool {
    let mut seen = vec![false; body.blocks.len()];
    seen[but.index()] = true;
    let mut todo = vec![from];
    while let Some(id) = todo.pop() {
        if std::mem::replace(&mut seen[id.index()], true) {
            continue;
        }
        if goal(id) {
            return true;
        }
        todo.extend(body.edges_of(id).iter().map(|e| e.to));
    }
    false
}

/// Whether something in a block may free the field: a call that gets it, or all of `self`, to change.
fn may_free(tracer: &Tracer, drop: &HandDrop, block: BlockId) -> bool {
    let body = &tracer.body(0).body;
    let calls = |id: &StatementId| {
        let op = body.statements[id.index()].op;
        matches!(op, Op::Call | Op::CallMethod | Op::CallValue | Op::OpaqueMacro | Op::Closure | Op::Async)
    };
    body.blocks[block.index()].statements.ids().map(StatementId).filter(calls).any(|id| {
        if id == drop.statement {
            return true;
        }
        let statement = &body.statements[id.index()];
        body.args(statement).iter().filter_map(|a| a.as_place()).any(|(position, place)| {
            let whole_self = body.whole_local(place) == Some(LocalId(1));
            let looked_at = statement.op == Op::CallMethod && is_answer(tracer, statement.dest);
            whole_self && position != Position::Ref && !looked_at
                || tracer.place(0, place).root == drop.root && !looked_at
        })
    })
}

/// Whether a result only answers a question.
fn is_answer(tracer: &Tracer, dest: PlaceId) -> bool {
    matches!(tracer.model.ty(tracer.ty(0, dest)), TyData::Prim(_))
}

/// What a branch asks for, where the field is freed on one edge.
fn reason(tracer: &Tracer, drop: &HandDrop, id: BlockId, edge: &Edge) -> Reason {
    let body = &tracer.body(0).body;
    let block = &body.blocks[id.index()];
    let Some((_, place)) = block.operand.as_place() else { return Reason::Itself };
    let call = body.local_of(place).and_then(|local| question(tracer, local));
    let Some(call) = call else { return Reason::Itself };
    let statement = &body.statements[call.index()];
    let args = body.args(statement);
    let of_field = |a: &Operand| a.as_place().is_some_and(|(_, p)| tracer.place(0, p).root == drop.root);
    if args.iter().any(of_field) {
        let asks = statement.op == Op::CallMethod && of_field(&args[0]) && is_answer(tracer, statement.dest);
        let presence = matches!(tracer.method_name(0, statement), "is_some" | "is_none" | "is_null" | "is_dangling");
        return if asks && drop.open && !presence { Reason::Content } else { Reason::Itself };
    }
    let found = matches!(block.end, End::Switch) && !edge.pattern.is_none();
    if found && may_fail(tracer, call) { Reason::Other } else { Reason::Itself }
}

/// The call whose answer a condition is, through `!`.
fn question(tracer: &Tracer, local: LocalId) -> Option<StatementId> {
    let body = &tracer.body(0).body;
    let mut local = local;
    for _ in 0..4 {
        let id = tracer.definition_id(0, local)?;
        let statement = &body.statements[id.index()];
        match statement.op {
            Op::Call | Op::CallMethod => return Some(id),
            Op::Unary | Op::Assign => {
                local = body.args(statement).first()?.as_place().and_then(|(_, p)| body.local_of(p))?
            }
            _ => return None,
        }
    }
    None
}

/// Whether a call asks for something that may not be had: a lock, what a `Weak` points to, a place in a channel, what is
/// current.
fn may_fail(tracer: &Tracer, call: StatementId) -> bool {
    let body = &tracer.body(0).body;
    let model = tracer.model;
    let args = body.args(&body.statements[call.index()]);
    let Some(row) = tracer.row(0, call) else { return false };
    match row.owner {
        Owner::Module | Owner::Type => args.is_empty(),
        _ => {
            let receiver = args.first().and_then(|a| a.as_place()).map(|(_, place)| tracer.ty(0, place));
            let mut steps = receiver.into_iter().flat_map(|ty| model.autoderef(ty));
            steps.any(|ty| {
                model.type_row(ty).is_some_and(|row| {
                    row.weak || row.locks && !row.unsync || row.collection == Some(Collection::Channel)
                })
            })
        }
    }
}
