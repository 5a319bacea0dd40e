//! Both ends of a channel: which call made them, what holds the sending end, and whether anything gives it up before its
//! holder is dropped.

use super::access::{Root, Tracer};
use super::captures::{Captured, Variable, is_clone, variable};
use super::exits::origin_of;
use super::{BodyRef, Callee, DefId, Model, Symbol, TyData, known};
use crate::apis::{End as ChannelEnd, FnRow, split_last, term::Term};
use crate::facts::body::*;
use crate::source::Span;
use rustc_hash::FxHashSet;

/// The sending end of a channel: the body and the call that made it.
pub type Channel = (u32, StatementId);

/// What is looked for in a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// The sending end of a channel.
    Sender(Channel),
    /// A parameter of the function.
    Param(LocalId),
}

/// A search through the values of one function.
struct Search<'a, 't> {
    tracer: &'t Tracer<'a>,
    target: Target,
    seen: FxHashSet<Variable>,
    /// Fields of the run's types that it was found in, the innermost first.
    fields: Vec<(DefId, Symbol)>,
    /// Calls of the run's functions that may still be looked into.
    depth: u32,
}

/// The channel whose receiving end a place is, through names, captures and wrappers.
pub fn received(tracer: &Tracer, index: u32, place: PlaceId) -> Option<Channel> {
    match end_of(tracer, index, tracer.body(index).body.local_of(place)?, 24)? {
        (channel, ChannelEnd::Rx) => Some(channel),
        _ => None,
    }
}

fn end_of(tracer: &Tracer, index: u32, local: LocalId, steps: u32) -> Option<(Channel, ChannelEnd)> {
    let body = &tracer.body(index).body;
    if steps == 0 {
        return None;
    }
    if body.locals[local.index()].kind == LocalKind::Capture {
        let (outer, local) = tracer.outer(index, local)?;
        return end_of(tracer, outer, local, steps - 1);
    }
    let id = tracer.definition_id(index, local)?;
    let statement = &body.statements[id.index()];
    let args = body.args(statement);
    let from = match statement.op {
        Op::Assign => args.first()?.as_place()?.1,
        Op::Call | Op::CallMethod => match tracer.row(index, id)? {
            row if row.wraps.len() == 1 => args.get(row.wraps[0] as usize)?.as_place()?.1,
            row if row.through || is_clone(&row.path) => args.first()?.as_place()?.1,
            _ => return None,
        },
        _ => return None,
    };
    taken_from_pair(tracer, index, from).or_else(|| end_of(tracer, index, body.local_of(from)?, steps - 1))
}

/// `pair.1`, where `pair` is what a call gives that makes a channel.
fn taken_from_pair(tracer: &Tracer, index: u32, place: PlaceId) -> Option<(Channel, ChannelEnd)> {
    let typed = tracer.body(index);
    let Some(Projection::Field(name)) = typed.body.projections_of(place).last() else { return None };
    let position: usize = tracer.model.text(tracer.model.name(typed.at.file, *name)).parse().ok()?;
    let call = super::exits::call_behind(tracer, index, typed.body.local_of(place)?)?;
    let end = *tracer.row(index, call)?.pair.as_ref()?.get(position)?;
    Some(((index, call), end))
}

/// The fields of the run's types in which a function puts receiving ends of channels that it makes, by literals or by
/// functions that keep what they are given in their result.
pub fn kept_receivers(tracer: &Tracer) -> Vec<((DefId, Symbol), Channel)> {
    let mut list = Vec::new();
    for index in 0..tracer.function.bodies.len() as u32 {
        let typed = tracer.body(index);
        for id in (0..typed.body.statements.len() as u32).map(StatementId) {
            let statement = &typed.body.statements[id.index()];
            let args = typed.body.args(statement);
            let callee = typed.types.callee(id);
            if !matches!(callee, Callee::Def(_) | Callee::Constructor(_)) && statement.op != Op::Struct {
                continue;
            }
            for (at, operand) in args.iter().enumerate() {
                let Some(channel) = operand.as_place().and_then(|(_, place)| received(tracer, index, place)) else {
                    continue;
                };
                match callee {
                    Callee::Def(def) => {
                        let mut fields = Vec::new();
                        keeps_in_result(tracer.model, def, at, 2, &mut fields);
                        list.extend(fields.first().map(|&field| (field, channel)));
                    }
                    Callee::Constructor(def) => {
                        list.push(((def, tracer.model.symbols.intern(&at.to_string())), channel));
                    }
                    _ => {
                        if let (&TyData::Adt(of, _), Some(OperandKind::Name(name))) = (
                            tracer.model.ty(tracer.ty(index, statement.dest)),
                            at.checked_sub(1).map(|before| args[before].kind()),
                        ) {
                            list.push(((of, tracer.model.name(typed.at.file, name)), channel));
                        }
                    }
                }
            }
        }
    }
    list
}

