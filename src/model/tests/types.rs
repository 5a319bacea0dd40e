//! Types of locals, and methods found through them.

use super::*;

#[track_caller]
fn check(text: &str, function: &str, expected: &[(&str, &str)]) {
    let model = package(&[("src/lib.rs", text)]);
    for (local, ty) in expected {
        assert_eq!(&model.local_text(function, local), ty, "{local}");
    }
}

#[test]
fn aliases_and_newtypes() {
    let text = "use std::{collections::HashMap, io, sync::{Arc, Mutex}};
         type Shared<T> = Arc<Mutex<T>>; type Map = Shared<HashMap<u32, String>>;
         struct Wrapper(Map);
         fn f(a: Map, b: io::Result<u8>, c: anyhow::Result<u8>, d: Wrapper, e: std::fmt::Result) { let inner = d.0; }";
    let map = "std::sync::Arc<std::sync::Mutex<std::collections::HashMap<u32, std::string::String>>>";
    let expected =
        [("a", map), ("b", "std::result::Result<u8, std::io::Error>"), ("d", "krate::Wrapper"), ("inner", map)];
    check(text, "krate::f", &expected);
    let model = package(&[("src/lib.rs", text)]);
    let wrapper = model.adt(model.find("krate::Wrapper"), &[]);
    assert_eq!(model.ty_text(model.newtype_inner(wrapper).unwrap()), map);
    assert!(model.local_text("krate::f", "c").starts_with("std::result::Result<u8"));
}

#[test]
fn methods_through_locks() {
    let text = "use std::{collections::HashMap, sync::{Arc, Mutex}};
         struct Session { id: u64 } impl Session { fn close(&self) {} }
         struct State { sessions: Arc<Mutex<HashMap<u64, Session>>> }
         impl State {
             fn f(&self) {
                 let guard = self.sessions.lock().unwrap();
                 let found = guard.get(&1);
                 if let Some(session) = guard.get(&2) { session.close(); }
                 for (id, value) in guard.iter() { value.close(); }
                 self.sessions.lock().unwrap().insert(1, Session { id: 1 });
             }
         }";
    let expected = [
        ("found", "std::option::Option<&krate::Session>"),
        ("session", "&krate::Session"),
        ("id", "&u64"),
        ("value", "&krate::Session"),
    ];
    check(text, "krate::State::f", &expected);
    let model = package(&[("src/lib.rs", text)]);
    let callees = model.callees("krate::State::f");
    assert_eq!(callees.iter().filter(|c| *c == "krate::Session::close").count(), 2);
    assert!(callees.contains(&"std::collections::HashMap::insert".to_owned()), "{callees:?}");
    assert!(callees.contains(&"std::sync::Mutex::lock".to_owned()), "{callees:?}");
}

#[test]
fn errors_options_and_futures() {
    check(
        "struct Conn; struct Error;
         async fn connect() -> Result<Conn, Error> { Err(Error) }
         async fn f() -> Result<(), Error> {
             let future = connect(); let result = future.await; let conn = connect().await?;
             let block = async { 1u8; Conn }; let out = block.await;
             match connect().await { Ok(c) => {} Err(e) => {} }
             let Some(x) = connect().await.ok() else { return Ok(()) };
             Ok(())
         }",
        "krate::f",
        &[
            ("future", "future<std::result::Result<krate::Conn, krate::Error>>"),
            ("result", "std::result::Result<krate::Conn, krate::Error>"),
            ("conn", "krate::Conn"),
            ("out", "krate::Conn"),
            ("c", "krate::Conn"),
            ("e", "krate::Error"),
            ("x", "krate::Conn"),
        ],
    );
}

#[test]
fn closure_parameters() {
    check(
        "struct Job { name: String }
         fn each(f: impl Fn(&Job)) {} fn with<F>(f: F) where F: FnOnce(Job, u8) -> Job {}
         struct Pool; impl Pool { fn run<R, F: FnOnce(&mut Job) -> R>(&self, f: F) -> R { todo!() } }
         fn f(pool: Pool, jobs: Vec<Job>) {
             each(|a| ()); with(|b, n| b); let r = pool.run(|c| 1u8 == 1u8);
             let names = jobs.iter().map(|d| &d.name);
             let v: Vec<_> = jobs.into_iter().map(|e| (e, Pool)).collect();
         }",
        "krate::f",
        &[
            ("a", "&krate::Job"),
            ("b", "krate::Job"),
            ("n", "u8"),
            ("c", "&mut krate::Job"),
            ("r", "bool"),
            ("d", "&krate::Job"),
            ("e", "krate::Job"),
            ("v", "std::vec::Vec<(krate::Job, krate::Pool)>"),
        ],
    );
}

