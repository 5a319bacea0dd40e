//! Paths and types as written. They go to the body that is being lowered, or else to the file's header.

use super::Lowerer;
use crate::facts::types::{PathId, PathNode, Segment, TypeId, TypeKind, TypeNode, TypeTable};
use crate::facts::{NameId, Run};
use syn::{GenericArgument, PathArguments, ReturnType, Type, TypeParamBound};

impl Lowerer {
    fn types(&mut self) -> &mut TypeTable {
        match self.stack.last_mut() {
            Some(state) => &mut state.body.types,
            None => &mut self.header.types,
        }
    }

    fn push_type(&mut self, kind: TypeKind, path: PathId, args: &[TypeId]) -> TypeId {
        let table = self.types();
        let args = push_run(&mut table.args, args);
        table.types.push(TypeNode { kind, path, args });
        TypeId(table.types.len() as u32 - 1)
    }

    fn push_path(&mut self, node: PathNode, segments: &[Segment]) -> PathId {
        let table = self.types();
        let segments = push_run(&mut table.segments, segments);
        table.paths.push(PathNode { segments, ..node });
        PathId(table.paths.len() as u32 - 1)
    }

    pub(super) fn ty(&mut self, ty: &Type) -> TypeId {
        match ty {
            Type::Path(ty) => {
                let path = self.qualified_path(&ty.path, ty.qself.as_ref());
                self.push_type(TypeKind::Path, path, &[])
            }
            Type::Reference(ty) => {
                let is_static = ty.lifetime.as_ref().is_some_and(|l| l.ident == "static");
                let kind = match (&ty.mutability, is_static) {
                    (Some(_), _) => TypeKind::RefMut,
                    (None, true) => TypeKind::StaticRef,
                    (None, false) => TypeKind::Ref,
                };
                self.unary_type(kind, &ty.elem)
            }
            Type::Ptr(ty) => self.unary_type(TypeKind::Pointer, &ty.elem),
            Type::Slice(ty) => self.unary_type(TypeKind::Slice, &ty.elem),
            Type::Array(ty) => self.unary_type(TypeKind::Array, &ty.elem),
            Type::Group(ty) => self.ty(&ty.elem),
            Type::Paren(ty) => self.ty(&ty.elem),
            Type::Tuple(ty) => {
                let args: Vec<_> = ty.elems.iter().map(|t| self.ty(t)).collect();
                self.push_type(TypeKind::Tuple, PathId::NONE, &args)
            }
            Type::FnPtr(ty) => {
                let mut args: Vec<_> = ty.inputs.iter().map(|a| self.ty(&a.ty)).collect();
                args.push(self.return_type(&ty.output));
                self.push_type(TypeKind::Fn, PathId::NONE, &args)
            }
            Type::ImplTrait(ty) => self.bounds_type(TypeKind::Impl, ty.bounds.iter()),
            Type::TraitObject(ty) => self.bounds_type(TypeKind::Dyn, ty.bounds.iter()),
            Type::Never(_) => self.push_type(TypeKind::Never, PathId::NONE, &[]),
            Type::Infer(_) => self.push_type(TypeKind::Infer, PathId::NONE, &[]),
            _ => self.push_type(TypeKind::Opaque, PathId::NONE, &[]),
        }
    }

    fn unary_type(&mut self, kind: TypeKind, inner: &Type) -> TypeId {
        let inner = self.ty(inner);
        self.push_type(kind, PathId::NONE, &[inner])
    }

    /// The written result type; unit if none is.
    pub(super) fn return_type(&mut self, output: &ReturnType) -> TypeId {
        match output {
            ReturnType::Default => self.push_type(TypeKind::Tuple, PathId::NONE, &[]),
            ReturnType::Type(_, ty) => self.ty(ty),
        }
    }

