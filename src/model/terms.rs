//! Filling in: terms of the API tables, and generic parameters of the run's own items.

use super::Model;
use super::defs::DefId;
use super::symbols::known;
use super::types::{Param, Ty, TyData};
use crate::apis::TypeRow;
use crate::apis::term::Term;

/// What the names in a term stand for.
#[derive(Default)]
pub(super) struct Env<'a> {
    /// Parameters of the row, with the arguments at hand.
    pub params: Vec<(&'a str, Ty)>,
    /// `Self`.
    pub this: Ty,
    /// Types of the call's arguments, the receiver not counted.
    pub args: &'a [Ty],
    /// What the callable arguments return.
    pub results: &'a [Ty],
}

impl<'a> Env<'a> {
    /// Parameters alone.
    pub fn of_params(names: &'a [String], args: &[Ty]) -> Env<'a> {
        let at = |index: usize| args.get(index).copied().unwrap_or_default();
        let params = names.iter().enumerate().map(|(i, name)| (name.as_str(), at(i))).collect();
        Env { params, ..Env::default() }
    }
}

/// Generic parameters with what they stand for.
pub(super) type Subst = Vec<(Param, Ty)>;

impl Model {
    /// The type of a term.
    pub(super) fn term_ty(&self, term: &Term, env: &Env) -> Ty {
        let at = |list: &[Ty], index: u8| list.get(index as usize).copied().unwrap_or_default();
        match term {
            Term::Path { path, args } => {
                let args: Vec<Ty> = args.iter().map(|t| self.term_ty(t, env)).collect();
                let path = self.symbols.intern(path);
                match self.text(path).contains("::") {
                    true => self.external_type(path, &args),
                    false => self.intern_ty(TyData::Prim(path)),
                }
            }
            Term::Ref { mutable, to } => self.ref_to(*mutable, self.term_ty(to, env)),
            Term::Pointer(to) => self.intern_ty(TyData::Pointer(self.term_ty(to, env))),
            Term::Slice(of) => self.intern_ty(TyData::Slice(self.term_ty(of, env))),
            Term::Tuple(parts) => {
                let parts: Vec<Ty> = parts.iter().map(|t| self.term_ty(t, env)).collect();
                self.tuple(&parts)
            }
            Term::Unit => Ty::UNIT,
            Term::Never => Ty::NEVER,
            Term::SelfType => env.this,
            Term::Param(name) => env.params.iter().find(|(n, _)| *n == &**name).map_or(Ty::UNKNOWN, |&(_, ty)| ty),
            Term::Arg(index) => at(env.args, *index),
            Term::Closure(index) => at(env.results, *index),
            Term::Future(index) => self.awaited(at(env.args, *index)),
            Term::Output(of) => self.awaited(self.term_ty(of, env)),
            Term::Item(of) => self.iterated(self.term_ty(of, env)),
            Term::Target(of) => self.pointee(self.term_ty(of, env)),
            Term::Unknown => Ty::UNKNOWN,
        }
    }

    /// The generic parameters of an item with the arguments written for it.
    pub(super) fn args_env(&self, owner: DefId, args: &[Ty]) -> Subst {
        let count = self.generics_of(owner).len();
        let at = |index: usize| args.get(index).copied().unwrap_or_default();
        (0..count).map(|i| (Param { owner, index: i as u32 }, at(i))).collect()
    }

    /// Puts types in for parameters; those that `subst` does not name stay.
    pub(super) fn substitute(&self, ty: Ty, subst: &Subst) -> Ty {
        if subst.is_empty() || !self.is_generic(ty) {
            return ty;
        }
        if let TyData::Param(param) = self.ty(ty) {
            return subst.iter().find(|(p, _)| p == param).map_or(ty, |&(_, to)| to);
        }
        self.map_parts(ty, &mut |part| self.substitute(part, subst))
    }

