//! What is lost with a value that is never dropped: memory on the heap, a handle of the system. Only what is known counts:
//! parameters, trait objects and types of libraries without a row own nothing.

use super::symbols::Symbol;
use super::{Model, Ty, TyData};
use crate::apis::{Collection, Owns, TypeRow};
use crate::facts::ItemKind;

impl Model {
    /// The first part of a type (or all of it) that owns something by itself: `String` of `(u32, Option<String>)`.
    pub fn owned_part(&self, ty: Ty) -> Option<Ty> {
        self.owned_within(ty, &mut Vec::new())
    }

    fn owned_within(&self, ty: Ty, seen: &mut Vec<Ty>) -> Option<Ty> {
        if seen.contains(&ty) || self.is_copy(ty) {
            return None;
        }
        seen.push(ty);
        let mut first = |parts: &[Ty]| parts.iter().find_map(|&part| self.owned_within(part, seen));
        match self.ty(ty) {
            TyData::Tuple(parts) => first(parts),
            TyData::Array(of) | TyData::Slice(of) => first(&[*of]),
            TyData::External(_, args) => match owns(self.type_row(ty)?)? {
                Owns::Arguments => first(args),
                Owns::Heap | Owns::Handle => Some(ty),
            },
            // A part of a union may be any of them.
            TyData::Adt(def, _) if self.item(*def).kind == ItemKind::Union => None,
            TyData::Adt(..) if self.frees_raw_parts(ty) => Some(ty),
            TyData::Adt(..) => first(&self.part_tys(ty)),
            _ => None,
        }
    }

    /// Whether a type of the run takes back something raw when it is dropped:
    /// `impl Drop for Buffer { fn drop(&mut self) { Vec::from_raw_parts(..); } }`
    pub fn frees_raw_parts(&self, ty: Ty) -> bool {
        let TyData::Adt(def, _) = *self.ty(ty) else { return false };
        let digest = self.has_drop(def).and_then(|drop| self.digest_of(drop));
        digest.is_some_and(|digest| !digest.reclaims.is_empty())
    }

    /// The fields of a struct that own something, in their order.
    pub fn owning_fields(&self, ty: Ty) -> Vec<Symbol> {
        let TyData::Adt(def, _) = *self.ty(ty) else { return Vec::new() };
        let file = self.def(def).file;
        let names = self.fields_of(def).iter().map(|field| self.name(file, field.name));
        names.zip(self.part_tys(ty)).filter(|(_, ty)| self.owned_part(*ty).is_some()).map(|(name, _)| name).collect()
    }

    /// The name of a type without its path and arguments, for messages.
    pub fn short_name(&self, ty: Ty) -> String {
        let path = match *self.ty(ty) {
            TyData::Adt(def, _) => self.text(self.def_name(def)),
            TyData::External(path, _) => self.text(path),
            _ => return self.ty_text(ty),
        };
        path.rsplit("::").next().unwrap_or(path).to_owned()
    }
}

fn owns(row: &TypeRow) -> Option<Owns> {
    let collection = row.collection.is_some_and(|kind| kind != Collection::Bounded);
    row.owns.or_else(|| (collection || row.strong || row.weak).then_some(Owns::Heap))
}
