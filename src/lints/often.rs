//! How often the code of a finding runs, in words. Knows no lint.

use crate::diagnostic::Diagnostic;
use crate::facts::body::StatementId;
use crate::model::access::Tracer;
use crate::model::digest::is_repeated_at;
use crate::model::heat::Runs;

/// Adds the assumption if one was made, and the way from what makes the code of a finding run again and again.
pub fn says_how_often(
    diagnostic: Diagnostic,
    tracer: &Tracer,
    position: u32,
    (body, statement): (u32, StatementId),
) -> Diagnostic {
    let model = tracer.model;
    let diagnostic = diagnostic.way(model.chain(tracer, position, body, statement));
    let item = &diagnostic.item;
    match model.runs_at(position, body, is_repeated_at(tracer, body, statement)) {
        Runs::Repeated => diagnostic,
        Runs::PerThread => {
            let note = format!("assumed that threads come and go: `{item}` runs once in each");
            diagnostic.note(note)
        }
        _ => {
            let note = runs_often(item);
            diagnostic.note(note)
        }
    }
}

/// What is assumed of code of which nothing shows that it runs once.
pub fn runs_often(item: &str) -> String {
    format!("assumed that `{item}` runs often: it can be called any number of times")
}
