//! The type terms of the API tables: `Result<Self, std::io::Error>`, `&mut T`, `(K, V)`, `closure0`.
//!
//! A term is a pattern that the typer fills in; nothing is resolved or substituted here.

use serde::Deserialize;

/// A type as a table row writes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub enum Term {
    /// `std::sync::Arc<T>`, `u32`, `str`. The prelude's `Option Result Box Vec String` are written without a path and
    /// stand here with it.
    Path {
        /// Canonical path; one segment for primitive types.
        path: Box<str>,
        /// Type arguments, without lifetimes.
        args: Vec<Term>,
    },
    /// `&T`, `&mut T`.
    Ref {
        /// `&mut`.
        mutable: bool,
        /// What it refers to.
        to: Box<Term>,
    },
    /// `*const T`, `*mut T`.
    Pointer(Box<Term>),
    /// `[T]`, which also stands for arrays; its methods are those of the type row `slice`.
    Slice(Box<Term>),
    /// `(A, B)`.
    Tuple(Vec<Term>),
    /// `()`.
    Unit,
    /// `!`.
    Never,
    /// `Self`: the type of the row (its arguments are those of the receiver).
    SelfType,
    /// `T`: a parameter of the type row or of the function row.
    Param(Box<str>),
    /// `arg0`: the type of an argument, not counting the receiver.
    Arg(u8),
    /// `closure0`: what the closure or function given as that argument returns.
    Closure(u8),
    /// `future0`: what the future given as that argument yields when awaited; the same as `output(arg0)`.
    Future(u8),
    /// `output(T)`: what awaiting a `T` gives.
    Output(Box<Term>),
    /// `item(T)`: what iterating over a `T` yields.
    Item(Box<Term>),
    /// `target(T)`: what `*x` reaches for an `x` of type `T`, which is a reference, pointer or smart pointer.
    Target(Box<Term>),
    /// `_`: not known.
    Unknown,
}

/// Why a term could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a type term: {reason} at byte {at}")]
pub struct TermError {
    text: String,
    reason: &'static str,
    at: usize,
}

/// Terms nested deeper than this are refused.
const MAX_DEPTH: u32 = 32;

const PRELUDE: [(&str, &str); 5] = [
    ("Box", "std::boxed::Box"),
    ("Option", "std::option::Option"),
    ("Result", "std::result::Result"),
    ("String", "std::string::String"),
    ("Vec", "std::vec::Vec"),
];

impl TryFrom<String> for Term {
    type Error = TermError;

    fn try_from(text: String) -> Result<Term, TermError> {
        Term::parse(&text)
    }
}

impl Term {
    /// Reads a term.
    pub fn parse(text: &str) -> Result<Term, TermError> {
        let mut parser = Parser { text, at: 0 };
        let term = parser.term(0)?;
        parser.skip_spaces();
        if parser.at < text.len() { Err(parser.error("expected the end")) } else { Ok(term) }
    }

