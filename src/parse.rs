//! The only caller of the parser: guards it, runs it, and frees what it keeps.
//!
//! A tree never leaves the closure that is given it. Nothing here looks into the tree.

pub mod nesting;

use crate::source::{SkipReason, SourceText};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The stack that threads calling [`with_tree`] have to have.
pub const STACK_BYTES: usize = 16 << 20;

/// What may be reserved for one file that needs more. Reserved is not used.
const MAX_STACK_BYTES: u64 = 512 << 20;

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
    let depth = nesting::measure(code);
    let too_deep = || SkipReason::TooDeep(source.position(depth.at as u32 + offset));
    let stack = u64::from(depth.steps) * nesting::STEP_BYTES;
    if depth.too_many_brackets || stack > MAX_STACK_BYTES {
        return Err(too_deep());
    }
    if stack <= STACK_BYTES as u64 {
        return parse(source, f);
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
            let text = match error.to_string() {
                text if text == "cannot parse string into token stream" => "unbalanced bracket or no token".to_owned(),
                text => text,
            };
            Err(SkipReason::Syntax(source.position(at), text))
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

    /// Whether the guard refuses; whatever it lets through must not overflow, which would abort this test.
    fn is_too_deep(text: &str) -> bool {
        matches!(parse_items(text), Err(SkipReason::TooDeep(_)))
    }

    fn nested(n: usize, open: &str, inner: &str, close: &str) -> String {
        format!("fn a() {{ x = {}{inner}{}; }}", open.repeat(n), close.repeat(n))
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
        assert_eq!(message, "unbalanced bracket or no token");
    }

    #[test]
    fn brackets_are_bounded() {
        for (open, close) in
            [("(", ")"), ("[", "]"), ("{", "}"), ("f(", ")"), ("|| {", "}"), ("S { a: ", "}"), ("if a {", "}")]
        {
            assert!(is_too_deep(&nested(10_000, open, "1", close)), "{open}");
            assert!(!is_too_deep(&nested(nesting::MAX_BRACKETS - 1, open, "1", close)), "{open}");
        }
        assert!(is_too_deep(&format!("type A = {}u8{};", "(".repeat(10_000), ")".repeat(10_000))));
        let modules = |n: usize| format!("{}{}", "mod a { ".repeat(n), "}".repeat(n));
        assert!(is_too_deep(&modules(10_000)) && !is_too_deep(&modules(nesting::MAX_BRACKETS)));
    }

    #[test]
    fn long_chains_do_not_overflow() {
        let n = 10_000;
        for suffix in ["+ a", ".b()", "?", "[0]", "()", " as u8", "= a", "|| a", ".await", " << a", "| a"] {
            assert_eq!(parse_items(&nested(n, "", "a", suffix)), Ok(1), "{suffix}");
        }
        let prefixes = ["-", "!", "& ", "*", "return ", "|| ", "|a, b| ", "move || ", "if a {} else ", "break "];
        for prefix in prefixes {
            assert_eq!(parse_items(&nested(n, prefix, "{}", "")), Ok(1), "{prefix}");
        }
        assert_eq!(parse_items(&nested(n, "match ", "1", " {}")), Ok(1));
        for ty in ["&", "*const ", "fn() -> ", "impl Fn() -> ", "&'a mut ", "dyn for<'a, 'b> Fn(&'a u8) -> "] {
            assert_eq!(parse_items(&format!("type A = {}u8;", ty.repeat(n))), Ok(1), "{ty}");
        }
        for (ty, close) in [("Vec<", ">"), ("B<C, ", ">"), ("<", " as B>::C"), ("impl A<B = ", ">")] {
            assert_eq!(parse_items(&format!("type A = {}u8{};", ty.repeat(n), close.repeat(n))), Ok(1), "{ty}");
        }
        assert_eq!(parse_items(&format!("fn a({}x: u8) {{}}", "&".repeat(n))), Ok(1));
        assert_eq!(parse_items(&format!("fn a() {{ let {}x = 1; }}", "a @ ".repeat(n))), Ok(1));
    }

    #[test]
    fn endless_chains_are_refused() {
        assert!(is_too_deep(&nested(1_000_000, "-", "1", "")));
        assert!(is_too_deep(&nested(1_000_000, "", "a", "+a")));
        assert!(is_too_deep(&format!("type A = {}u8{};", "B<".repeat(500_000), ">".repeat(500_000))));
    }

    #[test]
    fn long_tables_are_not_deep() {
        let rows = |row: &str| format!("static A: [u8; 1] = [{}];", row.repeat(10_000));
        for row in ["1 << 3, ", "-1, -2, -3, -4, -5, -6, -7, ", "Some(&1), ", "(a < b, &c), ", "\"((((\", ", "'(', "] {
            assert_eq!(parse_items(&rows(row)), Ok(1), "{row}");
        }
        let arms = "'a' | 'b' | '(' if a || b => &c.d, ".repeat(10_000);
        assert_eq!(parse_items(&format!("fn a() {{ match x {{ {arms} }} }}")), Ok(1));
        let statements = "if a { b } else { c } &d.e; ".repeat(10_000);
        assert_eq!(parse_items(&format!("fn a() {{ {statements} }}")), Ok(1));
        assert_eq!(parse_items(&"fn a<T>() -> &T {} ".repeat(10_000)), Ok(10_000));
    }
}
