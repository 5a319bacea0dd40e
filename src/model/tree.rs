//! The module trees of all crates: which file is which module, starting from the targets' root files. Knows paths of files
//! and `mod` declarations, nothing of the items in them.

use super::crates::{Crate, CrateId, FileUnit, PackageInfo, TargetKind};
use super::paths::ModRef;
use super::symbols::{Symbol, Symbols, known};
use crate::facts::{ModuleId, ModuleKind, NameId};
use rustc_hash::FxHashMap;
use std::path::{Component, Path, PathBuf};

/// A module of the run.
#[derive(Debug, Clone)]
pub struct ModuleData {
    /// Position of its file among the linked files; `u32::MAX` for a folder that has no file of its own.
    pub file: u32,
    /// Which module of the file.
    pub local: ModuleId,
    /// Its crate.
    pub krate: CrateId,
    /// The module it stands in.
    pub parent: Option<ModRef>,
    /// Its name; empty for crate roots and function bodies.
    pub name: Symbol,
    /// What it is.
    pub kind: ModuleKind,
    /// Whether it is compiled for tests only, as far as modules say, or not at all.
    pub test: bool,
}

/// Modules and crates of the run.
pub struct Tree {
    /// Those of the files first, in their order, then folders without a file.
    pub modules: Vec<ModuleData>,
    /// By file, the number of its first module.
    pub first_module: Vec<u32>,
    /// All crates; those of packages first.
    pub crates: Vec<Crate>,
    /// Root module of each crate.
    pub roots: Vec<ModRef>,
    /// `(parent, name, module)` for all modules that can be named.
    pub named: Vec<(ModRef, Symbol, ModRef)>,
}

/// Builds the trees. `names[f]` are the symbols of file `f`'s names.
pub fn build(units: &[FileUnit], names: &[Vec<Symbol>], packages: &[PackageInfo], symbols: &Symbols) -> Tree {
    let mut builder = Builder::new(units, names, packages, symbols);
    builder.packages();
    builder.leftovers();
    builder.finish()
}

const UNASSIGNED: CrateId = CrateId(u32::MAX);
const NO_FILE: u32 = u32::MAX;

struct Builder<'a> {
    units: &'a [FileUnit],
    packages: &'a [PackageInfo],
    symbols: &'a Symbols,
    by_path: FxHashMap<&'a Path, usize>,
    /// Files that were reached, with whether `mod x;` in them looks in their own folder (as in `mod.rs`).
    reached: Vec<bool>,
    /// The root module of the file that a `mod x;` names.
    targets: FxHashMap<ModRef, ModRef>,
    children: FxHashMap<(ModRef, Symbol), ModRef>,
    tree: Tree,
}

