#![doc = include_str!("../../lints/client_per_call.md")]

use super::per_call::{Words, report_all};
use crate::apis::ObligationKind;
use crate::diagnostic::Diagnostic;
use crate::model::Model;

const WORDS: Words = Words {
    lint: "client_per_call",
    kind: ObligationKind::Client,
    what: "client",
    waste: "its connections are closed with it",
    help: "build one client when the program starts, keep it in a field, a static or the state of the application, and \
           clone or borrow it; where settings differ, keep one per setting in a map",
};

/// Reports clients that are built each time they are used.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    report_all(model, &WORDS, out);
}
