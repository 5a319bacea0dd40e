//! A lint's page: `lints/<lint>.md` taken apart into metadata, summary, sections and examples.
//!
//! Only the shape is read here; whether an example's marks come true is for a test to say.

use super::Level;
use serde::Deserialize;

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The lint's name.
    pub name: String,
    /// The block at its top.
    pub metadata: Metadata,
    /// Its first sentence, on one line.
    pub summary: String,
    /// What stands under each `##` heading, in order.
    pub sections: Vec<Section>,
    /// Its Rust examples, in order.
    pub examples: Vec<Example>,
    /// The whole page without the metadata, as Markdown.
    pub markdown: String,
}

/// The TOML block at the top of a page.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// Level without any setting.
    pub level: Level,
    /// `tasks`, `growth`, `handles`, `pools`.
    pub group: String,
    /// The first version that has it.
    pub since: String,
    /// Overlapping lints of clippy, honoured in attributes.
    #[serde(default)]
    pub clippy: Vec<String>,
    /// Score from 0.1 to 10.0 of a lint whose findings are security alerts.
    #[serde(default, rename = "security-severity")]
    pub security_severity: Option<String>,
}

/// A `##` section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its heading.
    pub title: String,
    /// Its Markdown, trimmed.
    pub text: String,
}

/// One example: a small crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The heading it stands under.
    pub section: String,
    /// Its files, in order. Several are told by a line such as `` `src/x.rs`: `` before each fence.
    pub files: Vec<ExampleFile>,
}

/// A fenced block of Rust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleFile {
    /// Its path, if the page names one.
    pub path: Option<String>,
    /// What follows the fence, as `rust,no_run`.
    pub info: String,
    /// The line of the page (from 1) on which the code starts.
    pub line: usize,
    /// The code; the `# ` that hides a line from readers of rustdoc is blanked out.
    pub code: String,
    /// What it says lints should do.
    pub marks: Vec<Mark>,
}

/// `//~ lint`, `//~ lint (low)` or `//~? lint` at the end of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The line of the code, from 1.
    pub line: usize,
    /// The lint.
    pub lint: String,
    /// What is expected.
    pub expect: Expect,
}

/// What a [`Mark`] expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Fires at default settings.
    Fires,
    /// Fires at confidence `low` at least.
    FiresLow,
    /// Should fire and does not: a known gap.
    Gap,
}

/// What is wrong with a page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("lints/{name}.md: {problem}")]
pub struct PageError {
    /// The lint.
    pub name: String,
    /// The problem.
    pub problem: String,
}

/// Takes the page of the lint `name` apart.
pub fn parse(name: &str, text: &str) -> Result<Page, PageError> {
    let wrong = |problem: String| PageError { name: name.to_owned(), problem };
    let text = text.replace("\r\n", "\n");
    let body =
        text.strip_prefix(&format!("# {name}\n")).ok_or_else(|| wrong(format!("does not start with `# {name}`")))?;
    let metadata = body.trim_start().strip_prefix("```toml\n").and_then(|rest| rest.split_once("\n```\n"));
    let (metadata, rest) = metadata.ok_or_else(|| wrong("has no block of metadata".to_owned()))?;
    let metadata = toml::from_str(metadata).map_err(|e| wrong(e.to_string()))?;
    let (summary, sections) = split_sections(rest);
    let summary =
        first_sentence(&summary).ok_or_else(|| wrong("has no summary that ends with a full stop".to_owned()))?;
    let examples = examples(&text);
    let markdown = format!("# {name}\n\n{}\n", rest.trim());
    Ok(Page { name: name.to_owned(), metadata, summary, sections, examples, markdown })
}

impl Page {
    /// The text of a section.
    pub fn section(&self, title: &str) -> Option<&str> {
        self.sections.iter().find(|section| section.title == title).map(|section| section.text.as_str())
    }
}

/// What stands before the first heading, and the sections. Headings within fences are code.
fn split_sections(text: &str) -> (String, Vec<Section>) {
    let mut intro = String::new();
    let mut sections: Vec<Section> = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        match line.strip_prefix("## ").filter(|_| !fenced) {
            Some(title) => sections.push(Section { title: title.trim().to_owned(), text: String::new() }),
            None => {
                let text = sections.last_mut().map_or(&mut intro, |section| &mut section.text);
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    for section in &mut sections {
        section.text = section.text.trim().to_owned();
    }
    (intro, sections)
}

fn first_sentence(text: &str) -> Option<String> {
    let paragraph = text.trim().split("\n\n").next()?.split_whitespace().collect::<Vec<_>>().join(" ");
    let end = paragraph.find(". ").map(|at| at + 1).or_else(|| paragraph.ends_with('.').then_some(paragraph.len()))?;
    Some(paragraph[..end].to_owned())
}

fn examples(text: &str) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    let mut section = String::new();
    let mut path = None;
    // Whether a file with a path would belong to the example before it.
    let mut goes_on = false;
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title.trim().to_owned();
            (path, goes_on) = (None, false);
        } else if let Some(info) = line.strip_prefix("```") {
            let code: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
            if !info.starts_with("rust") {
                continue;
            }
            let file = example_file(path.take(), info, number + 2, &code);
            let shares = goes_on && file.path.is_some();
            goes_on = file.path.is_some();
            match found.last_mut().filter(|last| shares && last.files.iter().all(|other| other.path != file.path)) {
                Some(last) => last.files.push(file),
                None => found.push(Example { section: section.clone(), files: vec![file] }),
            }
        } else if !line.trim().is_empty() {
            path = named_path(line);
        }
    }
    found
}

