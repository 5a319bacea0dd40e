//! Calls: what is called, and what that gives.

use super::Model;
use super::defs::DefId;
use super::infer::{Callee, Inference, Part};
use super::paths::{ModRef, Namespace, Res};
use super::symbols::{Symbol, known};
use super::terms::{Env, Subst};
use super::types::{Param, Ty, TyData};
use crate::apis::{Collection, FnRow, Owner, split_last};
use crate::facts::body::{Op, Operand, Statement};
use crate::facts::types::PathId;
use crate::facts::{ItemKind, item_flags};

/// A call that was looked at.
pub(super) struct Call {
    pub callee: Callee,
    pub ty: Ty,
}

const UNKNOWN: Call = Call { callee: Callee::Unknown, ty: Ty::UNKNOWN };

/// What a method is on a receiver.
enum Method {
    /// Of the run, with the type it was found for.
    Own(DefId, Ty),
    /// Of a row, with the type it was found for.
    Row(Symbol, &'static FnRow, Ty),
    /// Of another crate, without a row.
    Bare(Symbol),
    /// Known by its name alone.
    Distinctive(Symbol, &'static FnRow),
    Unknown,
}

impl Inference<'_> {
    pub(super) fn call(&mut self, part: usize, statement: &Statement) -> Call {
        let args = self.args(part, statement);
        self.expected = self.dest_ty(part, statement.dest);
        match statement.op {
            Op::CallMethod => self.method_call(part, PathId(statement.data), &args),
            Op::CallValue => self.value_call(part, &args),
            _ => self.path_call(part, PathId(statement.data), &args),
        }
    }

    fn value_call(&mut self, part: usize, args: &[Operand]) -> Call {
        let Some((&callee, args)) = args.split_first() else { return UNKNOWN };
        let ty = self.model.peel_refs(self.operand_ty(part, callee));
        let given: Vec<Ty> = args.iter().map(|&a| self.operand_ty(part, a)).collect();
        let called = match *self.model.ty(ty) {
            TyData::Closure(at) => Callee::Closure(at),
            TyData::FnDef(def) if self.model.item(def).kind == ItemKind::Fn => Callee::Def(def),
            TyData::FnDef(def) => Callee::Constructor(def),
            TyData::FnExternal(path) => Callee::External(path),
            _ => Callee::Unknown,
        };
        Call { callee: called, ty: self.call_operand(part, callee, &given) }
    }

    fn path_call(&mut self, part: usize, path: PathId, args: &[Operand]) -> Call {
        let Part { scope, body, .. } = &self.parts[part];
        let model = self.model;
        match model.resolve(scope, &body.types, path, Namespace::Value) {
            Res::Def(def) if model.item(def).kind == ItemKind::Fn => {
                let subst = self.path_subst(part, path, def);
                self.own_call(part, def, subst, args)
            }
            Res::Def(def) => self.constructor(part, def, None, args),
            Res::Variant(def, variant) => self.constructor(part, def, Some(variant), args),
            Res::External(callee) => self.external_call(part, callee, path, args),
            Res::SelfType => match model.self_ty(scope).map(|ty| model.ty(ty)) {
                Some(&TyData::Adt(def, _)) => self.constructor(part, def, None, args),
                _ => UNKNOWN,
            },
            _ => UNKNOWN,
        }
    }

    /// A tuple struct or variant used as a function.
    fn constructor(&mut self, part: usize, def: DefId, variant: Option<u32>, args: &[Operand]) -> Call {
        let model = self.model;
        let fields = match variant {
            Some(variant) => model.variants_of(def)[variant as usize].fields,
            None => model.item(def).fields,
        };
        let mut subst = Subst::new();
        for (index, &arg) in fields.ids().zip(args) {
            let declared = model.declared_field_ty(def, index);
            model.unify(declared, self.operand_ty(part, arg), &mut subst);
            self.learn(part, arg, model.instantiate(declared, def, &subst));
        }
        Call { callee: Callee::Constructor(def), ty: self.applied(def, &subst) }
    }

    /// What the generic arguments in `Type::<A>::f::<B>` say.
    fn path_subst(&self, part: usize, path: PathId, def: DefId) -> Subst {
        let Part { scope, body, .. } = &self.parts[part];
        let model = self.model;
        let segments = body.types.path_segments(path);
        let mut subst = Subst::new();
        let Some((last, before)) = segments.split_last() else { return subst };
        let args = model.lower_all(scope, &body.types, last.args.of(&body.types.args));
        subst.extend(model.args_env(def, &args));
        let of = before.last().map_or(Default::default(), |s| s.args.of(&body.types.args));
        if let Some(block) = model.impl_of(def).filter(|_| !of.is_empty())
            && let TyData::Adt(ty, _) = *model.ty(model.item_ty(block))
        {
            let args = model.lower_all(scope, &body.types, of);
            model.unify(model.item_ty(block), model.adt(ty, &args), &mut subst);
        }
        let first = body.types.path_segments(path).first().and_then(|s| s.name.get());
        if let (Some(block), Some(ty)) = (model.impl_of(def), model.self_ty(scope))
            && first.is_some_and(|n| model.name(scope.file, n) == known::SELF_TYPE)
        {
            model.unify(model.item_ty(block), ty, &mut subst);
        }
        subst.retain(|(_, ty)| ty.is_known());
        subst
    }

    /// A call of a function of the run; a method's receiver is its first argument.
    fn own_call(&mut self, part: usize, def: DefId, mut subst: Subst, args: &[Operand]) -> Call {
        let model = self.model;
        let params = model.params_of(def);
        let mut callables = Vec::new();
        for (&param, &arg) in params.iter().zip(args) {
            let actual = self.operand_ty(part, arg);
            match model.signature(param) {
                Some((takes, result)) => callables.push((arg, takes, result)),
                None => self.unify_argument(param, actual, &mut subst),
            }
        }
        for (arg, takes, result) in callables {
            let takes: Vec<Ty> = takes.iter().map(|&t| model.instantiate(t, def, &subst)).collect();
            let actual = self.call_operand(part, arg, &takes);
            model.unify(result, actual, &mut subst);
        }
        for (&param, &arg) in params.iter().zip(args) {
            self.learn(part, arg, model.instantiate(param, def, &subst));
        }
        let ty = model.instantiate(model.item_ty(def), def, &subst);
        let is_async = model.item(def).flags & item_flags::ASYNC != 0;
        let ty = if is_async { model.future(ty, model.body_of(def)) } else { ty };
        Call { callee: Callee::Def(def), ty }
    }

    /// `&T` takes `&Arc<X>` as well as, by coercion, what is behind; the receiver may be borrowed by itself.
    fn unify_argument(&self, param: Ty, actual: Ty, subst: &mut Subst) {
        let model = self.model;
        let by_ref = matches!(model.ty(param), TyData::Ref { .. });
        let is_ref = matches!(model.ty(actual), TyData::Ref { .. });
        let inner = model.peel_refs(param);
        match (by_ref, is_ref) {
            (true, _) if !matches!(model.ty(inner), TyData::Param(_)) => {
                let target = model.autoderef(actual).find(|&ty| model.same_head(ty, inner));
                model.unify(inner, target.unwrap_or_default(), subst);
            }
            (true, false) => model.unify(inner, actual, subst),
            _ => model.unify(param, actual, subst),
        }
    }

    /// A call of a path of another crate.
    fn external_call(&mut self, part: usize, callee: Symbol, path: PathId, args: &[Operand]) -> Call {
        let called = Callee::External(callee);
        let (row, callee) = match self.model.fn_row(callee) {
            Some(row) => (row, callee),
            // `Type::f` may be a function of a trait.
            None => match self.trait_function(callee) {
                Some(row) => (row, callee),
                None => {
                    self.visit_closures(part, args);
                    return Call { callee: called, ty: Ty::UNKNOWN };
                }
            },
        };
        let this = self.path_self(part, callee, path);
        if matches!(row.owner, Owner::Receiver | Owner::Trait) {
            let Some((&receiver, args)) = args.split_first() else { return UNKNOWN };
            let actual = self.model.peel_refs(self.operand_ty(part, receiver));
            let found = self.model.autoderef(actual).find(|&ty| self.model.same_head(ty, this)).unwrap_or(actual);
            let ty = self.row_call(part, row, found, path, args, None);
            return Call { callee: called, ty };
        }
        let ty = self.row_call(part, row, this, path, args, None);
        Call { callee: called, ty }
    }

    fn trait_function(&self, callee: Symbol) -> Option<&'static FnRow> {
        let name = self.model.symbols.last_segment(callee);
        let mut rows = self.model.apis.trait_functions_named(name).iter().map(|&id| self.model.apis.row(id));
        rows.find(|row| split_last(&row.path).is_some_and(|(of, _)| self.model.in_std_prelude_text(of)))
    }

