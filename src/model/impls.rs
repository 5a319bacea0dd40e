//! Impl blocks: which methods and traits a type has, and which items `cfg` makes several of.

use super::Model;
use super::defs::{Def, DefId};
use super::paths::{Namespace, Res};
use super::symbols::{Symbol, known};
use super::types::{Ty, TyData};
use crate::facts::{ItemKind, Run, item_flags};
use rustc_hash::{FxHashMap, FxHashSet};

/// What impl blocks are found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Head {
    /// A type of the run, or the trait of `dyn Trait`.
    Def(DefId),
    /// A type of another crate or a primitive one; `slice` for slices and arrays, `tuple`, `pointer`, `fn`.
    Named(Symbol),
    /// A generic parameter: the impl is for every type.
    Any,
}

/// All impl blocks, by what they are asked for.
#[derive(Default)]
pub struct Impls {
    /// Members of impls and traits, inherent ones first.
    members: FxHashMap<(Head, Symbol), Run>,
    member_list: Vec<DefId>,
    /// Impl blocks by trait.
    by_trait: FxHashMap<Res, Vec<DefId>>,
    /// The first impl block of a trait for a self type.
    of_both: FxHashMap<(Head, Res), DefId>,
    /// Traits of the run by the names of their members.
    traits_with: FxHashMap<Symbol, Vec<DefId>>,
    /// By impl block.
    traits: FxHashMap<DefId, Res>,
    /// Items that share their path, in groups of two and more; each item with its group.
    twins: FxHashMap<DefId, Run>,
    twin_list: Vec<DefId>,
}

pub(super) fn build(model: &Model) -> Impls {
    let mut impls = Impls::default();
    impls.group_twins(model);
    let mut members = Vec::new();
    let mut heads: FxHashMap<DefId, Head> = FxHashMap::default();
    let mut traits: FxHashSet<Head> = FxHashSet::default();
    for def in model.defs() {
        let item = model.item(def);
        match item.kind {
            ItemKind::Impl if item.flags & item_flags::NEGATIVE == 0 => {
                let head = impls.head_of(model, model.item_ty(def));
                let Some(head) = head else { continue };
                heads.insert(def, head);
                if !item.of_trait.is_none() {
                    let table = &model.header(model.def(def).file).types;
                    let of = model.resolve(&model.scope_of_def(def), table, item.of_trait, Namespace::Type);
                    let first = impls.first_twin(of);
                    impls.traits.insert(def, of);
                    impls.by_trait.entry(first).or_default().push(def);
                    impls.of_both.entry((head, first)).or_insert(def);
                }
            }
            ItemKind::Trait => {
                let head = Head::Def(impls.first(def));
                heads.insert(def, head);
                traits.insert(head);
            }
            _ => {}
        }
        if let Some(parent) = model.def(def).parent
            && let Some(&head) = heads.get(&parent)
            && !item.name.is_none()
        {
            let inherent = !impls.traits.contains_key(&parent);
            members.push((head, model.def_name(def), !inherent, def));
        }
    }
    members.sort_unstable();
    for (index, &(head, name, _, def)) in members.iter().enumerate() {
        let run = impls.members.entry((head, name)).or_insert(Run { start: index as u32, len: 0 });
        run.len += 1;
        impls.member_list.push(def);
        if let (1, Head::Def(of)) = (run.len, head)
            && traits.contains(&head)
        {
            impls.traits_with.entry(name).or_default().push(of);
        }
    }
    impls
}

impl Impls {
    /// Items of equal kind and name in one module (or modules of one path).
    fn group_twins(&mut self, model: &Model) {
        let mut module_firsts = FxHashMap::default();
        for &(parent, name, module) in &model.tree.named {
            let first = *module_firsts.entry((parent, name)).or_insert(module);
            module_firsts.insert((module, known::EMPTY), first);
        }
        let mut groups: FxHashMap<_, Vec<DefId>> = FxHashMap::default();
        for def in model.defs() {
            let item = model.item(def);
            let Def { module, parent, .. } = *model.def(def);
            let member = parent.is_some_and(|p| matches!(model.item(p).kind, ItemKind::Impl | ItemKind::Trait));
            if item.name.is_none() || member {
                continue;
            }
            let module = module_firsts.get(&(module, known::EMPTY)).copied().unwrap_or(module);
            let is_type = !matches!(item.kind, ItemKind::Fn | ItemKind::Static | ItemKind::Const | ItemKind::Macro);
            groups.entry((module, model.def_name(def), is_type)).or_default().push(def);
        }
        let mut groups: Vec<Vec<DefId>> = groups.into_values().filter(|g| g.len() > 1).collect();
        groups.sort_unstable();
        for group in groups {
            let run = Run { start: self.twin_list.len() as u32, len: group.len() as u32 };
            self.twins.extend(group.iter().map(|&def| (def, run)));
            self.twin_list.extend(group);
        }
    }

    fn first(&self, def: DefId) -> DefId {
        self.twins.get(&def).map_or(def, |run| run.of(&self.twin_list)[0])
    }

    fn first_twin(&self, res: Res) -> Res {
        match res {
            Res::Def(def) => Res::Def(self.first(def)),
            other => other,
        }
    }

