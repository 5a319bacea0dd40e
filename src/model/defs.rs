//! Everything declared in the run: where it stands, what it belongs to, which impls a type has.

use super::paths::ModRef;
use crate::facts::{BodyId, ItemId};
use crate::source::FileId;

/// An item of some file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DefId(pub u32);

/// A body of some file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BodyRef {
    /// The file.
    pub file: FileId,
    /// The body.
    pub body: BodyId,
}

/// Where an item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Def {
    /// Its file.
    pub file: FileId,
    /// The item.
    pub item: ItemId,
    /// The module it stands in.
    pub module: ModRef,
    /// The impl, trait or foreign block it stands in.
    pub parent: Option<DefId>,
}
