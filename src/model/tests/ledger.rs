//! What happens to collections, whichever way they are reached.

use super::*;
use crate::model::access::Root;
use crate::model::ledger::{Event, EventKind};

const USES: &str = "use std::{cell::RefCell, collections::{HashMap, HashSet, VecDeque, BTreeMap}, mem, sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, RwLock}};";

/// What `root` says of an event, in a word.
fn word(event: &Event) -> String {
    let kind = match event.kind {
        EventKind::Pass(..) => "pass".to_owned(),
        kind => format!("{kind:?}").to_lowercase(),
    };
    if event.access.element { format!("{kind} of an element") } else { kind }
}

/// The events of the static `M` or else of the field `m` of `S`, in the order of the text, looks left out.
fn events(items: &str) -> String {
    let model = analysed(&format!("{USES}\n{items}"));
    let named = |path: &str| model.defs().find(|&d| model.text(model.def_path(d)) == path);
    let root = match named("krate::M") {
        Some(m) => Root::Static(m),
        None => Root::Field(named("krate::S").expect("M or S"), model.symbols.intern("m")),
    };
    let mut events = model.analysis.ledger.events(root);
    events.retain(|e| e.kind != EventKind::Look);
    events.sort_by_key(|e| e.site.span.range);
    events.iter().map(word).collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn check(expected: &str, cases: &[&str]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|items| (items, events(items)))
        .filter(|(_, found)| found != expected)
        .map(|(items, found)| format!("{found}: {items}"))
        .collect();
    assert!(wrong.is_empty(), "expected `{expected}`\n{}", wrong.join("\n"));
}

#[test]
fn growth_of_statics() {
    check(
        "grow",
        &[
            "static M: Mutex<Vec<u8>> = Mutex::new(Vec::new()); fn f(n: u8) { M.lock().unwrap().push(n); }",
            "static M: Mutex<Vec<u8>> = Mutex::new(Vec::new()); fn f(n: u8) { let mut m = M.lock().unwrap(); m.push(n); }",
            "static M: LazyLock<RwLock<HashMap<u8, u8>>> = LazyLock::new(Default::default); fn f(n: u8) { M.write().unwrap().insert(n, n); }",
            "static M: Mutex<HashMap<u8, u8>> = todo!(); fn f(n: u8) { *M.lock().unwrap().entry(n).or_insert(0) += 1; }",
            "static M: Mutex<HashMap<u8, u8>> = todo!(); fn f(n: u8) { M.lock().unwrap().entry(n).or_default(); }",
            "static M: OnceLock<Mutex<Vec<u8>>> = OnceLock::new(); fn f(n: u8) { M.get_or_init(Default::default).lock().unwrap().push(n); }",
            "thread_local! { static M: RefCell<Vec<u8>> = RefCell::new(Vec::new()); } fn f(n: u8) { M.with(|m| m.borrow_mut().push(n)); }",
            "thread_local! { static M: RefCell<Vec<u8>> = RefCell::new(Vec::new()); } fn f(n: u8) { M.with_borrow_mut(|m| m.push(n)); }",
        ],
    );
}

#[test]
fn growth_of_fields() {
    check(
        "grow",
        &[
            "struct S { m: Vec<u8> } impl S { fn f(&mut self) { self.m.push(1); } }",
            "struct S { m: Mutex<HashSet<u8>> } impl S { fn f(&self, n: u8) { self.m.lock().unwrap().insert(n); } }",
            "struct S { m: Arc<Mutex<VecDeque<u8>>> } impl S { fn f(&self) { let m = self.m.clone(); m.lock().unwrap().push_back(1); } }",
            "struct S { m: Arc<Mutex<Vec<u8>>> } impl S { fn f(&self) { let m = Arc::clone(&self.m); std::thread::spawn(move || m.lock().unwrap().push(1)); } }",
            "struct S { m: Vec<u8> } impl S { fn f(&mut self) { let m = &mut self.m; m.push(1); } }",
            "struct S { m: Vec<u8> } fn f(s: &mut S) { let S { m } = s; m.push(1); }",
            "struct S { m: BTreeMap<u8, u8> } struct T { s: S } fn f(t: &mut T) { t.s.m.insert(1, 1); }",
            "struct S { m: Vec<u8> } impl S { fn f(&mut self, v: &[u8]) { self.m.extend(v); } }",
        ],
    );
}

