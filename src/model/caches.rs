//! Caches that a row says may have no limit: where they are made, what keeps them, and functions that remember their
//! results.

use super::access::{Root, Tracer};
use super::builders::{Builder, is_max};
use super::heat::Runs;
use super::ledger::{Event, EventKind, Key, Site, is_finite};
use super::{Callee, DefId, Model, TyData};
use crate::apis::Collection;
use crate::facts::ItemKind;
use crate::facts::body::*;

/// A cache that keeps all it is given.
#[derive(Debug, Clone, Copy)]
pub struct Unlimited {
    /// Where it is made.
    pub made: Site,
    /// What keeps it.
    pub kept: Root,
    /// Where something is put into it.
    pub put: Event,
}

/// All caches of the run that live long, grow, and have no limit.
pub fn unlimited(model: &Model) -> Vec<Unlimited> {
    let mut found: Vec<Unlimited> = Vec::new();
    model.each_function(
        |digest| digest.builds,
        |tracer, position| {
            for body in 0..tracer.function.bodies.len() as u32 {
                let count = tracer.body(body).body.statements.len() as u32;
                for statement in (0..count).map(StatementId).filter(|&id| is_unlimited(tracer, body, id)) {
                    let made = Site { function: position, body, statement, span: tracer.span(body, statement) };
                    let kept = keepers(tracer, body, statement).into_iter();
                    found.extend(kept.filter_map(|kept| Some(Unlimited { made, kept, put: growth(model, kept)? })));
                }
            }
        },
    );
    found.sort_by_key(|u| (u.made, u.kept));
    found.dedup_by_key(|u| u.made);
    found
}

/// Whether a call makes a cache without a limit, as far as its builder can be seen.
fn is_unlimited(tracer: &Tracer, index: u32, id: StatementId) -> bool {
    let Some(cache) = tracer.row(index, id).and_then(|row| row.cache.as_ref()) else { return false };
    let body = &tracer.body(index).body;
    let statement = &body.statements[id.index()];
    if let Some(limit) = cache.limit {
        return body.args(statement).get(limit as usize).is_some_and(|&operand| is_max(tracer, index, operand));
    }
    let builder = Builder::of(tracer, index, id);
    (statement.op != Op::CallMethod || builder.in_sight) && !builder.calls_one(tracer, index, &cache.bounded_by)
}

/// The statics and fields that what a call makes is put into.
fn keepers(tracer: &Tracer, index: u32, made: StatementId) -> Vec<Root> {
    let model = tracer.model;
    let owner = model.owner(tracer.function.root().at);
    if model.item(owner).kind == ItemKind::Static {
        return vec![Root::Static(owner)];
    }
    let mut kept = Vec::new();
    // `CACHE.get_or_init(|| ..)`
    if let Some((outer, call, _)) = tracer.handed_to(index)
        && tracer.row(outer, call).is_some_and(|row| row.through)
    {
        kept.extend(tracer.call(outer, call).map(|access| access.root));
    }
    let body = &tracer.body(index).body;
    let Some(local) = body.statements[made.index()].dest.get().and_then(|d| body.whole_local(d)) else { return kept };
    let itself = tracer.local_access(index, local).root;
    for body in 0..tracer.function.bodies.len() as u32 {
        kept.extend(stores(tracer, body, itself));
    }
    kept.retain(|root| matches!(root, Root::Field(..) | Root::Static(_)));
    kept
}

/// Where a body puts a value.
fn stores(tracer: &Tracer, index: u32, value: Root) -> Vec<Root> {
    let typed = tracer.body(index);
    let is_value =
        |operand: &Operand| operand.as_place().is_some_and(|(_, place)| tracer.place(index, place).root == value);
    let mut found = Vec::new();
    for (position, statement) in typed.body.statements.iter().enumerate() {
        let args = typed.body.args(statement);
        let made = || match *tracer.model.ty(tracer.model.payload(tracer.ty(index, statement.dest))) {
            TyData::Adt(owner, _) => Some(owner),
            _ => None,
        };
        match statement.op {
            Op::Struct => {
                for pair in args.chunks_exact(2).filter(|pair| is_value(&pair[1])) {
                    if let (OperandKind::Name(name), Some(owner)) = (pair[0].kind(), made()) {
                        found.push(Root::Field(owner, tracer.model.name(typed.at.file, name)));
                    }
                }
            }
            Op::Call => {
                if let Callee::Constructor(owner) = typed.types.callee(StatementId(position as u32)) {
                    let at = args.iter().position(is_value);
                    found.extend(at.map(|at| Root::Field(owner, tracer.model.symbols.intern(&at.to_string()))));
                }
            }
            Op::Assign if args.first().is_some_and(is_value) => found.push(tracer.place(index, statement.dest).root),
            _ => {}
        }
    }
    found
}

/// Where a cache grows, if it lives long and nothing else keeps it small.
fn growth(model: &Model, kept: Root) -> Option<Event> {
    let events = model.analysis.ledger.events(kept);
    let name = match kept {
        Root::Static(def) if !model.is_exported(def) => model.def_name(def),
        Root::Field(owner, name) if !model.is_public_field(owner, name) => name,
        _ => return None,
    };
    let lives_long = |e: &Event| match kept {
        Root::Field(owner, name) => model.lifetime(owner, name, e).is_some(),
        _ => true,
    };
    let grows = |e: &&Event| {
        e.kind == EventKind::Grow
            && e.collection == Some(Collection::Bounded)
            && !e.access.element
            && e.access.exact
            && e.key == Key::Open
            && matches!(model.runs_of(e), Runs::PerCall | Runs::PerThread | Runs::Repeated)
            && lives_long(e)
    };
    if model.is_kept_small(name, &events, &|e| !model.is_test_event(e)) {
        return None;
    }
    events.iter().filter(grows).min_by_key(|e| e.site).copied()
}

/// Functions that remember all their results: an attribute says so, and nothing limits them.
pub fn memoised(model: &Model) -> Vec<DefId> {
    let functions = model.analysis.digests.iter().map(|d| d.owner).filter(|&def| model.item(def).kind == ItemKind::Fn);
    functions.filter(|&def| is_memoised(model, def)).collect()
}

fn is_memoised(model: &Model, def: DefId) -> bool {
    let file = model.def(def).file;
    let header = model.header(file);
    let unlimited = model.attribute_rows(def).any(|(row, attribute)| {
        let words = attribute.words.of(&header.words);
        let says =
            |names: &[String]| words.iter().any(|&w| names.iter().any(|n| *n == model.text(model.name(file, w))));
        row.cache.as_ref().is_some_and(|cache| !says(&cache.bounded_by))
    });
    let own = usize::from(model.has_receiver(def));
    unlimited
        && (model.tests || !model.is_test(def))
        && model.params_of(def).iter().skip(own).any(|&ty| ty.is_known() && !is_finite(model, ty))
        && !matches!(
            model.analysis.heats[model.digest_position(def).unwrap_or_default() as usize],
            Runs::Test | Runs::Never
        )
}
