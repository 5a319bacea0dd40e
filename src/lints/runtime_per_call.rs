#![doc = include_str!("../../lints/runtime_per_call.md")]

use super::per_call::{Words, report_all};
use crate::apis::ObligationKind;
use crate::diagnostic::Diagnostic;
use crate::model::Model;

const WORDS: Words = Words {
    lint: "runtime_per_call",
    kind: ObligationKind::Runtime,
    what: "runtime",
    waste: "its threads are started and joined each time",
    help: "build one runtime and keep it in a field or a static (`LazyLock<Runtime>`), or hand in a `Handle` and use \
           its `block_on`; in code that is async already, await",
};

/// Reports executors that are built each time they are used.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    report_all(model, &WORDS, out);
}
