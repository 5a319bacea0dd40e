//! Names: modules and files, imports, preludes, other crates.

use super::*;

#[test]
fn renames_and_nested_imports() {
    let model = package(&[(
        "src/lib.rs",
        "use std::{process::{Command as Cmd, self}, collections::*};
         use ext::{self as e, thing};
         fn f() { Cmd::new(\"x\"); process::exit(1); e::g(); thing(); HashMap::new(); tokio::spawn(1); other::h(); }",
    )]);
    let expected = [
        "std::process::Command::new",
        "std::process::exit",
        "ext::g",
        "ext::thing",
        "std::collections::HashMap::new",
        "tokio::task::spawn",
        "other::h",
    ];
    let found = model.callees("krate::f");
    assert_eq!(found[..5], expected[..5]);
    assert!(found[5].ends_with("spawn"), "{}", found[5]);
    assert_eq!(found[6], expected[6]);
}

#[test]
fn modules_in_files() {
    let model = package(&[
        (
            "src/lib.rs",
            "mod a; mod b; #[path = \"odd/name.rs\"] mod c; pub mod inline { mod deep; pub use self::deep::d; }",
        ),
        (
            "src/a.rs",
            "pub mod sub; pub fn f() { sub::g(); self::sub::g(); crate::b::h(); super::c::i(); super::inline::d() }",
        ),
        ("src/a/sub.rs", "pub fn g() { super::super::b::h() }"),
        ("src/b/mod.rs", "pub fn h() {}"),
        ("src/odd/name.rs", "mod next; pub fn i() { next::n() }"),
        ("src/odd/next.rs", "pub fn n() {}"),
        ("src/inline/deep.rs", "pub fn d() {}"),
    ]);
    let sub = "krate::a::sub::g";
    assert_eq!(model.callees("krate::a::f"), [sub, sub, "krate::b::h", "krate::c::i", "krate::inline::deep::d"]);
    assert_eq!(model.callees(sub), ["krate::b::h"]);
    assert_eq!(model.callees("krate::c::i"), ["krate::c::next::n"]);
}

#[test]
fn globs_and_reexports_across_packages() {
    let model = link(&[
        (
            "core_lib",
            &[(
                "src/lib.rs",
                "mod imp { pub struct Pool; impl Pool { pub fn open() -> Pool { Pool } } pub enum Mode { Fast, Slow(Pool) } }
                 pub mod prelude { pub use crate::imp::*; pub use super::imp::Mode::*; pub use std::sync::Arc as Shared; }
                 pub use prelude::Pool as MainPool;",
            )],
        ),
        (
            "app_lib",
            &[(
                "src/lib.rs",
                "use core_lib::prelude::*; pub use core_lib::MainPool;
                 fn f() { let p = Pool::open(); let m = Slow(p); let s = Shared::new(1); let q = crate::MainPool::open(); }
                 mod inner { use super::*; fn g() { let p = Pool::open(); let m = Fast; } }",
            )],
        ),
    ]);
    let open = "core_lib::imp::Pool::open";
    assert_eq!(model.callees("app_lib::f"), [open, "new core_lib::imp::Mode", "std::sync::Arc::new", open]);
    assert_eq!(model.local_text("app_lib::f", "m"), "core_lib::imp::Mode");
    assert_eq!(model.callees("app_lib::inner::g"), [open]);
    assert_eq!(model.local_text("app_lib::inner::g", "m"), "core_lib::imp::Mode");
}

#[test]
fn circular_imports_end() {
    let model = package(&[(
        "src/lib.rs",
        "mod a { pub use super::b::*; pub use super::b::x; } mod b { pub use super::a::*; pub use super::a::x; }
         use a::x; use a::*; fn f() { x(); y(); }",
    )]);
    assert_eq!(model.callees("krate::f"), ["?", "?"]);
}

#[test]
fn own_names_hide_the_prelude() {
    let model = package(&[(
        "src/lib.rs",
        "pub struct Vec; impl Vec { pub fn new() -> Vec { Vec } }
         fn f() { let v = Vec::new(); let s = String::new(); drop(s); let o = Some(1); }
         fn g() { fn drop(x: u8) {} drop(1); { use std::mem::drop as away; away(2); } }",
    )]);
    let expected = ["krate::Vec::new", "std::string::String::new", "std::mem::drop", "std::option::Option::Some"];
    assert_eq!(model.callees("krate::f"), expected);
    assert_eq!(model.callees("krate::g"), ["krate::drop", "std::mem::drop"]);
}

#[test]
fn core_and_alloc_are_std() {
    let model =
        package(&[("src/lib.rs", "use core::mem; use alloc::sync::Arc; fn f() { mem::forget(1); Arc::new(2); }")]);
    assert_eq!(model.callees("krate::f"), ["std::mem::forget", "std::sync::Arc::new"]);
}

#[test]
fn reexports_of_other_crates_are_canonical() {
    let model = package(&[("src/lib.rs", "fn f() { tokio::spawn(1); tokio::task::spawn(2); }")]);
    let found = model.callees("krate::f");
    assert_eq!(found[0], found[1]);
    assert!(Apis::builtin().function(&found[0]).is_some());
}

#[test]
fn rows_are_those_of_the_version_that_is_asked_for() {
    let model = package(&[(
        "src/lib.rs",
        "use nix::unistd::*; use nix::sys::socket as net;
        fn f() { let raw = dup(0).unwrap(); let (r, w) = nix::unistd::pipe().unwrap(); let s = net::socket().unwrap();
            let closed = close(raw); let dir = nix::dir::Dir::from_fd(raw).unwrap(); }",
    )]);
    let local = |name| model.local_text("krate::f", name);
    assert_eq!([local("raw"), local("r"), local("s")], ["i32", "std::os::fd::OwnedFd", "std::os::fd::OwnedFd"]);
    assert_eq!(local("dir"), "nix::dir::Dir");
    assert_eq!(model.callees("krate::f")[0], "nix@0.0.0..0.30.0::unistd::dup");
    // Without a version only rows for all of them are used.
    let lone =
        loose(&[("proj/src/net.rs", "fn f() { let raw = nix::unistd::dup(0); let closed = nix::unistd::close(0); }")]);
    assert_eq!(lone.local_text("proj::net::f", "raw"), "_");
    assert_eq!(lone.local_text("proj::net::f", "closed"), "std::result::Result<(), nix::errno::Errno>");
}

#[test]
fn self_and_associated_functions() {
    let model = package(&[(
        "src/lib.rs",
        "pub trait Make { fn make() -> Self; fn twice(&self) { Self::make(); self.once(); } fn once(&self) {} }
         pub struct A; pub struct B;
         impl A { fn new() -> Self { Self } fn f() { Self::new(); A::make(); <A as Make>::make(); <B as Make>::make(); } }
         impl Make for A { fn make() -> Self { Self::new() } }
         impl Make for B { fn make() -> Self { B } }
         fn g<T: Make>() { T::make(); }",
    )]);
    let expected = ["krate::A::new", "krate::A::make", "krate::A::make", "krate::B::make"];
    assert_eq!(model.callees("krate::A::f"), expected);
    assert_eq!(model.callees("krate::Make::twice"), ["krate::Make::make", "krate::Make::once"]);
    assert_eq!(model.callees("krate::g"), ["krate::Make::make"]);
    let made = model.find("krate::Make::make");
    let paths: Vec<String> = model.implementations(made).iter().map(|&d| model.item_path(d)).collect();
    assert_eq!(paths, ["<A as Make>::make", "<B as Make>::make"]);
}

#[test]
fn item_paths_are_within_the_crate() {
    let model = package(&[(
        "src/lib.rs",
        "pub mod server { pub struct Acceptor; impl Acceptor { fn run(&self) {} } impl Drop for Acceptor { fn drop(&mut self) {} } }",
    )]);
    assert_eq!(model.item_path(model.find("krate::server::Acceptor::run")), "server::Acceptor::run");
    let acceptor = model.find("krate::server::Acceptor");
    let dropped = model.has_drop(acceptor).expect("it has a Drop");
    assert_eq!(model.item_path(dropped), "<server::Acceptor as Drop>::drop");
    assert_eq!(model.has_drop(model.find("krate::server::Acceptor::run")), None);
}

#[test]
fn programs_see_their_library() {
    let model = package(&[
        ("src/lib.rs", "pub mod shared; pub fn f() {}"),
        ("src/shared.rs", "pub fn s() { crate::f() }"),
        ("src/main.rs", "mod shared; fn main() { krate::f(); shared::s(); krate::shared::s(); }"),
    ]);
    assert_eq!(model.callees("app::main"), ["krate::f", "krate::shared::s", "krate::shared::s"]);
    assert_eq!(model.callees("krate::shared::s"), ["krate::f"]);
    assert_eq!(model.target(model.find("app::main")), TargetKind::Bin);
}

#[test]
fn files_without_a_root_are_placed_by_folder() {
    let model = loose(&[
        (
            "proj/src/net/conn.rs",
            "use crate::net::pool::get; pub fn f() { get(); unknown_crate::g(); super::pool::get() }",
        ),
        ("proj/src/net/pool.rs", "pub fn get() {}"),
    ]);
    let expected = ["proj::net::pool::get", "unknown_crate::g", "proj::net::pool::get"];
    assert_eq!(model.callees("proj::net::conn::f"), expected);
}

#[test]
fn cfg_twins_are_a_set() {
    let model = package(&[
        (
            "src/lib.rs",
            "#[cfg(unix)] #[path = \"unix.rs\"] mod imp; #[cfg(windows)] #[path = \"windows.rs\"] mod imp;
             #[cfg(unix)] fn close() {} #[cfg(not(unix))] fn close() {}
             fn f() { close(); imp::open(); imp::only_windows(); }",
        ),
        ("src/unix.rs", "pub fn open() {}"),
        ("src/windows.rs", "pub fn open() {} pub fn only_windows() {}"),
    ]);
    assert_eq!(model.callees("krate::f"), ["krate::close", "krate::imp::open", "krate::imp::only_windows"]);
    assert_eq!(model.twins(model.find("krate::close")).len(), 2);
    assert_eq!(model.twins(model.find("krate::imp::open")).len(), 2);
    assert_eq!(model.twins(model.find("krate::f")).len(), 1);
}

#[test]
fn tests_are_known_through_modules() {
    let model = package(&[
        ("src/lib.rs", "#[cfg(test)] mod tests; fn f() {} #[cfg(test)] mod more { pub fn g() {} }"),
        ("src/tests.rs", "pub fn t() {}"),
    ]);
    assert!(model.is_test(model.find("krate::tests::t")));
    assert!(model.is_test(model.find("krate::more::g")));
    assert!(!model.is_test(model.find("krate::f")));
}

#[test]
fn crates_for_tests_are_known_by_their_names() {
    let file: &[(&str, &str)] = &[("src/lib.rs", "pub fn f() {}")];
    let names = ["httpmock", "mockito", "pp_bench", "e2e_runner", "latest", "contest"];
    let model = link(&names.map(|name| (name, file)));
    let found = names.map(|name| model.is_for_tests_by_name(model.find(&format!("{name}::f"))));
    assert_eq!(found, [true, true, true, true, false, false]);
}

#[test]
fn a_macro_does_not_hide_its_crate() {
    let model =
        package(&[("src/lib.rs", "use anyhow::anyhow; fn f() -> anyhow::Result<u8> { anyhow::format_err(); Ok(1) }")]);
    assert_eq!(model.callees("krate::f")[0], "anyhow::format_err");
    assert!(model.ty_text(model.item_ty(model.find("krate::f"))).starts_with("std::result::Result<u8"));
}

#[test]
fn modules_named_like_primitives() {
    let model = package(&[(
        "src/lib.rs",
        "use std::{str, u8}; fn f(s: &str, n: u8) { str::from_utf8(&[]); let d: u8 = Default::default(); }",
    )]);
    assert_eq!(model.callees("krate::f"), ["std::str::from_utf8", "std::default::Default::default"]);
    assert_eq!(model.local_text("krate::f", "s"), "&str");
    assert_eq!(model.local_text("krate::f", "n"), "u8");
}

#[test]
fn an_import_of_everything_from_nowhere_is_no_crate() {
    for import in ["use *;", "use {*};", "use ::*;"] {
        let model = package(&[("src/lib.rs", &format!("{import}\nfn f() {{ listen(1); }}"))]);
        assert_eq!(model.callees("krate::f"), ["?"], "{import}");
    }
}
