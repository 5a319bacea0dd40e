//! `gitlab`: a code quality report, which GitLab shows in merge requests.

use super::place::place;
use super::{Finding, Report};
use crate::diagnostic::Confidence;
use crate::lints::Level;
use serde_json::{Value, json};
use std::io::{self, Write};

/// Writes a list; an empty one says that all is well. Of equal fingerprints GitLab would drop all but one.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let issues: Vec<Value> = report.findings.iter().map(|finding| issue(report, finding)).collect();
    serde_json::to_writer_pretty(&mut *out, &issues)?;
    writeln!(out)
}

fn issue(report: &Report, finding: &Finding) -> Value {
    let diagnostic = &finding.diagnostic;
    let at = place(report, diagnostic.span);
    json!({
        "description": diagnostic.message,
        "check_name": diagnostic.lint,
        "fingerprint": finding.fingerprint,
        "severity": severity(finding),
        "location": { "path": at.file, "lines": { "begin": at.line, "end": at.end_line } },
    })
}

fn severity(finding: &Finding) -> &'static str {
    match (finding.level, finding.diagnostic.confidence) {
        (Level::Deny, _) => "critical",
        (_, Confidence::High) => "major",
        (_, Confidence::Medium) => "minor",
        (_, Confidence::Low) => "info",
    }
}