    /// The type before the last segment of a path, with the arguments written there.
    fn path_self(&self, part: usize, callee: Symbol, path: PathId) -> Ty {
        let Part { scope, body, .. } = &self.parts[part];
        let model = self.model;
        let Some((of, _)) = split_last(model.text(callee)) else { return Ty::UNKNOWN };
        if model.apis.trait_row(of).is_some() {
            return match body.types.path(path).qself {
                qself if qself.is_none() => self.expected,
                qself => model.lower_ty(scope, &body.types, qself),
            };
        }
        let before = body.types.path_segments(path).iter().rev().nth(1);
        let args =
            before.map_or_else(Default::default, |s| model.lower_all(scope, &body.types, s.args.of(&body.types.args)));
        let of = model.symbols.intern(of);
        match model.type_row_at(of) {
            Some(row) => {
                let mut args = args.to_vec();
                args.resize(row.params.len().max(args.len()), Ty::UNKNOWN);
                model.row_self(of, &args)
            }
            None => model.external_type(of, &args),
        }
    }

    /// The result of a function with a row. Closures among the arguments are typed on the way.
    fn row_call(
        &mut self,
        part: usize,
        row: &'static FnRow,
        this: Ty,
        path: PathId,
        args: &[Operand],
        receiver: Option<Operand>,
    ) -> Ty {
        let (model, expected) = (self.model, self.expected);
        let given: Vec<Ty> = args.iter().map(|&a| self.operand_ty(part, a)).collect();
        let mut env = model.type_row(this).map(|of| model.row_env(this, of)).unwrap_or_default();
        env.this = this;
        self.turbofish(part, row, path, &mut env);
        let mut results = vec![Ty::UNKNOWN; args.len()];
        for (index, &arg) in args.iter().enumerate() {
            let calls = row.calls.iter().find(|c| c.arg as usize == index);
            let takes: Vec<Ty> = {
                let env = Env { params: env.params.clone(), this, args: &given, results: &[] };
                calls.map_or(Vec::new(), |c| c.takes.iter().map(|t| model.term_ty(t, &env)).collect())
            };
            let callable = matches!(
                model.ty(model.peel_refs(given[index])),
                TyData::Closure(_) | TyData::FnDef(_) | TyData::FnExternal(_)
            );
            if calls.is_some() || callable {
                results[index] = self.call_operand(part, arg, &takes);
            }
        }
        self.learn_stored(part, row, this, &given, receiver);
        let env = Env { params: env.params, this, args: &given, results: &results };
        let mut ty = row.returns.as_ref().map_or(Ty::UNKNOWN, |term| model.term_ty(term, &env));
        if let Some(crate::apis::term::Term::Param(name)) = &row.returns
            && row.params.iter().any(|p| **p == **name)
        {
            ty = self.collected(if ty.is_known() { ty } else { expected }, this);
        }
        match row {
            _ if row.never => Ty::NEVER,
            _ if row.is_async => model.future(ty, None),
            _ => ty,
        }
    }

