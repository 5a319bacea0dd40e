//! `sarif`: SARIF 2.1.0 as code scanning takes it. Columns count characters; what is suppressed is left out.

mod rules;

use super::line_hash::line_hashes;
use super::place::{Place, place};
use super::{Finding, Report};
use crate::diagnostic::{Confidence, Suggestion};
use crate::discover::Skipped;
use crate::lints::Level;
use crate::source::{FileId, Span};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Code scanning takes no more results of one run.
const MAX_RESULTS: usize = 25_000;

/// What paths are relative to.
const BASE: &str = "SRCROOT";

/// Writes the report; says if it had to leave results out.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<Vec<String>> {
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    let notices = keep_most_severe(&mut findings, MAX_RESULTS);
    let mut hashes = FxHashMap::default();
    let results: Vec<Value> = findings.iter().map(|finding| result(report, finding, &mut hashes)).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": rules::driver(&report.pages) },
            "automationDetails": { "id": "leaklint/" },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": { BASE: { "description": { "text": "The root of the repository." } } },
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": report.skipped.iter().map(notification).collect::<Vec<_>>(),
            }],
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)?;
    Ok(notices)
}

fn keep_most_severe(findings: &mut Vec<&Finding>, max: usize) -> Vec<String> {
    let all = findings.len();
    if all <= max {
        return Vec::new();
    }
    let mut ranked: Vec<(usize, &Finding)> = findings.drain(..).enumerate().collect();
    ranked.sort_by_key(|(index, finding)| (std::cmp::Reverse((finding.level, finding.diagnostic.confidence)), *index));
    ranked.truncate(max);
    ranked.sort_by_key(|(index, _)| *index);
    findings.extend(ranked.into_iter().map(|(_, finding)| finding));
    vec![format!("sarif: only the {max} most severe of {all} results were written: code scanning takes no more")]
}

fn result(report: &Report, finding: &Finding, hashes: &mut FxHashMap<FileId, Vec<String>>) -> Value {
    let diagnostic = &finding.diagnostic;
    let file = diagnostic.span.file;
    let primary = place(report, diagnostic.span);
    let hashes = hashes.entry(file).or_insert_with(|| line_hashes(report.source(file).text()));
    let rule = report.pages.iter().position(|page| page.name == diagnostic.lint);
    let mut result = json!({
        "ruleId": diagnostic.lint,
        "level": if finding.level == Level::Deny { "error" } else { "warning" },
        "rank": rank(diagnostic.confidence),
        "message": { "text": message(finding) },
        "locations": [{
            "physicalLocation": with_snippet(physical(&primary), report, diagnostic.span),
            "logicalLocations": [{ "fullyQualifiedName": diagnostic.item }],
        }],
        "partialFingerprints": {
            "primaryLocationLineHash": hashes.get(primary.line as usize - 1),
            "leaklint/v1": finding.fingerprint,
        },
    });
    if let Some(rule) = rule {
        result["ruleIndex"] = json!(rule);
    }
    if diagnostic.secondary().next().is_some() {
        result["relatedLocations"] = related(report, finding);
        result["codeFlows"] = code_flows(report, finding);
    }
    if !diagnostic.suggestions.is_empty() {
        result["fixes"] = diagnostic.suggestions.iter().map(|suggestion| fix(report, suggestion)).collect();
    }
    result
}

fn rank(confidence: Confidence) -> f64 {
    match confidence {
        Confidence::High => 90.0,
        Confidence::Medium => 60.0,
        Confidence::Low => 30.0,
    }
}

/// Sentences: what is wrong, what was looked for, the notes, what to do, and a link to each related place.
fn message(finding: &Finding) -> String {
    let diagnostic = &finding.diagnostic;
    let parts =
        [&diagnostic.message, &diagnostic.looked_for].into_iter().chain(&diagnostic.notes).chain([&diagnostic.help]);
    let mut sentences: Vec<String> = parts.filter(|part| !part.is_empty()).map(|part| sentence(part)).collect();
    if diagnostic.secondary().next().is_some() {
        let links = diagnostic.secondary().enumerate();
        let links = links.map(|(index, label)| format!("[{}]({})", escape(&label.message), index + 1));
        sentences.push(format!("See {}.", links.collect::<Vec<_>>().join(", ")));
    }
    sentences.join(" ")
}

