//! Positions: bytes of the file, past characters of any width.

use crate::facts::BodyId;
use crate::facts::body::Op;
use crate::source::TextRange;

/// The texts that the spans of the first body's calls point at.
fn calls(source: &str) -> Vec<&str> {
    let body = crate::lower::text(source).body(BodyId(0));
    let calls = body.statements.iter().zip(&body.spans).filter(|(s, _)| matches!(s.op, Op::Call | Op::CallMethod));
    calls.map(|(_, span)| &source[span.lo as usize..span.hi as usize]).collect()
}

#[test]
fn calls_point_at_the_callee() {
    assert_eq!(calls("fn f() { a::b::<T>(1); x\n  .method::<U>(y()); }"), ["a::b", "y", "method"]);
}

#[test]
fn wide_characters_before_and_on_the_line() {
    let source = "// äöü €\r\n/* 😀 */ fn f() { /* é😀 */ α::β(\"€\", 'é', ω()); g(); }\r\n";
    assert_eq!(calls(source), ["ω", "α::β", "g"]);
}

#[test]
fn text_over_several_lines() {
    let source = "fn f() { g(\"a\né\n😀\", h()); /* é\n */ i(); }";
    assert_eq!(calls(source), ["h", "g", "i"]);
}

#[test]
fn offsets_are_added() {
    let code = "fn f() {}";
    let facts = crate::lower::file(&syn::parse_str(code).unwrap(), code, 10, 1);
    assert_eq!(facts.header.items[0].span, TextRange { lo: 13, hi: 14 });
}

#[test]
fn macros_keep_the_positions_of_their_arguments() {
    let source = "fn f() { é!(); println!(\"{}\", g()); vec![h()]; select! { x = i() => j(x) } }";
    assert_eq!(calls(source), ["g", "h", "i", "j"]);
}
