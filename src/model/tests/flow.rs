//! What becomes of a value on every path: each way to keep, release and lose a child process or a raw pointer.

use super::*;
use crate::model::access::Tracer;
use crate::model::digest::{Seed, SeedKind};
use crate::model::flow::{Fate, Lost, Terms, fate};

mod raw;

/// The fate of the first child, pool or pointer that `krate::f` acquires, in words.
fn fate_of(items: &str) -> String {
    let text = format!(
        "use std::{{io, process::{{Child, ChildStdout, Command}}, sync::{{Arc, Mutex, mpsc::Sender}}, thread}};\n{}",
        items.replace("SPAWN", "Command::new(\"x\").spawn()")
    );
    let model = analysed(&text);
    let digest = model.digest_of(model.find("krate::f")).expect("f is analysed");
    let function = model.typed(digest.root);
    let tracer = Tracer::new(&model, &function);
    let acquired = |seed: &&Seed| match seed.kind {
        SeedKind::Acquire(_) => true,
        SeedKind::Call(def) => model.acquires(def).is_some(),
        SeedKind::Foreign(callee) => model.pair(callee).is_some(),
        _ => false,
    };
    let seed = digest.seeds.iter().find(acquired).unwrap_or_else(|| panic!("f acquires nothing: {items}"));
    let raw = tracer.row(seed.body, seed.statement).and_then(|row| row.acquires.as_ref());
    let pair = match seed.kind {
        SeedKind::Foreign(callee) => model.pair(callee),
        _ => None,
    };
    let terms = match (tracer.obligation_of(seed), raw) {
        _ if pair.is_some() => Terms::of_pair(pair.unwrap()),
        (Some(obligation), _) => Terms::of_value(obligation),
        (None, Some(raw)) => Terms::of_raw(raw),
        (None, None) => panic!("nothing is owed for what f acquires: {items}"),
    };
    in_words(&model, &fate(&tracer, &model.analysis.releases, terms, seed.body, seed.statement))
}

