//! Reads that end only when the other side stops, with who decides when that is: whole bodies, pieces up to a delimiter,
//! loops that keep every chunk, and functions of the run that do so with a parameter. What limits them is looked for on the
//! value's way, in checks of its size, and one call up and down. It knows no lint.

use super::access::Tracer;
use super::accumulate::accumulated;
use super::builders::is_max;
use super::digest::Digest;
use super::effects::slot;
use super::feeds::{Fed, fed_by};
use super::ledger::Event;
use super::nearby::asks_whether_nearby;
use super::{Callee, DefId, Model};
use crate::apis::{Feed, FnRow, Heat, ReadsAll};
use crate::facts::body::*;
use crate::source::Span;
use rustc_hash::FxHashMap;

/// A read without a limit.
#[derive(Debug, Clone)]
pub struct Read {
    /// The position of its function.
    pub function: u32,
    /// The body it stands in.
    pub body: u32,
    /// The call.
    pub statement: StatementId,
    /// Where.
    pub span: Span,
    /// How it is read.
    pub how: How,
    /// What is read at a time, in words; everything if there is no such word.
    pub piece: Option<&'static str>,
    /// What it is read from.
    pub fed: Fed,
    /// The function, or one that calls it, asks whether the other side is on the same machine.
    pub nearby: bool,
}

/// How something is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// By a library's function that has no limit.
    Whole,
    /// By one whose limit is a `MAX`.
    NoLimit,
    /// The limit that bodies have by default is taken away.
    Uncapped,
    /// Chunk by chunk, in this loop.
    Loop(Span),
    /// By a function of the run, which reads here.
    Helper(Span),
}

/// A function that reads all of a parameter.
#[derive(Debug, Clone, Copy)]
struct Reader {
    param: u32,
    piece: Option<&'static str>,
    at: Span,
}

/// All reads without a limit that are told who feeds them.
pub fn unlimited_reads(model: &Model) -> Vec<Read> {
    let mut found = Vec::new();
    let mut readers: FxHashMap<DefId, Reader> = FxHashMap::default();
    let kept_in_loop = |e: &Event| e.in_loop.get().is_some() && e.is_growth();
    let may_read = |d: &Digest| d.reads.all || d.reads.pieces && d.events.list.iter().any(kept_in_loop);
    model.each_function(may_read, |tracer, position| {
        let owner = model.analysis.digests[position as usize].owner;
        for mut read in candidates(tracer, position) {
            if read.fed.capped || is_checked(tracer, owner, &read.fed) {
                continue;
            }
            settle(model, position, &mut read.fed);
            match (read.fed.by, read.fed.param) {
                (None | Some(Feed::Body), Some(param)) => {
                    readers.entry(owner).or_insert(Reader { param, piece: read.piece, at: read.span });
                }
                (None | Some(Feed::Body | Feed::Memory), _) => {}
                _ => found.push(Read { nearby: asks_whether_nearby(tracer, owner), ..read }),
            }
        }
    });
    let calls_reader = |d: &Digest| d.calls.iter().any(|call| readers.contains_key(&call.callee));
    model.each_function(calls_reader, |tracer, position| {
        let owner = model.analysis.digests[position as usize].owner;
        let reads = helped(tracer, position, &readers).into_iter();
        found.extend(
            reads
                .filter(|read| !read.fed.capped && !is_checked(tracer, owner, &read.fed))
                .filter(|read| !matches!(read.fed.by, None | Some(Feed::Body | Feed::Memory)))
                .map(|read| Read { nearby: asks_whether_nearby(tracer, owner), ..read }),
        );
    });
    found.retain(|read| !model.is_left_out(read.span));
    found.sort_by_key(|read| (read.span, read.body, read.statement));
    found.dedup_by_key(|read| read.span);
    found
}

