//! Which types keep each other alive: the graph of what the fields of the run's types own, through aliases, wrappers,
//! collections and generic arguments. An edge that leads through a shared pointer is strong; borrowed, weak and raw ones
//! are no edges. It looks at declarations alone: whether values ever close such a circle is seen in [`super::links`].

use super::{Bound, DefId, Model, Res, Symbol, Ty, TyData, known};
use crate::apis::{Collection, Owns, TypeRow};
use crate::source::Span;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::VecDeque;

/// Generic arguments nested deeper than this are not followed.
const DEPTH: u32 = 6;

/// How a field's type leads to another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Way {
    /// Through a shared pointer.
    pub strong: bool,
    /// Through what can change while it is shared: a lock, a cell, a concurrent collection.
    pub cell: bool,
    /// There is a shared pointer, always set, around that lock or cell: several owners have the one content.
    pub registry: bool,
    /// The shared pointer lies inside of the lock or cell, or there is none of those: what it points to is what is stored.
    pub stores_pointer: bool,
    /// Through a collection.
    pub many: bool,
    /// It may be absent: in an `Option`, a collection, a variant.
    pub optional: bool,
    /// Through a trait object.
    pub dynamic: bool,
}

/// A field that leads to another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// The type with the field.
    pub from: DefId,
    /// The field.
    pub field: Symbol,
    /// Where it is declared.
    pub span: Span,
    /// The type that it leads to.
    pub to: DefId,
    /// How.
    pub way: Way,
}

/// All types of the run with what they own.
#[derive(Debug, Default)]
pub struct TypeGraph {
    /// In the order of types and fields.
    pub edges: Vec<Edge>,
    out: FxHashMap<DefId, Vec<u32>>,
    /// By type, the group of types that lead to each other.
    group: FxHashMap<DefId, u32>,
}

impl TypeGraph {
    /// Reads the declarations of all types that are not for tests only.
    pub fn new(model: &Model) -> TypeGraph {
        let mut graph = TypeGraph::default();
        for def in model.defs().filter(|&d| model.tests || !model.is_test(d)) {
            let alternatives = model.variants_of(def).len() > 1;
            let runs = model.variants_of(def).iter().map(|v| v.fields).chain([model.item(def).fields]);
            for index in runs.flat_map(|run| run.ids()) {
                let way = Way { optional: alternatives, stores_pointer: true, ..Way::default() };
                graph.field(model, def, index, way);
            }
        }
        for (index, edge) in graph.edges.iter().enumerate() {
            graph.out.entry(edge.from).or_default().push(index as u32);
        }
        graph.find_groups();
        graph
    }

    /// Types that lead to each other: first in the order in which a walk along the edges leaves them, then against it.
    fn find_groups(&mut self) {
        let mut into: FxHashMap<DefId, Vec<DefId>> = FxHashMap::default();
        self.edges.iter().for_each(|edge| into.entry(edge.to).or_default().push(edge.from));
        let (mut seen, mut left) = (FxHashSet::default(), Vec::new());
        for start in self.edges.iter().map(|edge| edge.from) {
            let mut todo = vec![(start, false)];
            while let Some((at, done)) = todo.pop() {
                if done {
                    left.push(at);
                } else if seen.insert(at) {
                    todo.push((at, true));
                    todo.extend(self.of(at).map(|edge| (edge.to, false)));
                }
            }
        }
        for (number, &start) in left.iter().enumerate().rev() {
            let mut todo = vec![start];
            while let Some(at) = todo.pop() {
                self.group.entry(at).or_insert_with(|| {
                    todo.extend(into.get(&at).into_iter().flatten());
                    number as u32
                });
            }
        }
    }

    /// Every edge that is part of a circle, with the shortest one; those without trait objects first.
    pub fn circles(&self) -> impl Iterator<Item = (&Edge, Vec<Edge>)> {
        let circle = |edge: &Edge| self.circle(edge, false).or_else(|| self.circle(edge, true));
        self.edges.iter().filter_map(move |edge| Some((edge, circle(edge)?)))
    }

    fn field(&mut self, model: &Model, from: DefId, index: u32, way: Way) {
        let file = model.def(from).file;
        let field = &model.header(file).fields[index as usize];
        let Some(name) = field.name.get() else { return };
        let (name, span) = (model.name(file, name), Span { file, range: field.span });
        let mut found = Vec::new();
        owned(model, model.declared_field_ty(from, index), way, DEPTH, &mut found);
        found.sort_unstable();
        found.dedup();
        let from = model.first_twin(from);
        self.edges.extend(found.into_iter().map(|(to, way)| Edge { from, field: name, span, to, way }));
    }

