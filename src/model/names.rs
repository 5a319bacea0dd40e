//! The names in modules: declared, imported by name or by glob, of other crates and the prelude.

use super::defs::{Def, DefId};
use super::memo::Memo;
use super::paths::{ModRef, Namespace, Res, Scope, Written};
use super::symbols::{Symbol, known};
use super::tree::Tree;
use super::{LinkedFile, Model};
use crate::facts::{ItemKind, Use};
use std::sync::OnceLock;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct UseRef(u32);

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
    found: Memo<(ModRef, Symbol, Namespace), Res>,
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
pub(super) type Busy = Vec<UseRef>;

impl Model {
    /// A name as the code of a module sees it.
    pub(super) fn name_in_scope(&self, module: ModRef, name: Symbol, namespace: Namespace, busy: &mut Busy) -> Res {
        let key = (module, name, namespace);
        if let Some(found) = self.names.found.get(&key) {
            return found;
        }
        let found = self.find_in_scope(module, name, namespace, busy);
        // Within a chain of imports some names are out of sight.
        if busy.is_empty() {
            self.names.found.set(key, found);
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
        match namespace {
            Namespace::Value if busy.is_empty() => self.foreign_in_glob(module, name),
            _ => Res::Unknown,
        }
    }

    /// `use libc::*; … listen(fd, 8)`: what nothing else explains comes from the crate that binds C.
    fn foreign_in_glob(&self, module: ModRef, name: Symbol) -> Res {
        for import in self.names.globs(module) {
            if let Res::External(path) = self.imported(import, Namespace::Type, &mut Busy::new())
                && self.apis.is_foreign(self.text(path))
            {
                return Res::External(self.external_join(path, name));
            }
        }
        Res::Unknown
    }

    /// A name that a module declares or imports.
    pub(super) fn name_in(&self, module: ModRef, name: Symbol, namespace: Namespace, busy: &mut Busy) -> Option<Res> {
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
        let (&Use { module, path, glob, .. }, file) = self.import(import);
        let header = &file.unit.facts.header;
        let module = ModRef(file.first_module + module.0);
        let scope = Scope { file: file.unit.id, module, item: None };
        let global = header.types.path(path).global;
        let written = Written { segments: header.types.path_segments(path), names: &file.names, global };
        busy.push(import);
        // `use libc::*;`, but not `use *;`
        let of_crate = (glob && written.segments.len() == 1).then(|| written.name(0));
        let of_crate = of_crate.filter(|&name| self.assumed_external(name));
        let found = match (self.resolve_written(&scope, written, namespace, busy), of_crate) {
            (Res::Unknown, Some(name)) => Res::External(name),
            (found, _) => found,
        };
        busy.pop();
        // Within a chain of imports some names are out of sight: there, only what was found is kept.
        if busy.is_empty() || found != Res::Unknown {
            return *cell.get_or_init(|| found);
        }
        found
    }

    /// `cfg` may make several modules of one name.
    pub(super) fn name_in_twins(&self, module: ModRef, name: Symbol, namespace: Namespace, busy: &mut Busy) -> Res {
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

    /// Whether the code of a module sees an external trait by its name or an unnamed import.
    pub(super) fn trait_in_scope(&self, module: ModRef, path: Symbol) -> bool {
        // Nobody needs to write the name where a glob brings it: `use isahc::prelude::*`.
        let name = self.symbols.intern(self.symbols.last_segment(path));
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