/// A body that a server hands to a function is that of a request: `post(upload)`, with `async fn upload(body: Body)`.
fn settle(model: &Model, position: u32, fed: &mut Fed) {
    let repeated = model.analysis.heats[position as usize] == super::heat::Runs::Repeated;
    let owner = model.analysis.digests[position as usize].owner;
    let called = || {
        model
            .analysis
            .digests
            .iter()
            .any(|d| d.calls.iter().any(|c| c.callee == owner && !(c.named && c.heat == Heat::Repeated)))
    };
    if fed.by == Some(Feed::Body) && fed.param.is_some() && repeated && !called() {
        fed.by = Some(Feed::Request);
    }
}

/// What a function reads, whoever feeds it.
fn candidates(tracer: &Tracer, position: u32) -> Vec<Read> {
    let digest = &tracer.model.analysis.digests[position as usize];
    let mut found = Vec::new();
    for index in 0..tracer.function.bodies.len() as u32 {
        for id in (0..tracer.body(index).body.statements.len() as u32).map(StatementId) {
            let Some(row) = tracer.row(index, id) else { continue };
            let read = |how, piece, fed| {
                let span = tracer.span(index, id);
                Read { function: position, body: index, statement: id, span, how, piece, fed, nearby: false }
            };
            if row.uncaps_bodies {
                let fed = Fed { by: Some(Feed::Request), ..Fed::default() };
                found.push(read(How::Uncapped, None, fed));
            }
            if let Some(reads) = &row.reads_all
                && let Some(how) = limit(tracer, index, id, row, reads)
            {
                found.push(read(how, reads.piece.as_deref(), what_is_read(tracer, index, id, row, reads)));
            }
        }
    }
    let list = &digest.events.list;
    found.extend(list.iter().filter_map(|growth| kept_chunks(tracer, position, list, growth)));
    found
}

/// How a call reads, if nothing limits it.
fn limit(tracer: &Tracer, index: u32, id: StatementId, row: &FnRow, reads: &ReadsAll) -> Option<How> {
    let Some(limit) = reads.limit else { return Some(How::Whole) };
    let body = &tracer.body(index).body;
    let args = body.args(&body.statements[id.index()]).iter().enumerate();
    let mut given = args.filter(|(at, _)| slot(row, *at) == crate::apis::Slot::Arg(limit));
    given.any(|(_, &operand)| is_max(tracer, index, operand)).then_some(How::NoLimit)
}

fn what_is_read(tracer: &Tracer, index: u32, id: StatementId, row: &FnRow, reads: &ReadsAll) -> Fed {
    let body = &tracer.body(index).body;
    let statement = &body.statements[id.index()];
    let args = body.args(statement);
    match reads.from {
        Some(from) => {
            let read = args.iter().enumerate().find(|(at, _)| slot(row, *at) == from);
            read.map(|(_, &operand)| fed_by(tracer, index, operand)).unwrap_or_default()
        }
        None if reads.feeds.is_some() => Fed { by: reads.feeds, ..Fed::default() },
        None => put_together_with(tracer, index, statement),
    }
}

/// `FramedRead::new(stream, LinesCodec::new())`: what the result of a call is given to a function together with.
fn put_together_with(tracer: &Tracer, index: u32, made: &Statement) -> Fed {
    let body = &tracer.body(index).body;
    let Some(local) = made.dest.get().and_then(|d| body.local_of(d)) else { return Fed::default() };
    let is_it = |a: &Operand| a.as_place().and_then(|(_, p)| body.local_of(p)) == Some(local);
    let calls = body.statements.iter().filter(|s| matches!(s.op, Op::Call | Op::CallMethod));
    let mut others = calls.map(|s| body.args(s)).filter(|args| args.iter().any(is_it)).flatten().filter(|a| !is_it(a));
    others
        .find_map(|&a| Some(fed_by(tracer, index, a)).filter(|fed| fed.by.is_some() || fed.capped))
        .unwrap_or_default()
}

