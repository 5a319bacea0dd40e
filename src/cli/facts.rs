//! `leaklint facts`: what lowering makes of a file, for those who work on leaklint.

use super::{CLEAN, output};
use anstream::ColorChoice;
use anyhow::anyhow;
use std::path::Path;

/// Prints the facts of a file.
pub fn run(file: &Path) -> anyhow::Result<u8> {
    let facts = leaklint::check::facts_of(file).map_err(|reason| anyhow!("{} {reason}", file.display()))?;
    output::to_stdout(leaklint::facts::dump::file(&facts).as_bytes(), ColorChoice::Auto)?;
    Ok(CLEAN)
}