/// Whether one of these values holds the sending end of a channel: which one, and the fields it is in.
pub fn sender_within<'c>(
    tracer: &Tracer,
    channel: Channel,
    captured: &'c [Captured],
) -> Option<(&'c Captured, Vec<(DefId, Symbol)>)> {
    captured.iter().find_map(|c| {
        let mut search = Search::new(tracer, Target::Sender(channel), 3);
        if search.variable(c.local) {
            return Some((c, search.fields));
        }
        let fields = search.stores(c);
        (!fields.is_empty()).then_some((c, fields))
    })
}

impl<'a, 't> Search<'a, 't> {
    fn new(tracer: &'t Tracer<'a>, target: Target, depth: u32) -> Search<'a, 't> {
        Search { tracer, target, seen: FxHashSet::default(), fields: Vec::new(), depth }
    }

    /// Whether the value of a local holds what is looked for.
    fn variable(&mut self, (index, local): Variable) -> bool {
        if index == 0 && self.target == Target::Param(local) {
            return true;
        }
        if !self.seen.insert((index, local)) || self.seen.len() > 64 {
            return false;
        }
        let body = &self.tracer.body(index).body;
        if body.locals[local.index()].kind == LocalKind::Capture {
            return self.tracer.outer(index, local).is_some_and(|outer| self.variable(outer));
        }
        let gives = |s: &Statement| {
            !matches!(s.op, Op::Declare | Op::ScopeEnd) && s.dest.get().and_then(|d| body.whole_local(d)) == Some(local)
        };
        let ids = (0..body.statements.len() as u32).map(StatementId);
        ids.filter(|id| gives(&body.statements[id.index()])).any(|id| self.value(index, id))
    }

    fn operand(&mut self, index: u32, operand: Operand) -> bool {
        let Some((position, place)) = operand.as_place() else { return false };
        let body = &self.tracer.body(index).body;
        if let (Some((channel, ChannelEnd::Tx)), Target::Sender(wanted)) =
            (taken_from_pair(self.tracer, index, place), self.target)
        {
            return channel == wanted;
        }
        let part = body.projections_of(place).iter().any(|p| matches!(p, Projection::Field(_) | Projection::Element));
        let lent = matches!(position, Position::Ref | Position::RefMut);
        !part && !lent && body.local_of(place).is_some_and(|local| self.variable((index, local)))
    }

    /// Whether what a statement gives holds it.
    fn value(&mut self, index: u32, id: StatementId) -> bool {
        let typed = self.tracer.body(index);
        let statement = &typed.body.statements[id.index()];
        let args = typed.body.args(statement);
        match statement.op {
            Op::Assign | Op::Cast | Op::Tuple | Op::Array => args.iter().any(|&a| self.operand(index, a)),
            Op::Struct => self.literal(index, statement, args),
            Op::Call | Op::CallMethod => match typed.types.callee(id) {
                Callee::Constructor(def) => self.constructor(index, def, args),
                Callee::Def(def) => (0..args.len()).any(|at| {
                    self.operand(index, args[at])
                        && keeps_in_result(self.tracer.model, def, at, self.depth, &mut self.fields)
                }),
                _ => self.library(index, id, args),
            },
            _ => false,
        }
    }

    fn library(&mut self, index: u32, id: StatementId, args: &[Operand]) -> bool {
        let Some(row) = self.tracer.row(index, id) else { return false };
        let wrapped = row.wraps.iter().any(|&at| args.get(at as usize).is_some_and(|&a| self.operand(index, a)));
        let again = row.through || is_clone(&row.path);
        wrapped || again && args.first().is_some_and(|&a| self.seen_through(index, a))
    }

    /// The receiver of a clone, which may be borrowed.
    fn seen_through(&mut self, index: u32, operand: Operand) -> bool {
        let Some((_, place)) = operand.as_place() else { return false };
        self.operand(index, Operand::place(Position::Receiver, place))
    }

    fn literal(&mut self, index: u32, statement: &Statement, args: &[Operand]) -> bool {
        let file = self.tracer.body(index).at.file;
        for pair in args.chunks_exact(2) {
            if self.operand(index, pair[1]) {
                if let (&TyData::Adt(of, _), OperandKind::Name(name)) =
                    (self.tracer.model.ty(self.tracer.ty(index, statement.dest)), pair[0].kind())
                {
                    self.fields.push((of, self.tracer.model.name(file, name)));
                }
                return true;
            }
        }
        false
    }