#[test]
fn what_makes_a_collection_smaller() {
    check(
        "shrink",
        &[
            "struct S { m: Vec<u8> } impl S { fn f(&mut self) { self.m.pop(); } }",
            "struct S { m: HashMap<u8, u8> } impl S { fn f(&mut self) { self.m.remove(&1); } }",
            "struct S { m: Mutex<HashMap<u8, u8>> } impl S { fn f(&self) { self.m.lock().unwrap().retain(|_, v| *v > 0); } }",
            "struct S { m: Mutex<Vec<u8>> } impl S { fn f(&self) -> Vec<u8> { mem::take(&mut *self.m.lock().unwrap()) } }",
            "struct S { m: Vec<u8> } impl S { fn f(&mut self) { for n in self.m.drain(..) { print!(\"{n}\"); } } }",
            "struct S { m: Vec<u8> } impl S { fn f(&mut self) -> Vec<u8> { mem::replace(&mut self.m, Vec::new()) } }",
        ],
    );
    check(
        "replace",
        &[
            "struct S { m: Vec<u8> } impl S { fn f(&mut self) { self.m = Vec::new(); } }",
            "struct S { m: Mutex<Vec<u8>> } impl S { fn f(&self) { *self.m.lock().unwrap() = Vec::new(); } }",
        ],
    );
}

#[test]
fn what_bounds_it() {
    check(
        "bound, grow",
        &[
            "struct S { m: Vec<u8> } impl S { fn f(&mut self) { if self.m.len() < 9 { self.m.push(1); } } }",
            "struct S { m: Vec<u8> } impl S { fn f(&mut self) { let n = self.m.len(); if n >= 9 { return; } self.m.push(1); } }",
        ],
    );
    check("grow", &["struct S { m: Vec<u8> } impl S { fn f(&mut self) -> usize { self.m.push(1); self.m.len() } }"]);
}

#[test]
fn elements_are_not_the_container() {
    check(
        "shrink of an element",
        &[
            "struct S { m: HashMap<u8, Vec<u8>> } impl S { fn f(&mut self) { self.m.get_mut(&1).unwrap().clear(); } }",
            "struct S { m: Vec<Vec<u8>> } impl S { fn f(&mut self) { for v in &mut self.m { v.clear(); } } }",
            "struct S { m: Vec<Vec<u8>> } impl S { fn f(&mut self) { self.m[0].pop(); } }",
        ],
    );
    check(
        "grow, shrink of an element",
        &[
            "struct S { m: HashMap<u8, Vec<u8>> } impl S { fn f(&mut self, n: u8) { self.m.entry(n).or_default().clear(); } }",
        ],
    );
}

#[test]
fn given_out_of_sight() {
    check(
        "expose",
        &[
            "pub struct S { m: Mutex<Vec<u8>> } impl S { pub fn f(&self) -> MutexGuard<'_, Vec<u8>> { self.m.lock().unwrap() } }",
            "pub struct S { m: Vec<u8> } impl S { pub fn f(&mut self) -> &mut Vec<u8> { &mut self.m } }",
            "struct S { m: Vec<u8> } impl S { fn f(&mut self) { ext::fill(&mut self.m); } }",
        ],
    );
    check("", &["struct S { m: Vec<u8> } impl S { fn f(&self) -> &[u8] { &self.m } }"]);
}

#[test]
fn through_parameters() {
    check(
        "pass, shrink",
        &[
            "struct S { m: Vec<u8> } impl S { fn f(&mut self) { g(&mut self.m); } } fn g(v: &mut Vec<u8>) { v.clear(); }",
        ],
    );
    check(
        "pass, pass, grow",
        &[
            "struct S { m: Vec<u8> } impl S { fn f(&mut self) { g(&mut self.m); } } fn g(v: &mut Vec<u8>) { h(v); } fn h(v: &mut Vec<u8>) { v.push(1); }",
        ],
    );
}

#[test]
fn one_collection_in_two_owners() {
    let text = "struct S { m: Arc<Mutex<Vec<u8>>> } struct T { n: Arc<Mutex<Vec<u8>>> }
        impl S { fn t(&self) -> T { T { n: self.m.clone() } } fn add(&self) { self.m.lock().unwrap().push(1); } }
        impl T { fn clear(&self) { self.n.lock().unwrap().clear(); } }";
    let found = events(text);
    assert!(found.contains("grow") && found.contains("shrink"), "{found}");
}

#[test]
fn macros_that_cannot_be_parsed_excuse() {
    let text = "struct S { m: Vec<u8>, n: Vec<u8> } impl S { fn f(&mut self) { odd!(m => clear ; later); } }";
    let model = analysed(text);
    let may_shrink = |name| model.analysis.ledger.may_shrink(model.symbols.intern(name), |_| true);
    assert!(may_shrink("m") && !may_shrink("n"));
}

#[test]
fn what_is_compiled_for_tests_only_does_not_happen() {
    check(
        "",
        &[
            "struct S { m: Mutex<Vec<u8>> } impl S { fn f(&self) { #[cfg(test)] self.m.lock().unwrap().push(1); } }",
            "struct S { m: Mutex<Vec<u8>> } impl S { fn f(&self) { #[cfg(all(test, unix))] { self.m.lock().unwrap().clear(); } } }",
            "struct S { m: Mutex<Vec<u8>> } mod tests { #[test] fn t() {} fn f(s: &super::S) { s.m.lock().unwrap().push(1); } }",
        ],
    );
    check(
        "grow",
        &[
            "struct S { m: Mutex<Vec<u8>> } impl S { fn f(&self) { #[cfg(not(test))] self.m.lock().unwrap().push(1); } }",
        ],
    );
}

