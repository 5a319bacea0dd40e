//! Pairs of foreign functions, learned from names, types and use; and raw fields that are released.

use super::*;
use crate::model::pairs::Evidence;

/// What is learned of the function `open` of an extern block, and how.
fn learned(items: &str) -> Option<(Evidence, Option<u8>)> {
    let model = analysed(items);
    let open = crate::model::Callee::Def(model.find("krate::x_open"));
    model.pair(open).map(|pair| (pair.evidence, pair.out))
}

#[test]
fn learns_from_one_stem_one_type_and_one_value() {
    const USE: &str = "pub fn f() { unsafe { x_open(); } }";
    let block = |functions: &str, rest: &str| {
        learned(&format!("pub struct X {{ a: u8 }}\nunsafe extern \"C\" {{ {functions} }}\n{rest}"))
    };
    let cases = [
        (block("fn x_open() -> *mut X; fn x_close(x: *mut X);", USE), Some((Evidence::NamedAndTyped, None))),
        (block("fn x_open() -> *mut u8; fn x_close(x: *mut u8);", USE), Some((Evidence::Named, None))),
        (block("fn x_open() -> *mut X; fn put_away_free(x: *mut X);", USE), Some((Evidence::Typed, None))),
        // Nothing that takes it back.
        (block("fn x_open() -> *mut X; fn x_name(x: *mut X);", USE), None),
        // Another type.
        (block("fn x_open() -> *mut X; fn x_close(y: *mut u64);", USE), None),
        // What it is given is what it gives.
        (
            block(
                "fn x_open(x: *mut X) -> *mut X; fn put_away_free(x: *mut X);",
                "pub fn f(x: *mut X) { unsafe { x_open(x); } }",
            ),
            None,
        ),
        (
            block(
                "fn x_open(out: *mut *mut X) -> i32; fn x_close(x: *mut X);",
                "pub fn f(mut x: *mut X) -> i32 { unsafe { x_open(&mut x) } }",
            ),
            Some((Evidence::Named, Some(0))),
        ),
        (
            block(
                "fn x_open() -> *mut u8; fn give_back_free(x: *mut u8);",
                "pub fn f() { unsafe { let x = x_open(); give_back_free(x as *mut u8); } }",
            ),
            Some((Evidence::Used, None)),
        ),
    ];
    for (at, (found, expected)) in cases.iter().enumerate() {
        assert_eq!(found, expected, "case {at}");
    }
}

/// Whether something releases the field `raw` of `S`.
fn released(items: &str) -> bool {
    let text = format!(
        "pub struct X {{ a: u8 }}\npub struct S {{ raw: *mut X }}\nunsafe extern \"C\" {{ fn x_close(x: *mut X); fn x_use(x: *mut X); }}\n{items}"
    );
    let model = analysed(&text);
    let name = model.symbols.intern("raw");
    model.raw_field_is_released(model.find("krate::S"), name)
}

#[test]
fn a_raw_field_is_released_by_what_may_take_it_back() {
    for items in [
        "impl Drop for S { fn drop(&mut self) { unsafe { x_close(self.raw) } } }",
        "impl Drop for S { fn drop(&mut self) { drop(unsafe { Box::from_raw(self.raw) }); } }",
        "impl S { pub fn close(self) { unsafe { x_close(self.raw) } } }",
        "impl S { fn ptr(&self) -> *mut X { self.raw } } impl Drop for S { fn drop(&mut self) { unsafe { x_close(self.ptr()) } } }",
        "fn put_away(x: *mut X) { unsafe { x_close(x) } } impl S { fn end(&mut self) { put_away(self.raw) } }",
        "pub struct T { raw: *mut X } impl S { fn give(self) -> T { T { raw: self.raw } } }",
        "impl Drop for S { fn drop(&mut self) { let mut at = self.raw; while !at.is_null() { at = unsafe { *Box::from_raw(at) }.next; } } }",
    ] {
        assert!(released(items), "{items}");
    }
    for items in [
        "impl S { pub fn work(&self) { unsafe { x_use(self.raw) } } }",
        "impl S { pub fn as_ptr(&self) -> *mut X { self.raw } }",
        "impl S { pub fn into_raw(self) -> *mut X { self.raw } }",
        "impl Clone for S { fn clone(&self) -> S { S { raw: self.raw } } }",
        "fn look(x: *mut X) -> u8 { unsafe { (*x).a } } impl S { fn a(&self) -> u8 { look(self.raw) } }",
    ] {
        assert!(!released(items), "{items}");
    }
}
