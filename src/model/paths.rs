//! What a path as written means: the names of modules, `use` chains, preludes, other crates.
//!
//! A name that is not known stays unknown. Paths of other crates are canonical as far as the API tables know re-exports.

use super::defs::{Def, DefId};
use super::symbols::{Symbol, known};
use super::tree::Tree;
use super::{Dependency, LinkedFile, Model};
use crate::facts::types::{PathId, Segment, TypeTable};
use crate::facts::{ItemKind, Use};
use crate::source::FileId;
use rustc_hash::FxHashMap;
use std::sync::{OnceLock, PoisonError, RwLock};

/// A module of the run: of a file, inline, or a function body that holds items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModRef(pub u32);

/// What a path means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Res {
    /// An item of the run. Where `cfg` makes several of one path, the first; see [`Model::twins`].
    Def(DefId),
    /// A module of the run.
    Module(ModRef),
    /// A variant of an enum of the run.
    Variant(DefId, u32),
    /// A canonical path of another crate: `std::process::Command::new`. Modules, types, functions and variants alike.
    External(Symbol),
    /// A generic parameter.
    Param(super::Param),
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

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct UseRef(u32);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    Def(DefId),
    Module(ModRef),
    Use(UseRef),
}

/// The names of all modules, and what is known of them by now.
#[derive(Default)]
pub struct NameTable {
    /// Sorted by module and name.
    entries: Vec<(ModRef, Symbol, Named)>,
    globs: Vec<(ModRef, UseRef)>,
    /// By module, where its entries and its globs begin; one more at the end.
    starts: Vec<(u32, u32)>,
    found: RwLock<FxHashMap<(ModRef, Symbol, Namespace), Res>>,
}

impl NameTable {
    pub(super) fn build(files: &[LinkedFile], tree: &Tree, defs: &[Def]) -> NameTable {
        let mut table = NameTable::default();
        for file in files {
            let header = &file.unit.facts.header;
            for (index, item) in header.items.iter().enumerate() {
                let def = DefId(file.first_def + index as u32);
                let parent = defs[def.0 as usize].parent.map(|p| header.items[(p.0 - file.first_def) as usize].kind);
                let member = matches!(parent, Some(ItemKind::Impl | ItemKind::Trait));
                if let (Some(name), false) = (item.name.get(), member) {
                    let module = ModRef(file.first_module + item.module.0);
                    table.entries.push((module, file.names[name.index()], Named::Def(def)));
                }
            }
            for (index, import) in header.uses.iter().enumerate() {
                let module = ModRef(file.first_module + import.module.0);
                let reference = UseRef(file.first_use + index as u32);
                match import.alias.get() {
                    _ if import.glob => table.globs.push((module, reference)),
                    Some(alias) => table.entries.push((module, file.names[alias.index()], Named::Use(reference))),
                    None => {}
                }
            }
        }
        table.entries.extend(tree.named.iter().map(|&(module, name, child)| (module, name, Named::Module(child))));
        // Symbols were made in the order of files so far, and equal keys keep that order.
        table.entries.sort_by_key(|&(module, name, _)| (module, name));
        table.globs.sort_by_key(|&(module, _)| module);
        let (mut entry, mut glob) = (0, 0);
        for module in 0..=tree.modules.len() as u32 {
            let before = |m: ModRef| m.0 < module;
            entry += table.entries[entry..].iter().take_while(|e| before(e.0)).count();
            glob += table.globs[glob..].iter().take_while(|g| before(g.0)).count();
            table.starts.push((entry as u32, glob as u32));
        }
        table
    }

    fn named(&self, module: ModRef, name: Symbol) -> impl Iterator<Item = Named> + '_ {
        let here = &self.entries[self.start(module).0..self.start(ModRef(module.0 + 1)).0];
        let start = here.partition_point(|&(_, n, _)| n < name);
        here[start..].iter().take_while(move |&&(_, n, _)| n == name).map(|&(_, _, named)| named)
    }

    fn globs(&self, module: ModRef) -> impl Iterator<Item = UseRef> + '_ {
        let here = &self.globs[self.start(module).1..self.start(ModRef(module.0 + 1)).1];
        here.iter().map(|&(_, import)| import)
    }

    fn start(&self, module: ModRef) -> (usize, usize) {
        let (entry, glob) = self.starts[module.0 as usize];
        (entry as usize, glob as usize)
    }
}

