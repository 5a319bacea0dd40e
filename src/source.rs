//! Source text and positions: what a byte range of a file means to a reader.
//!
//! Offsets are bytes of the file as it is on disk, byte order mark and shebang included; whoever hands a part of the
//! text to a parser adds the offset here, once. This module knows nothing of syntax.

use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::Path;

/// Larger files are not read: they are generated tables, and a tree takes up to 120 times its text.
pub const MAX_FILE_BYTES: u64 = 4 << 20;

/// A file of the run: its place in the sorted list of discovered files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

impl FileId {
    /// The index into the list of discovered files.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A byte range within one file, end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct TextRange {
    /// First byte.
    pub lo: u32,
    /// One past the last byte.
    pub hi: u32,
}

impl TextRange {
    /// The smallest range that covers both.
    pub fn to(self, end: TextRange) -> TextRange {
        TextRange { lo: self.lo.min(end.lo), hi: self.hi.max(end.hi) }
    }

    /// Whether `other` lies inside.
    pub fn contains(self, other: TextRange) -> bool {
        self.lo <= other.lo && other.hi <= self.hi
    }
}

/// A byte range in a named file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// The bytes.
    pub range: TextRange,
}

/// Why a file was left out of the run. The run goes on without it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SkipReason {
    /// The system did not let us.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// A device, a pipe, a socket: reading might never end.
    #[error("is not a regular file")]
    NotRegular,
    /// Over [`MAX_FILE_BYTES`].
    #[error("is too large ({0} bytes; the limit is {MAX_FILE_BYTES})")]
    TooLarge(u64),
    /// There is nothing in it. An ordinary thing for a `mod.rs`, so `--strict-parse` does not mind.
    #[error("is empty")]
    Empty,
    /// Not text.
    #[error("is not UTF-8 (byte {0})")]
    NotUtf8(usize),
    /// Would overflow the stack of a recursive parser.
    #[error("is nested too deeply at {0}")]
    TooDeep(Position),
    /// Not Rust, or newer Rust than the parser knows.
    #[error("cannot be parsed: {1} at {0}")]
    Syntax(Position, String),
    /// A bug of the parser.
    #[error("cannot be parsed: the parser failed ({0})")]
    ParserFailed(String),
    /// A manifest that is not TOML.
    #[error("is not a valid manifest: {0}")]
    Manifest(String),
    /// Edited while we were at work, so that no position in it can be trusted.
    #[error("was changed during the run; findings in it are left out")]
    Changed,
}

/// A place as a reader counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// The text of a file and where its lines start.
#[derive(Debug, Clone)]
pub struct SourceText {
    text: String,
    line_starts: Vec<u32>,
    code_start: u32,
}

/// The mark that some editors put before the first character.
pub const BOM: &str = "\u{feff}";

impl SourceText {
    /// Indexes `text`, which is the whole file.
    pub fn new(text: String) -> SourceText {
        let mut line_starts = vec![0];
        line_starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at as u32 + 1));
        let code_start = code_start(&text) as u32;
        SourceText { text, line_starts, code_start }
    }

    /// Reads a file: regular, not too large, and text.
    pub fn read(path: &Path) -> Result<SourceText, SkipReason> {
        let bytes = read_bytes(path)?;
        let text = String::from_utf8(bytes).map_err(|e| SkipReason::NotUtf8(e.utf8_error().valid_up_to()))?;
        if text.is_empty() {
            return Err(SkipReason::Empty);
        }
        Ok(SourceText::new(text))
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What a parser is given, and what has to be added to its offsets: the text without byte order mark and shebang.
    pub fn code(&self) -> (&str, u32) {
        (&self.text[self.code_start as usize..], self.code_start)
    }

    /// Tells this text from any other.
    pub fn hash(&self) -> blake3::Hash {
        blake3::hash(self.text.as_bytes())
    }

    /// Number of lines; a line break at the end starts no further one.
    pub fn line_count(&self) -> u32 {
        let open = self.line_starts.last().is_some_and(|&last| (last as usize) < self.text.len());
        self.line_starts.len() as u32 - u32::from(!open)
    }

    /// The line of a byte offset, from 1. Offsets past the end belong to the last line.
    pub fn line_of(&self, offset: u32) -> u32 {
        self.line_starts.partition_point(|&start| start <= offset) as u32
    }

    /// The bytes of a line (from 1) without its line break; empty for lines that do not exist.
    pub fn line_range(&self, line: u32) -> std::ops::Range<usize> {
        let Some(&start) = (line as usize).checked_sub(1).and_then(|index| self.line_starts.get(index)) else {
            return self.text.len()..self.text.len();
        };
        let start = start as usize;
        let end = self.line_starts.get(line as usize).map_or(self.text.len(), |&next| next as usize);
        let line = self.text[start..end].trim_end_matches('\n');
        start..start + line.strip_suffix('\r').unwrap_or(line).len()
    }

    /// The text of a line (from 1) without its line break.
    pub fn line(&self, line: u32) -> &str {
        &self.text[self.line_range(line)]
    }

    /// Line and column of a byte offset. The byte order mark has no column; offsets within a character count as its
    /// start, those past the end as the end.
    pub fn position(&self, offset: u32) -> Position {
        let mut offset = self.text.len().min(offset as usize);
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.line_of(offset as u32);
        let before = &self.text[self.line_starts[line as usize - 1] as usize..offset];
        let before = before.strip_prefix(BOM).filter(|_| line == 1).unwrap_or(before);
        Position { line, column: before.chars().count() as u32 + 1 }
    }
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, SkipReason> {
    let unreadable = |e: std::io::Error| SkipReason::Unreadable(error_text(&e));
    // Looked at before it is opened: opening a pipe waits for a writer.
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(SkipReason::NotRegular);
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(SkipReason::TooLarge(metadata.len()));
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(SkipReason::TooLarge(bytes.len() as u64));
    }
    Ok(bytes)
}

