//! Loops that end only when somebody ends them, and not when what they belong to is dropped: a peer that closes its
//! connection, or whoever sets a flag. Whoever spawned such a loop cannot end it by dropping what he holds, if nothing that it
//! asks or waits for before it leaves is closed by a drop.

use super::access::{Root, Tracer};
use super::digest::Digest;
use super::kept_tasks::UseKind;
use super::keyed::sources;
use super::tasks::Work;
use super::{Callee, DefId, Model, Symbol, Ty, TyData};
use crate::apis::{Collection, TypeRow};
use crate::facts::body::*;
use crate::source::Span;

/// Who ends a loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ender {
    /// The loop.
    pub at: Span,
    /// The types of the flags that it asks; only a peer ends it if there are none.
    pub flags: Vec<Ty>,
}

/// Who ends the loop of what body `index` spawns at `spawn`, if dropping things does not.
pub fn ended_by(tracer: &Tracer, index: u32, spawn: StatementId, work: Work) -> Option<Ender> {
    let mut heard = Heard::default();
    let at = match work {
        Work::Body(inner) if tracer.body(inner).body.loops.is_empty() => {
            heard.in_callee(tracer, inner, only_call(tracer, inner)?)?
        }
        Work::Body(inner) => heard.in_body(tracer, inner)?,
        Work::Function(_) => {
            let body = &tracer.body(index).body;
            let given = body.args(&body.statements[spawn.index()]).iter().filter_map(|a| a.as_place());
            let mut calls = given.filter_map(|(_, place)| tracer.definition_id(index, body.local_of(place)?));
            heard.in_callee(tracer, index, calls.find(|&id| is_own_call(tracer, index, id))?)?
        }
        Work::Unknown => return None,
    };
    ((heard.peer || !heard.flags.is_empty()) && !heard.others).then_some(Ender { at, flags: heard.flags })
}

fn is_own_call(tracer: &Tracer, index: u32, id: StatementId) -> bool {
    matches!(tracer.body(index).types.callee(id), Callee::Def(_))
}

/// `spawn(move || run(stop))`
fn only_call(tracer: &Tracer, index: u32) -> Option<StatementId> {
    let all = (0..tracer.body(index).body.statements.len() as u32).map(StatementId);
    let mut calls = all.filter(|&id| is_own_call(tracer, index, id));
    let call = calls.next()?;
    calls.next().is_none().then_some(call)
}

/// The only loop of a body, with all that is waited for and asked on the ways on which it is left. Errors are no
/// way to end that one can count on, and nor is a count.
fn asked_before_exits(tracer: &Tracer, index: u32) -> Option<(Span, Vec<LocalId>)> {
    let typed = tracer.body(index);
    let body = &typed.body;
    let outer = |l: &LoopId| body.loops[l.index()].parent.is_none() && body.loops[l.index()].kind != LoopKind::For;
    let mut lasting = (0..body.loops.len() as u32).map(LoopId).filter(outer);
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
        asked_before(body, &blocks, body.loops[found.index()].header, exit, &mut asked);
        if asked.len() == before {
            return None;
        }
    }
    let at = Span { file: typed.at.file, range: body.loops[found.index()].span };
    (!asked.is_empty()).then_some((at, asked))
}

/// Adds what is waited for and asked on the ways from the start of a round to a block.
fn asked_before(body: &Body, blocks: &[BlockId], header: BlockId, exit: BlockId, asked: &mut Vec<LocalId>) {
    let mut seen = vec![false; body.blocks.len()];
    let mut todo = vec![exit];
    while let Some(id) = todo.pop() {
        if std::mem::replace(&mut seen[id.index()], true) {
            continue;
        }
        let block = &body.blocks[id.index()];
        if matches!(block.end, End::Await | End::Branch | End::Switch) {
            asked.extend(block.operand.as_place().and_then(|(_, place)| body.local_of(place)));
        }
        if id == header && block.end != End::Select {
            continue;
        }
        for &from in blocks {
            for (arm, _) in body.edges_of(from).iter().enumerate().filter(|(_, edge)| edge.to == id) {
                if body.blocks[from.index()].end == End::Select {
                    asked.extend(arm_of(body, from, arm));
                } else {
                    todo.push(from);
                }
            }
        }
    }
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
    /// From what somebody has to set.
    flags: Vec<Ty>,
    /// From somebody else, or nobody knows.
    others: bool,
    /// Parameters of the function that waits.
    params: Vec<LocalId>,
}

