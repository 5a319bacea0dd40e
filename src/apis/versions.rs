//! Rows that hold for some versions of a package only.
//!
//! The version is part of the path: in the model the root of a dependency is `nix@0.26.2` if tables tell its versions
//! apart, and the row of `nix::unistd::dup` before 0.30 is found as `nix@0.0.0..0.30.0::unistd::dup`. So a row is chosen
//! once, where a path becomes canonical, and whoever looks one up by its path need not know of versions.

use crate::version::Version;
use rustc_hash::{FxHashMap, FxHashSet};
use std::borrow::Cow;

/// From a version, up to but without another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    since: Version,
    until: Option<Version>,
}

impl Range {
    /// None if there is no limit.
    pub fn new(since: Option<Version>, until: Option<Version>) -> Option<Range> {
        let limited = since.is_some() || until.is_some();
        limited.then(|| Range { since: since.unwrap_or(Version([0; 3])), until })
    }

    /// The path by which a row for these versions is found.
    pub fn key(self, path: &str) -> String {
        let (root, rest) = path.split_once("::").unwrap_or((path, ""));
        let until = self.until.map(|v| v.to_string()).unwrap_or_default();
        format!("{root}@{}..{until}::{rest}", self.since)
    }

    fn contains(self, version: Version) -> bool {
        self.since <= version && self.until.is_none_or(|until| version < until)
    }

    fn overlaps(self, other: Range) -> bool {
        self.until.is_none_or(|until| other.since < until) && other.until.is_none_or(|until| self.since < until)
    }
}

/// All paths that have such rows.
#[derive(Debug, Default)]
pub(super) struct Versions {
    crates: FxHashSet<String>,
    /// By path: the versions, what the row is found by, and the number of its table.
    rows: FxHashMap<String, Vec<(Range, String, usize)>>,
}

impl Versions {
    /// Adds a row; false if its table has another one for the same version. Later tables win.
    #[must_use]
    pub fn add(&mut self, path: &str, range: Range, key: &str, table: usize) -> bool {
        self.crates.insert(path.split("::").next().unwrap_or_default().to_owned());
        let rows = self.rows.entry(path.to_owned()).or_default();
        if rows.iter().any(|(other, _, of)| *of == table && other.overlaps(range)) {
            return false;
        }
        rows.retain(|(other, ..)| !other.overlaps(range));
        rows.push((range, key.to_owned(), table));
        true
    }

    /// A row for all versions takes the place of those of earlier tables.
    pub fn replace(&mut self, path: &str, table: usize) {
        if let Some(rows) = self.rows.get_mut(path) {
            rows.retain(|(.., of)| *of == table);
        }
    }

    /// The first segment of paths into a package.
    pub fn root(&self, krate: String, version: Option<Version>) -> String {
        match version {
            Some(version) if self.crates.contains(&krate) => format!("{krate}@{version}"),
            _ => krate,
        }
    }

    /// For a path with a version: what the row for that version is found by, or else the path without version.
    pub fn resolve<'a>(&'a self, path: &'a str) -> Option<Cow<'a, str>> {
        let (krate, rest) = path.split_once('@')?;
        let (version, rest) = rest.split_once("::")?;
        // `nix@0.0.0..0.27.0::dir::Dir::open`: a member of a row that was found by its version.
        let Ok(version) = version.parse::<Version>() else { return Some(Cow::Borrowed(path)) };
        let plain = format!("{krate}::{rest}");
        let row = self.rows.get(&plain).and_then(|rows| rows.iter().find(|(range, ..)| range.contains(version)));
        Some(row.map_or(Cow::Owned(plain), |(_, key, _)| Cow::Borrowed(key)))
    }
}
