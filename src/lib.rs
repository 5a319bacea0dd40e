//! leaklint finds resource leaks in Rust sources: tasks nobody joins, pools nobody closes, collections that only grow,
//! children never waited for. It reads syntax alone: no compiler, no type checker.
//!
//! # Architecture
//!
//! ```text
//! paths ─ discover → files ┐
//!                          │ per file, in parallel (a syntax tree never leaves its thread)
//!                          └─ source → parse → lower → facts ┐
//!                                                            └─ model → lints → diagnostics ─ check → report
//! ```
//!
//! - [`discover`]: paths to sorted source files, each with its package and the kind of target it belongs to.
//! - [`source`]: text and positions. Offsets are bytes of the file on disk.
//! - [`parse`]: the guarded call of the parser.
//! - [`lower`]: trees to facts.
//! - [`facts`]: what one file says, flat, without its tree.
//! - [`apis`]: what libraries do, from the tables in `lints/apis`.
//! - [`model`]: all facts linked; what lints look at.
//! - [`lints`]: one function and one page per lint.
//! - [`diagnostic`]: what a lint says.
//! - [`mod@check`]: the run. Levels and confidence are applied here.
//! - [`report`]: one file per output format.
//!
//! The folder `lints/` holds knowledge (pages, API tables), `src/` holds algorithms.
//!
//! # Invariants
//!
//! 1. The parser's crates are named only in `parse` and `lower`.
//! 2. Lowering knows no lint, no config and no API table: facts depend on a file's text alone.
//! 3. Facts may be cached, diagnostics never: a verdict depends on other files.
//! 4. Lints are functions of the model: no input or output, no source text, no level, no suppression.
//! 5. Evidence has two sides. What accuses must be proved; what excuses is enough if possible. Unknown is silence.
//! 6. Output does not depend on the number of threads, on hash order or on where it is run from.
//! 7. A file that cannot be read or parsed is reported as skipped, with the reason, and never stops the run.
//! 8. Every diagnostic says what was acquired, what was looked for and not found, and what to do.
//! 9. Every lint has a page, and every page's examples are run.
//! 10. Memory is freed as it goes: a tree is dropped in the call that made it, the positions it used right after.
//!
//! `tests/tidy.rs` checks those that a text search can check.

pub mod apis;
pub mod check;
pub mod config;
pub mod diagnostic;
pub mod discover;
pub mod facts;
pub mod lints;
pub mod lower;
pub mod model;
pub mod parse;
pub mod report;
pub mod source;
pub mod version;

pub use check::{CheckError, check};
pub use config::Settings;
pub use report::Report;
