//! The parts of source files that one finding shows, made safe for a terminal: control characters replaced, long lines
//! cut to a window around what is pointed at. Line numbers and columns stay those of the file.

use super::{Report, neutral};
use crate::source::{FileId, SourceText, Span};
use codespan_reporting::files::{Error, Files};
use std::ops::Range;

/// Longer lines, counted in characters, are cut.
const MAX_COLUMNS: usize = 200;

/// What is kept of a cut line, and how much of it before the place pointed at.
const WINDOW: usize = 160;
const BEFORE: usize = 50;

const CUT: &str = "…";

/// One excerpt per file.
pub struct Excerpts {
    files: Vec<Excerpt>,
}

struct Excerpt {
    file: FileId,
    name: String,
    /// Number of the first line.
    first: u32,
    text: String,
    lines: Vec<Line>,
}

/// A line of an excerpt.
struct Line {
    /// Where it starts in the excerpt's text.
    start: usize,
    /// Bytes that were put before what is kept of it.
    mark: usize,
    /// Its first byte in the file.
    whole: usize,
    /// What is kept, as bytes of the file.
    kept: Range<usize>,
    /// Characters of the line before what is kept.
    column: usize,
}

impl Excerpts {
    /// Excerpts that hold all of `spans`; where a line has to be cut, earlier spans matter more.
    pub fn new(report: &Report, spans: &[Span]) -> Excerpts {
        let mut files: Vec<Excerpt> = Vec::new();
        for span in spans {
            if !files.iter().any(|excerpt| excerpt.file == span.file) {
                let name = neutral(report.display(span.file));
                files.push(Excerpt::new(span.file, name, report.source(span.file), spans));
            }
        }
        Excerpts { files }
    }

    /// Where a span is shown: the excerpt, and bytes of its text.
    pub fn locate(&self, span: Span) -> (usize, Range<usize>) {
        let index = self.files.iter().position(|excerpt| excerpt.file == span.file).unwrap_or_default();
        let shown = |offset: u32| self.files[index].shown(offset as usize);
        (index, shown(span.range.lo)..shown(span.range.hi))
    }

    fn line(&self, id: usize, index: usize) -> Result<(&Excerpt, &Line), Error> {
        let excerpt = self.files.get(id).ok_or(Error::FileMissing)?;
        let max = excerpt.lines.len();
        Ok((excerpt, excerpt.lines.get(index).ok_or(Error::LineTooLarge { given: index, max })?))
    }
}

impl Excerpt {
    fn new(file: FileId, name: String, source: &SourceText, spans: &[Span]) -> Excerpt {
        let here = || spans.iter().filter(move |span| span.file == file).map(|span| span.range);
        let first = here().map(|range| source.line_of(range.lo)).min().unwrap_or(1);
        let last = here().map(|range| source.line_of(range.hi)).max().unwrap_or(1);
        let mut excerpt = Excerpt { file, name, first, text: String::new(), lines: Vec::new() };
        for number in first..=last {
            let range = source.line_range(number);
            let ends = || here().flat_map(|span| [span.lo as usize, span.hi as usize]);
            let anchor = ends().find(|&offset| source.line_of(offset as u32) == number);
            excerpt.add(source, range, anchor);
        }
        excerpt
    }

    /// Adds a line; `anchor` is what has to be seen of it.
    fn add(&mut self, source: &SourceText, range: Range<usize>, anchor: Option<usize>) {
        let whole = range.start;
        let bom = if range.start == 0 && source.text().starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let range = range.start + bom..range.end;
        let line = &source.text()[range.clone()];
        let (kept, column) = window(line, anchor.map_or(0, |anchor| anchor.saturating_sub(range.start)));
        let mark = if column > 0 { CUT } else { "" };
        let start = self.text.len();
        self.text.push_str(mark);
        self.text.push_str(&neutral(&line[kept.clone()]));
        self.text.push_str(if kept.end < line.len() { CUT } else { "" });
        self.text.push('\n');
        let kept = range.start + kept.start..range.start + kept.end;
        self.lines.push(Line { start, mark: mark.len(), whole, kept, column });
    }

    /// Where a byte of the file is shown; what was cut off is shown where it was cut.
    fn shown(&self, offset: usize) -> usize {
        let line = &self.lines[self.lines.partition_point(|line| line.whole <= offset).saturating_sub(1)];
        let within = offset.clamp(line.kept.start, line.kept.end) - line.kept.start;
        let mut at = line.start + line.mark + within;
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

/// The bytes of a line that are shown, and how many characters come before them.
fn window(line: &str, anchor: usize) -> (Range<usize>, usize) {
    let starts: Vec<usize> = line.char_indices().map(|(at, _)| at).collect();
    if starts.len() <= MAX_COLUMNS {
        return (0..line.len(), 0);
    }
    let anchor = starts.partition_point(|&at| at < anchor);
    let first = anchor.saturating_sub(BEFORE).min(starts.len() - WINDOW);
    let end = starts.get(first + WINDOW).copied().unwrap_or(line.len());
    (starts[first]..end, first)
}

impl<'a> Files<'a> for Excerpts {
    type FileId = usize;
    type Name = &'a str;
    type Source = &'a str;

    fn name(&'a self, id: usize) -> Result<&'a str, Error> {
        Ok(&self.files.get(id).ok_or(Error::FileMissing)?.name)
    }

    fn source(&'a self, id: usize) -> Result<&'a str, Error> {
        Ok(&self.files.get(id).ok_or(Error::FileMissing)?.text)
    }

    fn line_index(&'a self, id: usize, byte_index: usize) -> Result<usize, Error> {
        let excerpt = self.files.get(id).ok_or(Error::FileMissing)?;
        Ok(excerpt.lines.partition_point(|line| line.start <= byte_index).saturating_sub(1))
    }

    fn line_number(&'a self, id: usize, line_index: usize) -> Result<usize, Error> {
        Ok(self.files.get(id).ok_or(Error::FileMissing)?.first as usize + line_index)
    }

    fn column_number(&'a self, id: usize, line_index: usize, byte_index: usize) -> Result<usize, Error> {
        let (excerpt, line) = self.line(id, line_index)?;
        let before = excerpt.text.get(line.start + line.mark..byte_index).unwrap_or_default();
        Ok(line.column + before.chars().count() + 1)
    }

    fn line_range(&'a self, id: usize, line_index: usize) -> Result<Range<usize>, Error> {
        let (excerpt, line) = self.line(id, line_index)?;
        let end = excerpt.lines.get(line_index + 1).map_or(excerpt.text.len(), |next| next.start);
        Ok(line.start..end)
    }
}
