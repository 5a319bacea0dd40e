//! What spawned bodies own, what that keeps alive, and whether they stay because of it.

use super::*;
use crate::model::access::Tracer;
use crate::model::captures::captured;
use crate::model::pinned::pinned;
use crate::model::tasks::is_spawn;

const HEAD: &str = "use std::sync::{Arc, Mutex, OnceLock, Weak}; use tokio::sync::{broadcast, mpsc, watch};\n";

/// What the only spawn in `krate::f` (or `krate::S::f`) owns and keeps alive, by name.
fn owned(items: &str) -> String {
    let model = analysed(&format!("{HEAD}{items}"));
    let mut found = None;
    model.each_seed(is_spawn, |tracer, _, seed| {
        let values = captured(tracer, seed);
        let named =
            |types: Vec<DefId>| types.iter().map(|&d| model.text(model.def_name(d))).collect::<Vec<_>>().join(" ");
        let list: Vec<String> = values.iter().map(|c| named(model.keeps_alive(c.ty))).collect();
        found = Some(list.join(", "));
    });
    found.unwrap_or_else(|| panic!("no spawn: {items}"))
}

/// Whether the only spawn stays, and in which field what would end it is.
fn stays(items: &str) -> String {
    let model = analysed(&format!("{HEAD}{items}"));
    let mut found = None;
    model.each_seed(is_spawn, |tracer: &Tracer, _, seed| {
        found = Some(match pinned(tracer, seed) {
            None => "ends".to_owned(),
            Some(pin) => match pin.kept.map(|kept| kept.field) {
                None => "endless".to_owned(),
                Some(None) => "own sender".to_owned(),
                Some(Some((owner, name))) => format!("{}.{}", model.text(model.def_name(owner)), model.text(name)),
            },
        });
    });
    found.unwrap_or_else(|| panic!("no spawn: {items}"))
}

