//! Readable text of a body, for debugging and for the tests of lowering.

use super::FileFacts;

/// All facts of a file.
pub fn file(facts: &FileFacts) -> String {
    format!("{facts:#?}\n")
}