    /// Calls `visit` with every parameter name in the term.
    pub fn for_each_param(&self, visit: &mut impl FnMut(&str)) {
        match self {
            Term::Param(name) => visit(name),
            Term::Path { args: terms, .. } | Term::Tuple(terms) => terms.iter().for_each(|t| t.for_each_param(visit)),
            Term::Ref { to, .. } => to.for_each_param(visit),
            Term::Pointer(t) | Term::Slice(t) | Term::Output(t) | Term::Item(t) | Term::Target(t) => {
                t.for_each_param(visit)
            }
            Term::Unit | Term::Never | Term::SelfType | Term::Unknown => {}
            Term::Arg(_) | Term::Closure(_) | Term::Future(_) => {}
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn error(&self, reason: &'static str) -> TermError {
        TermError { text: self.text.to_owned(), reason, at: self.at }
    }

    fn skip_spaces(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.skip_spaces();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn eat_word(&mut self, word: &str) -> bool {
        self.skip_spaces();
        let end = self.rest().find(|c: char| !is_word(c)).unwrap_or(self.rest().len());
        let found = &self.rest()[..end] == word;
        if found {
            self.at += end;
        }
        found
    }

    fn expect(&mut self, token: &'static str, reason: &'static str) -> Result<(), TermError> {
        if self.eat(token) { Ok(()) } else { Err(self.error(reason)) }
    }

    fn term(&mut self, depth: u32) -> Result<Term, TermError> {
        if depth > MAX_DEPTH {
            return Err(self.error("nested too deep"));
        }
        let depth = depth + 1;
        if self.eat("&") {
            let mutable = self.eat_word("mut");
            return Ok(Term::Ref { mutable, to: Box::new(self.term(depth)?) });
        }
        if self.eat("*") {
            if !self.eat_word("const") && !self.eat_word("mut") {
                return Err(self.error("expected `const` or `mut`"));
            }
            return Ok(Term::Pointer(Box::new(self.term(depth)?)));
        }
        if self.eat("[") {
            let element = self.term(depth)?;
            self.expect("]", "expected `]`")?;
            return Ok(Term::Slice(Box::new(element)));
        }
        if self.eat("!") {
            return Ok(Term::Never);
        }
        if self.eat("(") {
            return self.tuple(depth);
        }
        self.named(depth)
    }

    fn tuple(&mut self, depth: u32) -> Result<Term, TermError> {
        let mut elements = self.list(")", depth)?;
        Ok(match elements.len() {
            0 => Term::Unit,
            // Parentheses around one type only group.
            1 => elements.remove(0),
            _ => Term::Tuple(elements),
        })
    }

    /// Terms separated by commas, up to and with `close`.
    fn list(&mut self, close: &'static str, depth: u32) -> Result<Vec<Term>, TermError> {
        let mut terms = Vec::new();
        while !self.eat(close) {
            terms.push(self.term(depth)?);
            if !self.eat(",") {
                self.expect(close, "expected `,` or the closing bracket")?;
                break;
            }
        }
        Ok(terms)
    }

    fn named(&mut self, depth: u32) -> Result<Term, TermError> {
        let path = self.path()?;
        if let Some(term) = numbered(path) {
            return Ok(term);
        }
        match path {
            "_" => return Ok(Term::Unknown),
            "Self" => return Ok(Term::SelfType),
            "output" | "item" | "target" => {
                self.expect("(", "expected `(`")?;
                let inner = Box::new(self.term(depth)?);
                self.expect(")", "expected `)`")?;
                return Ok(match path {
                    "output" => Term::Output(inner),
                    "item" => Term::Item(inner),
                    _ => Term::Target(inner),
                });
            }
            _ => {}
        }
        let args = if self.eat("<") { self.list(">", depth)? } else { Vec::new() };
        if let Some((_, full)) = PRELUDE.iter().find(|(short, _)| *short == path) {
            return Ok(Term::Path { path: (*full).into(), args });
        }
        let primitive = path.starts_with(|c: char| c.is_ascii_lowercase());
        if primitive || path.contains("::") {
            return Ok(Term::Path { path: path.into(), args });
        }
        if args.is_empty() { Ok(Term::Param(path.into())) } else { Err(self.error("a parameter has no arguments")) }
    }

    fn path(&mut self) -> Result<&'a str, TermError> {
        self.skip_spaces();
        let rest = self.rest();
        let end = rest.find(|c: char| !is_word(c) && c != ':').unwrap_or(rest.len());
        let path = &rest[..end];
        let segment = |s: &str| s.starts_with(|c: char| c.is_alphabetic() || c == '_') && !s.contains(':');
        if !path.split("::").all(segment) {
            return Err(self.error("expected a type"));
        }
        self.at += end;
        Ok(path)
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// `arg0`, `closure0`, `future0`.
fn numbered(word: &str) -> Option<Term> {
    let name = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = word[name.len()..].parse().ok()?;
    match name {
        "arg" => Some(Term::Arg(number)),
        "closure" => Some(Term::Closure(number)),
        "future" => Some(Term::Future(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(path: &str, args: Vec<Term>) -> Term {
        Term::Path { path: path.into(), args }
    }

    fn param(name: &str) -> Term {
        Term::Param(name.into())
    }

    #[test]
    fn reads_paths_with_arguments() {
        let expected = path("std::result::Result", vec![Term::SelfType, path("std::io::Error", vec![])]);
        assert_eq!(Term::parse("Result<Self, std::io::Error>"), Ok(expected));
        assert_eq!(Term::parse("u32"), Ok(path("u32", vec![])));
        let nested = path("std::option::Option", vec![path("std::vec::Vec", vec![param("T")])]);
        assert_eq!(Term::parse("Option<Vec<T>>"), Ok(nested));
    }

    #[test]
    fn reads_references_tuples_and_slices() {
        let mutable = Term::Ref { mutable: true, to: Box::new(param("T")) };
        assert_eq!(Term::parse("&mut T"), Ok(mutable));
        let shared = |t| Term::Ref { mutable: false, to: Box::new(t) };
        assert_eq!(Term::parse("(&K, & V)"), Ok(Term::Tuple(vec![shared(param("K")), shared(param("V"))])));
        assert_eq!(Term::parse("&mutable::T"), Ok(shared(path("mutable::T", vec![]))));
        assert_eq!(Term::parse("*const [T]"), Ok(Term::Pointer(Box::new(Term::Slice(Box::new(param("T")))))));
        assert_eq!(Term::parse("()"), Ok(Term::Unit));
        assert_eq!(Term::parse("(T)"), Ok(param("T")));
        assert_eq!(Term::parse("!"), Ok(Term::Never));
        assert_eq!(Term::parse("_"), Ok(Term::Unknown));
    }

    #[test]
    fn reads_what_depends_on_arguments() {
        assert_eq!(Term::parse("closure0"), Ok(Term::Closure(0)));
        assert_eq!(Term::parse("future1"), Ok(Term::Future(1)));
        assert_eq!(Term::parse("output(closure0)"), Ok(Term::Output(Box::new(Term::Closure(0)))));
        assert_eq!(Term::parse("target(T)"), Ok(Term::Target(Box::new(param("T")))));
        assert_eq!(Term::parse("item(Self)"), Ok(Term::Item(Box::new(Term::SelfType))));
        assert_eq!(Term::parse("std::sync::Arc<arg0>"), Ok(path("std::sync::Arc", vec![Term::Arg(0)])));
    }

    #[test]
    fn refuses_what_is_no_term() {
        for text in ["", "<T>", "a:b", "a::", "::a", "Vec<T", "Vec<T>>", "(A, B", "T<U>", "*T", "item T", "A B", "&"] {
            assert!(Term::parse(text).is_err(), "{text}");
        }
        assert!(Term::parse(&"&".repeat(100)).is_err());
        let error = Term::parse("Vec<T").unwrap_err();
        assert_eq!(error.to_string(), "`Vec<T` is not a type term: expected `,` or the closing bracket at byte 5");
    }

    #[test]
    fn visits_parameters() {
        let mut names = Vec::new();
        let term = Term::parse("Result<(&K, item(I)), a::B<[V]>>").unwrap();
        term.for_each_param(&mut |name| names.push(name.to_owned()));
        assert_eq!(names, ["K", "I", "V"]);
    }
}
