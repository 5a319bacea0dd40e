//! Access paths: what the receiver of the only `push` in `krate::f` belongs to.

use super::*;
use crate::facts::body::Op;
use crate::model::access::{Access, Root, Tracer};

fn access(items: &str) -> (Model, Access) {
    let model = analysed(&format!(
        "use std::{{cell::RefCell, collections::HashMap, sync::{{Arc, LazyLock, Mutex, MutexGuard, RwLock}}}};\n{items}"
    ));
    let function = model.typed_at("krate::f");
    let tracer = Tracer::new(&model, &function);
    let found = (0..function.bodies.len() as u32).find_map(|index| {
        let body = &tracer.body(index).body;
        let push = body.statements.iter().find(|s| s.op == Op::CallMethod && tracer.method_name(index, s) == "push")?;
        tracer.operand(index, body.args(push)[0])
    });
    let found = found.unwrap_or_else(|| panic!("no push: {items}"));
    (model, found)
}

fn in_words(items: &str) -> String {
    let (model, access) = access(items);
    let root = match access.root {
        Root::Static(def) => model.text(model.def_name(def)).to_owned(),
        Root::Field(owner, name) => format!("{}.{}", model.text(model.def_name(owner)), model.text(name)),
        Root::Param(_, at) => format!("parameter {at}"),
        Root::Local(..) => "a local".to_owned(),
        Root::Unknown => "unknown".to_owned(),
    };
    if access.element { format!("{root}[_]") } else { root }
}

#[track_caller]
fn check(expected: &str, cases: &[&str]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|items| (items, in_words(items)))
        .filter(|(_, found)| found != expected)
        .map(|(items, found)| format!("{found}: {items}"))
        .collect();
    assert!(wrong.is_empty(), "expected `{expected}`\n{}", wrong.join("\n"));
}

#[test]
fn through_locks_and_names() {
    check(
        "S.m",
        &[
            "struct S { m: Mutex<Vec<u8>> } fn f(s: &S) { s.m.lock().unwrap().push(1); }",
            "struct S { m: Arc<RwLock<Vec<u8>>> } fn f(s: &S) { let mut g = s.m.write().expect(\"no\"); g.push(1); }",
            "struct S { m: RefCell<Vec<u8>> } fn f(s: &S) { let m = &s.m; let mut m = m.borrow_mut(); m.push(1); }",
            "struct S { m: Option<Vec<u8>> } fn f(s: &mut S) { if let Some(m) = s.m.as_mut() { m.push(1); } }",
            "struct S { m: Option<Vec<u8>> } fn f(s: &mut S) { if let Some(m) = &mut s.m { m.push(1); } }",
            "struct S { m: Vec<u8> } fn f(s: &mut S) { let m = &mut s.m; let n = m; n.push(1); }",
            "struct S { m: Vec<u8> } fn f(s: Arc<Mutex<S>>) { s.lock().unwrap().m.push(1); }",
            "struct S { m: tokio::sync::Mutex<Vec<u8>> } async fn f(s: &S) { s.m.lock().await.push(1); }",
            "struct S { m: parking_lot::RwLock<Vec<u8>> } fn f(s: &S) { s.m.write().push(1); }",
            "struct T { s: S } struct S { m: Vec<u8> } fn f(t: &mut T) { t.s.m.push(1); }",
        ],
    );
}

#[test]
fn through_captures() {
    check(
        "S.m",
        &[
            "struct S { m: Mutex<Vec<u8>> } fn f(s: Arc<S>) { std::thread::spawn(move || s.m.lock().unwrap().push(1)); }",
            "struct S { m: Arc<Mutex<Vec<u8>>> } fn f(s: &S) { let m = s.m.clone(); tokio::spawn(async move { m.lock().unwrap().push(1); }); }",
            "struct S { m: Vec<u8> } fn f(s: &mut S, v: Vec<u8>) { v.iter().for_each(|n| s.m.push(*n)); }",
            "struct S { m: Arc<Mutex<Vec<u8>>> } fn f(s: &S) { let m = s.m.clone(); let g = move || { let h = move || m.lock().unwrap().push(1); h() }; g(); }",
        ],
    );
}

#[test]
fn elements() {
    check(
        "S.m[_]",
        &[
            "struct S { m: Vec<Vec<u8>> } fn f(s: &mut S) { s.m[0].push(1); }",
            "struct S { m: HashMap<u8, Vec<u8>> } fn f(s: &mut S) { s.m.entry(1).or_default().push(1); }",
            "struct S { m: HashMap<u8, Vec<u8>> } fn f(s: &mut S) { if let Some(v) = s.m.get_mut(&1) { v.push(1); } }",
            "struct S { m: Vec<Vec<u8>> } fn f(s: &mut S) { for v in &mut s.m { v.push(1); } }",
            "struct S { m: HashMap<u8, Vec<u8>> } fn f(s: &mut S) { for v in s.m.values_mut() { v.push(1); } }",
        ],
    );
}

#[test]
fn statics() {
    check(
        "M",
        &[
            "static M: Mutex<Vec<u8>> = Mutex::new(Vec::new()); fn f() { M.lock().unwrap().push(1); }",
            "static M: LazyLock<Mutex<Vec<u8>>> = LazyLock::new(Default::default); fn m() -> MutexGuard<'static, Vec<u8>> { M.lock().unwrap() } fn f() { m().push(1); }",
            "thread_local! { static M: RefCell<Vec<u8>> = Default::default(); } fn f() { M.with(|m| m.borrow_mut().push(1)); }",
        ],
    );
}

#[test]
fn parameters_and_locals() {
    check(
        "parameter 1",
        &[
            "fn f(n: u8, v: &mut Vec<u8>) { v.push(n); }",
            "fn f(n: u8, v: &Mutex<Vec<u8>>) { v.lock().unwrap().push(n); }",
        ],
    );
    check(
        "a local",
        &["fn f() { let mut v = Vec::new(); v.push(1); }", "fn f() { let mut v = vec![]; let w = &mut v; w.push(1); }"],
    );
}
