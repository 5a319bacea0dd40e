//! What limits a number on its way: comparisons, patterns, calls that it is given to, slices of memory that is there. Whatever may
//! be a check counts as one, but for comparisons that let great numbers pass.

use super::follow::Flow;
use super::summaries::Summaries;
use crate::facts::body::*;
use crate::model::Callee;

/// Whether a number that is read gets to a statement without being limited on the way.
pub fn reaches(flow: &Flow, summaries: &Summaries, read: u32, goal: StatementId) -> bool {
    let body = flow.body();
    let from = match flow.reads[read as usize].at {
        Some(at) => (block_of(body, at), at.0 + 1),
        None => (Some(BlockId(0)), 0),
    };
    let (Some(block), first) = from else { return false };
    let walk = Walk { flow, summaries, read, goal, limits: true };
    walk.from(block, first) && !walk.is_checked_aside(false) && !is_asked_before(&walk)
}

/// `if r.content_length() > Some(MAX) { return }` before `r.content_length()` is asked again: what tells a size of the same
/// value tells the same one.
fn is_asked_before(walk: &Walk) -> bool {
    let flow = walk.flow;
    let asked = |read: u32| {
        let id = flow.reads[read as usize].at?;
        let args = flow.body().args(&flow.body().statements[id.index()]);
        let tells = flow.tracer.row(flow.index, id).is_some_and(|row| row.tells_size && row.peer_number);
        let place = args.first().filter(|_| tells && args.len() == 1)?.as_place()?.1;
        Some((flow.body().local_of(place)?, flow.body().projections_of(place)))
    };
    let Some(own) = asked(walk.read) else { return false };
    let others = (0..flow.reads.len() as u32).filter(|&other| other != walk.read && asked(other) == Some(own));
    others.into_iter().any(|other| Walk { read: other, ..*walk }.is_checked_aside(true))
}

struct Walk<'a> {
    flow: &'a Flow<'a>,
    summaries: &'a Summaries,
    read: u32,
    goal: StatementId,
    /// Whether limits end the walk.
    limits: bool,
}

/// What a branch says of the number: the edge on which it has an upper limit, and whether that limit is no literal.
struct Limit {
    edge: usize,
    open: bool,
}

