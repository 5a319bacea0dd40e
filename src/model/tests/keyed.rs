//! The ways from where something is put under a key: each kind of exit, and what takes it back.

use super::*;
use crate::facts::body::{EdgeKind, Op, StatementId};
use crate::model::access::Tracer;
use crate::model::keyed::{Touch, ways};

/// The ways from the first call of `put` in `krate::f` to calls of `take`, in words.
fn ways_of(body: &str) -> String {
    let text = format!(
        "fn put() -> Result<u32, ()> {{ Ok(1) }} fn take() {{}} fn maybe() {{}} fn fails() -> Result<u32, ()> {{ Ok(1) }}\n\
         fn die() -> ! {{ std::process::exit(1) }} async fn waits() -> Result<u32, ()> {{ Ok(1) }}\n{body}"
    );
    let model = analysed(&text);
    let digest = model.digest_of(model.find("krate::f")).expect("f is analysed");
    let function = model.typed(digest.root);
    let tracer = Tracer::new(&model, &function);
    let typed = tracer.body(0);
    let calls = |id: &StatementId, name: &str| {
        typed.body.statements[id.index()].op == Op::Call
            && tracer.method_name(0, &typed.body.statements[id.index()]) == name
    };
    let mut all = (0..typed.body.statements.len() as u32).map(StatementId);
    let first = all.find(|id| calls(id, "put")).expect("f calls put");
    let touch = |id| match () {
        () if calls(&id, "take") => Touch::TakesBack,
        () if calls(&id, "maybe") => Touch::MayTakeBack,
        () => Touch::None,
    };
    let ways = ways(&tracer, 0, first, &touch, &|_, _| false);
    let mut words: Vec<String> = Vec::new();
    for (kind, word) in [(EdgeKind::Error, "error"), (EdgeKind::Cancel, "cancel")] {
        let count = ways.exits.iter().filter(|e| e.kind == kind).count();
        words.extend((count > 0).then(|| format!("{count} {word}")));
    }
    words.extend((!ways.taken_back.is_empty()).then(|| "taken back".to_owned()));
    words.extend(ways.may_be_taken.then(|| "may be taken".to_owned()));
    words.extend(ways.stays.then(|| "stays".to_owned()));
    words.join(", ")
}

#[test]
fn follows_each_kind_of_exit() {
    for (body, expected) in [
        ("fn f() -> Result<(), ()> { put()?; take(); Ok(()) }", "taken back"),
        ("fn f() -> Result<(), ()> { put()?; fails()?; take(); Ok(()) }", "1 error, taken back"),
        ("fn f() -> Result<(), ()> { fails()?; put()?; take(); fails()?; Ok(()) }", "taken back"),
        ("fn f(b: bool) -> Result<(), ()> { put()?; if b { return Err(()); } take(); Ok(()) }", "1 error, taken back"),
        ("fn f(b: bool) -> Result<(), ()> { put()?; if b { return Ok(()); } take(); Ok(()) }", "taken back, stays"),
        (
            "fn f() -> Result<(), ()> { put()?; if fails().is_err() { take(); return Err(()); } take(); Ok(()) }",
            "taken back",
        ),
        ("fn f() -> Result<(), ()> { put()?; fails()?; Ok(()) }", "1 error, stays"),
        ("fn f() -> Result<(), ()> { put()?; maybe(); fails()?; Ok(()) }", "may be taken"),
        ("async fn f() -> Result<(), ()> { put()?; waits().await?; take(); Ok(()) }", "1 error, 1 cancel, taken back"),
        (
            "fn f(n: u32) -> Result<(), ()> { for _ in 0..n { put()?; fails()?; take(); } Ok(()) }",
            "1 error, taken back",
        ),
        ("fn f() { put().ok(); loop { if fails().is_err() { break; } } take(); }", "taken back"),
        ("fn f() { put().ok(); if fails().is_err() { die(); } take(); }", "taken back"),
        ("fn f() { put().ok(); if fails().is_err() { panic!(); } take(); }", "taken back"),
    ] {
        assert_eq!(ways_of(body), expected, "{body}");
    }
}

#[test]
fn a_put_that_fails_puts_nothing() {
    for (body, expected) in [
        ("fn f() -> Result<(), ()> { put().map_err(|e| e)?; take(); Ok(()) }", "taken back"),
        ("fn f() -> Result<(), ()> { let r = put(); r?; take(); Ok(()) }", "taken back"),
        ("fn f() -> Result<(), ()> { match put() { Ok(_) => take(), Err(e) => return Err(e) } Ok(()) }", "taken back"),
        ("fn f() -> Result<(), ()> { if let Err(e) = put() { return Err(e); } take(); Ok(()) }", "taken back"),
        ("fn f() -> Result<(), ()> { let Ok(_) = put() else { return Err(()) }; take(); Ok(()) }", "taken back"),
        ("fn f() -> Result<(), ()> { let r = put(); if r.is_err() { return Err(()); } take(); Ok(()) }", "taken back"),
        (
            "fn f() -> Result<(), ()> { let n = put()?; u32::try_from(n).map_err(|_| ())?; take(); Ok(()) }",
            "1 error, taken back",
        ),
    ] {
        assert_eq!(ways_of(body), expected, "{body}");
    }
}