    /// `impl A + B` or `dyn A + B` of the trait bounds; lifetimes are left out.
    pub(super) fn bounds_type<'a>(
        &mut self,
        kind: TypeKind,
        bounds: impl Iterator<Item = &'a TypeParamBound>,
    ) -> TypeId {
        let mut args = Vec::new();
        for bound in bounds {
            if let TypeParamBound::Trait(bound) = bound {
                let path = self.path(&bound.path);
                args.push(self.push_type(TypeKind::Path, path, &[]));
            }
        }
        self.push_type(kind, PathId::NONE, &args)
    }

    /// `Self`, `&Self` or `&mut Self`.
    pub(super) fn self_type(&mut self, reference: Option<bool>) -> TypeId {
        let name = self.name("Self");
        let path = self.single_segment(name);
        let this = self.push_type(TypeKind::Path, path, &[]);
        match reference {
            None => this,
            Some(mutable) => {
                let kind = if mutable { TypeKind::RefMut } else { TypeKind::Ref };
                self.push_type(kind, PathId::NONE, &[this])
            }
        }
    }

    /// A path of one segment without arguments.
    pub(super) fn single_segment(&mut self, name: NameId) -> PathId {
        let segment = Segment { name, args: Run::default(), bindings: Run::default() };
        self.push_path(plain_path(), &[segment])
    }

    /// A method's name with its turbofish, as a path of one segment.
    pub(super) fn method_path(&mut self, call: &syn::ExprMethodCall) -> PathId {
        let name = self.ident(&call.method);
        let (args, bindings) = match &call.turbofish {
            Some(generics) => self.angle_args(generics),
            None => Default::default(),
        };
        self.push_path(plain_path(), &[Segment { name, args, bindings }])
    }

    pub(super) fn path(&mut self, path: &syn::Path) -> PathId {
        self.qualified_path(path, None)
    }

    pub(super) fn qualified_path(&mut self, path: &syn::Path, qself: Option<&syn::QSelf>) -> PathId {
        let trait_segments = qself.map_or(0, |q| q.position as u32);
        let qself = qself.map_or(TypeId::NONE, |q| self.ty(&q.ty));
        let mut segments = Vec::with_capacity(path.segments.len());
        for segment in &path.segments {
            let name = self.ident(&segment.ident);
            let (args, bindings) = self.segment_args(&segment.arguments);
            segments.push(Segment { name, args, bindings });
        }
        let node = PathNode { global: path.leading_colon.is_some(), qself, trait_segments, segments: Run::default() };
        self.push_path(node, &segments)
    }

    fn segment_args(&mut self, arguments: &PathArguments) -> (Run, Run) {
        match arguments {
            PathArguments::None => Default::default(),
            PathArguments::AngleBracketed(generics) => self.angle_args(generics),
            PathArguments::Parenthesized(signature) => {
                let inputs: Vec<_> = signature.inputs.iter().map(|a| self.ty(&a.ty)).collect();
                let inputs = self.push_type(TypeKind::Tuple, PathId::NONE, &inputs);
                let output = self.return_type(&signature.output);
                let name = self.name("Output");
                let table = self.types();
                (push_run(&mut table.args, &[inputs]), push_run(&mut table.bindings, &[(name, output)]))
            }
        }
    }

    fn angle_args(&mut self, generics: &syn::AngleBracketedGenericArguments) -> (Run, Run) {
        let (mut args, mut bindings) = (Vec::new(), Vec::new());
        for argument in &generics.args {
            match argument {
                GenericArgument::Type(ty) => args.push(self.ty(ty)),
                GenericArgument::AssocType(binding) => {
                    let name = self.ident(&binding.ident);
                    bindings.push((name, self.ty(&binding.ty)));
                }
                _ => {}
            }
        }
        let table = self.types();
        (push_run(&mut table.args, &args), push_run(&mut table.bindings, &bindings))
    }
}

fn plain_path() -> PathNode {
    PathNode { global: false, qself: TypeId::NONE, trait_segments: 0, segments: Run::default() }
}

/// Appends `entries` and returns where they are.
pub(super) fn push_run<T: Copy>(table: &mut Vec<T>, entries: &[T]) -> Run {
    let start = table.len() as u32;
    table.extend_from_slice(entries);
    Run { start, len: entries.len() as u32 }
}
