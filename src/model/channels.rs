//! Channels without a limit, followed from where they are made to all who send and read: through locals, fields, statics,
//! parameters and results.
//!
//! Places that hold an end of a channel are nodes; moving, cloning or storing an end joins two. The walk over a function
//! ([`uses`]) notes joins and uses, [`Model::channels`] puts them together for the run. It knows no lint.

mod loops;
mod walk;

pub use loops::{PeerLoop, per_item_await};
pub use walk::uses;

use super::heat::Runs;
use super::{DefId, Model, Symbol};
use crate::apis::End;
use crate::facts::BodyId;
use crate::facts::body::*;
use crate::source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

/// Something that can hold an end of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Holder {
    /// A static.
    Static(DefId),
    /// A field, also of a variant.
    Field(DefId, Symbol),
    /// A parameter.
    Param(DefId, u32),
    /// The result of a function.
    Result(DefId),
    /// A local: function, body, local.
    Local(u32, u32, LocalId),
}

/// What is done with an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UseKind {
    /// Something is put into the channel.
    Send,
    /// Something is, or may be, taken out.
    Read,
    /// How much is in it is asked.
    Size,
    /// The end goes where it cannot be followed.
    Escape,
}

/// A use of an end.
#[derive(Debug, Clone, Copy)]
pub struct Use {
    /// What holds it.
    pub of: (Holder, End),
    /// What is done.
    pub kind: UseKind,
    /// The function, by its digest.
    pub function: u32,
    /// The body within it.
    pub body: u32,
    /// The call.
    pub statement: StatementId,
    /// The loop it is done in, if it is in one.
    pub in_loop: LoopId,
    /// Where.
    pub span: Span,
    /// For reads, what is awaited for each item that was read.
    pub awaits: Option<Span>,
}

/// A channel without a limit that comes into being.
#[derive(Debug, Clone, Copy)]
pub struct Made {
    /// What holds the two ends.
    pub at: Holder,
    /// The function, by its digest.
    pub function: u32,
    /// The body within it.
    pub body: u32,
    /// The call.
    pub span: Span,
}

/// What one function does with channels.
#[derive(Debug, Clone, Default)]
pub struct ChannelUses {
    /// Those it makes.
    pub made: Vec<Made>,
    /// Holders of one and the same end.
    pub joins: Vec<(Holder, Holder, End)>,
    /// What it does with ends.
    pub uses: Vec<Use>,
    /// Loops that read from a peer or a stream.
    pub loops: Vec<PeerLoop>,
    /// Receiving ends in variables that nothing ever uses, in bodies that go on; with the variable.
    pub idle: Vec<(Holder, Span)>,
}

/// All that is known of a channel.
#[derive(Debug)]
pub struct Channel {
    /// Where it is made.
    pub made: Made,
    /// Who sends.
    pub sends: Vec<Use>,
    /// Who reads.
    pub reads: Vec<Use>,
    /// Whether the receiving end goes where it cannot be followed.
    pub escapes: bool,
    /// Whether somebody asks how full it is.
    pub sized: bool,
    /// Fields that hold the receiving end.
    pub fields: Vec<(DefId, Symbol)>,
    /// A variable that holds the receiving end and is never used.
    pub idle: Option<Span>,
}

/// A loop that fills a channel.
#[derive(Debug, Clone, Copy)]
pub struct Feed {
    /// The loop's keyword.
    pub in_loop: Span,
    /// Where it sends, itself or by a call.
    pub send: Span,
}

/// Calls between a loop and what sends for it.
const DEPTH: u32 = 3;

impl Model {
    /// The channels without a limit that the run makes, in order.
    pub fn channels(&self) -> Vec<Channel> {
        let all = || self.analysis.digests.iter().map(|d| &d.channels);
        if all().all(|c| c.made.is_empty()) {
            return Vec::new();
        }
        let mut classes = Classes::default();
        for &(a, b, end) in all().flat_map(|c| &c.joins) {
            classes.join((a, end), (b, end));
        }
        let mut members: FxHashMap<u32, Vec<&Use>> = FxHashMap::default();
        for found in all().flat_map(|c| &c.uses) {
            members.entry(classes.of(found.of)).or_default().push(found);
        }
        let mut channels = Vec::new();
        for made in all().flat_map(|c| &c.made) {
            let (tx, rx) = (classes.of((made.at, End::Tx)), classes.of((made.at, End::Rx)));
            let pick = |class: u32, kind: UseKind| -> Vec<Use> {
                members.get(&class).into_iter().flatten().filter(|u| u.kind == kind).map(|u| **u).collect()
            };
            channels.push(Channel {
                made: *made,
                sends: pick(tx, UseKind::Send),
                reads: pick(rx, UseKind::Read),
                escapes: !pick(rx, UseKind::Escape).is_empty(),
                sized: !pick(tx, UseKind::Size).is_empty() || !pick(rx, UseKind::Size).is_empty(),
                fields: classes.fields(rx),
                idle: all().flat_map(|c| &c.idle).find(|(at, _)| classes.of((*at, End::Rx)) == rx).map(|&(_, at)| at),
            });
        }
        channels
    }

