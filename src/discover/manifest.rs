//! What `Cargo.toml` says of a package: its targets and its dependencies. Read directly, so that no cargo is needed
//! and nothing is resolved, downloaded or run.

use crate::source::{SkipReason, error_text};
use crate::version::Version;
use rustc_hash::FxHashMap;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// What a file is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TargetKind {
    /// The library.
    Lib,
    /// A binary.
    Bin,
    /// An integration test.
    Test,
    /// A benchmark.
    Bench,
    /// An example.
    Example,
    /// The build script.
    Build,
}

impl TargetKind {
    /// Whether its code never runs in production.
    pub fn is_test(self) -> bool {
        matches!(self, TargetKind::Test | TargetKind::Bench | TargetKind::Example)
    }
}

/// One crate of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The crate's name, as code spells it.
    pub name: String,
    /// What it is.
    pub kind: TargetKind,
    /// Its root file, absolute.
    pub root: PathBuf,
}

/// A package that has files in the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// As in its manifest.
    pub name: String,
    /// Where its manifest is.
    pub dir: PathBuf,
    /// Its edition, inherited ones resolved; none means 2015.
    pub edition: Option<String>,
    /// Whether its library is a procedural macro.
    pub proc_macro: bool,
    /// Sorted by kind and name.
    pub targets: Vec<Target>,
    /// Of all kinds and platforms, sorted.
    pub dependencies: Vec<Dependency>,
    /// Names of packages that its library or programs are built with.
    pub built_with: Vec<String>,
    /// Whether it stays in its workspace: `publish = false`.
    pub private: bool,
}

/// A package that another one uses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dependency {
    /// Its name in code: renamed, with underscores.
    pub name: String,
    /// Its name in its own manifest.
    pub package: String,
    /// The lowest version that is asked for; none if only a path or repository is named.
    pub version: Option<Version>,
}

impl Package {
    /// What a file of this package is compiled for. A file below no target's own folder belongs to the library.
    /// `folders` remembers folders.
    pub fn target_kind(&self, file: &Path, folders: &mut FxHashMap<PathBuf, TargetKind>) -> TargetKind {
        // By their text, which is canonical: to take paths apart takes much longer.
        if let Some(target) = self.targets.iter().find(|target| target.root.as_os_str() == file.as_os_str()) {
            return target.kind;
        }
        let folder = file.parent().unwrap_or(file);
        *folders.entry(folder.to_owned()).or_insert_with(|| self.folder_kind(folder))
    }

    fn folder_kind(&self, path: &Path) -> TargetKind {
        let sources = self.dir.join("src");
        let own_folder = self.targets.iter().filter_map(|target| Some((target.root.parent()?, target.kind)));
        let below = own_folder
            .filter(|(folder, _)| *folder != self.dir && *folder != sources && path.starts_with(folder))
            .max_by_key(|(folder, _)| folder.as_os_str().len());
        if let Some((_, kind)) = below {
            return kind;
        }
        for (folder, kind) in AUTO_FOLDERS {
            if path.starts_with(self.dir.join(folder)) {
                return kind;
            }
        }
        let has = |kind| self.targets.iter().any(|target| target.kind == kind);
        if has(TargetKind::Bin) && !has(TargetKind::Lib) { TargetKind::Bin } else { TargetKind::Lib }
    }
}

/// Folders each of whose files, and whose folders' `main.rs`, is a target.
const AUTO_FOLDERS: [(&str, TargetKind); 4] = [
    ("src/bin", TargetKind::Bin),
    ("tests", TargetKind::Test),
    ("benches", TargetKind::Bench),
    ("examples", TargetKind::Example),
];

/// The outermost folder at or above `folder` with a workspace's manifest, else the nearest with any.
pub fn outermost_folder(folder: &Path) -> Option<&Path> {
    let manifests = || folder.ancestors().filter(|folder| folder.join("Cargo.toml").is_file());
    let workspace = manifests().filter(|folder| read(folder).is_ok_and(|table| table.contains_key("workspace"))).last();
    workspace.or_else(|| manifests().next())
}

fn read(folder: &Path) -> Result<Table, SkipReason> {
    let text = std::fs::read_to_string(folder.join("Cargo.toml"));
    let text = text.map_err(|e| SkipReason::Unreadable(error_text(&e)))?;
    text.parse::<Table>().map_err(|e| SkipReason::Manifest(e.message().replace('\n', " ")))
}

/// All manifests met so far, each read once.
#[derive(Default)]
pub struct Manifests {
    tables: FxHashMap<PathBuf, Option<Table>>,
    packages: Vec<Package>,
    errors: Vec<(PathBuf, SkipReason)>,
}

