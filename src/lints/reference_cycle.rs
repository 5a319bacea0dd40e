#![doc = include_str!("../../lints/reference_cycle.md")]

use crate::diagnostic::{Confidence, Diagnostic};
use crate::model::access::Root;
use crate::model::cycles::{Edge, TypeGraph};
use crate::model::ledger::{Event, EventKind};
use crate::model::links::{Cleared, Link, Links, Proof, links_of_run, proof};
use crate::model::{DefId, Model, Symbol};
use rustc_hash::FxHashSet;

const NAME: &str = "reference_cycle";

/// Reports stores of shared pointers that close a circle which nothing opens again.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    let graph = TypeGraph::new(model);
    let circles: Vec<(&Edge, Vec<Edge>)> = graph.circles().collect();
    let fields: FxHashSet<Symbol> = circles.iter().map(|(edge, _)| edge.field).collect();
    if fields.is_empty() {
        return;
    }
    let all = links_of_run(model, &graph, &fields);
    let cleared: FxHashSet<Cleared> = all.iter().flat_map(|links| links.cleared.iter().copied()).collect();
    let mut found: Vec<(Confidence, &Link, &[Edge], Proof)> = Vec::new();
    for links in &all {
        for link in &links.list {
            found.extend(judged(model, &graph, &circles, links, link, &cleared));
        }
    }
    // One finding per circle, the surest; of those the first.
    found.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.span.cmp(&b.1.span)));
    let mut told = FxHashSet::default();
    for (confidence, link, circle, proof) in found {
        let mut fields: Vec<(DefId, Symbol)> = circle.iter().map(|edge| (edge.from, edge.field)).collect();
        fields.sort_unstable();
        if told.insert(fields) {
            out.push(report(model, confidence, link, circle, proof));
        }
    }
}

/// What a link is worth, with the circle of types that it belongs to.
fn judged<'a>(
    model: &Model,
    graph: &TypeGraph,
    circles: &'a [(&Edge, Vec<Edge>)],
    links: &Links,
    link: &'a Link,
    cleared: &FxHashSet<Cleared>,
) -> Option<(Confidence, &'a Link, &'a [Edge], Proof)> {
    let of_field = circles.iter().filter(|(edge, _)| (edge.from, edge.field) == (link.owner, link.field));
    let intact = |circle: &[Edge]| circle.iter().all(|edge| !opens(model, edge, cleared));
    let (edge, circle) = of_field.into_iter().find(|(_, circle)| intact(circle))?;
    let proof = proof(model, graph, &links.list, link, edge)?;
    // `Rc<dyn Observer>`: it may be another implementation that is stored.
    let unsure = circle.iter().any(|edge| edge.way.dynamic) && proof != Proof::Closed;
    // What is there once is there until the process ends.
    let single = circle.iter().any(|edge| model.is_made_once(edge.from));
    let short = model.is_tool(link.owner);
    let confidence = match proof {
        _ if unsure || single || short => Confidence::Low,
        Proof::Closed => Confidence::High,
        Proof::Holds | Proof::Any => Confidence::Medium,
        Proof::May => Confidence::Low,
    };
    Some((confidence, link, circle, proof))
}

/// Whether something takes the pointer out of a field again.
fn opens(model: &Model, edge: &Edge, cleared: &FxHashSet<Cleared>) -> bool {
    let (owner, field) = (edge.from, edge.field);
    if cleared.contains(&Cleared::All(owner)) {
        return true;
    }
    // `Arc<Inner>` in a newtype is always set.
    let events = || model.analysis.ledger.events(Root::Field(owner, field));
    // `slot.replace(next)` leaves nothing empty.
    let gone = |e: &Event| e.kind == EventKind::Expose || e.kind == EventKind::Shrink && e.collection.is_some();
    edge.way.optional
        && (cleared.contains(&Cleared::Field(owner, field))
            || cleared.contains(&Cleared::Named(field))
            || events().iter().any(gone)
            || model.analysis.ledger.may_shrink(field, |_| true))
}

fn report(model: &Model, confidence: Confidence, link: &Link, circle: &[Edge], proof: Proof) -> Diagnostic {
    let name = |def: DefId| model.text(model.def_name(def)).to_owned();
    let field = |edge: &Edge| format!("{}::{}", name(edge.from), model.text(edge.field));
    let way: Vec<String> = circle.iter().map(|edge| format!("`{}`", field(edge))).collect();
    let item = format!("{}::{}", model.item_path(link.owner), model.text(link.field));
    let message = match proof {
        Proof::Closed => {
            format!("what `{}` gets here leads back to it, so that neither is ever freed", field(&circle[0]))
        }
        _ => format!("what `{}` gets here may lead back to it, and then neither is ever freed", field(&circle[0])),
    };
    let mut diagnostic = Diagnostic::new(
        NAME,
        confidence,
        link.span,
        item,
        message,
        format!(
            "looked for a `Weak` on the way {}, and in the whole workspace for code that takes or clears one of these \
             fields; found none",
            way.join(" → ")
        ),
        "hold one direction weakly (`Rc::downgrade`, `Arc::downgrade`, and `upgrade` where it is used), keep the objects \
         in one owner and let them refer to each other by index or id, or clear the field when its owner is closed"
            .to_owned(),
    )
    .primary("stored here");
    for edge in circle {
        let message = match edge.way.strong {
            true => format!("holds a `{}` strongly", name(edge.to)),
            false => format!("holds a `{}`", name(edge.to)),
        };
        diagnostic = diagnostic.label(edge.span, message);
    }
    match proof {
        Proof::Closed => diagnostic,
        Proof::Holds => diagnostic.note(format!(
            "assumed that the `{}` which is stored belongs to the one that it is stored in",
            name(circle[0].to)
        )),
        Proof::Any | Proof::May => {
            diagnostic.note(format!("assumed that one `{}` can lead to any other", name(circle[0].from)))
        }
    }
}