    /// The edges that start at a type.
    pub fn of(&self, from: DefId) -> impl Iterator<Item = &Edge> {
        self.out.get(&from).into_iter().flatten().map(|&index| &self.edges[index as usize])
    }

    /// The shortest way round that begins with an edge, leads through a shared pointer and something that can be changed,
    /// and comes back to where the edge starts. Trait objects count only if `dynamic` says so.
    fn circle(&self, first: &Edge, dynamic: bool) -> Option<Vec<Edge>> {
        let same_group = |edge: &Edge| self.group.get(&edge.from) == self.group.get(&edge.to);
        let passes = |edge: &Edge| (dynamic || !edge.way.dynamic) && same_group(edge);
        if !passes(first) {
            return None;
        }
        let start = (first.to, first.way.strong, first.way.cell);
        let mut came: FxHashMap<State, Option<(State, Edge)>> = FxHashMap::default();
        came.insert(start, None);
        let mut todo = VecDeque::from([start]);
        while let Some(state) = todo.pop_front() {
            if state == (first.from, true, true) {
                return Some(way_back(&came, state, *first));
            }
            for edge in self.of(state.0).filter(|edge| passes(edge)) {
                let next = (edge.to, state.1 || edge.way.strong, state.2 || edge.way.cell);
                came.entry(next).or_insert_with(|| {
                    todo.push_back(next);
                    Some((state, *edge))
                });
            }
        }
        None
    }

    /// Whether every value of the type `from` holds one of the type `to` that others may hold too: through fields that
    /// are always set, at least one of them a shared pointer.
    pub fn always_holds(&self, from: DefId, to: DefId) -> bool {
        let (mut seen, mut todo) = (FxHashSet::default(), vec![(from, false)]);
        while let Some((at, shared)) = todo.pop() {
            for edge in self.of(at).filter(|e| !e.way.optional && !e.way.dynamic) {
                let next = (edge.to, shared || edge.way.strong);
                if next == (to, true) {
                    return true;
                }
                if seen.insert(next) {
                    todo.push(next);
                }
            }
        }
        false
    }

    /// Whether values of the type `from` can lead to one of the type `to`.
    pub fn may_hold(&self, from: DefId, to: DefId) -> bool {
        let (mut seen, mut todo) = (FxHashSet::default(), vec![from]);
        while let Some(at) = todo.pop() {
            if at == to {
                return true;
            }
            if seen.insert(at) {
                todo.extend(self.of(at).map(|edge| edge.to));
            }
        }
        false
    }

    /// The type that the stored pointer points to (the edge's own target, or what a newtype around a pointer points to),
    /// and whether it is a shared pointer; otherwise what is stored itself.
    pub fn pointee(&self, edge: &Edge) -> (DefId, bool) {
        let mut at = edge.to;
        if edge.way.strong && edge.way.stores_pointer {
            return (at, true);
        }
        // What implements a trait is no mere pointer.
        if edge.way.dynamic {
            return (at, false);
        }
        for _ in 0..4 {
            let mut always = self.of(at).filter(|e| !e.way.optional);
            // A struct with several fields is itself what is stored.
            let (Some(only), None) = (always.next(), always.next()) else { break };
            at = only.to;
            if only.way.strong {
                return (at, true);
            }
        }
        (edge.to, false)
    }
}

/// A type, and whether a shared pointer and something that can be changed were passed on the way to it.
type State = (DefId, bool, bool);

fn way_back(came: &FxHashMap<State, Option<(State, Edge)>>, end: State, first: Edge) -> Vec<Edge> {
    let mut circle = Vec::new();
    let mut state = end;
    while let Some(Some((before, edge))) = came.get(&state) {
        circle.push(*edge);
        state = *before;
    }
    circle.push(first);
    circle.reverse();
    circle
}

