//! All facts linked: what each path means, which types values have, what each call calls.
//!
//! The model is immutable once linked and shared by threads; what depends on bodies is computed when asked for and not
//! kept. It knows the API tables but no lint.
//!
//! ```text
//! Model::link(units, packages, apis) -> Model
//! model.bodies()            every body with its header      model.roots()  the functions and initialisers among them
//! model.typed(root)         its body and the nested ones, decoded, with types and callees
//! model.resolve(..)         a path                          model.lower_ty(..)  a written type
//! model.def(id) .item(id)   an item                         model.has_drop(id) .methods(..) .implementors(..)
//! model.ty(ty)              a type's term                   model.field_ty(..) .deref(..) .iterated(..) .success(..)
//! ```

pub mod access;
pub mod accumulate;
pub mod acquires;
pub mod alive;
pub mod analysis;
pub mod builders;
pub mod caches;
pub mod callbacks;
mod calls;
pub mod captures;
mod chain;
pub mod channel_ends;
pub mod channels;
pub mod crates;
pub mod cycles;
pub mod defs;
pub mod digest;
pub mod effects;
pub mod endings;
pub mod enrolled;
pub mod entries;
pub mod exits;
pub mod expiry;
mod externals;
pub mod feeds;
pub mod files;
pub mod flow;
pub mod guards;
pub mod heap;
pub mod heat;
pub mod impls;
pub mod infer;
pub mod kept_tasks;
pub mod keyed;
pub mod lacking;
pub mod ledger;
pub mod links;
pub mod listeners;
pub mod lookups;
mod memo;
mod names;
pub mod nearby;
pub mod owners;
pub mod pairs;
pub mod partial;
pub mod paths;
pub mod peer_numbers;
pub mod peers;
pub mod per_call;
pub mod pinned;
mod places;
mod project;
mod queries;
pub mod raw_fields;
pub mod reads;
pub mod registrations;
pub mod replaced_tasks;
pub mod results;
pub mod setup;
mod slots;
pub mod sources;
pub mod symbols;
pub mod taken;
pub mod tasks;
mod terms;
#[cfg(test)]
mod tests;
mod tree;
pub mod types;
mod upkeep;
mod words;
mod written;

pub use crates::{Crate, CrateId, Dependency, FileUnit, PackageInfo, TargetInfo, TargetKind};
pub use defs::{BodyRef, Def, DefId};
pub use impls::Head;
pub use infer::{BodyTypes, Callee, TypedBody, TypedFn};
pub use paths::{ModRef, Namespace, Res, Scope};
pub use symbols::{Symbol, Symbols, known};
pub use tree::ModuleData;
pub use types::{Bound, Param, Ty, TyData};

use crate::apis::Apis;
use crate::facts::{BodyId, FileFacts, Header, NameId};
use crate::source::{FileId, Span, TextRange};
use crate::version::Version;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::OnceLock;

/// All facts of a run, linked.
pub struct Model {
    /// The interner of names and paths.
    pub symbols: Symbols,
    /// The API tables.
    pub apis: &'static Apis,
    packages: Vec<Package>,
    files: Vec<LinkedFile>,
    /// Position in `files` by [`FileId`].
    file_at: Vec<u32>,
    tree: tree::Tree,
    defs: Vec<Def>,
    names: names::NameTable,
    uses: names::Uses,
    externals: externals::Externals,
    types: types::Types,
    impls: OnceLock<impls::Impls>,
    /// By package, those of the run that it is built on; filled in when asked for.
    built_on: OnceLock<Vec<FxHashSet<usize>>>,
    /// By function, who calls it; filled in when asked for.
    callers: OnceLock<Vec<Vec<chain::Caller>>>,
    /// By function, what its result is a view of; filled in when asked for.
    result_views: memo::Memo<DefId, Option<access::Access>>,
    /// Removals that leave something behind; filled in when asked for.
    partials: OnceLock<Vec<partial::Partial>>,
    /// Collections whose entries outlive their time; filled in when asked for.
    outlived: OnceLock<Vec<expiry::Outlived>>,
    /// What spans functions; empty until [`Model::analyse`].
    pub analysis: analysis::Analysis,
    /// Whether test code is looked at too.
    pub tests: bool,
}

