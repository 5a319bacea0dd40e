#![doc = include_str!("../../lints/self_capturing_callback.md")]

use super::often::says_how_often;
use crate::diagnostic::{Confidence, Diagnostic};
use crate::model::access::Tracer;
use crate::model::digest::is_repeated_at;
use crate::model::heat::Runs;
use crate::model::registrations::{Keeper, Registration};
use crate::model::{DefId, Model, Symbol};

const NAME: &str = "self_capturing_callback";

/// Reports closures that are kept by what they keep alive.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    model.each_function(
        |digest| !digest.registrations.is_empty(),
        |tracer, position| {
            let digest = &model.analysis.digests[position as usize];
            for registration in &digest.registrations {
                let Registration { body, statement, .. } = *registration;
                let runs = model.runs_at(position, body, is_repeated_at(tracer, body, statement));
                // What is made once stays for the life of the process anyway.
                let often = matches!(runs, Runs::PerThread | Runs::PerCall | Runs::Repeated);
                if !often || model.is_left_out(registration.closure) {
                    continue;
                }
                if let Some(place) = place(model, digest.owner, registration.keeper) {
                    out.push(report(tracer, position, registration, runs, &place));
                }
            }
        },
    );
}

/// Where the closure is kept, in words, if nothing takes it out again.
fn place(model: &Model, by: DefId, keeper: Keeper) -> Option<String> {
    let stays = |owner: DefId, field: Symbol, by: &[DefId]| {
        let name = format!("`{}::{}`", model.item_path(owner), model.text(field));
        (!model.lets_callback_go(owner, field, by)).then_some(name)
    };
    match keeper {
        Keeper::Object => Some("the object that it is connected at".to_owned()),
        Keeper::Receiver => Some("what it is registered at".to_owned()),
        Keeper::Built => Some("what is built".to_owned()),
        Keeper::Variable => Some("the cell that it is put into".to_owned()),
        Keeper::Field(owner, field) => stays(owner, field, &[by]),
        Keeper::Callee(def, arg) => {
            let (owner, field) = model.keeps_callback_in(def, arg)?;
            stays(owner, field, &[by, def])
        }
    }
}

fn report(tracer: &Tracer, position: u32, found: &Registration, runs: Runs, place: &str) -> Diagnostic {
    let model = tracer.model;
    let item = model.item_path(model.analysis.digests[position as usize].owner);
    let (name, declared) = found.captured;
    let name = model.text(name);
    let confidence = match (runs, found.keeper) {
        (_, Keeper::Object | Keeper::Built | Keeper::Receiver) => Confidence::Medium,
        (Runs::Repeated, _) => Confidence::High,
        _ => Confidence::Medium,
    };
    let message = match found.keeper {
        Keeper::Built => format!("this closure is kept by {place}, and holds `{name}`, which gets a handle of it"),
        _ => format!(
            "this closure is kept by {place}, and holds `{name}`, which keeps that alive: neither is ever freed"
        ),
    };
    let diagnostic = Diagnostic::new(
        NAME,
        confidence,
        found.closure,
        item.clone(),
        message,
        "looked for a weak reference among what it captures, for an id or a guard by which it is taken away, and for code that \
         empties the place where it is kept; found none"
            .to_owned(),
        "capture a weak reference and upgrade it in the closure (`Rc::downgrade`, `#[weak]` in `clone!`), or use what the \
         callback is given as its first argument"
            .to_owned(),
    )
    .primary("captures its owner")
    .label(declared, "the strong handle that it takes along")
    .label(model.span_of(tracer, found.body, found.statement), "kept here");
    says_how_often(diagnostic, tracer, position, (found.body, found.statement))
}