/// `while let Some(chunk) = body.next().await { all.extend_from_slice(&chunk) }`, without a comparison in the loop.
fn kept_chunks(tracer: &Tracer, position: u32, events: &[Event], growth: &Event) -> Option<Read> {
    let kept = growth.in_loop.get().and_then(|_| accumulated(tracer, events, growth))?;
    let index = growth.site.body;
    let body = &tracer.body(index).body;
    let blocks = (0..body.blocks.len() as u32).map(BlockId).filter(|&b| body.block_in_loop(b, kept.id));
    let inside: Vec<u32> = blocks.flat_map(|b| body.blocks[b.index()].statements.ids()).collect();
    if inside.iter().any(|&s| orders(tracer, index, StatementId(s))) {
        return None;
    }
    let brings = |&&s: &&u32| {
        tracer.row(index, StatementId(s)).is_some_and(|row| row.from_outside && row.reads_all.is_none())
            && flows_into(tracer, index, &inside, StatementId(s), growth)
    };
    let source = StatementId(*inside.iter().find(brings)?);
    let receiver = *body.args(&body.statements[source.index()]).first()?;
    let fed = fed_by(tracer, index, receiver);
    let (statement, span) = (growth.site.statement, growth.site.span);
    Some(Read {
        function: position,
        body: index,
        statement,
        span,
        how: How::Loop(kept.in_loop),
        piece: None,
        fed,
        nearby: false,
    })
}

/// Whether what a call in a loop brings is what is added.
fn flows_into(tracer: &Tracer, index: u32, inside: &[u32], source: StatementId, growth: &Event) -> bool {
    if source == growth.site.statement {
        return true;
    }
    let body = &tracer.body(index).body;
    let local = |a: &Operand| a.as_place().and_then(|(_, place)| body.local_of(place));
    let statement = &body.statements[source.index()];
    // `socket.read(&mut chunk)`
    let filled = body.args(statement).iter().skip(1).filter_map(local);
    let mut brought: Vec<LocalId> =
        statement.dest.get().and_then(|d| body.local_of(d)).into_iter().chain(filled).collect();
    // A second round for what is lowered in another order.
    for &s in inside.iter().chain(inside) {
        let statement = &body.statements[s as usize];
        let takes =
            s != growth.site.statement.0 && body.args(statement).iter().filter_map(local).any(|l| brought.contains(&l));
        if let Some(dest) =
            statement.dest.get().and_then(|d| body.local_of(d)).filter(|d| takes && !brought.contains(d))
        {
            brought.push(dest);
        }
    }
    let added = body.args(&body.statements[growth.site.statement.index()]).iter().skip(1);
    added.filter_map(local).any(|l| brought.contains(&l))
}

/// What functions of the run read of what they are given here.
fn helped(tracer: &Tracer, position: u32, readers: &FxHashMap<DefId, Reader>) -> Vec<Read> {
    let mut found = Vec::new();
    for index in 0..tracer.function.bodies.len() as u32 {
        let typed = tracer.body(index);
        for (at, statement) in typed.body.statements.iter().enumerate() {
            let id = StatementId(at as u32);
            let Callee::Def(callee) = typed.types.callee(id) else { continue };
            let Some(reader) = readers.get(&callee) else { continue };
            let Some(&given) = typed.body.args(statement).get(reader.param as usize) else { continue };
            let mut fed = fed_by(tracer, index, given);
            settle(tracer.model, position, &mut fed);
            let (how, span) = (How::Helper(reader.at), tracer.span(index, id));
            found.push(Read {
                function: position,
                body: index,
                statement: id,
                span,
                how,
                piece: reader.piece,
                fed,
                nearby: false,
            });
        }
    }
    found
}

/// Whether somebody asks how much there is and compares it: the function, one that it gives the value to, or a caller.
fn is_checked(tracer: &Tracer, owner: DefId, fed: &Fed) -> bool {
    let model = tracer.model;
    checks_size(tracer)
        || helpers(tracer, fed).into_iter().any(|def| def_checks_size(model, def))
        || (fed.param.is_some() || fed.locals.is_empty())
            && callers(model, owner).any(|def| def_checks_size(model, def))
}