/// A file with what its ids mean in the run.
struct LinkedFile {
    unit: FileUnit,
    /// By [`NameId`].
    names: Vec<Symbol>,
    first_def: u32,
    first_module: u32,
    first_use: u32,
    /// By body: one past the last body that stands directly in it.
    nested_end: Vec<u32>,
    /// Statements and blocks under `#[cfg(test)]`.
    for_tests: Vec<TextRange>,
    item_types: types::Cells,
    field_types: types::Cells,
    param_types: types::Cells,
}

/// A package with its names interned.
struct Package {
    /// Its name in code.
    name: Symbol,
    /// Its library, if that is part of the run.
    library: Option<(Symbol, CrateId)>,
    /// Name in code → the library crate in the run, or else the package's name.
    dependencies: FxHashMap<Symbol, Used>,
    /// The lowest versions that it asks for, by the names of the packages in code.
    versions: FxHashMap<Symbol, Version>,
}

#[derive(Clone, Copy)]
enum Used {
    Crate(CrateId),
    External(Symbol),
}

impl Model {
    /// Links files, in any order, into one model.
    pub fn link(mut units: Vec<FileUnit>, packages: Vec<PackageInfo>, apis: &'static Apis) -> Model {
        units.sort_by_key(|u| u.id);
        let symbols = Symbols::new();
        let names: Vec<Vec<Symbol>> = units.iter().map(|u| file_symbols(&symbols, u)).collect();
        let tree = tree::build(&units, &names, &packages, &symbols);
        let packages = link_packages(&packages, &tree, &symbols, apis);
        let mut file_at = vec![u32::MAX; units.last().map_or(0, |u| u.id.0 as usize + 1)];
        let (mut files, mut first_def, mut first_use) = (Vec::with_capacity(units.len()), 0, 0);
        for (position, (unit, names)) in units.into_iter().zip(names).enumerate() {
            file_at[unit.id.0 as usize] = position as u32;
            let header = &unit.facts.header;
            let (defs, uses) = (header.items.len() as u32, header.uses.len() as u32);
            files.push(LinkedFile {
                names,
                first_def,
                first_module: tree.first_module[position],
                first_use,
                nested_end: nested_ends(header),
                for_tests: for_tests(&unit.facts),
                item_types: types::Cells::new(header.items.len()),
                field_types: types::Cells::new(header.fields.len()),
                param_types: types::Cells::new(header.params.len()),
                unit,
            });
            first_def += defs;
            first_use += uses;
        }
        let defs = defs::build(&files);
        let names = names::NameTable::build(&files, &tree, &defs);
        let uses = names::Uses::build(&files);
        let mut model = Model {
            symbols,
            apis,
            packages,
            files,
            file_at,
            tree,
            defs,
            names,
            uses,
            externals: externals::Externals::default(),
            types: types::Types::new(),
            impls: OnceLock::new(),
            built_on: OnceLock::new(),
            callers: OnceLock::new(),
            result_views: memo::Memo::default(),
            partials: OnceLock::new(),
            outlived: OnceLock::new(),
            analysis: analysis::Analysis::default(),
            tests: false,
        };
        model.follow_imports();
        let impls = impls::build(&model);
        model.impls = OnceLock::from(impls);
        model
    }

    /// Digests every function; lints need it.
    pub fn analyse(&mut self) {
        self.analysis = analysis::Analysis::new(self);
        let handed_over = acquires::handed_over(self);
        self.analysis.keep_fresh(handed_over);
    }

    /// The text of a symbol.
    pub fn text(&self, symbol: Symbol) -> &str {
        self.symbols.text(symbol)
    }

    /// Whether a place in a body is compiled for tests only, and tests are not looked at.
    pub fn is_left_out(&self, at: Span) -> bool {
        !self.tests && self.linked(at.file).for_tests.iter().any(|span| span.contains(at.range))
    }

    /// The symbol of a file's name.
    ///
    /// # Panics
    /// For [`NameId::NONE`].
    pub fn name(&self, file: FileId, name: NameId) -> Symbol {
        self.linked(file).names[name.index()]
    }

    /// All names of a file.
    pub fn names_in(&self, file: FileId) -> &[Symbol] {
        &self.linked(file).names
    }

    /// All files, sorted.
    pub fn files(&self) -> impl Iterator<Item = &FileUnit> {
        self.files.iter().map(|f| &f.unit)
    }

    /// A file.
    pub fn file(&self, file: FileId) -> &FileUnit {
        &self.linked(file).unit
    }

    /// The header of a file.
    pub fn header(&self, file: FileId) -> &Header {
        &self.linked(file).unit.facts.header
    }

    /// All crates; those of packages first.
    pub fn crates(&self) -> &[Crate] {
        &self.tree.crates
    }

