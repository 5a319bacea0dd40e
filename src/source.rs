//! Source text and positions: what a byte range of a file means to a reader.
//!
//! Offsets are bytes of the file as it is on disk, byte order mark and shebang included; whoever hands a part of the
//! text to a parser adds the offset here, once. This module knows nothing of syntax.

use serde::{Deserialize, Serialize};

/// A file of the run: its place in the sorted list of discovered files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

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
