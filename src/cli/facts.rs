//! `leaklint facts`: what lowering makes of a file, for those who work on leaklint.

use super::{CLEAN, output};
use anstream::ColorChoice;
use std::path::Path;

/// Prints the facts of a file.
pub fn run(file: &Path) -> anyhow::Result<u8> {
    let facts = leaklint::check::facts_of(file)?;
    output::to_stdout(leaklint::facts::dump::file(&facts).as_bytes(), ColorChoice::Auto)?;
    Ok(CLEAN)
}
