//! What the reporters write, on a small workspace and lints of this test's own: the real ones change.

use leaklint::check::check_with;
use leaklint::diagnostic::{Applicability, Confidence, Diagnostic, Suggestion};
use leaklint::lints::{Level, Lint};
use leaklint::model::Model;
use leaklint::report::{Format, write};
use leaklint::source::{FileId, Span, TextRange};
use leaklint::{Report, Settings};
use serde_json::Value;
use std::path::Path;

/// Sorts first: a space in its name, CRLF, wide characters, things that no terminal should get raw.
const ODD: &str = "fn odd() {\r\n\tlet 字 = \"\u{202e}\x1b[31m😀\"; open(字);\r\n}\r\n";
const LIB: &str = "\
struct Server {
    tasks: Vec<Task>,
}

impl Server {
    fn run(&mut self) {
        loop {
            let task = accept();
            self.tasks.push(spawn(task));
        }
    }
}
";

fn span(file: u32, text: &str, needle: &str) -> Span {
    let lo = text.find(needle).expect("the needle is in the text") as u32;
    Span { file: FileId(file), range: TextRange { lo, hi: lo + needle.len() as u32 } }
}

fn long_line() -> String {
    format!("fn long() {{ {}; open(long); {} }}\n", "a(1);".repeat(60), "b(2);".repeat(60))
}

fn grows(_: &Model, found: &mut Vec<Diagnostic>) {
    let text = |text: &str| text.to_owned();
    let mut diagnostic = Diagnostic::new(
        "grows_forever",
        Confidence::Medium,
        span(1, LIB, "push"),
        text("Server::run"),
        text("tasks are put into `tasks` in an endless loop and never taken out"),
        text("looked for join_next, clear, drain, retain, truncate on `tasks` in this loop: there is none"),
        text("drain the set in the same loop, as with `tasks.join_next()`"),
    )
    .primary("grows here")
    .label(span(1, LIB, "tasks: Vec<Task>"), "held here [for ever]")
    .label(span(1, LIB, "loop"), "in this loop")
    .label(span(0, ODD, "fn odd"), "and seen from here")
    .note("assumed that `accept` returns more than once");
    diagnostic.suggestions.push(Suggestion {
        message: text("reap finished tasks first"),
        applicability: Applicability::MaybeIncorrect,
        edits: vec![(span(1, LIB, "let task"), text("self.reap();\n            let task"))],
    });
    found.push(diagnostic);
}

fn lost(_: &Model, found: &mut Vec<Diagnostic>) {
    let find = |confidence, span| {
        let text = |text: &str| text.to_owned();
        let message = text("this is opened\x1b[2J and never closed");
        Diagnostic::new(
            "lost_fd",
            confidence,
            span,
            text("odd"),
            message,
            text("looked for close"),
            text("use OwnedFd"),
        )
    };
    found.push(find(Confidence::High, span(0, ODD, "open(字)")));
    found.push(find(Confidence::High, span(2, &long_line(), "open(long)")));
    found.push(find(Confidence::Low, span(1, LIB, "accept()")));
}

const GROWS: &str = "# grows_forever

```toml
level = \"warn\"
group = \"growth\"
since = \"0.1.0\"
```

A set grows and is never drained.

## Why it leaks
Each entry keeps its memory. It is never taken out.

## How to fix
Drain it.
";

const LOST: &str = "# lost_fd

```toml
level = \"deny\"
group = \"handles\"
since = \"0.1.0\"
security-severity = \"4.0\"
```

A descriptor is never closed.

## Why it leaks
The system keeps it open.

## How to fix
Use `OwnedFd`.
";

const LINTS: &[Lint] =
    &[Lint { name: "grows_forever", page: GROWS, check: grows }, Lint { name: "lost_fd", page: LOST, check: lost }];

