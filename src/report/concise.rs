//! `concise`: one line for each finding, for problem matchers and for grep. The shape is stable.

use super::place::place;
use super::{Report, neutral};
use std::io::{self, Write};

/// Writes `path:line:column: level[lint] message` for each finding; columns count characters.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for finding in &report.findings {
        let diagnostic = &finding.diagnostic;
        let at = place(report, diagnostic.span);
        let (file, message) = (neutral(at.file), neutral(&diagnostic.message));
        let (line, column, level) = (at.line, at.column, finding.level);
        writeln!(out, "{file}:{line}:{column}: {level}[{}] {message}", diagnostic.lint)?;
    }
    Ok(())
}
