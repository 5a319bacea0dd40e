#![doc = include_str!("../../lints/listener_never_removed.md")]

use super::often::runs_often;
use crate::diagnostic::{Confidence, Diagnostic};
use crate::model::access::Root;
use crate::model::heat::Runs;
use crate::model::ledger::Event;
use crate::model::listeners::Told;
use crate::model::owners::Lifetime;
use crate::model::{DefId, Model};
use crate::source::Span;

const NAME: &str = "listener_never_removed";

/// Words in the names of functions that are meant for whoever comes: what they add should be able to go.
const COMING: [&str; 10] =
    ["attach", "follow", "listen", "observe", "observer", "subscribe", "subscriber", "subscription", "track", "watch"];

/// Reports lists of listeners that nobody can leave.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    for root in model.analysis.ledger.roots() {
        let Some(told) = model.listeners(root) else { continue };
        let Some(list) = List::of(model, root, told) else { continue };
        let events = model.analysis.ledger.events(root);
        if model.lets_listeners_go(root, &events) {
            continue;
        }
        let mut functions = Vec::new();
        for event in events.iter().filter(|e| model.adds_listener(e)) {
            if functions.contains(&event.site.function) {
                continue;
            }
            if let Some(confidence) = list.confidence(model, event) {
                functions.push(event.site.function);
                out.push(list.report(model, event, confidence));
            }
        }
    }
}

/// A list of listeners that code out of sight cannot reach.
struct List {
    root: Root,
    told: Told,
    name: String,
    declared: Option<Span>,
}

impl List {
    fn of(model: &Model, root: Root, told: Told) -> Option<List> {
        let of = match root {
            Root::Field(owner, _) => owner,
            Root::Static(def) => def,
            _ => return None,
        };
        let (out_of_sight, name, declared) = match root {
            Root::Field(owner, name) => {
                let name_of = format!("{}::{}", model.item_path(owner), model.text(name));
                let hidden = model.is_public_field(owner, name) || model.field_is_borrowed(owner, name);
                (hidden, name_of, model.field_span(owner, name))
            }
            _ => (model.is_exported(of), model.text(model.def_name(of)).to_owned(), Some(model.def_span(of))),
        };
        (!out_of_sight && (model.tests || !model.is_test(of))).then_some(List { root, told, name, declared })
    }

    /// How sure it is that listeners come again and again to a list that lives on.
    fn confidence(&self, model: &Model, event: &Event) -> Option<Confidence> {
        let runs = model.runs_of(event);
        let lifetime = match self.root {
            Root::Field(owner, name) => model.lifetime(owner, name, event)?,
            _ => Lifetime::Static,
        };
        let by = model.analysis.digests[event.site.function as usize].owner;
        match (runs, lifetime) {
            (Runs::Repeated, Lifetime::Static | Lifetime::Loop) => Some(Confidence::High),
            (Runs::Repeated, _) => Some(Confidence::Medium),
            _ if lifetime == Lifetime::Loop => Some(Confidence::High),
            // `add_hook(f)`: whoever sets a program up calls it, as far as can be seen.
            (Runs::PerCall | Runs::PerThread, _) if self.told == Told::Callback && !is_for_comers(model, by) => {
                Some(Confidence::Low)
            }
            (Runs::PerCall | Runs::PerThread, _) => Some(Confidence::Medium),
            _ => None,
        }
    }

    fn report(&self, model: &Model, event: &Event, confidence: Confidence) -> Diagnostic {
        let name = &self.name;
        let item = model.item_path(model.analysis.digests[event.site.function as usize].owner);
        let (one, remedy) = match self.told {
            Told::Callback => (
                "callback",
                "give whoever registers a guard or an id to take its callback out with, or keep a `Weak` and drop those \
                 that are dead",
            ),
            Told::Sender => (
                "sender",
                "drop those whose receiver is gone where something is sent (`retain(|tx| tx.send(..).is_ok())`), or use a \
                 broadcast channel",
            ),
        };
        let mut diagnostic = Diagnostic::new(
            NAME,
            confidence,
            event.site.span,
            item.clone(),
            format!("this {one} is added to `{name}`, and nothing ever takes it out again"),
            "looked in the whole workspace for a removal, a `retain`, a guard that takes it out, a replacement of the list, \
             or a place where it goes out of sight; found none"
                .to_owned(),
            remedy.to_owned(),
        )
        .primary("added here");
        if let Some(declared) = self.declared {
            diagnostic = diagnostic.label(declared, "the list is declared here");
        }
        if model.runs_of(event) == Runs::Repeated {
            return diagnostic;
        }
        diagnostic.note(runs_often(&item))
    }
}

fn is_for_comers(model: &Model, def: DefId) -> bool {
    model.name_says(def, &COMING)
}
