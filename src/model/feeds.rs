//! Who decides how much comes out of a value that is read: told by its type, by what it came out of, and by the calls that
//! it went through. It knows what a value is read from, not how, and no lint.
//!
//! The way back from the value is walked through names, fields, captures, closures and calls that give back what they are
//! given. What is nearer to the read says more, but for the call that opened it: a socket that was connected here brings
//! the answer to a question.

use super::access::Tracer;
use super::effects::slot;
use super::nearby::name_of_callee;
use super::{DefId, Model, Ty, TyData};
use crate::apis::{Feed, FnRow, Slot};
use crate::facts::BodyKind;
use crate::facts::body::*;
use crate::source::Span;

/// Types are looked into this deep.
const DEPTH: u32 = 6;
/// Ways back from a value are followed this far.
const STEPS: usize = 64;
/// Words in the names of functions that limit what they are given.
const LIMITING: [&str; 5] = ["bounded", "capped", "limit", "limited", "max"];

/// What is known of a value that is read.
#[derive(Debug, Clone, Default)]
pub struct Fed {
    /// Who feeds it.
    pub by: Option<Feed>,
    /// It has a limit already.
    pub capped: bool,
    /// Its source is named in the code: `Command::new("git")`.
    pub named: bool,
    /// Whether it was opened, accepted or connected in sight.
    pub opened: bool,
    /// The parameter of the function that it is, or comes out of.
    pub param: Option<u32>,
    /// Where that is seen: a declaration or a call.
    pub seen_at: Option<Span>,
    /// What was seen on the way, by body.
    pub locals: Vec<(u32, LocalId)>,
}

impl Fed {
    fn is_told(&self) -> bool {
        !matches!(self.by, None | Some(Feed::Body))
    }
}

/// Who feeds an operand.
pub fn fed_by(tracer: &Tracer, index: u32, operand: Operand) -> Fed {
    let mut walk = Walk { tracer, fed: Fed::default(), todo: Vec::new() };
    walk.add(index, operand);
    let mut next = 0;
    while next < walk.todo.len().min(STEPS) && !walk.fed.capped {
        let (index, place) = walk.todo[next];
        walk.place(index, place);
        next += 1;
    }
    walk.fed
}

struct Walk<'a> {
    tracer: &'a Tracer<'a>,
    fed: Fed,
    todo: Vec<(u32, PlaceId)>,
}

impl Walk<'_> {
    fn add(&mut self, index: u32, operand: Operand) {
        if let Some((_, place)) = operand.as_place()
            && !self.todo.contains(&(index, place))
        {
            self.todo.push((index, place));
        }
    }

    fn place(&mut self, index: u32, place: PlaceId) {
        self.types(index, place);
        if let Some(local) = self.tracer.body(index).body.local_of(place) {
            self.local(index, local);
        }
    }

    /// What the types of a place and of what it is a part of say.
    fn types(&mut self, index: u32, place: PlaceId) {
        let typed = self.tracer.body(index);
        let local = typed.body.local_of(place);
        let whole = local.map_or(Ty::UNKNOWN, |l| typed.types.local(l));
        for ty in [typed.types.place(place), whole] {
            let told = told_by(self.tracer.model, ty);
            self.fed.capped |= told.capped;
            if told.by.is_some() && !self.fed.is_told() && (told.by != self.fed.by) {
                self.fed.by = told.by;
                let named = local.filter(|l| !typed.body.locals[l.index()].name.is_none());
                let declared = named.map(|l| typed.body.locals[l.index()].span).filter(|span| span.hi > 0);
                self.fed.seen_at = declared.map(|range| Span { file: typed.at.file, range }).or(self.fed.seen_at);
            }
        }
    }

    /// What a local is made of.
    fn local(&mut self, index: u32, local: LocalId) {
        if self.fed.locals.contains(&(index, local)) {
            return;
        }
        self.fed.locals.push((index, local));
        let typed = self.tracer.body(index);
        match typed.body.locals[local.index()].kind {
            LocalKind::Capture => {
                if let Some((outer, local)) = self.tracer.outer(index, local) {
                    self.types_of_local(outer, local);
                    self.local(outer, local);
                }
            }
            LocalKind::Param if self.tracer.model.body_header(typed.at).kind == BodyKind::Fn => {
                self.fed.param = Some(local.0 - 1);
            }
            LocalKind::Param => self.given_to_closure(index),
            _ => {}
        }
        for (position, statement) in typed.body.statements.iter().enumerate() {
            let written = statement.dest.get().and_then(|d| typed.body.local_of(d)) == Some(local);
            if written {
                self.definition(index, StatementId(position as u32), statement);
            }
        }
    }

    fn types_of_local(&mut self, index: u32, local: LocalId) {
        let told = told_by(self.tracer.model, self.tracer.body(index).types.local(local));
        self.fed.capped |= told.capped;
        if told.by.is_some() && !self.fed.is_told() {
            self.fed.by = told.by;
        }
    }

    /// `body.and_then(|b| to_bytes(b))`: what a closure gets comes out of what its method is called on.
    fn given_to_closure(&mut self, index: u32) {
        let Some((outer, call, _)) = self.tracer.handed_to(index) else { return };
        let body = &self.tracer.body(outer).body;
        let statement = &body.statements[call.index()];
        if statement.op == Op::CallMethod
            && let Some(&receiver) = body.args(statement).first()
        {
            self.add(outer, receiver);
        }
    }

    fn definition(&mut self, index: u32, id: StatementId, statement: &Statement) {
        let body = &self.tracer.body(index).body;
        let args = body.args(statement);
        match statement.op {
            Op::Assign | Op::Cast | Op::Tuple | Op::Array => args.iter().for_each(|&a| self.add(index, a)),
            // `Wrapper { inner: stream }`: what it is of is told by its type alone.
            Op::Call | Op::CallMethod => self.call(index, id, statement, args),
            _ => {}
        }
    }

    fn call(&mut self, index: u32, id: StatementId, statement: &Statement, args: &[Operand]) {
        let row = self.tracer.row(index, id);
        self.fed.capped |= self.limits(index, id, args);
        if let Some(row) = row
            && let Some(feed) = row.feeds
            && !self.fed.opened
            && refines(self.fed.by, feed)
        {
            self.fed.opened = true;
            self.fed.by = Some(feed);
            self.fed.named = args.first().is_some_and(|&a| self.is_named(index, a));
            self.fed.seen_at = Some(self.tracer.span(index, id));
        }
        let by_name = self.is_through(index, statement);
        let passes = |at: usize| row.map_or(at == 0 && by_name, |row| gives_back(row, slot(row, at)));
        // Once it is told what it is, anything on the way may still tell where it was opened.
        let loose = self.fed.is_told() || self.is_body(index, statement);
        for (at, &arg) in args.iter().enumerate() {
            if loose || passes(at) {
                self.add(index, arg);
            }
        }
    }

    /// `"git"`, `bin.join("pg_dump")`
    fn is_named(&self, index: u32, program: Operand) -> bool {
        let body = &self.tracer.body(index).body;
        let literal = |a: &Operand| matches!(a.kind(), OperandKind::Literal(_));
        let mut at = program;
        for _ in 0..STEPS {
            if literal(&at) {
                return true;
            }
            let local = at.as_place().and_then(|(_, place)| body.local_of(place));
            let Some(id) = local.and_then(|local| self.tracer.definition_id(index, local)) else { return false };
            let made = &body.statements[id.index()];
            let Some(&first) = body.args(made).first() else { return false };
            if name_of_callee(self.tracer, index, id) == "join" && body.args(made).get(1).is_some_and(literal) {
                return true;
            }
            let through = self.tracer.row(index, id).is_some_and(|row| row.through) || self.is_through(index, made);
            if !matches!(made.op, Op::Assign | Op::Cast) && !through {
                return false;
            }
            at = first;
        }
        false
    }

    /// Whether what a call gives may be the body of a request or response: `take_body(req)?` of type `B: Body`.
    fn is_body(&self, index: u32, statement: &Statement) -> bool {
        let model = self.tracer.model;
        told_by(model, model.payload(self.tracer.ty(index, statement.dest))).by == Some(Feed::Body)
    }

    /// A method of an unknown type that by its name gives back what it is called on: `map_err`.
    fn is_through(&self, index: u32, statement: &Statement) -> bool {
        let name = self.tracer.method_name(index, statement);
        statement.op == Op::CallMethod && self.tracer.model.apis.is_through_name(name)
    }

    /// `reader.take(n)`, but not `option.take()`; `with_limit(body)`, `request.into_limited_body()`.
    fn limits(&self, index: u32, id: StatementId, args: &[Operand]) -> bool {
        let name = name_of_callee(self.tracer, index, id);
        says_limit(name) || name == "take" && args.len() == 2
    }
}

