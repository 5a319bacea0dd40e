//! Which removals leave something behind.

use super::*;
use crate::model::access::Root;
use crate::model::partial::Partial;

/// `map: function` for each removal that leaves something in `map`.
fn left(items: &str) -> String {
    let model = analysed(&format!("use std::{{collections::*, sync::*}};\n{items}"));
    let word = |p: &Partial| {
        let Root::Field(_, name) = p.left_in else { return String::new() };
        let function = model.analysis.digests[p.removal.site.function as usize].owner;
        format!("{}: {}", model.text(name), model.text(model.def_name(function)))
    };
    model.partial_removals().iter().map(word).collect::<Vec<_>>().join(", ")
}

const TWO: &str = "pub struct S { a: HashMap<u64, u8>, b: HashMap<u64, u8> }";

#[test]
fn keys_that_leave_one_of_two() {
    for (expected, methods) in [
        (
            "b: r",
            "pub fn p(&mut self, k: u64) { self.a.insert(k, 1); self.b.insert(k, 1); } pub fn r(&mut self, k: u64) { self.a.remove(&k); }",
        ),
        (
            "b: r",
            "pub fn p(&mut self, k: &u64) { self.a.insert(*k, 1); self.b.entry(k.clone()).or_insert(1); } pub fn r(&mut self, k: u64) { self.a.remove(&k); }",
        ),
        (
            "b: r",
            "pub fn p(&mut self, m: M) { self.a.insert(m.id, 1); self.b.insert(m.id, 1); } pub fn r(&mut self, k: u64) { self.a.remove(&k); }",
        ),
        (
            "",
            "pub fn p(&mut self, m: M) { self.a.insert(m.id, 1); self.b.insert(m.other, 1); } pub fn r(&mut self, k: u64) { self.a.remove(&k); }",
        ),
        (
            "",
            "pub fn p(&mut self, k: u64, l: u64) { self.a.insert(k, 1); self.b.insert(l, 1); } pub fn r(&mut self, k: u64) { self.a.remove(&k); }",
        ),
        (
            "",
            "pub fn p(&mut self, k: u64) { self.a.insert(k, 1); self.b.insert(k, 1); } pub fn r(&mut self, k: u64) { self.a.remove(&k); } pub fn c(&mut self) { self.b.clear(); }",
        ),
        (
            "b: r",
            "pub fn p(&mut self, k: u64) { self.a.insert(k, 1); self.b.insert(k, 1); } pub fn r(&mut self, k: u64) { self.a.remove(&k); } pub fn shutdown(&mut self) { self.b.clear(); }",
        ),
        (
            "",
            "pub fn p(&mut self, k: u64) { self.a.insert(k, 1); self.b.insert(k, 1); } pub fn shutdown(&mut self) { self.a.remove(&1); }",
        ),
        (
            "",
            "pub fn p(&mut self, k: u64) { self.a.insert(k, 1); if self.b.len() < 9 { self.b.insert(k, 1); } } pub fn r(&mut self, k: u64) { self.a.remove(&k); }",
        ),
    ] {
        let items = format!("{TWO} pub struct M {{ id: u64, other: u64 }} impl S {{ {methods} }}");
        assert_eq!(left(&items), expected, "{methods}");
    }
}

#[test]
fn keys_of_what_is_drained() {
    let put = "pub fn p(&mut self, k: u64) { self.m.entry(k).or_default().push_back(1); }";
    for (expected, methods) in [
        ("m: r", "pub fn r(&mut self, k: u64) { if let Some(q) = self.m.get_mut(&k) { q.pop_front(); } }"),
        ("m: r", "pub fn r(&mut self) { for q in self.m.values_mut() { q.retain(|x| *x > 1); } }"),
        ("", "pub fn r(&mut self) { for q in self.m.values_mut() { q.clear(); } }"),
        ("", "pub fn r(&mut self, k: u64) { self.m.entry(k).or_default().pop_front(); }"),
        (
            "",
            "pub fn r(&mut self, k: u64) { let q = self.m.entry(k).or_default(); q.retain(|x| *x != 2); q.push_back(2); }",
        ),
        (
            "",
            "pub fn r(&mut self, k: u64) { if let Some(q) = self.m.get_mut(&k) { q.pop_front(); } } pub fn d(&mut self, k: u64) { self.m.remove(&k); }",
        ),
        (
            "",
            "pub fn r(&mut self, k: u64) { let q = self.m.get_mut(&k).unwrap(); if q.len() > 9 { q.pop_front(); } q.push_back(2); }",
        ),
    ] {
        let items = format!("pub struct S {{ m: HashMap<u64, VecDeque<u8>> }} impl S {{ {put} {methods} }}");
        assert_eq!(left(&items), expected, "{methods}");
    }
}

#[test]
fn what_goes_with_its_owner() {
    let put = "pub fn p(&mut self, k: u64) { self.a.insert(k, 1); self.part.b.insert(k, 1); } pub fn r(&mut self, k: u64) { self.a.remove(&k); }";
    let part = "pub struct Part { b: HashMap<u64, u8> }";
    let items = format!("{part} pub struct S {{ a: HashMap<u64, u8>, part: Part }} impl S {{ {put} }}");
    assert_eq!(left(&items), "b: r");
    let parts = "pub fn e(&mut self) { self.parts.pop(); }";
    let items = format!(
        "{part} pub struct S {{ a: HashMap<u64, u8>, part: Part, parts: Vec<Part> }} impl S {{ {put} {parts} }}"
    );
    assert_eq!(left(&items), "");
}
