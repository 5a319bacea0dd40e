//! The tool and its lints as SARIF describes them: everything here comes from the lints' pages.

use crate::lints::Level;
use crate::lints::page::Page;
use crate::report::{home, page_url};
use serde_json::{Value, json};

/// Longest text that code scanning shows of a description.
const MAX_DESCRIPTION: usize = 1024;

/// `tool.driver`.
pub fn driver(pages: &[Page]) -> Value {
    let mut driver = json!({
        "name": "leaklint",
        "version": env!("CARGO_PKG_VERSION"),
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": pages.iter().map(rule).collect::<Vec<_>>(),
    });
    if let Some(home) = home() {
        driver["informationUri"] = json!(home);
    }
    driver
}

fn rule(page: &Page) -> Value {
    let enabled = page.metadata.level != Level::Allow;
    let (level, severity) = match page.metadata.level {
        Level::Deny => ("error", "error"),
        Level::Warn => ("warning", "warning"),
        Level::Allow => ("warning", "recommendation"),
    };
    let mut rule = json!({
        "id": page.name,
        "name": pascal_case(&page.name),
        "shortDescription": { "text": page.summary },
        "fullDescription": { "text": full_description(page) },
        "help": { "text": page.section("How to fix").unwrap_or(&page.summary), "markdown": page.markdown },
        "defaultConfiguration": { "enabled": enabled, "level": level },
        "properties": {
            "precision": if enabled { "high" } else { "low" },
            "problem.severity": severity,
            "tags": ["resource-leak", page.metadata.group],
        },
    });
    if let Some(score) = &page.metadata.security_severity {
        rule["properties"]["security-severity"] = json!(score);
        rule["properties"]["tags"] = json!(["resource-leak", page.metadata.group, "security"]);
    }
    if let Some(url) = page_url(&page.name) {
        rule["helpUri"] = json!(url);
    }
    rule
}

fn pascal_case(name: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('_').filter(|word| !word.is_empty()).map(capital).collect()
}

/// The summary and as many whole sentences of the first paragraph of reasons as there is room for.
fn full_description(page: &Page) -> String {
    let why = page.section("Why it leaks").unwrap_or_default();
    let paragraph = why.split("\n\n").next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    let mut text = page.summary.clone();
    for sentence in paragraph.split_inclusive(". ").map(str::trim_end).filter(|sentence| sentence.ends_with('.')) {
        if text.chars().count() + 1 + sentence.chars().count() > MAX_DESCRIPTION {
            break;
        }
        text.push(' ');
        text.push_str(sentence);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lints::page;

    #[test]
    fn names_are_pascal_case() {
        assert_eq!(pascal_case("into_raw_without_from_raw"), "IntoRawWithoutFromRaw");
    }

    #[test]
    fn descriptions_end_with_a_sentence_and_fit() {
        let why = "It is a reason. ".repeat(200);
        let metadata = "level = \"warn\"\ngroup = \"tasks\"\nsince = \"0.1.0\"";
        let text = format!("# a\n\n```toml\n{metadata}\n```\n\nSummary.\n\n## Why it leaks\n\n{why}unfinished\n");
        let description = full_description(&page::parse("a", &text).unwrap());
        assert!(description.starts_with("Summary. It is a reason."), "{description}");
        assert!(description.len() <= MAX_DESCRIPTION && description.ends_with("a reason."), "{description}");
    }
}
