//! Interning of a file's names.

use crate::facts::{NameId, Names};
use rustc_hash::{FxBuildHasher, FxHashMap};
use std::collections::hash_map::Entry;
use std::fmt::Write;
use std::hash::BuildHasher;

/// Gives equal names equal ids.
#[derive(Default)]
pub struct Interner {
    pub names: Names,
    /// By the hash of the text, which is compared with the name found; a different one moves on to the next number.
    ids: FxHashMap<u64, NameId>,
    scratch: String,
}

impl Interner {
    /// The id of `text`.
    pub fn intern(&mut self, text: &str) -> NameId {
        let mut key = FxBuildHasher.hash_one(text);
        loop {
            match self.ids.entry(key) {
                Entry::Occupied(entry) if self.names.get(*entry.get()) == text => return *entry.get(),
                Entry::Occupied(_) => key = key.wrapping_add(1),
                Entry::Vacant(entry) => return *entry.insert(self.names.push(text)),
            }
        }
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