impl Heard {
    /// Listens to the loop of a body; gives its place.
    fn in_body(&mut self, tracer: &Tracer, index: u32) -> Option<Span> {
        let (at, asked) = asked_before_exits(tracer, index)?;
        asked.into_iter().for_each(|local| self.listen(tracer, index, local));
        Some(at)
    }

    /// The same for the function that is called, and for what it is given.
    fn in_callee(&mut self, tracer: &Tracer, index: u32, call: StatementId) -> Option<Span> {
        let typed = tracer.body(index);
        let Callee::Def(def) = typed.types.callee(call) else { return None };
        let function = tracer.model.typed(tracer.model.digest_of(def)?.root);
        let at = self.in_body(&Tracer::new(tracer.model, &function), 0)?;
        let given = typed.body.args(&typed.body.statements[call.index()]);
        for param in std::mem::take(&mut self.params) {
            let (_, place) = given.get(param.index() - 1)?.as_place()?;
            self.listen(tracer, index, typed.body.local_of(place)?);
        }
        Some(at)
    }

    /// Follows what is asked back to where it comes from. What comes from nobody is a count, or a time.
    fn listen(&mut self, tracer: &Tracer, index: u32, local: LocalId) {
        let mut known = false;
        let params = self.params.len();
        // Places that are looked at on the way, and whether it is only a part of what they start from.
        let mut places: Vec<(u32, LocalId, Ty, bool)> = Vec::new();
        let mut made_in_pairs = false;
        let from = sources(tracer, index, local, &mut |of, id| {
            made_in_pairs |= tracer.row(of, id).is_some_and(|row| row.pair.is_some());
            let body = &tracer.body(of).body;
            for (_, place) in body.args(&body.statements[id.index()]).iter().filter_map(|a| a.as_place()) {
                let part = body.projections_of(place).iter().any(|step| matches!(step, Projection::Field(_)));
                places.extend(body.local_of(place).map(|local| (of, local, tracer.ty(of, place), part)));
            }
        });
        self.others |= made_in_pairs;
        for (of, local) in from {
            let data = &tracer.body(of).body.locals[local.index()];
            let whole = (of, local) == (index, local)
                || !places.iter().any(|p| (p.0, p.1) == (of, local) && p.3)
                || places.iter().any(|p| (p.0, p.1) == (of, local) && !p.3);
            if !whole {
                continue;
            }
            let ty = tracer.body(of).types.locals[local.index()];
            let heard = self.hear(tracer.model, ty);
            known |= heard;
            if data.kind == LocalKind::Param {
                self.params.push(local);
                self.others |= !heard && !matches!(tracer.model.ty(tracer.model.peel_refs(ty)), TyData::Prim(_));
            }
        }
        for &(_, _, ty, _) in places.iter().filter(|p| p.3) {
            known |= self.hear(tracer.model, ty);
        }
        self.others |= !known && self.params.len() == params;
    }

    /// Notes who is heard through a value; says whether that is known.
    fn hear(&mut self, model: &Model, ty: Ty) -> bool {
        let ty = model.peel_refs(ty);
        let peer = model.made_of(ty, 3, &|row| row.peer);
        // A channel closes, a future fails, a `Weak` points to nothing when the other side is dropped.
        let closes = model.made_of(ty, 3, &|row| {
            let told = row.methods.values().any(|method| method.ends && !method.from_outside);
            !row.flag && !row.strong && !row.peer && (row.weak || told || row.collection == Some(Collection::Channel))
        });
        let flag = model.made_of(ty, 3, &|row| row.flag);
        let shared = model.made_of(ty, 3, &|row| row.strong || row.locks);
        self.peer |= peer;
        self.others |= closes || shared && !flag;
        if flag && !self.flags.contains(&ty) {
            self.flags.push(ty);
        }
        peer || flag
    }
}

impl Model {
    /// Whether one of the types that a type is made of is of a kind.
    fn made_of(&self, ty: Ty, depth: u32, kind: &dyn Fn(&TypeRow) -> bool) -> bool {
        self.type_row(ty).is_some_and(kind)
            || self.parts(ty, depth).iter().any(|&part| self.made_of(part, depth - 1, kind))
    }

    /// Whether values of a type keep flags of these types that nobody else has: they are made with it.
    pub fn has_flags_alone(&self, owner: DefId, flags: &[Ty]) -> bool {
        flags.iter().all(|&flag| {
            let names = self.fields_of_type(owner, flag);
            !names.is_empty() && names.iter().all(|&name| !self.is_given(owner, name))
        })
    }

