//! Obligations that are keyed by a place and a key, and not by a value: a file at a path, an entry in a map, one less in a
//! counter. A function puts something there, does what can fail, and takes it back, or hands the key on, at its end. The
//! walk finds the exits between the two. It knows neither what is put nor where: the caller says which statements take it
//! back.
//!
//! Such an obligation is judged on error exits only: where the function ends well, whoever has the key owes the rest.

use super::access::Tracer;
use super::digest::block_of;
use super::{Callee, Ty, TyData};
use crate::facts::body::*;
use crate::facts::types::PathId;
use crate::source::TextRange;

/// What a statement does to what was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touch {
    /// Nothing.
    None,
    /// It takes it back.
    TakesBack,
    /// It may take it back, or take it over.
    MayTakeBack,
}

/// An exit with which what was put stays behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exit {
    /// `Error` or `Cancel`.
    pub kind: EdgeKind,
    /// Where.
    pub at: TextRange,
    /// The block that it leaves.
    pub block: BlockId,
}

/// The ways from where something is put.
#[derive(Debug, Clone, Default)]
pub struct Ways {
    /// Exits by an error or a cancellation, in the order of the text.
    pub exits: Vec<Exit>,
    /// Where it is taken back for certain.
    pub taken_back: Vec<TextRange>,
    /// Whether on some way it may be taken back or over.
    pub may_be_taken: bool,
    /// Whether some way ends well with it still there.
    pub stays: bool,
}

/// The ways from the statement `put` of body `index`; `touch` says what a statement does to what was put, and `taken` which
/// edges of a block, by position, show that it is not there any more.
pub fn ways(
    tracer: &Tracer,
    index: u32,
    put: StatementId,
    touch: &dyn Fn(StatementId) -> Touch,
    taken: &dyn Fn(&Block, usize) -> bool,
) -> Ways {
    let body = &tracer.body(index).body;
    let mut ways = Ways::default();
    let Some(first) = block_of(body, put) else { return ways };
    let results = results(tracer, index, put);
    let mut seen = vec![false; body.blocks.len()];
    // The first block is entered behind `put`; a loop may lead to it again.
    let mut todo = vec![(first, put.0 + 1)];
    while let Some((id, start)) = todo.pop() {
        let block = &body.blocks[id.index()];
        let statements = (start..block.statements.start + block.statements.len).map(StatementId);
        if !passes(tracer, index, statements, touch, &mut ways) {
            continue;
        }
        match block.end {
            End::Exit => ways.stays = true,
            End::Diverge => {}
            _ => {
                for (position, edge) in body.edges_of(id).iter().enumerate() {
                    if refuted(tracer, index, &results, block, position, edge) || taken(block, position) {
                        continue;
                    }
                    if matches!(edge.kind, EdgeKind::Error | EdgeKind::Cancel) {
                        ways.exits.push(Exit { kind: edge.kind, at: block.span, block: id });
                    } else if !std::mem::replace(&mut seen[edge.to.index()], true) {
                        todo.push((edge.to, body.blocks[edge.to.index()].statements.start));
                    }
                }
            }
        }
    }
    ways.exits.sort_unstable_by_key(|e| (e.at, e.kind));
    ways.exits.dedup();
    ways.taken_back.sort_unstable();
    ways.taken_back.dedup();
    ways
}

/// Whether the way goes on behind these statements.
fn passes(
    tracer: &Tracer,
    index: u32,
    statements: impl Iterator<Item = StatementId>,
    touch: &dyn Fn(StatementId) -> Touch,
    ways: &mut Ways,
) -> bool {
    for id in statements {
        match touch(id) {
            Touch::None => {}
            Touch::TakesBack => {
                ways.taken_back.push(tracer.body(index).body.spans[id.index()]);
                return false;
            }
            Touch::MayTakeBack => {
                ways.may_be_taken = true;
                return false;
            }
        }
        let ends = match tracer.body(index).types.callee(id) {
            Callee::Def(def) => matches!(tracer.model.ty(tracer.model.item_ty(def)), TyData::Never),
            _ => tracer.row(index, id).is_some_and(|row| row.never),
        };
        if ends {
            return false;
        }
    }
    true
}

