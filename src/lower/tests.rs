//! What lowering makes of each construct, as text. Read a snapshot as a claim about control flow and drops.

mod algorithms;
mod branches;
mod closures;
mod exits;
mod formats;
mod items;
mod jumps;
mod macros;
mod places;
mod ranges;
mod scopes;
mod select;
mod weird;

/// The bodies of a file.
fn dump(source: &str) -> String {
    crate::facts::dump::file(&super::text(source))
}

/// The body of a function with these statements.
fn flow(statements: &str) -> String {
    dump(&format!("async fn f() {{ {statements} }}"))
}

/// The first body of a file.
fn body(source: &str) -> crate::facts::body::Body {
    super::text(source).body(crate::facts::BodyId(0))
}
