//! `leaklint explain` and `leaklint lints`: the pages, offline.

use super::{CLEAN, output};
use anstream::ColorChoice;
use leaklint::lints::page::Page;
use leaklint::lints::{LINTS, page_of, pages};

/// Prints the page of a lint.
pub fn explain(name: &str) -> anyhow::Result<u8> {
    let pages = pages(LINTS)?;
    let page = page_of(&pages, name)?;
    output::to_stdout(text_of(page).as_bytes(), ColorChoice::Auto)?;
    Ok(CLEAN)
}

fn text_of(page: &Page) -> String {
    let level =
        format!("Level: {}. Group: {}. Since: {}.", page.metadata.level, page.metadata.group, page.metadata.since);
    page.markdown.replacen('\n', &format!("\n\n{level}\n"), 1)
}

/// Prints one line per lint.
pub fn table() -> anyhow::Result<u8> {
    output::to_stdout(rows(&pages(LINTS)?).as_bytes(), ColorChoice::Auto)?;
    Ok(CLEAN)
}

fn rows(pages: &[Page]) -> String {
    let width = |text: fn(&Page) -> &str| pages.iter().map(|page| text(page).len()).max().unwrap_or_default();
    let (names, groups) = (width(|page| &page.name), width(|page| &page.metadata.group));
    let row = |page: &Page| {
        let (name, group, level) = (&page.name, &page.metadata.group, page.metadata.level.to_string());
        format!("{name:names$}  {level:5}  {group:groups$}  {}\n", page.summary)
    };
    pages.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use leaklint::lints::page::parse;

    fn page(name: &str, group: &str) -> Page {
        let metadata = format!("level = \"warn\"\ngroup = \"{group}\"\nsince = \"0.1.0\"");
        parse(name, &format!("# {name}\n\n```toml\n{metadata}\n```\n\nA sentence. More.\n")).unwrap()
    }

    #[test]
    fn pages_are_shown() {
        let text = text_of(&page("lost_fd", "handles"));
        assert_eq!(text, "# lost_fd\n\nLevel: warn. Group: handles. Since: 0.1.0.\n\nA sentence. More.\n");
    }

    #[test]
    fn rows_are_aligned() {
        let rows = rows(&[page("a", "tasks"), page("bcd", "x")]);
        assert_eq!(rows, "a    warn   tasks  A sentence.\nbcd  warn   x      A sentence.\n");
    }
}
