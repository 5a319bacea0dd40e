//! What one file says, without its syntax tree: flat tables, ids instead of boxes, `Send` and serialisable.
//!
//! Facts come in two tiers. The [`Header`] (modules, uses, items, fields, signatures, and per body the names it calls
//! and the fields it touches) is always at hand. A [`body::Body`] is control flow over places; bodies are kept encoded
//! and decoded one at a time, when a lint's seed or a summary asks.
//!
//! Facts depend on the file's text alone: nothing here knows a lint, a config or an API table, and no path is resolved.

pub mod body;
pub mod dump;
mod encoding;
pub mod operators;
pub mod outline;
pub mod types;

use crate::source::TextRange;
use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        /// Small numbers take few bytes, and "none" is written most often: it is written as 0.
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u32(self.0.wrapping_add(1))
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                u32::deserialize(deserializer).map(|id| $name(id.wrapping_sub(1)))
            }
        }

        impl $name {
            /// Stands for "none" where an id is optional.
            pub const NONE: $name = $name(u32::MAX);

            /// The index into its table.
            pub fn index(self) -> usize {
                self.0 as usize
            }

            /// Whether this is [`Self::NONE`].
            pub fn is_none(self) -> bool {
                self == Self::NONE
            }

            /// `None` for [`Self::NONE`].
            pub fn get(self) -> Option<$name> {
                (!self.is_none()).then_some(self)
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::NONE
            }
        }
    )*};
}
pub(crate) use ids;

ids! {
    /// A name in the file's [`Names`].
    NameId,
    /// An entry of [`Header::modules`].
    ModuleId,
    /// An entry of [`Header::items`].
    ItemId,
    /// An entry of [`Header::bodies`].
    BodyId,
}

/// A half-open run of entries in some table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Run {
    /// First entry.
    pub start: u32,
    /// Number of entries.
    pub len: u32,
}

impl Run {
    /// The entries of `table` in this run.
    pub fn of<T>(self, table: &[T]) -> &[T] {
        &table[self.start as usize..(self.start + self.len) as usize]
    }

    /// The indices of this run.
    pub fn ids(self) -> std::ops::Range<u32> {
        self.start..self.start + self.len
    }
}

/// The file's interned names: one text and where each name ends in it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Names {
    text: String,
    ends: Vec<u32>,
}

impl Names {
    /// Appends `name`; the caller has seen that it is new.
    pub fn push(&mut self, name: &str) -> NameId {
        self.text.push_str(name);
        self.ends.push(self.text.len() as u32);
        NameId(self.ends.len() as u32 - 1)
    }

    /// The text of a name.
    pub fn get(&self, id: NameId) -> &str {
        let start = if id.0 == 0 { 0 } else { self.ends[id.index() - 1] as usize };
        &self.text[start..self.ends[id.index()] as usize]
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// All facts of one file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct FileFacts {
    /// Names of header and bodies.
    pub names: Names,
    /// The tier that is always loaded.
    pub header: Header,
    /// The encoded bodies; [`BodyHeader::bytes`] are ranges in it.
    pub encoded: Vec<u8>,
}

impl FileFacts {
    /// Decodes one body.
    ///
    /// # Panics
    /// If the encoding is not what [`FileFacts`] was made with, which a version check rules out.
    pub fn body(&self, id: BodyId) -> body::Body {
        let bytes = self.header.bodies[id.index()].bytes;
        postcard::from_bytes(bytes.of(&self.encoded)).expect("facts were encoded by this version")
    }
}

/// The tier of facts that is always loaded.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Header {
    /// Types and paths that the header's entries name.
    pub types: types::TypeTable,
    /// Modules; the first is the file itself. Function bodies that hold items or uses are modules too.
    pub modules: Vec<Module>,
    /// `use` and `extern crate`, flattened: one entry per imported name or glob.
    pub uses: Vec<Use>,
    /// Everything declared. An item stands after the item that contains it.
    pub items: Vec<Item>,
    /// Fields of structs, variants and unions.
    pub fields: Vec<Field>,
    /// Enum variants.
    pub variants: Vec<Variant>,
    /// Generic parameters.
    pub generics: Vec<Generic>,
    /// Function parameters, `self` first.
    pub params: Vec<Param>,
    /// Attributes, each with the paths named in its argument list.
    pub attributes: Vec<Attribute>,
    /// Names within attribute arguments and opaque macro bodies.
    pub words: Vec<NameId>,
    /// One per function, closure, async block, and initialiser.
    pub bodies: Vec<BodyHeader>,
    /// Names called in bodies, fields they touch, statics they name: sorted runs.
    pub body_names: Vec<NameId>,
    /// Item-level macro calls that could not be parsed: all identifiers in them, as runs of `words` by module.
    pub opaque_macros: Vec<(ModuleId, Run)>,
    /// Number of lines of the file.
    pub lines: u32,
}

