//! Calls that take what others have sent: from a peer, a device or a stream, or from a channel. Not from a clock or a
//! generator, and not the answer to a request.

use super::access::{Root, Tracer};
use super::types::Ty;
use super::{Model, TyData};
use crate::apis::{Collection, End as ChannelEnd, Owner};
use crate::facts::body::*;

/// Types are looked into this deep.
const DEPTH: u32 = 5;

/// Where something comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A peer, a device, a file or a stream.
    Outside,
    /// A channel.
    Channel,
}

/// What a call takes from, if it takes something in.
pub fn source(tracer: &Tracer, index: u32, call: StatementId) -> Option<Source> {
    let row = tracer.row(index, call)?;
    let received = matches!(row.owner, Owner::Receiver | Owner::Trait);
    if !received || !row.from_outside || row.consumes || row.fresh {
        return None;
    }
    let body = &tracer.body(index).body;
    let statement = &body.statements[call.index()];
    let (_, receiver) = body.args(statement).first()?.as_place()?;
    if end_of(tracer, index, receiver).is_some() {
        return Some(Source::Channel);
    }
    // `while let Some(done) = jobs.next().await`: what comes out was put in here.
    let model = tracer.model;
    let own = model.autoderef(tracer.ty(index, receiver)).find_map(|ty| model.type_row(ty)?.collection);
    // `table.values().next()`: an iterator whose type is not known.
    let waits = !row.is_async || is_awaited(body, statement);
    (own != Some(Collection::TaskSet) && waits).then_some(Source::Outside)
}

/// Whether the future that a call gives is awaited, raced, or handed to something that does.
fn is_awaited(body: &Body, statement: &Statement) -> bool {
    let Some(future) = statement.dest.get().and_then(|dest| body.whole_local(dest)) else { return false };
    let is_future = |a: &Operand| a.as_place().is_some_and(|(_, place)| body.whole_local(place) == Some(future));
    let hands_on = |s: &Statement| {
        let args = body.args(s);
        match s.op {
            Op::CallMethod => args.iter().skip(1).any(is_future),
            Op::Call | Op::CallValue | Op::Macro | Op::Assign => args.iter().any(is_future),
            _ => false,
        }
    };
    body.blocks.iter().any(|b| b.end == End::Await && is_future(&b.operand)) || body.statements.iter().any(hands_on)
}

/// The end that a value is, through references, locks and shared pointers, or through what a variable was made of:
/// `rx.map(..)`.
pub fn end_of(tracer: &Tracer, index: u32, place: PlaceId) -> Option<ChannelEnd> {
    let model = tracer.model;
    let direct = model.autoderef(tracer.ty(index, place)).find_map(|ty| model.type_row(ty)?.end);
    direct.or_else(|| match tracer.place(index, place).root {
        Root::Local(body, local) => {
            let ends = ends_in(model, tracer.body(body).types.locals[local.index()]);
            // A whole channel is no end.
            (ends.tx != ends.rx).then(|| ends.list().next()).flatten()
        }
        _ => None,
    })
}

/// The ends that a value of a type holds: itself, or in wrappers, tuples and collections around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ends {
    /// A sending one.
    pub tx: bool,
    /// A receiving one.
    pub rx: bool,
}

impl Ends {
    /// Just one.
    pub fn of(end: ChannelEnd) -> Ends {
        Ends { tx: end == ChannelEnd::Tx, rx: end == ChannelEnd::Rx }
    }

    /// Whether there is one.
    pub fn any(self) -> bool {
        self.tx || self.rx
    }

    /// Those there are.
    pub fn list(self) -> impl Iterator<Item = ChannelEnd> {
        [(self.tx, ChannelEnd::Tx), (self.rx, ChannelEnd::Rx)].into_iter().filter(|(has, _)| *has).map(|(_, end)| end)
    }

    fn or(self, other: Ends) -> Ends {
        Ends { tx: self.tx || other.tx, rx: self.rx || other.rx }
    }
}

/// The ends that a value of a type holds.
pub fn ends_in(model: &Model, ty: Ty) -> Ends {
    ends_within(model, ty, DEPTH)
}

fn ends_within(model: &Model, ty: Ty, depth: u32) -> Ends {
    if depth == 0 {
        return Ends::default();
    }
    let inside =
        |parts: &[Ty]| parts.iter().map(|&part| ends_within(model, part, depth - 1)).fold(Ends::default(), Ends::or);
    match model.ty(ty) {
        TyData::Ref { to, .. } => ends_within(model, *to, depth - 1),
        TyData::Tuple(parts) => inside(parts),
        TyData::External(_, args) => match model.type_row(ty).and_then(|row| row.end) {
            Some(end) => Ends::of(end),
            None => inside(args),
        },
        TyData::Slice(of) | TyData::Array(of) => ends_within(model, *of, depth - 1),
        TyData::Future { output, .. } => ends_within(model, *output, depth - 1),
        _ => Ends::default(),
    }
}
