//! What the lints of collections that only grow share: how the places are told where one collection grows.

use crate::diagnostic::Diagnostic;
use crate::model::ledger::{Event, EventKind};
use std::cmp::Reverse;

/// As many other places are labelled.
const PLACES: usize = 4;

/// Whether the function that adds something also asks what is there already.
pub(super) fn is_look(event: &Event, growth: &Event) -> bool {
    matches!(event.kind, EventKind::Look | EventKind::Bound)
        && !event.access.element
        && event.site.function == growth.site.function
}

/// One finding for a collection: at the place that is surest to grow it, the others are labels.
pub(super) fn told_once(mut reports: Vec<Diagnostic>) -> Option<Diagnostic> {
    // The sort is stable: of equals the first in the text.
    reports.sort_by_key(|report| Reverse(report.confidence));
    let mut reports = reports.into_iter();
    let first = reports.next()?;
    let mut others: Vec<_> = reports.map(|report| report.span).collect();
    others.sort();
    Some(others.into_iter().take(PLACES).fold(first, |told, span| told.label(span, "grows here, too")))
}
