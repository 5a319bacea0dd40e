//! What spawns start, where their handles are kept, and what is done with them there.

use super::*;
use crate::model::access::{Root, Tracer};
use crate::model::kept_tasks::{How, UseKind, keeps};
use crate::model::replaced_tasks::{is_looked_at_before, may_replace};
use crate::model::tasks::{Work, is_spawn, lasts, spawned};

/// Calls `visit` with each spawn of the text.
fn each_spawn(text: &str, mut visit: impl FnMut(&Tracer, u32, &crate::model::digest::Seed)) {
    let model = analysed(text);
    model.each_seed(is_spawn, |tracer, position, seed| visit(tracer, position, seed));
}

/// What is spawned, as `kind work end`.
fn told(text: &str) -> Vec<String> {
    let mut list = Vec::new();
    each_spawn(text, |tracer, _, seed| {
        let Some(spawned) = spawned(tracer, seed) else { return list.push("owned".to_owned()) };
        let work = match spawned.work {
            Work::Body(_) => "body".to_owned(),
            Work::Function(def) => tracer.model.item_path(def),
            Work::Unknown => "unknown".to_owned(),
        };
        let end = match lasts(tracer, spawned.work) {
            Some(lasting) if lasting.at.is_some() => "never",
            Some(_) => "never, no loop",
            None => "ends",
        };
        list.push(format!("{} {work} {end}", spawned.noun()));
    });
    list
}

#[test]
fn spawns_tell_what_they_run() {
    let cases: &[(&str, &str)] = &[
        ("pub fn f() { std::thread::spawn(|| loop {}); }", "thread body never"),
        ("pub fn f() { std::thread::spawn(g); } fn g() { loop {} }", "thread g never"),
        ("pub fn f() { std::thread::spawn(|| g()); } fn g() { h() } fn h() { loop {} }", "thread body never"),
        ("pub fn f() { tokio::spawn(g()); } async fn g() { loop { h().await } } async fn h() {}", "task g never"),
        ("pub fn f() { tokio::spawn(async { g().await }); } async fn g() {}", "task body ends"),
        ("pub fn f() { tokio::task::spawn_blocking(|| loop {}); }", "task body never"),
        ("pub fn f() { tokio::task::spawn_local(async { loop {} }); }", "task body never"),
        ("pub fn f(g: fn()) { std::thread::spawn(g); }", "thread unknown ends"),
        ("pub fn f(s: &mut tokio::task::JoinSet<()>) { s.spawn(async { loop {} }); }", "owned"),
    ];
    for (text, expected) in cases {
        assert_eq!(told(text), [*expected], "{text}");
    }
}

/// Where the handle of the first spawn in `f` is kept, as `Type::field how`.
fn kept(text: &str) -> Vec<String> {
    let mut list = Vec::new();
    each_spawn(text, |tracer, _, seed| {
        for keep in keeps(tracer, seed.body, seed.statement) {
            let place = match keep.root {
                Root::Field(owner, name) => format!("{}::{}", tracer.model.item_path(owner), tracer.model.text(name)),
                Root::Static(def) => tracer.model.item_path(def),
                _ => "?".to_owned(),
            };
            list.push(format!("{place} {:?}", keep.how));
        }
    });
    list
}

