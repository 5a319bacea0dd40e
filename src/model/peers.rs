//! Loops that end only when somebody outside ends them: a peer closes its connection. Whoever spawned the loop cannot end
//! it by dropping what he holds, if nothing that it waits for before it leaves comes from him.

use super::access::Tracer;
use super::exits::is_lasting;
use super::keyed::sources;
use super::tasks::Work;
use super::{Callee, Model, Ty, TyData};
use crate::apis::Collection;
use crate::facts::body::*;
use crate::source::Span;

/// The loop of what body `index` spawns at `spawn`, if it goes on until a peer ends it.
pub fn until_peer_ends(tracer: &Tracer, index: u32, spawn: StatementId, work: Work) -> Option<Span> {
    let mut heard = Heard::default();
    let at = match work {
        Work::Body(inner) => {
            let (at, asked) = asked_before_exits(tracer, inner)?;
            asked.into_iter().for_each(|local| heard.listen(tracer, inner, local));
            at
        }
        Work::Function(def) => {
            let typed = tracer.model.typed(tracer.model.digest_of(def)?.root);
            let within = Tracer::new(tracer.model, &typed);
            let (at, asked) = asked_before_exits(&within, 0)?;
            asked.into_iter().for_each(|local| heard.listen(&within, 0, local));
            let given = arguments(tracer, index, spawn)?;
            for param in std::mem::take(&mut heard.params) {
                let (_, place) = given.get(param.index() - 1)?.as_place()?;
                heard.listen(tracer, index, tracer.body(index).body.local_of(place)?);
            }
            at
        }
        Work::Unknown => return None,
    };
    (heard.peer && !heard.others).then_some(at)
}

/// The arguments of `run(socket)` in `spawn(run(socket))`.
fn arguments<'a>(tracer: &Tracer<'a>, index: u32, spawn: StatementId) -> Option<&'a [Operand]> {
    let body = &tracer.body(index).body;
    let calls = |id: &StatementId| matches!(tracer.body(index).types.callee(*id), Callee::Def(_));
    let given = body.args(&body.statements[spawn.index()]).iter().filter_map(|a| a.as_place());
    let call = given.filter_map(|(_, place)| tracer.definition_id(index, body.local_of(place)?)).find(calls)?;
    Some(body.args(&body.statements[call.index()]))
}

/// The only lasting loop of a body, with all that is waited for and asked on the ways on which it is left. Errors are no
/// way to end that one can count on.
fn asked_before_exits(tracer: &Tracer, index: u32) -> Option<(Span, Vec<LocalId>)> {
    let typed = tracer.body(index);
    let body = &typed.body;
    let outer = |l: &LoopId| body.loops[l.index()].parent.is_none();
    let mut lasting = (0..body.loops.len() as u32).map(LoopId).filter(outer).filter(|&l| is_lasting(tracer, index, l));
    let (found, None) = (lasting.next()?, lasting.next()) else { return None };
    let reachable = body.reachable();
    let within = |&b: &BlockId| reachable[b.index()] && body.block_in_loop(b, found);
    let blocks: Vec<BlockId> = (0..body.blocks.len() as u32).map(BlockId).filter(within).collect();
    let leaves = |b: &&BlockId| {
        let out = |e: &Edge| matches!(e.kind, EdgeKind::Normal | EdgeKind::Early) && !body.block_in_loop(e.to, found);
        body.edges_of(**b).iter().any(out)
    };
    let mut asked = Vec::new();
    for &exit in blocks.iter().filter(leaves) {
        let before = asked.len();
        let waits = asked_before(body, &blocks, body.loops[found.index()].header, exit, &mut asked);
        if !waits || asked.len() == before {
            return None;
        }
    }
    let at = Span { file: typed.at.file, range: body.loops[found.index()].span };
    (!asked.is_empty()).then_some((at, asked))
}

