//! Byte ranges of tokens. Only single tokens are asked for their span: spanning a whole expression would print it anew.

use super::Lowerer;
use crate::source::TextRange;
use proc_macro2::Span;

impl Lowerer {
    /// The bytes of a token in the file on disk.
    pub(super) fn range(&self, span: Span) -> TextRange {
        let bytes = span.byte_range();
        TextRange { lo: bytes.start as u32 + self.offset, hi: bytes.end as u32 + self.offset }
    }

    /// From the first token to the second.
    pub(super) fn range_to(&self, first: Span, last: Span) -> TextRange {
        self.range(first).to(self.range(last))
    }

    /// The bytes of a path, without its generic arguments at the end.
    pub(super) fn path_range(&self, path: &syn::Path) -> TextRange {
        match (path.segments.first(), path.segments.last()) {
            (Some(first), Some(last)) if path.segments.len() > 1 => {
                self.range_to(first.ident.span(), last.ident.span())
            }
            (Some(only), _) => self.range(only.ident.span()),
            _ => TextRange::default(),
        }
    }
}