/// What imports mean, by namespace, as far as it was asked for.
pub struct Uses {
    found: Vec<[OnceLock<Res>; 3]>,
}

impl Uses {
    pub(super) fn build(files: &[LinkedFile]) -> Uses {
        let count = files.last().map_or(0, |f| f.first_use as usize + f.unit.facts.header.uses.len());
        Uses { found: std::iter::repeat_with(Default::default).take(count).collect() }
    }
}

/// Chains of re-exports longer than this are cycles.
const MAX_CHAIN: usize = 24;

/// Globs are not looked into for imports nested deeper than this.
const MAX_GLOBS: usize = 3;

/// Imports being resolved: they cannot explain themselves.
type Busy = Vec<UseRef>;

/// A path with the names of its file.
#[derive(Clone, Copy)]
struct Written<'a> {
    segments: &'a [Segment],
    names: &'a [Symbol],
    global: bool,
}

impl Written<'_> {
    fn name(&self, index: usize) -> Symbol {
        self.segments[index].name.get().map_or(known::EMPTY, |n| self.names[n.index()])
    }
}

impl Model {
    /// What a path means where it is written.
    pub fn resolve(&self, scope: &Scope, table: &TypeTable, path: PathId, namespace: Namespace) -> Res {
        let Some(path) = path.get() else { return Res::Unknown };
        let node = table.path(path);
        let names = &self.linked(scope.file).names;
        let written = Written { segments: table.path_segments(path), names, global: node.global };
        if !node.qself.is_none() {
            return self.resolve_qualified(scope, table, path, namespace);
        }
        self.resolve_written(scope, written, namespace, &mut Busy::new())
    }

    /// `<T as a::Trait>::f` and `<T>::f`.
    fn resolve_qualified(&self, scope: &Scope, table: &TypeTable, path: PathId, namespace: Namespace) -> Res {
        let node = table.path(path);
        let (of_trait, rest) = table.path_segments(path).split_at(node.trait_segments as usize);
        let names = &self.linked(scope.file).names;
        let rest = Written { segments: rest, names, global: false };
        if rest.segments.len() != 1 {
            return Res::Unknown;
        }
        let ty = self.lower_ty(scope, table, node.qself);
        let name = rest.name(0);
        if of_trait.is_empty() {
            return self.associated(ty, name, namespace);
        }
        let written = Written { segments: of_trait, names, global: node.global };
        let of_trait = self.resolve_written(scope, written, Namespace::Type, &mut Busy::new());
        self.trait_member(ty, of_trait, name)
    }

    fn resolve_written(&self, scope: &Scope, written: Written, namespace: Namespace, busy: &mut Busy) -> Res {
        let count = written.segments.len();
        if count == 0 {
            return Res::Unknown;
        }
        let of = |index: usize| if index + 1 == count { namespace } else { Namespace::Type };
        let mut res = self.first_segment(scope, written, of(0), count > 1, busy);
        // `use std::str;` imports a module and leaves the type alone.
        if count == 1
            && namespace == Namespace::Type
            && busy.is_empty()
            && matches!(res, Res::External(_) | Res::Module(_))
            && let Some(primitive) = self.externals.primitive(&self.symbols, written.name(0))
        {
            res = primitive;
        }
        for index in 1..count {
            res = self.step(scope, res, written.name(index), of(index), busy);
        }
        res
    }

    fn first_segment(&self, scope: &Scope, written: Written, namespace: Namespace, more: bool, busy: &mut Busy) -> Res {
        let name = written.name(0);
        match name {
            known::CRATE | known::DOLLAR_CRATE => return Res::Module(self.crate_root(scope.module)),
            known::SELF => return Res::Module(self.nearest_module(scope.module)),
            known::SUPER => return self.parent_module(scope.module),
            known::SELF_TYPE => return Res::SelfType,
            _ => {}
        }
        if written.global {
            let found = self.extern_crate(scope.module, name);
            return match (found, self.module(scope.module).parent) {
                // `extern crate x;` says itself that it is one, and paths of the 2015 edition start at the root.
                (Res::Unknown, _) => {
                    let root = self.crate_root(scope.module);
                    self.name_in(root, name, namespace, busy).unwrap_or(Res::External(name))
                }
                (found, _) => found,
            };
        }
        if namespace == Namespace::Type
            && let Some(param) = self.generic_param(scope.item, name)
        {
            return Res::Param(param);
        }
        match self.name_in_scope(scope.module, name, namespace, busy) {
            Res::Unknown if more && self.assumed_external(name) => Res::External(name),
            found => found,
        }
    }

