#![doc = include_str!("../../lints/unbounded_cache.md")]

use super::often::runs_often;
use crate::diagnostic::{Confidence, Diagnostic};
use crate::model::access::Root;
use crate::model::caches::{Unlimited, memoised, unlimited};
use crate::model::heat::Runs;
use crate::model::{DefId, Model};

const NAME: &str = "unbounded_cache";

/// Reports caches and functions with a memory that keep all they were ever given.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    out.extend(unlimited(model).iter().map(|cache| report(model, cache)));
    out.extend(memoised(model).into_iter().map(|def| report_function(model, def)));
}

fn report(model: &Model, cache: &Unlimited) -> Diagnostic {
    let item = |position: u32| model.item_path(model.analysis.digests[position as usize].owner);
    let (kept, declared) = match cache.kept {
        Root::Field(owner, name) => {
            (format!("{}::{}", model.item_path(owner), model.text(name)), model.field_span(owner, name))
        }
        Root::Static(def) => (model.item_path(def), Some(model.def_span(def))),
        _ => (String::new(), None),
    };
    let filled_by = item(cache.put.site.function);
    let runs = model.runs_of(&cache.put);
    let confidence = if runs == Runs::Repeated { Confidence::High } else { Confidence::Medium };
    let mut diagnostic = Diagnostic::new(
        NAME,
        confidence,
        cache.made.span,
        item(cache.made.function),
        format!("`{kept}` is a cache without a limit: it keeps all it is given"),
        "looked for a capacity or a time to live where it is made, and for a removal or a check of its size elsewhere; found \
         none"
            .to_owned(),
        "give it a capacity, and a time to live if entries go stale".to_owned(),
    )
    .primary("made here")
    .label(cache.put.site.span, "grows here");
    if let Some(span) = declared {
        diagnostic = diagnostic.label(span, "kept here");
    }
    if confidence == Confidence::Medium { diagnostic.note(runs_often(&filled_by)) } else { diagnostic }
}

fn report_function(model: &Model, def: DefId) -> Diagnostic {
    let item = model.item_path(def);
    let repeated = model.digest_position(def).is_some_and(|p| model.analysis.heats[p as usize] == Runs::Repeated);
    Diagnostic::new(
        NAME,
        Confidence::Medium,
        model.def_span(def),
        item.clone(),
        format!("`{item}` remembers each result for the life of the process, and nothing limits how many"),
        "looked for a size, a time, or a store of its own in the attribute; found none".to_owned(),
        "give the attribute a size, so that the least used results are forgotten".to_owned(),
    )
    .primary("one entry per different argument")
    .note(match repeated {
        true => format!("assumed that `{item}` is called with ever new arguments"),
        false => format!("assumed that `{item}` is called often, with ever new arguments"),
    })
}
