//! Items, uses, modules, and what macros at item level declare.

use crate::facts::outline;
use insta::assert_snapshot;

fn items(source: &str) -> String {
    outline::file(&crate::lower::text(source))
}

#[test]
fn use_trees() {
    assert_snapshot!(
        items("use a::{self, b as c, d::{e, f::*}, g::{self as h}}; pub use ::x::Y as _; use r#try::z; \
            pub(crate) extern crate k as l;"),
        @r"
        module 0
          use a as a
          use a::b as c
          use a::d::e as e
          use a::d::f::*
          use a::g as h
          pub use ::x::Y as _
          use try::z as z
          pub use ::k as l
        "
    );
}

#[test]
fn modules() {
    assert_snapshot!(
        items(r#"mod a; #[path = "x/y.rs"] pub mod b; #[cfg(test)] mod t { mod u { use super::*; fn f() {} }
            } mod v { use w::x; }"#),
        @r#"
        module 0
        module 1 File a in 0
        module 2 File b in 0 at "x/y.rs" pub
        module 3 Inline t in 0 test
        module 4 Inline u in 3 test
          use super::*
        module 5 Inline v in 0
          use w::x as x
        Fn f in 4 +test () : () = body 0
        "#
    );
}

#[test]
fn structs_enums_unions_and_aliases() {
    assert_snapshot!(
        items("pub struct S<T> { pub a: Vec<T>, b: &'static str } struct T(pub u8, Box<dyn Fn(A) -> B>); \
            enum E { A, B(u8, C), D { x: [u8; 4] } } union U { a: *mut c_void } type A = fn(u8) -> !;"),
        @r"
        module 0
        Struct S in 0 +pub +visible <T>
          pub a: Vec<T>
          b: &'static str
        Struct T in 0
          pub 0: u8
          1: Box<dyn Fn<(A), Output = B>>
        Enum E in 0
          variant A
          variant B
            0: u8
            1: C
          variant D
            x: [u8; _]
        Union U in 0
          a: *c_void
        Alias A in 0 : fn(u8, !)
        "
    );
}

#[test]
fn generics_with_where_clauses() {
    assert_snapshot!(
        items("fn f<'a, T: Clone + 'a, F, const N: usize>(f: F) -> impl Iterator<Item = T> where F: \
            FnOnce(&T, u8) -> Box<dyn Any + Send> + Send, T: Send, Vec<T>: Copy {}"),
        @r"
        module 0
        Fn f in 0 <T: impl Clone + Send> <F: impl FnOnce<(&T, u8), Output = Box<dyn Any + Send>> + Send> (f: F) : impl Iterator<Item = T> = body 0
        "
    );
}

#[test]
fn impls_and_traits() {
    assert_snapshot!(
        items("impl<T: Tr> a::Tr<u8> for S<T> { type A = B; const C: u8 = g(); fn m(&mut self, (x, y): (u8, \
            u8)) {} pub async fn n(self: Arc<Self>) -> ! { loop {} } } unsafe impl !Send for S {} pub trait \
            Tr: Sup { fn d(&self) { e() } fn r(self); type A: X; }"),
        @r"
        module 0
        Impl _ in 0 <T: impl Tr> trait a::Tr<u8> : S<T>
        Alias A in 0 of item 0 : B
        Const C in 0 of item 0 : u8 = body 0
        Fn m in 0 of item 0 (self: &mut Self, _: (u8, u8)) : () = body 1
        Fn n in 0 of item 0 +pub +visible +async (self: Arc<Self>) : ! = body 2
        Impl _ in 0 +negative trait Send : S
        Trait Tr in 0 +pub +visible : impl Sup
        Fn d in 0 of item 6 +pub +visible (self: &Self) : () = body 3
        Fn r in 0 of item 6 +pub +visible (self: Self) : ()
        Alias A in 0 of item 6
        "
    );
}

