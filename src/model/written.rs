//! From types as written to terms: paths resolved, aliases expanded, generic parameters found.

use super::Model;
use super::defs::{Def, DefId};
use super::paths::{Namespace, Res, Scope};
use super::symbols::{Symbol, known};
use super::types::{Bound, Param, Ty, TyData};
use crate::facts::types::{PathId, Segment, TypeId, TypeKind, TypeTable};
use crate::facts::{ItemKind, item_flags};
use std::cell::{Cell, RefCell};

/// Types nested deeper than this are not followed.
const MAX_DEPTH: u32 = 64;

thread_local! {
    /// How deep the types being lowered on this thread are nested.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// Items whose types are being lowered on this thread: aliases may name each other in a circle.
    static PENDING: RefCell<Vec<DefId>> = const { RefCell::new(Vec::new()) };
    /// How often a circle or a deep nesting was cut. What was cut depends on where one began, and is not kept.
    static CUTS: Cell<u32> = const { Cell::new(0) };
}

impl Model {
    /// The term of a type as written.
    pub fn lower_ty(&self, scope: &Scope, table: &TypeTable, id: TypeId) -> Ty {
        let Some(id) = id.get() else { return Ty::UNKNOWN };
        let depth = DEPTH.get();
        if depth > MAX_DEPTH {
            CUTS.set(CUTS.get() + 1);
            return Ty::UNKNOWN;
        }
        DEPTH.set(depth + 1);
        let ty = self.lower_node(scope, table, id);
        DEPTH.set(depth);
        ty
    }

    fn lower_node(&self, scope: &Scope, table: &TypeTable, id: TypeId) -> Ty {
        let node = table.ty(id);
        let args = table.type_args(id);
        let first = || args.first().map_or(Ty::UNKNOWN, |&t| self.lower_ty(scope, table, t));
        let all = || self.lower_all(scope, table, args);
        let data = match node.kind {
            TypeKind::Path => return self.lower_path(scope, table, node.path),
            TypeKind::Ref | TypeKind::StaticRef => return self.ref_to(false, first()),
            TypeKind::RefMut => return self.ref_to(true, first()),
            TypeKind::Pointer => TyData::Pointer(first()),
            TypeKind::Tuple => TyData::Tuple(all()),
            TypeKind::Slice => TyData::Slice(first()),
            TypeKind::Array => TyData::Array(first()),
            TypeKind::Fn => TyData::FnPtr(all()),
            TypeKind::Impl | TypeKind::Dyn => {
                let bounds = self.lower_bounds(scope, table, args);
                let output = bounds.iter().find_map(|b| self.future_binding(b));
                match (output, node.kind) {
                    (Some(output), _) => TyData::Future { output, body: None },
                    (None, TypeKind::Impl) => TyData::Impl(bounds),
                    (None, _) => TyData::Dyn(bounds),
                }
            }
            TypeKind::Never => TyData::Never,
            TypeKind::Infer | TypeKind::Opaque => TyData::Unknown,
        };
        self.intern_ty(data)
    }

    fn future_binding(&self, bound: &Bound) -> Option<Ty> {
        let is_future = self.external_path(bound.of) == Some(known::FUTURE);
        is_future.then(|| binding(bound, known::OUTPUT).unwrap_or_default())
    }

    pub(super) fn lower_all(&self, scope: &Scope, table: &TypeTable, types: &[TypeId]) -> Box<[Ty]> {
        types.iter().map(|&t| self.lower_ty(scope, table, t)).collect()
    }

    fn lower_bounds(&self, scope: &Scope, table: &TypeTable, paths: &[TypeId]) -> Box<[Bound]> {
        paths.iter().filter_map(|&t| self.lower_bound(scope, table, table.ty(t).path)).collect()
    }

    fn lower_bound(&self, scope: &Scope, table: &TypeTable, path: PathId) -> Option<Bound> {
        let last = *table.path_segments(path.get()?).last()?;
        let args = self.lower_all(scope, table, last.args.of(&table.args));
        let of = match self.resolve(scope, table, path, Namespace::Type) {
            Res::Def(def) if self.item(def).kind == ItemKind::Trait => TyData::Adt(def, args),
            Res::External(path) => TyData::External(path, args),
            _ => return None,
        };
        let bindings = last.bindings.of(&table.bindings).iter();
        let bindings =
            bindings.map(|&(name, ty)| (self.name(scope.file, name), self.lower_ty(scope, table, ty))).collect();
        Some(Bound { of: self.intern_ty(of), bindings })
    }

    fn lower_path(&self, scope: &Scope, table: &TypeTable, path: PathId) -> Ty {
        let res = self.resolve(scope, table, path, Namespace::Type);
        let last = table.path_segments(path).last().copied();
        self.res_ty(scope, table, res, last)
    }

