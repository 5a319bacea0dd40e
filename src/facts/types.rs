//! Types and paths as written, in flat tables. Nothing is resolved here.

use super::{NameId, Run, ids};
use serde::{Deserialize, Serialize};

ids! {
    /// An entry of [`TypeTable::types`].
    TypeId,
    /// An entry of [`TypeTable::paths`].
    PathId,
}

/// The shape of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TypeKind {
    /// `a::B<C>`; see [`TypeNode::path`].
    Path,
    /// `&T`; one argument.
    Ref,
    /// `&'static T`; one argument.
    StaticRef,
    /// `&mut T`; one argument.
    RefMut,
    /// `*const T` or `*mut T`; one argument.
    Pointer,
    /// `(A, B)`; unit has no arguments.
    Tuple,
    /// `[T]`; one argument.
    Slice,
    /// `[T; n]`; one argument.
    Array,
    /// `fn(A) -> B`; the last argument is the result.
    Fn,
    /// `impl A + B`, and the bounds of a generic; arguments are paths.
    Impl,
    /// `dyn A + B`; arguments are paths.
    Dyn,
    /// `!`.
    Never,
    /// `_`.
    Infer,
    /// A macro call, or anything else that is not looked into.
    Opaque,
}

/// A type as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TypeNode {
    /// Its shape.
    pub kind: TypeKind,
    /// The path of [`TypeKind::Path`].
    pub path: PathId,
    /// A run of [`TypeTable::args`].
    #[serde(with = "super::encoding::sparse")]
    pub args: Run,
}

/// A path as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PathNode {
    /// Starts with `::`.
    pub global: bool,
    /// The type of `<T as …>::…`; none otherwise.
    pub qself: TypeId,
    /// How many leading segments belong to the trait of `<T as a::Trait>::f`.
    pub trait_segments: u32,
    /// A run of [`TypeTable::segments`], after those of the path before it. `crate`, `self`, `super` and `Self` are names like others.
    pub segments: Run,
}

/// A segment with its generic arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Segment {
    /// Its name.
    pub name: NameId,
    /// Type arguments (lifetimes and consts are left out): a run of [`TypeTable::args`]. `Fn(A, B) -> C` has one tuple
    /// argument and the binding `Output = C`.
    #[serde(with = "super::encoding::sparse")]
    pub args: Run,
    /// `Item = T` bindings: a run of [`TypeTable::bindings`].
    #[serde(with = "super::encoding::sparse")]
    pub bindings: Run,
}

/// The tables.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TypeTable {
    /// Types.
    pub types: Vec<TypeNode>,
    /// Arguments of types and segments.
    pub args: Vec<TypeId>,
    /// Paths.
    #[serde(with = "super::encoding::paths")]
    pub paths: Vec<PathNode>,
    /// Segments of paths.
    pub segments: Vec<Segment>,
    /// Associated type bindings.
    pub bindings: Vec<(NameId, TypeId)>,
}

impl TypeTable {
    /// The node of a type.
    pub fn ty(&self, id: TypeId) -> TypeNode {
        self.types[id.index()]
    }

    /// The arguments of a type.
    pub fn type_args(&self, id: TypeId) -> &[TypeId] {
        self.ty(id).args.of(&self.args)
    }

    /// The node of a path.
    pub fn path(&self, id: PathId) -> PathNode {
        self.paths[id.index()]
    }

    /// The segments of a path.
    pub fn path_segments(&self, id: PathId) -> &[Segment] {
        self.path(id).segments.of(&self.segments)
    }

    /// The name of a path's last segment.
    pub fn last_name(&self, id: PathId) -> NameId {
        self.path_segments(id).last().map_or(NameId::NONE, |s| s.name)
    }
}
