//! Interning of a file's names.

use crate::facts::{NameId, Names};
use rustc_hash::FxHashMap;
use std::fmt::Write;

/// Gives equal names equal ids.
#[derive(Default)]
pub struct Interner {
    pub names: Names,
    ids: FxHashMap<Box<str>, NameId>,
    scratch: String,
}

impl Interner {
    /// The id of `text`.
    pub fn intern(&mut self, text: &str) -> NameId {
        if let Some(&id) = self.ids.get(text) {
            return id;
        }
        let id = self.names.push(text);
        self.ids.insert(text.into(), id);
        id
    }

    /// The id of an identifier; `r#x` is `x`.
    pub fn intern_ident(&mut self, ident: &syn::Ident) -> NameId {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        write!(scratch, "{ident}").expect("writing to a string");
        let id = self.intern(scratch.strip_prefix("r#").unwrap_or(&scratch));
        self.scratch = scratch;
        id
    }
}
