//! What the lints for values made to be shared have in common: one is built where code runs again and again, used there
//! and dropped. They differ in the kind of value and in words.

use super::often::says_how_often;
use crate::apis::ObligationKind;
use crate::diagnostic::{Confidence, Diagnostic};
use crate::facts::body::StatementId;
use crate::model::access::Tracer;
use crate::model::builders::Builder;
use crate::model::digest::{Seed, SeedKind};
use crate::model::endings::{Ending, endings, ends_at_once};
use crate::model::flow::Terms;
use crate::model::per_call::how_sure;
use crate::model::{DefId, Model};
use crate::source::Span;
use std::cmp::Reverse;

/// A builder that is made this many bytes before it builds stands on a line of its own.
const MULTI_LINE: u32 = 60;

/// Of more places that build one in vain the rest are counted.
const SHOWN: usize = 3;

/// What tells the lints apart.
pub struct Words {
    /// The lint.
    pub lint: &'static str,
    /// What it looks for.
    pub kind: ObligationKind,
    /// Its name.
    pub what: &'static str,
    /// What is lost by building it each time.
    pub waste: &'static str,
    /// What to do instead.
    pub help: &'static str,
}

/// Values that are built at one place, or for one name, and dropped.
struct Finding {
    /// What is blamed.
    span: Span,
    /// The function that it stands in.
    item: DefId,
    place: (u32, u32, StatementId),
    /// Where the library's function is called.
    built: Span,
    /// Where its builder is made, if that is well before.
    builder: Option<Span>,
    /// Other places where one is built for the same name, or where it comes to.
    also: Vec<(Span, &'static str)>,
    holder: Option<Span>,
    name: String,
    confidence: Confidence,
}

/// Reports the values of one kind.
pub fn report_all(model: &Model, words: &Words, out: &mut Vec<Diagnostic>) {
    let wanted = |seed: &Seed| seed.kind == SeedKind::Acquire(words.kind);
    let mut found: Vec<Finding> = Vec::new();
    model.each_seed(wanted, |tracer, function, seed| {
        let Some(finding) = finding(tracer, function, seed) else { return };
        let same = |f: &&mut Finding| {
            f.span == finding.span || f.place.0 == finding.place.0 && f.holder.is_some() && f.holder == finding.holder
        };
        match found.iter_mut().find(same) {
            // `let client = if quick { Client::new() } else { Client::builder().build()? };`
            Some(first) => first.also.push((finding.built, "or here")),
            None => found.push(finding),
        }
    });
    out.extend(found.iter().map(|finding| report(model, words, finding)));
}

fn finding(tracer: &Tracer, function: u32, seed: &Seed) -> Option<Finding> {
    let model = tracer.model;
    let built = model.span_of(tracer, seed.body, seed.statement);
    let row = tracer.row(seed.body, seed.statement);
    // `reqwest::get(url)` builds a client and drops it.
    let hidden = row.filter(|row| row.acquires.is_some());
    let (ends, obligation) = match (hidden, tracer.obligation_of(seed)) {
        (Some(_), _) => (vec![ends_at_once(tracer, function, seed)], None),
        (None, Some(obligation)) => (endings(tracer, function, seed, &Terms::of_shared(obligation)), Some(obligation)),
        (None, None) => return None,
    };
    // `#[cfg(target_arch = "wasm32")]`: the browser makes the connections.
    if obligation.is_some_and(|o| model.is_only_for(built, &o.not_for)) {
        return None;
    }
    let dest = tracer.body(seed.body).body.statements[seed.statement.index()].dest;
    let name = match (hidden, dest.get()) {
        (None, Some(dest)) => model.short_name(model.payload(tracer.ty(seed.body, dest))),
        _ => String::new(),
    };
    let start = Builder::of(tracer, seed.body, seed.statement).calls.first().map(|&id| tracer.span(seed.body, id));
    let builder = start.filter(|start| start.file == built.file && start.range.hi + MULTI_LINE < built.range.lo);
    let cheap = obligation.is_some_and(|o| tracer.is_excused(seed, o));
    // Somebody keeps one, or it comes in a struct: who does not is to blame, and not the function that builds them.
    let kept = ends.iter().any(|e| !e.fate.returned && !e.is_end());
    let sure = ends.iter().filter_map(|e| Some((e, how_sure(model, e, obligation, cheap)?)));
    let mut sure: Vec<(&Ending, Confidence)> = sure.collect();
    sure.sort_by_key(|(e, sure)| (Reverse(*sure), Reverse(e.runs), e.span));
    let &(first, confidence) = sure.first()?;
    let span = if kept || first.wrapped && sure.len() == 1 { first.span } else { built };
    let at = if span == built { function } else { first.function };
    Some(Finding {
        span,
        item: model.analysis.digests[at as usize].owner,
        place: (first.function, first.body, first.statement),
        built,
        builder,
        also: sure[1..].iter().map(|(e, _)| (e.span, "and here")).collect(),
        holder: first.holder,
        name,
        confidence,
    })
}

fn report(model: &Model, words: &Words, finding: &Finding) -> Diagnostic {
    let Words { lint, what, waste, help, .. } = *words;
    let (function, body, statement) = finding.place;
    let digest = &model.analysis.digests[function as usize];
    let typed = model.typed(digest.root);
    let tracer = Tracer::new(model, &typed);
    let span = tracer.span(body, statement);
    let message = match finding.name.as_str() {
        "" => format!("this builds a {what} each time it is called, and drops it: {waste}"),
        name => format!("this `{name}` is built each time, used here, and dropped: {waste}"),
    };
    let looked_for = format!(
        "looked for a field, static, cache or application state that keeps the {what}, and for a caller that gets it; found none"
    );
    let item = model.item_path(finding.item);
    let mut diagnostic =
        Diagnostic::new(lint, finding.confidence, finding.span, item, message, looked_for, help.to_owned());
    diagnostic = diagnostic.primary(if finding.span == finding.built { "built here" } else { "comes from here" });
    if let Some(builder) = finding.builder {
        diagnostic = diagnostic.label(builder, "the builder");
    }
    if finding.span != finding.built {
        diagnostic = diagnostic.label(finding.built, "built here");
    } else if span != finding.built {
        diagnostic = diagnostic.label(span, "used and dropped here");
    }
    for (span, text) in finding.also.iter().take(SHOWN) {
        diagnostic = diagnostic.label(*span, *text);
    }
    if finding.also.len() > SHOWN {
        diagnostic = diagnostic.note(format!("so it is in {} more places", finding.also.len() - SHOWN));
    }
    if let Some(holder) = finding.holder {
        diagnostic = diagnostic.label(holder, "dropped at the end of this name's scope");
    }
    says_how_often(diagnostic, &tracer, function, (body, statement))
}