/// An error of the system without its number: `permission denied`.
pub fn error_text(error: &std::io::Error) -> String {
    let text = error.to_string().to_lowercase();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// Where code begins: after a byte order mark and a `#!` line that is not an inner attribute.
fn code_start(text: &str) -> usize {
    let start = if text.starts_with(BOM) { BOM.len() } else { 0 };
    let Some(rest) = text[start..].strip_prefix("#!") else {
        return start;
    };
    if skip_trivia(rest).starts_with('[') {
        return start;
    }
    memchr::memchr(b'\n', rest.as_bytes()).map_or(text.len(), |at| start + "#!".len() + at)
}

/// `#! /* … */ [attr]` is an attribute too, with any blank or comment in between.
fn skip_trivia(mut text: &str) -> &str {
    loop {
        text = text.trim_start();
        if let Some(comment) = text.strip_prefix("//") {
            text = comment.split_once('\n').map_or("", |(_, rest)| rest);
        } else if let Some(comment) = text.strip_prefix("/*") {
            text = comment.split_once("*/").map_or("", |(_, rest)| rest);
        } else {
            return text;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> SourceText {
        SourceText::new(text.to_owned())
    }

    #[test]
    fn code_starts_after_bom_and_shebang() {
        let code = |text: &str| source(text).code().1;
        assert_eq!(code("fn a() {}"), 0);
        assert_eq!(code("\u{feff}fn a() {}"), 3);
        assert_eq!(code("#!/bin/x\nfn a() {}"), 8);
        assert_eq!(code("\u{feff}#!/bin/x\r\nfn a() {}"), 12);
        assert_eq!(code("#![allow(x)]\nfn a() {}"), 0);
        assert_eq!(code("#! // why\n [allow(x)]\nfn a() {}"), 0);
        assert_eq!(code("#!/bin/x"), 8);
    }

    #[test]
    fn columns_are_characters_and_the_bom_has_none() {
        let text = source("\u{feff}aé\r\n😀x\n");
        assert_eq!(text.position(3).to_string(), "1:1");
        assert_eq!(text.position(6).to_string(), "1:3");
        assert_eq!(text.position(8 + 4).to_string(), "2:2");
        assert_eq!(text.position(8 + 2).to_string(), "2:1", "within a character");
        assert_eq!(text.position(9999).to_string(), "3:1");
    }

    #[test]
    fn lines_end_with_lf_or_crlf() {
        let text = source("a\r\nb\n\nc");
        assert_eq!((1..=5).map(|n| text.line(n)).collect::<Vec<_>>(), ["a", "b", "", "c", ""]);
        assert_eq!(text.line_count(), 4);
        assert_eq!(source("").line_count(), 0);
        assert_eq!(source("a\n").line_count(), 1);
        assert_eq!(text.line(0), "");
    }
}