/// The types of the run that a value of type `ty` owns, not looking into their fields, and how.
fn owned(model: &Model, ty: Ty, way: Way, depth: u32, out: &mut Vec<(DefId, Way)>) {
    if depth == 0 {
        return;
    }
    let all = |parts: &[Ty], way: Way, out: &mut Vec<(DefId, Way)>| {
        parts.iter().for_each(|&part| owned(model, part, way, depth - 1, out));
    };
    match model.ty(ty) {
        TyData::Adt(def, args) => {
            out.push((model.first_twin(*def), way));
            // `Shared<Node>` with `struct Shared<T>(Rc<RefCell<T>>)`: the argument is owned as the field says.
            if args.iter().any(|arg| arg.is_known()) {
                let optional = way.optional || !model.variants_of(*def).is_empty();
                all(&generic_parts(model, *def, ty), Way { optional, ..way }, out);
            }
        }
        TyData::External(path, args) => {
            let Some(row) = model.type_row(ty) else { return };
            if let Some(inner) = through(row, *path, way) {
                all(args, inner, out);
            }
        }
        TyData::Tuple(parts) => all(parts, way, out),
        TyData::Array(of) => all(&[*of], way, out),
        TyData::Slice(of) => all(&[*of], Way { many: true, optional: true, ..way }, out),
        TyData::Dyn(bounds) => out.extend(implementors(model, bounds).map(|def| (def, Way { dynamic: true, ..way }))),
        _ => {}
    }
}

/// The fields of a generic type whose declared type names a parameter, with the arguments put in.
fn generic_parts(model: &Model, def: DefId, ty: Ty) -> Vec<Ty> {
    let runs = model.variants_of(def).iter().map(|v| v.fields).chain([model.item(def).fields]);
    let declared = runs.flat_map(|run| run.ids()).map(|index| model.declared_field_ty(def, index));
    declared.zip(model.part_tys(ty)).filter(|&(declared, _)| model.is_generic(declared)).map(|(_, ty)| ty).collect()
}

/// The way on through a type of a library, if its values own those of its arguments.
fn through(row: &TypeRow, path: Symbol, way: Way) -> Option<Way> {
    use Collection::*;
    let collection = matches!(row.collection, Some(Map | Set | List | Queue));
    let owns = row.strong || row.locks || collection || row.owns == Some(Owns::Arguments) || path == known::BOX;
    if row.weak || !owns {
        return None;
    }
    let mut way = way;
    if row.locks || row.shared {
        way.registry |= way.strong && !way.optional;
        way.cell = true;
        // `Vec<Rc<RefCell<T>>>` is a list of pointers, to be set where the list stands.
        way.stores_pointer &= way.strong && way.optional;
    }
    if row.strong {
        way.strong = true;
        way.stores_pointer = true;
    }
    way.many |= row.collection.is_some();
    way.optional |= row.collection.is_some() || matches!(path, known::OPTION | known::RESULT);
    Some(way)
}

/// The types of the run that a trait object may be.
fn implementors(model: &Model, bounds: &[Bound]) -> impl Iterator<Item = DefId> {
    let blocks = bounds.iter().filter_map(|bound| match *model.ty(bound.of) {
        TyData::Adt(of_trait, _) => Some(model.implementors(Res::Def(model.first_twin(of_trait)))),
        _ => None,
    });
    blocks.flatten().filter_map(|&block| match *model.ty(model.item_ty(block)) {
        TyData::Adt(def, _) => Some(model.first_twin(def)),
        _ => None,
    })
}

impl Model {
    /// Whether a value of that type itself holds a shared pointer: `Rc<T>`, `Option<Rc<T>>`, a newtype around one, or may do so: `Box<dyn Plugin>`. Not what
    /// refers to it or holds it weakly.
    pub fn holds_shared(&self, ty: Ty) -> bool {
        self.holds_shared_within(ty, &mut Vec::new())
    }

    /// The types of the run that a type is made of, seen through references too.
    pub fn runs_inside(&self, ty: Ty) -> Vec<DefId> {
        let mut found = Vec::new();
        let ty = self.payload(self.peel_refs(ty));
        owned(self, ty, Way::default(), DEPTH, &mut found);
        found.into_iter().map(|(def, _)| def).collect()
    }

    fn holds_shared_within(&self, ty: Ty, seen: &mut Vec<Ty>) -> bool {
        if seen.contains(&ty) || seen.len() > 64 {
            return false;
        }
        seen.push(ty);
        let mut any = |parts: &[Ty]| parts.iter().any(|&part| self.holds_shared_within(part, seen));
        match self.ty(ty) {
            TyData::Adt(..) => any(&self.part_tys(ty)),
            TyData::Tuple(parts) => any(parts),
            TyData::Array(of) | TyData::Slice(of) => any(&[*of]),
            // What stands behind a trait of the run may be anything.
            TyData::Dyn(bounds) => bounds.iter().any(|bound| matches!(self.ty(bound.of), TyData::Adt(..))),
            TyData::External(path, args) => self
                .type_row(ty)
                .is_some_and(|row| row.strong || through(row, *path, Way::default()).is_some() && any(args)),
            _ => false,
        }
    }
}
