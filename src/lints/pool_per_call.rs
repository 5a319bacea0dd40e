#![doc = include_str!("../../lints/pool_per_call.md")]

use super::per_call::{Words, report_all};
use crate::apis::ObligationKind;
use crate::diagnostic::Diagnostic;
use crate::model::Model;

const WORDS: Words = Words {
    lint: "pool_per_call",
    kind: ObligationKind::Pool,
    what: "connection pool",
    waste: "its connections are opened and closed each time",
    help: "build one pool when the program starts, keep it in the state of the application, and hand out clones or \
           references; for a single statement open one connection",
};

/// Reports connection pools that are built each time they are used.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    report_all(model, &WORDS, out);
}