impl<'a> Builder<'a> {
    fn new(
        units: &'a [FileUnit],
        names: &'a [Vec<Symbol>],
        packages: &'a [PackageInfo],
        symbols: &'a Symbols,
    ) -> Builder<'a> {
        let mut tree = Tree {
            modules: Vec::new(),
            first_module: Vec::with_capacity(units.len()),
            crates: Vec::new(),
            roots: Vec::new(),
            named: Vec::new(),
        };
        for (file, unit) in units.iter().enumerate() {
            let first = tree.modules.len() as u32;
            tree.first_module.push(first);
            for (local, module) in unit.facts.header.modules.iter().enumerate() {
                tree.modules.push(ModuleData {
                    file: file as u32,
                    local: ModuleId(local as u32),
                    krate: UNASSIGNED,
                    parent: module.parent.get().map(|p| ModRef(first + p.0)),
                    name: module.name.get().map_or(known::EMPTY, |n| names[file][n.index()]),
                    kind: module.kind,
                    test: module.test,
                });
            }
        }
        let by_path = units.iter().enumerate().map(|(i, u)| (u.path.as_path(), i)).collect();
        let reached = vec![false; units.len()];
        let (targets, children) = Default::default();
        Builder { units, packages, symbols, by_path, reached, targets, children, tree }
    }

    /// The crates of all targets, libraries first: a file that several reach belongs to the first.
    fn packages(&mut self) {
        for (index, package) in self.packages.iter().enumerate() {
            let mut targets: Vec<_> = package.targets.iter().collect();
            targets.sort_by_key(|t| t.kind);
            for target in targets {
                let Some(&file) = self.by_path.get(target.root.as_path()) else { continue };
                if !self.reached[file] {
                    self.new_crate(&target.name, target.kind, Some(index), file);
                }
            }
        }
    }

    fn new_crate(&mut self, name: &str, kind: TargetKind, package: Option<usize>, file: usize) {
        let root = ModRef(self.tree.first_module[file]);
        let krate = self.add_crate(name, kind, package, root);
        self.walk(file, krate, true);
    }

    fn add_crate(&mut self, name: &str, kind: TargetKind, package: Option<usize>, root: ModRef) -> CrateId {
        let name = self.symbols.intern(name);
        self.tree.crates.push(Crate { name, kind, package });
        self.tree.roots.push(root);
        CrateId(self.tree.crates.len() as u32 - 1)
    }

    /// Puts a file and all that its `mod x;` reach into a crate. Its root's parent is set already.
    fn walk(&mut self, file: usize, krate: CrateId, own_folder: bool) {
        let mut pending = vec![(file, own_folder)];
        self.reached[file] = true;
        while let Some((file, own_folder)) = pending.pop() {
            let first = self.tree.first_module[file];
            for local in 0..self.units[file].facts.header.modules.len() as u32 {
                let here = ModRef(first + local);
                self.tree.modules[here.0 as usize].krate = krate;
                self.name_module(here);
                if self.tree.modules[here.0 as usize].kind != ModuleKind::File {
                    continue;
                }
                let Some((child, child_owns)) = self.declared_file(file, ModuleId(local), own_folder) else { continue };
                let target = ModRef(self.tree.first_module[child]);
                self.targets.insert(here, target);
                if !self.reached[child] {
                    self.reached[child] = true;
                    self.adopt(here, target);
                    pending.push((child, child_owns));
                }
            }
        }
    }

    /// The file's root stands where its declaration does.
    fn adopt(&mut self, declaration: ModRef, root: ModRef) {
        let ModuleData { parent, name, test, .. } = self.tree.modules[declaration.0 as usize];
        let root = &mut self.tree.modules[root.0 as usize];
        (root.parent, root.name) = (parent, name);
        root.test |= test;
    }

    fn name_module(&mut self, module: ModRef) {
        let ModuleData { parent, name, kind, .. } = self.tree.modules[module.0 as usize];
        if let (Some(parent), ModuleKind::Inline | ModuleKind::File) = (parent, kind) {
            self.tree.named.push((parent, name, module));
            self.children.entry((parent, name)).or_insert(module);
        }
    }

    /// The file that `mod x;` means, and whether that file's own declarations are looked for beside it.
    fn declared_file(&self, file: usize, local: ModuleId, own_folder: bool) -> Option<(usize, bool)> {
        let unit = &self.units[file];
        let modules = &unit.facts.header.modules;
        let declaration = &modules[local.index()];
        let text = |name: NameId| unit.facts.names.get(name);
        let beside = unit.path.parent()?;
        let mut folders = Vec::new();
        let mut above = declaration.parent;
        while let Some(module) = above.get().map(|m| &modules[m.index()]) {
            if module.kind == ModuleKind::Inline {
                folders.push(text(module.path_attribute.get().unwrap_or(module.name)));
            }
            above = module.parent;
        }
        let mut folder = beside.to_path_buf();
        let stem_counts = !own_folder && (declaration.path_attribute.is_none() || !folders.is_empty());
        if stem_counts {
            folder.push(unit.path.file_stem()?);
        }
        folder.extend(folders.iter().rev());
        if let Some(written) = declaration.path_attribute.get() {
            let path = plain(&folder.join(text(written)));
            return self.by_path.get(path.as_path()).map(|&f| (f, true));
        }
        let name = text(declaration.name);
        let flat = folder.join(format!("{name}.rs"));
        if let Some(&found) = self.by_path.get(flat.as_path()) {
            return Some((found, false));
        }
        let nested = folder.join(name).join("mod.rs");
        self.by_path.get(nested.as_path()).map(|&f| (f, true))
    }

    /// Files that no target reaches: roots by their name, others by where they lie.
    fn leftovers(&mut self) {
        let mut files: Vec<usize> = (0..self.units.len()).filter(|&f| !self.reached[f]).collect();
        files.sort_by_key(|&f| (!is_root_file(self.units[f].path.as_path()), depth(&self.units[f].path), f));
        let compiled: Vec<Option<usize>> = self.tree.crates.iter().map(|c| c.package).collect();
        for file in files {
            if self.reached[file] {
                continue;
            }
            let unit = &self.units[file];
            // The package's crates are in the run and no `mod` leads here: it is not compiled.
            if unit.package.is_some() && compiled.contains(&unit.package) && !self.named_in_macro(file) {
                let first = self.tree.first_module[file] as usize;
                let count = unit.facts.header.modules.len();
                self.tree.modules[first..first + count].iter_mut().for_each(|m| m.test = true);
            }
            if is_root_file(&unit.path) || stands_alone(unit) {
                let name = self.guessed_name(unit);
                self.new_crate(&name, unit.target, unit.package, file);
            } else {
                self.place_by_folder(file);
            }
        }
    }

    /// `define_blocks!(cpu, memory)` may declare the modules that it names.
    fn named_in_macro(&self, file: usize) -> bool {
        let stem = |path: &Path| path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let path = &self.units[file].path;
        let name = match stem(path) {
            name if name == "mod" => path.parent().map(stem).unwrap_or_default(),
            name => name,
        };
        let same = |unit: &&FileUnit| unit.package == self.units[file].package;
        self.units.iter().filter(same).any(|unit| {
            let header = &unit.facts.header;
            let words = header.opaque_macros.iter().flat_map(|(_, run)| run.of(&header.words));
            words.into_iter().any(|&w| unit.facts.names.get(w) == name)
        })
    }

    fn guessed_name(&self, unit: &FileUnit) -> String {
        let stem = unit.path.file_stem().map(|s| s.to_string_lossy().replace('-', "_")).unwrap_or_default();
        let library_or_main = matches!(stem.as_str(), "lib" | "main");
        match unit.package {
            Some(package) if library_or_main => self.packages[package].name.replace('-', "_"),
            _ if library_or_main => folder_name(&home_of(&unit.path)),
            _ => stem,
        }
    }

    /// `src/a/b.rs` becomes `a::b` of the crate whose root lies in `src`.
    fn place_by_folder(&mut self, file: usize) {
        let unit = &self.units[file];
        let home = home_of(&unit.path);
        let inside = unit.path.strip_prefix(&home).unwrap_or(&unit.path).with_extension("");
        let mut steps: Vec<Symbol> =
            inside.components().map(|c| self.symbols.intern(&c.as_os_str().to_string_lossy())).collect();
        let own_folder = unit.path.file_name().is_some_and(|n| n == "mod.rs");
        if own_folder {
            steps.pop();
        }
        let Some(name) = steps.pop() else {
            return self.new_crate(&folder_name(&home), unit.target, unit.package, file);
        };
        let krate = self.crate_at(&home, unit);
        let mut module = self.tree.roots[krate.0 as usize];
        for step in steps {
            module = self.folder_module(module, step, krate);
        }
        let root = ModRef(self.tree.first_module[file]);
        let data = &mut self.tree.modules[root.0 as usize];
        (data.parent, data.name) = (Some(module), name);
        self.tree.named.push((module, name, root));
        self.children.insert((module, name), root);
        self.walk(file, krate, own_folder);
    }

    /// The crate of the files below `home`.
    fn crate_at(&mut self, home: &Path, unit: &FileUnit) -> CrateId {
        let root_file = ["lib.rs", "main.rs"].iter().find_map(|name| self.by_path.get(home.join(name).as_path()));
        if let Some(&file) = root_file {
            return self.tree.modules[self.tree.first_module[file] as usize].krate;
        }
        let name = match unit.package {
            Some(package) => self.packages[package].name.replace('-', "_"),
            None => folder_name(home),
        };
        let symbol = self.symbols.intern(&name);
        let rootless = |c: &Crate, root: &ModRef| {
            c.name == symbol && c.package == unit.package && self.tree.modules[root.0 as usize].file == NO_FILE
        };
        let known = self.tree.crates.iter().zip(&self.tree.roots).position(|(c, root)| rootless(c, root));
        if let Some(index) = known {
            return CrateId(index as u32);
        }
        let root = self.add_folder(None, known::EMPTY, CrateId(self.tree.crates.len() as u32));
        self.add_crate(&name, unit.target, unit.package, root)
    }

    fn folder_module(&mut self, parent: ModRef, name: Symbol, krate: CrateId) -> ModRef {
        if let Some(&child) = self.children.get(&(parent, name)) {
            return self.targets.get(&child).copied().unwrap_or(child);
        }
        let module = self.add_folder(Some(parent), name, krate);
        self.tree.named.push((parent, name, module));
        self.children.insert((parent, name), module);
        module
    }

    fn add_folder(&mut self, parent: Option<ModRef>, name: Symbol, krate: CrateId) -> ModRef {
        let (local, kind) = (ModuleId::NONE, ModuleKind::Root);
        self.tree.modules.push(ModuleData { file: NO_FILE, local, krate, parent, name, kind, test: false });
        ModRef(self.tree.modules.len() as u32 - 1)
    }

    fn finish(mut self) -> Tree {
        for (_, _, module) in &mut self.tree.named {
            *module = self.targets.get(module).copied().unwrap_or(*module);
        }
        self.inherit_test();
        self.tree
    }

    fn inherit_test(&mut self) {
        for index in 0..self.tree.modules.len() {
            let above = std::iter::successors(Some(index), |&m| {
                self.tree.modules[m].parent.map(|p| p.0 as usize).filter(|&p| p != m)
            });
            // Deeper nesting than this is not written; it also ends a cycle of `#[path]`s.
            let test = above.take(64).any(|m| self.tree.modules[m].test);
            self.tree.modules[index].test = test;
        }
    }
}

