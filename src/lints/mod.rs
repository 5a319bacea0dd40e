//! The lints: one sorted list, the level each runs at, and their pages.
//!
//! A lint is a function of the [`Model`]: it reads no file, sees no source text, and knows neither its level nor what
//! is suppressed. Its page is its manual, its metadata and its test.

pub mod accumulating_loop;
pub mod client_per_call;
pub mod conditional_manual_drop;
pub mod detached_task;
pub mod dropped_registration;
pub mod exit_skips_drop;
pub mod forgotten_value;
mod growth;
pub mod heap_in_arena;
pub mod insert_lost_on_error;
pub mod into_raw_without_from_raw;
pub mod kept_temp_file;
pub mod leaked_allocation;
pub mod leaked_closure;
pub mod listener_never_removed;
mod loss;
mod often;
pub mod page;
pub mod partial_removal;
pub mod peer_sized_allocation;
mod per_call;
pub mod pool_per_call;
pub mod raw_field_without_drop;
pub mod raw_handle_leak;
pub mod reference_cycle;
pub mod replaced_task_handle;
pub mod runtime_per_call;
pub mod self_capturing_callback;
pub mod swallowed_task_error;
pub mod task_handle_without_drop;
pub mod task_pins_owner;
pub mod unbounded_cache;
pub mod unbounded_channel;
pub mod unbounded_field_collection;
pub mod unbounded_global_collection;
pub mod unbounded_pool;
pub mod unbounded_read;
pub mod unclosed_pool;
pub mod undrained_task_set;
pub mod unenforced_ttl;
pub mod unpaired_release;
pub mod zombie_process;

use crate::diagnostic::Diagnostic;
use crate::model::Model;
use page::Page;
use std::fmt;

/// A lint.
#[derive(Debug, Clone, Copy)]
pub struct Lint {
    /// Its name, which is also the stem of its page and of its module.
    pub name: &'static str,
    /// The text of its page.
    pub page: &'static str,
    /// Adds what it finds.
    pub check: fn(&Model, &mut Vec<Diagnostic>),
}

macro_rules! lint {
    ($name:ident) => {
        Lint {
            name: stringify!($name),
            page: include_str!(concat!("../../lints/", stringify!($name), ".md")),
            check: $name::check,
        }
    };
}

/// All lints, sorted by name.
pub static LINTS: &[Lint] = &[
    lint!(accumulating_loop),
    lint!(client_per_call),
    lint!(conditional_manual_drop),
    lint!(detached_task),
    lint!(dropped_registration),
    lint!(exit_skips_drop),
    lint!(forgotten_value),
    lint!(heap_in_arena),
    lint!(insert_lost_on_error),
    lint!(into_raw_without_from_raw),
    lint!(kept_temp_file),
    lint!(leaked_allocation),
    lint!(leaked_closure),
    lint!(listener_never_removed),
    lint!(partial_removal),
    lint!(peer_sized_allocation),
    lint!(pool_per_call),
    lint!(raw_field_without_drop),
    lint!(raw_handle_leak),
    lint!(reference_cycle),
    lint!(replaced_task_handle),
    lint!(runtime_per_call),
    lint!(self_capturing_callback),
    lint!(swallowed_task_error),
    lint!(task_handle_without_drop),
    lint!(task_pins_owner),
    lint!(unbounded_cache),
    lint!(unbounded_channel),
    lint!(unbounded_field_collection),
    lint!(unbounded_global_collection),
    lint!(unbounded_pool),
    lint!(unbounded_read),
    lint!(unclosed_pool),
    lint!(undrained_task_set),
    lint!(unenforced_ttl),
    lint!(unpaired_release),
    lint!(zombie_process),
];

/// What a finding is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Not looked for.
    Allow,
    /// Reported.
    Warn,
    /// Reported as an error.
    Deny,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Allow => "allow",
            Level::Warn => "warn",
            Level::Deny => "deny",
        })
    }
}

/// A name that is neither a lint nor a group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct UnknownLint {
    /// What was asked for.
    pub name: String,
    /// What was probably meant.
    pub nearest: Option<String>,
}

impl fmt::Display for UnknownLint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown lint or group `{}`", self.name)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => write!(f, "; `leaklint lints` names them all"),
        }
    }
}

/// The name for all lints where a group may stand.
pub const ALL: &str = "all";

/// The pages of `lints`, in their order.
pub fn pages(lints: &[Lint]) -> Result<Vec<Page>, page::PageError> {
    lints.iter().map(|lint| page::parse(lint.name, lint.page)).collect()
}

/// The level of each page's lint: its own, changed by `asked` in order.
pub fn levels(pages: &[Page], asked: &[(Level, String)]) -> Result<Vec<Level>, UnknownLint> {
    let mut levels: Vec<Level> = pages.iter().map(|page| page.metadata.level).collect();
    for (level, name) in asked {
        let mut known = name == ALL;
        for (page, own) in pages.iter().zip(&mut levels) {
            if name == ALL || *name == page.name || *name == page.metadata.group {
                known = true;
                *own = *level;
            }
        }
        if !known {
            return Err(unknown(pages, name));
        }
    }
    Ok(levels)
}

/// The page of the lint `name`.
pub fn page_of<'a>(pages: &'a [Page], name: &str) -> Result<&'a Page, UnknownLint> {
    pages.iter().find(|page| page.name == name).ok_or_else(|| unknown(pages, name))
}

fn unknown(pages: &[Page], name: &str) -> UnknownLint {
    let names = pages.iter().flat_map(|page| [page.name.as_str(), page.metadata.group.as_str()]).chain([ALL]);
    UnknownLint { name: name.to_owned(), nearest: nearest(name, names).map(str::to_owned) }
}

/// The name most like `name`, if one is like it at all.
pub fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let spelled = name.replace('-', "_").to_lowercase();
    let scored = names.map(|candidate| (strsim::jaro_winkler(&spelled, candidate), candidate));
    scored.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages() -> Vec<Page> {
        let page = |name: &str, level: &str, group: &str| {
            let text = format!(
                "# {name}\n\n```toml\nlevel = \"{level}\"\ngroup = \"{group}\"\nsince = \"0.1.0\"\n```\n\nOne.\n"
            );
            page::parse(name, &text).unwrap()
        };
        vec![
            page("detached_task", "warn", "tasks"),
            page("lost_fd", "allow", "handles"),
            page("zombie", "deny", "tasks"),
        ]
    }

    #[test]
    fn later_levels_win() {
        use Level::*;
        let levels = |asked: &[(Level, &str)]| {
            let asked: Vec<_> = asked.iter().map(|(level, name)| (*level, name.to_string())).collect();
            levels(&pages(), &asked)
        };
        assert_eq!(levels(&[]), Ok(vec![Warn, Allow, Deny]));
        assert_eq!(levels(&[(Deny, "all"), (Allow, "zombie")]), Ok(vec![Deny, Deny, Allow]));
        assert_eq!(levels(&[(Allow, "zombie"), (Warn, "tasks")]), Ok(vec![Warn, Allow, Warn]));
        let error = levels(&[(Warn, "detachd-task")]).unwrap_err();
        assert_eq!(error.to_string(), "unknown lint or group `detachd-task`; did you mean `detached_task`?");
        let error = levels(&[(Warn, "qqq")]).unwrap_err();
        assert_eq!(error.to_string(), "unknown lint or group `qqq`; `leaklint lints` names them all");
    }
}
