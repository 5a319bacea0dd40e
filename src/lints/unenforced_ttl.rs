#![doc = include_str!("../../lints/unenforced_ttl.md")]

use super::often::runs_often;
use crate::diagnostic::{Confidence, Diagnostic};
use crate::facts::body::StatementId;
use crate::model::Model;
use crate::model::access::{Root, Tracer};
use crate::model::builders::{Builder, is_off};
use crate::model::expiry::Outlived;
use crate::model::heat::Runs;

const NAME: &str = "unenforced_ttl";

/// Reports times that are set and never looked at in time.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    out.extend(model.outlived().iter().map(|found| report_collection(model, found)));
    model.each_function(
        |digest| digest.builds,
        |tracer, position| {
            for body in 0..tracer.function.bodies.len() as u32 {
                let count = tracer.body(body).body.statements.len() as u32;
                let alone = (0..count).map(StatementId).filter(|&id| has_no_effect(tracer, body, id));
                out.extend(alone.map(|id| report_setting(tracer, position, body, id)));
            }
        },
    );
}

/// Whether a call on a builder needs another one, and the builder goes from its making to its end without it.
fn has_no_effect(tracer: &Tracer, index: u32, id: StatementId) -> bool {
    let Some(row) = tracer.row(index, id).filter(|row| !row.needs.is_empty()) else { return false };
    let body = &tracer.body(index).body;
    // `pool_idle_timeout(None)`: it is switched off.
    let off = body.args(&body.statements[id.index()]).get(1).is_some_and(|&operand| is_off(tracer, index, operand));
    let builder = Builder::of(tracer, index, id);
    !off && builder.in_sight && !builder.calls_one(tracer, index, &row.needs)
}

fn report_setting(tracer: &Tracer, position: u32, index: u32, id: StatementId) -> Diagnostic {
    let model = tracer.model;
    let needs = tracer.row(index, id).map_or("", |row| row.needs[0].as_str());
    let body = &tracer.body(index).body;
    let name = tracer.method_name(index, &body.statements[id.index()]);
    Diagnostic::new(
        NAME,
        Confidence::High,
        tracer.span(index, id),
        model.item_path(model.analysis.digests[position as usize].owner),
        format!("`{name}` has no effect here: it needs `{needs}`, which is not called"),
        format!("looked for `{needs}` among the calls on this builder; found none"),
        format!("call `{needs}` on the builder too"),
    )
    .primary("this time never comes")
}

fn report_collection(model: &Model, found: &Outlived) -> Diagnostic {
    let item = |position: u32| model.item_path(model.analysis.digests[position as usize].owner);
    let (kept, declared) = match found.root {
        Root::Field(owner, name) => {
            (format!("{}::{}", model.item_path(owner), model.text(name)), model.field_span(owner, name))
        }
        Root::Static(def) => (model.item_path(def), Some(model.def_span(def))),
        _ => (String::new(), None),
    };
    let filled_by = item(found.put.site.function);
    let mut diagnostic = Diagnostic::new(
        NAME,
        Confidence::Medium,
        found.put.site.span,
        filled_by.clone(),
        format!("entries of `{kept}` expire, but one that nobody asks for again stays there for good"),
        "looked for a sweep over all entries, a limit, and a removal that does not wait for the same key; found none".to_owned(),
        "sweep what has expired now and then (`retain` on a tick, or on every insert), or use a cache that does (`moka` with a \
         time to live)"
            .to_owned(),
    )
    .primary("put in here")
    .label(found.seen.span, "only here is it seen that the time is up");
    if let Some(span) = declared {
        diagnostic = diagnostic.label(span, "declared here");
    }
    match model.runs_of(&found.put) {
        Runs::Repeated => diagnostic.note(format!("assumed that `{kept}` lives long and that there is no end of keys")),
        _ => diagnostic.note(runs_often(&filled_by)),
    }
}