impl Manifests {
    /// The package that `file` belongs to: the nearest manifest upwards with a `[package]`. `owners` remembers folders.
    pub fn package_of(&mut self, file: &Path, owners: &mut FxHashMap<PathBuf, Option<usize>>) -> Option<usize> {
        let folder = file.parent()?;
        if let Some(&known) = owners.get(folder) {
            return known;
        }
        let package = self.package_at(folder).or_else(|| self.package_of(folder, owners));
        owners.insert(folder.to_owned(), package);
        package
    }

    /// All packages sorted by folder, and the new index of each.
    pub fn sorted(&mut self) -> (Vec<Package>, Vec<usize>) {
        let mut order: Vec<usize> = (0..self.packages.len()).collect();
        order.sort_by(|&a, &b| self.packages[a].dir.cmp(&self.packages[b].dir));
        let mut moved = vec![0; order.len()];
        for (new, &old) in order.iter().enumerate() {
            moved[old] = new;
        }
        (order.iter().map(|&old| self.packages[old].clone()).collect(), moved)
    }

    /// Manifests that could not be read.
    pub fn take_errors(&mut self) -> Vec<(PathBuf, SkipReason)> {
        std::mem::take(&mut self.errors)
    }

    fn table(&mut self, folder: &Path) -> Option<&Table> {
        if !self.tables.contains_key(folder) {
            let path = folder.join("Cargo.toml");
            let table = path.exists().then(|| read(folder));
            let table = table.and_then(|table| table.map_err(|reason| self.errors.push((path, reason))).ok());
            self.tables.insert(folder.to_owned(), table);
        }
        self.tables[folder].as_ref()
    }

    fn package_at(&mut self, folder: &Path) -> Option<usize> {
        let manifest = self.table(folder)?.clone();
        let package = manifest.get("package")?.as_table()?;
        let workspace = self.workspace(folder, package);
        self.packages.push(read_package(folder, &manifest, package, &workspace));
        Some(self.packages.len() - 1)
    }

    /// The `[workspace]` table that a package inherits from; empty if there is none.
    fn workspace(&mut self, folder: &Path, package: &Table) -> Table {
        let named = package.get("workspace").and_then(Value::as_str).map(|path| folder.join(path));
        let folders: Vec<PathBuf> = match named {
            Some(folder) => vec![folder],
            None => folder.ancestors().map(Path::to_owned).collect(),
        };
        let mut found = folders.iter().filter_map(|folder| self.table(folder)?.get("workspace")?.as_table().cloned());
        found.next().unwrap_or_default()
    }
}

fn read_package(folder: &Path, manifest: &Table, package: &Table, workspace: &Table) -> Package {
    let name = text(package, "name").unwrap_or_default();
    let edition = match package.get("edition") {
        Some(Value::Table(_)) => workspace.get("package").and_then(Value::as_table).and_then(|t| text(t, "edition")),
        _ => text(package, "edition"),
    };
    let lib = manifest.get("lib").and_then(Value::as_table);
    let flag = |name| lib.and_then(|lib| lib.get(name)).and_then(Value::as_bool).unwrap_or(false);
    let targets = targets(folder, manifest, package, &name);
    let built = dependencies(manifest, workspace, &BUILT);
    let built_with = built.iter().map(|d| d.package.clone()).collect();
    let for_tests = dependencies(manifest, workspace, &FOR_TESTS);
    let dependencies = distinct(built.into_iter().chain(for_tests).collect());
    let proc_macro = flag("proc-macro") || flag("proc_macro");
    let private = package.get("publish") == Some(&Value::Boolean(false));
    Package { name, dir: folder.to_owned(), edition, proc_macro, targets, dependencies, built_with, private }
}