    /// An unknown lower-case first segment is taken for another crate: manifests inherit dependencies from files that
    /// are not at hand, and a lone file has none.
    fn assumed_external(&self, name: Symbol) -> bool {
        self.text(name).starts_with(|c: char| c.is_ascii_lowercase())
    }

    /// A name as the code of a module sees it.
    fn name_in_scope(&self, module: ModRef, name: Symbol, namespace: Namespace, busy: &mut Busy) -> Res {
        let key = (module, name, namespace);
        if let Some(&found) = self.names.found.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return found;
        }
        let found = self.find_in_scope(module, name, namespace, busy);
        // Within a chain of imports some names are out of sight.
        if busy.is_empty() {
            self.names.found.write().unwrap_or_else(PoisonError::into_inner).insert(key, found);
        }
        found
    }

    fn find_in_scope(&self, module: ModRef, name: Symbol, namespace: Namespace, busy: &mut Busy) -> Res {
        let crates = |model: &Model| match namespace {
            Namespace::Type => Some(model.extern_crate(module, name)).filter(|&res| res != Res::Unknown),
            _ => None,
        };
        let mut here = module;
        loop {
            if let Some(found) = self.declared_in(here, name, namespace, busy) {
                return found;
            }
            // In an import a glob cannot give what another crate's name means, or the two would be ambiguous.
            if !busy.is_empty()
                && let Some(found) = crates(self)
            {
                return found;
            }
            if let Some(found) = self.globbed_in(here, name, namespace, busy) {
                return found;
            }
            match self.module(here).parent {
                Some(outer) if self.is_body_module(here) => here = outer,
                _ => break,
            }
        }
        if let Some(found) = crates(self).or_else(|| self.externals.prelude(&self.symbols, name, namespace)) {
            return found;
        }
        // Imports of the 2015 edition start at the root.
        let root = self.crate_root(module);
        if root != here && namespace == Namespace::Type && !busy.is_empty() {
            return self.name_in(root, name, namespace, busy).unwrap_or(Res::Unknown);
        }
        Res::Unknown
    }

    /// A name that a module declares or imports.
    fn name_in(&self, module: ModRef, name: Symbol, namespace: Namespace, busy: &mut Busy) -> Option<Res> {
        self.declared_in(module, name, namespace, busy).or_else(|| self.globbed_in(module, name, namespace, busy))
    }

    /// A name that a module declares, or imports by name. An import that cannot be followed hides what lies behind it.
    fn declared_in(&self, module: ModRef, name: Symbol, namespace: Namespace, busy: &mut Busy) -> Option<Res> {
        let mut hidden = false;
        for named in self.names.named(module, name) {
            let found = match named {
                Named::Def(def) if self.in_namespace(def, namespace) => Res::Def(def),
                Named::Module(child) if namespace == Namespace::Type => Res::Module(child),
                Named::Use(import) if !busy.contains(&import) => match self.imported(import, namespace, busy) {
                    // `use x::x;` imports a macro or function and leaves the crate's name alone.
                    Res::External(path) if namespace == Namespace::Type && self.is_in_own_crate(path, name) => {
                        Res::Unknown
                    }
                    found => {
                        hidden = true;
                        found
                    }
                },
                _ => Res::Unknown,
            };
            if found != Res::Unknown {
                return Some(found);
            }
        }
        hidden.then_some(Res::Unknown)
    }

    fn is_in_own_crate(&self, path: Symbol, name: Symbol) -> bool {
        let (path, name) = (self.text(path), self.text(name));
        path.strip_prefix(name).and_then(|rest| rest.strip_prefix("::")) == Some(name)
    }

    /// A name that a module imports by globs, and globs of what they import.
    fn globbed_in(&self, module: ModRef, name: Symbol, namespace: Namespace, busy: &mut Busy) -> Option<Res> {
        if busy.len() > MAX_GLOBS {
            return None;
        }
        let mut modules = vec![module];
        let mut next = 0;
        while let Some(&here) = modules.get(next) {
            next += 1;
            for import in self.names.globs(here) {
                let visible = here == module || self.import(import).0.public || self.is_within(module, here);
                if !visible || busy.contains(&import) {
                    continue;
                }
                let found = match self.imported(import, Namespace::Type, busy) {
                    Res::Module(target) if !modules.contains(&target) => {
                        modules.push(target);
                        self.declared_in(target, name, namespace, busy).filter(|&res| res != Res::Unknown)
                    }
                    Res::Def(def) => self.variant_named(def, name).map(|v| Res::Variant(def, v)),
                    Res::External(path) => self.external_in_glob(path, name).map(Res::External),
                    _ => None,
                };
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    fn is_within(&self, module: ModRef, outer: ModRef) -> bool {
        std::iter::successors(Some(module), |&m| self.module(m).parent).take(64).any(|m| m == outer)
    }

    fn import(&self, import: UseRef) -> (&Use, &LinkedFile) {
        let file = &self.files[self.files.partition_point(|f| f.first_use <= import.0) - 1];
        (&file.unit.facts.header.uses[(import.0 - file.first_use) as usize], file)
    }

    /// Follows all imports, one after the other: what is kept of chains and circles of them depends on where one starts,
    /// and must not depend on threads.
    pub(super) fn follow_imports(&self) {
        for import in (0..self.uses.found.len() as u32).map(UseRef) {
            let ty = self.imported(import, Namespace::Type, &mut Busy::new());
            let value = match ty {
                _ if self.import(import).0.glob => continue,
                // A function is not called as a type is.
                Res::Def(def) if self.in_namespace(def, Namespace::Value) => ty,
                Res::Def(_) => Res::Unknown,
                Res::External(_) | Res::Variant(..) => ty,
                _ => self.imported(import, Namespace::Value, &mut Busy::new()),
            };
            self.uses.found[import.0 as usize][Namespace::Value as usize].get_or_init(|| value);
        }
    }

    /// What an import means.
    fn imported(&self, import: UseRef, namespace: Namespace, busy: &mut Busy) -> Res {
        let cell = &self.uses.found[import.0 as usize][namespace as usize];
        if let Some(&found) = cell.get() {
            return found;
        }
        if busy.len() >= MAX_CHAIN {
            return Res::Unknown;
        }
        let (&Use { module, path, .. }, file) = self.import(import);
        let header = &file.unit.facts.header;
        let module = ModRef(file.first_module + module.0);
        let scope = Scope { file: file.unit.id, module, item: None };
        let global = header.types.path(path).global;
        let written = Written { segments: header.types.path_segments(path), names: &file.names, global };
        busy.push(import);
        let found = self.resolve_written(&scope, written, namespace, busy);
        busy.pop();
        // Within a chain of imports some names are out of sight: there, only what was found is kept.
        if busy.is_empty() || found != Res::Unknown {
            return *cell.get_or_init(|| found);
        }
        found
    }

    /// One more segment.
    fn step(&self, scope: &Scope, res: Res, name: Symbol, namespace: Namespace, busy: &mut Busy) -> Res {
        match res {
            Res::Module(module) => match name {
                known::SUPER => self.parent_module(module),
                known::SELF => res,
                _ => self.name_in_twins(module, name, namespace, busy),
            },
            Res::External(path) => Res::External(self.external_join(path, name)),
            Res::Def(def) => self.member_of(def, name, namespace),
            Res::SelfType => match self.self_ty(scope) {
                Some(ty) => self.associated(ty, name, namespace),
                None => Res::Unknown,
            },
            Res::Prim(_) => {
                let ty = self.prim_or_unknown(res);
                self.associated(ty, name, namespace)
            }
            Res::Param(param) => self.associated(self.param_ty(param), name, namespace),
            Res::Variant(..) | Res::Unknown => Res::Unknown,
        }
    }

    /// `cfg` may make several modules of one name.
    fn name_in_twins(&self, module: ModRef, name: Symbol, namespace: Namespace, busy: &mut Busy) -> Res {
        if let Some(found) = self.name_in(module, name, namespace, busy) {
            return found;
        }
        let Some(parent) = self.module(module).parent else { return Res::Unknown };
        let same: Vec<Named> = self.names.named(parent, self.module(module).name).collect();
        let others = same.into_iter().filter_map(|named| match named {
            Named::Module(other) if other != module => Some(other),
            _ => None,
        });
        others.into_iter().find_map(|other| self.name_in(other, name, namespace, busy)).unwrap_or(Res::Unknown)
    }

    fn in_namespace(&self, def: DefId, namespace: Namespace) -> bool {
        let kind = self.item(def).kind;
        match namespace {
            Namespace::Type => {
                use ItemKind::*;
                matches!(kind, Struct | Union | Enum | Trait | Alias)
            }
            Namespace::Value => match kind {
                ItemKind::Fn | ItemKind::Static | ItemKind::Const => true,
                // Unit and tuple structs are values and functions as well.
                ItemKind::Struct => {
                    let Def { file, .. } = *self.def(def);
                    self.fields_of(def).first().is_none_or(|f| self.is_number(self.name(file, f.name)))
                }
                _ => false,
            },
            Namespace::Macro => kind == ItemKind::Macro,
        }
    }

    fn is_number(&self, name: Symbol) -> bool {
        self.text(name).starts_with(|c: char| c.is_ascii_digit())
    }

    /// The variant of an enum with that name.
    pub fn variant_named(&self, def: DefId, name: Symbol) -> Option<u32> {
        if self.item(def).kind != ItemKind::Enum {
            return None;
        }
        let Def { file, .. } = *self.def(def);
        self.variants_of(def).iter().position(|v| self.name(file, v.name) == name).map(|v| v as u32)
    }

    fn extern_crate(&self, module: ModRef, name: Symbol) -> Res {
        if matches!(name, known::STD | known::CORE | known::ALLOC) {
            return Res::External(known::STD);
        }
        let krate = self.crate_of(module);
        let Some(package) = krate.package.map(|p| &self.packages[p]) else { return Res::Unknown };
        match package.dependencies.get(&name) {
            Some(&Dependency::Crate(id)) => return Res::Module(self.tree.roots[id.0 as usize]),
            Some(&Dependency::External(path)) => return Res::External(path),
            None => {}
        }
        match package.library {
            Some((library, id)) if library == name => Res::Module(self.tree.roots[id.0 as usize]),
            _ if name == known::PROC_MACRO => Res::External(name),
            _ => Res::Unknown,
        }
    }

    fn crate_root(&self, module: ModRef) -> ModRef {
        self.tree.roots[self.module(module).krate.0 as usize]
    }

    /// The module itself, or the one around a function body.
    fn nearest_module(&self, module: ModRef) -> ModRef {
        let mut module = module;
        while let (true, Some(outer)) = (self.is_body_module(module), self.module(module).parent) {
            module = outer;
        }
        module
    }

    fn parent_module(&self, module: ModRef) -> Res {
        let parent = self.module(self.nearest_module(module)).parent;
        parent.map_or(Res::Unknown, |p| Res::Module(self.nearest_module(p)))
    }

    /// Whether the code of a module sees an external trait by its name or an unnamed import.
    pub(super) fn trait_in_scope(&self, module: ModRef, path: Symbol) -> bool {
        let name = self.symbols.find(self.symbols.last_segment(path));
        let Some(name) = name else { return false };
        let mut busy = Busy::new();
        if self.name_in_scope(module, name, Namespace::Type, &mut busy) == Res::External(path) {
            return true;
        }
        let mut here = module;
        loop {
            let unnamed: Vec<Named> = self.names.named(here, known::UNDERSCORE).collect();
            let means = |named: &Named| match *named {
                Named::Use(import) => self.imported(import, Namespace::Type, &mut Busy::new()) == Res::External(path),
                _ => false,
            };
            if unnamed.iter().any(means) {
                return true;
            }
            match self.module(here).parent {
                Some(outer) if self.is_body_module(here) => here = outer,
                _ => return false,
            }
        }
    }
}
