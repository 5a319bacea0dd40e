//! Paths of other crates: canonical by the API tables, with their rows; the standard prelude.

use super::Model;
use super::memo::Memo;
use super::paths::{Namespace, Res};
use super::slots::Slots;
use super::symbols::{Symbol, Symbols, known};
use crate::apis::{AliasRow, FnRow, TypeRow, split_last};
use rustc_hash::FxHashMap;
use std::sync::OnceLock;

/// What was found out about external paths.
#[derive(Default)]
pub struct Externals {
    joins: Memo<(Symbol, Symbol), Symbol>,
    /// By symbol of a path.
    functions: Slots<Option<&'static FnRow>>,
    types: Slots<OfType>,
    prelude: OnceLock<FxHashMap<Symbol, Symbol>>,
    prims: OnceLock<Vec<Symbol>>,
}

/// What the tables say of a path that stands for a type.
#[derive(Clone, Copy)]
pub(super) struct OfType {
    pub row: Option<&'static TypeRow>,
    pub alias: Option<&'static AliasRow>,
    /// Whether it is some crate's own `Result`, of which nothing else is known.
    pub is_result: bool,
}

/// Names of the standard prelude (edition 2021) with the module that defines them.
const PRELUDE: &[(&str, &str)] = &[
    ("AsMut", "std::convert"),
    ("AsRef", "std::convert"),
    ("Box", "std::boxed"),
    ("Clone", "std::clone"),
    ("Copy", "std::marker"),
    ("Default", "std::default"),
    ("DoubleEndedIterator", "std::iter"),
    ("Drop", "std::ops"),
    ("Eq", "std::cmp"),
    ("Err", "std::result::Result"),
    ("ExactSizeIterator", "std::iter"),
    ("Extend", "std::iter"),
    ("Fn", "std::ops"),
    ("FnMut", "std::ops"),
    ("FnOnce", "std::ops"),
    ("From", "std::convert"),
    ("FromIterator", "std::iter"),
    ("Future", "std::future"),
    ("Into", "std::convert"),
    ("IntoFuture", "std::future"),
    ("IntoIterator", "std::iter"),
    ("Iterator", "std::iter"),
    ("None", "std::option::Option"),
    ("Ok", "std::result::Result"),
    ("Option", "std::option"),
    ("Ord", "std::cmp"),
    ("PartialEq", "std::cmp"),
    ("PartialOrd", "std::cmp"),
    ("Result", "std::result"),
    ("Send", "std::marker"),
    ("Sized", "std::marker"),
    ("Some", "std::option::Option"),
    ("String", "std::string"),
    ("Sync", "std::marker"),
    ("ToOwned", "std::borrow"),
    ("ToString", "std::string"),
    ("TryFrom", "std::convert"),
    ("TryInto", "std::convert"),
    ("Unpin", "std::marker"),
    ("Vec", "std::vec"),
    ("drop", "std::mem"),
];

const PRIMITIVES: &[&str] = &[
    "bool", "char", "f32", "f64", "i128", "i16", "i32", "i64", "i8", "isize", "str", "u128", "u16", "u32", "u64", "u8",
    "usize",
];

impl Externals {
    /// What a name means that nothing else explains.
    pub(super) fn prelude(&self, symbols: &Symbols, name: Symbol, namespace: Namespace) -> Option<Res> {
        let table = self.prelude.get_or_init(|| {
            PRELUDE.iter().map(|(name, of)| (symbols.intern(name), symbols.intern(&format!("{of}::{name}")))).collect()
        });
        if namespace == Namespace::Macro {
            return None;
        }
        if let Some(&path) = table.get(&name) {
            return Some(Res::External(path));
        }
        (namespace == Namespace::Type).then(|| self.primitive(symbols, name)).flatten()
    }

    /// The primitive type of that name.
    pub(super) fn primitive(&self, symbols: &Symbols, name: Symbol) -> Option<Res> {
        let prims = self.prims.get_or_init(|| PRIMITIVES.iter().map(|p| symbols.intern(p)).collect());
        prims.contains(&name).then_some(Res::Prim(name))
    }
}

impl Model {
    /// `path::name` as the API tables call it.
    pub(super) fn external_join(&self, path: Symbol, name: Symbol) -> Symbol {
        self.externals.joins.get_or((path, name), || self.canonical(self.symbols.join(path, name)))
    }

    fn canonical(&self, path: Symbol) -> Symbol {
        let text = self.text(path);
        let of_version = self.apis.of_version(text);
        let text = match &of_version {
            None => text,
            Some(key) if key.contains('@') => return self.symbols.intern(key),
            Some(plain) => plain,
        };
        if let Some(row) = self.apis.function(text) {
            return self.symbols.intern(&row.path);
        }
        // An alias keeps its own path: its parameters may differ from those of what it names.
        if let Some(row) = self.apis.alias(text) {
            return self.symbols.intern(&row.path);
        }
        let found = self.apis.canonical(text).or_else(|| self.apis.attribute(text).map(|row| &*row.path));
        found.map_or(path, |canonical| self.symbols.intern(canonical))
    }

    /// `path::name`, if the tables have a row for it.
    pub(super) fn external_in_glob(&self, path: Symbol, name: Symbol) -> Option<Symbol> {
        let joined = self.external_join(path, name);
        let text = self.text(joined);
        let known = self.apis.canonical(text).is_some()
            || self.apis.function(text).is_some()
            || self.apis.attribute(text).is_some();
        known.then_some(joined)
    }

    /// The row of a function by its canonical path.
    pub fn fn_row(&self, path: Symbol) -> Option<&'static FnRow> {
        *self.externals.functions.get_or_init(path.0, || self.apis.function(self.text(path)))
    }

    /// The row of a type by its canonical path.
    pub fn type_row_at(&self, path: Symbol) -> Option<&'static TypeRow> {
        self.of_type(path).row
    }

    /// What the tables say of a path that stands for a type.
    pub(super) fn of_type(&self, path: Symbol) -> OfType {
        *self.externals.types.get_or_init(path.0, || {
            let text = self.text(path);
            let row = self.apis.type_row(text);
            let is_result = row.is_none() && path != known::RESULT && self.symbols.last_segment(path) == "Result";
            OfType { row, alias: self.apis.alias(text), is_result }
        })
    }

    /// Whether a trait's methods can be called without an import.
    pub(super) fn in_std_prelude(&self, of_trait: Symbol) -> bool {
        let text = self.text(of_trait);
        let Some((module, name)) = split_last(text) else { return false };
        PRELUDE.binary_search_by_key(&name, |(n, _)| n).is_ok_and(|i| PRELUDE[i].1 == module)
    }

    /// Whether a path is one of the closure traits.
    pub(super) fn is_fn_trait(path: Symbol) -> bool {
        matches!(path, known::FN | known::FN_MUT | known::FN_ONCE)
    }
}
