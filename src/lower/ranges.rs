//! Byte ranges of tokens. Only single tokens are asked for their span: spanning a whole expression would print it anew.
//!
//! A token is asked for line and column, not for its bytes: each answer to the latter is remembered in a tree, which
//! alone took a third of the time of lowering.

use super::Lowerer;
use crate::source::TextRange;
use proc_macro2::{LineColumn, Span};

/// Turns lines and columns of the parsed text into bytes of the file.
pub struct Lines {
    /// Where each line begins in the file.
    starts: Vec<u32>,
    /// Each character of more than one byte, and by how much the bytes of its line exceed the characters after it.
    wide: Vec<(LineColumn, u32)>,
}

impl Lines {
    /// `offset` is where `code` begins in the file.
    pub fn new(code: &str, offset: u32) -> Lines {
        let mut starts = vec![offset];
        starts.extend(memchr::memchr_iter(b'\n', code.as_bytes()).map(|at| at as u32 + 1 + offset));
        let wide = if code.is_ascii() { Vec::new() } else { wide_characters(code) };
        Lines { starts, wide }
    }

    fn byte(&self, at: LineColumn) -> u32 {
        let start = self.starts.get(at.line - 1).copied().unwrap_or_default();
        start + at.column as u32 + self.excess(at)
    }

    fn excess(&self, at: LineColumn) -> u32 {
        let before = self.wide.partition_point(|(wide, _)| *wide < at);
        match before.checked_sub(1).map(|index| self.wide[index]) {
            Some((wide, excess)) if wide.line == at.line => excess,
            _ => 0,
        }
    }
}

fn wide_characters(code: &str) -> Vec<(LineColumn, u32)> {
    let mut wide = Vec::new();
    for (index, line) in code.split('\n').enumerate().filter(|(_, line)| !line.is_ascii()) {
        let mut excess = 0;
        for (column, c) in line.chars().enumerate().filter(|(_, c)| !c.is_ascii()) {
            excess += c.len_utf8() as u32 - 1;
            wide.push((LineColumn { line: index + 1, column }, excess));
        }
    }
    wide
}

impl Lowerer {
    /// The bytes of a token in the file on disk.
    pub(super) fn range(&self, span: Span) -> TextRange {
        self.range_to(span, span)
    }

    /// From the first token to the second.
    pub(super) fn range_to(&self, first: Span, last: Span) -> TextRange {
        TextRange { lo: self.lines.byte(first.start()), hi: self.lines.byte(last.end()) }
    }

    /// The bytes of a path, without its generic arguments at the end.
    pub(super) fn path_range(&self, path: &syn::Path) -> TextRange {
        match (path.segments.first(), path.segments.last()) {
            (Some(first), Some(last)) => self.range_to(first.ident.span(), last.ident.span()),
            _ => TextRange::default(),
        }
    }
}
