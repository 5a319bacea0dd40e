//! `json`: one object with a stable shape, and `json-lines`: its diagnostics, one a line. Fields are only ever added.

use super::place::{Place, place};
use super::{Finding, Report};
use crate::diagnostic::{Applicability, Confidence, Suggestion};
use crate::lints::Level;
use serde::Serialize;
use std::io::{self, Write};

#[derive(Serialize)]
struct Output<'a> {
    version: u32,
    summary: Summary<'a>,
    diagnostics: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Summary<'a> {
    files: usize,
    skipped: Vec<SkippedFile<'a>>,
    duration_ms: u128,
}

#[derive(Serialize)]
struct SkippedFile<'a> {
    file: &'a str,
    reason: String,
}

#[derive(Serialize)]
struct Entry<'a> {
    lint: &'a str,
    level: Level,
    confidence: Confidence,
    message: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
    item: &'a str,
    labels: Vec<LabelEntry<'a>>,
    notes: Vec<&'a str>,
    help: &'a str,
    suggestions: Vec<SuggestionEntry<'a>>,
    fingerprint: &'a str,
}

#[derive(Serialize)]
struct LabelEntry<'a> {
    message: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
}

#[derive(Serialize)]
struct SuggestionEntry<'a> {
    message: &'a str,
    applicability: Applicability,
    edits: Vec<Edit<'a>>,
}

#[derive(Serialize)]
struct Edit<'a> {
    file: &'a str,
    byte_start: u32,
    byte_end: u32,
    text: &'a str,
}

/// Writes the report.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let skipped = report.skipped.iter();
    let output = Output {
        version: 1,
        summary: Summary {
            files: report.checked(),
            skipped: skipped.map(|s| SkippedFile { file: &s.file, reason: s.reason.to_string() }).collect(),
            duration_ms: report.timings.wall.as_millis(),
        },
        diagnostics: report.findings.iter().map(|finding| entry(report, finding)).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &output)?;
    writeln!(out)
}

/// Writes each finding as an object on a line of its own.
pub fn write_lines(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for finding in &report.findings {
        serde_json::to_writer(&mut *out, &entry(report, finding))?;
        writeln!(out)?;
    }
    Ok(())
}

fn entry<'a>(report: &'a Report, finding: &'a Finding) -> Entry<'a> {
    let diagnostic = &finding.diagnostic;
    let labels = diagnostic.secondary();
    let notes = std::iter::once(&diagnostic.looked_for).chain(&diagnostic.notes);
    Entry {
        lint: diagnostic.lint,
        level: finding.level,
        confidence: diagnostic.confidence,
        message: &diagnostic.message,
        place: place(report, diagnostic.span),
        item: &diagnostic.item,
        labels: labels.map(|label| LabelEntry { message: &label.message, place: place(report, label.span) }).collect(),
        notes: notes.map(String::as_str).collect(),
        help: &diagnostic.help,
        suggestions: diagnostic.suggestions.iter().map(|suggestion| suggestion_entry(report, suggestion)).collect(),
        fingerprint: &finding.fingerprint,
    }
}

fn suggestion_entry<'a>(report: &'a Report, suggestion: &'a Suggestion) -> SuggestionEntry<'a> {
    let edit = |(span, text): &'a (crate::source::Span, String)| Edit {
        file: report.display(span.file),
        byte_start: span.range.lo,
        byte_end: span.range.hi,
        text,
    };
    SuggestionEntry {
        message: &suggestion.message,
        applicability: suggestion.applicability,
        edits: suggestion.edits.iter().map(edit).collect(),
    }
}
