//! Where numbers come in that somebody outside chose: calls that a row says so of, functions of the run that return what such a
//! call gave, lengths in headers, and numbers put together from bytes.

use super::Path;
use super::summaries::{Given, Summaries, field_at};
use crate::apis::Feed;
use crate::facts::BodyKind;
use crate::facts::body::*;
use crate::facts::types::PathId;
use crate::model::access::Tracer;
use crate::model::{Callee, Namespace, Res, Ty, TyData};
use crate::source::Span;

/// Operands are looked into this deep.
const DEPTH: u32 = 8;

/// Who chose a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The other end of a connection.
    Peer,
    /// Another process of the same machine.
    Local,
    /// Not known: whoever wrote the bytes.
    Bytes,
    /// A local file.
    File,
}

/// A number that comes in.
#[derive(Debug, Clone)]
pub struct Read {
    /// The statement that gives it; none for a parameter.
    pub at: Option<StatementId>,
    /// Where that puts it.
    pub dest: PlaceId,
    /// The part of it that is the number.
    pub path: Path,
    /// The parameter that it is, if it is one.
    pub param: Option<u32>,
    /// Where it was read: here, or in the function that gave it.
    pub span: Span,
    /// Whether that function is another one.
    pub elsewhere: bool,
    /// Who chose it.
    pub origin: Origin,
}

/// All numbers that come in within a body.
pub fn reads(tracer: &Tracer, index: u32, summaries: &Summaries, params: bool) -> Vec<Read> {
    let typed = tracer.body(index);
    let mut reads = Vec::new();
    if params && index == 0 && tracer.model.body_header(typed.at).kind == BodyKind::Fn {
        for param in (0..typed.body.params).filter(|&p| is_number(tracer, typed.types.locals[p as usize + 1])) {
            let span = Span { file: typed.at.file, range: typed.body.locals[param as usize + 1].span };
            let (at, dest, path) = (None, PlaceId::NONE, Path::new());
            reads.push(Read { at, dest, path, param: Some(param), span, elsewhere: false, origin: Origin::Bytes });
        }
    }
    let places = (0..typed.body.places.len() as u32).map(PlaceId).filter(|_| !summaries.fields.is_empty());
    for dest in places.filter(|&place| !typed.body.projections_of(place).is_empty()) {
        let field = field_at(tracer, index, dest).and_then(|field| summaries.fields.get(&field));
        let Some(&Given { span, origin, .. }) = field else { continue };
        reads.push(Read { at: None, dest, path: Path::new(), param: None, span, elsewhere: true, origin });
    }
    for id in (0..typed.body.statements.len() as u32).map(StatementId) {
        let statement = &typed.body.statements[id.index()];
        if statement.dest.is_none() || tracer.model.is_left_out(tracer.span(index, id)) {
            continue;
        }
        if let Callee::Def(def) = typed.types.callee(id)
            && let Some(given) = summaries.returns.get(&def)
        {
            reads.extend(given.iter().map(|given| Read {
                at: Some(id),
                dest: statement.dest,
                path: given.path.clone(),
                param: None,
                span: given.span,
                elsewhere: true,
                origin: given.origin.min(if given.origin == Origin::Bytes {
                    origin(tracer, index, id)
                } else {
                    given.origin
                }),
            }));
        } else if is_read(tracer, index, id) {
            let (span, origin) = (span_of(tracer, index, id), origin(tracer, index, id));
            let path = Path::new();
            let at = Some(id);
            reads.push(Read { at, dest: statement.dest, path, param: None, span, elsewhere: false, origin });
        }
    }
    reads
}

/// Where a statement stands; one without a place of its own (an operator) where the next one does that has.
pub fn span_of(tracer: &Tracer, index: u32, id: StatementId) -> Span {
    let count = tracer.body(index).body.statements.len() as u32;
    let spans = (id.0..count).chain((0..id.0).rev()).map(|at| tracer.span(index, StatementId(at)));
    spans.into_iter().find(|span| span.range.hi > 0).unwrap_or_else(|| tracer.span(index, id))
}

/// Whether some statement may bring in such a number: looked at before anything is followed.
pub fn is_read(tracer: &Tracer, index: u32, id: StatementId) -> bool {
    let body = &tracer.body(index).body;
    let statement = &body.statements[id.index()];
    match statement.op {
        Op::Call | Op::CallMethod => {
            let by_name = || {
                statement.op == Op::CallMethod
                    && !matches!(tracer.body(index).types.callee(id), Callee::Def(_))
                    && tracer.model.apis.is_peer_number_name(tracer.method_name(index, statement))
            };
            match tracer.row(index, id) {
                Some(row) => row.peer_number || names_size(tracer, index, statement),
                None => by_name() || names_size(tracer, index, statement),
            }
        }
        Op::Binary if BinaryOp::from_data(statement.data) == BinaryOp::Shl => {
            let args = body.args(statement);
            is_byte(tracer, index, args[0], DEPTH) && literal(tracer, index, args[1]).is_none_or(|by| by >= 16)
        }
        _ => false,
    }
}

