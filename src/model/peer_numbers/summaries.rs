//! How numbers that somebody outside chose get from one function to another: in results, in fields, and by parameters that say
//! how much memory is reserved.

use super::follow::Flow;
use super::reads::Origin;
use super::{Path, checks, places_of};
use crate::facts::body::*;
use crate::model::access::{Root, Tracer};
use crate::model::digest::Digest;
use crate::model::{Callee, DefId, Model, Symbol, TyData};
use crate::source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

/// Functions that hand on what functions hand on are followed this far.
const ROUNDS: usize = 2;

/// A number in the result of a function, or in a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The part that is the number.
    pub path: Path,
    /// Where it is read.
    pub span: Span,
    /// Who chose it.
    pub origin: Origin,
}

/// What functions and fields of the run do with such numbers.
#[derive(Debug, Default)]
pub struct Summaries {
    /// Functions that return one.
    pub returns: FxHashMap<DefId, Vec<Given>>,
    /// Fields that hold one, and that nobody compares with anything.
    pub fields: FxHashMap<(DefId, Symbol), Given>,
    /// The names of those.
    names: FxHashSet<Symbol>,
    /// Functions that reserve as much as a parameter says, and where.
    pub reserves: FxHashMap<(DefId, u32), Span>,
}

impl Summaries {
    /// Those of the run.
    pub fn new(model: &Model) -> Summaries {
        let mut summaries = Summaries::default();
        for round in 0..ROUNDS {
            let gives = |d: &Digest| if round == 0 { d.reads_numbers } else { summaries.calls_any(d) };
            let mut found = Vec::new();
            model.each_function(gives, |tracer, _| found.extend(given(tracer, &summaries)));
            for (def, given) in found {
                summaries.returns.entry(def).or_insert(given);
            }
        }
        summaries.fields = fields(model, &summaries);
        summaries.names = summaries.fields.keys().map(|&(_, name)| name).collect();
        let bringing = model.analysis.digests.iter().filter(|d| summaries.brings(model, d));
        let called: FxHashSet<DefId> = bringing.flat_map(|d| d.calls.iter().map(|call| call.callee)).collect();
        let asked = |d: &Digest| d.reserves && called.contains(&d.owner);
        let mut taken = Vec::new();
        model.each_function(asked, |tracer, _| taken.extend(reserving_params(tracer, &summaries)));
        summaries.reserves = taken.into_iter().collect();
        summaries
    }

    /// Whether such a number may come into a function.
    pub fn brings(&self, model: &Model, digest: &Digest) -> bool {
        let holds = || model.fields_touched(digest.root).any(|name| self.names.contains(&name));
        digest.reads_numbers || self.calls_any(digest) || !self.names.is_empty() && holds()
    }

    /// Whether a function reserves memory for as much as something says, itself or through another.
    pub fn takes(&self, digest: &Digest) -> bool {
        let takes = |callee| (0..8).any(|param| self.reserves.contains_key(&(callee, param)));
        digest.reserves || digest.calls.iter().any(|call| takes(call.callee))
    }

    fn calls_any(&self, digest: &Digest) -> bool {
        digest.calls.iter().any(|call| self.returns.contains_key(&call.callee))
    }
}

/// What a function returns that is such a number, or holds one.
fn given(tracer: &Tracer, summaries: &Summaries) -> Option<(DefId, Vec<Given>)> {
    let def = tracer.model.owner(tracer.function.root().at);
    let flow = Flow::new(tracer, 0, summaries, false);
    let mut given: Vec<Given> = Vec::new();
    for id in (0..flow.body().statements.len() as u32).map(StatementId).filter(|_| !flow.reads.is_empty()) {
        let statement = &flow.body().statements[id.index()];
        if statement.dest.get().and_then(|dest| flow.body().local_of(dest)) != Some(LocalId(0)) {
            continue;
        }
        for hit in flow.place(statement.dest) {
            let own = flow.key_with(statement.dest, &hit.rest).map(|(_, path)| path);
            let read = &flow.reads[hit.read as usize];
            let path = own.unwrap_or_default();
            // `return Err(..)` puts nothing into what another statement returns.
            let args = flow.body().args(statement);
            let brought = read.at == Some(id)
                || args.iter().any(|&arg| flow.operand(arg).iter().any(|from| from.read == hit.read));
            if !brought {
                continue;
            }
            if given.iter().all(|g| g.path != path) && checks::reaches(&flow, summaries, hit.read, id) {
                given.push(Given { path, span: read.span, origin: read.origin });
            }
        }
    }
    (!given.is_empty()).then_some((def, given))
}