#[test]
fn foreign_items() {
    assert_snapshot!(items(r#"unsafe extern "C" { pub fn open(p: *const u8, ...) -> i32; static mut ENV: u8;
        } #[no_mangle] pub unsafe extern "C" fn x() {}"#), @r"
        module 0
        ForeignBlock _ in 0
        Fn open in 0 of item 0 +pub +visible +foreign (p: *u8) : i32
        Static ENV in 0 of item 0 +foreign +mut : u8
        Fn x in 0 +pub +visible +unsafe +foreign () : () = body 0
          #[no_mangle()]
        ");
}

#[test]
fn statics_and_constants() {
    assert_snapshot!(
        items("static A: Mutex<M> = Mutex::new(M::new()); static mut B: u8 = 0; const C: &str = \"x\"; \
            lazy_static! { /// Doc.\n pub static ref D: M = M::new(); static ref E: N = n(); } thread_local! \
            { static F: RefCell<V> = const { RefCell::new(V::new()) }; pub static G: u8 = 1 }"),
        @r"
        module 0
        Static A in 0 : Mutex<M> = body 0
        Static B in 0 +mut : u8
        Const C in 0 : &str
        Static D in 0 +pub +visible +lazy : M = body 1
        Static E in 0 +lazy : N = body 2
        Static F in 0 +thread_local : RefCell<V> = body 3
        Static G in 0 +pub +visible +thread_local : u8
        "
    );
}

#[test]
fn cfg_and_test_flags() {
    assert_snapshot!(
        items("#[cfg(unix)] fn a() {} #[cfg(all(test, unix))] fn b() {} #[cfg(not(test))] fn c() {} \
            #[tokio::test(flavor = \"x\")] async fn d() {} #[cfg(windows)] impl S { fn e() { fn inner() {} } \
            } #[cfg(any(test, x))] mod m { fn f() {} }"),
        @r"
        module 0
        module 1 Body _ in 0
        module 2 Inline m in 0
        Fn a in 0 +cfg () : () = body 0
        Fn b in 0 +test () : () = body 1
        Fn c in 0 +cfg () : () = body 2
        Fn d in 0 +test +async () : () = body 3
          #[tokio::test(flavor x)]
        Impl _ in 0 +cfg : S
        Fn e in 0 of item 4 +cfg () : () = body 4
        Fn inner in 1 +cfg () : () = body 5
        Fn f in 2 +cfg () : () = body 6
        "
    );
}

#[test]
fn a_whole_file_for_tests() {
    assert_snapshot!(items("#![cfg(test)] fn a() {}"), @r"
    module 0 test
    Fn a in 0 +test () : () = body 0
    ");
}

#[test]
fn attributes() {
    assert_snapshot!(
        items("#[derive(Clone, Drop)] #[doc = \"x\"] struct S; #[tokio::main(flavor = \"current_thread\")] \
            #[inline] async fn main() {} #[cached(size = 3)] fn c() {}"),
        @r"
        module 0
        Struct S in 0
          #[derive(Clone Drop)]
        Fn main in 0 +async () : () = body 0
          #[tokio::main(flavor current_thread)]
        Fn c in 0 () : () = body 1
          #[cached(size 3)]
        "
    );
}

#[test]
fn lint_levels_cover_what_they_stand_on() {
    let source = "#[allow(clippy::mem_forget, reason = \"r\")] fn f() { #[expect(x)] let a = b; } #[warn(y)] \
        impl S {}";
    let facts = crate::lower::text(source);
    let covered = facts.header.attributes.iter().map(|a| &source[a.target.lo as usize..a.target.hi as usize]);
    assert_eq!(covered.collect::<Vec<_>>(), ["fn f() { #[expect(x)] let a = b; }", "let a = b;", "impl S {}"]);
}

#[test]
fn macros_whose_body_is_items() {
    assert_snapshot!(
        items("cfg_if! { if #[cfg(unix)] { fn a() {} } else if #[cfg(x)] { use b::c; } else { mod d { fn e() \
            {} } } } cfg_rt! { pub fn f() { g() } } impl S { cfg_io! { fn m() {} } }"),
        @r"
        module 0
          use b::c as c
        module 1 Inline d in 0
        Fn a in 0 +cfg () : () = body 0
        Fn e in 1 +cfg () : () = body 1
        Fn f in 0 +pub +visible +cfg () : () = body 2
        Impl _ in 0 : S
        Fn m in 0 of item 3 +cfg () : () = body 3
        "
    );
}

#[test]
fn other_item_macros_keep_their_words() {
    assert_snapshot!(items("macro_rules! m { ($x:expr) => { REGISTRY.remove($x) }; } my! { a => b.clear() } \
        impl S { made!{ fn z() -> } }"), @r"
    module 0
      words x expr REGISTRY remove x
      words a b clear
      words fn z
    Impl _ in 0 : S
    ");
}

#[test]
fn items_and_uses_in_a_body_make_a_module() {
    assert_snapshot!(
        items("fn f() { use a::b; let x = { use c::d; struct S; 1 }; impl S { fn g() { const X: u8 = h(); } \
            } } fn plain() { let y = 1; }"),
        @r"
        module 0
        module 1 Body _ in 0
          use a::b as b
          use c::d as d
        Fn f in 0 () : () = body 0
        Impl _ in 1 : S
        Fn g in 1 of item 1 () : () = body 1
        Const X in 1 : u8 = body 2
        Struct S in 1
        Fn plain in 0 () : () = body 3
        "
    );
}
