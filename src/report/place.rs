//! Where a span is, as the machine-readable formats say it.

use super::Report;
use crate::source::Span;
use serde::Serialize;

/// A span with lines and columns from 1, columns in characters, ends exclusive.
#[derive(Debug, Clone, Serialize)]
pub struct Place<'a> {
    /// Relative to the root.
    pub file: &'a str,
    /// Of the first character.
    pub line: u32,
    /// Of the first character.
    pub column: u32,
    /// Of the end.
    pub end_line: u32,
    /// Of the end.
    pub end_column: u32,
    /// First byte.
    pub byte_start: u32,
    /// One past the last byte.
    pub byte_end: u32,
}

/// The place of `span`.
pub fn place(report: &Report, span: Span) -> Place<'_> {
    let source = report.source(span.file);
    let (start, end) = (source.position(span.range.lo), source.position(span.range.hi));
    Place {
        file: report.display(span.file),
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        byte_start: span.range.lo,
        byte_end: span.range.hi,
    }
}
