//! Types as interned terms, and what can be asked of a term alone.

use super::Model;
use super::defs::{BodyRef, DefId};
use super::slots::Slots;
use super::symbols::{Symbol, known};
use crate::apis::Obligation;
use rustc_hash::FxHashMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

/// An interned type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ty(pub u32);

impl Default for Ty {
    fn default() -> Ty {
        Ty::UNKNOWN
    }
}

impl Ty {
    /// Not known.
    pub const UNKNOWN: Ty = Ty(0);
    /// `()`.
    pub const UNIT: Ty = Ty(1);
    /// `!`.
    pub const NEVER: Ty = Ty(2);
    /// `bool`.
    pub const BOOL: Ty = Ty(3);
    /// `str`.
    pub const STR: Ty = Ty(4);

    /// Whether anything is known of it.
    pub fn is_known(self) -> bool {
        self != Ty::UNKNOWN
    }
}

/// A generic parameter: which one of which item. `Self` of a trait is [`Param::SELF`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Param {
    /// The function, impl, type or trait that declares it.
    pub owner: DefId,
    /// Its place in the list.
    pub index: u32,
}

impl Param {
    /// The index of a trait's `Self`.
    pub const SELF: u32 = u32::MAX;
}

/// What a type is. Lifetimes and const arguments are left out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TyData {
    /// Not known.
    Unknown,
    /// `!`.
    Never,
    /// `i32`, `str` …
    Prim(Symbol),
    /// A struct, enum or union of the run, with arguments; in a [`Bound`] also a trait.
    Adt(DefId, Box<[Ty]>),
    /// A type of another crate, by canonical path, with arguments; in a [`Bound`] also a trait.
    External(Symbol, Box<[Ty]>),
    /// `&T`, `&mut T`.
    Ref {
        /// `&mut`.
        mutable: bool,
        /// What it refers to.
        to: Ty,
    },
    /// `*const T`, `*mut T`.
    Pointer(Ty),
    /// `(A, B)`, and `()`.
    Tuple(Box<[Ty]>),
    /// `[T]`.
    Slice(Ty),
    /// `[T; n]`.
    Array(Ty),
    /// `fn(A) -> B`: the last one is the result.
    FnPtr(Box<[Ty]>),
    /// A function of the run, used as a value; also a tuple struct or variant's enum, used as one.
    FnDef(DefId),
    /// A function of another crate, used as a value.
    FnExternal(Symbol),
    /// A closure.
    Closure(BodyRef),
    /// A future whose output is known, and the body that runs if it is an async block or `async fn` of the run.
    Future {
        /// What awaiting it gives.
        output: Ty,
        /// What runs.
        body: Option<BodyRef>,
    },
    /// A generic parameter.
    Param(Param),
    /// `impl A + B`.
    Impl(Box<[Bound]>),
    /// `dyn A + B`.
    Dyn(Box<[Bound]>),
}

/// A trait in a bound.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Bound {
    /// The trait with its arguments, as a [`TyData::Adt`] or [`TyData::External`]; `Fn(A, B)` has one tuple argument.
    pub of: Ty,
    /// `Item = T`.
    pub bindings: Box<[(Symbol, Ty)]>,
}

/// The interner of types.
pub struct Types {
    slots: Slots<Interned>,
    ids: RwLock<FxHashMap<Arc<TyData>, Ty>>,
}

struct Interned {
    data: Arc<TyData>,
    /// Whether a parameter occurs in it.
    generic: bool,
    /// Whether something in it is not known.
    partial: bool,
    /// What [`Model::held_obligation`] says: it is asked for each operand of each statement.
    held: OnceLock<Option<&'static Obligation>>,
}

impl Types {
    pub(super) fn new() -> Types {
        let types = Types { slots: Slots::default(), ids: RwLock::default() };
        let fixed = [TyData::Unknown, TyData::Tuple([].into()), TyData::Never, TyData::Prim(known::BOOL)];
        for data in fixed.into_iter().chain([TyData::Prim(known::STR)]) {
            types.intern(data);
        }
        types
    }

    fn intern(&self, data: TyData) -> Ty {
        if let Some(&ty) = self.ids.read().unwrap_or_else(PoisonError::into_inner).get(&data) {
            return ty;
        }
        let mut ids = self.ids.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(&ty) = ids.get(&data) {
            return ty;
        }
        let (mut generic, mut partial) = (matches!(data, TyData::Param(_)), data == TyData::Unknown);
        for_each_part(&data, &mut |part| {
            let part = self.slots.get(part.0);
            generic |= part.generic;
            partial |= part.partial;
        });
        let (ty, data) = (Ty(ids.len() as u32), Arc::new(data));
        self.slots.set(ty.0, Interned { data: Arc::clone(&data), generic, partial, held: OnceLock::new() });
        ids.insert(data, ty);
        ty
    }
}

