//! Types as interned terms.

use super::defs::{BodyRef, DefId};
use super::symbols::Symbol;

/// An interned type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ty(pub u32);

impl Ty {
    /// Not known.
    pub const UNKNOWN: Ty = Ty(0);
    /// `()`.
    pub const UNIT: Ty = Ty(1);
    /// `!`.
    pub const NEVER: Ty = Ty(2);
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
    /// A struct, enum or union of the run, with arguments.
    Adt(DefId, Box<[Ty]>),
    /// A type of another crate, by canonical path, with arguments.
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
    /// A function of the run, used as a value.
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
    /// A generic parameter, `Self` in traits.
    Param(Symbol),
    /// `impl A + B`.
    Impl(Box<[Bound]>),
    /// `dyn A + B`.
    Dyn(Box<[Bound]>),
}

/// A trait in a bound.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Bound {
    /// The trait with its arguments, as an [`TyData::Adt`] or [`TyData::External`]; `Fn(A, B)` has one tuple argument.
    pub of: Ty,
    /// `Item = T`.
    pub bindings: Box<[(Symbol, Ty)]>,
}