    fn turbofish(&self, part: usize, row: &'static FnRow, path: PathId, env: &mut Env<'static>) {
        let Part { scope, body, .. } = &self.parts[part];
        let written = body.types.path_segments(path).last().map_or(Default::default(), |s| s.args);
        let types = written.of(&body.types.args);
        for (index, name) in row.params.iter().enumerate() {
            let ty = types.get(index).map_or(Ty::UNKNOWN, |&t| self.model.lower_ty(scope, &body.types, t));
            env.params.push((name, ty));
        }
    }

    /// `collect::<Vec<_>>()`: a container whose elements were not written holds what the receiver yields.
    fn collected(&self, ty: Ty, this: Ty) -> Ty {
        let model = self.model;
        if !ty.is_known() || !model.is_partial(ty) {
            return ty;
        }
        let item = model.iterated(this);
        match model.external_path(ty) {
            Some(known::RESULT) => {
                let inner = self.filled(model.arg(ty, 0), model.success(item));
                model.merge(ty, model.external(known::RESULT, &[inner, model.arg(item, 1)]))
            }
            Some(known::OPTION) => {
                let inner = self.filled(model.arg(ty, 0), model.success(item));
                model.merge(ty, model.external(known::OPTION, &[inner]))
            }
            _ => self.filled(ty, item),
        }
    }

    /// A collection type with its unknown arguments set so that iterating over it yields `item`.
    fn filled(&self, ty: Ty, item: Ty) -> Ty {
        let model = self.model;
        let Some(row) = model.type_row(ty) else { return ty };
        let (Some(path), Some(yields)) = (model.external_path(ty), &row.iterates) else { return ty };
        let mut args = vec![Ty::UNKNOWN; row.params.len()];
        fill_params(model, yields, item, &row.params, &mut args);
        model.merge(ty, model.external(path, &args))
    }