/// A repository with three files that are found and two that are skipped.
fn workspace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    };
    write(".git/HEAD", b"");
    write("Cargo.toml", b"[package]\nname = \"example\"\n");
    write("src/a b.rs", ODD.as_bytes());
    write("src/lib.rs", LIB.as_bytes());
    write("src/long.rs", long_line().as_bytes());
    write("src/z-broken.rs", b"fn (\n");
    write("src/z-latin.rs", b"// \xe9\n");
    folder
}

fn settings(folder: &Path) -> Settings {
    Settings { paths: vec![folder.to_owned()], ..Settings::default() }
}

fn report(change: impl FnOnce(&mut Settings)) -> Report {
    let folder = workspace();
    let mut settings = settings(folder.path());
    change(&mut settings);
    check_with(&settings, LINTS).expect("it runs")
}

fn text(report: &Report, format: Format) -> String {
    let mut bytes = Vec::new();
    let notices = write(report, format, &mut bytes).expect("it writes");
    assert_eq!(notices, Vec::<String>::new());
    String::from_utf8(bytes).expect("text")
}

fn plain(report: &Report) -> String {
    anstream::adapter::strip_str(&text(report, Format::Human)).to_string()
}

fn json(report: &Report, format: Format) -> Value {
    serde_json::from_str(&text(report, format)).expect("it is JSON")
}

#[test]
fn human_shows_source_labels_notes_and_fixes() {
    insta::assert_snapshot!(plain(&report(|_| {})));
}

#[test]
fn human_is_coloured_by_level() {
    let text = text(&report(|_| {}), Format::Human);
    assert!(text.contains("\x1b[1m\x1b[91merror[lost_fd]"), "{text:?}");
    assert!(text.contains("\x1b[1m\x1b[93mwarning[grows_forever]"), "{text:?}");
}

#[test]
fn human_passes_nothing_raw_to_the_terminal() {
    let shown = plain(&report(|_| {}));
    let raw = |c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c);
    assert_eq!(shown.chars().find(|c| raw(*c)), None);
}

#[test]
fn human_cuts_long_lines_and_keeps_their_columns() {
    let shown = plain(&report(|_| {}));
    let column = long_line().find("open").expect("it is there") + 1;
    assert!(shown.contains(&format!("src/long.rs:1:{column}")), "{shown}");
    let cut = shown.lines().find(|line| line.contains("open(long)")).expect("the line is shown");
    assert!(cut.chars().count() < 200 && cut.contains('…'), "{cut}");
    let widest = shown.lines().map(|line| line.chars().count()).max();
    assert!(widest < Some(200), "{widest:?}");
}

#[test]
fn json_has_its_documented_shape() {
    let report = report(|settings| settings.min_confidence = Confidence::Low);
    let mut json = json(&report, Format::Json);
    assert!(json["summary"]["duration_ms"].take().is_u64());
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).expect("it prints"));
}

#[test]
fn concise_has_a_line_for_each_finding() {
    insta::assert_snapshot!(text(&report(|_| {}), Format::Concise));
}

#[test]
fn json_lines_are_the_diagnostics_of_json() {
    let report = report(|_| {});
    let lines: Vec<Value> =
        text(&report, Format::JsonLines).lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    assert_eq!(json(&report, Format::Json)["diagnostics"], Value::from(lines));
}

#[test]
fn github_gets_commands_that_it_can_read() {
    insta::assert_snapshot!(text(&report(|_| {}), Format::Github));
}

#[test]
fn github_hides_annotations_beyond_ten_and_the_user_is_told() {
    fn many(_: &Model, found: &mut Vec<Diagnostic>) {
        for lo in 0..11 {
            let span = Span { file: FileId(1), range: TextRange { lo, hi: lo + 1 } };
            let words = || String::from("words, 100 %: more");
            found.push(Diagnostic::new("lost_fd", Confidence::High, span, words(), words(), words(), words()));
        }
    }
    let folder = workspace();
    let lints = [Lint { name: "lost_fd", page: LOST, check: many }];
    let report = check_with(&settings(folder.path()), &lints).expect("it runs");
    let notices = write(&report, Format::Github, &mut Vec::new()).expect("it writes");
    assert_eq!(notices, ["github: GitHub shows 10 warnings and 10 errors of a step; upload SARIF to see all"]);
}

