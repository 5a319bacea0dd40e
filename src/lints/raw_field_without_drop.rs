#![doc = include_str!("../../lints/raw_field_without_drop.md")]

use crate::apis::ObligationKind;
use crate::diagnostic::{Confidence, Diagnostic};
use crate::facts::body::Op;
use crate::model::access::Tracer;
use crate::model::acquires::{Acquired, acquired, gives_up, is_put_back};
use crate::model::digest::Seed;
use crate::model::flow::{Stored, fate};
use crate::model::heat::Runs;
use crate::model::{DefId, Model, Symbol, TyData};
use crate::source::Span;
use rustc_hash::FxHashSet;

const NAME: &str = "raw_field_without_drop";

/// Reports fields into which something raw is acquired and from which nothing releases it.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    let wanted =
        |seed: &Seed| matches!(model.gives(seed.kind), Some(ObligationKind::Handle | ObligationKind::RawMemory));
    let mut seen = FxHashSet::default();
    model.each_seed(wanted, |tracer, position, seed| {
        let Some(acquired) = acquired(tracer, seed).filter(|_| !is_put_back(tracer, seed)) else { return };
        let fate = fate(tracer, &model.analysis.releases, acquired.terms(), seed.body, seed.statement);
        // `self.values.push(Box::into_raw(value))` is a matter of `leaked_allocation`.
        let body = &tracer.body(seed.body).body;
        let pushed = |stored: &&Stored| body.statements[stored.statement.index()].op == Op::CallMethod;
        let stored = fate.stored.iter().filter(|s| !(gives_up(tracer, seed) && pushed(s)));
        let fields = stored.filter_map(|&stored| model.stored_in(tracer, seed.body, stored));
        let fields: Vec<_> = fields.chain(fate.kept_in.iter().copied()).collect();
        // Of several structs that have a copy, one that releases it is enough.
        let is_released = |&(owner, name): &(DefId, Symbol)| model.raw_field_is_released(owner, name);
        for (owner, name) in fields.iter().copied().filter(|_| !fields.iter().any(is_released)) {
            if !seen.contains(&(owner, name))
                && !is_excused(model, owner, name)
                && let Some(span) = model.field_span(owner, name)
            {
                seen.insert((owner, name));
                let runs = model.runs_at(position, seed.body, false);
                out.push(report(model, tracer, seed, &acquired, (owner, name, span), runs));
            }
        }
    });
}

fn is_excused(model: &Model, owner: DefId, name: Symbol) -> bool {
    // `handle: Handle` where `Handle` has a `Drop`.
    let ty = model.declared_field(owner, name).unwrap_or_default();
    let owns = model.inside(ty).any(|ty| matches!(*model.ty(ty), TyData::Adt(of, _) if model.has_drop(of).is_some()));
    owns || model.raw_field_is_released(owner, name)
        || model.is_in_static(owner)
        // A copy of a handle that somebody else owns.
        || model.is_copy(model.adt(owner, &[]))
}

fn report(
    model: &Model,
    tracer: &Tracer,
    seed: &Seed,
    acquired: &Acquired,
    (owner, name, span): (DefId, Symbol, Span),
    runs: Runs,
) -> Diagnostic {
    let confidence = match acquired {
        // What is made once lives as long as the process.
        _ if runs == Runs::Once || runs == Runs::Test || model.is_tool(owner) => Confidence::Low,
        Acquired::Row(_) if !model.is_public_field(owner, name) => Confidence::High,
        _ => Confidence::Medium,
    };
    let (what, item) = (acquired.what(), format!("{}::{}", model.item_path(owner), model.text(name)));
    let dropped = match model.has_drop(owner) {
        Some(_) => "its `Drop` does not touch it",
        None => "it has no `Drop`",
    };
    let diagnostic = Diagnostic::new(
        NAME,
        confidence,
        span,
        item,
        format!("`{}` keeps a {what} that nothing releases when it is dropped", model.text(model.def_name(owner))),
        format!(
            "looked for {} on this field: {dropped}, and nothing else in the run releases it",
            acquired.partners(model)
        ),
        "implement `Drop` and release it there, or keep a type that does: `OwnedFd`, `Box`, a small struct around it"
            .to_owned(),
    )
    .primary("kept here")
    .label(model.span_of(tracer, seed.body, seed.statement), "acquired here");
    let diagnostic = match acquired.origin(model) {
        Some(origin) => diagnostic.label(origin, "this is what it gives out"),
        None => diagnostic,
    };
    let diagnostic = match acquired.assumed(model) {
        Some(assumed) => diagnostic.note(assumed),
        None => diagnostic,
    };
    match model.is_public_field(owner, name) {
        true => diagnostic.note("assumed that no other crate releases it: the field is public"),
        false => diagnostic,
    }
}