#[test]
fn extension_traits() {
    let text = "trait LogErr<T> { fn log_err(self) -> Option<T>; }
         impl<T, E> LogErr<T> for Result<T, E> { fn log_err(self) -> Option<T> { self.ok() } }
         trait Tap: Sized { fn tap(self) -> Self { self } } impl<T> Tap for T {}
         struct Conn; fn open() -> Result<Conn, u8> { Ok(Conn) }
         fn f() { let conn = open().log_err(); let same = Conn.tap(); }";
    check(text, "krate::f", &[("conn", "std::option::Option<krate::Conn>"), ("same", "krate::Conn")]);
    let model = package(&[("src/lib.rs", text)]);
    assert!(model.callees("krate::f").contains(&"std::result::Result::log_err".to_owned()));
}

#[test]
fn statics_and_thread_locals() {
    let text = "use std::{cell::RefCell, collections::HashMap, sync::Mutex};
         static CACHE: Mutex<Vec<u8>> = Mutex::new(Vec::new());
         thread_local! { static LOCAL: RefCell<HashMap<u8, String>> = RefCell::new(HashMap::new()); }
         lazy_static! { static ref LAZY: Mutex<Vec<u16>> = Mutex::new(Vec::new()); }
         fn f() {
             let a = CACHE.lock().unwrap(); let b = LAZY.lock().unwrap();
             LOCAL.with(|cell| { cell.borrow_mut().insert(1, String::new()); });
         }";
    let expected = [
        ("a", "std::sync::MutexGuard<std::vec::Vec<u8>>"),
        ("b", "std::sync::MutexGuard<std::vec::Vec<u16>>"),
        ("cell", "&std::cell::RefCell<std::collections::HashMap<u8, std::string::String>>"),
    ];
    check(text, "krate::f", &expected);
    let model = package(&[("src/lib.rs", text)]);
    assert!(model.callees("krate::f").contains(&"std::collections::HashMap::insert".to_owned()));
}

#[test]
fn generics_are_put_in() {
    check(
        "use std::ops::Deref;
         struct Pair<A, B> { left: A, right: B }
         impl<A, B> Pair<A, B> { fn new(left: A, right: B) -> Self { Pair { left, right } } fn left(&self) -> &A { &self.left } }
         struct Guard<T> { inner: T } impl<T> Deref for Guard<T> { type Target = T; fn deref(&self) -> &T { &self.inner } }
         enum Either<L, R> { Left(L), Right { value: R } }
         struct Counter; impl Iterator for Counter { type Item = u64; fn next(&mut self) -> Option<u64> { None } }
         fn id<T>(t: T) -> T { t }
         fn f(g: Guard<Pair<u8, u16>>, e: Either<String, u32>) {
             let p = Pair::new(String::new(), 'c'); let l = p.left(); let r = p.right; let gl = g.left; let gm = g.left();
             match e { Either::Left(s) => {} Either::Right { value } => {} }
             let same = id(Counter); for n in same {}
         }",
        "krate::f",
        &[
            ("p", "krate::Pair<std::string::String, char>"),
            ("l", "&std::string::String"),
            ("r", "char"),
            ("gl", "u8"),
            ("gm", "&u8"),
            ("s", "std::string::String"),
            ("value", "u32"),
            ("same", "krate::Counter"),
            ("n", "u64"),
        ],
    );
}

#[test]
fn patterns_through_references() {
    check(
        "struct Job { name: String, size: u32 } enum Event { Start(Job), Stop { code: i32 } }
         fn f(event: &Event, job: &mut Job, list: &[(u8, Job)], opt: &Option<Job>) {
             match event { Event::Start(j) => {} Event::Stop { code } => {} }
             let Job { name, size } = job;
             for (n, item) in list {}
             if let Some(inner) = opt {}
         }",
        "krate::f",
        &[
            ("j", "&krate::Job"),
            ("code", "i32"),
            ("name", "&mut std::string::String"),
            ("size", "u32"),
            ("item", "&krate::Job"),
            ("inner", "&krate::Job"),
        ],
    );
}

#[test]
fn later_uses_fill_in() {
    check(
        "struct Job; struct Queue { jobs: Vec<Job> } fn take(v: Vec<Job>) {}
         fn f() {
             let mut a = Vec::new(); a.push(Job);
             let b = Vec::new(); let q = Queue { jobs: b };
             let c = Vec::new(); take(c);
             let mut m = std::collections::HashMap::new(); m.insert(1u8, Job);
             let d = vec![Job, Job]; let e = [Job]; let n = m.get(&1);
         }
         fn g() -> Vec<Job> { let out = Vec::new(); out }",
        "krate::f",
        &[
            ("a", "std::vec::Vec<krate::Job>"),
            ("b", "std::vec::Vec<krate::Job>"),
            ("c", "std::vec::Vec<krate::Job>"),
            ("d", "std::vec::Vec<krate::Job>"),
            ("e", "[krate::Job; _]"),
        ],
    );
}