pub(super) fn callers(model: &Model, callee: DefId) -> impl Iterator<Item = DefId> + '_ {
    let calls = move |d: &&Digest| d.calls.iter().any(|call| call.callee == callee);
    model.analysis.digests.iter().filter(calls).map(|d| d.owner).filter(move |&d| d != callee).take(8)
}

/// Functions of the run that are given the value, or what it came out of; all that are called where there is no value:
/// `limit().and(warp::body::bytes())`.
fn helpers(tracer: &Tracer, fed: &Fed) -> Vec<DefId> {
    let mut found = Vec::new();
    for index in 0..tracer.function.bodies.len() as u32 {
        let typed = tracer.body(index);
        let given = |a: &Operand| {
            let local = a.as_place().and_then(|(_, place)| typed.body.local_of(place));
            local.is_some_and(|local| {
                let behind = tracer.definition(index, local).and_then(|s| typed.body.args(s).first());
                let behind = behind.and_then(|a| a.as_place()).and_then(|(_, place)| typed.body.local_of(place));
                [Some(local), behind].into_iter().flatten().any(|l| fed.locals.contains(&(index, l)))
            })
        };
        for (at, statement) in typed.body.statements.iter().enumerate() {
            if let Callee::Def(callee) = typed.types.callee(StatementId(at as u32))
                && !found.contains(&callee)
                && (fed.locals.is_empty() || typed.body.args(statement).iter().any(given))
            {
                found.push(callee);
            }
        }
    }
    found
}

fn def_checks_size(model: &Model, def: DefId) -> bool {
    let Some(root) = model.body_of(def) else { return false };
    let function = model.typed(root);
    checks_size(&Tracer::new(model, &function))
}

/// Whether a function asks for a size before anything is read, and compares something.
fn checks_size(tracer: &Tracer) -> bool {
    let all = |test: fn(&Tracer, u32, StatementId) -> bool| {
        (0..tracer.function.bodies.len() as u32).any(|index| {
            let count = tracer.body(index).body.statements.len() as u32;
            (0..count).any(|id| test(tracer, index, StatementId(id)))
        })
    };
    all(asks_size) && all(orders)
}

/// `content_length()`, `size_hint()`, `headers.get(CONTENT_LENGTH)`, `headers.get("content-length")`.
fn asks_size(tracer: &Tracer, index: u32, id: StatementId) -> bool {
    let typed = tracer.body(index);
    let statement = &typed.body.statements[id.index()];
    let text = |name| tracer.model.text(tracer.model.name(typed.at.file, name));
    let told = match typed.types.callee(id) {
        Callee::Unknown if statement.op == Op::CallMethod => {
            let name = tracer.method_name(index, statement);
            let rows = tracer.model.apis.methods_named(name).iter();
            name != "len" && rows.map(|&row| tracer.model.apis.row(row)).any(|row| row.tells_size)
        }
        _ => tracer.row(index, id).is_some_and(|row| row.tells_size),
    };
    told || typed.body.args(statement).iter().any(|operand| match operand.kind() {
        OperandKind::Literal(id) => {
            typed.body.literals[id.index()].text.get().is_some_and(|n| is_size_header(text(n).trim_matches('"')))
        }
        OperandKind::Place(_, place) => match typed.body.places[place.index()].base {
            Base::Path(path) => typed.body.types.last_name(path).get().is_some_and(|n| is_size_header(text(n))),
            Base::Local(_) => false,
        },
        _ => false,
    })
}

/// The name of the header, as text or as a constant.
fn is_size_header(name: &str) -> bool {
    name.eq_ignore_ascii_case("content-length") || name == "CONTENT_LENGTH"
}

/// `a < b`, `a.min(b)`.
fn orders(tracer: &Tracer, index: u32, id: StatementId) -> bool {
    let statement = &tracer.body(index).body.statements[id.index()];
    match statement.op {
        Op::Binary => {
            use BinaryOp::*;
            matches!(BinaryOp::from_data(statement.data), Lt | Le | Gt | Ge)
        }
        _ => tracer.row(index, id).is_some_and(|row| row.clamps),
    }
}
