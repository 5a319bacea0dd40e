//! What the statements of a function say: whom it calls and names, what it acquires, starts and takes back.

use super::super::access::{Root, Tracer};
use super::super::effects::slot;
use super::super::exits::origin_of;
use super::super::lacking;
use super::super::nearby::binds;
use super::super::peer_numbers::{is_read, reserved};
use super::super::setup::{Held, PARAMS, given};
use super::super::words::Name;
use super::super::{Callee, DefId, Ty, TyData};
use super::{CallSite, Digest, Reads, Seed, SeedKind, is_repeated, is_served, may_acquire, seed_kind};
use crate::apis::{Feed, FnRow, Heat, Slot};
use crate::facts::ItemKind;
use crate::facts::body::*;
use crate::source::Span;

/// Adds what the statements of a body say.
pub(super) fn calls_and_seeds(tracer: &Tracer, index: u32, digest: &mut Digest) {
    let typed = tracer.body(index);
    let body = &typed.body;
    for block in &body.blocks {
        let repeated = is_repeated(tracer, index, block.in_loop);
        let heat = if repeated { Heat::Repeated } else { Heat::Same };
        let serving = is_served(tracer, index, block.in_loop);
        for id in block.statements.ids().map(StatementId) {
            let span = tracer.span(index, id);
            if tracer.model.is_left_out(span) {
                continue;
            }
            let statement = &body.statements[id.index()];
            named_functions(tracer, index, id, statement, heat, span, digest);
            digest.counts |= counts_up(body, statement);
            digest.reads_numbers |= is_read(tracer, index, id);
            digest.reserves |= reserved(tracer, index, id).is_some_and(|operand| operand.as_place().is_some());
            if let Some(made) = made(tracer, index, id) {
                digest.makes.push(made);
            }
            digest.contended |= statement.op == Op::CallMethod && is_contended(tracer, index, statement);
            digest.builds |= lacking::lacks(tracer, index, id).next().is_some();
            match typed.types.callee(id) {
                callee if tracer.row(index, id).is_none() && tracer.model.is_foreign(callee) => {
                    foreign_call(tracer, index, id, callee, digest);
                }
                Callee::Def(callee) => {
                    let given = given(tracer, index, body.args(statement));
                    digest.calls.push(CallSite { callee, named: false, body: index, heat, serving, given, span });
                    given_back(tracer, index, id, callee, digest);
                    if may_acquire(tracer.model, tracer.model.item_ty(callee)) {
                        digest.seeds.push(Seed { kind: SeedKind::Call(callee), body: index, statement: id });
                    }
                }
                Callee::External(_) | Callee::Distinctive(_) => {
                    let Some(row) = tracer.row(index, id) else { continue };
                    digest.serves |= row.serves;
                    digest.fresh |= row.fresh;
                    digest.builds |= row.cache.is_some() || !row.needs.is_empty() || row.sets_limit.is_some();
                    digest.exits |= row.exits;
                    reads(row, &mut digest.reads);
                    binds(tracer, index, id, row, &mut digest.reads.binds);
                    digest.removes_files |= row.removes_path.is_some();
                    digest.makes_files |= row.creates_path.is_some();
                    digest.once |= row.once_guard && is_on_static(tracer, index, id);
                    if takes_back(row) {
                        taken_back(tracer, index, id, row, digest);
                    }
                    if let Some(kind) = seed_kind(tracer.model, row) {
                        digest.seeds.push(Seed { kind, body: index, statement: id });
                    }
                }
                _ => {}
            }
        }
    }
}

fn reads(row: &FnRow, found: &mut Reads) {
    found.all |= row.reads_all.is_some() || row.uncaps_bodies;
    found.pieces |= row.from_outside && row.reads_all.is_none();
    found.caps |= row.caps_bodies;
    found.accepts |= row.feeds == Some(Feed::Socket);
}

/// `let slot = x.allocate_slot(); …; x.free_slot(slot)`
fn given_back(tracer: &Tracer, index: u32, id: StatementId, release: DefId, digest: &mut Digest) {
    let model = tracer.model;
    let text = |def| model.text(model.def_name(def));
    if !Name::may_release(text(release)) {
        return;
    }
    let body = &tracer.body(index).body;
    let places = body.args(&body.statements[id.index()]).iter().filter_map(|a| a.as_place());
    let calls = places.filter_map(|(_, place)| origin_of(tracer, index, body.local_of(place)?));
    for call in calls {
        if let Callee::Def(acquire) = tracer.body(index).types.callee(call)
            && Name::of(text(acquire)).pairs_with(&Name::of(text(release)))
        {
            digest.given_back.push((acquire, release, tracer.span(index, id)));
        }
    }
}