#[track_caller]
fn check(look: fn(&str) -> String, cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(items, expected)| (items, expected, look(items)))
        .filter(|(_, expected, found)| found != *expected)
        .map(|(items, expected, found)| format!("expected `{expected}`, found `{found}`: {items}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_captured() {
    check(
        owned,
        &[
            ("struct S; fn f(s: S) { tokio::spawn(async move { let _x = &s; }); }", "S"),
            (
                "struct S; fn f(s: Arc<S>) { let t = Arc::clone(&s); tokio::spawn(async move { t.g(); }); } impl S { fn g(&self) {} }",
                "S",
            ),
            (
                "struct S; impl S { fn f(self: Arc<Self>) { std::thread::spawn(move || self.g()); } fn g(&self) {} }",
                "S",
            ),
            (
                "struct I; #[derive(Clone)] struct S { i: Arc<I> } fn f(s: &S) { let s = s.clone(); tokio::spawn(async move { s.g() }); } impl S { fn g(&self) {} }",
                "S I",
            ),
            (
                "struct I; #[derive(Clone)] struct S(Arc<I>); fn f(s: &S) { tokio::spawn(g(s.clone())); } async fn g(s: S) {}",
                "S I",
            ),
            (
                "struct I; struct S { i: Mutex<Option<Arc<I>>> } fn f(s: Arc<S>) { tokio::spawn(async move { s.g() }); } impl S { fn g(&self) {} }",
                "S I",
            ),
            (
                "struct I; struct S { i: Weak<I> } fn f(s: Arc<S>) { tokio::spawn(async move { s.g() }); } impl S { fn g(&self) {} }",
                "S",
            ),
            ("struct S; fn f(s: &'static S) { tokio::spawn(async move { s.g() }); } impl S { fn g(&self) {} }", ""),
            (
                "struct S; fn f(s: &Arc<S>) { let w = Arc::downgrade(s); tokio::spawn(async move { w.upgrade(); }); }",
                "",
            ),
            (
                "struct S; struct M; fn f(s: Arc<S>, r: mpsc::Receiver<M>) { tokio::spawn(s.run(r)); } impl S { async fn run(self: Arc<Self>, r: mpsc::Receiver<M>) {} }",
                "S, ",
            ),
        ],
    );
}

const S: &str = "struct S { tx: mpsc::Sender<u8>, cell: OnceLock<mpsc::Sender<u8>>, lock: Mutex<Option<mpsc::Sender<u8>>>, all: broadcast::Sender<u8> } \
                 impl S { fn g(&self, m: u8) {} fn sub(&self) -> broadcast::Receiver<u8> { self.all.subscribe() } \
                 fn new(tx: mpsc::Sender<u8>) -> S { S { tx, cell: OnceLock::new(), lock: Mutex::new(None), all: broadcast::channel(1).0 } } }\n";

#[track_caller]
fn check_s(cases: &[(&str, &str)]) {
    let cases: Vec<(String, &str)> = cases.iter().map(|(text, expected)| (format!("{S}{text}"), *expected)).collect();
    check(stays, &cases.iter().map(|(text, expected)| (text.as_str(), *expected)).collect::<Vec<_>>());
}

#[test]
fn who_keeps_the_channel_open() {
    check_s(&[
        (
            "fn f() { let (tx, mut rx) = mpsc::channel(1); let s = Arc::new(S::new(tx)); tokio::spawn(async move { while let Some(m) = rx.recv().await { s.g(m); } }); }",
            "S.tx",
        ),
        (
            "fn f(s: Arc<S>) { let (tx, mut rx) = mpsc::channel(1); s.cell.set(tx).ok(); let t = s.clone(); tokio::spawn(async move { while let Some(m) = rx.recv().await { t.g(m); } }); }",
            "S.cell",
        ),
        (
            "fn f(s: Arc<S>) { let (tx, mut rx) = mpsc::channel(1); *s.lock.lock().unwrap() = Some(tx); tokio::spawn(async move { loop { match rx.recv().await { Some(m) => s.g(m), None => return } } }); }",
            "S.lock",
        ),
        (
            "fn f(s: Arc<S>) { let mut rx = s.all.subscribe(); tokio::spawn(async move { loop { let Ok(m) = rx.recv().await else { break }; s.g(m); } }); }",
            "S.all",
        ),
        (
            "fn f(s: Arc<S>) { let mut rx = s.sub(); tokio::spawn(async move { while let Ok(m) = rx.recv().await { s.g(m); } }); }",
            "S.all",
        ),
        (
            "fn f(s: Arc<S>) { tokio::spawn(async move { let mut rx = s.all.subscribe(); while let Ok(m) = rx.recv().await { s.g(m); } }); }",
            "S.all",
        ),
        (
            "fn f(s: Arc<S>) { tokio::spawn(run(s)); } async fn run(s: Arc<S>) { let mut rx = s.sub(); while let Ok(m) = rx.recv().await { s.g(m); } }",
            "S.all",
        ),
        (
            "fn f(s: Arc<S>) { let rx = s.sub(); tokio::spawn(async move { run(&s, rx).await; }); } async fn run(s: &S, mut rx: broadcast::Receiver<u8>) { while let Ok(m) = rx.recv().await { s.g(m); } }",
            "S.all",
        ),
        (
            "fn f() { let (tx, mut rx) = mpsc::channel(1); tokio::spawn(async move { while let Some(m) = rx.recv().await { let t = tx.clone(); t.try_send(m).ok(); } }); }",
            "own sender",
        ),
        (
            "fn f() { let (tx, rx) = std::sync::mpsc::channel::<u8>(); std::thread::spawn(move || { for m in rx { tx.send(m).ok(); } }); }",
            "own sender",
        ),
        ("fn f(s: Arc<S>) { tokio::spawn(async move { loop { s.g(1); } }); }", "endless"),
        (
            "fn f(s: Arc<S>) { let mut rx = s.sub(); tokio::spawn(async move { loop { tokio::select! { Ok(m) = rx.recv() => s.g(m), else => break } } }); }",
            "S.all",
        ),
        (
            "fn f(s: Arc<S>) { let mut rx = s.sub(); let w = async move { while let Ok(m) = rx.recv().await { s.g(m); } }; tokio::spawn(async move { w.await; }); }",
            "S.all",
        ),
    ]);
}

#[test]
fn who_does_not() {
    check_s(&[
        (
            "fn f(s: Arc<S>, mut rx: mpsc::Receiver<u8>) { tokio::spawn(async move { while let Some(m) = rx.recv().await { s.g(m); } }); }",
            "ends",
        ),
        (
            "fn f(s: Arc<S>) { let mut rx = s.all.subscribe(); let w = Arc::downgrade(&s); tokio::spawn(async move { while let Ok(m) = rx.recv().await { let Some(s) = w.upgrade() else { return }; s.g(m); } }); }",
            "ends",
        ),
        (
            "fn f(s: Arc<S>, o: Arc<S>) { let mut rx = s.all.subscribe(); tokio::spawn(async move { while let Ok(m) = rx.recv().await { o.g(m); } }); }",
            "ends",
        ),
        (
            "fn f(s: Arc<S>) { let mut rx = s.all.subscribe(); tokio::spawn(async move { while let Ok(m) = rx.recv().await { if m == 0 { break; } s.g(m); } }); }",
            "ends",
        ),
        (
            "fn f(s: Arc<S>) { let mut rx = s.all.subscribe(); tokio::spawn(async move { while let Ok(0) = rx.recv().await { s.g(0); } }); }",
            "ends",
        ),
        (
            "fn f(s: Arc<S>, mut stop: watch::Receiver<bool>) { let mut rx = s.all.subscribe(); tokio::spawn(async move { loop { tokio::select! { _ = stop.changed() => break, Ok(m) = rx.recv() => s.g(m) } } }); }",
            "ends",
        ),
        (
            "fn f(s: Arc<S>) { let (tx, mut rx) = mpsc::channel(1); *s.lock.lock().unwrap() = Some(tx); tokio::spawn(async move { while let Some(m) = rx.recv().await { s.g(m); } }); } fn close(s: &S) { s.lock.lock().unwrap().take(); }",
            "ends",
        ),
        (
            "fn f(s: Arc<S>) { let (tx, mut rx) = mpsc::channel(1); *s.lock.lock().unwrap() = Some(tx); tokio::spawn(async move { while let Some(m) = rx.recv().await { s.g(m); } }); } fn close(s: &S) { *s.lock.lock().unwrap() = None; }",
            "ends",
        ),
        (
            "fn f() { let (tx, mut rx) = mpsc::channel::<u8>(1); tokio::spawn(async move { drop(tx); while let Some(m) = rx.recv().await {} }); }",
            "ends",
        ),
        (
            "fn f() { let (tx, mut rx) = mpsc::channel::<u8>(1); tokio::spawn(async move { tokio::spawn(async move { tx.send(1).await.ok(); }); while let Some(m) = rx.recv().await {} }); }",
            "ends",
        ),
        (
            "fn f(s: Arc<S>) { let rx = s.sub(); tokio::spawn(async move { run(rx).await; s.g(1); }); } async fn run(mut rx: broadcast::Receiver<u8>) { while let Ok(m) = rx.try_recv() {} }",
            "ends",
        ),
    ]);
}