    /// A module.
    pub fn module(&self, module: ModRef) -> &ModuleData {
        &self.tree.modules[module.0 as usize]
    }

    /// A module of a file.
    pub fn module_ref(&self, file: FileId, module: crate::facts::ModuleId) -> ModRef {
        ModRef(self.linked(file).first_module + module.0)
    }

    /// The crate of a module.
    pub fn crate_of(&self, module: ModRef) -> &Crate {
        &self.tree.crates[self.module(module).krate.0 as usize]
    }

    /// The crate of a module.
    pub fn crate_id_of(&self, module: ModRef) -> CrateId {
        self.module(module).krate
    }

    fn linked(&self, file: FileId) -> &LinkedFile {
        &self.files[self.file_at[file.0 as usize] as usize]
    }

    fn impls(&self) -> &impls::Impls {
        static NONE: OnceLock<impls::Impls> = OnceLock::new();
        self.impls.get().unwrap_or_else(|| NONE.get_or_init(impls::Impls::default))
    }

    /// Every body with its header, in the order of files and positions.
    pub fn bodies(&self) -> impl Iterator<Item = (BodyRef, &crate::facts::BodyHeader)> {
        self.files.iter().flat_map(|f| {
            let bodies = f.unit.facts.header.bodies.iter().enumerate();
            bodies.map(|(body, header)| (BodyRef { file: f.unit.id, body: BodyId(body as u32) }, header))
        })
    }

    /// The bodies that stand in no other: functions and initialisers.
    pub fn roots(&self) -> impl Iterator<Item = BodyRef> {
        self.bodies().filter(|(_, header)| header.parent.is_none()).map(|(at, _)| at)
    }
}

fn file_symbols(symbols: &Symbols, unit: &FileUnit) -> Vec<Symbol> {
    let names = &unit.facts.names;
    (0..names.len() as u32).map(|n| symbols.intern(names.get(NameId(n)))).collect()
}

fn for_tests(facts: &FileFacts) -> Vec<TextRange> {
    let header = &facts.header;
    let text = |name: NameId| name.get().map_or("", |name| facts.names.get(name));
    let attributes = header.attributes.iter().filter(|a| text(header.types.last_name(a.path)) == "cfg");
    let test = attributes.filter(|a| {
        let words: Vec<&str> = a.words.of(&header.words).iter().map(|&word| text(word)).collect();
        // `test`, `all(test, unix)`, but not `any(test, unix)` or `not(test)`.
        words == ["test"] || words.first() == Some(&"all") && words.contains(&"test") && !words.contains(&"not")
    });
    test.map(|a| a.target).collect()
}

fn nested_ends(header: &Header) -> Vec<u32> {
    let mut ends = vec![0; header.bodies.len()];
    for (index, body) in header.bodies.iter().enumerate() {
        if let Some(parent) = body.parent.get() {
            ends[parent.index()] = index as u32 + 1;
        }
    }
    ends
}

fn link_packages(packages: &[PackageInfo], tree: &tree::Tree, symbols: &Symbols, apis: &Apis) -> Vec<Package> {
    let libraries: Vec<Option<(Symbol, CrateId)>> = (0..packages.len())
        .map(|index| {
            let is_library = |c: &Crate| c.package == Some(index) && c.kind == TargetKind::Lib;
            let found = tree.crates.iter().position(is_library)?;
            Some((tree.crates[found].name, CrateId(found as u32)))
        })
        .collect();
    let in_code = |name: &str| symbols.intern(&name.replace('-', "_"));
    let with_library = packages.iter().zip(&libraries).filter_map(|(p, lib)| Some((in_code(&p.name), (*lib)?.1)));
    let by_name: FxHashMap<Symbol, CrateId> = with_library.collect();
    let used = |dependency: &Dependency| match by_name.get(&in_code(&dependency.package)) {
        Some(&id) => Used::Crate(id),
        None => {
            let root = apis.crate_root(dependency.package.replace('-', "_"), dependency.version);
            Used::External(symbols.intern(&root))
        }
    };
    packages
        .iter()
        .zip(&libraries)
        .map(|(package, &library)| Package {
            name: in_code(&package.name),
            library,
            dependencies: package.dependencies.iter().map(|d| (in_code(&d.name), used(d))).collect(),
            versions: package.dependencies.iter().filter_map(|d| Some((in_code(&d.package), d.version?))).collect(),
        })
        .collect()
}
