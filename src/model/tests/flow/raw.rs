//! What becomes of a raw handle on every path: given by a row, put behind an argument, or given by a foreign function
//! whose partner was learned; and which conditions say that there is none.

use super::fate_of;

/// Compares what becomes of what `f` acquires. Short names stand for calls:
/// `OPEN`/`CLOSE` of a descriptor, `PIPE` into `fds`, `DB_OPEN`/`DB_SHUT` into `db`, `NEW`/`FREE` of a foreign object.
#[track_caller]
fn check(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(items, expected)| (items, expected, fate_of(&long(items))))
        .filter(|(_, expected, found)| found != *expected)
        .map(|(items, expected, found)| format!("{items}\n  expected {expected}\n  found    {found}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn long(items: &str) -> String {
    let foreign = "#[repr(C)] struct Ring { n: i32 } extern \"C\" { fn ring_new() -> *mut Ring; fn ring_free(r: *mut Ring); \
                   fn ring_make(out: *mut *mut Ring) -> i32; fn ring_fill(r: *mut Ring) -> i32; }";
    let items = items
        .replace("DB_SHUT", "libsqlite3_sys::sqlite3_close")
        .replace("DB_OPEN", "unsafe { libsqlite3_sys::sqlite3_open_v2(c\"x\".as_ptr(), &mut db, 6, std::ptr::null()) }")
        .replace("OPEN", "unsafe { libc::open(c\"x\".as_ptr(), 0) }")
        .replace("CLOSE", "libc::close")
        .replace("PIPE", "unsafe { libc::pipe(fds.as_mut_ptr()) }")
        .replace("MMAP", "unsafe { libc::mmap(std::ptr::null_mut(), 9, 1, 2, -1, 0) }")
        .replace("NEW", "unsafe { ring_new() }")
        .replace("FREE", "ring_free");
    format!("{foreign} fn may() -> io::Result<()> {{ Ok(()) }} async fn wait() {{}} {items}")
}

/// One body for each kind of edge between the acquire and the release.
const EDGES: [(&str, &str, &str); 5] = [
    ("", "()", "released"),
    ("may()?;", "io::Result<()>", "released; lost: Error exit"),
    ("if may().is_err() { return Err(io::Error::last_os_error()); }", "io::Result<()>", "released; lost: Error exit"),
    ("if may().is_err() { return Default::default(); }", "()", "released; lost: Early exit"),
    ("wait().await;", "()", "released; lost: Cancel exit"),
];

#[track_caller]
fn on_each_edge(acquire: &str, release: &str) {
    for (between, result, expected) in EDGES {
        let end = if result == "()" { "" } else { "Ok(())" };
        let asynchronous = if between.contains("await") { "async " } else { "" };
        let items = format!("{asynchronous}fn f() -> {result} {{ {acquire} {between} unsafe {{ {release} }}; {end} }}");
        check(&[(&items, expected)]);
        let lost = format!("{asynchronous}fn f() -> {result} {{ {acquire} {between} {end} }}");
        let found = fate_of(&long(&lost));
        assert!(found.contains("lost: ScopeEnd"), "{lost}: {found}");
    }
}

#[test]
fn on_each_edge_by_a_row() {
    on_each_edge("let fd = OPEN;", "CLOSE(fd)");
    on_each_edge("let fd: i32 = OPEN;", "drop(std::os::fd::OwnedFd::from_raw_fd(fd))");
}

#[test]
fn on_each_edge_behind_an_argument() {
    on_each_edge("let mut fds = [0; 2]; PIPE;", "CLOSE(fds[0]); CLOSE(fds[1])");
    on_each_edge("let mut fds = [-1, -1]; let rc = PIPE; if rc != 0 { panic!() }", "CLOSE(fds[0]); CLOSE(fds[1])");
    on_each_edge("let mut db = std::ptr::null_mut(); DB_OPEN;", "DB_SHUT(db)");
}

#[test]
fn on_each_edge_by_a_learned_pair() {
    on_each_edge("let r = NEW;", "FREE(r)");
    on_each_edge("let mut r = std::ptr::null_mut(); unsafe { ring_make(&mut r) };", "FREE(r)");
}

#[test]
fn conditions_on_a_descriptor() {
    for failed in [
        "fd < 0",
        "0 > fd",
        "fd == -1",
        "-1 == fd",
        "fd <= -1",
        "!(fd >= 0)",
        "(fd < 0)",
        "fd == -1i32",
        "fd as i64 == -1",
        "matches!(fd, -1)",
        "fd < 0 as i32",
        "fd == !0",
        "fd == ERR",
    ] {
        let items = format!(
            "const ERR: i32 = -1; fn f() -> io::Result<()> {{ let fd = OPEN; if {failed} {{ return Err(io::Error::last_os_error()); }} unsafe {{ CLOSE(fd) }}; Ok(()) }}"
        );
        check(&[(&items, "released")]);
    }
    for there in ["fd >= 0", "fd > -1", "fd != -1", "0 <= fd", "!(fd < 0)", "fd > 0"] {
        check(&[
            (&format!("fn f() {{ let fd = OPEN; if {there} {{ unsafe {{ CLOSE(fd) }}; }} }}"), "released"),
            (&format!("fn f() -> bool {{ let fd = OPEN; if {there} {{ return true; }} false }}"), "lost: Early exit"),
        ]);
    }
}

#[test]
fn conditions_in_other_words() {
    check(&[
        ("fn f() { match OPEN { -1 => {} fd => { unsafe { CLOSE(fd) }; } } }", "released"),
        ("fn f() { let fd = OPEN; match fd { -1 => return, _ => {} } unsafe { CLOSE(fd) }; }", "released"),
        ("fn f() -> Result<i32, ()> { match OPEN { -1 => Err(()), fd => Ok(fd) } }", "returned"),
        (
            "fn f() -> Result<(), ()> { let fd = match OPEN { -1 => return Err(()), fd => fd }; unsafe { CLOSE(fd) }; Ok(()) }",
            "released",
        ),
        ("fn f() { match OPEN { fd if fd < 0 => {} fd => { unsafe { CLOSE(fd) }; } } }", "released"),
        ("fn f() { match OPEN { 0.. => {} _ => {} } }", "lost: Discarded"),
        ("fn f() { let fd = OPEN; let failed = fd < 0; if failed { return; } unsafe { CLOSE(fd) }; }", "released"),
        ("fn f() { let fd = OPEN; assert!(fd >= 0); unsafe { CLOSE(fd) }; }", "released"),
        ("fn f() { let fd = OPEN; if let -1 = fd { return; } unsafe { CLOSE(fd) }; }", "released"),
        ("fn f() -> Option<i32> { let fd = OPEN; if fd < 0 { None } else { Some(fd) } }", "returned"),
        ("fn f() -> Option<i32> { let fd = OPEN; (fd >= 0).then_some(fd) }", "escapes"),
        (
            "fn cvt(n: i32) -> io::Result<i32> { if n == -1 { Err(io::Error::last_os_error()) } else { Ok(n) } } fn f() -> io::Result<()> { let fd = cvt(OPEN)?; unsafe { CLOSE(fd) }; Ok(()) }",
            "released",
        ),
        (
            "fn cvt(n: i32) -> io::Result<i32> { if n == -1 { Err(io::Error::last_os_error()) } else { Ok(n) } } fn f() -> io::Result<()> { let fd = cvt(OPEN)?; may()?; unsafe { CLOSE(fd) }; Ok(()) }",
            "released; lost: Error exit",
        ),
        ("fn f() { let fd = OPEN; if fd == 3 { return; } unsafe { CLOSE(fd) }; }", "released; lost: Early exit"),
        (
            "fn f(b: bool) { let fd = OPEN; if fd < 0 || b { return; } unsafe { CLOSE(fd) }; }",
            "released; lost: Early exit",
        ),
        ("fn f(b: bool) { let fd = OPEN; if b && fd < 0 { return; } unsafe { CLOSE(fd) }; }", "released"),
        ("fn f() { let fd = OPEN; if fd > 9 { return; } unsafe { CLOSE(fd) }; }", "released; lost: Early exit"),
    ]);
}

#[test]
fn conditions_on_a_pointer() {
    for failed in [
        "r.is_null()",
        "r == std::ptr::null_mut()",
        "std::ptr::null_mut() == r",
        "r as usize == 0",
        "std::ptr::eq(r, std::ptr::null())",
        "!(r != std::ptr::null_mut())",
        "unsafe { r.as_ref() }.is_none()",
    ] {
        let items = format!(
            "fn f() -> Option<()> {{ let r = NEW; if {failed} {{ return None; }} unsafe {{ FREE(r) }}; Some(()) }}"
        );
        check(&[(&items, "released")]);
    }
    check(&[
        ("fn f() { let r = NEW; if !r.is_null() { unsafe { FREE(r) }; } }", "released"),
        ("fn f() { if let Some(r) = std::ptr::NonNull::new(NEW) { unsafe { FREE(r.as_ptr()) }; } }", "released"),
        (
            "fn f() -> Option<()> { let r = std::ptr::NonNull::new(NEW)?; unsafe { FREE(r.as_ptr()) }; Some(()) }",
            "released",
        ),
        (
            "fn f() -> Result<(), ()> { let Some(r) = std::ptr::NonNull::new(NEW) else { return Err(()) }; unsafe { FREE(r.as_ptr()) }; Ok(()) }",
            "released",
        ),
        (
            "fn f() -> io::Result<()> { let r = std::ptr::NonNull::new(NEW).ok_or_else(io::Error::last_os_error)?; may()?; unsafe { FREE(r.as_ptr()) }; Ok(()) }",
            "released; lost: Error exit",
        ),
        (
            "fn f() -> bool { let p = MMAP; if p == libc::MAP_FAILED { return false; } unsafe { libc::munmap(p, 9) }; true }",
            "released",
        ),
        (
            "fn f() -> bool { let p = MMAP; if libc::MAP_FAILED == p { return false; } unsafe { libc::munmap(p, 9) }; true }",
            "released",
        ),
        ("fn f() { match MMAP { libc::MAP_FAILED => {} p => { unsafe { libc::munmap(p, 9) }; } } }", "released"),
        (
            "fn f() -> bool { let p = MMAP; if std::ptr::eq(p, libc::MAP_FAILED) { return false; } unsafe { libc::munmap(p, 9) }; true }",
            "released",
        ),
        (
            "fn f() -> bool { let p = MMAP; if p as isize == -1 { return false; } unsafe { libc::munmap(p, 9) }; true }",
            "released",
        ),
        (
            "fn f() -> bool { let p = MMAP; if (p as isize) < 0 { return false; } unsafe { libc::munmap(p, 9) }; true }",
            "released",
        ),
        (
            "fn f() -> io::Result<()> { let p = MMAP; if p != libc::MAP_FAILED { may()?; unsafe { libc::munmap(p, 9) }; } Ok(()) }",
            "released; lost: Error exit",
        ),
    ]);
}

#[test]
fn conditions_on_a_status() {
    for failed in ["rc != 0", "0 != rc", "rc == -1", "rc < 0", "!(rc == 0)", "check(rc).is_err()", "failed(rc)"] {
        let items = format!(
            "fn failed(rc: i32) -> bool {{ rc != 0 }} fn check(rc: i32) -> Result<(), ()> {{ if rc == 0 {{ Ok(()) }} else {{ Err(()) }} }} fn f() {{ let mut fds = [0; 2]; let rc = PIPE; if {failed} {{ return; }} unsafe {{ CLOSE(fds[0]); CLOSE(fds[1]) }}; }}"
        );
        let found = fate_of(&long(&items));
        // What a function makes of a status is not looked into.
        let expected = if failed == "failed(rc)" { "released; lost: Early exit" } else { "released" };
        assert_eq!(found, expected, "{failed}");
    }
    let check_fn =
        "fn check(rc: i32) -> io::Result<()> { if rc == 0 { Ok(()) } else { Err(io::Error::last_os_error()) } }";
    for tested in [
        "let rc = PIPE; check(rc)?;",
        "check(PIPE)?;",
        "let rc = PIPE; match rc { 0 => {} _ => return Err(io::Error::last_os_error()) }",
        "match PIPE { 0 => {} _ => return Err(io::Error::last_os_error()) }",
        "if PIPE != 0 { return Err(io::Error::last_os_error()); }",
        "if PIPE == -1 { return Err(io::Error::last_os_error()); }",
        "if PIPE < 0 { return Err(io::Error::last_os_error()); }",
        "let ok = PIPE == 0; if !ok { return Err(io::Error::last_os_error()); }",
        "let rc = PIPE; check(rc).map_err(|e| e)?;",
    ] {
        let items = |between: &str| {
            format!(
                "{check_fn} fn f() -> io::Result<()> {{ let mut fds = [0; 2]; {tested} {between} unsafe {{ CLOSE(fds[0]); CLOSE(fds[1]) }}; Ok(()) }}"
            )
        };
        check(&[(&items(""), "released"), (&items("may()?;"), "released; lost: Error exit")]);
    }
}

#[test]
fn a_status_that_tells_of_something_else() {
    check(&[
        (
            "fn f() { let mut fds = [0; 2]; let mut rc = PIPE; if rc != 0 { return; } rc = unsafe { libc::fsync(fds[0]) }; if rc != 0 { return; } unsafe { CLOSE(fds[0]); CLOSE(fds[1]) }; }",
            "released; lost: Early exit",
        ),
        (
            "fn other() -> i32 { 1 } fn f() { let mut fds = [0; 2]; let mut rc = PIPE; if rc != 0 { return; } rc = other(); if rc != 0 { return; } unsafe { CLOSE(fds[0]); CLOSE(fds[1]) }; }",
            "released; lost: Early exit",
        ),
        (
            "fn f() { let mut r = std::ptr::null_mut(); let rc = unsafe { ring_make(&mut r) }; if rc != 0 { return; } let rc = unsafe { ring_fill(r) }; if rc != 0 { return; } unsafe { FREE(r) }; }",
            "released; lost: Early exit",
        ),
    ]);
}

#[test]
fn owed_after_a_failure_too() {
    let db = "let mut db = std::ptr::null_mut();";
    check(&[
        (
            &format!(
                "fn f() -> bool {{ {db} let rc = DB_OPEN; if rc != libsqlite3_sys::SQLITE_OK {{ return false; }} unsafe {{ DB_SHUT(db) }}; true }}"
            ),
            "released; lost: Early exit",
        ),
        (
            &format!(
                "fn f() -> bool {{ {db} let rc = DB_OPEN; if rc != libsqlite3_sys::SQLITE_OK {{ unsafe {{ DB_SHUT(db) }}; return false; }} unsafe {{ DB_SHUT(db) }}; true }}"
            ),
            "released",
        ),
        (&format!("fn f() -> bool {{ {db} let rc = DB_OPEN; unsafe {{ DB_SHUT(db) }}; rc == 0 }}"), "released"),
        (
            &format!(
                "fn f() -> bool {{ {db} let rc = DB_OPEN; if rc != 0 {{ if !db.is_null() {{ unsafe {{ DB_SHUT(db) }}; }} return false; }} unsafe {{ DB_SHUT(db) }}; true }}"
            ),
            "released",
        ),
        (
            &format!(
                "fn f() -> bool {{ {db} DB_OPEN; if db.is_null() {{ return false; }} unsafe {{ DB_SHUT(db) }}; true }}"
            ),
            "released",
        ),
        (
            &format!(
                "fn check(rc: i32) -> io::Result<()> {{ if rc == 0 {{ Ok(()) }} else {{ Err(io::Error::last_os_error()) }} }} fn f() -> io::Result<()> {{ {db} check(DB_OPEN)?; unsafe {{ DB_SHUT(db) }}; Ok(()) }}"
            ),
            "released; lost: Error exit",
        ),
    ]);
}

#[test]
fn another_value_in_the_same_name() {
    check(&[
        ("fn f() { let mut fd = OPEN; fd = -1; println!(\"{fd}\"); }", "lost: Overwritten"),
        ("fn f() { let mut fd = OPEN; fd = OPEN; unsafe { CLOSE(fd) }; }", "lost: Overwritten"),
        ("fn f() { let mut fd = OPEN; let old = fd; fd = OPEN; unsafe { CLOSE(old); CLOSE(fd) }; }", "released"),
        ("fn f() { let mut fd = OPEN; unsafe { CLOSE(fd) }; fd = -1; println!(\"{fd}\"); }", "released"),
        (
            "fn f() { let mut fd = -1; if may().is_ok() { fd = OPEN; } if fd >= 0 { unsafe { CLOSE(fd) }; } }",
            "released",
        ),
        ("fn f() { let fd = OPEN; let fd = fd; unsafe { CLOSE(fd) }; }", "released"),
        ("fn f() { let fd = OPEN; let fd = fd + 0; unsafe { CLOSE(fd) }; }", "released"),
        ("fn f() { let fd = OPEN; { let fd = 7; unsafe { CLOSE(fd) }; } }", "lost: ScopeEnd"),
    ]);
}

#[test]
fn around_loops() {
    check(&[
        (
            "fn f() { loop { let fd = OPEN; if may().is_err() { continue; } unsafe { CLOSE(fd) }; } }",
            "released; lost: ScopeEnd",
        ),
        (
            "fn f() { loop { let fd = OPEN; if may().is_err() { break; } unsafe { CLOSE(fd) }; } }",
            "released; lost: ScopeEnd",
        ),
        ("fn f() { loop { let fd = OPEN; if fd < 0 { continue; } unsafe { CLOSE(fd) }; } }", "released"),
        ("fn f() { let fd = loop { let fd = OPEN; if fd >= 0 { break fd; } }; unsafe { CLOSE(fd) }; }", "released"),
        ("fn f() { let mut fd = OPEN; while fd < 0 { fd = OPEN; } unsafe { CLOSE(fd) }; }", "released"),
        ("fn f() { let fd = OPEN; while may().is_ok() { println!(\"{fd}\"); } unsafe { CLOSE(fd) }; }", "released"),
        (
            "fn f() { let fd = OPEN; for _ in 0..3 { if may().is_err() { return; } } unsafe { CLOSE(fd) }; }",
            "released; lost: Early exit",
        ),
        (
            "fn f() { let mut fd = -1; for _ in 0..3 { fd = OPEN; } unsafe { CLOSE(fd) }; }",
            "released; lost: Overwritten",
        ),
        (
            "fn f() { let mut fd = -1; loop { if fd >= 0 { unsafe { CLOSE(fd) }; } fd = OPEN; if may().is_err() { break; } } }",
            "released; lost: ScopeEnd",
        ),
        ("fn f(v: &mut Vec<i32>) { for _ in 0..3 { let fd = OPEN; v.push(fd); } }", "stored"),
        (
            "fn f() { 'a: loop { let fd = OPEN; loop { if may().is_ok() { continue 'a; } break; } unsafe { CLOSE(fd) }; } }",
            "released; lost: ScopeEnd",
        ),
    ]);
}

#[test]
fn elements_of_arrays() {
    let fds = "let mut fds = [0; 2]; if PIPE != 0 { return; }";
    for (after, expected) in [
        ("unsafe { CLOSE(fds[0]); CLOSE(fds[1]) };", "released"),
        ("for fd in fds { unsafe { CLOSE(fd) }; }", "released"),
        ("for fd in &fds { unsafe { CLOSE(*fd) }; }", "released"),
        ("for &fd in fds.iter() { unsafe { CLOSE(fd) }; }", "released"),
        ("for fd in fds.iter() { unsafe { CLOSE(*fd) }; }", "released"),
        ("for &fd in &fds { unsafe { CLOSE(fd) }; }", "released"),
        ("for fd in fds.into_iter() { unsafe { CLOSE(fd) }; }", "released"),
        ("fds.iter().for_each(|&fd| unsafe { CLOSE(fd); });", "released"),
        ("let [r, w] = fds; unsafe { CLOSE(r); CLOSE(w) };", "released"),
        ("let r = fds[0]; let w = fds[1]; unsafe { CLOSE(r); CLOSE(w) };", "released"),
        ("let (r, w) = (fds[0], fds[1]); unsafe { CLOSE(r); CLOSE(w) };", "released"),
        ("let r = unsafe { std::os::fd::OwnedFd::from_raw_fd(fds[0]) }; drop(r);", "released"),
        ("close_all(&fds);", "released"),
        ("close_all(fds.as_slice());", "released"),
        ("println!(\"{}\", fds[0]);", "lost: ScopeEnd"),
        ("for fd in fds { println!(\"{fd}\"); }", "lost: ScopeEnd"),
        ("for fd in fds { if may().is_err() { break; } unsafe { CLOSE(fd) }; }", "released; lost: ScopeEnd"),
        ("if may().is_err() { return; } unsafe { CLOSE(fds[0]); CLOSE(fds[1]) };", "released; lost: Early exit"),
    ] {
        let items = format!(
            "fn close_all(fds: &[i32]) {{ for fd in fds {{ unsafe {{ CLOSE(*fd) }}; }} }} fn f() {{ {fds} {after} }}"
        );
        check(&[(&items, expected)]);
    }
    check(&[(
        "fn f() -> Option<(i32, i32)> { let mut fds = [0; 2]; if PIPE != 0 { return None; } Some((fds[0], fds[1])) }",
        "returned",
    )]);
    check(&[(
        "fn f() -> Option<[i32; 2]> { let mut fds = [0; 2]; if PIPE != 0 { return None; } Some(fds) }",
        "returned",
    )]);
}

#[test]
fn closures_with_a_copy() {
    check(&[
        ("fn f() { let fd = OPEN; let end = move || unsafe { CLOSE(fd) }; end(); }", "released"),
        ("fn f() { let fd = OPEN; let end = || unsafe { CLOSE(fd) }; end(); }", "released"),
        ("fn f() { let fd = OPEN; thread::spawn(move || unsafe { CLOSE(fd) }); }", "released"),
        ("fn f() { let fd = OPEN; let show = move || println!(\"{fd}\"); show(); }", "lost: ScopeEnd"),
        ("fn f() { let fd = OPEN; let show = move || println!(\"{fd}\"); show(); unsafe { CLOSE(fd) }; }", "released"),
        (
            "fn f() { let fd = OPEN; let _end = scopeguard::guard(fd, |fd| { unsafe { CLOSE(fd) }; }); may().ok(); }",
            "stored",
        ),
        (
            "fn f() -> io::Result<()> { let fd = OPEN; let r = (|| { may()?; may() })(); unsafe { CLOSE(fd) }; r }",
            "released",
        ),
        (
            "fn f() -> io::Result<()> { let fd = OPEN; let r = may().map_err(|e| { unsafe { CLOSE(fd) }; e }); r }",
            "released",
        ),
        ("fn f() { let r = NEW; let fill = move || unsafe { ring_fill(r) }; fill(); unsafe { FREE(r) }; }", "released"),
        ("fn f() { let r = NEW; let fill = move || unsafe { ring_fill(r) }; fill(); }", "lost: ScopeEnd"),
        ("async fn f() { let fd = OPEN; let g = async move { unsafe { CLOSE(fd) } }; g.await; }", "released"),
    ]);
}

#[test]
fn lent_to_foreign_functions() {
    check(&[
        ("fn f() { let fd = OPEN; unsafe { libc::fsync(fd) }; }", "lost: ScopeEnd"),
        (
            "fn f() -> i32 { let fd = OPEN; if unsafe { libc::fsync(fd) } != 0 { return -1; } unsafe { CLOSE(fd) } }",
            "released; lost: Early exit",
        ),
        (
            "fn f() -> i32 { let r = NEW; let rc = unsafe { ring_fill(r) }; if rc != 0 { return rc; } unsafe { FREE(r) }; 0 }",
            "released; lost: Early exit",
        ),
        ("struct S { fd: i32 } fn f() -> S { let fd = OPEN; S { fd } }", "stored"),
        ("struct S { fd: i32 } impl S { fn g(&mut self) {} } fn f(s: &mut S) { s.fd = OPEN; }", "stored"),
        ("struct S { r: *mut Ring } fn f() -> S { let r = NEW; S { r } }", "stored"),
        ("fn f() { let fd = OPEN; end(fd); } fn end(fd: i32) { unsafe { CLOSE(fd) }; }", "released"),
        ("fn f() { let fd = OPEN; look(fd); } fn look(fd: i32) { println!(\"{fd}\"); }", "lost: ScopeEnd"),
    ]);
}

#[test]
fn functions_that_stay() {
    check(&[
        ("fn f() { let fd = OPEN; serve(fd); } fn serve(fd: i32) { loop { println!(\"{fd}\"); } }", "nothing"),
        ("fn f() { let fd = OPEN; serve(fd); } fn serve(fd: i32) -> ! { loop { println!(\"{fd}\"); } }", "nothing"),
    ]);
}