fn text(table: &Table, key: &str) -> Option<String> {
    table.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn in_code(name: &str) -> String {
    name.replace('-', "_")
}

fn targets(folder: &Path, manifest: &Table, package: &Table, name: &str) -> Vec<Target> {
    let mut targets = Vec::new();
    let mut add = |name: &str, kind, path: PathBuf| {
        // Links and `..` are resolved, as they are in the paths of the files.
        let Ok(root) = path.canonicalize() else { return };
        if root.is_file() && !targets.iter().any(|target: &Target| target.root == root) {
            targets.push(Target { name: in_code(name), kind, root });
        }
    };
    let lib = manifest.get("lib").and_then(Value::as_table);
    let lib_text = |key| lib.and_then(|lib| text(lib, key));
    let lib_path = lib_text("path").unwrap_or_else(|| "src/lib.rs".to_owned());
    add(&lib_text("name").unwrap_or_else(|| name.to_owned()), TargetKind::Lib, folder.join(lib_path));
    for (section, kind) in [
        ("bin", TargetKind::Bin),
        ("test", TargetKind::Test),
        ("bench", TargetKind::Bench),
        ("example", TargetKind::Example),
    ] {
        for entry in manifest.get(section).and_then(Value::as_array).into_iter().flatten() {
            let Some(entry) = entry.as_table() else { continue };
            if let (Some(name), Some(path)) = (text(entry, "name"), text(entry, "path")) {
                add(&name, kind, folder.join(path));
            }
        }
    }
    add(name, TargetKind::Bin, folder.join("src/main.rs"));
    for (auto, kind) in AUTO_FOLDERS {
        for (name, root) in auto_targets(&folder.join(auto)) {
            add(&name, kind, root);
        }
    }
    match package.get("build") {
        Some(Value::Boolean(false)) => {}
        Some(Value::String(path)) => add("build_script_build", TargetKind::Build, folder.join(path)),
        _ => add("build_script_build", TargetKind::Build, folder.join("build.rs")),
    }
    targets.sort_by(|a, b| (a.kind, &a.name, &a.root).cmp(&(b.kind, &b.name, &b.root)));
    targets
}

fn auto_targets(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let target = |entry: std::fs::DirEntry| {
        let path = entry.path();
        let name = path.file_stem()?.to_str()?.to_owned();
        let root = if path.is_dir() { path.join("main.rs") } else { path };
        (root.extension()? == "rs").then_some((name, root))
    };
    entries.filter_map(target).collect()
}

/// Sections of dependencies that a package is built with, and of those that only its tests are.
const BUILT: [&str; 3] = ["dependencies", "build-dependencies", "build_dependencies"];
const FOR_TESTS: [&str; 2] = ["dev-dependencies", "dev_dependencies"];

fn dependencies(manifest: &Table, workspace: &Table, sections: &[&str]) -> Vec<Dependency> {
    let platforms = manifest.get("target").and_then(Value::as_table);
    let platforms = platforms.into_iter().flat_map(|table| table.values()).filter_map(Value::as_table);
    let mut found = Vec::new();
    for table in std::iter::once(manifest).chain(platforms) {
        for section in sections {
            for (name, value) in table.get(*section).and_then(Value::as_table).into_iter().flatten() {
                found.push(dependency(name, value, workspace));
            }
        }
    }
    found
}

/// Each once. Of several versions the lowest counts, and any rather than none.
fn distinct(mut found: Vec<Dependency>) -> Vec<Dependency> {
    let key = |d: &Dependency| (d.name.clone(), d.package.clone(), d.version.is_none(), d.version);
    found.sort_by_cached_key(key);
    found.dedup_by(|a, b| (&a.name, &a.package) == (&b.name, &b.package));
    found
}

/// A library of the workspace that no package is built with and the tests of others use: what it holds is test code.
pub(super) fn mark_test_support(packages: &mut [Package]) {
    let used_by = |package: &Package, used: &dyn Fn(&Package) -> bool| {
        packages.iter().any(|other| other.name != package.name && used(other))
    };
    let support = packages.iter().map(|package| {
        let has_program = package.targets.iter().any(|t| t.kind == TargetKind::Bin);
        let named = |other: &Package| other.dependencies.iter().any(|d| d.package == package.name);
        let built = |other: &Package| other.built_with.contains(&package.name);
        package.private && !has_program && used_by(package, &named) && !used_by(package, &built)
    });
    let support: Vec<bool> = support.collect();
    for (package, _) in packages.iter_mut().zip(support).filter(|(_, support)| *support) {
        let libraries = package.targets.iter_mut().filter(|t| t.kind == TargetKind::Lib);
        libraries.for_each(|target| target.kind = TargetKind::Test);
    }
}

/// What is written for a dependency, or for the one of the workspace that it inherits.
fn dependency(name: &str, value: &Value, workspace: &Table) -> Dependency {
    let inherits = value.as_table().is_some_and(|table| table.get("workspace") == Some(&Value::Boolean(true)));
    let shared = workspace.get("dependencies").and_then(Value::as_table).and_then(|table| table.get(name));
    let written = if inherits { shared.unwrap_or(value) } else { value };
    let key = |key| written.as_table().and_then(|table| text(table, key));
    let requirement = written.as_str().map(str::to_owned).or_else(|| key("version"));
    Dependency {
        name: in_code(name),
        package: key("package").unwrap_or_else(|| name.to_owned()),
        version: requirement.as_deref().and_then(Version::lowest),
    }
}