/// Whether the call that opened a value says more than its type.
fn refines(by: Option<Feed>, opened: Feed) -> bool {
    match by {
        None => true,
        Some(known @ (Feed::Socket | Feed::Local)) => {
            known == opened || matches!(opened, Feed::Response | Feed::Memory)
        }
        Some(known) => known == opened,
    }
}

/// Whether one of the words of a name is about limits: `into_limited_body`.
fn says_limit(name: &str) -> bool {
    name.split('_').any(|word| LIMITING.contains(&word))
}

/// Whether a call's result is what is given in a slot, or holds it.
fn gives_back(row: &FnRow, given: Slot) -> bool {
    match given {
        Slot::Receiver => row.through || row.element,
        Slot::Arg(arg) => row.wraps.contains(&arg),
    }
}

/// What a type says.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    by: Option<Feed>,
    capped: bool,
}

/// Who feeds a value of some type: what is around it says more than what is in it.
fn told_by(model: &Model, ty: Ty) -> Told {
    let mut told = Told::default();
    look_into(model, ty, DEPTH, &mut told);
    told
}

fn look_into(model: &Model, ty: Ty, depth: u32, told: &mut Told) {
    if depth == 0 || !ty.is_known() {
        return;
    }
    let row = model.type_row(ty);
    told.capped |= row.is_some_and(|row| row.capped);
    let own = match model.ty(ty) {
        TyData::Adt(def, _) => head_of(model, *def),
        TyData::Param(_) | TyData::Impl(_) | TyData::Dyn(_) => fed_by_bounds(model, ty),
        _ => row.and_then(|row| row.feeds),
    };
    if matches!(told.by, None | Some(Feed::Body)) {
        told.by = own.or(told.by);
    }
    match model.ty(ty) {
        TyData::Ref { to: inner, .. } | TyData::Future { output: inner, .. } => {
            look_into(model, *inner, depth - 1, told)
        }
        TyData::External(_, parts) | TyData::Tuple(parts) => {
            parts.iter().for_each(|&part| look_into(model, part, depth - 1, told));
        }
        _ => {}
    }
}

/// `struct Parts<B> { method: Method, body: B }`: a struct of the run that is a request or a response by its head.
fn head_of(model: &Model, def: DefId) -> Option<Feed> {
    let fields = model.item(def).fields;
    fields.ids().find_map(|field| model.type_row(model.declared_field_ty(def, field))?.heads)
}

fn fed_by_bounds(model: &Model, ty: Ty) -> Option<Feed> {
    let bounds = model.bounds_of(ty);
    bounds.iter().find_map(|b| model.apis.trait_row(model.text(model.external_path(b.of)?))?.feeds)
}
