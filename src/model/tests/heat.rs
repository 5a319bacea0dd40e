//! How often functions run.

use super::*;
use crate::model::heat::Runs;

#[track_caller]
fn check(files: &[(&str, &str)], expected: &[(&str, Runs)]) {
    let model = analysed_files(files);
    for (path, runs) in expected {
        let position = model.digest_position(model.find(path)).expect("analysed");
        assert_eq!(model.analysis.heats[position as usize], *runs, "{path}");
    }
}

#[test]
fn what_nobody_else_can_call_is_unknown() {
    let text = "pub fn open() { inner(); } fn inner() {} fn unused() {}";
    check(
        &[("src/lib.rs", text)],
        &[("krate::open", Runs::PerCall), ("krate::inner", Runs::PerCall), ("krate::unused", Runs::Unknown)],
    );
}

#[test]
fn main_runs_once_and_loops_repeat() {
    let text = "fn main() { setup(); for _ in 0..3 { three(); } loop { turn(); } } fn setup() {} fn three() {} fn turn() { deep(); } fn deep() {}";
    check(
        &[("src/main.rs", text)],
        &[
            ("app::main", Runs::Once),
            ("app::setup", Runs::Once),
            ("app::three", Runs::Once),
            ("app::turn", Runs::Repeated),
            ("app::deep", Runs::Repeated),
        ],
    );
}

#[test]
fn functions_given_to_initialisers_run_once() {
    let text = "use std::sync::OnceLock; static A: OnceLock<u8> = OnceLock::new(); static B: OnceLock<u8> = OnceLock::new(); \
                pub fn a() -> u8 { *A.get_or_init(one) } pub fn b() -> u8 { *B.get_or_init(|| two()) } pub fn c() { Some(1).map(three); } \
                fn one() -> u8 { 1 } fn two() -> u8 { 2 } fn three(n: u8) -> u8 { n }";
    check(
        &[("src/lib.rs", text)],
        &[("krate::one", Runs::Once), ("krate::two", Runs::Once), ("krate::three", Runs::PerCall)],
    );
}

#[test]
fn initialisers_run_once() {
    let text =
        "use std::sync::{LazyLock, OnceLock, Once}; static A: LazyLock<u8> = LazyLock::new(|| a()); fn a() -> u8 { 1 }
         static B: OnceLock<u8> = OnceLock::new(); pub fn b() -> u8 { *B.get_or_init(|| made()) } fn made() -> u8 { 1 }
         static C: Once = Once::new(); pub fn c() { C.call_once(|| first()); } fn first() {}";
    check(
        &[("src/lib.rs", text)],
        &[("krate::a", Runs::Once), ("krate::made", Runs::Once), ("krate::first", Runs::Once)],
    );
}

#[test]
fn tests_heat_nothing() {
    let text = "pub fn serve() { put(); } fn put() {}
         #[cfg(test)] mod tests { #[test] fn t() { super::put(); } }";
    // Test code has no digest of its own, and lends none of its heat.
    check(&[("src/lib.rs", text)], &[("krate::put", Runs::PerCall)]);
}

#[test]
fn methods_of_traits() {
    let text = "pub trait T { fn turn(&self); } struct S; impl T for S { fn turn(&self) { own(); } } fn own() {}
         pub fn run(t: &dyn T) { loop { t.turn(); std::thread::park(); } }";
    check(&[("src/lib.rs", text)], &[("krate::own", Runs::Repeated)]);
}

#[test]
fn services_streams_and_schedules() {
    let text = "pub trait Greeter { fn say(&self); } struct G; #[tonic::async_trait] impl Greeter for G { fn say(&self) { own(); } } fn own() {}";
    check(&[("src/lib.rs", text)], &[("krate::own", Runs::Repeated)]);
    let text = "use futures::StreamExt; fn main() { run(ext::numbers()); } async fn run(s: impl futures::Stream<Item = u8>) { s.for_each(|_| async { each(); }).await; } fn each() {}";
    check(&[("src/main.rs", text)], &[("app::each", Runs::Repeated)]);
    let text = "fn main() { let mut s = clokwerk::Scheduler::new(); s.every(1.day()).at(\"3:20\").run(|| sweep()); } fn sweep() {}";
    check(&[("src/main.rs", text)], &[("app::sweep", Runs::Repeated)]);
}

#[test]
fn functions_given_as_values() {
    let text = "pub fn start() { ext::each(handle); } fn handle() { deep(); } fn deep() {}";
    check(&[("src/lib.rs", text)], &[("krate::handle", Runs::PerCall), ("krate::deep", Runs::PerCall)]);
}

#[test]
fn traits_of_the_run_are_called_where_they_are() {
    let text = "trait T { fn start(&self); fn other(&self); } struct S; impl T for S { fn start(&self) { own(); } fn other(&self) { more(); } }
         fn own() {} fn more() {} fn main() { let t: &dyn T = &S; t.start(); }";
    check(&[("src/main.rs", text)], &[("app::own", Runs::Once), ("app::more", Runs::PerCall)]);
    // Of many implementations a loop may always call another one.
    let text = "trait T { fn turn(&self); } struct A; struct B; struct C; struct D; impl T for A { fn turn(&self) { own(); } } fn own() {}
         impl T for B { fn turn(&self) {} } impl T for C { fn turn(&self) {} } impl T for D { fn turn(&self) {} }
         fn main() { let t: &dyn T = &A; loop { t.turn(); } }";
    check(&[("src/main.rs", text)], &[("app::own", Runs::PerCall)]);
}

#[test]
fn what_no_program_calls_never_runs() {
    let library = "pub mod a; pub fn used() { kept(); } fn kept() {} pub fn unused() { inner(); } fn inner() {}";
    let module = "pub struct S; impl S { pub fn new() -> S { built(); S } pub fn open(&self) {} } fn built() {}";
    let main = "fn main() { krate::used(); }";
    let expected = [
        ("krate::kept", Runs::Once),
        ("krate::unused", Runs::Never),
        ("krate::inner", Runs::Unknown),
        ("krate::a::built", Runs::Unknown),
    ];
    let files = [("src/lib.rs", library), ("src/a.rs", module), ("src/main.rs", main)];
    check(&files, &expected);
}
