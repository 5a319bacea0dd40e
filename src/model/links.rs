//! Which objects a function links to which: every place where a shared pointer is put into a field, whose field it is, and
//! what the pointer leads to. Also where fields lose what they hold. Objects are told apart by where a function got them
//! and by the fields on the way, so that `parent` of `let parent = self.parent.clone()` is what `self.parent` points to.

mod objects;
mod walk;

use super::access::Tracer;
use super::cycles::{Edge, TypeGraph};
use super::digest::Digest;
use super::{DefId, Model, Symbol, Ty, TyData};
use crate::facts::body::{LocalId, StatementId};
use crate::source::Span;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use walk::links;

/// Where a function got an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// A parameter, counted from 0, `self` included.
    Param(u32),
    /// A static.
    Static(DefId),
    /// A local of a body that no other name stands for: it was made here, or comes from a call.
    Local(u32, LocalId),
    /// Not known.
    Unknown,
}

/// A step from an object to one that it holds. Pointers, locks and guards are no steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A field.
    Field(Symbol),
    /// An element of a collection: which one is not known.
    Element,
}

/// An object, seen from one function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Where it comes from.
    pub base: Base,
    /// The way from there.
    pub path: Vec<Step>,
}

impl Object {
    fn of(base: Base) -> Object {
        Object { base, path: Vec::new() }
    }

    /// Whether it is one of many.
    pub fn is_element(&self) -> bool {
        self.path.contains(&Step::Element)
    }

    /// Whether the way to `other` begins with this very object.
    fn leads_to(&self, other: &Object) -> bool {
        let known = self.base != Base::Unknown && !self.is_element();
        known && self.base == other.base && other.path.starts_with(&self.path)
    }
}

/// What a stored pointer leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The object.
    pub object: Object,
    /// The type of the value that leads to it.
    pub ty: Ty,
    /// Whether it was there before and somebody else keeps it: the pointer is a copy of one that was only lent.
    pub lent: bool,
}

/// A shared pointer is put into a field.
#[derive(Debug, Clone)]
pub struct Link {
    /// Where.
    pub span: Span,
    /// The body in its function, and the statement.
    pub at: (u32, StatementId),
    /// The field as an object: the way to it ends with its name.
    pub to: Object,
    /// The type that declares the field.
    pub owner: DefId,
    /// The field.
    pub field: Symbol,
    /// What the value leads to: itself first, then what it was made of.
    pub sources: Vec<Source>,
    /// Whether all that the value was made of is in sight.
    pub made_here: bool,
}

/// A field that loses what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cleared {
    /// A field of a type.
    Field(DefId, Symbol),
    /// A field of that name, of what type is not known.
    Named(Symbol),
    /// All fields of a type: values of it are replaced.
    All(DefId),
}

/// What a function does to fields.
#[derive(Debug, Default)]
pub struct Links {
    /// In the order of the text.
    pub list: Vec<Link>,
    /// Fields that lose something.
    pub cleared: Vec<Cleared>,
}

/// What shows that a link closes a circle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// What is stored leads to where it is stored.
    Closed,
    /// What is stored always holds an object of the type that it is stored in.
    Holds,
    /// Two objects of a graph that were there before are joined.
    Any,
    /// The types allow it.
    May,
}

/// What shows that a link through the field `edge` closes a circle; none if it cannot.
pub fn proof(model: &Model, graph: &TypeGraph, links: &[Link], link: &Link, edge: &Edge) -> Option<Proof> {
    if closes(model, links, link) {
        return Some(Proof::Closed);
    }
    let stored = link.sources.first()?;
    // What is being made leads nowhere yet that leads to it: `let node = Node { next: list.clone() }`.
    if matches!(link.to.base, Base::Local(..) | Base::Unknown) && !link.to.is_element() {
        return None;
    }
    // All it was made of is in sight, and does not lead back.
    if link.made_here {
        return None;
    }
    let (pointee, shared) = graph.pointee(edge);
    let holds = match pointee == link.owner {
        true => edge.way.registry,
        false => graph.always_holds(pointee, link.owner),
    };
    if holds || shared && is_given_its_holder(graph, link, pointee) {
        return Some(Proof::Holds);
    }
    let old = stored.object.is_element() || stored.lent;
    let joins = shared && pointee == link.owner && edge.way.many && old && stored.object.base != Base::Unknown;
    Some(if joins && !is_tree(model.text(link.field)) { Proof::Any } else { Proof::May })
}