/// `headers.get(CONTENT_LENGTH)`, `headers.get("content-length")`
fn names_size(tracer: &Tracer, index: u32, statement: &Statement) -> bool {
    let typed = tracer.body(index);
    let model = tracer.model;
    statement.op == Op::CallMethod
        && typed.body.args(statement).iter().skip(1).any(|arg| match arg.kind() {
            OperandKind::Literal(id) => {
                let literal = typed.body.literals[id.index()];
                let text = literal.text.get().filter(|_| literal.kind == LiteralKind::Text);
                text.is_some_and(|text| model.apis.is_size_header(model.text(model.name(typed.at.file, text))))
            }
            OperandKind::Place(_, place) => {
                let Base::Path(path) = typed.body.places[place.index()].base else { return false };
                let last = typed.body.types.last_name(path).get().map(|n| model.text(model.name(typed.at.file, n)));
                if !last.is_some_and(|last| model.apis.is_size_constant(last)) {
                    return false;
                }
                let scope = model.scope_of_body(typed.at);
                match model.resolve(&scope, &typed.body.types, path, Namespace::Value) {
                    Res::External(path) => model.fn_row(path).is_some_and(|row| row.tells_size),
                    _ => false,
                }
            }
            _ => false,
        })
}

/// Whether a number is one byte, or made of one: `b`, `bytes[i] as u32`, `u64::from(b & 0x7f)`.
fn is_byte(tracer: &Tracer, index: u32, operand: Operand, depth: u32) -> bool {
    let Some((_, place)) = operand.as_place().filter(|_| depth > 0) else { return false };
    let typed = tracer.body(index);
    let model = tracer.model;
    let ty = model.peel_refs(tracer.ty(index, place));
    if matches!(model.ty(ty), TyData::Prim(name) if model.text(*name) == "u8") {
        return true;
    }
    let local = typed.body.whole_local(place);
    let Some(statement) = local.and_then(|local| tracer.definition(index, local)) else { return false };
    let args = typed.body.args(statement);
    let converts = |s: &Statement| {
        let name = typed.body.types.last_name(PathId(s.data)).get();
        name.is_some_and(|n| matches!(model.text(model.name(typed.at.file, n)), "from" | "into"))
    };
    match statement.op {
        Op::Assign | Op::Cast => is_byte(tracer, index, args[0], depth - 1),
        Op::Binary if BinaryOp::from_data(statement.data) == BinaryOp::And => {
            is_byte(tracer, index, args[0], depth - 1)
        }
        Op::Call | Op::CallMethod if converts(statement) => {
            args.first().is_some_and(|&arg| is_byte(tracer, index, arg, depth - 1))
        }
        _ => false,
    }
}

/// Who chose a number that is read here: told by the types that are at hand.
fn origin(tracer: &Tracer, index: u32, id: StatementId) -> Origin {
    let typed = tracer.body(index);
    let receiver = typed.body.args(&typed.body.statements[id.index()]).first().and_then(|a| a.as_place());
    if let Some((_, place)) = receiver
        && let Some(origin) = origin_of(tracer, tracer.ty(index, place))
    {
        return origin;
    }
    let all: Vec<Origin> = typed.types.locals.iter().filter_map(|&ty| origin_of(tracer, ty)).collect();
    if all.contains(&Origin::File) { Origin::File } else { all.into_iter().min().unwrap_or(Origin::Bytes) }
}

/// Who feeds a value of a type, through what is wrapped around it.
fn origin_of(tracer: &Tracer, ty: Ty) -> Option<Origin> {
    tracer.model.inside(ty).find_map(|ty| {
        let row = tracer.model.type_row(ty)?;
        match row.feeds {
            Some(Feed::File) => Some(Origin::File),
            Some(Feed::Local | Feed::Pipe) => Some(Origin::Local),
            Some(Feed::Request | Feed::Socket) => Some(Origin::Peer),
            _ => row.peer.then_some(Origin::Peer),
        }
    })
}

/// Whether a type is that of a number that may be great.
fn is_number(tracer: &Tracer, ty: Ty) -> bool {
    matches!(tracer.model.ty(ty), TyData::Prim(name)
        if matches!(tracer.model.text(*name), "u32" | "u64" | "usize" | "i32" | "i64" | "u128"))
}

/// The value of a literal number.
pub fn literal(tracer: &Tracer, index: u32, operand: Operand) -> Option<u128> {
    let OperandKind::Literal(id) = operand.kind() else { return None };
    let typed = tracer.body(index);
    let literal = typed.body.literals[id.index()];
    let text = literal.text.get().filter(|_| literal.kind == LiteralKind::Number)?;
    number(tracer.model.text(tracer.model.name(typed.at.file, text)))
}

/// `0x7fff_ffff`, `16u32`
fn number(text: &str) -> Option<u128> {
    let text = text.replace('_', "");
    let (radix, digits) = match text.get(..2) {
        Some("0x") => (16, &text[2..]),
        Some("0b") => (2, &text[2..]),
        Some("0o") => (8, &text[2..]),
        _ => (10, &text[..]),
    };
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    u128::from_str_radix(&digits[..end], radix).ok()
}

/// Whether a closure compares what it is given, or makes it smaller.
pub fn judges(tracer: &Tracer, index: u32) -> bool {
    let typed = tracer.body(index);
    let branches = |b: &Block| matches!(b.end, End::Branch | End::Switch | End::Try);
    typed.body.blocks.iter().any(branches)
        || typed.body.statements.iter().enumerate().any(|(id, statement)| match statement.op {
            Op::Binary => {
                let op = BinaryOp::from_data(statement.data);
                !op.computes() || matches!(op, BinaryOp::Rem | BinaryOp::And)
            }
            Op::CallMethod | Op::Call => {
                let row = tracer.row(index, StatementId(id as u32));
                let name = typed.body.types.last_name(PathId(statement.data)).get();
                row.is_some_and(|row| row.clamps)
                    || name.is_some_and(|n| {
                        tracer.model.apis.is_clamp_name(tracer.model.text(tracer.model.name(typed.at.file, n)))
                    })
            }
            _ => false,
        })
}
