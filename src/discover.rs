//! From paths to the sorted list of source files, each with its package and the kind of target it belongs to.
//!
//! The file system is looked at, sources are not read. What cannot be looked at is named, never fatal; only a path
//! that does not exist is an error, since a gate that checks nothing by mistake must not be green.

mod manifest;

pub use manifest::{Dependency, Package, Target, TargetKind};

use crate::source::{SkipReason, error_text};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A Rust source file of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Absolute, symbolic links resolved.
    pub path: PathBuf,
    /// Relative to the repository's root, with `/`: the name in every report.
    pub display: String,
    /// Its entry in [`Discovered::packages`].
    pub package: Option<usize>,
    /// What it is compiled for.
    pub target: TargetKind,
}

/// A file or folder that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// As in [`SourceFile::display`].
    pub file: String,
    /// Why.
    pub reason: SkipReason,
}

/// What a run is about.
#[derive(Debug, Clone, Default)]
pub struct Discovered {
    /// What reported paths are relative to.
    pub root: PathBuf,
    /// Sorted by [`SourceFile::display`]; a [`FileId`](crate::source::FileId) is an index into it.
    pub files: Vec<SourceFile>,
    /// Packages of these files, sorted by folder.
    pub packages: Vec<Package>,
    /// Folders and manifests that could not be read, and broken links.
    pub skipped: Vec<Skipped>,
}

/// Why there is nothing to run on.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// A path on the command line.
    #[error("{0}: {1}")]
    Path(String, String),
    /// A glob to exclude.
    #[error("invalid glob to exclude: {0}")]
    Glob(#[from] ignore::Error),
}

/// Finds the source files under `paths`, leaving out what the globs in `exclude` (in the syntax of gitignore) name.
/// Files named by `paths` are always taken.
pub fn discover(paths: &[PathBuf], exclude: &[String]) -> Result<Discovered, DiscoverError> {
    let paths = canonical_paths(paths)?;
    let root = report_root(&paths);
    let mut walk = Walk {
        excluded: excluded(&root, exclude)?,
        found: BTreeMap::new(),
        folders: Vec::new(),
        links: Vec::new(),
        skipped: Vec::new(),
        root,
    };
    for path in paths {
        match path.is_dir() {
            true => walk.folder(path),
            false => walk.add(path),
        }
    }
    walk.follow_links();
    Ok(walk.finish())
}

fn canonical_paths(paths: &[PathBuf]) -> Result<Vec<PathBuf>, DiscoverError> {
    let canonical = |path: &PathBuf| {
        path.canonicalize().map_err(|e| DiscoverError::Path(path.display().to_string(), error_text(&e)))
    };
    paths.iter().map(canonical).collect()
}

/// The repository, else the folder that was given, else (for files) their workspace or package.
fn report_root(paths: &[PathBuf]) -> PathBuf {
    let mut folders = paths.iter().map(|path| if path.is_dir() { path } else { path.parent().unwrap_or(path) });
    let Some(first) = folders.next() else {
        return PathBuf::new();
    };
    let common = folders.fold(first, |common, folder| {
        common.ancestors().find(|ancestor| folder.starts_with(ancestor)).unwrap_or(Path::new(""))
    });
    let repository = common.ancestors().find(|folder| folder.join(".git").exists());
    let root = repository.or_else(|| {
        let only_files = !paths.iter().any(|path| path.is_dir());
        only_files.then(|| manifest::outermost_folder(common)).flatten()
    });
    root.unwrap_or(common).to_owned()
}

fn excluded(root: &Path, globs: &[String]) -> Result<Gitignore, DiscoverError> {
    let mut builder = GitignoreBuilder::new(root);
    for glob in globs {
        builder.add_line(None, glob)?;
    }
    Ok(builder.build()?)
}

struct Walk {
    root: PathBuf,
    excluded: Gitignore,
    /// Canonical path of each file, with the name it is sorted and reported by.
    found: BTreeMap<String, PathBuf>,
    /// Folders that were walked.
    folders: Vec<PathBuf>,
    /// Links met on the way; followed last, so that what is also reached without them is walked once.
    links: Vec<PathBuf>,
    skipped: Vec<Skipped>,
}

impl Walk {
    fn display(&self, path: &Path) -> String {
        let relative = path.strip_prefix(&self.root).unwrap_or(path);
        relative.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
    }

    fn add(&mut self, path: PathBuf) {
        self.found.insert(self.display(&path), path);
    }

