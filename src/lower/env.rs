//! The names in scope: which local a name means. Finding one does not cost more in a body with many.

use crate::facts::NameId;
use crate::facts::body::LocalId;
use rustc_hash::FxHashMap;

/// A stack of names; the latest of equal ones counts.
#[derive(Default)]
pub struct Env {
    entries: Vec<Entry>,
    latest: FxHashMap<NameId, u32>,
}

struct Entry {
    name: NameId,
    local: LocalId,
    /// The entry that this one hides.
    hidden: Option<u32>,
}

impl Env {
    /// How many names there are; what [`Env::truncate`] goes back to.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Brings a name into scope.
    pub fn push(&mut self, name: NameId, local: LocalId) {
        let hidden = self.latest.insert(name, self.entries.len() as u32);
        self.entries.push(Entry { name, local, hidden });
    }

    /// Brings names into scope that [`Env::split_off`] took out of it.
    pub fn extend(&mut self, names: Vec<(NameId, LocalId)>) {
        names.into_iter().for_each(|(name, local)| self.push(name, local));
    }

    /// The local that a name means.
    pub fn find(&self, name: NameId) -> Option<LocalId> {
        self.latest.get(&name).map(|&index| self.entries[index as usize].local)
    }

    /// The names from `start` on.
    pub fn names_from(&self, start: usize) -> Vec<(NameId, LocalId)> {
        self.entries[start..].iter().map(|entry| (entry.name, entry.local)).collect()
    }

    /// Takes the names from `start` on out of scope.
    pub fn split_off(&mut self, start: usize) -> Vec<(NameId, LocalId)> {
        let names = self.names_from(start);
        self.truncate(start);
        names
    }

    /// Ends the scope of the names from `start` on.
    pub fn truncate(&mut self, start: usize) {
        for entry in self.entries.drain(start..).rev() {
            match entry.hidden {
                Some(index) => self.latest.insert(entry.name, index),
                None => self.latest.remove(&entry.name),
            };
        }
    }
}