#[test]
fn gitlab_gets_issues_with_different_fingerprints() {
    let report = report(|_| {});
    let issues = json(&report, Format::Gitlab);
    let prints: std::collections::BTreeSet<_> =
        issues.as_array().expect("a list").iter().map(|issue| issue["fingerprint"].to_string()).collect();
    assert_eq!(prints.len(), report.findings.len());
    insta::assert_snapshot!(serde_json::to_string_pretty(&issues).expect("it prints"));
}

#[test]
fn junit_has_a_suite_for_each_file_and_passes_when_all_is_clean() {
    insta::assert_snapshot!("junit", text(&report(|_| {}), Format::Junit));
    let clean = report(|settings| settings.levels = vec![(Level::Allow, "all".to_owned())]);
    insta::assert_snapshot!("junit_of_a_clean_run", text(&clean, Format::Junit));
    assert_eq!(json(&clean, Format::Gitlab), Value::Array(Vec::new()));
}

#[test]
fn rdjson_counts_columns_in_bytes() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&json(&report(|_| {}), Format::Rdjson)).expect("it prints"));
}

#[test]
fn json_places_are_those_of_the_file() {
    let folder = workspace();
    let report = check_with(&settings(folder.path()), LINTS).expect("it runs");
    let json = json(&report, Format::Json);
    let diagnostics = json["diagnostics"].as_array().expect("a list");
    for (place, needle) in diagnostics.iter().zip(["open(字)", "push", "open(long)"]) {
        let bytes = std::fs::read(folder.path().join(place["file"].as_str().expect("a name"))).expect("a file");
        let number = |key: &str| place[key].as_u64().expect("a number") as usize;
        assert_eq!(&bytes[number("byte_start")..number("byte_end")], needle.as_bytes());
        let line = String::from_utf8(bytes).expect("text").lines().nth(number("line") - 1).expect("a line").to_owned();
        let width = number("end_column") - number("column");
        let at: String = line.chars().skip(number("column") - 1).take(width).collect();
        assert_eq!(at, needle);
    }
}

#[test]
fn levels_and_confidence_select() {
    let lints = |report: &Report| report.findings.iter().map(|f| (f.diagnostic.lint, f.level)).collect::<Vec<_>>();
    let all = report(|_| {});
    let expected = [("lost_fd", Level::Deny), ("grows_forever", Level::Warn), ("lost_fd", Level::Deny)];
    assert_eq!(lints(&all), expected);
    assert_eq!((all.hidden.low, all.hidden.medium), (1, 0));
    let high = report(|settings| settings.min_confidence = Confidence::High);
    assert_eq!((high.findings.len(), high.hidden.low, high.hidden.medium), (2, 1, 1));
    let quiet = report(|settings| settings.levels = vec![(Level::Allow, "lost_fd".to_owned())]);
    assert_eq!(lints(&quiet), [("grows_forever", Level::Warn)]);
    assert_eq!(quiet.hidden.low, 0, "an allowed lint has nothing to hide");
    let fingerprints = |report: &Report| report.findings.iter().map(|f| f.fingerprint.clone()).collect::<Vec<_>>();
    assert_eq!(fingerprints(&high), [&fingerprints(&all)[..1], &fingerprints(&all)[2..]].concat());
}