/// A module, or a function body that acts as one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Module {
    /// Its name; none for the file's root and for bodies.
    pub name: NameId,
    /// The enclosing module of this file.
    pub parent: ModuleId,
    /// `mod x { … }`, `mod x;` or a body.
    pub kind: ModuleKind,
    /// Text of `#[path = "…"]`.
    pub path_attribute: NameId,
    /// Whether everything in it is compiled for tests only.
    pub test: bool,
    /// Whether it can be seen outside its parent.
    pub public: bool,
}

/// What a [`Module`] stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModuleKind {
    /// The file.
    Root,
    /// `mod x { … }`.
    Inline,
    /// `mod x;`: another file holds it.
    File,
    /// A function body with items or uses of its own.
    Body,
}

/// One imported name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Use {
    /// Where it is imported.
    pub module: ModuleId,
    /// The imported path.
    pub path: types::PathId,
    /// The name it gets; `_` for unnamed traits; none for a glob.
    pub alias: NameId,
    /// Whether it is `::*`.
    pub glob: bool,
    /// Whether others can import it from here.
    pub public: bool,
}

/// What an [`Item`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ItemKind {
    /// A function, method, or foreign function.
    Fn,
    /// A struct.
    Struct,
    /// A union.
    Union,
    /// An enum.
    Enum,
    /// A trait.
    Trait,
    /// An impl block; `ty` is the self type.
    Impl,
    /// `type A = B`, associated or not.
    Alias,
    /// A static, also from `lazy_static!`, and `thread_local!` (see [`Item::flags`]).
    Static,
    /// A const, associated or not.
    Const,
    /// An `extern "C"` block.
    ForeignBlock,
    /// `macro_rules!`.
    Macro,
}

/// Facts about an item that need one bit.
pub mod item_flags {
    /// `pub` or more visible than the module.
    pub const PUBLIC: u16 = 1;
    /// `pub` without restriction.
    pub const EXPORTED: u16 = 2;
    /// Under `cfg(test)`, `#[test]` or in an item that is.
    pub const TEST: u16 = 4;
    /// `async fn`.
    pub const ASYNC: u16 = 8;
    /// `const fn`.
    pub const CONST: u16 = 16;
    /// A static of `thread_local!`.
    pub const THREAD_LOCAL: u16 = 32;
    /// A static of `lazy_static!`: its type is what the accessor dereferences to.
    pub const LAZY: u16 = 64;
    /// `static mut`.
    pub const MUTABLE: u16 = 128;
    /// Declared in an `extern` block, or `extern "C"`.
    pub const FOREIGN: u16 = 256;
    /// Under a `cfg` that is not about tests.
    pub const CFG: u16 = 512;
    /// `unsafe`.
    pub const UNSAFE: u16 = 1024;
    /// A negative impl, `impl !Trait for T`.
    pub const NEGATIVE: u16 = 2048;
}

