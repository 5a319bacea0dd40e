//! `human`: each finding with its source, for terminals.
//!
//! Escape sequences are always written; whoever owns the stream strips them where they are not wanted.

use super::excerpt::Excerpts;
use super::{Finding, Report, confidence_name, neutral};
use crate::diagnostic::{Applicability, Confidence, Suggestion};
use crate::lints::Level;
use crate::source::{FileId, SourceText, TextRange};
use anstyle::{AnsiColor, Style};
use codespan_reporting::diagnostic::{Diagnostic as Shown, Label, LabelStyle, Severity};
use codespan_reporting::term::{self, Config, WriteStyle};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Longer notes are wrapped. The same everywhere: a report is to look the same in a terminal, a file and a log.
const NOTE_COLUMNS: usize = 92;

/// Writes the report.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let config = Config::default();
    let mut out = Styled { out };
    for finding in &report.findings {
        let (excerpts, shown) = shown(report, finding);
        term::emit_to_write_style(&mut out, &config, &excerpts, &shown).map_err(io::Error::other)?;
    }
    Ok(())
}

fn shown(report: &Report, finding: &Finding) -> (Excerpts, Shown<usize>) {
    let diagnostic = &finding.diagnostic;
    let spans: Vec<_> = std::iter::once(diagnostic.span).chain(diagnostic.secondary().map(|l| l.span)).collect();
    let excerpts = Excerpts::new(report, &spans);
    let label = |style, span, message: &str| {
        let (file, range) = excerpts.locate(span);
        Label::new(style, file, range).with_message(one_line(message))
    };
    let mut labels = vec![label(LabelStyle::Primary, diagnostic.span, &diagnostic.primary)];
    labels.extend(diagnostic.secondary().map(|l| label(LabelStyle::Secondary, l.span, &l.message)));
    let severity = if finding.level == Level::Deny { Severity::Error } else { Severity::Warning };
    let shown = Shown::new(severity)
        .with_code(diagnostic.lint)
        .with_message(one_line(&diagnostic.message))
        .with_labels(labels)
        .with_notes(notes(report, finding));
    (excerpts, shown)
}

fn one_line(text: &str) -> String {
    neutral(&text.replace('\n', " "))
}

fn notes(report: &Report, finding: &Finding) -> Vec<String> {
    let diagnostic = &finding.diagnostic;
    let mut notes = vec![wrapped(&diagnostic.looked_for)];
    notes.extend(diagnostic.notes.iter().map(|note| wrapped(note)));
    if diagnostic.confidence < Confidence::High {
        notes.push(format!("confidence: {}", confidence_name(diagnostic.confidence)));
    }
    notes.push(wrapped(&format!("help: {}", diagnostic.help)));
    notes.extend(diagnostic.suggestions.iter().map(|suggestion| fix(report, suggestion)));
    notes.retain(|note| !note.is_empty());
    notes
}

/// Lines of at most [`NOTE_COLUMNS`] characters, broken where there is a space outside backticks.
fn wrapped(text: &str) -> String {
    let text = one_line(text);
    let (mut lines, mut width, mut in_code) = (String::new(), 0, false);
    for piece in text.split_inclusive(|c| {
        in_code ^= c == '`';
        c == ' ' && !in_code
    }) {
        let columns = piece.trim_end().chars().count();
        if width > 0 && width + columns > NOTE_COLUMNS {
            lines.truncate(lines.trim_end().len());
            lines.push('\n');
            width = 0;
        }
        lines.push_str(piece);
        width += piece.chars().count();
    }
    lines
}

/// What a suggestion changes, as removed and added lines.
fn fix(report: &Report, suggestion: &Suggestion) -> String {
    let sure = match suggestion.applicability {
        Applicability::MachineApplicable => "fix",
        Applicability::MaybeIncorrect => "fix to look at",
    };
    let mut text = format!("{sure}: {}", one_line(&suggestion.message));
    let mut by_file: BTreeMap<FileId, Vec<(TextRange, &str)>> = BTreeMap::new();
    for (span, new) in &suggestion.edits {
        by_file.entry(span.file).or_default().push((span.range, new));
    }
    for (file, mut edits) in by_file {
        edits.sort();
        for hunk in hunks(report.source(file), &edits) {
            text.push_str(&hunk);
        }
    }
    text
}