fn for_each_part(data: &TyData, visit: &mut dyn FnMut(Ty)) {
    use TyData::*;
    match data {
        Unknown | Never | Prim(_) | FnDef(_) | FnExternal(_) | Closure(_) | Param(_) => {}
        Adt(_, parts) | External(_, parts) | Tuple(parts) | FnPtr(parts) => parts.iter().for_each(|&p| visit(p)),
        Ref { to: part, .. } | Pointer(part) | Slice(part) | Array(part) | Future { output: part, .. } => visit(*part),
        Impl(bounds) | Dyn(bounds) => bounds.iter().for_each(|b| {
            visit(b.of);
            b.bindings.iter().for_each(|&(_, ty)| visit(ty));
        }),
    }
}

/// Types found out by now, one for each entry of a table of facts. What is computed twice is computed equal.
pub struct Cells(Vec<AtomicU32>);

impl Cells {
    const EMPTY: u32 = u32::MAX;

    pub(super) fn new(len: usize) -> Cells {
        Cells(std::iter::repeat_with(|| AtomicU32::new(Self::EMPTY)).take(len).collect())
    }

    pub(super) fn get(&self, index: usize) -> Option<Ty> {
        Some(self.0[index].load(Ordering::Acquire)).filter(|&ty| ty != Self::EMPTY).map(Ty)
    }

    pub(super) fn set(&self, index: usize, ty: Ty) {
        self.0[index].store(ty.0, Ordering::Release);
    }

    pub(super) fn get_or(&self, index: usize, compute: impl FnOnce() -> Ty) -> Ty {
        self.get(index).unwrap_or_else(|| {
            let ty = compute();
            self.set(index, ty);
            ty
        })
    }
}

impl Model {
    /// What a type is.
    pub fn ty(&self, ty: Ty) -> &TyData {
        &self.types.slots.get(ty.0).data
    }

    /// Interns a type.
    pub fn intern_ty(&self, data: TyData) -> Ty {
        self.types.intern(data)
    }

    /// Whether a parameter occurs in a type.
    pub fn is_generic(&self, ty: Ty) -> bool {
        self.types.slots.get(ty.0).generic
    }