/// A declaration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// Its name; none for impl and foreign blocks.
    pub name: NameId,
    /// The module it stands in.
    pub module: ModuleId,
    /// The impl, trait, or foreign block it stands in.
    pub parent: ItemId,
    /// From [`item_flags`].
    pub flags: u16,
    /// The name's bytes (for an impl block, those of the self type).
    pub span: TextRange,
    /// Alias target, static or const type, impl self type, fn return type (none: unit).
    pub ty: types::TypeId,
    /// The trait of an impl block.
    pub of_trait: types::PathId,
    /// Generic parameters.
    pub generics: Run,
    /// Parameters of a fn.
    pub params: Run,
    /// Fields of a struct or union.
    pub fields: Run,
    /// Variants of an enum.
    pub variants: Run,
    /// Attributes.
    pub attributes: Run,
    /// Body of a fn, initialiser of a static or const.
    pub body: BodyId,
}

/// A field.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Field {
    /// Its name; `0`, `1` … in tuple structs.
    pub name: NameId,
    /// Its type.
    pub ty: types::TypeId,
    /// Whether it can be seen outside its module.
    pub public: bool,
    /// Where it is declared: its name, or its type in tuple structs.
    pub span: TextRange,
}

/// An enum variant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Variant {
    /// Its name.
    pub name: NameId,
    /// Its fields.
    pub fields: Run,
    /// The name's bytes.
    pub span: TextRange,
}

/// A generic type parameter with all its bounds, where-clauses included.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Generic {
    /// Its name.
    pub name: NameId,
    /// Bounds, as one `impl A + B` type; none without bounds.
    pub bounds: types::TypeId,
}

/// A function parameter.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Param {
    /// Its name if the pattern is one; `self` for receivers.
    pub name: NameId,
    /// Its type; for receivers `Self`, `&Self`, `&mut Self` or the written one.
    pub ty: types::TypeId,
}

/// An attribute.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Attribute {
    /// `tokio::main`, `allow`, `derive`, `get` …
    pub path: types::PathId,
    /// Identifiers in its argument, in order: `clippy mem_forget` for `allow(clippy::mem_forget)`.
    pub words: Run,
    /// What it is written on, as bytes.
    pub target: TextRange,
}

/// What a body is the body of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BodyKind {
    /// A function (`async fn` has [`item_flags::ASYNC`] on its item).
    Fn,
    /// A closure.
    Closure,
    /// `async { … }`, and the body of an async closure.
    AsyncBlock,
    /// The initialiser of a static, const, lazy static or thread local.
    Initialiser,
}

/// Facts about a body that need one bit.
pub mod body_flags {
    /// Has a loop.
    pub const LOOP: u8 = 1;
    /// Has an `.await`.
    pub const AWAIT: u8 = 2;
    /// Has an edge of kind error.
    pub const ERROR_EXIT: u8 = 4;
    /// Has an edge of kind early.
    pub const EARLY_EXIT: u8 = 8;
    /// Has a macro call whose arguments could not be parsed.
    pub const OPAQUE_MACRO: u8 = 16;
    /// `move` closure or async block.
    pub const MOVE: u8 = 32;
    /// Async closure.
    pub const ASYNC: u8 = 64;
    /// The body of a `stream!`: it runs as far as somebody asks for items.
    pub const STREAM: u8 = 128;
}

/// What is known of a body without decoding it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BodyHeader {
    /// What it is.
    pub kind: BodyKind,
    /// From [`body_flags`].
    pub flags: u8,
    /// The function, static or const it stands in.
    pub item: ItemId,
    /// The body it is nested in (closures and async blocks).
    pub parent: BodyId,
    /// Where its paths are resolved.
    pub module: ModuleId,
    /// Where it stands; for closures and async blocks the opening tokens.
    pub span: TextRange,
    /// Last segments of what it calls and of the paths it names, sorted: a run of `body_names`.
    pub calls: Run,
    /// Fields it touches, sorted: a run of `body_names`.
    pub fields: Run,
    /// Where its encoding is.
    pub bytes: Run,
}
