//! Which types lead back to themselves through shared pointers, and which stores close such a circle.

use super::*;
use crate::model::cycles::TypeGraph;
use crate::model::links::{Cleared, links_of_run, proof};
use rustc_hash::FxHashSet;

const USES: &str =
    "use std::{cell::{Cell, OnceCell, RefCell}, collections::HashMap, rc::{Rc, Weak}, sync::{Arc, Mutex, RwLock}};";

/// The circles of types, each told from every edge on it, as `A.b B.c`.
fn circles(items: &str) -> String {
    let model = analysed(&format!("{USES}\n{items}"));
    let graph = TypeGraph::new(&model);
    let edge = |e: &crate::model::cycles::Edge| {
        let dynamic = if e.way.dynamic { "?" } else { "" };
        format!("{}.{}{dynamic}", model.text(model.def_name(e.from)), model.text(e.field))
    };
    let all = graph.circles().map(|(_, circle)| circle.iter().map(edge).collect::<Vec<_>>().join(" "));
    all.collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn check(expected: &str, items: &[&str], told: fn(&str) -> String) {
    let wrong: Vec<String> = items
        .iter()
        .map(|items| (items, told(items)))
        .filter(|(_, found)| found != expected)
        .map(|(items, found)| format!("`{found}`: {items}"))
        .collect();
    assert!(wrong.is_empty(), "expected `{expected}`\n{}", wrong.join("\n"));
}

#[test]
fn a_type_that_holds_itself() {
    check(
        "A.b",
        &[
            "struct A { b: RefCell<Vec<Rc<A>>> }",
            "struct A { b: Option<Rc<RefCell<A>>> }",
            "struct A { b: Arc<RwLock<HashMap<String, Arc<A>>>> }",
            "struct A { b: Mutex<HashMap<Arc<A>, u8>> }",
            "type Link<T> = Option<Rc<RefCell<T>>>; struct A { b: Link<A> }",
            "struct A<T> { value: T, b: RefCell<Option<Box<(u8, Rc<A<T>>)>>> }",
            "struct A { b: Mutex<[Option<Arc<A>>; 2]> }",
        ],
        circles,
    );
}

#[test]
fn types_that_hold_each_other() {
    check(
        "A.b B.a, B.a A.b",
        &[
            "struct A { b: Mutex<Vec<Arc<B>>> } struct B { a: Arc<A> }",
            "struct A { b: B } struct B { a: RefCell<Option<Rc<A>>> }",
            "struct A { b: Mutex<HashMap<u8, B>> } enum B { Open { a: Arc<A> }, Closed }",
        ],
        circles,
    );
    check("A.0 B.a, B.a A.0", &["struct A(Arc<B>); struct B { a: RwLock<Vec<A>> }"], circles);
    // A generic wrapper is seen through, and is itself no part of the circle.
    check("A.b", &["struct S<T>(Rc<RefCell<T>>); struct A { b: Option<S<A>> }"], circles);
}

#[test]
fn trait_objects_are_told_apart() {
    check(
        "A.b? B.a, B.a A.b?",
        &["trait T {} struct A { b: RefCell<Vec<Rc<dyn T>>> } struct B { a: Rc<A> } impl T for B {}"],
        circles,
    );
}

#[test]
fn what_is_no_circle() {
    check(
        "",
        &[
            "struct A { b: RefCell<Vec<Weak<A>>> }",
            "struct A { b: Mutex<Vec<Arc<B>>> } struct B { a: std::sync::Weak<A> }",
            "struct A { b: Vec<Box<A>>, c: RefCell<u8> }",
            "struct A { b: RefCell<Vec<A>> }",
            "struct A { b: Vec<Arc<A>>, parent: Option<Arc<A>> }",
            "struct A { b: RefCell<Vec<*const A>> }",
            "struct A { b: RefCell<Vec<Rc<dyn Fn(&A)>>> }",
            "struct A<'a> { b: RefCell<Option<&'a Rc<A<'a>>>> }",
            "struct A { b: RefCell<std::marker::PhantomData<Rc<A>>> }",
        ],
        circles,
    );
}

/// What each store proves, in the order of the text, and which fields are cleared.
fn proofs(items: &str) -> String {
    let model = analysed(&format!("{USES}\n{items}"));
    let graph = TypeGraph::new(&model);
    let fields: FxHashSet<Symbol> = graph.circles().map(|(edge, _)| edge.field).collect();
    let mut told = Vec::new();
    for links in links_of_run(&model, &graph, &fields) {
        for link in &links.list {
            let edges = graph.of(link.owner).filter(|e| e.field == link.field);
            told.extend(edges.filter_map(|e| proof(&model, &graph, &links.list, link, e)).map(|p| format!("{p:?}")));
        }
        let named = |c: &Cleared| match *c {
            Cleared::Field(_, field) | Cleared::Named(field) => fields.contains(&field),
            Cleared::All(_) => true,
        };
        told.extend(links.cleared.iter().filter(|c| named(c)).map(|_| "cleared".to_owned()));
    }
    told.join(", ")
}

#[test]
fn what_leads_back() {
    check(
        "Closed",
        &[
            "struct A { b: RefCell<Vec<Rc<A>>> } fn f(a: &Rc<A>) { a.b.borrow_mut().push(a.clone()); }",
            "struct A { b: RefCell<Option<Rc<A>>> } fn f(a: Rc<A>) { *a.b.borrow_mut() = Some(Rc::clone(&a)); }",
            "struct A { b: Mutex<Vec<Arc<B>>> } struct B { a: Arc<A> } fn f(a: &Arc<A>) { let b = Arc::new(B { a: a.clone() }); a.b.lock().unwrap().push(b); }",
            "struct A { b: Mutex<Vec<Arc<B>>> } struct B { a: Arc<A> } impl B { fn new(a: Arc<A>) -> Arc<B> { Arc::new(B { a }) } } fn f(a: &Arc<A>) { let b = B::new(a.clone()); a.b.lock().unwrap().push(b); }",
            "#[derive(Clone)] struct H(Arc<I>); struct I { b: Mutex<Vec<H>> } impl H { fn f(&self) { self.0.b.lock().unwrap().push(self.clone()); } }",
            "struct A { b: RefCell<Vec<Rc<A>>>, p: Option<Rc<A>> } fn g(p: &Rc<A>) -> Rc<A> { Rc::new(A { b: RefCell::default(), p: Some(p.clone()) }) } fn f(a: &Rc<A>) { a.b.borrow_mut().push(g(a)); }",
            "struct A { b: RefCell<Vec<Rc<A>>>, p: Option<Rc<A>> } fn f(a: &A) { if let Some(p) = &a.p { p.b.borrow_mut().push(p.clone()); } }",
        ],
        proofs,
    );
    // The setter alone proves less.
    check(
        "Holds, Closed",
        &[
            "struct A { b: OnceCell<Rc<B>> } impl A { fn set(&self, b: Rc<B>) { let _ = self.b.set(b); } } struct B { a: Rc<A> } fn f(a: &Rc<A>) { a.set(Rc::new(B { a: a.clone() })); }",
            "trait T {} struct A { b: Mutex<Vec<Box<dyn T>>> } impl A { fn set(&self, b: Box<dyn T>) { self.b.lock().unwrap().push(b); } } struct B { a: Arc<A> } impl T for B {} fn f(a: &Arc<A>) { a.set(Box::new(B { a: a.clone() })); }",
            "struct A { b: Mutex<Option<Arc<B>>> } impl A { fn set(&self, b: Arc<B>) { self.b.lock().unwrap().replace(b); } } struct B { a: Arc<A> } fn f(a: &Arc<A>) { let b = Arc::new(B { a: a.clone() }); a.set(b); }",
        ],
        proofs,
    );
    check(
        "Closed, Closed",
        &[
            "struct A { n: Option<Rc<RefCell<A>>>, p: Option<Rc<RefCell<A>>> } fn f(a: &Rc<RefCell<A>>, b: &Rc<RefCell<A>>) { a.borrow_mut().n = Some(b.clone()); b.borrow_mut().p = Some(a.clone()); }",
        ],
        proofs,
    );
}

#[test]
fn what_may_lead_back() {
    check(
        "Holds",
        &[
            "struct A { b: Mutex<Vec<Arc<B>>> } struct B { a: Arc<A> } fn f(a: &A, b: Arc<B>) { a.b.lock().unwrap().push(b); }",
            "struct A { p: RefCell<Option<Rc<A>>>, nested: Vec<Rc<A>> } impl A { fn f(&self, me: Rc<A>) { for n in &self.nested { *n.p.borrow_mut() = Some(me.clone()); } } }",
            "#[derive(Clone)] struct H(Arc<I>); struct I { known: Arc<RwLock<Vec<H>>> } impl H { fn f(&self, h: H) { self.0.known.write().unwrap().push(h); } }",
        ],
        proofs,
    );
    check(
        "Any",
        &[
            "struct A { b: RefCell<Vec<Rc<A>>> } impl A { fn f(&self, other: &Rc<A>) { self.b.borrow_mut().push(other.clone()); } }",
            "struct A { b: Vec<Rc<RefCell<A>>> } struct G { all: Vec<Rc<RefCell<A>>> } impl G { fn f(&mut self) { let b = Rc::clone(&self.all[0]); self.all[1].borrow_mut().b.push(b); } }",
            "struct A { b: RefCell<Vec<Rc<A>>> } fn f(all: &[Rc<A>]) { all[0].b.borrow_mut().push(all[1].clone()); }",
        ],
        proofs,
    );
    check(
        "May",
        &[
            "struct A { b: RefCell<Vec<Rc<A>>> } impl A { fn f(&self, other: Rc<A>) { self.b.borrow_mut().push(other); } }",
            "#[derive(Clone)] struct A { b: RefCell<Vec<A>>, r: Rc<u8>, c: RefCell<Vec<Rc<A>>> } impl A { fn f(&self) { self.b.borrow_mut().push(self.clone()); } }",
            "struct A { children: RefCell<Vec<Rc<A>>> } impl A { fn f(&self, other: &Rc<A>) { self.children.borrow_mut().push(other.clone()); } }",
        ],
        proofs,
    );
}

#[test]
fn what_leads_nowhere() {
    check(
        "",
        &[
            "struct A { b: RefCell<Vec<Rc<A>>> } impl A { fn f(&self) { let new = Rc::new(A { b: RefCell::default() }); self.b.borrow_mut().push(new.clone()); } }",
            "struct A { b: RefCell<Option<Rc<A>>> } fn f(a: &Rc<A>) -> A { let new = A { b: RefCell::default() }; *new.b.borrow_mut() = Some(a.clone()); new }",
            "struct A { b: RefCell<Vec<Rc<A>>>, p: Weak<A> } impl A { fn f(self: &Rc<A>) { let new = Rc::new(A { b: RefCell::default(), p: Rc::downgrade(self) }); self.b.borrow_mut().push(new); } }",
        ],
        proofs,
    );
}

#[test]
fn what_takes_the_pointer_out() {
    check(
        "cleared",
        &[
            "struct A { b: RefCell<Vec<Rc<A>>> } impl A { fn f(&self) { self.b.borrow_mut().clear(); } }",
            "struct A { b: RefCell<Option<Rc<A>>> } impl A { fn f(&self) { self.b.borrow_mut().take(); } }",
            "struct A { b: RefCell<Option<Rc<A>>> } impl A { fn f(&self) { *self.b.borrow_mut() = None; } }",
            "struct A { b: RefCell<Option<Rc<A>>> } impl A { fn f(&self, new: Option<Rc<A>>) { *self.b.borrow_mut() = new; } }",
            "struct A { b: RefCell<Vec<Rc<A>>> } impl A { fn f(&self) -> Vec<Rc<A>> { std::mem::take(&mut *self.b.borrow_mut()) } }",
            "struct A { b: RefCell<Vec<Rc<A>>> } impl A { fn f(&self) { self.b.borrow_mut().retain(|a| Rc::strong_count(a) > 1); } }",
        ],
        proofs,
    );
    check(
        "",
        &[
            "struct A { b: RefCell<Vec<Rc<A>>> } impl A { fn f(&self) -> usize { self.b.borrow().iter().map(|a| a.f()).sum() } }",
        ],
        proofs,
    );
}