    fn head_of(&self, model: &Model, ty: Ty) -> Option<Head> {
        let named = |text: &str| Some(Head::Named(model.symbols.intern(text)));
        match model.ty(model.peel_refs(ty)) {
            TyData::Adt(def, _) => Some(Head::Def(self.first(*def))),
            TyData::External(path, _) | TyData::Prim(path) => Some(Head::Named(*path)),
            TyData::Slice(_) | TyData::Array(_) => Some(Head::Named(known::SLICE)),
            TyData::Tuple(_) => named("tuple"),
            TyData::Pointer(_) => named("pointer"),
            TyData::FnPtr(_) => named("fn"),
            TyData::Param(_) => Some(Head::Any),
            TyData::Dyn(bounds) | TyData::Impl(bounds) => bounds.first().and_then(|b| self.head_of(model, b.of)),
            _ => None,
        }
    }
}

impl Model {
    /// What impls of a type are found by; none if the type is not known.
    pub fn head(&self, ty: Ty) -> Option<Head> {
        self.impls().head_of(self, ty)
    }

    /// Items with the same path, this one included: what `cfg` chooses from.
    pub fn twins(&self, def: DefId) -> Vec<DefId> {
        if let Some(run) = self.impls().twins.get(&def) {
            return run.of(&self.impls().twin_list).to_vec();
        }
        let Some(parent) = self.container(def) else { return vec![def] };
        let Some(head) = self.container_head(parent) else { return vec![def] };
        let of_trait = self.trait_of(def);
        let same = self.members(head, self.def_name(def)).iter().copied();
        same.filter(|&other| other == def || self.trait_of(other) == of_trait).collect()
    }

    /// The first of the items with the same path.
    pub fn first_twin(&self, def: DefId) -> DefId {
        self.impls().first(def)
    }

    fn container_head(&self, container: DefId) -> Option<Head> {
        match self.item(container).kind {
            ItemKind::Trait => Some(Head::Def(self.first_twin(container))),
            _ => self.head(self.item_ty(container)),
        }
    }

    /// Members of that name in the impls of a type (in the trait itself, for a trait), inherent ones first.
    pub fn members(&self, head: Head, name: Symbol) -> &[DefId] {
        let impls = self.impls();
        impls.members.get(&(head, name)).map_or(&[], |run| run.of(&impls.member_list))
    }

    /// Methods of that name in the impls of a struct, enum or union.
    pub fn methods(&self, ty: DefId, name: Symbol) -> &[DefId] {
        self.members(Head::Def(self.first_twin(ty)), name)
    }

    /// The trait of an impl block.
    pub fn impl_trait(&self, block: DefId) -> Option<Res> {
        self.impls().traits.get(&block).copied()
    }

    /// The impl blocks of a trait: `Res::Def` for one of the run, `Res::External` for others.
    pub fn implementors(&self, of_trait: Res) -> &[DefId] {
        let impls = self.impls();
        impls.by_trait.get(&impls.first_twin(of_trait)).map_or(&[], Vec::as_slice)
    }

    /// The functions that implement a trait's method, and its default body.
    pub fn implementations(&self, trait_fn: DefId) -> Vec<DefId> {
        let Some(of_trait) = self.container(trait_fn) else { return vec![trait_fn] };
        let name = self.def_name(trait_fn);
        let mut found: Vec<DefId> = self
            .implementors(Res::Def(of_trait))
            .iter()
            .filter_map(|&block| self.member_of_impl(block, name))
            .collect();
        if self.body_of(trait_fn).is_some() {
            found.push(trait_fn);
        }
        found
    }

    /// The member of that name in one impl or trait.
    pub fn member_of_impl(&self, block: DefId, name: Symbol) -> Option<DefId> {
        let head = self.container_head(block)?;
        self.members(head, name).iter().copied().find(|&m| self.def(m).parent == Some(block))
    }

    /// The impl of a trait for a type.
    pub fn impl_for(&self, head: Head, of_trait: Res) -> Option<DefId> {
        let impls = self.impls();
        impls.of_both.get(&(head, impls.first_twin(of_trait))).copied()
    }

    /// The `drop` of a type's `impl Drop`.
    pub fn has_drop(&self, ty: DefId) -> Option<DefId> {
        let block = self.impl_for(Head::Def(self.first_twin(ty)), Res::External(known::DROP_TRAIT))?;
        self.member_of_impl(block, known::DROP)
    }

    /// Whether a type implements a trait whose methods are called on one value for as long as there is work.
    pub fn is_actor(&self, ty: DefId) -> bool {
        let head = Head::Def(self.first_twin(ty));
        let traits = self.apis.actors().filter_map(|row| self.symbols.find(&row.path));
        traits.into_iter().any(|path| self.impl_for(head, Res::External(path)).is_some())
    }

    /// Whether a type has `#[derive(…)]` of a trait with that last name.
    pub fn derives(&self, ty: DefId, name: &str) -> bool {
        let Def { file, .. } = *self.def(ty);
        let header = self.header(file);
        let names = &self.file(file).facts.names;
        self.item(ty).attributes.of(&header.attributes).iter().any(|a| {
            let path = header.types.last_name(a.path).get();
            path.is_some_and(|n| names.get(n) == "derive")
                && a.words.of(&header.words).iter().any(|&w| names.get(w) == name)
        })
    }

