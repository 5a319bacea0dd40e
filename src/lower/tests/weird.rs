//! Code that nobody writes must not make lowering panic, overflow the stack, or take more than linear time.

use super::dump;
use crate::facts::BodyId;
use crate::facts::body::{Body, End};
use crate::parse::{STACK_BYTES, with_tree};
use crate::source::SourceText;

/// Lowers `text` on a thread as the pool has them and checks all bodies; says how many there are.
fn lower(text: String) -> usize {
    let work = move || {
        let source = SourceText::new(text);
        let facts = with_tree(&source, |tree, offset| crate::lower::file(tree, source.code().0, offset, 1));
        let facts = facts.unwrap_or_else(|reason| panic!("{reason}: {}", source.code().0));
        (0..facts.header.bodies.len()).for_each(|id| sound(&facts.body(BodyId(id as u32))));
        facts.header.bodies.len()
    };
    std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work).unwrap().join().unwrap()
}

/// What holds for every body.
fn sound(body: &Body) {
    let mut owners = vec![0; body.statements.len()];
    for block in &body.blocks {
        block.statements.ids().for_each(|id| owners[id as usize] += 1);
        let edges = block.edges.of(&body.edges);
        match block.end {
            End::Goto => assert_eq!(edges.len(), 1),
            End::Branch | End::Try | End::Await | End::Next => assert_eq!(edges.len(), 2),
            End::Diverge | End::Exit => assert!(edges.is_empty()),
            End::Switch | End::Select => {}
        }
        for edge in edges.iter().filter(|edge| !edge.into.is_none()) {
            assert!(body.scope_within(edge.from, edge.into));
        }
    }
    assert!(owners.iter().all(|&count| count == 1), "each statement is in one block");
    assert_eq!(body.spans.len(), body.statements.len());
}

#[test]
fn expressions_in_odd_places() {
    let bodies = [
        "let x: bool = return true;",
        "f(return, break, continue);",
        "if (return) && let A = (loop { break }) {}",
        "while (while let A = (return) {}) == () {}",
        "match (match (match () { () => () }) { () => () }) { _ if (return) => loop {}, _ => {} }",
        "let _ = || || || async || async move { (|| ())() };",
        "break 'a 'b: loop { continue 'b; };",
        "'a: { 'a: loop { break 'a break 'a; } }",
        "|(A | B(_)), &[.., x @ ..], S { a: (b, ..), .. }, _: u8| x;",
        "let (A | B | C(A | B)) = x else { loop {} };",
        "let [] = [] else { return };",
        "x = y = z; (x, (y, [z, ..], S { w: (v, _) }), ..) = w; (1) = 2; f()(x) = y; [] = []; () = ();",
        "**&&&mut *&raw const x += -!-y[..][1..=2][..=3].0.1.await?.0;",
        "match x { y @ (1..=2 | ..3 | 4.. | -5) => {}, r#match @ r#if::r#else => {} }",
        "const { async { unsafe { const { loop {} } } } };",
        "let x = { { { } } }; ;;; {};",
        "a..; ..b; ..; ..=c; for _ in .. {}",
        "S { 0: a, ..S { ..b } }; <[T; 3]>::f(); <T as A>::B::<{ C }> {};",
        "static A: u8 = { fn f() { static B: u8 = || A; } 1 };",
        "(x as fn() -> !) as usize <= y as u8;",
        "let x = if let Some(x) = x && let x = x || true { x } else { x };",
    ];
    for body in bodies {
        lower(format!("async fn f() {{ {body} }}"));
    }
}

#[test]
fn macros_with_odd_arguments() {
    let names = [
        "println",
        "assert",
        "assert_eq",
        "bail",
        "ensure",
        "vec",
        "matches",
        "join",
        "try_join",
        "select",
        "dbg",
        "pin",
        "panic",
        "env",
        "info",
        "thread_local",
        "lazy_static",
        "cfg_if",
        "my::thing",
        "write",
    ];
    let arguments = [
        "",
        ",",
        ",,",
        ";",
        "=>",
        "=",
        "a b",
        "a; b; c",
        "a =>",
        "=> a",
        "{",
        "x = ",
        "..",
        "a: b",
        "%",
        "?",
        "?x,",
        "\"{",
        "\"{}{:?}{x:}{:x$}{{}{$}{é}{:é$}\"",
        "a.b.",
        ".a",
        "a..b",
        "a.0.b()",
        "_ = f() => {}",
        "else =>",
        "biased;",
        "$x:expr",
        "let x = 1;",
        "static A: u8",
        "static ref A: u8 = 1; 2",
        "if #[cfg(a)]",
        "{} else {}",
        "x, if y",
        "[a; b; c]",
        "#[a] b",
    ];
    for name in names {
        for argument in arguments {
            if syn::parse_str::<proc_macro2::TokenStream>(argument).is_ok() {
                lower(format!(
                    "fn f() {{ {name}!({argument}); let x = {name}![{argument}]; {name}! {{ {argument} }} }}"
                ));
                lower(format!("{name}! {{ {argument} }} impl S {{ {name}! {{ {argument} }} }}"));
            }
        }
    }
}

#[test]
fn deep_nesting_fits_the_stack_that_parsing_asks_for() {
    let n = 2_000;
    let nested = |open: &str, inner: &str, close: &str| {
        format!("fn f() {{ x = {}{inner}{}; }}", open.repeat(n), close.repeat(n))
    };
    for suffix in ["+ a", ".b()", "?", "[0]", "()", " as u8", "= a", "|| a", "&& a", ".await", "| a", ".c"] {
        lower(nested("", "a", suffix));
    }
    for prefix in ["-", "!", "& ", "*", "return ", "|| ", "|a, b| ", "move || ", "if a {} else ", "break "] {
        lower(nested(prefix, "{}", ""));
    }
    lower(nested("match ", "1", " {}"));
    for ty in ["&", "*const ", "fn() -> ", "impl Fn() -> "] {
        lower(format!("type A = {}u8;", ty.repeat(n)));
    }
    for (open, close) in [("Vec<", ">"), ("<", " as B>::C"), ("impl A<B = ", ">")] {
        lower(format!("type A = {}u8{};", open.repeat(n), close.repeat(n)));
    }
    lower(format!("fn f({}x: u8) {{ let {}y = 1; }}", "&".repeat(n), "a @ ".repeat(n)));
    for (open, close) in [("{ let a = ", "; }"), ("(", ")"), ("vec![", "]"), ("async move { ", " }"), ("f(|x| ", ")")] {
        lower(format!("fn f() {{ x = {}a{}; }}", open.repeat(200), close.repeat(200)));
    }
}

#[test]
fn long_bodies_take_linear_time() {
    let n = 20_000;
    let start = std::time::Instant::now();
    lower(format!("fn f(this: T) {{ {} }}", "let a = g(this.b, other); ".repeat(n)));
    lower(format!("fn f(x: T) {{ {} }}", "if let Some(y) = x { g(y)?; } ".repeat(n)));
    lower(format!("fn f(x: T) {{ match x {{ {} }} }}", "A { b: Some(c), .. } => d(c), ".repeat(n)));
    // Generous: this is far below a second unless it is quadratic, which is minutes.
    assert!(start.elapsed().as_secs() < 30);
}

#[test]
fn dead_code_is_lowered_all_the_same() {
    assert!(dump("fn f() { return; let c = || g(); }").contains("body 1 closure"));
}