    fn constructor(&mut self, index: u32, def: DefId, args: &[Operand]) -> bool {
        let found = (0..args.len()).find(|&at| self.operand(index, args[at]));
        if let Some(at) = found {
            self.fields.push((def, self.tracer.model.symbols.intern(&at.to_string())));
        }
        found.is_some()
    }

    /// The fields of what a captured value keeps alive in which it is put later: `*self.tx.lock() = Some(tx)`,
    /// `self.tx.get_or_init(|| tx)`.
    fn stores(&mut self, captured: &Captured) -> Vec<(DefId, Symbol)> {
        let alive = self.tracer.model.keeps_alive(captured.ty);
        let mut found = Vec::new();
        for index in 0..self.tracer.function.bodies.len() as u32 {
            let body = &self.tracer.body(index).body;
            for id in (0..body.statements.len() as u32).map(StatementId) {
                let Some(place) = self.stored_at(index, id) else { continue };
                let access = self.tracer.place(index, place);
                let Root::Field(owner, name) = access.root else { continue };
                let same = variable(self.tracer, index, place) == Some(captured.from);
                if same && !access.element && alive.contains(&owner) {
                    found.push((owner, name));
                }
            }
        }
        found
    }

    /// The place in which a statement puts what is looked for.
    fn stored_at(&mut self, index: u32, id: StatementId) -> Option<PlaceId> {
        let typed = self.tracer.body(index);
        let statement = &typed.body.statements[id.index()];
        self.seen.clear();
        if let Some(dest) = statement.dest.get().filter(|&d| typed.body.whole_local(d).is_none()) {
            return self.value(index, id).then_some(dest);
        }
        if statement.op != Op::CallMethod {
            return None;
        }
        let args = typed.body.args(statement);
        let receiver = args.first()?.as_place()?.1;
        let model = self.tracer.model;
        let inner = model.peel_refs(self.tracer.ty(index, receiver));
        let cell =
            model.type_row(inner).is_some_and(|row| row.locks) || model.external_path(inner) == Some(known::OPTION);
        let mut puts = || args[1..].iter().any(|&a| self.operand(index, a) || self.closure_gives(index, a));
        (cell && puts()).then_some(receiver)
    }

    /// `|| tx`
    fn closure_gives(&mut self, index: u32, operand: Operand) -> bool {
        let body = &self.tracer.body(index).body;
        let local = operand.as_place().and_then(|(_, place)| body.whole_local(place));
        let made = local.and_then(|local| self.tracer.definition(index, local)).and_then(|s| body.nested(s));
        let inner = made.and_then(|made| self.tracer.function.bodies.iter().position(|b| b.at.body == made));
        inner.is_some_and(|inner| self.variable((inner as u32, LocalId(0))))
    }
}

/// Whether a function's result holds what it is given as a parameter.
fn keeps_in_result(model: &Model, def: DefId, param: usize, depth: u32, fields: &mut Vec<(DefId, Symbol)>) -> bool {
    let Some(root) = model.body_of(def).filter(|_| depth > 0) else { return false };
    let function = model.typed(root);
    if param as u32 >= function.root().body.params {
        return false;
    }
    let tracer = Tracer::new(model, &function);
    let mut search = Search::new(&tracer, Target::Param(LocalId(param as u32 + 1)), depth - 1);
    let found = search.variable((0, LocalId(0)));
    fields.append(&mut search.fields);
    found
}

/// The place of the sending end that a receiving end was derived from: `self.events` of `self.events.subscribe()`.
pub fn subscribed(tracer: &Tracer, index: u32, place: PlaceId) -> Option<(u32, StatementId)> {
    let at = variable(tracer, index, place)?;
    let call = origin_of(tracer, at.0, at.1)?;
    Some((at.0, call))
}

/// Whether a function derives a receiving end from a sending end.
pub fn subscribes(model: &Model, row: &FnRow) -> bool {
    let Some((owner, _)) = split_last(&row.path) else { return false };
    let Some(Term::Path { path, .. }) = &row.returns else { return false };
    model.apis.functions().iter().filter(|f| f.pair.is_some()).any(|f| match &f.returns {
        Some(Term::Tuple(parts)) => {
            let named =
                |at: usize, name: &str| matches!(parts.get(at), Some(Term::Path { path, .. }) if **path == *name);
            named(0, owner) && named(1, path)
        }
        _ => false,
    })
}