/// A call into C: what it gives may have to go back there.
fn foreign_call(tracer: &Tracer, index: u32, id: StatementId, callee: Callee, digest: &mut Digest) {
    if !digest.foreign.contains(&callee) {
        digest.foreign.push(callee);
    }
    digest.seeds.push(Seed { kind: SeedKind::Foreign(callee), body: index, statement: id });
    let body = &tracer.body(index).body;
    let first = body.args(&body.statements[id.index()]).first().and_then(|a| a.as_place());
    let Some(origin) = first.and_then(|(_, place)| body.local_of(place)).and_then(|l| origin_of(tracer, index, l))
    else {
        return;
    };
    let acquire = tracer.body(index).types.callee(origin);
    let pair = (acquire, callee);
    if tracer.model.is_foreign(acquire)
        && tracer.row(index, origin).is_none()
        && tracer.model.foreign_name(callee).releases()
        && !digest.used_together.contains(&pair)
    {
        digest.used_together.push(pair);
    }
}

/// `self.next_id += 1`
pub fn counts_up(body: &Body, statement: &Statement) -> bool {
    let to = statement.dest.get().map_or(&[][..], |d| body.projections_of(d));
    statement.op == Op::Binary
        && BinaryOp::from_data(statement.data) == BinaryOp::Arithmetic
        && to.iter().any(|step| matches!(step, Projection::Field(_)))
}

/// `self.state.compare_exchange(..)`, on whatever it may be.
pub fn is_contended(tracer: &Tracer, index: u32, statement: &Statement) -> bool {
    let apis = tracer.model.apis;
    apis.methods_named(tracer.method_name(index, statement)).iter().any(|&id| apis.row(id).once_guard)
}

/// Whether a function ends what would otherwise stay for ever.
fn takes_back(row: &FnRow) -> bool {
    row.releases.is_some() || row.adopts.is_some() || row.gives_back || row.drops_by_hand.is_some()
}

fn taken_back(tracer: &Tracer, index: u32, id: StatementId, row: &'static FnRow, digest: &mut Digest) {
    if !digest.reclaims.contains(&&*row.path) {
        digest.reclaims.push(&row.path);
    }
    let body = &tracer.body(index).body;
    let first = body.args(&body.statements[id.index()]).first().and_then(|a| a.as_place());
    let pointee = match first.map(|(_, place)| tracer.model.ty(tracer.ty(index, place))) {
        Some(&TyData::Pointer(to)) => to,
        _ => Ty::UNKNOWN,
    };
    if !digest.reclaimed.contains(&pointee) {
        digest.reclaimed.push(pointee);
    }
}

/// Whether a method is called on a static.
fn is_on_static(tracer: &Tracer, index: u32, id: StatementId) -> bool {
    let body = &tracer.body(index).body;
    let first = body.args(&body.statements[id.index()]).first().and_then(|a| a.as_place());
    first.is_some_and(|(_, place)| matches!(tracer.place(index, place).root, Root::Static(_)))
}

/// The type of the run that a literal or constructor makes a value of.
fn made(tracer: &Tracer, index: u32, id: StatementId) -> Option<DefId> {
    let typed = tracer.body(index);
    let statement = &typed.body.statements[id.index()];
    match typed.types.callee(id) {
        Callee::Constructor(def) => Some(def),
        _ if statement.op == Op::Struct => match *tracer.model.ty(tracer.ty(index, statement.dest)) {
            TyData::Adt(def, _) => Some(def),
            _ => None,
        },
        _ => None,
    }
}

/// Functions given as values: `get(handler)`, `map(f)`, `thread::spawn(worker)`.
fn named_functions(
    tracer: &Tracer,
    index: u32,
    id: StatementId,
    statement: &Statement,
    heat: Heat,
    span: Span,
    digest: &mut Digest,
) {
    let typed = tracer.body(index);
    for (at, operand) in typed.body.args(statement).iter().enumerate() {
        let Some((_, place)) = operand.as_place() else { continue };
        if !matches!(typed.body.places[place.index()].base, Base::Path(_)) {
            continue;
        }
        let &TyData::FnDef(callee) = tracer.model.ty(tracer.ty(index, place)) else { continue };
        if tracer.model.item(callee).kind != ItemKind::Fn {
            continue;
        }
        let row = tracer.row(index, id);
        let called = row.and_then(|row| row.calls.iter().find(|c| Slot::Arg(c.arg) == slot(row, at)));
        let given = called.map_or(Heat::PerCall, |c| if c.heat == Heat::Same { heat } else { c.heat });
        digest.calls.push(CallSite {
            callee,
            named: true,
            body: index,
            heat: given,
            serving: false,
            given: [Held::Other; PARAMS],
            span,
        });
    }
}