#[test]
fn handles_are_followed_to_where_they_are_kept() {
    const HEAD: &str = "use std::{sync::Mutex, collections::HashMap, thread::{JoinHandle, spawn}}; fn work() { loop {} }
        pub struct S { one: JoinHandle<()>, maybe: Option<JoinHandle<()>>, list: Vec<JoinHandle<()>>,
            map: Mutex<HashMap<u8, JoinHandle<()>>>, abort: Option<tokio::task::AbortHandle>, runs: HashMap<u8, R> }
        pub struct R { abort: tokio::task::AbortHandle } static ALL: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());";
    let cases: &[(&str, &[&str])] = &[
        ("pub fn f(s: &mut S) { s.maybe = Some(spawn(work)); }", &["S::maybe Assigned"]),
        ("pub fn f(s: &mut S) { let h = spawn(work); s.one = h; }", &["S::one Assigned"]),
        ("pub fn f(s: &mut S) { s.maybe.replace(spawn(work)); }", &["S::maybe Replaces"]),
        ("pub fn f(s: &mut S) { s.maybe.insert(spawn(work)); }", &["S::maybe Replaces"]),
        ("pub fn f(s: &mut S) { s.list.push(spawn(work)); }", &["S::list Added"]),
        ("pub fn f(s: &S) { s.map.lock().unwrap().insert(1, spawn(work)); }", &["S::map Replaces"]),
        ("pub fn f() { ALL.lock().unwrap().push(spawn(work)); }", &["ALL Added"]),
        (
            "pub fn f(s: &mut S) { let h = tokio::spawn(async {}); s.abort = Some(h.abort_handle()); }",
            &["S::abort Assigned"],
        ),
        (
            "pub fn f(s: &mut S) { let h = tokio::spawn(async {}); s.runs.insert(1, R { abort: h.abort_handle() }); }",
            &["R::abort Made", "S::runs Replaces"],
        ),
        ("pub fn f() { let h = spawn(work); let id = h.thread().id(); drop(h); }", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(kept(&format!("{HEAD} {text}")), *expected, "{text}");
    }
}

const FIELD: &str = "use std::thread::JoinHandle; use std::sync::Mutex;
    pub struct S { task: Option<JoinHandle<()>>, other: Mutex<Option<tokio::task::JoinHandle<()>>>, all: Vec<JoinHandle<()>> }";

/// The most that `f` does with a field.
fn most(field: &str, text: &str) -> Option<UseKind> {
    let model = analysed(&format!("{FIELD} {text}"));
    let root = Root::Field(model.find("krate::S"), model.symbols.intern(field));
    model.uses_of(root).iter().map(|u| u.kind).max()
}

#[test]
fn uses_of_kept_handles_are_told_apart() {
    use UseKind::*;
    let cases: &[(&str, Option<UseKind>, &str)] = &[
        ("task", None, "fn f(s: &mut S) { s.task = None; }"),
        ("task", Some(Looks), "fn f(s: &S) -> bool { s.task.is_some() }"),
        ("task", Some(Looks), "fn f(s: &mut S) { s.task.take(); }"),
        ("task", Some(Looks), "fn f(s: &mut S) { drop(s.task.take()); }"),
        ("task", Some(Looks), "fn f(s: &S) { if let Some(t) = &s.task { println!(\"{}\", t.is_finished()); } }"),
        ("task", Some(Joins), "fn f(s: &mut S) { if let Some(t) = s.task.take() { t.join().ok(); } }"),
        ("task", Some(Joins), "fn f(mut s: S) { s.task.take().map(|t| t.join()); }"),
        ("task", Some(Leaves), "fn f(s: &mut S) -> Option<JoinHandle<()>> { s.task.take() }"),
        ("task", Some(Leaves), "fn f(s: &mut S) { ext::join(s.task.take()); }"),
        ("all", Some(Joins), "fn f(s: &mut S) { for t in s.all.drain(..) { t.join().ok(); } }"),
        ("other", Some(Views), "fn f(s: &S) { *s.other.lock().unwrap() = None; }"),
        ("other", Some(Aborts), "fn f(s: &S) { if let Some(t) = s.other.lock().unwrap().as_ref() { t.abort(); } }"),
        ("other", Some(Aborts), "fn f(s: &S) { if let Some(t) = s.other.lock().unwrap().take() { t.abort(); } }"),
        ("other", Some(Joins), "async fn f(s: S) { s.other.into_inner().unwrap().unwrap().await; }"),
    ];
    for (field, expected, text) in cases {
        assert_eq!(most(field, text), *expected, "{field}: {text}");
    }
}

/// Whether the function `start` replaces a handle that nobody looked at.
fn replaces(text: &str) -> bool {
    let mut found = false;
    each_spawn(&format!("{FIELD} fn work() {{ loop {{}} }} {text}"), |tracer, position, seed| {
        for keep in keeps(tracer, seed.body, seed.statement).iter().filter(|k| k.how != How::Made) {
            let uses = tracer.model.uses_of(keep.root);
            found |=
                may_replace(tracer, seed.body, keep) && !is_looked_at_before(tracer, position, seed.body, keep, &uses);
        }
    });
    found
}