/// `text` with a capital letter and a full stop, and with nothing that reads as a link.
fn sentence(text: &str) -> String {
    let text = escape(text.trim());
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    first.into_iter().chain(chars).chain(stop.chars()).collect()
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]")
}

fn related(report: &Report, finding: &Finding) -> Value {
    let labels = finding.diagnostic.secondary().enumerate();
    let location = |(index, label): (usize, &crate::diagnostic::Label)| {
        location(report, label.span, &label.message, Some(index + 1))
    };
    labels.map(location).collect()
}

/// From what repeats the code down to the acquire, and on over the labels, which stand in the order of the way.
fn code_flows(report: &Report, finding: &Finding) -> Value {
    let diagnostic = &finding.diagnostic;
    let start = if diagnostic.primary.is_empty() { &diagnostic.message } else { &diagnostic.primary };
    let before = diagnostic.way.iter().map(|l| (l.span, &l.message));
    let after = diagnostic.labels.iter().map(|l| (l.span, &l.message));
    let steps = before.chain([(diagnostic.span, start)]).chain(after);
    let steps: Vec<Value> =
        steps.map(|(span, text)| json!({ "location": location(report, span, text, None) })).collect();
    json!([{ "threadFlows": [{ "locations": steps }] }])
}

fn location(report: &Report, span: Span, text: &str, id: Option<usize>) -> Value {
    let mut location = json!({ "physicalLocation": physical(&place(report, span)) });
    if !text.is_empty() {
        location["message"] = json!({ "text": sentence(text) });
    }
    if let Some(id) = id {
        location["id"] = json!(id);
    }
    location
}

fn physical(place: &Place) -> Value {
    json!({ "artifactLocation": artifact(place.file), "region": region(place) })
}

/// The text that the region covers, for viewers without the sources.
fn with_snippet(mut physical: Value, report: &Report, span: Span) -> Value {
    let text = report.source(span.file).text().get(span.range.lo as usize..span.range.hi as usize);
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        physical["region"]["snippet"] = json!({ "text": text });
    }
    physical
}

fn artifact(file: &str) -> Value {
    json!({ "uri": percent_encoded(file), "uriBaseId": BASE })
}

fn region(place: &Place) -> Value {
    json!({
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    })
}

fn percent_encoded(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(byte as char),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

fn fix(report: &Report, suggestion: &Suggestion) -> Value {
    let mut files: BTreeMap<FileId, Vec<Value>> = BTreeMap::new();
    for (span, text) in &suggestion.edits {
        let deleted = region(&place(report, *span));
        let replacement = json!({ "deletedRegion": deleted, "insertedContent": { "text": text } });
        files.entry(span.file).or_default().push(replacement);
    }
    let change = |(file, replacements): (FileId, Vec<Value>)| json!({ "artifactLocation": artifact(report.display(file)), "replacements": replacements });
    json!({
        "description": { "text": sentence(&suggestion.message) },
        "artifactChanges": files.into_iter().map(change).collect::<Vec<_>>(),
    })
}

/// What was left out of the run.
fn notification(skipped: &Skipped) -> Value {
    json!({
        "level": "warning",
        "message": { "text": format!("{} {}.", skipped.file, skipped.reason) },
        "locations": [{ "physicalLocation": { "artifactLocation": artifact(&skipped.file) } }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_uris() {
        assert_eq!(percent_encoded("a b/é[1]%.rs"), "a%20b/%C3%A9%5B1%5D%25.rs");
    }

    #[test]
    fn sentences_have_a_capital_a_stop_and_no_links() {
        assert_eq!(sentence("index `v[0](1)` is lost"), "Index `v\\[0\\](1)` is lost.");
        assert_eq!(sentence("`x` leaks."), "`x` leaks.");
    }
}
