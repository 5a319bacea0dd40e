//! Names and canonical paths of the whole run, interned.
//!
//! Bodies are resolved lazily and by several threads, so symbols are also made after linking: their numbers say nothing,
//! and nothing that is printed may be ordered by them.

use super::memo::Memo;
use super::slots::Slots;
use crate::apis::split_last;
use rustc_hash::FxHashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// An interned name (`push`) or canonical path (`std::vec::Vec::push`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(pub u32);

/// The interner.
#[derive(Default)]
pub struct Symbols {
    texts: Slots<Arc<str>>,
    ids: RwLock<FxHashMap<Arc<str>, Symbol>>,
    /// `(a::b, c)` → `a::b::c`: so that a path is put together as text only once.
    joins: Memo<(Symbol, Symbol), Symbol>,
}

macro_rules! known {
    ($($name:ident = $text:literal),* $(,)?) => {
        const KNOWN: &[&str] = &[$($text),*];

        /// Symbols whose text the language fixes.
        pub mod known {
            use super::Symbol;
            #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "only counts")]
            enum Index { $($name),* }
            $(#[doc = concat!("`", $text, "`")] pub const $name: Symbol = Symbol(Index::$name as u32);)*
        }
    };
}

known! {
    EMPTY = "",
    CRATE = "crate",
    SELF = "self",
    SUPER = "super",
    SELF_TYPE = "Self",
    DOLLAR_CRATE = "$crate",
    STD = "std",
    CORE = "core",
    ALLOC = "alloc",
    PROC_MACRO = "proc_macro",
    UNDERSCORE = "_",
    ZERO = "0",
    DEREF = "deref",
    DROP = "drop",
    TARGET = "Target",
    OUTPUT = "Output",
    ITEM = "Item",
    CLONE = "clone",
    AWAIT = "await",
    RESULT_NAME = "Result",
    SOME_NAME = "Some",
    OK_NAME = "Ok",
    ERR_NAME = "Err",
    BOOL = "bool",
    STR = "str",
    CHAR = "char",
    USIZE = "usize",
    OPTION = "std::option::Option",
    SOME = "std::option::Option::Some",
    NONE = "std::option::Option::None",
    RESULT = "std::result::Result",
    OK = "std::result::Result::Ok",
    ERR = "std::result::Result::Err",
    POLL = "std::task::Poll",
    READY = "std::task::Poll::Ready",
    CONTROL_FLOW = "std::ops::ControlFlow",
    BOX = "std::boxed::Box",
    RC = "std::rc::Rc",
    ARC = "std::sync::Arc",
    PIN = "std::pin::Pin",
    VEC = "std::vec::Vec",
    STRING = "std::string::String",
    LOCAL_KEY = "std::thread::LocalKey",
    FMT_RESULT = "std::fmt::Result",
    FMT_ERROR = "std::fmt::Error",
    IO_ERROR = "std::io::Error",
    DROP_TRAIT = "std::ops::Drop",
    DEREF_TRAIT = "std::ops::Deref",
    CLONE_TRAIT = "std::clone::Clone",
    CLONE_METHOD = "std::clone::Clone::clone",
    FN = "std::ops::Fn",
    FN_MUT = "std::ops::FnMut",
    FN_ONCE = "std::ops::FnOnce",
    FUTURE = "std::future::Future",
    INTO_FUTURE = "std::future::IntoFuture",
    RANGE = "std::ops::Range",
    SLICE = "slice",
    POINTER = "pointer",
}

impl Symbols {
    /// An interner that knows the symbols of [`known`].
    pub fn new() -> Symbols {
        let symbols = Symbols::default();
        for (index, text) in KNOWN.iter().enumerate() {
            let symbol = symbols.intern(text);
            debug_assert_eq!(symbol.0 as usize, index, "{text} is listed twice");
        }
        symbols
    }

    /// The symbol of a text.
    pub fn intern(&self, text: &str) -> Symbol {
        if let Some(symbol) = self.find(text) {
            return symbol;
        }
        let mut ids = self.ids.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(&symbol) = ids.get(text) {
            return symbol;
        }
        let (symbol, shared) = (Symbol(ids.len() as u32), Arc::from(text));
        self.texts.set(symbol.0, Arc::clone(&shared));
        ids.insert(shared, symbol);
        symbol
    }

    /// The symbol of a text, if there is one already.
    pub fn find(&self, text: &str) -> Option<Symbol> {
        self.ids.read().unwrap_or_else(PoisonError::into_inner).get(text).copied()
    }

    /// The text of a symbol.
    pub fn text(&self, symbol: Symbol) -> &str {
        self.texts.get(symbol.0)
    }

    /// `path::name`; just `name` below the empty path.
    pub fn join(&self, path: Symbol, name: Symbol) -> Symbol {
        if path == known::EMPTY {
            return name;
        }
        self.joins.get_or((path, name), || self.intern(&format!("{}::{}", self.text(path), self.text(name))))
    }

    /// The text after the last `::`.
    pub fn last_segment(&self, path: Symbol) -> &str {
        let text = self.text(path);
        split_last(text).map_or(text, |(_, last)| last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_are_the_symbols_of_their_text() {
        let symbols = Symbols::new();
        let (sync, mutex) = (symbols.intern("std::sync"), symbols.intern("Mutex"));
        let joined = symbols.join(sync, mutex);
        assert_eq!(joined, symbols.intern("std::sync::Mutex"));
        assert_eq!(symbols.join(sync, mutex), joined);
        assert_eq!(symbols.last_segment(joined), "Mutex");
        assert_eq!(symbols.join(known::EMPTY, mutex), mutex);
    }
}
