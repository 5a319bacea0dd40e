//! What is called on one builder: from where it is made, along the chain of its calls and through the names it is given.
//! Knows neither what is built nor what a call means.

use super::Callee;
use super::access::Tracer;
use crate::facts::body::*;

/// The calls on one builder within a body.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    /// They, the one that makes it included, in the order of the text.
    pub calls: Vec<StatementId>,
    /// The locals that it is.
    pub names: Vec<LocalId>,
    /// Whether it is made here by a library's function, and goes nowhere from where it could be changed.
    pub in_sight: bool,
}

impl Builder {
    /// The builder that a statement is called on, or that it makes.
    pub fn of(tracer: &Tracer, index: u32, call: StatementId) -> Builder {
        let body = &tracer.body(index).body;
        let statement = &body.statements[call.index()];
        let receiver =
            body.args(statement).first().and_then(|a| a.as_place()).filter(|_| statement.op == Op::CallMethod);
        let start = match receiver {
            Some((_, place)) => body.local_of(place),
            None => statement.dest.get().and_then(|d| body.whole_local(d)),
        };
        let Some(start) = start else { return Builder::default() };
        let mut walk =
            Walk { tracer, index, names: vec![start], builder: Builder { in_sight: true, ..Builder::default() } };
        walk.close();
        walk.builder.in_sight &= walk.names.iter().all(|&l| walk.is_own(l)) && walk.is_made_here();
        walk.builder.names = walk.names;
        walk.builder
    }

    /// Whether one of its calls has one of these names.
    pub fn calls_one(&self, tracer: &Tracer, index: u32, names: &[String]) -> bool {
        self.calls.iter().any(|&id| {
            let statement = &tracer.body(index).body.statements[id.index()];
            names.iter().any(|n| n == tracer.method_name(index, statement)) && !is_no_limit(tracer, index, id)
        })
    }
}

struct Walk<'a> {
    tracer: &'a Tracer<'a>,
    index: u32,
    /// Locals that are the builder.
    names: Vec<LocalId>,
    builder: Builder,
}

impl Walk<'_> {
    /// Finds all names of the builder, and all that is called on it.
    fn close(&mut self) {
        let body = &self.tracer.body(self.index).body;
        loop {
            let before = self.names.len();
            for id in (0..body.statements.len() as u32).map(StatementId) {
                self.step(&body.statements[id.index()]);
            }
            if self.names.len() == before {
                break;
            }
        }
        for (position, statement) in body.statements.iter().enumerate() {
            let id = StatementId(position as u32);
            let dest = statement.dest.get().and_then(|d| body.local_of(d));
            let made =
                dest.is_some_and(|d| self.names.contains(&d)) && matches!(statement.op, Op::Call | Op::CallMethod);
            let on_it = statement.op == Op::CallMethod && self.is_named(body, statement, 0);
            if made || on_it {
                self.builder.calls.push(id);
            }
            self.builder.in_sight &= !self.escapes(body, statement);
        }
    }

    /// `b = b.limit(1)`, `let c = b`: names on both sides of a statement that hands the builder on.
    fn step(&mut self, statement: &Statement) {
        let body = &self.tracer.body(self.index).body;
        let Some(to) = statement.dest.get().and_then(|d| body.whole_local(d)) else { return };
        let Some(from) = body.args(statement).first().and_then(|a| a.as_place()) else { return };
        let Some(local) = body.local_of(from.1) else { return };
        let hands_on = match statement.op {
            Op::Assign => body.projections_of(from.1).iter().all(|s| *s == Projection::Deref),
            Op::CallMethod => {
                let model = self.tracer.model;
                let (a, b) = (self.tracer.ty(self.index, from.1), self.tracer.ty(self.index, statement.dest));
                model.peel_refs(a).is_known() && model.peel_refs(a) == model.peel_refs(b) || self.is_chained(statement)
            }
            _ => false,
        };
        if hands_on {
            for (known, other) in [(to, local), (local, to)] {
                if self.names.contains(&known) && !self.names.contains(&other) {
                    self.names.push(other);
                }
            }
        }
    }

    /// A row says that the call gives back its receiver.
    fn is_chained(&self, statement: &Statement) -> bool {
        let body = &self.tracer.body(self.index).body;
        let id = body.statements.iter().position(|s| std::ptr::eq(s, statement));
        id.and_then(|id| self.tracer.row(self.index, StatementId(id as u32))).is_some_and(|row| row.through)
    }

    fn is_named(&self, body: &Body, statement: &Statement, arg: usize) -> bool {
        let place = body.args(statement).get(arg).and_then(|a| a.as_place());
        place.and_then(|(_, place)| body.local_of(place)).is_some_and(|local| self.names.contains(&local))
    }

    /// `configure(&mut builder)`, `Self { builder }`, a closure that captures it.
    fn escapes(&self, body: &Body, statement: &Statement) -> bool {
        let first = match statement.op {
            Op::CallMethod => 1,
            Op::Call
            | Op::CallValue
            | Op::Struct
            | Op::Tuple
            | Op::Array
            | Op::Closure
            | Op::Async
            | Op::Macro
            | Op::OpaqueMacro => 0,
            // Into a field: what is read from it later may be changed there.
            Op::Assign => {
                let whole = statement.dest.get().and_then(|d| body.whole_local(d)).is_some();
                return !whole && self.is_named(body, statement, 0);
            }
            _ => return false,
        };
        (first..body.args(statement).len()).any(|arg| self.is_named(body, statement, arg))
    }

    fn is_own(&self, local: LocalId) -> bool {
        matches!(self.tracer.body(self.index).body.locals[local.index()].kind, LocalKind::Temp | LocalKind::Binding)
    }

    /// `Builder::new()`, `Client::builder()`, of a library.
    fn is_made_here(&self) -> bool {
        let typed = self.tracer.body(self.index);
        self.builder.calls.iter().any(|&id| {
            let made = typed.body.statements[id.index()].op == Op::Call;
            made && matches!(typed.types.callee(id), Callee::External(_))
        })
    }
}

/// `max_capacity(u64::MAX)`: a limit that is none.
fn is_no_limit(tracer: &Tracer, index: u32, call: StatementId) -> bool {
    let body = &tracer.body(index).body;
    let statement = &body.statements[call.index()];
    let first = usize::from(statement.op == Op::CallMethod);
    body.args(statement).get(first).is_some_and(|&operand| is_max(tracer, index, operand))
}

/// Whether an operand is a constant that is called `MAX`.
pub fn is_max(tracer: &Tracer, index: u32, operand: Operand) -> bool {
    is_constant_named(tracer, index, operand, "MAX")
}

/// Whether an argument switches something off: `None`, `false`.
pub fn is_off(tracer: &Tracer, index: u32, operand: Operand) -> bool {
    let body = &tracer.body(index).body;
    match operand.kind() {
        OperandKind::Literal(id) => {
            let text = body.literals[id.index()].text.get();
            text.is_some_and(|n| tracer.model.text(tracer.model.name(tracer.body(index).at.file, n)) == "false")
        }
        _ => is_constant_named(tracer, index, operand, "None"),
    }
}

fn is_constant_named(tracer: &Tracer, index: u32, operand: Operand, wanted: &str) -> bool {
    let typed = tracer.body(index);
    let Some((_, place)) = operand.as_place() else { return false };
    match typed.body.places[place.index()].base {
        Base::Path(path) => {
            let name = typed.body.types.last_name(path).get();
            name.is_some_and(|n| tracer.model.text(tracer.model.name(typed.at.file, n)) == wanted)
        }
        _ => false,
    }
}
