//! Parts of types: fields, payloads, elements, targets of pointers, results of futures and calls.

use super::Model;
use super::defs::DefId;
use super::impls::Head;
use super::paths::Res;
use super::symbols::{Symbol, known};
use super::terms::Subst;
use super::types::{Bound, Param, Ty, TyData};
use super::written::binding;
use crate::apis::split_last;
use crate::facts::ItemKind;

/// Chains of pointers longer than this are not followed.
const MAX_DEREFS: usize = 10;

impl Model {
    /// One step of `*`: references, smart pointers, guards, lazies, `impl Deref`.
    pub fn deref(&self, ty: Ty) -> Option<Ty> {
        match *self.ty(ty) {
            TyData::Ref { to, .. } => Some(to),
            TyData::External(..) => {
                let row = self.type_row(ty)?;
                row.deref.as_ref().map(|term| self.row_term(ty, row, term)).filter(|ty| ty.is_known())
            }
            TyData::Adt(..) => self.associated_ty(ty, Res::External(known::DEREF_TRAIT), known::TARGET),
            _ => None,
        }
    }

    /// A type and what it dereferences to, step by step.
    pub fn autoderef(&self, ty: Ty) -> impl Iterator<Item = Ty> + '_ {
        std::iter::successors(Some(ty), |&ty| self.deref(ty)).take(MAX_DEREFS)
    }

    /// An associated type of the impl of a trait for a type of the run.
    pub fn associated_ty(&self, ty: Ty, of_trait: Res, name: Symbol) -> Option<Ty> {
        let block = self.impl_for(self.head(ty)?, of_trait)?;
        let alias = self.member_of_impl(block, name).filter(|&a| self.item(a).kind == ItemKind::Alias)?;
        let subst = self.impl_subst(block, ty);
        Some(self.instantiate(self.item_ty(alias), alias, &subst)).filter(|ty| ty.is_known())
    }

    /// The associated type of that name in any impl for a type of the run.
    fn associated_item(&self, ty: Ty, name: Symbol) -> Option<Ty> {
        let mut members = self.members(self.head(ty)?, name).iter().copied();
        let alias = members.find(|&m| self.item(m).kind == ItemKind::Alias)?;
        let subst = self.impl_subst(self.impl_of(alias)?, ty);
        Some(self.instantiate(self.item_ty(alias), alias, &subst)).filter(|ty| ty.is_known())
    }

    /// What the parameters of an impl block stand for, for a type.
    pub(super) fn impl_subst(&self, block: DefId, ty: Ty) -> Subst {
        let mut subst = Subst::new();
        let of = self.item_ty(block);
        let by_ref = matches!(self.ty(of), TyData::Ref { .. });
        let actual = if by_ref || matches!(self.ty(of), TyData::Param(_)) { ty } else { self.peel_refs(ty) };
        self.unify(self.peel_refs(of), if by_ref { self.peel_refs(actual) } else { actual }, &mut subst);
        subst
    }

    /// The type of `x.name`, through references and smart pointers.
    pub fn field_ty(&self, ty: Ty, name: Symbol) -> Ty {
        self.autoderef(ty).find_map(|ty| self.own_field(ty, name)).unwrap_or_default()
    }

    /// The struct of the run that `x.name` is a field of, and the field's index among the header's fields.
    pub fn field_of(&self, ty: Ty, name: Symbol) -> Option<(DefId, u32)> {
        self.autoderef(ty).find_map(|ty| match *self.ty(ty) {
            TyData::Adt(def, _) => Some((def, self.field_index(def, name)?)),
            _ => None,
        })
    }

    /// The field of a struct by name, as an index among the header's fields.
    pub fn field_index(&self, def: DefId, name: Symbol) -> Option<u32> {
        let file = self.def(def).file;
        let found = self.fields_of(def).iter().position(|f| self.name(file, f.name) == name)?;
        Some(self.item(def).fields.start + found as u32)
    }

    fn own_field(&self, ty: Ty, name: Symbol) -> Option<Ty> {
        match self.ty(ty) {
            TyData::Adt(def, args) => {
                let index = self.field_index(*def, name)?;
                let subst = self.args_env(*def, args);
                Some(self.substitute(self.declared_field_ty(*def, index), &subst))
            }
            TyData::Tuple(parts) => {
                let index: usize = self.text(name).parse().ok()?;
                parts.get(index).copied()
            }
            TyData::External(..) => {
                let row = self.type_row(ty)?;
                row.fields.get(self.text(name)).map(|term| self.row_term(ty, row, term))
            }
            _ => None,
        }
    }

    /// The type of a field below a pattern `Path(..)` or `Path { .. }`, matched against a value of type `ty`.
    pub fn variant_field_ty(&self, ty: Ty, variant: Res, field: Symbol) -> Ty {
        match variant {
            Res::Variant(def, index) => {
                let file = self.def(def).file;
                let run = self.variants_of(def)[index as usize].fields;
                let found = self.variant_fields(def, index).iter().position(|f| self.name(file, f.name) == field);
                let Some(found) = found else { return Ty::UNKNOWN };
                self.declared_part(ty, def, run.start + found as u32)
            }
            Res::Def(def) => match self.item(def).kind {
                ItemKind::Alias => self.field_ty(self.item_ty(def), field),
                _ => self.field_index(def, field).map_or(Ty::UNKNOWN, |index| self.declared_part(ty, def, index)),
            },
            Res::SelfType => self.field_ty(ty, field),
            Res::External(path) => self.external_payload(ty, path, field),
            _ => Ty::UNKNOWN,
        }
    }

    fn declared_part(&self, ty: Ty, def: DefId, index: u32) -> Ty {
        let args = self.autoderef(ty).find_map(|ty| match self.ty(ty) {
            TyData::Adt(of, args) if *of == def => Some(args),
            _ => None,
        });
        let subst = self.args_env(def, args.map_or(&[], |a| a));
        self.substitute(self.declared_field_ty(def, index), &subst)
    }

    fn external_payload(&self, ty: Ty, variant: Symbol, field: Symbol) -> Ty {
        let side = match variant {
            known::SOME if field == known::ZERO => Some((known::OPTION, 0)),
            known::OK if field == known::ZERO => Some((known::RESULT, 0)),
            known::ERR if field == known::ZERO => Some((known::RESULT, 1)),
            _ => None,
        };
        if let Some((of, index)) = side {
            let holder = self.autoderef(ty).find(|&ty| self.external_path(ty) == Some(of));
            return holder.map_or(Ty::UNKNOWN, |holder| self.arg(holder, index));
        }
        let Some((of, name)) = split_last(self.text(variant)) else { return Ty::UNKNOWN };
        let payload = self.autoderef(ty).find_map(|ty| {
            let row = self.type_row(ty).filter(|row| row.path == of)?;
            let index: usize = self.text(field).parse().ok()?;
            Some(self.row_term(ty, row, row.variants.get(name)?.get(index)?))
        });
        // A struct pattern of a struct.
        payload.unwrap_or_else(|| match self.autoderef(ty).any(|t| self.external_path(t) == Some(variant)) {
            true => self.field_ty(ty, field),
            false => Ty::UNKNOWN,
        })
    }

    /// What `?` yields.
    pub fn success(&self, ty: Ty) -> Ty {
        match self.external_path(ty) {
            Some(known::OPTION | known::RESULT) => self.arg(ty, 0),
            _ => Ty::UNKNOWN,
        }
    }

    /// What `x[i]` is.
    pub fn element(&self, ty: Ty) -> Ty {
        self.autoderef(ty)
            .find_map(|ty| match *self.ty(ty) {
                TyData::Slice(of) | TyData::Array(of) => Some(of),
                TyData::External(..) => {
                    let row = self.type_row(ty)?;
                    row.element.as_ref().map(|term| self.row_term(ty, row, term))
                }
                _ => None,
            })
            .unwrap_or_default()
    }

    /// What iterating over a value yields: of collections, iterators, streams.
    pub fn iterated(&self, ty: Ty) -> Ty {
        let mut reference = None;
        for step in self.autoderef(ty) {
            if let TyData::Ref { mutable, .. } = *self.ty(step) {
                reference = Some(reference.unwrap_or(true) && mutable);
                continue;
            }
            let (item, is_collection) = self.own_item(step);
            if item.is_known() {
                return match reference {
                    Some(mutable) if is_collection => self.ref_parts(mutable, item),
                    _ => item,
                };
            }
        }
        Ty::UNKNOWN
    }

    /// `(K, V)` by reference is `(&K, &mut V)`.
    fn ref_parts(&self, mutable: bool, item: Ty) -> Ty {
        match self.ty(item) {
            TyData::Tuple(parts) => {
                let last = parts.len().saturating_sub(1);
                let parts: Vec<Ty> =
                    parts.iter().enumerate().map(|(i, &p)| self.ref_to(mutable && i == last, p)).collect();
                self.tuple(&parts)
            }
            _ => self.ref_to(mutable, item),
        }
    }

    fn own_item(&self, ty: Ty) -> (Ty, bool) {
        match self.ty(ty) {
            TyData::Slice(of) | TyData::Array(of) => (*of, true),
            TyData::External(..) => match self.type_row(ty) {
                Some(row) => {
                    let item = row.iterates.as_ref().map_or(Ty::UNKNOWN, |term| self.row_term(ty, row, term));
                    (item, row.collection.is_some() || self.external_path(ty) == Some(known::OPTION))
                }
                None => (Ty::UNKNOWN, false),
            },
            // `Iterator`, `IntoIterator` and the streams of several crates all call it so.
            TyData::Adt(..) => (self.associated_item(ty, known::ITEM).unwrap_or_default(), false),
            TyData::Impl(_) | TyData::Dyn(_) | TyData::Param(_) => {
                (self.bound_binding(ty, known::ITEM).unwrap_or_default(), false)
            }
            _ => (Ty::UNKNOWN, false),
        }
    }

    fn bound_binding(&self, ty: Ty, name: Symbol) -> Option<Ty> {
        self.bounds_of(ty).iter().find_map(|b| binding(b, name))
    }

    /// What `.await` gives.
    pub fn awaited(&self, ty: Ty) -> Ty {
        self.autoderef(ty)
            .find_map(|ty| match self.ty(ty) {
                TyData::Future { output, .. } => Some(*output),
                TyData::External(..) => {
                    let row = self.type_row(ty)?;
                    row.output.as_ref().map(|term| self.row_term(ty, row, term))
                }
                TyData::Adt(..) => {
                    let of = [known::FUTURE, known::INTO_FUTURE];
                    of.into_iter().find_map(|t| self.associated_ty(ty, Res::External(t), known::OUTPUT))
                }
                TyData::Param(_) | TyData::Impl(_) | TyData::Dyn(_) => {
                    let bounds = self.bounds_of(ty);
                    let future = bounds.iter().find(|b| self.external_path(b.of) == Some(known::FUTURE))?;
                    binding(future, known::OUTPUT)
                }
                _ => None,
            })
            .unwrap_or_default()
    }

    /// The type of the only field of a struct.
    pub fn newtype_inner(&self, ty: Ty) -> Option<Ty> {
        let TyData::Adt(def, args) = self.ty(ty) else { return None };
        let run = self.item(*def).fields;
        let only = self.item(*def).kind == ItemKind::Struct && run.len == 1;
        only.then(|| self.substitute(self.declared_field_ty(*def, run.start), &self.args_env(*def, args)))
    }

    /// The types of all fields of a struct or of all variants of an enum, with arguments put in.
    pub fn part_tys(&self, ty: Ty) -> Vec<Ty> {
        let TyData::Adt(def, args) = self.ty(ty) else { return Vec::new() };
        let subst = self.args_env(*def, args);
        let variants = self.variants_of(*def).iter().map(|v| v.fields);
        let runs = variants.chain([self.item(*def).fields]);
        runs.flat_map(|run| run.ids()).map(|i| self.substitute(self.declared_field_ty(*def, i), &subst)).collect()
    }

    /// The signature that a callable's bounds or shape give it: parameters and result.
    pub fn signature(&self, ty: Ty) -> Option<(Vec<Ty>, Ty)> {
        self.autoderef(ty).find_map(|ty| match self.ty(ty) {
            TyData::FnPtr(parts) => {
                let (result, params) = parts.split_last()?;
                Some((params.to_vec(), *result))
            }
            TyData::FnDef(def) => match self.item(*def).kind {
                ItemKind::Fn => Some((self.params_of(*def), self.instantiate(self.result_ty(*def), *def, &Vec::new()))),
                _ => Some((Vec::new(), self.adt(*def, &[]))),
            },
            TyData::FnExternal(path) => {
                let row = self.fn_row(*path)?;
                let result = row.returns.as_ref().map(|t| self.term_ty(t, &Default::default()))?;
                Some((Vec::new(), if row.is_async { self.future(result, None) } else { result }))
            }
            TyData::Param(_) | TyData::Impl(_) | TyData::Dyn(_) => {
                self.bounds_of(ty).iter().find_map(|b| self.fn_bound(b))
            }
            _ => None,
        })
    }

    fn fn_bound(&self, bound: &Bound) -> Option<(Vec<Ty>, Ty)> {
        let path = self.external_path(bound.of)?;
        if !Model::is_fn_trait(path) {
            return None;
        }
        let params = match self.ty(self.arg(bound.of, 0)) {
            TyData::Tuple(parts) => parts.to_vec(),
            _ => Vec::new(),
        };
        Some((params, binding(bound, known::OUTPUT).unwrap_or_default()))
    }

    /// Whether values of a type are copied, not moved. What is not known is not `Copy`.
    pub fn is_copy(&self, ty: Ty) -> bool {
        match self.ty(ty) {
            TyData::Prim(name) => *name != known::STR,
            TyData::Never | TyData::Pointer(_) | TyData::FnPtr(_) | TyData::FnDef(_) | TyData::FnExternal(_) => true,
            TyData::Ref { mutable, .. } => !mutable,
            TyData::Tuple(parts) => parts.iter().all(|&p| self.is_copy(p)),
            TyData::Array(of) => self.is_copy(*of),
            TyData::External(known::OPTION, args) => args.iter().all(|&p| self.is_copy(p)),
            TyData::External(..) => self.type_row(ty).is_some_and(|row| row.copy),
            TyData::Adt(def, _) => {
                let copy = self.symbols.find("std::marker::Copy").map(Res::External);
                let written = copy.and_then(|c| self.impl_for(Head::Def(self.first_twin(*def)), c));
                written.is_some() || self.derives(*def, "Copy")
            }
            TyData::Param(param) => self.is_copy_param(*param),
            _ => false,
        }
    }

    fn is_copy_param(&self, param: Param) -> bool {
        let bounds = self.bounds_of(self.param_ty(param));
        bounds.iter().any(|b| self.external_path(b.of).is_some_and(|p| self.text(p) == "std::marker::Copy"))
    }
}