    /// The type that a path means; the arguments stand at its last segment.
    pub(super) fn res_ty(&self, scope: &Scope, table: &TypeTable, res: Res, last: Option<Segment>) -> Ty {
        let args = || last.map_or_else(Default::default, |s| self.lower_all(scope, table, s.args.of(&table.args)));
        match res {
            Res::Def(def) => match self.item(def).kind {
                ItemKind::Struct | ItemKind::Enum | ItemKind::Union => self.intern_ty(TyData::Adt(def, args())),
                ItemKind::Alias => self.expand_alias(def, &args()),
                // `Box<Trait>` as it was written before `dyn`.
                ItemKind::Trait => {
                    let bound = Bound { of: self.intern_ty(TyData::Adt(def, args())), bindings: [].into() };
                    self.intern_ty(TyData::Dyn([bound].into()))
                }
                _ => Ty::UNKNOWN,
            },
            Res::External(path) => self.external_type(path, &args()),
            Res::Param(param) => self.param_ty(param),
            Res::SelfType => self.self_ty(scope).unwrap_or_default(),
            Res::Prim(_) => self.prim_or_unknown(res),
            Res::Variant(..) | Res::Module(_) | Res::Unknown => Ty::UNKNOWN,
        }
    }

    pub(super) fn prim_or_unknown(&self, res: Res) -> Ty {
        match res {
            Res::Prim(name) => self.intern_ty(TyData::Prim(name)),
            _ => Ty::UNKNOWN,
        }
    }

    fn expand_alias(&self, def: DefId, args: &[Ty]) -> Ty {
        let target = self.item_ty(def);
        let env = self.args_env(def, args);
        // The parameters of the impl around an associated type stay as they are.
        self.substitute(target, &env)
    }

    /// A type of another crate; `X::Result<T>` is an alias of `Result` in every crate that has it.
    pub(super) fn external_type(&self, path: Symbol, args: &[Ty]) -> Ty {
        let of = self.of_type(path);
        if let Some(alias) = of.alias {
            return self.term_ty(&alias.to, &super::terms::Env::of_params(&alias.params, args));
        }
        if of.is_result && args.len() <= 2 {
            let at = |index: usize| args.get(index).copied().unwrap_or_default();
            return self.external(known::RESULT, &[at(0), at(1)]);
        }
        self.external(path, args)
    }

    /// `Self` where a path is written.
    pub fn self_ty(&self, scope: &Scope) -> Option<Ty> {
        let mut item = scope.item;
        while let Some(def) = item {
            match self.item(def).kind {
                ItemKind::Impl => return Some(self.item_ty(def)),
                ItemKind::Trait => return Some(self.param_ty(Param { owner: def, index: Param::SELF })),
                ItemKind::Struct | ItemKind::Enum | ItemKind::Union => {
                    let count = self.generics_of(def).len() as u32;
                    let args: Vec<Ty> = (0..count).map(|index| self.param_ty(Param { owner: def, index })).collect();
                    return Some(self.adt(def, &args));
                }
                _ => item = self.def(def).parent,
            }
        }
        None
    }

    /// The generic parameter of that name, of an item or of what it stands in.
    pub(super) fn generic_param(&self, item: Option<DefId>, name: Symbol) -> Option<Param> {
        let mut item = item;
        while let Some(owner) = item {
            let Def { file, parent, .. } = *self.def(owner);
            let index = self.generics_of(owner).iter().position(|g| self.name(file, g.name) == name);
            if let Some(index) = index {
                return Some(Param { owner, index: index as u32 });
            }
            item = parent;
        }
        None
    }

    /// The name of a generic parameter.
    pub fn param_name(&self, param: Param) -> Symbol {
        match self.generics_of(param.owner).get(param.index as usize) {
            Some(generic) => self.name(self.def(param.owner).file, generic.name),
            None => known::SELF_TYPE,
        }
    }

    /// The bounds of a parameter, an `impl Trait` or a `dyn Trait`; a trait's `Self` is bounded by the trait.
    pub fn bounds_of(&self, ty: Ty) -> Box<[Bound]> {
        match self.ty(ty) {
            TyData::Impl(bounds) | TyData::Dyn(bounds) => bounds.clone(),
            TyData::Param(param) => self.param_bounds(*param),
            _ => [].into(),
        }
    }