/// Without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

fn depth(path: &Path) -> usize {
    path.components().count()
}

fn is_root_file(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "lib.rs" || name == "main.rs")
}

/// `tests/x.rs`, `src/bin/x.rs` and the like are crates of their own.
fn stands_alone(unit: &FileUnit) -> bool {
    let folder = unit.path.parent().and_then(Path::file_name).unwrap_or_default();
    let name = unit.path.file_name().unwrap_or_default();
    match unit.target {
        TargetKind::Lib => false,
        TargetKind::Build => name == "build.rs",
        TargetKind::Bin => folder == "bin",
        TargetKind::Example => folder == "examples",
        TargetKind::Test => folder == "tests",
        TargetKind::Bench => folder == "benches",
    }
}

/// The innermost `src` above a file, or else its folder.
fn home_of(path: &Path) -> PathBuf {
    let folders = path.ancestors().skip(1);
    let source = folders.clone().find(|f| f.file_name().is_some_and(|n| n == "src"));
    source.or_else(|| folders.clone().next()).unwrap_or(path).to_path_buf()
}

/// What a crate in `home` may be called: `x` for `x/src` and `x`.
fn folder_name(home: &Path) -> String {
    let named = if home.file_name().is_some_and(|n| n == "src") { home.parent() } else { Some(home) };
    let name = named.and_then(Path::file_name).map(|n| n.to_string_lossy().replace(['-', '.'], "_"));
    name.unwrap_or_else(|| "main".to_owned())
}
