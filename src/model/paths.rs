//! What a path as written means.

use super::defs::DefId;
use super::symbols::Symbol;
use crate::source::FileId;

/// A module of the run: of a file, inline, or a function body that holds items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModRef(pub u32);

/// What a path means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Res {
    /// An item of the run. Where `cfg` makes several of one path, the first; see [`super::Model::twins`].
    Def(DefId),
    /// A module of the run.
    Module(ModRef),
    /// A variant of an enum of the run.
    Variant(DefId, u32),
    /// A canonical path of another crate: `std::process::Command::new`. Modules, types, functions and variants alike.
    External(Symbol),
    /// A generic parameter.
    Param(Symbol),
    /// `Self`.
    SelfType,
    /// A primitive type.
    Prim(Symbol),
    /// Not known.
    Unknown,
}

/// Which names are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Namespace {
    /// Types, traits, modules.
    Type,
    /// Functions, statics, consts, constructors.
    Value,
    /// Macros and attributes.
    Macro,
}

/// Where a path is written: decides the names in scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// The file, whose names the path uses.
    pub file: FileId,
    /// The module.
    pub module: ModRef,
    /// The innermost item around it: it (and what it stands in) gives `Self` and the generic parameters.
    pub item: Option<DefId>,
}
