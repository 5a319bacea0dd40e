#![doc = include_str!("../../lints/partial_removal.md")]

use crate::diagnostic::{Confidence, Diagnostic};
use crate::model::Model;
use crate::model::access::Root;
use crate::model::partial::Partial;
use crate::source::Span;

const NAME: &str = "partial_removal";

/// Reports removals that leave the key behind in another collection, or in the one around.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    out.extend(model.partial_removals().iter().map(|partial| report(model, partial)));
}

fn report(model: &Model, partial: &Partial) -> Diagnostic {
    let function = |position: u32| model.analysis.digests[position as usize].owner;
    let (left, declared) = named(model, partial.left_in);
    let (taken, _) = named(model, partial.taken_from);
    let inner = partial.taken_from == partial.left_in;
    let put_by = model.item_path(function(partial.put.site.function));
    let (message, looked) = match inner {
        true => (
            format!("this empties a value of `{left}`, and the key stays there for good"),
            format!(
                "looked for a removal of keys from `{left}`, a clear, a sweep, and a check of its length; found none"
            ),
        ),
        false => (
            format!("this takes a key out of `{taken}`, but not out of `{left}`, where it was put with it"),
            format!(
                "looked in the whole workspace for anything that takes keys out of `{left}`, clears it, or checks its length; \
                 found nothing"
            ),
        ),
    };
    let help = match inner {
        true => "remove the key when nothing is left under it: `if queue.is_empty() { map.remove(&key); }`",
        false => "remove the key from both, in one function that all ways to the end of an entry go through",
    };
    let confidence = if partial.may_be_short { Confidence::Low } else { Confidence::Medium };
    let diagnostic = Diagnostic::new(
        NAME,
        confidence,
        partial.removal.site.span,
        model.item_path(function(partial.removal.site.function)),
        message,
        looked,
        help.to_owned(),
    )
    .primary("taken out here")
    .label(partial.put.site.span, "put in here, and never taken out");
    let diagnostic = match declared {
        Some(span) => diagnostic.label(span, "declared here"),
        None => diagnostic,
    };
    diagnostic.note(format!("assumed that there is no end of keys, and that `{put_by}` runs often"))
}

fn named(model: &Model, root: Root) -> (String, Option<Span>) {
    match root {
        Root::Field(owner, name) => {
            (format!("{}::{}", model.item_path(owner), model.text(name)), model.field_span(owner, name))
        }
        Root::Static(def) => (model.item_path(def), Some(model.def_span(def))),
        _ => (String::new(), None),
    }
}