/// One text for each run of edits whose lines touch.
fn hunks(source: &SourceText, edits: &[(TextRange, &str)]) -> Vec<String> {
    let lines_of = |range: TextRange| (source.line_of(range.lo), source.line_of(range.hi));
    let runs = edits.chunk_by(|(a, _), (b, _)| lines_of(*b).0 <= lines_of(*a).1);
    let hunk = |run: &[(TextRange, &str)]| {
        let (first, last) = (lines_of(run[0].0).0, lines_of(run[run.len() - 1].0).1);
        let (start, end) = (source.line_range(first).start, source.line_range(last).end);
        let text = |from: usize, to: usize| source.text().get(from..to).unwrap_or_default();
        let mut new = String::new();
        let mut at = start;
        for (range, replacement) in run {
            new.push_str(text(at, range.lo as usize));
            new.push_str(replacement);
            at = range.hi as usize;
        }
        new.push_str(text(at, end));
        changed_lines(first, text(start, end), &new)
    };
    runs.map(hunk).collect()
}

/// The lines that differ, with the number of the first.
fn changed_lines(first: u32, old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let same = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| pairs.take_while(|(a, b)| a == b).count();
    let before = same(&mut old.iter().zip(&new));
    let after = same(&mut old[before..].iter().rev().zip(new[before..].iter().rev()));
    let removed = old[before..old.len() - after].iter().map(|line| ('-', line));
    let added = new[before..new.len() - after].iter().map(|line| ('+', line));
    let mut number = (first + before as u32).to_string();
    let line = |(sign, line): (char, &&str)| format!("\n{:>5} {sign} {}", std::mem::take(&mut number), one_line(line));
    removed.chain(added).map(line).collect()
}

/// Adds escape sequences to what the library writes.
struct Styled<'a> {
    out: &'a mut dyn Write,
}

impl Styled<'_> {
    fn set(&mut self, style: Style) -> io::Result<()> {
        write!(self.out, "{style}")
    }
}

impl Write for Styled<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

const BORDER: Style = AnsiColor::BrightBlue.on_default().bold();

fn color(severity: Severity) -> Style {
    match severity {
        Severity::Bug | Severity::Error => AnsiColor::BrightRed.on_default().bold(),
        Severity::Warning => AnsiColor::BrightYellow.on_default().bold(),
        Severity::Note | Severity::Help => AnsiColor::BrightGreen.on_default().bold(),
    }
}

impl WriteStyle for Styled<'_> {
    fn set_header(&mut self, severity: Severity) -> io::Result<()> {
        self.set(color(severity))
    }

    fn set_header_message(&mut self) -> io::Result<()> {
        self.set(Style::new().bold())
    }

    fn set_line_number(&mut self) -> io::Result<()> {
        self.set(BORDER)
    }

    fn set_note_bullet(&mut self) -> io::Result<()> {
        self.set(BORDER)
    }

    fn set_source_border(&mut self) -> io::Result<()> {
        self.set(BORDER)
    }

    fn set_label(&mut self, severity: Severity, style: LabelStyle) -> io::Result<()> {
        self.set(if style == LabelStyle::Primary { color(severity) } else { BORDER })
    }

    fn reset(&mut self) -> io::Result<()> {
        write!(self.out, "{}", anstyle::Reset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_wrapped_but_not_within_code() {
        let words = format!("{} `let _ = spawn(x);` end", "word ".repeat(17).trim_end());
        assert_eq!(wrapped(&words), words.replacen(" `", "\n`", 1));
        assert_eq!(wrapped("short"), "short");
        let long = "x".repeat(200);
        assert_eq!(wrapped(&format!("{long} a")), format!("{long}\na"));
    }
}
