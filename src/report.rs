//! What a run found, and the formats to write it in.
//!
//! Reporters are leaves: they turn a [`Report`] into bytes and decide nothing. None of them knows another.

mod concise;
mod excerpt;
mod github;
mod gitlab;
mod human;
mod json;
mod junit;
mod line_hash;
mod place;
mod rdjson;
mod sarif;

use crate::diagnostic::{Confidence, Diagnostic};
use crate::discover::{Package, Skipped, SourceFile};
use crate::lints::Level;
use crate::lints::page::Page;
use crate::source::{FileId, SourceText, Span};
use rustc_hash::{FxHashMap, FxHashSet};
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

/// The result of a run.
#[derive(Debug, Clone)]
pub struct Report {
    /// What paths are relative to.
    pub root: PathBuf,
    /// All files, skipped ones included; a [`FileId`] is an index into them.
    pub files: Vec<SourceFile>,
    /// The packages of the files, sorted by folder.
    pub packages: Vec<Package>,
    /// Lines of the files that were read.
    pub lines: u64,
    /// What was left out, sorted by file.
    pub skipped: Vec<Skipped>,
    /// Sorted by file, place and lint.
    pub findings: Vec<Finding>,
    /// What the asked confidence hides.
    pub hidden: Hidden,
    /// The texts that findings point into.
    pub sources: FxHashMap<FileId, SourceText>,
    /// The pages of the lints that were at hand, sorted by name.
    pub pages: Vec<Page>,
    /// How long it took.
    pub timings: Timings,
}

/// A diagnostic that is reported.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What the lint says.
    pub diagnostic: Diagnostic,
    /// `warn` or `deny`.
    pub level: Level,
    /// The same wherever the finding moves within its file.
    pub fingerprint: String,
}

impl Finding {
    /// The files it points into, repeated as often as it does.
    pub fn files(&self) -> impl Iterator<Item = FileId> {
        let labels = self.diagnostic.secondary().map(|label| label.span);
        let edits = self.diagnostic.suggestions.iter().flat_map(|suggestion| &suggestion.edits).map(|(span, _)| *span);
        std::iter::once(self.diagnostic.span).chain(labels).chain(edits).map(|span: Span| span.file)
    }
}

/// Numbers of findings below the asked confidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hidden {
    /// Of low confidence.
    pub low: usize,
    /// Of medium confidence.
    pub medium: usize,
}

/// How long the steps of a run took. Those of reading, parsing and lowering are sums over all threads.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timings {
    /// Finding the files.
    pub walk: Duration,
    /// Reading them.
    pub read: Duration,
    /// Guard and parser.
    pub parse: Duration,
    /// Trees to facts.
    pub lower: Duration,
    /// Facts to model.
    pub link: Duration,
    /// All lints.
    pub lints: Duration,
    /// Writing the reports.
    pub report: Duration,
    /// All of it, by the clock.
    pub wall: Duration,
}

impl Report {
    /// Number of files that were checked.
    pub fn checked(&self) -> usize {
        let skipped: FxHashSet<&str> = self.skipped.iter().map(|skipped| skipped.file.as_str()).collect();
        self.files.iter().filter(|file| !skipped.contains(file.display.as_str())).count()
    }

    /// Number of findings at a level.
    pub fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    fn display(&self, file: FileId) -> &str {
        &self.files[file.index()].display
    }

    fn source(&self, file: FileId) -> &SourceText {
        &self.sources[&file]
    }
}

/// A way to write a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people: source, labels, notes.
    Human,
    /// One line for each finding.
    Concise,
    /// One stable JSON object.
    Json,
    /// One JSON object a line for each finding.
    JsonLines,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands of GitHub.
    Github,
    /// A code quality report of GitLab.
    Gitlab,
    /// A test report.
    Junit,
    /// The format of reviewdog.
    Rdjson,
}

impl Format {
    /// All formats by name.
    pub const ALL: [(&str, Format); 9] = [
        ("human", Format::Human),
        ("concise", Format::Concise),
        ("json", Format::Json),
        ("json-lines", Format::JsonLines),
        ("sarif", Format::Sarif),
        ("github", Format::Github),
        ("gitlab", Format::Gitlab),
        ("junit", Format::Junit),
        ("rdjson", Format::Rdjson),
    ];
}