    /// `v.push(x)`, `m.insert(k, x)`: what goes in tells what a collection holds.
    fn learn_stored(&mut self, part: usize, row: &FnRow, this: Ty, given: &[Ty], receiver: Option<Operand>) {
        let model = self.model;
        let local = receiver.and_then(|r| r.as_place()).and_then(|(_, p)| self.parts[part].body.whole_local(p));
        let (Some(local), Some(path)) = (local, model.external_path(this)) else { return };
        if row.stores.is_empty()
            || !model.is_partial(this)
            || model.external_path(self.parts[part].locals[local.index()]) != Some(path)
        {
            return;
        }
        let Some(of) = model.type_row_at(path) else { return };
        let mut args = vec![Ty::UNKNOWN; of.params.len()];
        let at = |index: u8| given.get(index as usize).copied().unwrap_or_default();
        let name = split_last(&row.path).map_or("", |(_, name)| name);
        match of.collection {
            Some(Collection::Map) if row.stores.len() == 2 => {
                for (term, &index) in [&of.key, &of.element].into_iter().zip(&row.stores) {
                    term.iter().for_each(|t| fill_params(model, t, at(index), &of.params, &mut args));
                }
            }
            Some(Collection::Map) | None => {}
            Some(_) => {
                let several = matches!(name, "extend" | "append");
                let stored = row.stores.last().map_or(Ty::UNKNOWN, |&i| at(i));
                let element = if several { model.iterated(stored) } else { stored };
                of.element.iter().for_each(|t| fill_params(model, t, element, &of.params, &mut args));
            }
        }
        self.refine(part, local, model.external(path, &args));
    }

    fn method_call(&mut self, part: usize, path: PathId, args: &[Operand]) -> Call {
        let Some((&receiver, rest)) = args.split_first() else { return UNKNOWN };
        let Part { scope, body, .. } = &self.parts[part];
        let (module, file) = (scope.module, scope.file);
        let Some(name) = body.types.last_name(path).get() else { return UNKNOWN };
        let name = self.model.name(file, name);
        let ty = self.operand_ty(part, receiver);
        match self.model.method(ty, name, module) {
            Method::Own(def, found) => self.own_method(part, def, found, path, args),
            Method::Row(path_of, row, found) => {
                let ty = self.row_call(part, row, found, path, rest, Some(receiver));
                Call { callee: Callee::External(path_of), ty }
            }
            Method::Distinctive(path_of, row) => {
                let ty = self.row_call(part, row, Ty::UNKNOWN, path, rest, None);
                Call { callee: Callee::Distinctive(path_of), ty }
            }
            Method::Bare(path_of) => {
                self.visit_closures(part, rest);
                Call { callee: Callee::External(path_of), ty: Ty::UNKNOWN }
            }
            Method::Unknown => {
                self.visit_closures(part, rest);
                self.field_call(ty, name)
            }
        }
    }

    /// Closures given to something unknown still see what they capture.
    fn visit_closures(&mut self, part: usize, args: &[Operand]) {
        for &arg in args {
            self.call_operand(part, arg, &[]);
        }
    }

    fn field_call(&self, ty: Ty, name: Symbol) -> Call {
        // `#[derive(Clone)]` is all that is known of a derived method.
        let model = self.model;
        let derived = model.autoderef(ty).find(|&ty| match *model.ty(ty) {
            TyData::Adt(def, _) => name == known::CLONE && model.derives(def, "Clone"),
            _ => false,
        });
        match derived {
            Some(ty) => Call { callee: Callee::External(known::CLONE_METHOD), ty },
            None => UNKNOWN,
        }
    }

    fn own_method(&mut self, part: usize, def: DefId, found: Ty, path: PathId, args: &[Operand]) -> Call {
        let model = self.model;
        let mut subst = self.path_subst(part, path, def);
        match model.impl_of(def) {
            Some(block) => subst.extend(model.impl_subst(block, found)),
            None => {
                let of = model.container(def);
                subst.extend(of.map(|owner| (Param { owner, index: Param::SELF }, found)));
            }
        }
        self.own_call(part, def, subst, args)
    }
}

/// Sets the parameters that a term consists of so that it means `ty`.
fn fill_params(model: &Model, term: &crate::apis::term::Term, ty: Ty, params: &[String], out: &mut [Ty]) {
    use crate::apis::term::Term;
    match term {
        Term::Param(name) => {
            if let Some(index) = params.iter().position(|p| **p == **name) {
                out[index] = ty;
            }
        }
        Term::Tuple(parts) => {
            if let TyData::Tuple(tys) = model.ty(ty) {
                parts.iter().zip(tys).for_each(|(t, &ty)| fill_params(model, t, ty, params, out));
            }
        }
        _ => {}
    }
}