#[test]
fn findings_in_test_targets_are_asked_for() {
    fn everywhere(_: &Model, found: &mut Vec<Diagnostic>) {
        for file in 0..5 {
            let span = Span { file: FileId(file), range: TextRange { lo: 0, hi: 2 } };
            let words = || String::from("words");
            found.push(Diagnostic::new("lost_fd", Confidence::High, span, words(), words(), words(), words()));
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    for file in ["benches/a.rs", "examples/b.rs", "src/lib.rs", "src/main.rs", "tests/c.rs"] {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
        std::fs::write(path, "fn a() {}\n").expect("a file");
    }
    std::fs::write(folder.path().join("Cargo.toml"), "[package]\nname = \"example\"\n").expect("a file");
    let lints = [Lint { name: "lost_fd", page: LOST, check: everywhere }];
    let files = |tests| {
        let report = check_with(&Settings { tests, ..settings(folder.path()) }, &lints).expect("it runs");
        report.findings.iter().map(|f| report.files[f.diagnostic.span.file.index()].display.clone()).collect::<Vec<_>>()
    };
    assert_eq!(files(false), ["examples/b.rs", "src/lib.rs", "src/main.rs"]);
    assert_eq!(files(true).len(), 5);
}

#[test]
fn a_file_that_changes_is_named_and_its_findings_left_out() {
    static FOLDER: std::sync::OnceLock<std::path::PathBuf> = std::sync::OnceLock::new();
    fn changes(model: &Model, found: &mut Vec<Diagnostic>) {
        lost(model, found);
        grows(model, found);
        let folder = FOLDER.get().expect("it is set");
        std::fs::write(folder.join("src/a b.rs"), "fn other() {}").expect("a file");
    }
    let folder = workspace();
    FOLDER.set(folder.path().to_owned()).expect("it is set once");
    let lints = [LINTS[0], Lint { check: changes, ..LINTS[1] }];
    let report = check_with(&settings(folder.path()), &lints).expect("it runs");
    let left: Vec<_> =
        report.findings.iter().map(|f| report.files[f.diagnostic.span.file.index()].display.as_str()).collect();
    assert_eq!(left, ["src/long.rs"], "one finding is in the file, one has a label in it");
    let named: Vec<_> = report.skipped.iter().map(|s| s.file.as_str()).collect();
    assert_eq!(named, ["src/a b.rs", "src/z-broken.rs", "src/z-latin.rs"]);
}

#[test]
fn threads_do_not_change_reports() {
    let with = |jobs| {
        let mut report = report(|settings| settings.jobs = jobs);
        report.timings = Default::default();
        Format::ALL.map(|(_, format)| text(&report, format))
    };
    assert_eq!(with(1), with(7));
}

#[test]
fn sarif_is_as_code_scanning_wants_it() {
    let report = report(|settings| settings.min_confidence = Confidence::Low);
    let mut json = json(&report, Format::Sarif);
    assert_eq!(json["runs"][0]["tool"]["driver"]["version"].take(), env!("CARGO_PKG_VERSION"));
    assert_eq!(json["runs"][0]["tool"]["driver"]["semanticVersion"].take(), env!("CARGO_PKG_VERSION"));
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).expect("it prints"));
}

fn sarif_errors(log: &Value) -> Vec<String> {
    let schema = std::fs::read_to_string("tests/data/sarif-schema-2.1.0.json").expect("the schema is at hand");
    let schema = serde_json::from_str(&schema).expect("it is JSON");
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).expect("it is a schema");
    validator.iter_errors(log).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn sarif_is_valid() {
    let mixed = json(&report(|settings| settings.min_confidence = Confidence::Low), Format::Sarif);
    assert_eq!(sarif_errors(&mixed), Vec::<String>::new());
    let empty = json(&report(|settings| settings.levels = vec![(Level::Allow, "all".to_owned())]), Format::Sarif);
    assert_eq!(empty["runs"][0]["results"], Value::Array(Vec::new()));
    assert_eq!(sarif_errors(&empty), Vec::<String>::new());
    let mut wrong = mixed;
    wrong["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] = "a b.rs".into();
    assert_eq!(sarif_errors(&wrong).len(), 1, "the schema is really looked at");
}