/// Parameters that say how much memory a function reserves.
fn reserving_params(tracer: &Tracer, summaries: &Summaries) -> Vec<((DefId, u32), Span)> {
    let def = tracer.model.owner(tracer.function.root().at);
    let flow = Flow::new(tracer, 0, summaries, true);
    let mut found: Vec<((DefId, u32), Span)> = Vec::new();
    for (id, operand) in places_of(&flow) {
        for hit in flow.operand(operand) {
            let Some(param) = flow.reads[hit.read as usize].param else { continue };
            if hit.rest.is_empty()
                && found.iter().all(|(key, _)| *key != (def, param))
                && checks::reaches(&flow, summaries, hit.read, id)
            {
                found.push(((def, param), tracer.span(0, id)));
            }
        }
    }
    found
}

/// Fields that are given such numbers somewhere, and that nobody judges anywhere.
fn fields(model: &Model, summaries: &Summaries) -> FxHashMap<(DefId, Symbol), Given> {
    let mut found: FxHashMap<(DefId, Symbol), Given> = FxHashMap::default();
    let brings = |d: &Digest| d.reads_numbers || summaries.calls_any(d);
    model.each_function(brings, |tracer, _| {
        for index in 0..tracer.function.bodies.len() as u32 {
            for (field, given) in filled(tracer, index, summaries) {
                found.entry(field).or_insert(given);
            }
        }
    });
    let names: FxHashSet<Symbol> = found.keys().map(|&(_, name)| name).collect();
    let touches = |d: &Digest| !names.is_empty() && model.fields_touched(d.root).any(|name| names.contains(&name));
    model.each_function(touches, |tracer, _| {
        for index in 0..tracer.function.bodies.len() as u32 {
            judged(tracer, index, |field| drop(found.remove(&field)));
        }
    });
    found
}

/// Fields that a body fills with such numbers: `Header { len }`, `self.need = len`.
fn filled(tracer: &Tracer, index: u32, summaries: &Summaries) -> Vec<((DefId, Symbol), Given)> {
    let flow = Flow::new(tracer, index, summaries, false);
    let mut found = Vec::new();
    if flow.reads.is_empty() {
        return found;
    }
    let typed = tracer.body(index);
    let mut fill = |id: StatementId, field: (DefId, Symbol), operand: Operand| {
        for hit in flow.operand(operand).iter().filter(|hit| hit.rest.is_empty()) {
            if checks::reaches(&flow, summaries, hit.read, id) {
                let read = &flow.reads[hit.read as usize];
                found.push((field, Given { path: Path::new(), span: read.span, origin: read.origin }));
            }
        }
    };
    for id in (0..typed.body.statements.len() as u32).map(StatementId) {
        let statement = &typed.body.statements[id.index()];
        let args = typed.body.args(statement);
        match statement.op {
            Op::Struct => {
                let &TyData::Adt(owner, _) = tracer.model.ty(tracer.ty(index, statement.dest)) else { continue };
                for pair in args.chunks_exact(2) {
                    let OperandKind::Name(name) = pair[0].kind() else { continue };
                    fill(id, (owner, tracer.model.name(typed.at.file, name)), pair[1]);
                }
            }
            Op::Assign | Op::Cast if statement.dest.get().is_some_and(|d| !typed.body.projections_of(d).is_empty()) => {
                if let Some(field) = field_at(tracer, index, statement.dest) {
                    fill(id, field, args[0]);
                }
            }
            _ => {}
        }
    }
    found
}

/// The field that a place is, and no part of it.
pub fn field_at(tracer: &Tracer, index: u32, place: PlaceId) -> Option<(DefId, Symbol)> {
    let access = tracer.place(index, place);
    match access.root {
        Root::Field(owner, name) if !access.element && access.last == Some(name) => Some((owner, name)),
        _ => None,
    }
}

/// Fields that a body compares, makes smaller, or gives to a function that may.
fn judged(tracer: &Tracer, index: u32, mut judge: impl FnMut((DefId, Symbol))) {
    let typed = tracer.body(index);
    for id in (0..typed.body.statements.len() as u32).map(StatementId) {
        let statement = &typed.body.statements[id.index()];
        let judges = match statement.op {
            Op::Binary => {
                let op = BinaryOp::from_data(statement.data);
                !op.computes() || matches!(op, BinaryOp::Rem | BinaryOp::And)
            }
            Op::Range | Op::CallValue | Op::OpaqueMacro => true,
            Op::Call | Op::CallMethod => {
                let callee = typed.types.callee(id);
                let reserves = super::reserved(tracer, index, id).is_some();
                !reserves
                    && (matches!(callee, Callee::Def(_) | Callee::Closure(_) | Callee::Unknown)
                        || tracer.row(index, id).is_some_and(|row| row.clamps))
            }
            _ => false,
        };
        if judges {
            let places = typed.body.args(statement).iter().filter_map(|a| a.as_place());
            places.filter_map(|(_, place)| field_at(tracer, index, place)).for_each(&mut judge);
        }
    }
    let switched = typed.body.blocks.iter().filter(|b| b.end == End::Switch).filter_map(|b| b.operand.as_place());
    switched.filter_map(|(_, place)| field_at(tracer, index, place)).for_each(&mut judge);
}