#[test]
fn results_fill_in_the_locals_they_come_from() {
    check("fn g() -> Vec<u8> { let out = Vec::new(); out }", "krate::g", &[("out", "std::vec::Vec<u8>")]);
}

#[test]
fn captures_have_the_types_outside() {
    let text = "use std::sync::{Arc, Mutex}; struct Conn; impl Conn { fn close(&self) {} }
         fn f(conn: Arc<Conn>) {
             let shared = Arc::new(Mutex::new(Vec::new()));
             let inner = Arc::clone(&shared);
             tokio::spawn(async move { conn.close(); inner.lock().unwrap().push(1u8); let again = move || conn.close(); });
         }";
    let model = package(&[("src/lib.rs", text)]);
    let callees = model.callees("krate::f");
    assert_eq!(callees.iter().filter(|c| *c == "krate::Conn::close").count(), 2, "{callees:?}");
    assert!(callees.contains(&"std::vec::Vec::push".to_owned()), "{callees:?}");
}

#[test]
fn unknown_receivers_stay_unknown() {
    let text = "struct A; impl A { fn close(&self) {} }
         fn f() { let x = ext::make(); x.close(); x.into_raw_fd(); let y = x.field; }";
    let model = package(&[("src/lib.rs", text)]);
    let callees = model.callees("krate::f");
    assert_eq!(callees[..2], ["ext::make", "?"]);
    assert_eq!(model.local_text("krate::f", "y"), "_");
}

#[test]
fn traits_bound_and_boxed() {
    let text = "trait Task { fn go(&self) -> u8; } struct Quick; impl Task for Quick { fn go(&self) -> u8 { 1 } }
         fn f<T: Task>(t: T, b: Box<dyn Task>, i: impl Task, q: Quick, list: Vec<Box<dyn Task>>) {
             let a = t.go(); let c = b.go(); i.go(); q.go(); for x in &list { x.go(); }
         }";
    let model = package(&[("src/lib.rs", text)]);
    let go = "krate::Task::go";
    assert_eq!(model.callees("krate::f"), [go, go, go, "krate::Quick::go", go]);
    assert_eq!(model.local_text("krate::f", "c"), "u8");
}

#[test]
fn aliases_in_a_circle_end() {
    check(
        "type A = B; type B = Vec<A>; struct S { s: S } fn f(a: A, s: S) { let t = s.s.s; }",
        "krate::f",
        &[("t", "krate::S")],
    );
}

#[test]
fn std_processes() {
    check(
        "use std::process::{Command, Stdio};
         fn f() -> std::io::Result<()> {
             let mut child = Command::new(\"ls\").arg(\"-l\").stdout(Stdio::piped()).spawn()?;
             let out = child.stdout.take(); let status = child.wait(); Ok(())
         }",
        "krate::f",
        &[("child", "std::process::Child"), ("out", "std::option::Option<std::process::ChildStdout>")],
    );
}

#[test]
fn associated_types_are_those_of_the_impl() {
    check(
        "use std::{future::Future, ops::Add}; struct N; struct Sum; struct Done;
         impl Add for N { type Output = Sum; fn add(self, o: N) -> Self::Output { Sum } }
         impl Future for N { type Output = Done; fn poll(self) -> Self::Output { Done } }
         async fn f(n: N) { let d = n.await; let s = N.add(N); let p = N.poll(); }",
        "krate::f",
        &[("d", "krate::Done"), ("s", "krate::Sum"), ("p", "krate::Done")],
    );
}

#[test]
fn circles_of_bounds_and_pointers_end() {
    check("type X = (Y, Y, Y); type Y = (X, X, X); fn g(x: X) { let t = x.0; }", "krate::g", &[("t", "(_, _, _)")]);
    check(
        "use std::{future::Future, ops::Deref};
         trait Try { type Ok; type Error; }
         struct Loop; impl Deref for Loop { type Target = Loop; fn deref(&self) -> &Loop { self } }
         fn f<F: Try + Future<Output = Result<F::Ok, F::Error>>>(f: F, l: Loop) { let a = l.x; let b = f.go(); l.y(); take(&l); }
         fn take<T>(t: &[T]) {}",
        "krate::f",
        &[("a", "_"), ("b", "_")],
    );
}
