//! A map that threads fill in as they ask. Knows nothing of what it holds.

use rustc_hash::{FxBuildHasher, FxHashMap};
use std::hash::{BuildHasher, Hash};
use std::sync::{PoisonError, RwLock};

/// Threads that look up different keys at a time seldom wait for one lock, nor for the memory it lies in.
const SHARDS: usize = 32;

/// Answers by question. What is computed twice is computed equal.
pub struct Memo<K, V> {
    shards: [RwLock<FxHashMap<K, V>>; SHARDS],
}

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Memo { shards: std::array::from_fn(|_| RwLock::default()) }
    }
}

impl<K: Hash + Eq, V: Copy> Memo<K, V> {
    /// The answer, if it is known.
    pub fn get(&self, key: &K) -> Option<V> {
        self.shard(key).read().unwrap_or_else(PoisonError::into_inner).get(key).copied()
    }

    /// Keeps an answer.
    pub fn set(&self, key: K, value: V) {
        self.shard(&key).write().unwrap_or_else(PoisonError::into_inner).insert(key, value);
    }

    /// The answer, computed without a lock if it is not known; that may ask the same map.
    pub fn get_or(&self, key: K, compute: impl FnOnce() -> V) -> V {
        self.get(&key).unwrap_or_else(|| {
            let value = compute();
            self.set(key, value);
            value
        })
    }

    fn shard(&self, key: &K) -> &RwLock<FxHashMap<K, V>> {
        // The lowest and the highest bits decide the place within a map.
        &self.shards[(FxBuildHasher.hash_one(key) >> 32) as usize % SHARDS]
    }
}