impl Model {
    /// Whether two types have the same head, whatever their arguments.
    fn same_head(&self, a: Ty, b: Ty) -> bool {
        match (self.ty(a), self.ty(b)) {
            (TyData::Adt(x, _), TyData::Adt(y, _)) => x == y,
            (TyData::External(x, _), TyData::External(y, _)) => x == y,
            (TyData::Prim(x), TyData::Prim(y)) => x == y,
            (TyData::Slice(_) | TyData::Array(_), TyData::Slice(_) | TyData::Array(_)) => true,
            (TyData::Tuple(x), TyData::Tuple(y)) => x.len() == y.len(),
            (TyData::Pointer(_), TyData::Pointer(_)) => true,
            (x, y) => x == y,
        }
    }

    /// The type of a row by path: `slice` and `str` are no paths.
    fn row_self(&self, path: Symbol, args: &[Ty]) -> Ty {
        match path {
            known::SLICE => self.intern_ty(TyData::Slice(args.first().copied().unwrap_or_default())),
            _ if !self.text(path).contains("::") => self.intern_ty(TyData::Prim(path)),
            _ => self.external(path, args),
        }
    }

    fn in_std_prelude_text(&self, of_trait: &str) -> bool {
        self.symbols.find(of_trait).is_some_and(|p| self.in_std_prelude(p))
    }

    /// What `receiver.name()` is, as the code of a module sees it.
    fn method(&self, receiver: Ty, name: Symbol, module: ModRef) -> Method {
        let mut innermost = Ty::UNKNOWN;
        for ty in self.autoderef(receiver) {
            let found = self.method_of(ty, name);
            if !matches!(found, Method::Unknown) && self.is_in_reach(&found, module) {
                return found;
            }
            if !matches!(self.ty(ty), TyData::Ref { .. }) {
                innermost = ty;
            }
        }
        let text = self.text(name);
        let known = innermost.is_known();
        if known && let Some(found) = self.trait_method(self.peel_refs(receiver), text, module) {
            return found;
        }
        let opaque = !matches!(self.ty(innermost), TyData::Adt(..));
        if opaque && let Some(row) = self.apis.distinctive(text) {
            return Method::Distinctive(self.symbols.intern(&row.path), row);
        }
        match *self.ty(innermost) {
            TyData::External(path, _) => Method::Bare(self.external_join(path, name)),
            _ => Method::Unknown,
        }
    }

    /// A private trait of another crate gives its methods to nobody here, nor does one of a crate that this one does not use.
    fn is_in_reach(&self, method: &Method, module: ModRef) -> bool {
        let Method::Own(def, _) = *method else { return true };
        let Some(Res::Def(of_trait)) = self.trait_of(def) else { return true };
        let (here, there) = (self.module(module).krate, self.module(self.def(of_trait).module).krate);
        let exported = self.item(of_trait).flags & item_flags::EXPORTED != 0;
        here == there || exported && self.is_built_on(here, there)
    }

    fn method_of(&self, ty: Ty, name: Symbol) -> Method {
        let path = match self.ty(ty) {
            TyData::Ref { .. } | TyData::Unknown => return Method::Unknown,
            TyData::External(path, _) | TyData::Prim(path) => Some(*path),
            TyData::Slice(_) | TyData::Array(_) => Some(known::SLICE),
            TyData::Pointer(_) => Some(known::POINTER),
            _ => None,
        };
        if let Some(path) = path {
            let joined = self.external_join(path, name);
            if let Some(row) = self.fn_row(joined).filter(|row| row.owner == Owner::Receiver) {
                return Method::Row(joined, row, ty);
            }
        }
        if let Some(def) = self.own_member(ty, name, Namespace::Value)
            && self.has_receiver(def)
        {
            return Method::Own(def, ty);
        }
        match self.bound_member(ty, name) {
            Res::Def(def) => Method::Own(def, ty),
            Res::External(path) => self.fn_row(path).map_or(Method::Unknown, |row| Method::Row(path, row, ty)),
            _ => Method::Unknown,
        }
    }

    /// The method of a trait of another crate that is in scope.
    fn trait_method(&self, ty: Ty, name: &str, module: ModRef) -> Option<Method> {
        for &id in self.apis.methods_named(name) {
            let row = self.apis.row(id);
            if row.owner != Owner::Trait {
                continue;
            }
            let (of, _) = split_last(&row.path)?;
            let of = self.symbols.intern(of);
            if self.in_std_prelude(of) || self.trait_in_scope(module, of) {
                return Some(Method::Row(self.symbols.intern(&row.path), row, ty));
            }
        }
        None
    }
}