    /// A loop that reads from a peer or a stream and sends into the channel, and does not wait for leave to go on.
    pub fn feed_of(&self, channel: &Channel) -> Option<Feed> {
        let sends = |function: u32, body: u32, statement: StatementId| {
            let here = |u: &&Use| (u.function, u.body, u.statement) == (function, body, statement);
            channel.sends.iter().find(here)
        };
        let in_line = channel.sends.iter().filter(|u| !self.is_in_background(u.function, u.body));
        let senders: FxHashSet<DefId> = in_line.map(|u| self.analysis.digests[u.function as usize].owner).collect();
        for (position, digest) in self.analysis.digests.iter().enumerate() {
            if self.analysis.heats[position] == Runs::Test && !self.tests {
                continue;
            }
            // A loop that also reads the channel does one after the other.
            let reads = |l: &PeerLoop| {
                let here = |u: &Use| (u.function, u.body, u.in_loop) == (position as u32, l.body, l.id);
                channel.reads.iter().any(here)
            };
            for peer in digest.channels.loops.iter().filter(|l| !l.paced && !reads(l)) {
                let itself = peer.statements.iter().find_map(|&s| sends(position as u32, peer.body, s));
                let called = || peer.calls.iter().find(|(def, _)| self.reaches(*def, &senders, DEPTH)).map(|c| c.1);
                if let Some(send) = itself.map(|u| u.span).or_else(called) {
                    return Some(Feed { in_loop: peer.span, send });
                }
            }
        }
        None
    }

    fn reaches(&self, def: DefId, senders: &FxHashSet<DefId>, depth: u32) -> bool {
        if senders.contains(&def) {
            return true;
        }
        let Some(position) = self.digest_position(def).filter(|_| depth > 0) else { return false };
        let calls = &self.analysis.digests[position as usize].calls;
        calls.iter().any(|c| !self.is_in_background(position, c.body) && self.reaches(c.callee, senders, depth - 1))
    }

    /// Whether a body of a function, or one around it, is spawned.
    fn is_in_background(&self, function: u32, body: u32) -> bool {
        let bodies = &self.analysis.digests[function as usize].bodies;
        let mut at = body as usize;
        while bodies[at].spawned.is_none() && bodies[at].parent as usize != at {
            at = bodies[at].parent as usize;
        }
        bodies[at].spawned.is_some()
    }

    /// Whether no body of the run touches a field of that name, but to fill it in.
    pub fn is_untouched(&self, field: Symbol) -> bool {
        self.files().filter(|unit| self.names_in(unit.id).contains(&field)).all(|unit| {
            let bodies = (0..unit.facts.header.bodies.len() as u32).map(BodyId);
            bodies.map(|body| unit.facts.body(body)).all(|body| {
                let touches =
                    |step: &Projection| matches!(step, Projection::Field(name) if self.name(unit.id, *name) == field);
                !body.projections.iter().any(touches)
            })
        })
    }
}

/// Sets of holders that hold the same end.
#[derive(Default)]
struct Classes {
    ids: FxHashMap<(Holder, End), u32>,
    parents: Vec<u32>,
}

impl Classes {
    fn id(&mut self, node: (Holder, End)) -> u32 {
        let next = self.parents.len() as u32;
        let id = *self.ids.entry(node).or_insert(next);
        if id == next {
            self.parents.push(next);
        }
        id
    }

    fn root(&self, mut id: u32) -> u32 {
        while self.parents[id as usize] != id {
            id = self.parents[id as usize];
        }
        id
    }

    fn join(&mut self, a: (Holder, End), b: (Holder, End)) {
        let (a, b) = (self.id(a), self.id(b));
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b) as usize] = a.min(b);
    }

    fn of(&mut self, node: (Holder, End)) -> u32 {
        let id = self.id(node);
        self.root(id)
    }

    fn fields(&self, class: u32) -> Vec<(DefId, Symbol)> {
        let of_class = self.ids.iter().filter(|(_, id)| self.root(**id) == class);
        let mut found: Vec<(DefId, Symbol)> = of_class
            .filter_map(|((holder, _), _)| match *holder {
                Holder::Field(owner, name) => Some((owner, name)),
                _ => None,
            })
            .collect();
        found.sort();
        found
    }
}
