//! All facts linked: what each path means, which types values have, what each call calls.
//!
//! The model is immutable once linked and shared by threads; what depends on bodies is computed when asked for and not
//! kept. It knows the API tables but no lint.
//!
//! ```text
//! Model::link(units, packages, apis) -> Model
//! model.bodies()            every body with its header      model.roots()  the functions and initialisers among them
//! model.typed(root)         its body and the nested ones, decoded, with types and callees
//! model.resolve(..)         a path                          model.lower_ty(..)  a written type
//! model.def(id) .item(id)   an item                         model.has_drop(id) .methods(..) .implementors(..)
//! model.ty(ty)              a type's term                   model.field_ty(..) .deref(..) .element(..) .success(..)
//! ```

pub mod crates;
pub mod defs;
pub mod infer;
pub mod paths;
pub mod slots;
pub mod symbols;
pub mod types;

pub use crates::{Crate, CrateId, FileUnit, PackageInfo, TargetInfo, TargetKind};
pub use defs::{BodyRef, Def, DefId};
pub use infer::{BodyTypes, Callee, TypedBody, TypedFn};
pub use paths::{ModRef, Namespace, Res, Scope};
pub use symbols::{Symbol, Symbols, known};
pub use types::{Bound, Ty, TyData};

// The interface that the files of this module fill in:
//
// Model
//   link(Vec<FileUnit>, Vec<PackageInfo>, &'static Apis) -> Model
//   text(Symbol) -> &str                     name(FileId, NameId) -> Symbol         symbols: Symbols
//   file(FileId) -> &FileUnit                crate_of(ModRef) -> &Crate             module_of_def, scope_of_def
//   def(DefId) -> &Def                       item(DefId) -> &Item                   def_id(FileId, ItemId) -> DefId
//   def_path(DefId) -> Symbol  "krate::a::T::f"   item_path(DefId) -> String  as diagnostics print it
//   is_test(DefId) -> bool                   target(DefId) -> TargetKind            twins(DefId) -> &[DefId]
//   bodies() -> impl Iterator<(BodyRef, &BodyHeader)>       roots() -> impl Iterator<BodyRef>
//   body_header(BodyRef)  nested(BodyRef) -> impl Iterator<BodyRef>  body_of(DefId) -> Option<BodyRef>
//   owner(BodyRef) -> DefId                  body(BodyRef) -> Body                  typed(BodyRef root) -> TypedFn
//   scope_of_body(BodyRef) -> Scope          resolve(&Scope, &TypeTable, PathId, Namespace) -> Res
//   lower_ty(&Scope, &TypeTable, TypeId) -> Ty
//   has_drop(DefId) -> Option<DefId>         methods(DefId type, Symbol) -> &[DefId]
//   impls_of_type(DefId) -> &[DefId]         implementors(Res trait) -> &[DefId impl]
//   implementations(DefId trait_fn) -> Vec<DefId fn>
//   item_ty(DefId) -> Ty (static, const, alias target, impl self type, fn result)
//   params_of(DefId) -> Vec<Ty>              fields_of(DefId) -> &[Field]           field_decl_ty(DefId, usize) -> Ty
//   ty(Ty) -> &TyData   ty_text(Ty) -> String   head(Ty) -> Head
//   peel_refs(Ty) -> Ty    deref(Ty) -> Option<Ty> (one step)    autoderef(Ty) -> impl Iterator<Ty>
//   field_ty(Ty, Symbol) -> Ty   variant_field_ty(Ty, Res, Symbol) -> Ty   success(Ty) -> Ty   element(Ty) -> Ty
//   iterated(Ty) -> Ty   awaited(Ty) -> Ty   newtype_inner(Ty) -> Option<Ty>
//   type_row(Ty) -> Option<&'static TypeRow>   fn_row(Symbol) -> Option<&'static FnRow>   callee_row(Callee)