/// The field of `self` whose sending end a function of the run derives its result from:
/// `fn subscribe(&self) -> Receiver { self.events.subscribe() }`.
pub fn subscription_of(model: &Model, def: DefId, depth: u32) -> Option<(DefId, Symbol)> {
    let root = model.body_of(def).filter(|_| depth > 0)?;
    let function = model.typed(root);
    let tracer = Tracer::new(model, &function);
    let call = origin_of(&tracer, 0, LocalId(0))?;
    let (root, from) = subscription(&tracer, 0, call, depth)?;
    (from == (0, LocalId(1))).then_some(root)
}

/// The field whose sending end a call derives a receiving end from, and the variable it is reached from.
pub fn subscription(tracer: &Tracer, index: u32, call: StatementId, depth: u32) -> Option<((DefId, Symbol), Variable)> {
    let typed = tracer.body(index);
    let receiver = typed.body.args(&typed.body.statements[call.index()]).first()?.as_place()?.1;
    let from = variable(tracer, index, receiver)?;
    if let Callee::Def(def) = typed.types.callee(call) {
        return Some((subscription_of(tracer.model, def, depth.checked_sub(1)?)?, from));
    }
    let row = tracer.row(index, call)?;
    match tracer.place(index, receiver).root {
        Root::Field(owner, name) if subscribes(tracer.model, row) => Some(((owner, name), from)),
        _ => None,
    }
}

/// Whether something in the run may give up what a field holds before its owner is dropped: takes, replaces or clears it.
pub fn is_given_up(model: &Model, owner: DefId, name: Symbol) -> bool {
    let touches = |at: &BodyRef| {
        let header = model.header(at.file);
        let fields = model.body_header(*at).fields.of(&header.body_names);
        fields.iter().any(|&n| model.name(at.file, n) == name)
    };
    let mut roots: Vec<BodyRef> =
        model.bodies().map(|(at, _)| at).filter(touches).map(|at| model.root_of(at)).collect();
    roots.dedup();
    roots.iter().any(|&root| {
        let ends = model.dropped_type(model.owner(root)).is_some();
        !ends && !model.is_test(model.owner(root)) && gives_up(model, root, owner, name)
    })
}

/// What takes the content out of a cell or an option, or puts other content in.
const TAKES: [&str; 7] = ["take", "replace", "swap", "into_inner", "take_if", "close", "store"];

fn gives_up(model: &Model, root: BodyRef, owner: DefId, name: Symbol) -> bool {
    let function = model.typed(root);
    let tracer = Tracer::new(model, &function);
    let is_it = |index, place| match tracer.place(index, place) {
        access if access.root == Root::Field(owner, name) => true,
        access => access.root == Root::Unknown && access.last == Some(name),
    };
    (0..function.bodies.len() as u32).any(|index| {
        let body = &tracer.body(index).body;
        body.statements.iter().any(|statement| {
            let first = body.args(statement).first().and_then(|a| a.as_place());
            let taken = match statement.op {
                Op::CallMethod => first.is_some_and(|(_, place)| {
                    TAKES.contains(&tracer.method_name(index, statement)) && is_it(index, place)
                }),
                // `mem::take(&mut self.tx)`
                Op::Call => body
                    .args(statement)
                    .iter()
                    .filter_map(|a| a.as_place())
                    .any(|(position, place)| position == Position::RefMut && is_it(index, place)),
                _ => false,
            };
            taken || empties(&tracer, index, statement, &is_it)
        })
    })
}

/// `self.tx = None`
fn empties(tracer: &Tracer, index: u32, statement: &Statement, is_it: &impl Fn(u32, PlaceId) -> bool) -> bool {
    let typed = tracer.body(index);
    let dest = statement.dest.get().filter(|&d| typed.body.whole_local(d).is_none());
    let Some(dest) = dest.filter(|_| matches!(statement.op, Op::Assign | Op::Call)) else { return false };
    let place = typed.body.args(statement).first().and_then(|a| a.as_place());
    let none = place.is_some_and(|(_, place)| match typed.body.places[place.index()].base {
        Base::Path(path) => {
            let name = typed.body.types.last_name(path).get();
            name.is_some_and(|n| tracer.model.text(tracer.model.name(typed.at.file, n)) == "None")
        }
        Base::Local(_) => false,
    });
    none && is_it(index, dest)
}

/// Where a channel was made.
pub fn made_at(tracer: &Tracer, channel: Channel) -> Span {
    tracer.span(channel.0, channel.1)
}