/// The locals that hold the result of `put`, not yet looked into: by name, through adapters and `.await`.
fn results(tracer: &Tracer, index: u32, put: StatementId) -> Vec<LocalId> {
    let body = &tracer.body(index).body;
    let dest = |s: &Statement| s.dest.get().and_then(|d| body.whole_local(d));
    let mut held: Vec<LocalId> = dest(&body.statements[put.index()]).into_iter().collect();
    for statement in &body.statements[put.index() + 1..] {
        let (Some(&first), Some(to)) = (body.args(statement).first(), dest(statement)) else { continue };
        let adapts = match statement.op {
            Op::Assign => true,
            Op::CallMethod => {
                let ty = tracer.model.payload(tracer.ty(index, statement.dest));
                // `create(p).unwrap()` is no result any more.
                ty != tracer.ty(index, statement.dest) || ty == Ty::UNKNOWN
            }
            _ => false,
        };
        if adapts && is_result(body, &held, first) && !held.contains(&to) {
            held.push(to);
        }
    }
    held
}

/// Whether an operand is one of these locals, awaited or not, and not what its success side holds.
fn is_result(body: &Body, held: &[LocalId], operand: Operand) -> bool {
    operand.as_place().is_some_and(|(_, place)| {
        let whole = |step: &Projection| matches!(step, Projection::Output | Projection::Deref);
        body.local_of(place).is_some_and(|l| held.contains(&l)) && body.projections_of(place).iter().all(whole)
    })
}

/// Whether taking this edge shows that nothing was put: `put` itself failed.
fn refuted(tracer: &Tracer, index: u32, held: &[LocalId], block: &Block, position: usize, edge: &Edge) -> bool {
    let body = &tracer.body(index).body;
    match block.end {
        End::Try | End::Await if position == 1 => is_result(body, held, block.operand),
        End::Switch if is_result(body, held, block.operand) => match edge.pattern.get() {
            Some(pattern) if body.patterns[pattern.index()].kind != PatternKind::Wild => fails(tracer, index, pattern),
            // `else` behind `Ok(_)`
            _ => block.edges.of(&body.edges)[..position]
                .iter()
                .any(|e| e.pattern.get().is_some_and(|p| !fails(tracer, index, p))),
        },
        End::Branch => match asked(tracer, index, held, block.operand) {
            Some("is_err" | "is_none") => position == 0,
            Some("is_ok" | "is_some") => position == 1,
            _ => false,
        },
        _ => false,
    }
}

/// The method that a condition calls on one of these locals.
fn asked<'a>(tracer: &Tracer<'a>, index: u32, held: &[LocalId], operand: Operand) -> Option<&'a str> {
    let body = &tracer.body(index).body;
    let definition = tracer.definition(index, body.whole_local(operand.as_place()?.1)?)?;
    let asks = definition.op == Op::CallMethod && is_result(body, held, *body.args(definition).first()?);
    asks.then(|| tracer.method_name(index, definition))
}

/// `Err(_)`, `None`.
pub fn fails(tracer: &Tracer, index: u32, pattern: PatternId) -> bool {
    let typed = tracer.body(index);
    let pattern = &typed.body.patterns[pattern.index()];
    match pattern.kind {
        PatternKind::Or | PatternKind::Ref => {
            pattern.args.of(&typed.body.pattern_args).iter().all(|&p| fails(tracer, index, p))
        }
        PatternKind::TupleVariant | PatternKind::Path => {
            let name = typed.body.types.last_name(PathId(pattern.data)).get();
            let name = name.map(|n| tracer.model.text(tracer.model.name(typed.at.file, n)));
            matches!(name, Some("Err" | "None"))
        }
        _ => false,
    }
}

/// All that a local is made from in its body and those around it: visits each statement that gives one of these locals
/// its value, and the locals.
pub fn sources(
    tracer: &Tracer,
    index: u32,
    local: LocalId,
    visit: &mut dyn FnMut(u32, StatementId),
) -> Vec<(u32, LocalId)> {
    let mut found = vec![(index, local)];
    let mut next = 0;
    while next < found.len() && found.len() < 64 {
        let (index, local) = found[next];
        next += 1;
        if let Some(outer) = tracer.outer(index, local).filter(|o| !found.contains(o)) {
            found.push(outer);
        }
        let body = &tracer.body(index).body;
        for (id, statement) in body.statements.iter().enumerate() {
            let gives = statement.dest.get().and_then(|d| body.local_of(d)) == Some(local);
            if !gives || matches!(statement.op, Op::ScopeEnd | Op::Declare) {
                continue;
            }
            visit(index, StatementId(id as u32));
            for (_, place) in body.args(statement).iter().filter_map(|a| a.as_place()) {
                if let Some(from) = body.local_of(place).filter(|&l| !found.contains(&(index, l))) {
                    found.push((index, from));
                }
            }
        }
    }
    found
}
