//! What the lints for values made to be shared have in common: one is built where code runs again and again, used there
//! and dropped. They differ in the kind of value and in words.

use super::often::says_how_often;
use crate::apis::ObligationKind;
use crate::diagnostic::{Confidence, Diagnostic};
use crate::facts::body::StatementId;
use crate::model::Model;
use crate::model::access::Tracer;
use crate::model::builders::Builder;
use crate::model::digest::{Seed, SeedKind};
use crate::model::endings::{Ending, endings, ends_at_once};
use crate::model::flow::Terms;
use crate::model::per_call::how_sure;
use crate::source::Span;

/// A builder that is made this many bytes before it builds stands on a line of its own.
const MULTI_LINE: u32 = 60;

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
        for finding in findings(tracer, function, seed) {
            let same = |f: &&mut Finding| f.place.0 == function && f.holder.is_some() && f.holder == finding.holder;
            match found.iter_mut().find(same) {
                // `let client = if quick { Client::new() } else { Client::builder().build()? };`
                Some(first) if first.built != finding.built => first.also.push((finding.built, "or here")),
                _ => found.push(finding),
            }
        }
    });
    found.dedup_by_key(|finding| finding.span);
    out.extend(found.iter().map(|finding| report(model, words, finding)));
}

fn findings(tracer: &Tracer, function: u32, seed: &Seed) -> Vec<Finding> {
    let model = tracer.model;
    let built = model.span_of(tracer, seed.body, seed.statement);
    let row = tracer.row(seed.body, seed.statement);
    // `reqwest::get(url)` builds a client and drops it.
    let hidden = row.filter(|row| row.acquires.is_some());
    let (ends, obligation) = match (hidden, tracer.obligation_of(seed)) {
        (Some(_), _) => (vec![ends_at_once(tracer, function, seed)], None),
        (None, Some(obligation)) => (endings(tracer, function, seed, &Terms::of_shared(obligation)), Some(obligation)),
        (None, None) => return Vec::new(),
    };
    let dest = tracer.body(seed.body).body.statements[seed.statement.index()].dest;
    let name = match (hidden, dest.get()) {
        (None, Some(dest)) => model.short_name(model.payload(tracer.ty(seed.body, dest))),
        _ => String::new(),
    };
    let start = Builder::of(tracer, seed.body, seed.statement).calls.first().map(|&id| tracer.span(seed.body, id));
    let builder = start.filter(|start| start.file == built.file && start.range.hi + MULTI_LINE < built.range.lo);
    let cheap = obligation.is_some_and(|o| tracer.is_excused(seed, o));
    let finding = |e: &Ending, confidence, span| Finding {
        span,
        place: (e.function, e.body, e.statement),
        built,
        builder,
        also: Vec::new(),
        holder: e.holder,
        name: name.clone(),
        confidence,
    };
    // Somebody keeps one: those that do not are to blame, and not the function that builds them.
    let kept = ends.iter().any(|e| !e.fate.returned && !e.is_end());
    let mut list: Vec<Finding> = Vec::new();
    for ending in &ends {
        let Some(confidence) = how_sure(model, ending, obligation, cheap) else { continue };
        if kept || ending.wrapped {
            list.push(finding(ending, confidence, ending.span));
            continue;
        }
        match list.iter_mut().find(|f| f.span == built) {
            Some(first) => {
                first.also.push((ending.span, "and here"));
                first.confidence = first.confidence.max(confidence);
            }
            None => list.push(finding(ending, confidence, built)),
        }
    }
    list
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
    let item = model.item_path(digest.owner);
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
    for (span, text) in finding.also.iter().take(3) {
        diagnostic = diagnostic.label(*span, *text);
    }
    if let Some(holder) = finding.holder {
        diagnostic = diagnostic.label(holder, "dropped at the end of this name's scope");
    }
    says_how_often(diagnostic, &tracer, function, (body, statement))
}
