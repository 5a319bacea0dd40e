//! What a path as written means: the names of modules, `use` chains, preludes, other crates.
//!
//! A name that is not known stays unknown. Paths of other crates are canonical as far as the API tables know re-exports.

use super::defs::{Def, DefId};
use super::names::Busy;
use super::symbols::{Symbol, known};
use super::{Model, Used};
use crate::facts::ItemKind;
use crate::facts::types::{PathId, Segment, TypeTable};
use crate::source::FileId;

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

/// A path with the names of its file.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    pub segments: &'a [Segment],
    pub names: &'a [Symbol],
    pub global: bool,
}

impl Written<'_> {
    pub(super) fn name(&self, index: usize) -> Symbol {
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

    pub(super) fn resolve_written(
        &self,
        scope: &Scope,
        written: Written,
        namespace: Namespace,
        busy: &mut Busy,
    ) -> Res {
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
    pub(super) fn assumed_external(&self, name: Symbol) -> bool {
        self.text(name).starts_with(|c: char| c.is_ascii_lowercase())
    }

    /// One more segment.
    fn step(&self, scope: &Scope, res: Res, name: Symbol, namespace: Namespace, busy: &mut Busy) -> Res {
        match res {
            Res::Module(module) => match name {
                known::SUPER => self.parent_module(module),
                known::SELF => res,
                _ => match self.name_in_twins(module, name, namespace, busy) {
                    Res::Unknown if namespace == Namespace::Value => self.generated_binding(module, name),
                    found => found,
                },
            },
            Res::External(path) => Res::External(self.external_join(path, name)),
            Res::Def(def) => self.member_of(def, name, namespace),
            Res::SelfType => match self.self_ty(scope) {
                Some(ty) => match self.own_associated_type(scope, name, namespace) {
                    Some(own) => Res::Def(own),
                    None => self.associated(ty, name, namespace),
                },
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

    /// `ffi::x_open` where the crate `x-sys` of the run includes bindings that are made when it is built.
    fn generated_binding(&self, module: ModRef, name: Symbol) -> Res {
        let krate = self.crate_of(module).name;
        match self.apis.is_foreign(self.text(krate)) {
            true => Res::External(self.external_join(krate, name)),
            false => Res::Unknown,
        }
    }

    /// `Self::Output` in an impl is that impl's, whatever the other impls of the type call so.
    fn own_associated_type(&self, scope: &Scope, name: Symbol, namespace: Namespace) -> Option<DefId> {
        let item = scope.item.filter(|_| namespace == Namespace::Type)?;
        let block = self.impl_of(item).or(Some(item).filter(|&i| self.item(i).kind == ItemKind::Impl))?;
        self.member_of_impl(block, name)
    }

    /// The variant of an enum with that name.
    pub fn variant_named(&self, def: DefId, name: Symbol) -> Option<u32> {
        if self.item(def).kind != ItemKind::Enum {
            return None;
        }
        let Def { file, .. } = *self.def(def);
        self.variants_of(def).iter().position(|v| self.name(file, v.name) == name).map(|v| v as u32)
    }

    pub(super) fn extern_crate(&self, module: ModRef, name: Symbol) -> Res {
        if matches!(name, known::STD | known::CORE | known::ALLOC) {
            return Res::External(known::STD);
        }
        let krate = self.crate_of(module);
        let Some(package) = krate.package.map(|p| &self.packages[p]) else { return Res::Unknown };
        match package.dependencies.get(&name) {
            Some(&Used::Crate(id)) => return Res::Module(self.tree.roots[id.0 as usize]),
            Some(&Used::External(path)) => return Res::External(path),
            None => {}
        }
        match package.library {
            Some((library, id)) if library == name => Res::Module(self.tree.roots[id.0 as usize]),
            _ if name == known::PROC_MACRO => Res::External(name),
            _ => Res::Unknown,
        }
    }

    pub(super) fn crate_root(&self, module: ModRef) -> ModRef {
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
}