/// Adds what is waited for and asked on the ways from the start of a round to a block; says whether something is waited for.
fn asked_before(body: &Body, blocks: &[BlockId], header: BlockId, exit: BlockId, asked: &mut Vec<LocalId>) -> bool {
    let mut waits = false;
    let mut seen = vec![false; body.blocks.len()];
    let mut todo = vec![exit];
    while let Some(id) = todo.pop() {
        if std::mem::replace(&mut seen[id.index()], true) {
            continue;
        }
        let block = &body.blocks[id.index()];
        if matches!(block.end, End::Await | End::Branch | End::Switch) {
            waits |= block.end == End::Await;
            asked.extend(block.operand.as_place().and_then(|(_, place)| body.local_of(place)));
        }
        if id == header && block.end != End::Select {
            continue;
        }
        for &from in blocks {
            for (arm, _) in body.edges_of(from).iter().enumerate().filter(|(_, edge)| edge.to == id) {
                if body.blocks[from.index()].end == End::Select {
                    waits = true;
                    asked.extend(arm_of(body, from, arm));
                } else {
                    todo.push(from);
                }
            }
        }
    }
    waits
}

/// What an arm of a `select!` waits for.
fn arm_of(body: &Body, select: BlockId, arm: usize) -> Option<LocalId> {
    let ids = body.blocks[select.index()].statements.ids().rev().map(|id| body.statements[id as usize]);
    let arms = ids.into_iter().find(|s| s.op == Op::Macro)?;
    body.args(&arms).get(arm)?.as_place().and_then(|(_, place)| body.local_of(place))
}

/// Where what is waited for comes from.
#[derive(Debug, Default)]
struct Heard {
    /// From a peer.
    peer: bool,
    /// From somebody else, or nobody knows.
    others: bool,
    /// Parameters of the function that waits.
    params: Vec<LocalId>,
}

impl Heard {
    fn listen(&mut self, tracer: &Tracer, index: u32, local: LocalId) {
        let model = tracer.model;
        let mut made_in_pairs = false;
        let from = sources(tracer, index, local, &mut |of, id| {
            made_in_pairs |= tracer.row(of, id).is_some_and(|row| row.pair.is_some());
        });
        self.others |= made_in_pairs;
        for (of, local) in from {
            let data = &tracer.body(of).body.locals[local.index()];
            let ty = tracer.body(of).types.locals[local.index()];
            let peer = model.comes_from_peer(ty, 3);
            self.peer |= peer;
            self.others |= model.may_be_signalled(ty, 3);
            if data.kind == LocalKind::Param {
                self.params.push(local);
                self.others |= !peer && !matches!(model.ty(model.peel_refs(ty)), TyData::Prim(_));
            }
        }
    }
}

impl Model {
    /// Whether a value of that type brings what somebody outside of the process sends.
    fn comes_from_peer(&self, ty: Ty, depth: u32) -> bool {
        self.type_row(ty).is_some_and(|row| row.peer)
            || self.parts(ty, depth).iter().any(|&part| self.comes_from_peer(part, depth - 1))
    }

    /// Whether somebody else in the process may have a hand in a value of that type: a channel, something shared, a future.
    fn may_be_signalled(&self, ty: Ty, depth: u32) -> bool {
        let by_row = self.type_row(ty).is_some_and(|row| {
            let told = row.methods.values().any(|method| method.ends && !method.from_outside);
            row.strong || row.weak || row.locks || told || row.collection == Some(Collection::Channel)
        });
        by_row || self.parts(ty, depth).iter().any(|&part| self.may_be_signalled(part, depth - 1))
    }

    /// The types that one is made of.
    fn parts(&self, ty: Ty, depth: u32) -> Vec<Ty> {
        match self.ty(ty) {
            _ if depth == 0 => Vec::new(),
            TyData::Ref { to, .. } => vec![*to],
            TyData::External(_, args) | TyData::Tuple(args) => args.to_vec(),
            TyData::Adt(def, args) => {
                let fields = self.item(*def).fields.ids().into_iter();
                fields.map(|index| self.declared_field_ty(*def, index)).chain(args.iter().copied()).collect()
            }
            _ => Vec::new(),
        }
    }
}
