//! What is linked: files, packages, and the crates their targets make. Which file is which module of which crate.

use super::symbols::Symbol;
pub use crate::discover::{Dependency, TargetKind};
use crate::facts::FileFacts;
use crate::source::FileId;
use std::path::PathBuf;

/// A file as it is handed to the model.
pub struct FileUnit {
    /// Its place in the sorted list of files.
    pub id: FileId,
    /// Absolute path.
    pub path: PathBuf,
    /// The package whose folder it lies in.
    pub package: Option<usize>,
    /// What the folder says it is part of.
    pub target: TargetKind,
    /// What lowering found.
    pub facts: FileFacts,
}

/// A package, as far as names depend on it.
#[derive(Debug, Clone, Default)]
pub struct PackageInfo {
    /// Its name; hyphens count as underscores.
    pub name: String,
    /// Its targets.
    pub targets: Vec<TargetInfo>,
    /// The packages it uses.
    pub dependencies: Vec<Dependency>,
}

/// A target of a package.
#[derive(Debug, Clone)]
pub struct TargetInfo {
    /// Name as in code, with underscores.
    pub name: String,
    /// What it is.
    pub kind: TargetKind,
    /// Absolute path of its root file.
    pub root: PathBuf,
}

/// A crate of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CrateId(pub u32);

/// A crate: a target of a package, or what was guessed for files that no target reaches.
#[derive(Debug, Clone)]
pub struct Crate {
    /// Its name in code.
    pub name: Symbol,
    /// What it is.
    pub kind: TargetKind,
    /// Its package.
    pub package: Option<usize>,
}
