//! Runs leaklint on the five systems of `fixtures/systems/`: each as it leaked, where all marks come true, and as it was
//! mended, where nothing is found. That they compile and work is for `.ci/systems` to show.
//!
//! A system is copied to a temporary folder together with the manifest of the workspace, which says what versions of its
//! dependencies it uses.

mod support;

use leaklint::lints::page::Mark;
use std::fs;
use support::run;
use support::{compare, files_below};
use tempfile::TempDir;

#[test]
fn every_system_has_its_test() {
    let folder = support::repository().join("fixtures/systems");
    let names = support::entries(&folder).into_iter().filter(|entry| entry.join("before").is_dir());
    let names: Vec<_> = names.map(|entry| entry.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(names, ALL);
}

macro_rules! systems {
    ($($name:ident),* $(,)?) => {
        const ALL: &[&str] = &[$(stringify!($name)),*];

        $(#[test]
        fn $name() {
            leaks_before(stringify!($name));
            is_clean_after(stringify!($name));
        })*
    };
}

systems!(data_pipeline, issue_tracker, pipeline_cache, repo_bot, web_service);

fn leaks_before(name: &str) {
    let (folder, marks) = copy(name, "before");
    let (in_tests, in_code): (Vec<_>, Vec<_>) = marks.iter().cloned().partition(|(file, _)| file.contains("/tests/"));
    let run = run::at_defaults(folder.path());

    let mut wrong = compare::at_defaults(&in_code, &run.findings);
    wrong.extend(compare::with_everything(&in_code, &run::with_everything(folder.path()).findings));
    if !in_tests.is_empty() {
        wrong.extend(compare::at_defaults(&marks, &run::with_tests(folder.path()).findings));
    }
    assert!(wrong.is_empty(), "{name}/before:\n{}", wrong.join("\n"));
    insta::assert_snapshot!(name, serde_json::to_string_pretty(&run.json).expect("JSON"));
}

fn is_clean_after(name: &str) {
    let (folder, marks) = copy(name, "after");
    assert_eq!(marks, [], "{name}/after leaks nowhere");
    let run = run::with_tests(folder.path());
    let wrong = compare::at_defaults(&[], &run.findings);
    assert!(wrong.is_empty(), "{name}/after:\n{}", wrong.join("\n"));
}

/// One version of a system, in a workspace of its own, and the marks in it.
fn copy(name: &str, version: &str) -> (TempDir, Vec<(String, Mark)>) {
    let systems = support::repository().join("fixtures/systems");
    let manifest = ("Cargo.toml".to_owned(), fs::read(systems.join("Cargo.toml")).expect("a readable file"));
    let files = files_below(&systems.join(name).join(version)).into_iter();
    let files: Vec<_> = files.map(|(path, content)| (format!("{name}/{version}/{path}"), content)).collect();
    let all = files.iter().chain([&manifest]).map(|(path, content)| (path.as_str(), content.as_slice()));
    let marks = compare::marks_of(&files);
    (run::package(all), marks)
}