    /// The same, and parameters of `owner` and its container that are not named become unknown.
    pub(super) fn instantiate(&self, ty: Ty, owner: DefId, subst: &Subst) -> Ty {
        if !self.is_generic(ty) {
            return ty;
        }
        if let TyData::Param(param) = *self.ty(ty) {
            if let Some(&(_, to)) = subst.iter().find(|(p, _)| *p == param) {
                return to;
            }
            let own = param.owner == owner || self.container(owner) == Some(param.owner);
            return if own { Ty::UNKNOWN } else { ty };
        }
        self.map_parts(ty, &mut |part| self.instantiate(part, owner, subst))
    }

    /// Finds what the parameters in `pattern` stand for if a value of type `actual` has that type.
    pub(super) fn unify(&self, pattern: Ty, actual: Ty, subst: &mut Subst) {
        use TyData::*;
        if !actual.is_known() || !self.is_generic(pattern) {
            return;
        }
        let all = |x: &[Ty], y: &[Ty], subst: &mut Subst| {
            x.iter().zip(y).for_each(|(&p, &a)| self.unify(p, a, subst));
        };
        match (self.ty(pattern), self.ty(actual)) {
            (Param(param), _) => match subst.iter_mut().find(|(p, _)| p == param) {
                Some((_, known)) => *known = self.merge(*known, actual),
                None => subst.push((*param, actual)),
            },
            (Adt(a, x), Adt(b, y)) if a == b => all(x, y, subst),
            (External(a, x), External(b, y)) if a == b => all(x, y, subst),
            (Tuple(x), Tuple(y)) => all(x, y, subst),
            (Ref { to: p, .. }, Ref { to: a, .. }) => self.unify(*p, *a, subst),
            (Pointer(p), Pointer(a)) | (Slice(p), Slice(a) | Array(a)) | (Array(p), Array(a)) => {
                self.unify(*p, *a, subst);
            }
            (Future { output: p, .. }, _) => {
                let (p, output) = (*p, self.awaited(actual));
                self.unify(p, output, subst);
            }
            // `&Vec<T>` for `&[T]`, a guard for what it guards.
            (Slice(p), External(..)) => {
                let of = self.autoderef(actual).find_map(|ty| match *self.ty(ty) {
                    Slice(of) | Array(of) => Some(of),
                    _ => None,
                });
                of.into_iter().for_each(|of| self.unify(*p, of, subst));
            }
            _ => {}
        }
    }

    /// What `*x` reaches.
    pub(super) fn pointee(&self, ty: Ty) -> Ty {
        match *self.ty(ty) {
            TyData::Pointer(to) => to,
            // What a cell holds: `LocalKey<RefCell<T>>::with_borrow_mut`.
            TyData::External(..) if self.type_row(ty).is_some_and(|row| row.locks) => self.arg(ty, 0),
            _ => self.deref(ty).unwrap_or_default(),
        }
    }

    /// The row of a type of another crate (of `slice`, `str` and the like too), not looking through pointers.
    pub fn type_row(&self, ty: Ty) -> Option<&'static TypeRow> {
        self.type_row_at(match *self.ty(ty) {
            TyData::External(path, _) | TyData::Prim(path) => path,
            TyData::Slice(_) | TyData::Array(_) => known::SLICE,
            TyData::Pointer(_) => known::POINTER,
            _ => return None,
        })
    }

    /// The type of a term in the row of a type.
    pub(super) fn row_term(&self, ty: Ty, row: &'static TypeRow, term: &Term) -> Ty {
        match term {
            Term::SelfType => ty,
            _ => self.term_ty(term, &self.row_env(ty, row)),
        }
    }

    /// The parameters of the row of a type with the type's arguments.
    pub(super) fn row_env(&self, ty: Ty, row: &'static TypeRow) -> Env<'static> {
        let args: &[Ty] = match self.ty(ty) {
            TyData::External(_, args) => args,
            TyData::Slice(of) | TyData::Array(of) | TyData::Pointer(of) => std::slice::from_ref(of),
            _ => &[],
        };
        Env { this: ty, ..Env::of_params(&row.params, args) }
    }
}