#[test]
fn a_look_before_excuses_a_replacement() {
    let start = "fn start(&mut self) { self.task = Some(std::thread::spawn(work)); }";
    assert!(replaces(&format!("impl S {{ pub {start} }}")));
    assert!(replaces(&format!(
        "impl S {{ {start} pub fn again(&mut self) {{ self.start(); self.stop(); }} fn stop(&mut self) {{ self.task.take(); }} }}"
    )));
    for text in [
        "impl S { pub fn start(&mut self) { if self.task.is_none() { self.task = Some(std::thread::spawn(work)); } } }",
        "impl S { pub fn start(&mut self) { if let Some(_) = self.task { return; } self.task = Some(std::thread::spawn(work)); } }",
        "impl S { pub fn start(&mut self) { self.stop(); self.task = Some(std::thread::spawn(work)); } fn stop(&mut self) { self.task.take(); } }",
        "impl S { pub fn start(&mut self) { let old = self.task.replace(std::thread::spawn(work)); ext::end(old); } }",
        &format!("impl S {{ {start} pub fn again(&mut self) {{ if self.task.is_none() {{ self.start(); }} }} }}"),
    ] {
        assert!(!replaces(text), "{text}");
    }
}

/// Who ends the loop of what the first spawn runs, if dropping things does not.
fn ended(text: &str) -> &'static str {
    const HEAD: &str = "use std::sync::{Arc, Mutex, mpsc::Receiver, atomic::{AtomicBool, Ordering::Relaxed}};
        use tokio::net::TcpStream; use tokio::io::AsyncReadExt;
        pub struct State { stopped: AtomicBool } impl State { fn is_stopped(&self) -> bool { self.stopped.load(Relaxed) } }
        fn work() {}";
    let mut found = "somebody";
    each_spawn(&format!("{HEAD} {text}"), |tracer, _, seed| {
        let Some(spawned) = spawned(tracer, seed) else { return };
        let ender = crate::model::peers::ended_by(tracer, seed.body, seed.statement, spawned.work);
        found = ender.map_or("somebody", |ender| if ender.flags.is_empty() { "peer" } else { "flag" });
    });
    found
}

#[test]
fn loops_that_a_drop_does_not_end() {
    let cases: &[(&str, &str)] = &[
        ("flag", "pub fn f(s: Arc<AtomicBool>) { std::thread::spawn(move || while !s.load(Relaxed) { work() }); }"),
        (
            "flag",
            "pub fn f(s: Arc<State>) { std::thread::spawn(move || loop { if s.is_stopped() { break } work() }); }",
        ),
        (
            "flag",
            "pub fn f(s: Arc<State>) { std::thread::spawn(move || run(s)); } fn run(s: Arc<State>) { while !s.is_stopped() { work() } }",
        ),
        (
            "peer",
            "pub fn f(mut t: TcpStream) { tokio::spawn(async move { let mut b = [0; 9]; loop { match t.read(&mut b).await { Ok(0) => break, _ => work() } } }); }",
        ),
        // A channel, a `Weak`: dropping the other side ends it.
        (
            "somebody",
            "pub fn f(r: Receiver<u8>) { std::thread::spawn(move || loop { if r.recv().is_err() { break } }); }",
        ),
        (
            "somebody",
            "pub fn f(s: Arc<State>) { let w = Arc::downgrade(&s); std::thread::spawn(move || loop { let Some(s) = w.upgrade() else { break }; if s.is_stopped() { break } }); }",
        ),
        (
            "somebody",
            "pub fn f(s: Arc<AtomicBool>, r: Receiver<u8>) { std::thread::spawn(move || while !s.load(Relaxed) { if r.recv().is_err() { break } }); }",
        ),
        // A count, a time, what cannot be seen.
        (
            "somebody",
            "pub fn f(s: Arc<AtomicBool>) { std::thread::spawn(move || { let mut n = 0; while n < 9 { if s.load(Relaxed) { break } n += 1; } }); }",
        ),
        ("somebody", "pub fn f(done: fn() -> bool) { std::thread::spawn(move || while !done() { work() }); }"),
        ("somebody", "pub fn f() { std::thread::spawn(|| work()); }"),
    ];
    for (expected, text) in cases {
        assert_eq!(ended(text), *expected, "{text}");
    }
}
