//! Runs the examples of every lint's page and compares what fires with the marks, and checks the pages' outline.
//!
//! An example is a package. At default settings each `//~ lint` fires and nothing else does, of no lint. With everything shown each
//! `//~ lint (low)` fires as low, and no `//~? lint` does.

mod support;

use leaklint::lints::page::{self, Example, Expect, Mark, Page};
use leaklint::lints::{LINTS, Level};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use support::{compare, run};

const OUTLINE: [&str; 5] = ["Why it leaks", "Reported", "Not reported", "What it cannot see", "How to fix"];

const MANIFEST: &str = "[package]\nname = \"example\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";

fn pages() -> Vec<Page> {
    LINTS.iter().map(|lint| page::parse(lint.name, lint.page).unwrap_or_else(|error| panic!("{error}"))).collect()
}

#[test]
fn examples_fire_where_they_are_marked_and_nowhere_else() {
    let wrong: Vec<String> =
        pages().iter().flat_map(|page| page.examples.iter().flat_map(|e| wrong_with(page, e))).collect();
    assert!(wrong.is_empty(), "{} examples' lines differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// What is wrong with one example, each time with its line in the page.
fn wrong_with(page: &Page, example: &Example) -> Vec<String> {
    let path_of = |file: &page::ExampleFile| file.path.clone().unwrap_or_else(|| "src/lib.rs".to_owned());
    let paths: Vec<String> = example.files.iter().map(path_of).collect();
    let texts = paths.iter().zip(&example.files).map(|(path, file)| (path.as_str(), file.code.as_bytes()));
    let folder = run::package(texts.chain([("Cargo.toml", MANIFEST.as_bytes())]));
    let marks: Vec<(String, Mark)> = paths
        .iter()
        .zip(&example.files)
        .flat_map(|(path, file)| file.marks.iter().map(|mark| (path.clone(), mark.clone())))
        .collect();

    let defaults = run::at_defaults(folder.path());
    let mut wrong = compare::at_defaults(&marks, &defaults.findings);
    wrong.extend(defaults.skipped.iter().map(|(file, reason)| format!("{file}:1: {reason}")));
    if marks.iter().any(|(_, mark)| mark.expect != Expect::Fires) {
        wrong.extend(compare::with_everything(&marks, &run::with_everything(folder.path()).findings));
    }
    wrong.iter().map(|text| in_page(page, example, &paths, text)).collect()
}

/// Turns `src/x.rs:3: text` into `lints/a.md:40: text`.
fn in_page(page: &Page, example: &Example, paths: &[String], text: &str) -> String {
    let place = paths.iter().zip(&example.files).find_map(|(path, file)| {
        let (line, text) = text.strip_prefix(path.as_str())?.strip_prefix(':')?.split_once(':')?;
        let line: usize = line.parse().ok()?;
        Some(format!("lints/{}.md:{}:{text}", page.name, file.line + line - 1))
    });
    place.unwrap_or_else(|| format!("lints/{}.md: {text}", page.name))
}

#[test]
fn every_page_has_a_lint_and_every_lint_a_page() {
    let mut on_disk = Vec::new();
    for file in support::entries(&support::repository().join("lints")) {
        if file.extension().is_some_and(|extension| extension == "md") && !file.ends_with("README.md") {
            on_disk.push(file.file_stem().expect("a name").to_string_lossy().into_owned());
        }
    }
    let registered: Vec<&str> = LINTS.iter().map(|lint| lint.name).collect();
    assert_eq!(on_disk, registered, "`LINTS` is sorted and names the pages in `lints/`");
}

#[test]
fn pages_have_the_same_outline() {
    for page in pages() {
        let titles: Vec<&str> = page.sections.iter().map(|section| section.title.as_str()).collect();
        assert_eq!(titles, OUTLINE, "{}", page.name);
        assert!(page.sections.iter().all(|section| !section.text.is_empty()), "{} has an empty section", page.name);
        assert!(page.summary.len() <= 200, "the summary of {} is a row of a table", page.name);
        assert!(["tasks", "growth", "handles", "pools"].contains(&page.metadata.group.as_str()), "{}", page.name);
    }
}

#[test]
fn marks_stand_where_they_belong() {
    let names: BTreeSet<&str> = LINTS.iter().map(|lint| lint.name).collect();
    for page in pages() {
        for example in &page.examples {
            let at = format!("lints/{}.md:{}", page.name, example.files[0].line);
            let marks: Vec<&Mark> = example.files.iter().flat_map(|file| &file.marks).collect();
            assert!(marks.iter().all(|mark| names.contains(mark.lint.as_str())), "{at} names an unknown lint");
            match example.section.as_str() {
                "Reported" => assert!(!marks.is_empty(), "{at} reports nothing"),
                "What it cannot see" => assert!(marks.iter().all(|mark| mark.expect == Expect::Gap), "{at} is no gap"),
                _ => assert!(marks.is_empty(), "{at} stands under the wrong heading"),
            }
        }
    }
}

#[test]
fn fences_say_whether_the_example_is_a_doctest() {
    for page in pages() {
        for file in page.examples.iter().flat_map(|example| &example.files) {
            let known = ["rust,no_run", "rust,ignore"].contains(&file.info.as_str());
            assert!(known, "lints/{}.md:{}: `{}`", page.name, file.line - 1, file.info);
        }
    }
}

#[test]
fn no_page_advises_to_hide_the_leak() {
    for page in pages() {
        let advice = page.section("How to fix").unwrap_or_default();
        for hiding in ["`drop(", " drop(", "mem::drop", "let _ =", "mem::forget"] {
            assert!(!advice.contains(hiding), "{} advises `{hiding}`", page.name);
        }
    }
}

#[test]
fn the_readme_lists_the_lints() {
    let path = support::repository().join("README.md");
    let readme = fs::read_to_string(&path).expect("a readable file");
    let expected = with_table(&readme, &table(&pages()));
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, expected).expect("a writable file");
    } else {
        assert_eq!(readme, expected, "run `UPDATE=1 cargo test --test pages`");
    }
}

