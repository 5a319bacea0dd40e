//! The invariants of the crate's documentation that a search of the text can check.

use leaklint::lints::{LINTS, pages};
use std::fs;
use std::path::{Path, PathBuf};

/// All Rust files below `folder`, with their text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("text");
                found.push((path.to_string_lossy().replace('\\', "/"), text));
            }
        }
    }
    found.sort();
    found
}

/// The code without comments and without what follows the tests' module.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Whether `word` stands in `text` as a word.
fn names(text: &str, word: &str) -> bool {
    let of_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(of_word) && !text[at + word.len()..].starts_with(of_word))
}

/// The files whose paths start with `start` and whose code names one of `words`, with the word.
fn offenders(start: &str, excused: &[&str], words: &[&str]) -> Vec<String> {
    let files = sources("src").into_iter().filter(|(path, _)| path.starts_with(start));
    let files = files.filter(|(path, _)| !excused.iter().any(|start| path.starts_with(start)));
    let named = |(path, text): (String, String)| {
        let code = code(&text);
        let found = words.iter().filter(|word| names(&code, word)).map(|word| format!("{path}: {word}"));
        found.collect::<Vec<_>>()
    };
    files.flat_map(named).collect()
}

#[test]
fn the_search_finds_what_it_looks_for() {
    assert!(names(&code("use syn::File; // x"), "syn"));
    assert!(!names(&code("let async_syn = 1; // syn"), "syn"));
    assert!(names(&code("use crate::lints::x;"), "crate::lints"));
    assert_eq!(offenders("src/parse", &[], &["syn"]), ["src/parse.rs: syn"]);
}

#[test]
fn only_parse_and_lower_name_the_parser() {
    let found = offenders("src", &["src/parse.rs", "src/lower/", "src/lower.rs"], &["syn", "proc_macro2"]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn facts_depend_on_text_alone() {
    let words = ["lints", "config", "apis", "model", "diagnostic", "discover", "check", "report"];
    let words: Vec<String> = words.iter().map(|word| format!("crate::{word}")).collect();
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    words.extend(["std::fs", "std::env"]);
    for start in ["src/lower", "src/facts", "src/parse"] {
        assert_eq!(offenders(start, &[], &words), Vec::<String>::new());
    }
}

#[test]
fn lints_are_functions_of_the_model() {
    let words =
        ["std::fs", "std::io", "std::env", "std::process", "SourceText", "Level", "Settings", "crate::suppress"];
    assert_eq!(offenders("src/lints/", &["src/lints/mod.rs", "src/lints/page.rs"], &words), Vec::<String>::new());
}

#[test]
fn only_the_command_line_prints() {
    let words = ["println!", "eprintln!", "print!", "eprint!", "dbg!", "stdout()", "stderr()"];
    let tests = ["src/cli/", "src/lower/tests/", "src/model/tests/"];
    assert_eq!(offenders("src", &tests, &words), Vec::<String>::new());
}

#[test]
fn lints_are_sorted_and_have_their_pages() {
    let names: Vec<&str> = LINTS.iter().map(|lint| lint.name).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(names, sorted);
    let pages = pages(LINTS).expect("every page has its form");
    for (lint, page) in LINTS.iter().zip(&pages) {
        let file = format!("lints/{}.md", lint.name);
        assert_eq!(fs::read_to_string(&file).ok().as_deref(), Some(lint.page), "{file}");
        assert!(["tasks", "growth", "handles", "pools"].contains(&page.metadata.group.as_str()), "{file}: group");
        assert!(Path::new(&format!("src/lints/{}.rs", lint.name)).exists(), "{file}: module");
    }
}

#[test]
fn modules_say_what_they_are_for_and_fit() {
    for (path, text) in sources("src").into_iter().chain(sources("tests")) {
        // The purpose of a lint is its page.
        let said = text.starts_with("//! ") || text.starts_with("#![doc = include_str!(");
        assert!(said, "{path} starts without its purpose");
        assert!(text.lines().count() <= 600, "{path} is several modules");
    }
}