    /// What the owner of a value of that type, or of what is inside its wrappers, has to do: `Option<Child>`,
    /// `Arc<Mutex<Vec<Child>>>`.
    pub fn held_obligation(&self, ty: Ty) -> Option<&'static Obligation> {
        let find = || self.inside(ty).find_map(|ty| self.obligation(self.payload(ty)));
        *self.types.slots.get(ty.0).held.get_or_init(find)
    }

    /// Whether something in a type is not known.
    pub fn is_partial(&self, ty: Ty) -> bool {
        self.types.slots.get(ty.0).partial
    }

    /// A struct, enum or union with arguments.
    pub fn adt(&self, def: DefId, args: &[Ty]) -> Ty {
        self.intern_ty(TyData::Adt(def, args.into()))
    }

    /// A type of another crate with arguments.
    pub fn external(&self, path: Symbol, args: &[Ty]) -> Ty {
        self.intern_ty(TyData::External(path, args.into()))
    }

    /// `&T`.
    pub fn ref_to(&self, mutable: bool, to: Ty) -> Ty {
        if to.is_known() { self.intern_ty(TyData::Ref { mutable, to }) } else { Ty::UNKNOWN }
    }

    /// `(A, B)`.
    pub fn tuple(&self, parts: &[Ty]) -> Ty {
        self.intern_ty(TyData::Tuple(parts.into()))
    }

    /// A future with that output.
    pub fn future(&self, output: Ty, body: Option<BodyRef>) -> Ty {
        self.intern_ty(TyData::Future { output, body })
    }

    pub(super) fn param_ty(&self, param: Param) -> Ty {
        self.intern_ty(TyData::Param(param))
    }

    /// The type without references around it.
    pub fn peel_refs(&self, ty: Ty) -> Ty {
        let mut ty = ty;
        while let TyData::Ref { to, .. } = *self.ty(ty) {
            ty = to;
        }
        ty
    }

    /// An argument of a type; not known where it was not written.
    pub fn arg(&self, ty: Ty, index: usize) -> Ty {
        match self.ty(ty) {
            TyData::Adt(_, args) | TyData::External(_, args) => args.get(index).copied().unwrap_or_default(),
            _ => Ty::UNKNOWN,
        }
    }

    /// The canonical path of a type of another crate.
    pub fn external_path(&self, ty: Ty) -> Option<Symbol> {
        match *self.ty(ty) {
            TyData::External(path, _) => Some(path),
            _ => None,
        }
    }

    /// The same type with every part replaced.
    pub(super) fn map_parts(&self, ty: Ty, change: &mut dyn FnMut(Ty) -> Ty) -> Ty {
        use TyData::*;
        let all = |parts: &[Ty], change: &mut dyn FnMut(Ty) -> Ty| parts.iter().map(|&p| change(p)).collect();
        let bounds = |bounds: &[Bound], change: &mut dyn FnMut(Ty) -> Ty| {
            let bound = |b: &Bound| Bound {
                of: change(b.of),
                bindings: b.bindings.iter().map(|&(name, ty)| (name, change(ty))).collect(),
            };
            bounds.iter().map(bound).collect()
        };
        let data = match self.ty(ty) {
            Unknown | Never | Prim(_) | FnDef(_) | FnExternal(_) | Closure(_) | Param(_) => return ty,
            Adt(def, parts) => Adt(*def, all(parts, change)),
            External(path, parts) => External(*path, all(parts, change)),
            Tuple(parts) => Tuple(all(parts, change)),
            FnPtr(parts) => FnPtr(all(parts, change)),
            Ref { mutable, to } => return self.ref_to(*mutable, change(*to)),
            Pointer(to) => Pointer(change(*to)),
            Slice(of) => Slice(change(*of)),
            Array(of) => Array(change(*of)),
            Future { output, body } => Future { output: change(*output), body: *body },
            Impl(list) => Impl(bounds(list, change)),
            Dyn(list) => Dyn(bounds(list, change)),
        };
        self.intern_ty(data)
    }

    /// Where one of two types of the same shape says more, what it says. The first wins a contradiction.
    pub fn merge(&self, first: Ty, second: Ty) -> Ty {
        use TyData::*;
        if first == second || !second.is_known() {
            return first;
        }
        if !first.is_known() {
            return second;
        }
        if !self.is_partial(first) {
            return first;
        }
        let zip = |a: &[Ty], b: &[Ty]| -> Box<[Ty]> {
            let at = |list: &[Ty], i: usize| list.get(i).copied().unwrap_or_default();
            (0..a.len().max(b.len())).map(|i| self.merge(at(a, i), at(b, i))).collect()
        };
        let data = match (self.ty(first), self.ty(second)) {
            (Adt(a, x), Adt(b, y)) if a == b => Adt(*a, zip(x, y)),
            (External(a, x), External(b, y)) if a == b => External(*a, zip(x, y)),
            (Tuple(x), Tuple(y)) if x.len() == y.len() => Tuple(zip(x, y)),
            (Ref { mutable, to: a }, Ref { to: b, .. }) => Ref { mutable: *mutable, to: self.merge(*a, *b) },
            (Slice(a), Slice(b)) => Slice(self.merge(*a, *b)),
            (Array(a), Array(b)) => Array(self.merge(*a, *b)),
            (Future { output: a, body }, Future { output: b, .. }) => {
                Future { output: self.merge(*a, *b), body: *body }
            }
            _ => return first,
        };
        self.intern_ty(data)
    }

    /// A type as one reads it, for messages and tests.
    pub fn ty_text(&self, ty: Ty) -> String {
        let mut text = String::new();
        self.write_ty(&mut text, ty);
        text
    }

    fn write_ty(&self, out: &mut String, ty: Ty) {
        let list = |out: &mut String, open: &str, parts: &[Ty], close: &str| {
            out.push_str(open);
            for (index, &part) in parts.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                self.write_ty(out, part);
            }
            out.push_str(close);
        };
        let around = |out: &mut String, open: &str, part: Ty, close: &str| list(out, open, &[part], close);
        match self.ty(ty) {
            TyData::Unknown => out.push('_'),
            TyData::Never => out.push('!'),
            TyData::Prim(name) | TyData::FnExternal(name) => out.push_str(self.text(*name)),
            TyData::Adt(def, args) if args.is_empty() => out.push_str(self.text(self.def_path(*def))),
            TyData::External(path, args) if args.is_empty() => out.push_str(self.text(*path)),
            TyData::Adt(def, args) => list(out, &format!("{}<", self.text(self.def_path(*def))), args, ">"),
            TyData::External(path, args) => list(out, &format!("{}<", self.text(*path)), args, ">"),
            TyData::Ref { mutable, to } => around(out, if *mutable { "&mut " } else { "&" }, *to, ""),
            TyData::Pointer(to) => around(out, "*", *to, ""),
            TyData::Tuple(parts) => list(out, "(", parts, ")"),
            TyData::Slice(of) => around(out, "[", *of, "]"),
            TyData::Array(of) => around(out, "[", *of, "; _]"),
            TyData::FnPtr(parts) => list(out, "fn(", parts, ")"),
            TyData::FnDef(def) => out.push_str(self.text(self.def_path(*def))),
            TyData::Closure(_) => out.push_str("closure"),
            TyData::Future { output, .. } => around(out, "future<", *output, ">"),
            TyData::Param(param) => out.push_str(self.text(self.param_name(*param))),
            TyData::Impl(bounds) | TyData::Dyn(bounds) => {
                let word = if matches!(self.ty(ty), TyData::Impl(_)) { "impl" } else { "dyn" };
                let _ = write!(out, "{word} ");
                for (index, bound) in bounds.iter().enumerate() {
                    out.push_str(if index > 0 { " + " } else { "" });
                    self.write_ty(out, bound.of);
                }
            }
        }
    }
}