/// Writes the report; returns what a user has to be told about it.
pub fn write(report: &Report, format: Format, out: &mut dyn Write) -> io::Result<Vec<String>> {
    match format {
        Format::Sarif => return sarif::write(report, out),
        Format::Github => return github::write(report, out),
        Format::Human => human::write(report, out),
        Format::Concise => concise::write(report, out),
        Format::Json => json::write(report, out),
        Format::JsonLines => json::write_lines(report, out),
        Format::Gitlab => gitlab::write(report, out),
        Format::Junit => junit::write(report, out),
        Format::Rdjson => rdjson::write(report, out),
    }?;
    Ok(Vec::new())
}

/// The project's address, once its manifest has one.
fn home() -> Option<&'static str> {
    Some(env!("CARGO_PKG_REPOSITORY")).filter(|home| home.starts_with("https://"))
}

/// Where the page of a lint is to be read.
fn page_url(lint: &str) -> Option<String> {
    home().map(|home| format!("{home}/blob/main/lints/{lint}.md"))
}

/// `text` with all characters replaced, each by one of the same length, that could move a terminal's cursor or reorder
/// what it shows.
pub fn neutral(text: &str) -> String {
    text.chars().map(neutral_char).collect()
}

fn neutral_char(c: char) -> char {
    match c {
        '\t' => c,
        '\0'..='\x1f' | '\x7f' => '?',
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{61c}' => '·',
        '\u{180e}' | '\u{fff9}'..='\u{fffb}' => '\u{fffd}',
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => '\u{fffd}',
        '\u{e0000}'..='\u{e007f}' => '🚫',
        _ => c,
    }
}

/// A fingerprint for each of `diagnostics`, which are all those of one file: of the file, lint, item and the line's text, and
/// of how many equal ones stand above.
pub fn fingerprints(file: &str, source: &SourceText, diagnostics: &[Diagnostic]) -> Vec<String> {
    let mut seen: FxHashMap<blake3::Hash, u64> = FxHashMap::default();
    let one = |diagnostic: &Diagnostic| {
        let line = source.line(source.line_of(diagnostic.span.range.lo));
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut hasher = blake3::Hasher::new();
        for part in [file, diagnostic.lint, &diagnostic.item, &line] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let ordinal = seen.entry(hasher.finalize()).or_default();
        hasher.update(&ordinal.to_le_bytes());
        *ordinal += 1;
        hasher.finalize().to_hex()[..32].to_owned()
    };
    diagnostics.iter().map(one).collect()
}

fn confidence_name(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Low => "low",
        Confidence::Medium => "medium",
        Confidence::High => "high",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::TextRange;

    #[test]
    fn neutral_text_has_the_same_length_and_moves_nothing() {
        let text = "a\x1b[31m\u{9b}1m\u{202e}b\u{200b}\u{feff}\u{e0041}\t\r\n\u{61c}é😀";
        let shown = neutral(text);
        assert_eq!(shown.len(), text.len());
        assert_eq!(shown, "a?[31m·1m\u{fffd}b\u{fffd}\u{fffd}🚫\t??·é😀");
    }

    #[test]
    fn fingerprints_outlive_moves_and_tell_equals_apart() {
        let at = |text: &str, needle: &str| -> Vec<Diagnostic> {
            let places = text.match_indices(needle).map(|(at, _)| TextRange { lo: at as u32, hi: at as u32 + 1 });
            let span = |range| Span { file: FileId(0), range };
            let words = || String::new();
            places
                .map(|r| Diagnostic::new("l", Confidence::High, span(r), "f".into(), words(), words(), words()))
                .collect()
        };
        let of = |text: &str| fingerprints("a.rs", &SourceText::new(text.to_owned()), &at(text, "open"));
        let before = of("open(x);\nopen(x);\n");
        assert!(before.iter().all(|f| f.len() == 32 && f.bytes().all(|b| b.is_ascii_hexdigit())));
        assert_ne!(before[0], before[1]);
        assert_eq!(before, of("// new\n\n  open(x);\n\topen(x); \n"));
        assert_ne!(before[0], of("open(y);")[0]);
    }
}