    /// Functions that may set one of the flags that values of a type keep.
    pub fn setters(&self, owner: DefId, flags: &[Ty]) -> Vec<DefId> {
        const SETS: [&str; 9] =
            ["store", "swap", "set", "fetch_or", "cancel", "notify_one", "notify_all", "notify_waiters", "stop"];
        let own = flags.iter().flat_map(|&flag| self.fields_of_type(owner, flag));
        let inner = flags.iter().flat_map(|&flag| self.inside(flag)).filter_map(|ty| match *self.ty(ty) {
            TyData::Adt(of, _) => Some(self.item(of).fields.ids().map(move |index| self.name_of_field(of, index))),
            _ => None,
        });
        let names: Vec<Symbol> = own.chain(inner.flatten()).collect();
        let touches = |d: &Digest| self.fields_touched(d.root).any(|name| names.contains(&name));
        let sets = |d: &Digest| self.names_called(d.owner).any(|name| SETS.contains(&self.text(name)));
        let makers = self.analysis.makers.get(&owner).map_or(&[][..], Vec::as_slice);
        let digests = self.analysis.digests.iter().enumerate().filter(|(at, _)| !makers.contains(&(*at as u32)));
        digests.map(|(_, d)| d).filter(|d| touches(d) && sets(d)).map(|d| d.owner).collect()
    }

    fn fields_of_type(&self, owner: DefId, ty: Ty) -> Vec<Symbol> {
        let fields = self.item(owner).fields.ids().filter(|&index| self.declared_field_ty(owner, index) == ty);
        fields.map(|index| self.name_of_field(owner, index)).collect()
    }

    fn name_of_field(&self, owner: DefId, index: u32) -> Symbol {
        let file = self.def(owner).file;
        self.name(file, self.header(file).fields[index as usize].name)
    }

    /// Whether a function that makes a value of a type is given what it puts into a field, or another one gives it out.
    fn is_given(&self, owner: DefId, name: Symbol) -> bool {
        let makers = self.analysis.makers.get(&owner).map_or(&[][..], Vec::as_slice);
        let given = |&position: &u32| {
            let typed = self.typed(self.analysis.digests[position as usize].root);
            let tracer = Tracer::new(self, &typed);
            (0..typed.bodies.len() as u32).any(|index| self.takes_param(&tracer, index, owner, name))
        };
        let uses = self.uses_of(Root::Field(owner, name));
        self.is_public_field(owner, name)
            || makers.iter().any(given)
            || uses.iter().any(|u| u.kind == UseKind::Leaves && !makers.contains(&u.function))
    }

    /// `Worker { stop, .. }` with a `stop` that came in as a parameter.
    fn takes_param(&self, tracer: &Tracer, index: u32, owner: DefId, name: Symbol) -> bool {
        let body = &tracer.body(index).body;
        let file = tracer.body(index).at.file;
        let literals = body.statements.iter().filter(|s| {
            s.op == Op::Struct && matches!(*self.ty(tracer.ty(index, s.dest)), TyData::Adt(of, _) if of == owner)
        });
        let values =
            literals.flat_map(|s| body.args(s).chunks(2)).filter_map(|pair| match (pair[0].kind(), pair.get(1)) {
                (OperandKind::Name(of), Some(value)) if self.name(file, of) == name => value.as_place(),
                _ => None,
            });
        values.into_iter().filter_map(|(_, place)| body.local_of(place)).any(|local| {
            sources(tracer, index, local, &mut |_, _| {}).into_iter().any(|(of, local)| {
                let ty = self.peel_refs(tracer.body(of).types.locals[local.index()]);
                let param = tracer.body(of).body.locals[local.index()].kind == LocalKind::Param;
                param && !matches!(self.ty(ty), TyData::Prim(_))
            })
        })
    }

    /// The types that one is made of.
    fn parts(&self, ty: Ty, depth: u32) -> Vec<Ty> {
        match self.ty(ty) {
            _ if depth == 0 => Vec::new(),
            TyData::Ref { to, .. } => vec![*to],
            TyData::External(_, args) | TyData::Tuple(args) => args.to_vec(),
            TyData::Adt(def, args) => {
                let fields = self.item(*def).fields.ids();
                fields.map(|index| self.declared_field_ty(*def, index)).chain(args.iter().copied()).collect()
            }
            _ => Vec::new(),
        }
    }
}
