//! Runs leaklint on the crates of `fixtures/`: the marks in them come true, and the whole report is kept as a snapshot.
//!
//! A fixture is copied to a temporary folder first, so that its report does not depend on where this repository lies.

mod support;

use leaklint::lints::page::Expect;
use std::path::Path;
use support::run::{self, Run};
use support::{compare, files_below};

/// Files that no run can read, and what is said of them.
const SKIPPED: [(&str, &str, &str); 2] =
    [("broken", "src/half_written.rs", "parse"), ("not_utf8", "src/latin1.rs", "UTF-8")];

#[test]
fn every_fixture_has_its_test() {
    let folders = support::entries(&support::repository().join("fixtures"));
    let mut names: Vec<String> =
        folders.iter().map(|folder| folder.file_name().unwrap().to_string_lossy().into()).collect();
    // Those are looked at one by one, in tests/systems.rs.
    names.retain(|name| name != "systems");
    assert_eq!(names, ALL);
}

macro_rules! fixtures {
    ($($name:ident),* $(,)?) => {
        const ALL: &[&str] = &[$(stringify!($name)),*];

        $(#[test]
        fn $name() {
            check(stringify!($name));
        })*
    };
}

fixtures!(
    bom_crlf,
    broken,
    forgotten_memory,
    growing_collections,
    lost_handles,
    macros,
    not_utf8,
    pool_without_scope,
    temporary_files,
    two_packages,
    unbounded_globals,
    unjoined_tasks,
);

fn check(name: &str) {
    let files = files_below(&support::repository().join("fixtures").join(name));
    let folder = run::package(files.iter().map(|(path, content)| (path.as_str(), content.as_slice())));
    let marks = compare::marks_of(&files);
    let run = run::at_defaults(folder.path());

    let mut wrong = compare::at_defaults(&marks, &run.findings);
    if marks.iter().any(|(_, mark)| mark.expect != Expect::Fires) {
        wrong.extend(compare::with_everything(&marks, &run::with_everything(folder.path()).findings));
    }
    assert!(wrong.is_empty(), "fixtures/{name}:\n{}", wrong.join("\n"));
    check_skipped(name, &run);
    insta::assert_snapshot!(name, serde_json::to_string_pretty(&run.json).expect("JSON"));
}

fn check_skipped(name: &str, run: &Run) {
    let expected: Vec<_> = SKIPPED.iter().filter(|(fixture, ..)| *fixture == name).collect();
    assert_eq!(run.skipped.len(), expected.len(), "{:?}", run.skipped);
    for ((file, reason), (_, expected_file, telling)) in run.skipped.iter().zip(expected) {
        assert_eq!(file, expected_file);
        assert!(reason.contains(telling), "{reason}");
    }
}

/// Ten thousand nested parentheses would overflow the stack of a recursive parser, and an overflow ends the process.
#[test]
fn deep_nesting() {
    let deep = format!("pub const ONE: i32 = {}1{};\n", "(".repeat(10_000), ")".repeat(10_000));
    let flat = "use std::process::Command;\n\npub fn beep() {\n    Command::new(\"beep\").spawn().ok();\n}\n";
    let manifest = "[package]\nname = \"deep_nesting\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    let root = "pub mod deep;\npub mod flat;\n";
    let files = [("Cargo.toml", manifest), ("src/lib.rs", root), ("src/deep.rs", &deep), ("src/flat.rs", flat)];
    let folder = run::package(files.map(|(path, text)| (path, text.as_bytes())));

    let run = run::at_defaults(folder.path());
    let [(file, reason)] = run.skipped.as_slice() else { panic!("{:?}", run.skipped) };
    assert_eq!(file, "src/deep.rs");
    assert!(reason.contains("nested too deeply"), "{reason}");
    let lints: Vec<_> = run.findings.iter().map(|found| (found.file.as_str(), found.lint.as_str())).collect();
    assert_eq!(lints, [("src/flat.rs", "zombie_process")], "the other files are checked all the same");
}

/// The report names a column in characters and a range in bytes of the file as it lies on disk.
#[test]
fn positions_count_the_byte_order_mark_and_carriage_returns() {
    let path = support::repository().join("fixtures/bom_crlf");
    let run = run::at_defaults(Path::new(&path));
    let found = &run.json["diagnostics"][0];
    let bytes = std::fs::read(path.join("src/lib.rs")).expect("a readable file");
    let at = |key: &str| found[key].as_u64().and_then(|at| usize::try_from(at).ok()).expect("a number");
    let text = std::str::from_utf8(&bytes[at("byte_start")..at("byte_end")]).expect("whole characters");
    assert!(text.contains("spawn"), "{text:?}");
    let line = std::str::from_utf8(&bytes).expect("UTF-8").lines().nth(at("line") - 1).expect("that line");
    let rest: String = line.chars().skip(at("column") - 1).collect();
    assert!(rest.starts_with(text.lines().next().unwrap_or_default()), "{rest:?} does not start with {text:?}");
}