fn in_words(model: &Model, fate: &Fate) -> String {
    let said = [
        (!fate.releases.is_empty(), "released"),
        (!fate.stored.is_empty(), "stored"),
        (fate.returned, "returned"),
        (fate.escapes, "escapes"),
        (fate.gave_up, "given up"),
    ];
    let mut words: Vec<String> = said.iter().filter(|(holds, _)| *holds).map(|(_, word)| (*word).to_owned()).collect();
    for loss in &fate.losses {
        let how = match loss.lost {
            Lost::Exit(kind) => format!("{kind:?} exit"),
            Lost::InCallee(def) => format!("in {}", model.text(model.def_name(def))),
            lost => format!("{lost:?}"),
        };
        words.push(if loss.ended { format!("lost: {how}, ended") } else { format!("lost: {how}") });
    }
    if words.is_empty() { "nothing".to_owned() } else { words.join("; ") }
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(items, expected)| (items, expected, fate_of(items)))
        .filter(|(_, expected, found)| found != *expected)
        .map(|(items, expected, found)| format!("{items}\n  expected {expected}\n  found    {found}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn released_on_all_paths() {
    check(&[
        ("fn f() -> io::Result<()> { let mut c = SPAWN?; c.wait()?; Ok(()) }", "released"),
        ("fn f() -> io::Result<()> { SPAWN?.wait()?; Ok(()) }", "released"),
        ("fn f() -> io::Result<()> { let c = SPAWN?; c.wait_with_output()?; Ok(()) }", "released"),
        (
            "fn f(b: bool) { if let Ok(mut c) = SPAWN { if b { c.wait().ok(); } else { c.kill().ok(); c.wait().ok(); } } }",
            "released",
        ),
        ("fn f() { match SPAWN { Ok(mut c) => { c.wait().ok(); } Err(_) => {} } }", "released"),
        ("fn f() { match SPAWN { Err(e) => eprintln!(\"{e}\"), Ok(mut c) => drop(c.wait()) } }", "released"),
        (
            "fn f() -> io::Result<()> { let mut c = SPAWN?; loop { if c.try_wait()?.is_some() { return Ok(()); } } }",
            "released",
        ),
        ("fn f() -> bool { let Ok(mut c) = SPAWN else { return false }; c.wait().is_ok() }", "released"),
        ("fn f() { let r = SPAWN; if r.is_err() { return; } let mut c = r.unwrap(); c.wait().ok(); }", "released"),
        ("fn f() -> bool { SPAWN.and_then(|mut c| c.wait()).is_ok() }", "released"),
        ("fn f() { SPAWN.map(|mut c| c.wait()).ok(); }", "released"),
        ("fn f() { let mut c = match SPAWN { Ok(c) => c, Err(_) => panic!(\"no\") }; c.wait().ok(); }", "released"),
    ]);
}

#[test]
fn lost_at_the_end_of_its_name() {
    check(&[
        ("fn f() { let c = SPAWN.unwrap(); println!(\"{}\", c.id()); }", "lost: ScopeEnd"),
        ("fn f() { SPAWN.unwrap(); }", "lost: Discarded"),
        ("fn f() { let _ = SPAWN; }", "lost: Discarded"),
        ("fn f() { drop(SPAWN); }", "lost: Discarded"),
        ("fn f() -> io::Result<()> { SPAWN?; Ok(()) }", "lost: Discarded"),
        ("fn f() { if let Err(e) = SPAWN { eprintln!(\"{e}\"); } }", "lost: Discarded"),
        ("fn f() -> bool { SPAWN.is_ok() }", "lost: Discarded"),
        ("fn f() { match SPAWN { Ok(_) => {} Err(_) => {} } }", "lost: Discarded"),
        ("fn f() -> io::Result<()> { SPAWN.map(|_| ()) }", "lost: ScopeEnd"),
        ("fn f() { { let c = SPAWN.unwrap(); c.id(); } println!(); }", "lost: ScopeEnd"),
        ("fn f() { for _ in 0..3 { let _c = SPAWN.unwrap(); } }", "lost: ScopeEnd"),
        ("fn f() { let mut c = SPAWN.unwrap(); c.kill().ok(); }", "lost: ScopeEnd, ended"),
        ("fn f() -> Option<ChildStdout> { SPAWN.ok()?.stdout }", "lost: Discarded"),
    ]);
}

#[test]
fn said_to_be_meant() {
    check(&[
        ("fn f() { let _detached = SPAWN.unwrap(); }", "nothing"),
        ("fn f() { let _leaked = SPAWN.unwrap(); }", "nothing"),
        ("fn f() { std::mem::forget(SPAWN.unwrap()); }", "escapes"),
    ]);
}

#[test]
fn exits_in_between() {
    check(&[
        (
            "fn f() -> io::Result<()> { let mut c = SPAWN?; std::fs::read(\"x\")?; c.wait()?; Ok(()) }",
            "released; lost: Error exit",
        ),
        (
            "fn f(b: bool) -> io::Result<()> { let mut c = SPAWN?; if b { return Ok(()); } c.wait()?; Ok(()) }",
            "released; lost: Early exit",
        ),
        (
            "fn f(b: bool) -> io::Result<()> { let mut c = SPAWN?; if b { return Err(io::Error::other(\"b\")); } c.wait()?; Ok(()) }",
            "released; lost: Error exit",
        ),
        ("fn f(b: bool) { let mut c = SPAWN.unwrap(); if b { c.wait().ok(); } }", "released; lost: ScopeEnd"),
        (
            "fn f(n: u8) { let mut c = SPAWN.unwrap(); match n { 0 => {} _ => { c.wait().ok(); } } }",
            "released; lost: ScopeEnd",
        ),
        (
            "fn f(v: Vec<u8>) { for x in v { let mut c = SPAWN.unwrap(); if x == 0 { continue; } c.wait().ok(); } }",
            "released; lost: ScopeEnd",
        ),
        (
            "fn f(v: Vec<u8>) { for x in v { let mut c = SPAWN.unwrap(); if x == 0 { break; } c.wait().ok(); } }",
            "released; lost: ScopeEnd",
        ),
        (
            "async fn g() {} async fn f() { let mut c = SPAWN.unwrap(); g().await; c.wait().ok(); }",
            "released; lost: Cancel exit",
        ),
        (
            "fn f() -> io::Result<()> { let mut c = SPAWN?; if let Err(e) = std::fs::read(\"x\") { c.wait().ok(); return Err(e); } c.wait()?; Ok(()) }",
            "released",
        ),
    ]);
}

#[test]
fn a_new_value_in_the_same_name() {
    check(&[
        (
            "fn f() { let mut c = SPAWN.unwrap(); c = Command::new(\"y\").spawn().unwrap(); c.wait().ok(); }",
            "lost: Overwritten",
        ),
        ("fn f() { let mut c = None; c = Some(SPAWN.unwrap()); c.unwrap().wait().ok(); }", "released"),
    ]);
}

#[test]
fn moved_to_an_owner() {
    check(&[
        ("struct S { c: Child } fn f() -> io::Result<S> { let c = SPAWN?; Ok(S { c }) }", "stored"),
        ("struct S(Child); fn f() -> io::Result<S> { let c = SPAWN?; Ok(S(c)) }", "stored"),
        ("enum E { C(Child) } fn f() -> io::Result<E> { SPAWN.map(E::C) }", "escapes"),
        ("struct S { c: Option<Child> } impl S { fn g(&mut self) {} } fn f(s: &mut S) { s.c = SPAWN.ok(); }", "stored"),
        ("fn f(v: &mut Vec<Child>) { v.push(SPAWN.unwrap()); }", "stored"),
        ("fn f(m: &mut std::collections::HashMap<u32, Child>) { m.insert(1, SPAWN.unwrap()); }", "stored"),
        ("fn f(v: &Mutex<Vec<Child>>) { v.lock().unwrap().push(SPAWN.unwrap()); }", "stored"),
        ("fn f(t: &Sender<Child>) { t.send(SPAWN.unwrap()).unwrap(); }", "stored"),
        ("fn f() -> io::Result<Child> { SPAWN }", "returned"),
        ("fn f() -> io::Result<Child> { let c = SPAWN?; Ok(c) }", "returned"),
        ("fn f() -> io::Result<(u32, Child)> { let c = SPAWN?; Ok((c.id(), c)) }", "returned"),
        ("fn f() -> Arc<Mutex<Child>> { Arc::new(Mutex::new(SPAWN.unwrap())) }", "returned"),
        ("fn f() -> Option<Child> { SPAWN.map_err(|e| eprintln!(\"{e}\")).ok() }", "returned"),
        ("fn f() -> Option<Child> { let c = SPAWN; match c { Ok(c) => Some(c), Err(_) => None } }", "returned"),
    ]);
}

#[test]
fn moved_into_closures_and_async_blocks() {
    check(&[
        ("fn f() { let mut c = SPAWN.unwrap(); thread::spawn(move || c.wait()); }", "released"),
        ("fn f() { let c = SPAWN.unwrap(); thread::spawn(move || println!(\"{}\", c.id())); }", "lost: ScopeEnd"),
        ("fn f() { let mut c = SPAWN.unwrap(); let g = async move { c.wait().ok(); }; drop(g); }", "released"),
        ("fn f() { let mut c = SPAWN.unwrap(); let mut g = || c.wait(); g().ok(); }", "released"),
        ("fn f() { let c = SPAWN.unwrap(); let g = || c.id(); g(); }", "lost: ScopeEnd"),
        ("fn f(v: &mut Vec<Child>) { SPAWN.map(|c| v.push(c)).ok(); }", "stored"),
    ]);
}

#[test]
fn released_through_views() {
    check(&[
        ("fn f() { let mut c = SPAWN.unwrap(); let r = &mut c; r.wait().ok(); }", "released"),
        ("fn f() { let mut c = Some(SPAWN.unwrap()); if let Some(c) = c.as_mut() { c.wait().ok(); } }", "released"),
        ("fn f() { let mut c = SPAWN.ok(); if let Some(c) = &mut c { c.wait().ok(); } }", "released"),
        ("fn f() { let mut c = SPAWN.ok(); if let Some(mut c) = c.take() { c.wait().ok(); } }", "released"),
        ("fn f() { let c = Mutex::new(SPAWN.unwrap()); c.lock().unwrap().wait().ok(); }", "released"),
        ("fn f() { let mut c = Box::new(SPAWN.unwrap()); c.wait().ok(); }", "released"),
        ("fn f() { let r = &SPAWN.unwrap(); println!(\"{}\", r.id()); }", "lost: Discarded"),
    ]);
}

#[test]
fn through_functions_of_the_run() {
    check(&[
        ("fn f() { end(&mut SPAWN.unwrap()); } fn end(c: &mut Child) { c.wait().ok(); }", "released"),
        ("fn f() { let c = SPAWN.unwrap(); end(c); } fn end(mut c: Child) { c.wait().ok(); }", "released"),
        (
            "fn f() { let c = SPAWN.unwrap(); a(c); } fn a(c: Child) { b(c) } fn b(mut c: Child) { c.wait().ok(); }",
            "released",
        ),
        ("fn f() { let c = SPAWN.unwrap(); end(c); } fn end(c: Child) { println!(\"{}\", c.id()); }", "lost: in end"),
        (
            "fn f() { let c = SPAWN.unwrap(); end(&c); } fn end(c: &Child) { println!(\"{}\", c.id()); }",
            "lost: ScopeEnd",
        ),
        ("fn f() { let c = tag(SPAWN.unwrap()); c.id(); } fn tag(c: Child) -> Child { c }", "lost: ScopeEnd"),
        ("fn f() { let mut c = tag(SPAWN.unwrap()); c.wait().ok(); } fn tag(c: Child) -> Child { c }", "released"),
        ("fn f() { let c = make().unwrap(); c.id(); } fn make() -> io::Result<Child> { SPAWN }", "lost: ScopeEnd"),
        (
            "fn f() { let c = a().unwrap(); c.id(); } fn a() -> io::Result<Child> { b() } fn b() -> io::Result<Child> { SPAWN }",
            "lost: ScopeEnd",
        ),
        ("fn f() { let c = SPAWN.unwrap(); ext::keep(c); }", "escapes"),
        ("fn f(g: fn(Child)) { let c = SPAWN.unwrap(); g(c); }", "escapes"),
        ("fn f() { let c = SPAWN.unwrap(); keep!(c); }", "escapes"),
        ("trait T { fn keep(self, c: Child); } fn f(t: impl T) { t.keep(SPAWN.unwrap()); }", "escapes"),
        ("fn f() { let c = SPAWN.unwrap(); later(c); } fn later(c: Child) { todo!() }", "escapes"),
        ("fn f() { let c = SPAWN.unwrap(); serve(&c); } fn serve(c: &Child) { loop { thread::park(); } }", "nothing"),
    ]);
}

#[test]
fn where_the_process_ends() {
    check(&[
        ("fn f() { SPAWN.unwrap(); std::process::exit(0); }", "nothing"),
        ("fn f() { let c = SPAWN.unwrap(); println!(\"{}\", c.id()); std::process::exit(0); }", "nothing"),
        ("fn f() { let c = SPAWN.unwrap(); c.id(); std::process::abort(); }", "nothing"),
        ("fn f() { let c = SPAWN.unwrap(); c.id(); die() } fn die() -> ! { std::process::exit(1) }", "nothing"),
        ("fn f() { let c = SPAWN.unwrap(); c.id(); panic!(\"no\"); }", "nothing"),
        ("fn f() { let c = SPAWN.unwrap(); c.id(); loop { thread::park(); } }", "nothing"),
        ("fn f(b: bool) { let mut c = SPAWN.unwrap(); if b { std::process::exit(0); } c.wait().ok(); }", "released"),
        ("fn f(b: bool) { SPAWN.unwrap(); if b { std::process::exit(1) } else { std::process::exit(0) } }", "nothing"),
        ("fn f(v: Vec<u8>) { for _ in v { SPAWN.unwrap(); } std::process::exit(0); }", "nothing"),
        ("fn f(b: bool) { loop { SPAWN.unwrap(); if b { std::process::exit(0); } } }", "lost: Discarded"),
        ("fn f() { loop { match SPAWN { Ok(_) => std::process::exit(0), Err(_) => thread::park() } } }", "nothing"),
        (
            "fn f(l: std::net::TcpListener) { for _ in l.incoming() { SPAWN.unwrap(); } std::process::exit(0); }",
            "lost: Discarded",
        ),
    ]);
}

#[test]
fn copies_of_raw_pointers() {
    check(&[
        ("fn f() { let p = Box::into_raw(Box::new(1)); drop(unsafe { Box::from_raw(p) }); }", "released"),
        ("fn f() { let p = Box::into_raw(Box::new(1)); let q = p; drop(unsafe { Box::from_raw(q) }); }", "released"),
        (
            "fn f() { let p = Box::into_raw(Box::new(1)); let q = p as *mut u8; drop(unsafe { Box::from_raw(q) }); }",
            "released",
        ),
        (
            "fn f(b: Box<i32>) { let p = Box::into_raw(b).cast::<u8>(); drop(unsafe { Box::from_raw(p.cast::<i32>()) }); }",
            "escapes",
        ),
        ("fn f() { let p = Box::into_raw(Box::new(1)); let q = p; println!(\"{q:p}\"); }", "lost: ScopeEnd"),
        ("fn f() { let p = Box::into_raw(Box::new(1)); println!(\"{}\", unsafe { *p }); }", "lost: ScopeEnd"),
        ("fn f() -> *mut i32 { Box::into_raw(Box::new(1)) }", "returned"),
        ("struct S { p: *mut i32 } fn f() -> S { S { p: Box::into_raw(Box::new(1)) } }", "stored"),
        (
            "fn f(s: &std::sync::atomic::AtomicPtr<i32>) { s.store(Box::into_raw(Box::new(1)), std::sync::atomic::Ordering::SeqCst); }",
            "stored",
        ),
        (
            "fn f() { let p = Box::into_raw(Box::new(1)); free(p); } fn free(p: *mut i32) { drop(unsafe { Box::from_raw(p) }); }",
            "released",
        ),
        (
            "fn f() { let p = Box::into_raw(Box::new(1)); look(p); } fn look(p: *mut i32) { println!(\"{p:p}\"); }",
            "lost: ScopeEnd",
        ),
        (
            "fn f() -> Option<i32> { let p = Box::into_raw(Box::new(1)); if p.is_null() { return None; } Some(*unsafe { Box::from_raw(p) }) }",
            "released",
        ),
        (
            "fn f() { let parts = vec![1].into_raw_parts(); drop(unsafe { Vec::from_raw_parts(parts.0, parts.1, parts.2) }); }",
            "released",
        ),
        (
            "fn f() { let (p, n, c) = vec![1].into_raw_parts(); drop(unsafe { Vec::from_raw_parts(p, n, c) }); }",
            "released",
        ),
    ]);
}

#[test]
fn pointers_and_foreign_functions() {
    check(&[
        (
            "extern \"C\" { fn look(p: *mut i32); } fn f() { unsafe { look(Box::into_raw(Box::new(1))) }; }",
            "lost: Discarded",
        ),
        (
            "extern \"C\" { fn look(p: *mut i32) -> i32; } fn f() -> Result<(), ()> { let p = Box::into_raw(Box::new(1)); if unsafe { look(p) } != 0 { return Err(()); } drop(unsafe { Box::from_raw(p) }); Ok(()) }",
            "released; lost: Error exit",
        ),
        (
            "extern \"C\" { fn keep(p: *mut i32, free: extern \"C\" fn(*mut i32)); } extern \"C\" fn free(p: *mut i32) { drop(unsafe { Box::from_raw(p) }); } fn f() { unsafe { keep(Box::into_raw(Box::new(1)), free) }; }",
            "escapes",
        ),
        (
            "extern \"C\" { fn keep(p: *mut i32, free: Option<extern \"C\" fn(*mut i32)>); } extern \"C\" fn free(p: *mut i32) { drop(unsafe { Box::from_raw(p) }); } fn f() { unsafe { keep(Box::into_raw(Box::new(1)), Some(free)) }; }",
            "escapes",
        ),
        ("fn f() { ext::keep(Box::into_raw(Box::new(1))); }", "escapes"),
    ]);
}

#[test]
fn in_tuples_and_statics() {
    check(&[
        ("fn f() { let mut t = (1, SPAWN.unwrap()); t.1.wait().ok(); }", "released"),
        (
            "fn f() { let c = SPAWN.unwrap(); keep(c); } static LAST: Mutex<Option<Child>> = Mutex::new(None); fn keep(c: Child) { *LAST.lock().unwrap() = Some(c); }",
            "escapes",
        ),
        ("fn f() { let c = SPAWN.unwrap(); a(c); } fn a(c: Child) { b(c) } fn b(c: Child) { drop(c) }", "lost: in a"),
        ("fn f() { let c = SPAWN.unwrap(); a(c) } fn a(c: Child) { b(c) } fn b(c: Child) { drop(c) }", "lost: in a"),
    ]);
}

#[test]
fn handles_that_are_only_borrowed() {
    check(&[
        ("fn f() { let fd = libc::open(P, 0); let g = libc::dup(fd); libc::close(g); }", "lost: ScopeEnd"),
        ("fn f() { let s = libc::socket(1, 1, 0); let c = libc::accept(s, N, N); libc::close(c); }", "lost: ScopeEnd"),
        (
            "fn f() { let fd = libc::open(P, 0); let p = libc::mmap(N, 9, 1, 1, fd, 0); libc::munmap(p, 9); }",
            "lost: ScopeEnd",
        ),
        (
            "fn f() { let fd = libc::open(P, 0); let p = rustix::mm::mmap(N, 9, R, S, fd, 0); rustix::mm::munmap(p, 9); }",
            "lost: ScopeEnd",
        ),
        ("fn f() { let fd = libc::open(P, 0); libc::fcntl(fd, libc::F_GETFL); libc::close(fd); }", "released"),
    ]);
}

#[test]
fn structs_around_a_handle() {
    let check_windows = |cases: &[(&str, &str)]| {
        let whole =
            |items: &str| format!("use windows::Win32::{{Foundation::*, Storage::FileSystem::ReOpenFile}};\n{items}");
        let cases: Vec<(String, &str)> = cases.iter().map(|(items, expected)| (whole(items), *expected)).collect();
        check(&cases.iter().map(|(items, expected)| (&**items, *expected)).collect::<Vec<_>>());
    };
    check_windows(&[
        ("fn f(o: HANDLE) { let h = ReOpenFile(o, 1, S, F).unwrap(); CloseHandle(h).ok(); }", "released"),
        ("fn f(o: HANDLE) { let h = ReOpenFile(o, 1, S, F).unwrap(); CloseHandle(HANDLE(h.0)).ok(); }", "released"),
        (
            "fn f(o: HANDLE) { let h = ReOpenFile(o, 1, S, F).unwrap(); if h.is_invalid() { return; } CloseHandle(h).ok(); }",
            "released",
        ),
        (
            "fn f(o: HANDLE) { let _h = unsafe { windows::core::Owned::new(ReOpenFile(o, 1, S, F).unwrap()) }; }",
            "released",
        ),
        (
            "use std::os::windows::io::{FromRawHandle, OwnedHandle}; fn f(o: HANDLE) -> Option<OwnedHandle> { let h = ReOpenFile(o, 1, S, F).ok()?; Some(OwnedHandle::from_raw_handle(h.0)) }",
            "released",
        ),
        ("fn f(o: HANDLE) { let h = ReOpenFile(o, 1, S, F).unwrap(); println!(\"{:?}\", h.0); }", "lost: ScopeEnd"),
    ]);
}

#[test]
fn a_status_tells_whether_there_is_a_handle() {
    let opened = "use windows::Win32::System::Threading::OpenProcessToken; use windows::Win32::Foundation::*;\n";
    for (test, expected) in [
        ("if !OpenProcessToken(p, 8, &mut h).as_bool() { return; } CloseHandle(h);", "released"),
        ("if OpenProcessToken(p, 8, &mut h).is_err() { return; } CloseHandle(h).ok();", "released"),
        ("if OpenProcessToken(p, 8, &mut h).is_ok() { CloseHandle(h).ok(); }", "released"),
        ("if OpenProcessToken(p, 8, &mut h).is_err() { return; }", "lost: ScopeEnd"),
    ] {
        check(&[(&*format!("{opened}fn f(p: HANDLE) {{ let mut h = HANDLE::default(); {test} }}"), expected)]);
    }
}
