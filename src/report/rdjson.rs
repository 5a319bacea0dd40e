//! `rdjson`: the format of reviewdog. Columns count UTF-8 bytes from 1.

use super::{Finding, Report, home, page_url};
use crate::diagnostic::Suggestion;
use crate::lints::Level;
use crate::source::{BOM, Span};
use serde_json::{Value, json};
use std::io::{self, Write};

/// Writes one object with all findings.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut log = json!({
        "source": { "name": "leaklint" },
        "diagnostics": report.findings.iter().map(|finding| diagnostic(report, finding)).collect::<Vec<_>>(),
    });
    if let Some(home) = home() {
        log["source"]["url"] = json!(home);
    }
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

fn diagnostic(report: &Report, finding: &Finding) -> Value {
    let diagnostic = &finding.diagnostic;
    let message = format!("{}\n{}\nhelp: {}", diagnostic.message, diagnostic.looked_for, diagnostic.help);
    let mut entry = json!({
        "message": message,
        "location": { "path": report.display(diagnostic.span.file), "range": range(report, diagnostic.span) },
        "severity": if finding.level == Level::Deny { "ERROR" } else { "WARNING" },
        "code": { "value": diagnostic.lint },
        "suggestions": diagnostic.suggestions.iter().flat_map(|s| suggestions(report, diagnostic.span, s)).collect::<Vec<_>>(),
    });
    if let Some(url) = page_url(diagnostic.lint) {
        entry["code"]["url"] = json!(url);
    }
    entry
}

/// The edits of one suggestion, if all are in the finding's file: reviewdog knows no other.
fn suggestions(report: &Report, at: Span, suggestion: &Suggestion) -> Vec<Value> {
    if suggestion.edits.iter().any(|(span, _)| span.file != at.file) {
        return Vec::new();
    }
    suggestion.edits.iter().map(|(span, text)| json!({ "range": range(report, *span), "text": text })).collect()
}

fn range(report: &Report, span: Span) -> Value {
    let source = report.source(span.file);
    let position = |offset: u32| {
        let line = source.line_of(offset);
        let before = &source.text()[source.line_range(line).start..offset as usize];
        json!({ "line": line, "column": before.trim_start_matches(BOM).len() + 1 })
    };
    json!({ "start": position(span.range.lo), "end": position(span.range.hi) })
}