    /// The traits of [`Model::bounds_of`], without arguments: those may name the parameter again.
    pub(super) fn bounding_traits(&self, ty: Ty) -> Vec<Res> {
        let of_bound = |bound: &Bound| match *self.ty(bound.of) {
            TyData::Adt(def, _) => Res::Def(def),
            TyData::External(path, _) => Res::External(path),
            _ => Res::Unknown,
        };
        let Param { owner, index } = match self.ty(ty) {
            TyData::Impl(bounds) | TyData::Dyn(bounds) => return bounds.iter().map(of_bound).collect(),
            TyData::Param(param) => *param,
            _ => return Vec::new(),
        };
        let Some(generic) = self.generics_of(owner).get(index as usize) else { return vec![Res::Def(owner)] };
        let Some(bounds) = generic.bounds.get() else { return Vec::new() };
        let (scope, table) = (self.scope_of_def(owner), &self.header(self.def(owner).file).types);
        let paths = table.type_args(bounds).iter().map(|&t| table.ty(t).path);
        paths.map(|path| self.resolve(&scope, table, path, Namespace::Type)).collect()
    }

    fn param_bounds(&self, param: Param) -> Box<[Bound]> {
        let Param { owner, index } = param;
        let Some(generic) = self.generics_of(owner).get(index as usize) else {
            let count = self.generics_of(owner).len() as u32;
            let args: Vec<Ty> = (0..count).map(|index| self.param_ty(Param { owner, index })).collect();
            return [Bound { of: self.adt(owner, &args), bindings: [].into() }].into();
        };
        let Some(bounds) = generic.bounds.get() else { return [].into() };
        let table = &self.header(self.def(owner).file).types;
        self.lower_bounds(&self.scope_of_def(owner), table, table.type_args(bounds))
    }

    /// The type written for an item: of a static or const, an alias' target, an impl's self type, a function's result
    /// (what the future yields, for an `async fn`).
    pub fn item_ty(&self, def: DefId) -> Ty {
        let Def { file, item, .. } = *self.def(def);
        let linked = self.linked(file);
        if let Some(ty) = linked.item_types.get(item.index()) {
            return ty;
        }
        if PENDING.with_borrow(|pending| pending.contains(&def)) {
            CUTS.set(CUTS.get() + 1);
            return Ty::UNKNOWN;
        }
        PENDING.with_borrow_mut(|pending| pending.push(def));
        let cuts = CUTS.get();
        let header = &linked.unit.facts.header;
        let ty = self.lower_ty(&self.scope_of_def(def), &header.types, header.items[item.index()].ty);
        PENDING.with_borrow_mut(|pending| pending.pop());
        if CUTS.get() == cuts {
            linked.item_types.set(item.index(), ty);
        }
        ty
    }

    /// What naming a static or const gives.
    pub fn value_ty(&self, def: DefId) -> Ty {
        let ty = self.item_ty(def);
        let thread_local = self.item(def).flags & item_flags::THREAD_LOCAL != 0;
        if thread_local { self.external(known::LOCAL_KEY, &[ty]) } else { ty }
    }

    /// What calling a function gives, without arguments put in.
    pub fn result_ty(&self, def: DefId) -> Ty {
        let ty = self.item_ty(def);
        let is_async = self.item(def).flags & item_flags::ASYNC != 0;
        if is_async { self.future(ty, self.body_of(def)) } else { ty }
    }

    /// The types of a function's parameters, `self` included.
    pub fn params_of(&self, def: DefId) -> Vec<Ty> {
        let Def { file, item, .. } = *self.def(def);
        let linked = self.linked(file);
        let header = &linked.unit.facts.header;
        let lower = |index: u32| {
            linked.param_types.get_or(index as usize, || {
                self.lower_ty(&self.scope_of_def(def), &header.types, header.params[index as usize].ty)
            })
        };
        header.items[item.index()].params.ids().map(lower).collect()
    }

    /// Whether a function takes `self`.
    pub fn has_receiver(&self, def: DefId) -> bool {
        let Def { file, .. } = *self.def(def);
        let first = self.item(def).params.of(&self.header(file).params).first();
        first.and_then(|p| p.name.get()).is_some_and(|n| self.name(file, n) == known::SELF)
    }

    /// The type of a field as declared: `of` is the struct or enum, `index` counts in the header's fields.
    pub fn declared_field_ty(&self, of: DefId, index: u32) -> Ty {
        let linked = self.linked(self.def(of).file);
        linked.field_types.get_or(index as usize, || {
            let header = &linked.unit.facts.header;
            self.lower_ty(&self.scope_of_def(of), &header.types, header.fields[index as usize].ty)
        })
    }
}

/// The type bound to a name.
pub(super) fn binding(bound: &Bound, name: Symbol) -> Option<Ty> {
    bound.bindings.iter().find(|(n, _)| *n == name).map(|&(_, ty)| ty)
}