fn named_path(line: &str) -> Option<String> {
    let path = line.trim().strip_prefix('`')?.strip_suffix("`:")?;
    path.ends_with(".rs").then(|| path.to_owned())
}

fn example_file(path: Option<String>, info: &str, line: usize, code: &[&str]) -> ExampleFile {
    let shown = |line: &&str| match *line {
        "#" => String::new(),
        line => line.strip_prefix("# ").unwrap_or(line).to_owned(),
    };
    let code: Vec<String> = code.iter().map(shown).collect();
    let marks = code.iter().enumerate().flat_map(|(index, line)| marks(index + 1, line)).collect();
    let code = code.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    ExampleFile { path, info: info.to_owned(), line, code, marks }
}

/// The marks of a line; several lints are told apart by commas.
pub fn marks(line: usize, text: &str) -> Vec<Mark> {
    let Some((_, marks)) = text.split_once("//~") else {
        return Vec::new();
    };
    let (gap, lints) = match marks.strip_prefix('?') {
        Some(lints) => (true, lints),
        None => (false, marks),
    };
    let mark = |lint: &str| {
        let (lint, low) = match lint.trim().strip_suffix("(low)") {
            Some(lint) => (lint.trim(), true),
            None => (lint.trim(), false),
        };
        let expect = match (gap, low) {
            (true, _) => Expect::Gap,
            (false, true) => Expect::FiresLow,
            (false, false) => Expect::Fires,
        };
        Mark { line, lint: lint.to_owned(), expect }
    };
    lints.split(',').map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r####"# lost_fd

```toml
level = "warn"
group = "handles"
since = "0.1.0"
clippy = ["mem_forget"]
```

A descriptor is
never closed. More words.

## Why it leaks
It does.

## Reported
```rust,no_run
# use std::fs::File;
#[inline]
fn a() {
## not a heading
    open(); //~ lost_fd
    also(); //~? lost_fd
    both(); //~ lost_fd (low), other
}
```

Over two files:

`src/lib.rs`:
```rust,ignore
mod x;
```
`src/x.rs`:

```rust,ignore
fn x() {} //~ other
```

## Not reported
```text
no
```
`src/lib.rs`:
```rust
#
```
"####;

    #[test]
    fn a_page_is_taken_apart() {
        let page = parse("lost_fd", PAGE).unwrap();
        assert_eq!(page.summary, "A descriptor is never closed.");
        assert_eq!((page.metadata.level, page.metadata.clippy.len()), (Level::Warn, 1));
        let titles: Vec<_> = page.sections.iter().map(|section| section.title.as_str()).collect();
        assert_eq!(titles, ["Why it leaks", "Reported", "Not reported"]);
        assert_eq!(page.section("Why it leaks"), Some("It does."));
        assert!(page.markdown.starts_with("# lost_fd\n\nA descriptor") && !page.markdown.contains("level ="));
    }

    #[test]
    fn examples_keep_lines_files_and_marks() {
        let page = parse("lost_fd", PAGE).unwrap();
        let shape: Vec<_> = page.examples.iter().map(|e| (e.section.as_str(), e.files.len())).collect();
        assert_eq!(shape, [("Reported", 1), ("Reported", 2), ("Not reported", 1)]);
        let file = &page.examples[0].files[0];
        assert_eq!(PAGE.lines().nth(file.line - 1), Some("# use std::fs::File;"));
        assert!(file.code.starts_with("use std::fs::File;\n#[inline]\n"));
        let marks: Vec<_> = file.marks.iter().map(|mark| (mark.line, mark.lint.as_str(), mark.expect)).collect();
        let expected = [
            (5, "lost_fd", Expect::Fires),
            (6, "lost_fd", Expect::Gap),
            (7, "lost_fd", Expect::FiresLow),
            (7, "other", Expect::Fires),
        ];
        assert_eq!(marks, expected);
        assert_eq!(page.examples[1].files[1].path.as_deref(), Some("src/x.rs"));
        assert_eq!(page.examples[2].files[0].code, "\n");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let problem = |text: &str| parse("lost_fd", text).unwrap_err().to_string();
        assert_eq!(problem("# other\n"), "lints/lost_fd.md: does not start with `# lost_fd`");
        assert_eq!(problem("# lost_fd\n\nText."), "lints/lost_fd.md: has no block of metadata");
        assert!(problem(&PAGE.replace("clippy", "clipy")).contains("unknown field `clipy`"));
        assert!(problem(&PAGE.replace(". More words.", "")).contains("has no summary"));
    }
}
