//! An append-only table that is read without a lock while it grows. Knows nothing of what it holds.

use std::sync::OnceLock;

const FIRST_BITS: u32 = 10;
const BUCKETS: usize = (32 - FIRST_BITS) as usize;

/// Entries never move, so that references to them outlive later additions.
pub struct Slots<T> {
    buckets: [OnceLock<Box<[OnceLock<T>]>>; BUCKETS],
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Slots { buckets: std::array::from_fn(|_| OnceLock::new()) }
    }
}

impl<T> Slots<T> {
    /// Fills the entry `index`; filled ones stay as they are.
    pub fn set(&self, index: u32, value: T) {
        // Whoever came first wrote the same value.
        let _ = self.slot(index).set(value);
    }

    /// The entry `index`, filled in if it is not yet.
    pub fn get_or_init(&self, index: u32, make: impl FnOnce() -> T) -> &T {
        self.slot(index).get_or_init(make)
    }

    fn slot(&self, index: u32) -> &OnceLock<T> {
        let (bucket, offset) = place(index);
        let fresh = || std::iter::repeat_with(OnceLock::new).take(1 << (bucket as u32 + FIRST_BITS)).collect();
        &self.buckets[bucket].get_or_init(fresh)[offset]
    }

    /// The entry `index`.
    ///
    /// # Panics
    /// If it was never set: ids come from the interner that fills the table.
    pub fn get(&self, index: u32) -> &T {
        let (bucket, offset) = place(index);
        self.buckets[bucket].get().and_then(|slots| slots[offset].get()).expect("an id of this table")
    }
}

/// Bucket `b` holds `2^(b + FIRST_BITS)` entries.
fn place(index: u32) -> (usize, usize) {
    let shifted = index + (1 << FIRST_BITS);
    let top = shifted.ilog2();
    ((top - FIRST_BITS) as usize, (shifted - (1 << top)) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stay_readable_while_the_table_grows() {
        let slots = Slots::default();
        slots.set(0, 0);
        let first = slots.get(0);
        for index in 1..5000 {
            slots.set(index, index);
        }
        assert_eq!((*slots.get_or_init(7, || 0), *slots.get_or_init(9999, || 1)), (7, 1));
        assert_eq!((*first, *slots.get(1023), *slots.get(1024), *slots.get(4999)), (0, 1023, 1024, 4999));
    }
}