    fn skip(&mut self, path: &Path, reason: SkipReason) {
        self.skipped.push(Skipped { file: self.display(path), reason });
    }

    fn folder(&mut self, folder: PathBuf) {
        let excluded = self.excluded.clone();
        let top = folder.clone();
        let mut builder = ignore::WalkBuilder::new(&folder);
        // A user's own ignore file would make reports differ from machine to machine.
        builder.git_global(false).filter_entry(move |entry| {
            let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
            entry.path() == top
                || !(excluded.matched(entry.path(), is_dir).is_ignore() || is_dir && is_build_output(entry.path()))
        });
        for entry in builder.build() {
            match entry {
                Ok(entry) => self.entry(&entry),
                Err(error) => self.unreadable(&folder, &error),
            }
        }
        self.folders.push(folder);
    }

    fn entry(&mut self, entry: &ignore::DirEntry) {
        let Some(kind) = entry.file_type() else {
            return;
        };
        if kind.is_symlink() {
            self.links.push(entry.path().to_owned());
        } else if kind.is_file() && is_rust(entry.path()) {
            self.add(entry.path().to_owned());
        }
    }

    fn unreadable(&mut self, folder: &Path, error: &ignore::Error) {
        let path = path_of(error).unwrap_or(folder).to_owned();
        let text = error.io_error().map_or_else(|| error.to_string(), error_text);
        self.skip(&path, SkipReason::Unreadable(text));
    }

    /// Links out of the repository are left alone, and so are loops and links to what was walked or was left out of a
    /// walk on purpose.
    fn follow_links(&mut self) {
        while let Some(link) = self.links.pop() {
            let target = match link.canonicalize() {
                Ok(target) => target,
                Err(error) => {
                    if is_rust(&link) {
                        self.skip(&link, SkipReason::Unreadable(error_text(&error)));
                    }
                    continue;
                }
            };
            if !target.starts_with(&self.root) {
                continue;
            }
            if target.is_dir() {
                let loops = link.starts_with(&target);
                if !loops && !self.is_walked(&target) && !is_build_output(&target) {
                    self.folder(target);
                }
            } else if is_rust(&target) && is_rust(&link) {
                self.add(target);
            }
        }
    }

    fn is_walked(&self, target: &Path) -> bool {
        self.folders.iter().any(|folder| target.starts_with(folder))
    }

    fn finish(mut self) -> Discovered {
        let mut manifests = manifest::Manifests::default();
        let mut owners = FxHashMap::default();
        let mut files: Vec<_> = std::mem::take(&mut self.found).into_iter().collect();
        let packages: Vec<_> = files.iter().map(|(_, path)| manifests.package_of(path, &mut owners)).collect();
        let (mut sorted, moved) = manifests.sorted();
        manifest::mark_test_support(&mut sorted);
        let mut kinds = FxHashMap::default();
        let files = files.drain(..).zip(packages).map(|((display, path), package)| {
            let package = package.map(|package| moved[package]);
            let target = package.map_or(TargetKind::Lib, |package| sorted[package].target_kind(&path, &mut kinds));
            let target = kind_by_folder(&display).unwrap_or(target);
            SourceFile { path, display, package, target }
        });
        let files = files.collect();
        for (path, error) in manifests.take_errors() {
            self.skip(&path, error);
        }
        self.skipped.sort_by(|a, b| a.file.cmp(&b.file));
        Discovered { root: self.root, files, packages: sorted, skipped: self.skipped }
    }
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}

/// `target` is also a good name for a module, so its neighbours decide.
fn is_build_output(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name == "target")
        && (folder.join("CACHEDIR.TAG").exists() || folder.with_file_name("Cargo.toml").exists())
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        ignore::Error::Loop { child, .. } => Some(child),
        _ => None,
    }
}

/// A package of its own below `tests/`, `benches/` or `examples/` serves tests all the same, and so does a folder that
/// is called so: `test_utils`, `app/test`, `my-testing`.
fn kind_by_folder(display: &str) -> Option<TargetKind> {
    let (folder, _) = display.rsplit_once('/')?;
    folder.split('/').find_map(|part| match part {
        "tests" => Some(TargetKind::Test),
        "benches" => Some(TargetKind::Bench),
        "examples" => Some(TargetKind::Example),
        _ => {
            part.split(['-', '_']).any(|word| matches!(word, "test" | "tests" | "testing")).then_some(TargetKind::Test)
        }
    })
}
