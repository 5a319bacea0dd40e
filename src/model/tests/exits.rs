//! Which bodies can end: loops with and without an exit of their own.

use super::*;
use crate::model::exits::Ends;

/// Whether `krate::f`, or the first closure or block in it if `nested`, can end.
fn ends(text: &str, nested: bool) -> &'static str {
    let model = analysed(text);
    let f = model.find("krate::f");
    let digest = model.digest_of(f).expect("f is analysed");
    if !nested {
        return if model.never_returns(f) { "never" } else { "ends" };
    }
    match &digest.bodies[1].ends {
        Ends::Yes => "ends",
        Ends::Never(_) => "never",
        Ends::Unless(callees) if callees.iter().any(|c| model.never_returns(*c)) => "never",
        Ends::Unless(_) => "ends",
    }
}

#[track_caller]
fn check(expected: &str, cases: &[&str]) {
    let wrong: Vec<&&str> = cases.iter().filter(|text| ends(text, false) != expected).collect();
    assert!(wrong.is_empty(), "expected `{expected}`:\n{wrong:#?}");
}

#[test]
fn loops_without_an_exit() {
    check(
        "never",
        &[
            "fn f() { loop {} }",
            "fn f() { loop { g(); } } fn g() {}",
            "fn f() { while true { g(); } } fn g() {}",
            "fn f(b: bool) { loop { if b { continue; } } }",
            "fn f(v: Vec<u8>) { loop { for x in &v { if *x == 0 { break; } } } }",
            "async fn f() { loop { g().await; } } async fn g() {}",
            "use std::sync::mpsc::Receiver; fn f(r: Receiver<u8>) { loop { match r.recv() { Ok(_) => {} Err(_) => continue } } }",
            "use std::sync::mpsc::Receiver; fn f(r: Receiver<u8>) { loop { while let Ok(_) = r.recv() {} } }",
            "fn f() { let g = || loop {}; loop { std::thread::park(); } }",
        ],
    );
}

#[test]
fn loops_with_an_exit() {
    check(
        "ends",
        &[
            "fn f() {}",
            "fn f(b: bool) { loop { if b { break; } } }",
            "fn f(b: bool) { loop { if b { return; } } }",
            "fn f() -> Result<(), ()> { loop { g()?; } } fn g() -> Result<(), ()> { Ok(()) }",
            "fn f(b: bool) { while b {} }",
            "fn f(v: Vec<u8>) { for _ in v {} }",
            "fn f(b: bool) { 'o: loop { loop { if b { break 'o; } } } }",
            "use std::sync::mpsc::Receiver; fn f(r: Receiver<u8>) { while let Ok(_) = r.recv() {} }",
            "use std::sync::mpsc::Receiver; fn f(r: Receiver<u8>) { for _ in r {} }",
            "use std::sync::mpsc::Receiver; fn f(r: Receiver<u8>) { loop { let Ok(_) = r.recv() else { break }; } }",
            "use std::sync::Weak; fn f(w: Weak<u8>) { while let Some(_) = w.upgrade() {} }",
        ],
    );
}

#[test]
fn a_panic_at_the_closed_channel_is_an_exit() {
    check(
        "ends",
        &[
            "use std::sync::mpsc::Receiver; fn f(r: Receiver<u8>) { loop { let _n = r.recv().unwrap(); } }",
            "use std::sync::mpsc::Receiver; fn f(r: Receiver<u8>) { loop { let _n = r.recv().expect(\"open\"); } }",
        ],
    );
    check("never", &["fn f(s: &str) { loop { let _n: u8 = s.parse().unwrap(); } }"]);
}

#[test]
fn ends_of_the_process_are_exits() {
    check(
        "ends",
        &[
            "fn f(b: bool) { loop { if b { std::process::exit(1); } } }",
            "fn f(b: bool) { loop { if b { panic!(\"enough\"); } } }",
        ],
    );
}

#[test]
fn calls_that_never_return() {
    check(
        "never",
        &[
            "fn f() { g(); } fn g() { loop {} }",
            "fn f() { g(); } fn g() { h(); } fn h() { loop {} }",
            "async fn f() { g().await; } async fn g() { loop { h().await; } } async fn h() {}",
            "fn f(b: bool) { if b { g(); } else { g(); } } fn g() { loop {} }",
        ],
    );
    check(
        "ends",
        &[
            "fn f(b: bool) { if b { g(); } } fn g() { loop {} }",
            "fn f() { let _future = g(); } async fn g() { loop { h().await; } } async fn h() {}",
            "fn f() { let g = || loop {}; drop(g); }",
            "fn f() { std::thread::spawn(|| g()); } fn g() { loop {} }",
        ],
    );
}

#[test]
fn select_loops() {
    let select = |arms: &str| {
        format!(
            "async fn f(mut a: tokio::sync::mpsc::Receiver<u8>, mut t: tokio::time::Interval) {{ loop {{ tokio::select! {{ {arms} }} }} }}"
        )
    };
    let never =
        ["_ = t.tick() => {}", "_ = t.tick() => {} _ = a.recv() => {}", "Some(_) = a.recv() => {} _ = t.tick() => {}"];
    let ends = [
        "_ = t.tick() => {} _ = a.recv() => break,",
        "_ = t.tick() => {} n = a.recv() => { if n.is_none() { return; } }",
        "_ = t.tick() => {} n = a.recv() => match n { Some(_) => {} None => break },",
    ];
    check("never", &never.map(select).each_ref().map(String::as_str));
    check("ends", &ends.map(select).each_ref().map(String::as_str));
}

#[test]
fn closures_and_blocks_end_for_themselves() {
    let body = |text: &str| ends(text, true);
    assert_eq!(body("fn f() { std::thread::spawn(|| loop {}); }"), "never");
    assert_eq!(body("fn f() { std::thread::spawn(|| g()); } fn g() { loop {} }"), "never");
    assert_eq!(body("fn f(b: bool) { std::thread::spawn(move || loop { if b { break } }); }"), "ends");
    assert_eq!(body("fn f() { tokio::spawn(async { loop { g().await } }); } async fn g() {}"), "never");
    assert_eq!(
        body("fn f() { tokio::spawn(async { loop { if g().await { break } } }); } async fn g() -> bool { true }"),
        "ends"
    );
}