/// `for child in &self.children { *child.parent.borrow_mut() = Some(node.clone()) }`, where `self` and `node` are of one type:
/// what was reached through a field of a node gets a node.
fn is_given_its_holder(graph: &TypeGraph, link: &Link, pointee: DefId) -> bool {
    let before = &link.to.path[..link.to.path.len() - 1];
    let through = |step: &Step| match *step {
        Step::Field(name) if name != link.field => {
            graph.of(pointee).any(|e| e.field == name && graph.pointee(e) == (link.owner, true))
        }
        _ => false,
    };
    before.iter().any(through)
}

/// Whether a field's name says that what it holds stands below or above its owner, so that nothing leads back.
fn is_tree(name: &str) -> bool {
    const WORDS: [&str; 20] = [
        "args",
        "ancestor",
        "ancestors",
        "base",
        "bases",
        "body",
        "branch",
        "branches",
        "child",
        "children",
        "inputs",
        "items",
        "leaves",
        "operands",
        "parent",
        "parents",
        "parts",
        "sources",
        "sub",
        "super",
    ];
    name.split('_').any(|word| WORDS.contains(&word))
}

/// A function that puts one of its parameters into a field of what another one leads to.
#[derive(Debug, Clone)]
struct Setter {
    /// The parameter whose object gets it.
    of: u32,
    /// The way to the field from there.
    path: Vec<Step>,
    owner: DefId,
    field: Symbol,
    /// The parameter that is stored.
    value: u32,
}

type Setters = FxHashMap<DefId, Vec<Setter>>;

fn setters(model: &Model, found: &FxHashMap<DefId, Links>) -> Setters {
    let mut setters = Setters::default();
    for (&def, links) in found {
        for link in &links.list {
            let stored = link.sources.first().map(|source| &source.object).filter(|object| object.path.is_empty());
            let (Base::Param(of), Some(Base::Param(value))) = (link.to.base, stored.map(|o| o.base)) else { continue };
            if of != value && model.trait_of(def).is_none() {
                let (path, owner, field) = (link.to.path.clone(), link.owner, link.field);
                setters.entry(def).or_default().push(Setter { of, path, owner, field, value });
            }
        }
    }
    setters
}

/// What all functions do to fields of these names, by themselves and by functions that only set a field.
pub fn links_of_run(model: &Model, graph: &TypeGraph, fields: &FxHashSet<Symbol>) -> Vec<Links> {
    let digests = &model.analysis.digests;
    let collect = |wanted: &(dyn Fn(&Digest) -> bool + Sync), setters: &Setters| -> FxHashMap<DefId, Links> {
        let wanted: Vec<&Digest> = digests.iter().filter(|digest| wanted(digest)).collect();
        let of = |digest: &&Digest| {
            let function = model.typed(digest.root);
            (digest.owner, links(&Tracer::new(model, &function), graph, setters, &|name| fields.contains(&name)))
        };
        wanted.par_iter().map(of).collect()
    };
    let names_one = |digest: &Digest| model.fields_touched(digest.root).any(|name| fields.contains(&name));
    let mut found = collect(&names_one, &Setters::default());
    let setters = setters(model, &found);
    let calls_one = |digest: &Digest| digest.calls.iter().any(|call| setters.contains_key(&call.callee));
    found.extend(collect(&calls_one, &setters));
    digests.iter().filter_map(|digest| found.remove(&digest.owner)).collect()
}

/// Whether a link closes a circle of objects: what it stores leads to where it is stored, by itself or by other links of
/// the same function.
fn closes(model: &Model, links: &[Link], link: &Link) -> bool {
    let mut seen = vec![false; links.len()];
    let mut todo: Vec<&Source> = link.sources.iter().collect();
    while let Some(source) = todo.pop() {
        if leads(model, source, link) {
            return true;
        }
        for (index, other) in links.iter().enumerate() {
            if !seen[index] && leads(model, source, other) {
                seen[index] = true;
                todo.extend(&other.sources);
            }
        }
    }
    false
}

/// Whether who has `source` keeps the object alive whose field a link sets: its own pointer leads there.
fn leads(model: &Model, source: &Source, link: &Link) -> bool {
    if !source.object.leads_to(&link.to) {
        return false;
    }
    let mut ty = source.ty;
    let mut rest = link.to.path[source.object.path.len()..].iter();
    // A copy of a plain struct is another object, unless what leads on is itself shared.
    loop {
        if model.inside(ty).any(|ty| model.type_row(ty).is_some_and(|row| row.strong)) {
            return true;
        }
        let Some(Step::Field(name)) = rest.next() else { return false };
        let holder = model.inside(ty).find(|&ty| matches!(model.ty(ty), TyData::Adt(..)));
        ty = model.field_ty(holder.unwrap_or_default(), *name);
    }
}
