//! What functions may do with their parameters.

use super::*;
use crate::apis::ObligationKind;
use crate::model::effects::Effects;

/// The effects of a function on its first parameter, in words.
fn effects(items: &str) -> String {
    let text = format!("use std::{{process::Child, sync::{{Arc, Mutex, mpsc::Sender}}, thread}};\n{items}");
    let model = analysed(&text);
    let effects = model.effects(model.find("krate::f"), 0);
    let named = [
        (Effects::releases(ObligationKind::Child), "releases"),
        (Effects::STORES, "stores"),
        (Effects::RETURNS, "returns"),
        (Effects::UNKNOWN, "unknown"),
        (Effects::FOREIGN, "foreign"),
    ];
    let words: Vec<&str> = named.iter().filter(|(e, _)| effects.any(*e)).map(|(_, word)| *word).collect();
    if words.is_empty() { "looks".to_owned() } else { words.join(" ") }
}

#[track_caller]
fn check(expected: &str, cases: &[&str]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|items| (items, effects(items)))
        .filter(|(_, found)| found != expected)
        .map(|(items, found)| format!("{found}: {items}"))
        .collect();
    assert!(wrong.is_empty(), "expected `{expected}`\n{}", wrong.join("\n"));
}

#[test]
fn only_looked_at() {
    check(
        "looks",
        &[
            "fn f(c: Child) {}",
            "fn f(c: &Child) -> u32 { c.id() }",
            "fn f(c: &mut Child) { c.kill().ok(); }",
            "fn f(c: &mut Child) { drop(c.stdout.take()); }",
            "fn f(c: &mut Child) { println!(\"{}\", c.id()); }",
            "fn f(c: &Child) { g(c); } fn g(c: &Child) { println!(\"{c:?}\"); }",
        ],
    );
}

#[test]
fn released() {
    check(
        "releases",
        &[
            "fn f(mut c: Child) { c.wait().ok(); }",
            "fn f(c: &mut Child) { c.wait().ok(); }",
            "fn f(c: Option<Child>) { if let Some(mut c) = c { c.wait().ok(); } }",
            "fn f(c: &mut Option<Child>) { if let Some(mut c) = c.take() { c.wait().ok(); } }",
            "fn f(c: Arc<Mutex<Child>>) { c.lock().unwrap().wait().ok(); }",
            "fn f(b: &mut Child) { let c = b; let d = c; d.wait().ok(); }",
            "fn f(mut c: Child) { thread::spawn(move || c.wait()); }",
        ],
    );
}

#[test]
fn released_by_being_used_up() {
    check("releases unknown", &["fn f(c: Child) { c.wait_with_output().ok(); }"]);
}

#[test]
fn raw_ones_by_placeholder_or_copied_struct() {
    let adopt = "use std::os::windows::io::{FromRawSocket, OwnedSocket};";
    let owner = "unsafe { OwnedSocket::from_raw_socket(s) }";
    check(
        "releases",
        &[
            &format!(
                "{adopt} pub enum NotHere {{}} type RawSocket = NotHere; fn f(s: RawSocket) {{ let o = {owner}; }}"
            ),
            "fn f(p: *mut String) { unsafe { std::ptr::drop_in_place(p); } }",
            "fn f(p: std::ptr::NonNull<String>) { unsafe { p.drop_in_place(); } }",
        ],
    );
    check(
        "foreign",
        &[
            "#[derive(Clone, Copy)] struct H(i32); unsafe extern \"C\" { fn look(h: H); } fn f(h: H) { unsafe { look(h) } }",
        ],
    );
}

#[test]
fn stored() {
    check(
        "stores",
        &[
            "struct S { c: Child } fn f(c: Child) { let s = S { c }; drop(s); }",
            "fn f(c: Child, v: &mut Vec<Child>) { v.push(c); }",
            "struct S { c: Option<Child> } fn f(c: Child, s: &mut S) { s.c = Some(c); }",
            "fn f(c: Child, t: &Sender<Child>) { t.send(c).ok(); }",
        ],
    );
}

#[test]
fn returned() {
    check(
        "returns",
        &[
            "fn f(c: Child) -> Child { c }",
            "fn f(c: Child) -> Option<Child> { Some(c) }",
            "fn f(c: Child) -> Arc<Mutex<Child>> { Arc::new(Mutex::new(c)) }",
            "fn f(c: &mut Child) -> &mut Child { c }",
            "fn f(c: Child) -> Child { let d = g(c); d } fn g(c: Child) -> Child { c }",
            "fn f(c: Child) -> Child { g(c) } fn g(c: Child) -> Child { c }",
        ],
    );
}

#[test]
fn out_of_sight() {
    check(
        "unknown",
        &[
            "fn f(c: Child) { ext::keep(c); }",
            "fn f(c: Child, g: fn(Child)) { g(c); }",
            "fn f(c: Child) { keep!(c); }",
            "trait T { fn keep(&self, c: Child); } fn f(c: Child, t: &dyn T) { t.keep(c); }",
        ],
    );
    check("foreign", &["extern \"C\" { fn look(p: *mut u8); } fn f(p: *mut u8) { unsafe { look(p) } }"]);
}

#[test]
fn through_helpers() {
    check(
        "releases",
        &[
            "fn f(c: Child) { a(c); } fn a(c: Child) { b(c); } fn b(mut c: Child) { c.wait().ok(); }",
            "fn f(c: &mut Child) { a(1, c); } fn a(n: u8, c: &mut Child) { b(c, n); } fn b(c: &mut Child, _: u8) { c.wait().ok(); }",
            "struct S; impl S { fn end(&self, c: &mut Child) { c.wait().ok(); } } fn f(c: &mut Child) { S.end(c); }",
        ],
    );
    check("looks", &["fn f(c: Child) { a(c); } fn a(c: Child) { b(c); } fn b(c: Child) { drop(c) }"]);
    check(
        "stores",
        &["fn f(c: Child, v: &mut Vec<Child>) { a(v, c); } fn a(v: &mut Vec<Child>, c: Child) { v.push(c) }"],
    );
}

#[test]
fn recursion_comes_to_an_end() {
    check("looks", &["fn f(c: &Child, n: u8) { if n > 0 { f(c, n - 1); } }"]);
    check(
        "releases",
        &[
            "fn f(c: &mut Child, n: u8) { if n > 0 { g(c, n); } } fn g(c: &mut Child, n: u8) { if n == 1 { c.wait().ok(); } else { f(c, n - 1); } }",
        ],
    );
}

#[test]
fn a_part_is_not_the_whole() {
    check("looks", &["fn f(c: Child) -> u32 { let out = c.stdout; drop(out); 1 }"]);
}