impl Walk<'_> {
    fn from(&self, start: BlockId, first: u32) -> bool {
        let body = self.flow.body();
        let mut seen = vec![false; body.blocks.len()];
        let mut todo = vec![(start, first)];
        while let Some((block, first)) = todo.pop() {
            let data = &body.blocks[block.index()];
            match self.along(data, first) {
                Some(true) => return true,
                Some(false) => continue,
                None => {}
            }
            for (at, edge) in body.edges_of(block).iter().enumerate() {
                let open = !self.limits || !self.is_limited_on(block, at, edge);
                if open && !std::mem::replace(&mut seen[edge.to.index()], true) {
                    todo.push((edge.to, 0));
                }
            }
        }
        false
    }

    /// Whether the goal is met in a block, or something that ends the walk.
    fn along(&self, block: &Block, first: u32) -> Option<bool> {
        for id in block.statements.ids().filter(|&id| id >= first).map(StatementId) {
            if id == self.goal {
                return Some(true);
            }
            if self.flow.reads[self.read as usize].at == Some(id) || self.limits && self.limits_it(id) {
                return Some(false);
            }
        }
        None
    }

    /// `if let Some(max) = self.max && len > max { return Err(..) }`: a limit that is asked for now and then is one.
    fn is_checked_aside(&self, literals: bool) -> bool {
        let body = self.flow.body();
        let free = Walk { limits: false, ..*self };
        (0..body.blocks.len() as u32).map(BlockId).any(|block| {
            let Some(limit) = self.limit_of(block).filter(|limit| limit.open || literals) else { return false };
            let edges = body.edges_of(block);
            let (bounded, unbounded) = (edges[limit.edge].to, edges[1 - limit.edge].to);
            free.from(bounded, 0) && !free.from(unbounded, 0)
        })
    }

    fn is_limited_on(&self, block: BlockId, at: usize, edge: &Edge) -> bool {
        let body = self.flow.body();
        match body.blocks[block.index()].end {
            End::Branch => self.limit_of(block).is_some_and(|limit| limit.edge == at),
            End::Switch if self.flow.is(body.blocks[block.index()].operand, self.read) => {
                edge.pattern.get().is_some_and(|pattern| is_exact(body, pattern))
            }
            _ => false,
        }
    }

    /// What the comparison says that a block branches on.
    fn limit_of(&self, block: BlockId) -> Option<Limit> {
        let body = self.flow.body();
        let data = &body.blocks[block.index()];
        if data.end != End::Branch {
            return None;
        }
        let (mut operand, mut flipped) = (data.operand, false);
        for _ in 0..3 {
            let statement = self.flow.tracer.definition(self.flow.index, local_of(body, operand)?)?;
            let args = body.args(statement);
            match statement.op {
                Op::Unary | Op::Assign => {
                    flipped ^= statement.op == Op::Unary;
                    operand = args[0];
                }
                Op::Binary => {
                    let limit = self.comparison(statement)?;
                    return Some(Limit { edge: if flipped { 1 - limit.edge } else { limit.edge }, ..limit });
                }
                _ => return None,
            }
        }
        None
    }

    fn comparison(&self, statement: &Statement) -> Option<Limit> {
        let &[left, right] = self.flow.body().args(statement) else { return None };
        let (is_left, is_right) = (self.flow.is(left, self.read), self.flow.is(right, self.read));
        // `n + 4 < n`: an overflow is no limit.
        if is_left == is_right {
            return None;
        }
        let other = if is_left { right } else { left };
        let edge = match (BinaryOp::from_data(statement.data), is_left) {
            (BinaryOp::Eq, _) => 0,
            (BinaryOp::Ne, _) => 1,
            (BinaryOp::Lt | BinaryOp::Le, true) | (BinaryOp::Gt | BinaryOp::Ge, false) => 0,
            (BinaryOp::Gt | BinaryOp::Ge, true) | (BinaryOp::Lt | BinaryOp::Le, false) => 1,
            _ => return None,
        };
        let open = matches!(other.as_place(), Some((_, place)) if self.flow.body().local_of(place).is_some());
        Some(Limit { edge, open })
    }

    /// Whether a statement may limit the number, or ends its story.
    fn limits_it(&self, id: StatementId) -> bool {
        let flow = self.flow;
        let body = flow.body();
        let statement = &body.statements[id.index()];
        let args = body.args(statement);
        let given = |at: usize| flow.operand(args[at]).into_iter().find(|hit| hit.read == self.read);
        match statement.op {
            Op::Binary if BinaryOp::from_data(statement.data).computes() => {
                // `n &= MASK`
                let onto = body.whole_local(statement.dest).is_some_and(|l| flow.is_local(l, self.read));
                onto && (0..args.len()).any(|at| given(at).is_some() && !flow.stays_great(statement, at))
            }
            Op::Binary => (0..args.len()).any(|at| given(at).is_some()) && !self.is_branched_on(statement),
            Op::Assign => self.is_overwritten(statement),
            Op::Range => (0..args.len()).any(|at| given(at).is_some()) && !self.is_iterated(statement),
            Op::Macro => (0..args.len()).any(|at| given(at).is_some() && self.macro_limits(statement, args[at])),
            Op::OpaqueMacro | Op::CallValue => (0..args.len()).any(|at| given(at).is_some()),
            Op::Call | Op::CallMethod => {
                (0..args.len()).any(|at| given(at).is_some_and(|hit| self.call_limits(id, statement, at, &hit.rest)))
            }
            _ => false,
        }
    }

    /// `len = LIMIT`
    fn is_overwritten(&self, statement: &Statement) -> bool {
        let body = self.flow.body();
        let onto = statement.dest.get().and_then(|dest| body.whole_local(dest));
        let named = onto.filter(|l| body.locals[l.index()].kind == LocalKind::Binding);
        named.is_some_and(|l| self.flow.is_local(l, self.read))
            && !body.args(statement).iter().any(|&arg| self.flow.operand(arg).iter().any(|hit| hit.read == self.read))
    }

    /// Whether a comparison decides a branch; what else becomes of it cannot be told.
    fn is_branched_on(&self, statement: &Statement) -> bool {
        let body = self.flow.body();
        let Some(result) = body.whole_local(statement.dest) else { return false };
        let is_it = |operand: Operand| local_of(body, operand) == Some(result);
        let flips = |s: &&Statement| matches!(s.op, Op::Unary | Op::Assign) && body.args(s).iter().any(|&a| is_it(a));
        let negated: Vec<LocalId> =
            body.statements.iter().filter(flips).filter_map(|s| body.whole_local(s.dest.get()?)).collect();
        let decides = |b: &Block| {
            b.end == End::Branch
                && (is_it(b.operand) || local_of(body, b.operand).is_some_and(|l| negated.contains(&l)))
        };
        body.blocks.iter().any(decides)
    }

    /// `for i in 0..n`, `(0..n).map(..)`; but not `&buf[..n]`, which needs the memory to be there.
    fn is_iterated(&self, statement: &Statement) -> bool {
        let body = self.flow.body();
        let Some(range) = body.whole_local(statement.dest) else { return false };
        let is_it = |operand: Operand| local_of(body, operand) == Some(range);
        let receives = |s: &Statement| s.op == Op::CallMethod && body.args(s).first().is_some_and(|&a| is_it(a));
        body.blocks.iter().any(|b| b.end == End::Next && is_it(b.operand))
            || body.statements.iter().any(|s| receives(s) && self.flow.name(s) != "contains")
    }

    /// `assert_eq!(len, 4)`, and macros that are not known; not those that format, nor `try!(..)`.
    fn macro_limits(&self, statement: &Statement, operand: Operand) -> bool {
        if self.flow.name(statement) == "try" {
            return false;
        }
        let borrowed = matches!(operand.as_place(), Some((Position::Ref, _)));
        !borrowed || self.flow.name(statement).contains("assert")
    }

    /// Whether a call that is given the number, or what it is a part of, may check it.
    fn call_limits(&self, id: StatementId, statement: &Statement, at: usize, rest: &super::Path) -> bool {
        let tracer = self.flow.tracer;
        let model = tracer.model;
        let row = tracer.row(self.flow.index, id);
        let receiver = statement.op == Op::CallMethod && at == 0;
        match tracer.body(self.flow.index).types.callee(id) {
            Callee::Constructor(_) => false,
            Callee::Def(def) if !rest.is_empty() => match model.body_of(def) {
                // `header.validate()?` looks at the field; `header.is_final()` does not.
                Some(root) => model.fields_touched(root).any(|name| rest.contains(&name)),
                None => true,
            },
            Callee::Def(def) => {
                !self.summaries.reserves.contains_key(&(def, at as u32)) && !self.summaries.returns.contains_key(&def)
            }
            Callee::Closure(_) => true,
            _ if receiver => {
                // `n.cmp(&LIMIT)`: it is looked at beside something else, and no number comes of it.
                let judged = rest.is_empty() && self.flow.body().args(statement).len() > 1;
                judged
                    && !statement
                        .dest
                        .get()
                        .is_some_and(|dest| self.flow.place(dest).iter().any(|h| h.read == self.read))
            }
            _ => match row {
                Some(row) => {
                    let of = crate::model::effects::slot(row, at);
                    let has = |list: &[u8]| list.iter().any(|n| crate::apis::Slot::Arg(*n) == of);
                    row.reserves.is_none() && !has(&row.wraps) && !has(&row.stores) && !row.clamps
                }
                None => {
                    let name = self.flow.name(statement);
                    !matches!(name, "from" | "try_from")
                        && model.apis.reserve_name(name).is_none()
                        && !model.apis.is_clamp_name(name)
                }
            },
        }
    }
}

/// Whether a pattern names a value, or a range of them.
fn is_exact(body: &Body, pattern: PatternId) -> bool {
    let pattern = &body.patterns[pattern.index()];
    match pattern.kind {
        PatternKind::Literal | PatternKind::Path => true,
        PatternKind::Wild => false,
        PatternKind::Or => pattern.args.of(&body.pattern_args).iter().all(|&p| is_exact(body, p)),
        _ => pattern.args.of(&body.pattern_args).iter().any(|&p| is_exact(body, p)),
    }
}

fn local_of(body: &Body, operand: Operand) -> Option<LocalId> {
    operand.as_place().and_then(|(_, place)| body.whole_local(place))
}

fn block_of(body: &Body, statement: StatementId) -> Option<BlockId> {
    crate::model::digest::block_of(body, statement)
}
