#![doc = include_str!("../../lints/peer_sized_allocation.md")]

use crate::diagnostic::{Confidence, Diagnostic};
use crate::model::Model;
use crate::model::peer_numbers::{Origin, Reserve, is_of_machine, is_own, is_unused, reserves};

const NAME: &str = "peer_sized_allocation";

/// As many variables on the way are labelled.
const NAMES: usize = 3;

/// Reports memory that is reserved for as much as a peer says.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    out.extend(reserves(model).iter().map(|reserve| report(model, reserve)));
}

fn report(model: &Model, reserve: &Reserve) -> Diagnostic {
    let owner = model.analysis.digests[reserve.function as usize].owner;
    let item = model.item_path(owner);
    let confidence = match reserve.origin {
        // Nobody sends anything to a crate for tests, nor to what only tests call.
        _ if model.is_for_tests_by_name(owner) || is_unused(model, reserve.function) => Confidence::Low,
        // What is missing of a frame, for a caller that may have compared its length: a codec's caller does not.
        _ if reserve.is_rest && model.trait_of(owner).is_none() => Confidence::Low,
        // A program that ends soon reads what whoever starts it gives to it.
        Origin::Bytes if is_own(model, owner) || model.is_tool(owner) => Confidence::Low,
        Origin::Bytes if is_of_machine(model, reserve.at.file) => Confidence::Low,
        Origin::Peer if !reserve.elsewhere && reserve.within.is_none() => Confidence::High,
        Origin::Peer | Origin::Bytes => Confidence::Medium,
        Origin::File | Origin::Local => Confidence::Low,
    };
    let mut diagnostic = Diagnostic::new(
        NAME,
        confidence,
        reserve.at,
        item.clone(),
        "memory is reserved for as much as the input says".to_owned(),
        "looked between the read and the allocation for a comparison with a limit or with what is left of the input, `min`, \
         `clamp`, and a function that is given the number and may check it; found none on this path"
            .to_owned(),
        "compare the number with a limit first, or reserve `min` of the two; or start small and grow as data arrives \
         (`take(n)` with `read_to_end`)"
            .to_owned(),
    )
    .primary("as much as it says is reserved here")
    .label(reserve.read, "the number comes in here");
    // The first one is where it is read.
    let own = reserve.names.iter().skip(usize::from(!reserve.elsewhere));
    for &name in own.take(NAMES) {
        diagnostic = diagnostic.label(name, "it is kept here");
    }
    if let Some(within) = reserve.within {
        diagnostic = diagnostic.label(within, "the allocation itself");
    }
    match reserve.origin {
        Origin::Bytes => diagnostic.note(format!("assumed that the bytes that `{item}` reads come from somebody else")),
        Origin::Peer if confidence == Confidence::Medium => {
            diagnostic.note("assumed that no other function checks the number".to_owned())
        }
        _ => diagnostic,
    }
}
