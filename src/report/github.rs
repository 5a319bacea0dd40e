//! `github`: workflow commands, which GitHub shows beside the lines of a pull request.

use super::place::place;
use super::{Finding, Report, neutral};
use crate::lints::Level;
use std::io::{self, Write};

/// GitHub shows so many annotations of a kind for each step.
const SHOWN: usize = 10;

/// Writes a command for each finding; says if GitHub will not show them all.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<Vec<String>> {
    for finding in &report.findings {
        writeln!(out, "{}", command(report, finding))?;
    }
    let most = report.count(Level::Warn).max(report.count(Level::Deny));
    let hidden = format!("github: GitHub shows {SHOWN} warnings and {SHOWN} errors of a step; upload SARIF to see all");
    Ok(if most > SHOWN { vec![hidden] } else { Vec::new() })
}

fn command(report: &Report, finding: &Finding) -> String {
    let diagnostic = &finding.diagnostic;
    let at = place(report, diagnostic.span);
    let kind = if finding.level == Level::Deny { "error" } else { "warning" };
    // Columns are taken for those of one line.
    let columns = match at.line == at.end_line {
        true => format!(",col={},endColumn={}", at.column, at.end_column),
        false => String::new(),
    };
    let (file, title) = (property(at.file), property(&format!("leaklint: {}", diagnostic.lint)));
    let parts = [&diagnostic.message, &diagnostic.looked_for].into_iter().chain(&diagnostic.notes);
    let mut lines: Vec<String> = parts.filter(|part| !part.is_empty()).map(|part| neutral(part)).collect();
    lines.push(format!("help: {}", neutral(&diagnostic.help)));
    let message = data(&lines.join("\n"));
    format!("::{kind} file={file},line={},endLine={}{columns},title={title}::{message}", at.line, at.end_line)
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
