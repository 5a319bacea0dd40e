#![doc = include_str!("../../lints/exit_skips_drop.md")]

use crate::diagnostic::{Confidence, Diagnostic};
use crate::facts::body::*;
use crate::model::Model;
use crate::model::access::Tracer;
use crate::model::alive::{DropBy, Dropping, is_alive_at};
use crate::source::Span;

const NAME: &str = "exit_skips_drop";

/// Reports values that are alive when the process is ended without dropping them, though their drop has work to do.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    model.each_function(
        |digest| digest.exits,
        |tracer, position| {
            for index in 0..tracer.function.bodies.len() as u32 {
                let body = &tracer.body(index).body;
                for id in (0..body.statements.len() as u32).map(StatementId) {
                    if !tracer.row(index, id).is_some_and(|row| row.exits) {
                        continue;
                    }
                    // Of several values one is enough to show.
                    if let Some((local, does)) = skipped(tracer, index, id) {
                        out.push(report(model, tracer, position, (index, id), local, &does));
                    }
                }
            }
        },
    );
}

/// A name that holds something whose drop matters when the process ends, and what its drop does.
fn skipped(tracer: &Tracer, index: u32, exit: StatementId) -> Option<(LocalId, Dropping)> {
    let typed = tracer.body(index);
    (0..typed.body.locals.len() as u32).map(LocalId).find_map(|local| {
        if !matches!(typed.body.locals[local.index()].kind, LocalKind::Binding | LocalKind::Param) {
            return None;
        }
        let does = tracer.model.dropping(typed.types.locals[local.index()], 3)?;
        is_alive_at(tracer, index, local, exit).then_some((local, does))
    })
}

fn report(
    model: &Model,
    tracer: &Tracer,
    position: u32,
    (index, exit): (u32, StatementId),
    local: LocalId,
    dropping: &Dropping,
) -> Diagnostic {
    let typed = tracer.body(index);
    let span = model.span_of(tracer, index, exit);
    let data = &typed.body.locals[local.index()];
    let name = data.name.get().map_or("_", |n| model.text(model.name(typed.at.file, n)));
    let confidence = match dropping.by {
        DropBy::Table => Confidence::High,
        DropBy::Own => Confidence::Medium,
        // The field may be there in tests only, or empty.
        DropBy::Field => Confidence::Low,
    };
    let does = &dropping.does;
    let diagnostic = Diagnostic::new(
        NAME,
        confidence,
        span,
        model.item_path(model.analysis.digests[position as usize].owner),
        format!("the process ends here without dropping `{name}`, whose drop {does}"),
        "looked for a drop, a move, a close or a flush on every way here; found none on one of them".to_owned(),
        "return an `ExitCode` from `main` instead, or end the scope of what has to be dropped \
         before the process ends"
            .to_owned(),
    )
    .primary("ends the process")
    .label(Span { file: span.file, range: data.span }, format!("`{name}` is still alive when the process ends"));
    match dropping.by {
        DropBy::Table => diagnostic,
        _ => diagnostic.note(format!("assumed that the drop of `{name}` has something to do at this point")),
    }
}