    /// `Type::name`, for a type of the run, an alias or a trait.
    pub(super) fn member_of(&self, def: DefId, name: Symbol, namespace: Namespace) -> Res {
        match self.item(def).kind {
            ItemKind::Enum => match self.variant_named(def, name) {
                Some(variant) => Res::Variant(def, variant),
                None => self.associated(self.adt(def, &[]), name, namespace),
            },
            ItemKind::Struct | ItemKind::Union => self.associated(self.adt(def, &[]), name, namespace),
            ItemKind::Trait => {
                let found = self.members(Head::Def(self.first_twin(def)), name).first();
                found.map_or(Res::Unknown, |&f| Res::Def(f))
            }
            ItemKind::Alias => self.associated(self.item_ty(def), name, namespace),
            _ => Res::Unknown,
        }
    }

    /// `<T>::name`.
    pub(super) fn associated(&self, ty: Ty, name: Symbol, namespace: Namespace) -> Res {
        if let TyData::Adt(def, _) = *self.ty(ty)
            && let Some(variant) = self.variant_named(def, name)
        {
            return Res::Variant(def, variant);
        }
        if let TyData::External(path, _) | TyData::Prim(path) = *self.ty(ty) {
            let joined = self.external_join(path, name);
            if self.fn_row(joined).is_some() {
                return Res::External(joined);
            }
            let own = self.own_member(ty, name, namespace);
            return own.map_or(Res::External(joined), Res::Def);
        }
        if let Some(member) = self.own_member(ty, name, namespace) {
            return Res::Def(member);
        }
        if let TyData::Param(_) | TyData::Impl(_) | TyData::Dyn(_) = self.ty(ty) {
            return self.bound_member(ty, name);
        }
        match *self.ty(ty) {
            TyData::Adt(def, _) => self.derived_member(def, name),
            _ => Res::Unknown,
        }
    }

    fn derived_member(&self, def: DefId, name: Symbol) -> Res {
        let derived = match self.text(name) {
            "default" if self.derives(def, "Default") => "std::default::Default::default",
            "clone" if self.derives(def, "Clone") => "std::clone::Clone::clone",
            _ => return Res::Unknown,
        };
        Res::External(self.symbols.intern(derived))
    }

    /// A member of the impls for a type, or a default of the traits that they implement.
    pub(super) fn own_member(&self, ty: Ty, name: Symbol, namespace: Namespace) -> Option<DefId> {
        let head = self.head(ty)?;
        let fits = |&def: &DefId| (self.item(def).kind == ItemKind::Alias) == (namespace == Namespace::Type);
        let found = self.members(head, name).iter().copied().find(fits);
        found.or_else(|| self.trait_default(head, name)).or_else(|| {
            // An impl for every type counts if only one trait has such a member.
            let any = self.members(Head::Any, name).iter().copied().filter(fits);
            self.only_one_trait(any).or_else(|| self.trait_default(Head::Any, name))
        })
    }

    fn trait_default(&self, head: Head, name: Symbol) -> Option<DefId> {
        let impls = self.impls();
        let traits = impls.traits_with.get(&name)?.iter();
        let implemented = traits.filter(|&&of| impls.of_both.contains_key(&(head, Res::Def(of))));
        self.only_one_trait(implemented.filter_map(|&of| self.members(Head::Def(of), name).first().copied()))
    }

    fn only_one_trait(&self, members: impl Iterator<Item = DefId>) -> Option<DefId> {
        let mut found: Option<DefId> = None;
        for member in members {
            match found {
                Some(first) if self.trait_of(first) != self.trait_of(member) => return None,
                Some(_) => {}
                None => found = Some(member),
            }
        }
        found
    }

    /// A member of the traits that bound a parameter, an `impl Trait` or a `dyn Trait`.
    pub(super) fn bound_member(&self, ty: Ty, name: Symbol) -> Res {
        for of_trait in self.bounding_traits(ty) {
            match of_trait {
                Res::Def(of) => {
                    if let Some(&member) = self.members(Head::Def(self.first_twin(of)), name).first() {
                        return Res::Def(member);
                    }
                }
                Res::External(of) => {
                    let joined = self.external_join(of, name);
                    if self.fn_row(joined).is_some() {
                        return Res::External(joined);
                    }
                }
                _ => {}
            }
        }
        Res::Unknown
    }

    /// `<T as Trait>::name`.
    pub(super) fn trait_member(&self, ty: Ty, of_trait: Res, name: Symbol) -> Res {
        if let Some(head) = self.head(ty)
            && let Some(block) = self.impl_for(head, of_trait)
            && let Some(member) = self.member_of_impl(block, name)
        {
            return Res::Def(member);
        }
        match of_trait {
            Res::Def(of) => self.member_of(of, name, Namespace::Value),
            Res::External(path) => Res::External(self.external_join(path, name)),
            _ => Res::Unknown,
        }
    }
}