#[test]
fn taken_apart_and_swapped() {
    check(
        "shrink",
        &[
            "struct S { m: Vec<u8> } impl S { fn f(&mut self) -> Vec<u8> { self.m.split_off(9) } }",
            "struct S { m: Vec<u8> } impl S { fn f(&mut self, o: &mut Vec<u8>) { mem::swap(&mut self.m, o); } }",
            "struct S { m: Mutex<Vec<u8>> } impl S { fn f(&self) { let mut o = Vec::new(); mem::swap(&mut *self.m.lock().unwrap(), &mut o); } }",
            "struct S { m: BTreeMap<u8, u8> } impl S { fn f(&mut self) { self.m.pop_first(); } }",
            "struct S { m: HashMap<u8, u8> } impl S { fn f(&mut self) { self.m.remove_expired(9); } }",
            "struct S { m: std::collections::LinkedList<u8> } impl S { fn f(&mut self) { self.m.cursor_front_mut().remove_current(); } }",
            "struct S { m: Arc<OnceLock<RwLock<Option<Vec<u8>>>>> } impl S { fn f(&self) { if let Some(m) = self.m.get().unwrap().write().unwrap().as_mut() { m.clear(); } } }",
            "struct S { m: HashMap<u8, u8> } impl S { fn f(&mut self, k: u8) { if let std::collections::hash_map::Entry::Occupied(e) = self.m.entry(k) { e.remove(); } } }",
        ],
    );
    check(
        "bound, shrink, grow",
        &[
            "struct S { m: VecDeque<u8> } impl S { fn f(&mut self) { if self.m.len() == 9 { self.m.pop_front(); } self.m.push_back(1); } }",
            "struct S { m: Arc<Mutex<VecDeque<u8>>> } impl S { fn f(&self) { let mut m = self.m.lock().unwrap(); while m.len() >= 9 { m.pop_front(); } m.push_back(1); } }",
        ],
    );
    check("trim", &["struct S { m: Vec<u8> } impl S { fn f(&mut self) { self.m.shrink_to_fit(); } }"]);
}

#[test]
fn keys_that_are_there() {
    check(
        "",
        &[
            "struct S { m: HashMap<u8, u8> } impl S { fn f(&mut self, k: u8) { if self.m.contains_key(&k) { self.m.insert(k, 2); } } }",
            "struct S { m: Mutex<HashMap<u8, u8>> } impl S { fn f(&self, k: u8) { let mut m = self.m.lock().unwrap(); if let Some(v) = m.get(&k).copied() { m.insert(k, v + 1); } } }",
        ],
    );
    check(
        "grow",
        &[
            "struct S { m: HashMap<u8, u8> } impl S { fn f(&mut self, k: u8) { if !self.m.contains_key(&k) { self.m.insert(k, 2); } } }",
            "struct S { m: HashMap<u8, u8> } impl S { fn f(&mut self, k: u8) { if self.m.get(&k).is_none() { self.m.insert(k, 2); } } }",
            "struct S { m: HashMap<u8, u8>, n: HashMap<u8, u8> } impl S { fn f(&mut self, k: u8) { if self.n.contains_key(&k) { self.m.insert(k, 2); } } }",
        ],
    );
}

#[test]
fn what_formats_only_looks() {
    check(
        "",
        &[
            "struct S { m: Mutex<Vec<u8>> } impl std::fmt::Debug for S { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.debug_struct(\"S\").field(\"m\", &self.m).finish() } }",
        ],
    );
    check("expose", &["struct S { m: Mutex<Vec<u8>> } impl S { fn f(&self) { ext::keep(&self.m); } }"]);
}

#[test]
fn one_local_in_two_owners() {
    let text = "struct S { m: Arc<Mutex<Vec<u8>>> } struct T { n: Arc<Mutex<Vec<u8>>> } struct Both { s: S, t: T }
        fn both() -> Both { let m = Arc::new(Mutex::new(Vec::new())); Both { s: S { m: m.clone() }, t: T { n: m } } }
        impl S { fn add(&self) { self.m.lock().unwrap().push(1); } }
        impl T { fn clear(&self) { self.n.lock().unwrap().clear(); } }";
    let found = events(text);
    assert!(found.contains("grow") && found.contains("shrink"), "{found}");
}

#[test]
fn lists_of_the_run() {
    let text = "struct Node; struct List { head: *mut Node } impl List { fn push_back(&mut self, n: Node) {} fn remove(&mut self, n: &Node) {} }
        struct S { m: List } impl S { fn f(&mut self, n: Node) { self.m.push_back(n); } }";
    let model = analysed(text);
    let lists: Vec<_> = model.analysis.ledger.own_lists().map(|(_, events)| events.len()).collect();
    assert_eq!(lists, [1]);
    assert_eq!(events(text), "", "they are no known collections");
}
