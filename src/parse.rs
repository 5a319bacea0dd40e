//! The only caller of the parser: guards it, runs it, and frees what it keeps.
//!
//! A tree never leaves the closure that is given it. Nothing here looks into the tree.

pub mod nesting;

use crate::source::{SkipReason, SourceText};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The stack that threads calling [`with_tree`] have to have.
pub const STACK_BYTES: usize = 16 << 20;

/// What one step of nesting may cost: parse, lower and drop together, in an unoptimised build.
const STEP_BYTES: u64 = (STACK_BYTES as u64) / (nesting::MAX_STEPS as u64);

/// Stacks are reserved, not used; but no more than this is reserved for one file.
const MAX_STACK_BYTES: u64 = 1 << 30;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread is caught and reported as a skipped file, so that nothing need be printed about it.
pub fn panic_is_caught() -> bool {
    GUARDED.get()
}

/// Parses a file and hands its tree to `f`, with what has to be added to the tree's byte offsets.
///
/// `f` runs on this thread, or on one with a larger stack where the text might nest deeply.
pub fn with_tree<R: Send>(source: &SourceText, f: impl FnOnce(&syn::File, u32) -> R + Send) -> Result<R, SkipReason> {
    let (code, offset) = source.code();
    let steps = nesting::measure(code);
    if let Some(at) = steps.too_deep {
        return Err(SkipReason::TooDeep(source.position(at as u32 + offset)));
    }
    if steps.worst <= nesting::MAX_STEPS {
        return parse(source, f);
    }
    let stack = u64::from(steps.worst) * STEP_BYTES;
    let too_deep = || SkipReason::TooDeep(source.position(steps.worst_at as u32 + offset));
    if stack > MAX_STACK_BYTES {
        return Err(too_deep());
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(stack as usize).spawn_scoped(scope, || parse(source, f));
        let thread = thread.map_err(|_| too_deep())?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn parse<R>(source: &SourceText, f: impl FnOnce(&syn::File, u32) -> R) -> Result<R, SkipReason> {
    let _spans = FreeSpans;
    let (code, offset) = source.code();
    GUARDED.set(true);
    let parsed = catch_unwind(AssertUnwindSafe(|| syn::parse_str::<syn::File>(code)));
    GUARDED.set(false);
    match parsed {
        Ok(Ok(tree)) => Ok(f(&tree, offset)),
        Ok(Err(error)) => {
            let at = error.span().byte_range().start as u32 + offset;
            Err(SkipReason::Syntax(source.position(at), error.to_string()))
        }
        Err(panic) => Err(SkipReason::ParserFailed(panic_text(panic.as_ref()))),
    }
}

/// Forgets the positions of all trees of this thread, which otherwise pile up for the whole run.
struct FreeSpans;

impl Drop for FreeSpans {
    fn drop(&mut self) {
        proc_macro2::extra::invalidate_current_thread_spans();
    }
}

/// What a panic said.
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parses on a thread as the pool has them, and visits the tree as deeply as it goes.
    fn parse_items(text: &str) -> Result<usize, SkipReason> {
        let source = SourceText::new(text.to_owned());
        let work = move || with_tree(&source, |tree, _| tree.clone().items.len());
        std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work).unwrap().join().unwrap()
    }

    fn is_too_deep(text: &str) -> bool {
        matches!(parse_items(text), Err(SkipReason::TooDeep(_)))
    }

    #[test]
    fn offsets_are_those_of_the_file() {
        let text = "\u{feff}#!/bin/x\r\nfn é() {}\r\nstruct B;";
        let source = SourceText::new(text.to_owned());
        let second = with_tree(&source, |tree, offset| {
            let syn::Item::Struct(item) = &tree.items[1] else { panic!("two items") };
            item.ident.span().byte_range().start as u32 + offset
        });
        assert_eq!(second.unwrap() as usize, text.find('B').unwrap());
    }

    #[test]
    fn syntax_errors_have_a_place() {
        let error = parse_items("\u{feff}fn a() {}\nfn (").unwrap_err();
        let SkipReason::Syntax(at, message) = error else { panic!("{error}") };
        assert_eq!(at.to_string(), "2:4");
        assert!(!message.is_empty());
    }

    #[test]
    fn deep_nesting_is_refused() {
        let n = 10_000;
        let nested = |open: &str, inner: &str, close: &str| {
            format!("fn a() {{ x = {}{inner}{}; }}", open.repeat(n), close.repeat(n))
        };
        for (open, close) in [("(", ")"), ("[", "]"), ("{", "}"), ("-", ""), ("!", ""), ("& ", ""), ("*", "")] {
            assert!(is_too_deep(&nested(open, "1", close)), "{open}");
        }
        for chain in ["+ a", ".b()", "?", "[0]", "()", " as u8", "= a", "|| a", ".await", "..a"] {
            assert!(is_too_deep(&nested("", "a", chain)), "{chain}");
        }
        for prefix in ["return ", "|a| ", "move || ", "if a {} else ", "match ", "break ", "async move "] {
            assert!(is_too_deep(&nested(prefix, "{}", "")), "{prefix}");
        }
        for ty in ["&", "*const ", "fn() -> ", "impl Fn() -> ", "Vec<", "&'a mut "] {
            assert!(is_too_deep(&format!("type A = {}u8{};", ty.repeat(n), ">".repeat(n))), "{ty}");
        }
        assert!(is_too_deep(&format!("fn a({}x: u8) {{}}", "&".repeat(n))));
    }

    /// As deep as the guard lets through must not overflow; a failure of this test is an abort.
    #[test]
    fn what_is_let_through_fits_the_stack() {
        let fits = |text: String| assert!(!is_too_deep(&text), "{}", &text[..60]);
        let brackets = (nesting::MAX_STEPS / nesting::BRACKET_STEPS) as usize - 8;
        for (open, close) in [("(", ")"), ("[", "]"), ("{", "}"), ("f(", ")"), ("|| {", "}"), ("S { a: ", "}")] {
            let n = if open.len() > 1 { brackets * 4 / 5 } else { brackets };
            fits(format!("fn a() {{ x = {}1{}; }}", open.repeat(n), close.repeat(n)));
        }
        let steps = nesting::MAX_STEPS as usize - 200;
        for unit in ["-", "!", "& ", "*", "return ", "|| ", "match "] {
            let text = format!("fn a() {{ x = {}1; }}", unit.repeat(steps / unit.trim_end().len()));
            fits(text);
        }
        for unit in ["+ a", ".b", "?", "[0]", "()", " as u8", "= a"] {
            fits(format!("fn a() {{ x = a{}; }}", unit.repeat(steps)));
        }
        for unit in ["Vec<", "&", "*const "] {
            let n = steps / 3;
            fits(format!("type A = {}u8{};", unit.repeat(n), ">".repeat(if unit == "Vec<" { n } else { 0 })));
        }
    }

    /// Nesting that commas hide from the first estimate is parsed on a stack of its own.
    #[test]
    fn nesting_across_commas_does_not_overflow() {
        let n = 20_000;
        assert_eq!(parse_items(&format!("type A = {}u8{};", "B<C, ".repeat(n), ">".repeat(n))), Ok(1));
        assert_eq!(parse_items(&format!("fn a() {{ x = {}1; }}", "|a, b| ".repeat(n))), Ok(1));
    }

    #[test]
    fn long_tables_are_not_deep() {
        let rows = |row: &str| format!("static A: [u8; 1] = [{}];", row.repeat(30_000));
        for row in [
            "1 << 3, ",
            "-1, -2, -3, -4, -5, -6, ",
            "Some(&1), ",
            "(a < b, &c), ",
            "\"((((\", ",
            "'(', ",
            "A { b: 1 }, ",
        ] {
            assert_eq!(parse_items(&rows(row)), Ok(1), "{row}");
        }
        let arms = "'a' | 'b' | '(' if a || b => &c.d, ".repeat(10_000);
        assert_eq!(parse_items(&format!("fn a() {{ match x {{ {arms} }} }}")), Ok(1));
        let statements = "if a { b } else { c } &d.e; ".repeat(10_000);
        assert_eq!(parse_items(&format!("fn a() {{ {statements} }}")), Ok(1));
        assert_eq!(parse_items(&"fn a<T>() -> &T {} ".repeat(10_000)), Ok(10_000));
    }
}