fn table(pages: &[Page]) -> String {
    let mut table = String::from("| lint | group | level | what it finds |\n|---|---|---|---|\n");
    for Page { name, metadata, summary, .. } in pages {
        let level = match metadata.level {
            Level::Allow => "allow",
            Level::Warn => "warn",
            Level::Deny => "deny",
        };
        writeln!(table, "| [`{name}`](lints/{name}.md) | {} | {level} | {summary} |", metadata.group).expect("memory");
    }
    table
}

/// The text with the table between its markers.
fn with_table(text: &str, table: &str) -> String {
    let (before, rest) = text.split_once("<!-- lints -->\n").expect("a marker before the table");
    let (_, after) = rest.split_once("<!-- /lints -->").expect("a marker behind the table");
    format!("{before}<!-- lints -->\n{table}<!-- /lints -->{after}")
}

mod harness {
    //! The harness itself: it must not pass by accident.

    use super::*;
    use support::run::Finding;

    fn mark(line: usize, expect: Expect) -> (String, Mark) {
        ("src/lib.rs".to_owned(), Mark { line, lint: "lost".to_owned(), expect })
    }

    fn found(line: usize, lint: &str, confidence: &str) -> Finding {
        let [file, lint, confidence, message] = ["src/lib.rs", lint, confidence, "it is lost"].map(str::to_owned);
        Finding { file, line, lint, confidence, message }
    }

    #[test]
    fn a_mark_wants_its_line_its_lint_and_one_finding() {
        let marks = [mark(3, Expect::Fires)];
        let wrong = |findings: &[Finding]| compare::at_defaults(&marks, findings);
        assert!(wrong(&[found(3, "lost", "high")]).is_empty());
        assert_eq!(wrong(&[]), ["src/lib.rs:3: expected lost, found nothing"]);
        assert_eq!(wrong(&[found(4, "lost", "high")]).len(), 2);
        assert_eq!(wrong(&[found(3, "other", "high")]).len(), 2);
        let twice = [found(3, "lost", "high"), found(3, "lost", "high")];
        let told = "src/lib.rs:3: unexpected lost: it is lost (high); it is lost (high)";
        assert_eq!(wrong(&twice), [told]);
        assert_eq!(compare::at_defaults(&[mark(3, Expect::Fires), mark(3, Expect::Fires)], &twice), [""; 0]);
    }

    #[test]
    fn low_marks_and_gaps_are_silent_at_defaults() {
        let marks = [mark(3, Expect::FiresLow), mark(5, Expect::Gap)];
        assert!(compare::at_defaults(&marks, &[]).is_empty());
        assert_eq!(compare::at_defaults(&marks, &[found(3, "lost", "medium")]).len(), 1);
        assert_eq!(compare::at_defaults(&marks, &[found(5, "lost", "medium")]).len(), 1);
    }

    #[test]
    fn with_everything_shown_low_fires_as_low_and_gaps_do_not() {
        let marks = [mark(3, Expect::FiresLow), mark(5, Expect::Gap)];
        let wrong = |findings: &[Finding]| compare::with_everything(&marks, findings);
        assert!(wrong(&[found(3, "lost", "low"), found(9, "other", "low")]).is_empty());
        assert_eq!(wrong(&[]), ["src/lib.rs:3: expected lost (low), found nothing"]);
        assert_eq!(wrong(&[found(3, "lost", "high")]).len(), 1);
        assert_eq!(wrong(&[found(3, "lost", "low"), found(5, "lost", "low")]).len(), 1);
    }

    #[test]
    fn lines_are_told_as_lines_of_the_page() {
        let text = "# lost\n\n```toml\nlevel = \"warn\"\ngroup = \"tasks\"\nsince = \"0.1.0\"\n```\n\nLost.\n\n## Reported\n\n\
                    `src/main.rs`:\n```rust,ignore\nfn main() {}\n```\n";
        let page = page::parse("lost", text).expect("a page");
        let told = in_page(&page, &page.examples[0], &["src/main.rs".to_owned()], "src/main.rs:1: expected lost");
        assert_eq!(told, "lints/lost.md:15: expected lost");
    }

    #[test]
    fn the_table_replaces_the_one_before() {
        let text = "a\n<!-- lints -->\nold\n<!-- /lints -->\nb\n";
        assert_eq!(with_table(text, "new\n"), "a\n<!-- lints -->\nnew\n<!-- /lints -->\nb\n");
    }
}
