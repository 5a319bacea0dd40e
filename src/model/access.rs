//! Access paths: which container a place or receiver belongs to, seen through locks, guards, borrows, entries, local
//! names, captures and `with(|x| …)`. Whole segments are compared, never substrings.

use super::digest::Seed;
use super::{Callee, DefId, Model, Namespace, Res, Symbol, Ty, TyData, TypedBody, TypedFn};
use crate::apis::{FnRow, Obligation, Owner, Slot};
use crate::facts::body::*;
use crate::facts::{BodyKind, ItemKind};
use crate::source::{Span, TextRange};
use std::cell::OnceCell;

/// What an access path starts from, as far as it matters who else can reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Root {
    /// A static or thread local.
    Static(DefId),
    /// The field of a struct or enum of the run.
    Field(DefId, Symbol),
    /// Parameter `1` of function `0`; parameters count from 0, `self` included.
    Param(DefId, u32),
    /// A local of a body: the position of the body in its function.
    Local(u32, LocalId),
    /// Not known.
    Unknown,
}

/// An access path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// What it starts from.
    pub root: Root,
    /// Whether it leads into an element: what is done there is not done to the container.
    pub element: bool,
    /// The last field, static or variable on it, for what cannot be resolved.
    pub last: Option<Symbol>,
    /// Whether every step was resolved.
    pub exact: bool,
    /// For a field that is reached directly, the value it belongs to: body and local.
    pub holder: Option<(u32, LocalId)>,
}

impl Access {
    /// An access path of which nothing is known.
    pub const UNKNOWN: Access = Access { root: Root::Unknown, element: false, last: None, exact: false, holder: None };

    fn of(root: Root, last: Option<Symbol>) -> Access {
        Access { root, last, exact: true, ..Access::UNKNOWN }
    }
}

/// Longer chains of names and calls are not followed.
const STEPS: u32 = 24;

/// Traces access paths within one function.
pub struct Tracer<'a> {
    /// The linked facts.
    pub model: &'a Model,
    /// The function.
    pub function: &'a TypedFn,
    definitions: Vec<Vec<Definition>>,
    /// Whether calls of the run's own functions are looked into.
    follows: bool,
    /// By body and loop, what [`super::exits::is_service_loop`] says.
    pub(super) serving: Vec<Vec<OnceCell<bool>>>,
}

/// Where a local gets its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Definition {
    None,
    Statement(u32),
    Many,
}

impl<'a> Tracer<'a> {
    /// A tracer for all bodies of a function.
    pub fn new(model: &'a Model, function: &'a TypedFn) -> Tracer<'a> {
        let definitions = function.bodies.iter().map(|b| definitions(&b.body)).collect();
        let loops = |b: &TypedBody| vec![OnceCell::new(); b.body.loops.len()];
        let serving = function.bodies.iter().map(loops).collect();
        Tracer { model, function, definitions, follows: true, serving }
    }

    /// The body at a position.
    pub fn body(&self, index: u32) -> &'a TypedBody {
        &self.function.bodies[index as usize]
    }

    /// The access path of an operand, if it is a place.
    pub fn operand(&self, body: u32, operand: Operand) -> Option<Access> {
        operand.as_place().map(|(_, place)| self.place(body, place))
    }

    /// The access path of a place.
    pub fn place(&self, body: u32, place: PlaceId) -> Access {
        self.place_within(body, place, STEPS)
    }

    /// The statement that gives a local its only value.
    pub fn definition(&self, body: u32, local: LocalId) -> Option<&'a Statement> {
        match self.definitions[body as usize][local.index()] {
            Definition::Statement(s) => Some(&self.body(body).body.statements[s as usize]),
            _ => None,
        }
    }

    /// The same as its position.
    pub fn definition_id(&self, body: u32, local: LocalId) -> Option<StatementId> {
        match self.definitions[body as usize][local.index()] {
            Definition::Statement(s) => Some(StatementId(s)),
            _ => None,
        }
    }

    fn place_within(&self, index: u32, place: PlaceId, steps: u32) -> Access {
        if steps == 0 {
            return Access::UNKNOWN;
        }
        let typed = self.body(index);
        let body = &typed.body;
        let projections = body.projections_of(place);
        if let Some((root, last, at)) = self.field_root(typed, place) {
            let direct = projections[..at].iter().all(|step| *step == Projection::Deref);
            return Access {
                root,
                element: projections[at + 1..].contains(&Projection::Element),
                last: Some(last),
                exact: root != Root::Unknown,
                holder: body.local_of(place).filter(|_| direct).map(|local| (index, local)),
            };
        }
        let mut found = match body.places[place.index()].base {
            Base::Local(local) => self.local(index, local, steps - 1),
            Base::Path(_) => self.path(typed, place),
        };
        found.element |= projections.contains(&Projection::Element);
        found
    }

    /// The last field of the run's types in a place, with its position among the projections.
    fn field_root(&self, typed: &TypedBody, place: PlaceId) -> Option<(Root, Symbol, usize)> {
        let body = &typed.body;
        let model = self.model;
        let mut ty = match body.places[place.index()].base {
            Base::Local(local) => typed.types.locals[local.index()],
            Base::Path(_) => Ty::UNKNOWN,
        };
        let (mut found, mut variant) = (None, None);
        for (at, step) in body.projections_of(place).iter().enumerate() {
            match *step {
                Projection::Variant(path) => {
                    let scope = model.scope_of_body(typed.at);
                    variant = Some(model.resolve(&scope, &body.types, path, Namespace::Value));
                    continue;
                }
                Projection::Field(name) => {
                    let name = model.name(typed.at.file, name);
                    match (variant, model.field_owner(ty, name)) {
                        (Some(Res::Variant(owner, _)), _) | (_, Some(owner)) => {
                            found = Some((Root::Field(owner, name), name, at))
                        }
                        (None, None) if ty == Ty::UNKNOWN => found = Some((Root::Unknown, name, at)),
                        _ => {}
                    }
                    ty = match variant {
                        Some(variant) => model.variant_field_ty(ty, variant, name),
                        None => model.field_ty(ty, name),
                    };
                }
                step => ty = model.project_ty(ty, typed, step),
            }
            variant = None;
        }
        found
    }

    fn path(&self, typed: &TypedBody, place: PlaceId) -> Access {
        let Base::Path(path) = typed.body.places[place.index()].base else { return Access::UNKNOWN };
        let last = self.model.name(typed.at.file, typed.body.types.last_name(path));
        match self.model.resolve_value(typed, path) {
            Some(def) if self.model.item(def).kind == ItemKind::Static => Access::of(Root::Static(def), Some(last)),
            _ => Access { last: Some(last), ..Access::UNKNOWN },
        }
    }

    fn local(&self, index: u32, local: LocalId, steps: u32) -> Access {
        let typed = self.body(index);
        let data = &typed.body.locals[local.index()];
        let last = data.name.get().map(|n| self.model.name(typed.at.file, n));
        let itself = Access::of(Root::Local(index, local), last);
        if steps == 0 {
            return Access::UNKNOWN;
        }
        match data.kind {
            LocalKind::Capture => match self.outer(index, local) {
                Some((outer, outer_local)) => self.local(outer, outer_local, steps - 1),
                None => Access { last, ..Access::UNKNOWN },
            },
            LocalKind::Param => self.param(index, local, steps).unwrap_or(itself),
            LocalKind::Return => itself,
            LocalKind::Binding | LocalKind::Temp => match self.definition_id(index, local) {
                Some(id) => self.defined(index, id, steps - 1).unwrap_or(itself),
                None => itself,
            },
        }
    }

    /// The local of the enclosing body that a capture stands for.
    pub fn outer(&self, index: u32, local: LocalId) -> Option<(u32, LocalId)> {
        let typed = self.body(index);
        let parent = self.model.body_header(typed.at).parent.get()?;
        let outer = self.function.bodies.iter().position(|b| b.at.body == parent)?;
        Some((outer as u32, typed.body.locals[local.index()].outer.get()?))
    }

    /// A function's parameter is a root; a closure's is what the method it is handed to gives it.
    fn param(&self, index: u32, local: LocalId, steps: u32) -> Option<Access> {
        let typed = self.body(index);
        if self.model.body_header(typed.at).kind == BodyKind::Fn {
            let def = self.model.owner(typed.at);
            let last = typed.body.locals[local.index()].name.get().map(|n| self.model.name(typed.at.file, n));
            return Some(Access::of(Root::Param(def, local.0 - 1), last));
        }
        let (outer, call, _) = self.handed_to(index)?;
        let row = self.row(outer, call)?;
        let receiver = *self.args(outer, call).first()?;
        let access = self.operand_within(outer, receiver, steps - 1)?;
        (row.through || row.element || !row.calls.is_empty())
            .then_some(Access { element: access.element || row.element || !row.through && !is_view(row), ..access })
    }

    /// Where a closure or async block is made: the body that it stands in, and the statement.
    pub fn made_in(&self, index: u32) -> Option<(u32, StatementId)> {
        let typed = self.body(index);
        let parent = self.model.body_header(typed.at).parent.get()?;
        let outer = self.function.bodies.iter().position(|b| b.at.body == parent)? as u32;
        let body = &self.body(outer).body;
        let made = body.statements.iter().position(|s| body.nested(s) == Some(typed.at.body))?;
        Some((outer, StatementId(made as u32)))
    }

    /// The call that a closure or async block is an argument of, and which argument it is.
    pub fn handed_to(&self, index: u32) -> Option<(u32, StatementId, usize)> {
        let (outer, made) = self.made_in(index)?;
        let body = &self.body(outer).body;
        let local = body.whole_local(body.statements[made.index()].dest)?;
        let uses = |s: &Statement| {
            body.args(s).iter().position(|a| a.as_place().is_some_and(|(_, p)| body.whole_local(p) == Some(local)))
        };
        let calls = |s: &Statement| matches!(s.op, Op::Call | Op::CallMethod | Op::CallValue);
        let (id, arg) =
            body.statements.iter().enumerate().filter(|(_, s)| calls(s)).find_map(|(i, s)| Some((i, uses(s)?)))?;
        Some((outer, StatementId(id as u32), arg))
    }

    fn args(&self, body: u32, statement: StatementId) -> &'a [Operand] {
        let body = &self.body(body).body;
        body.args(&body.statements[statement.index()])
    }

    /// The row of what a statement calls.
    pub fn row(&self, body: u32, statement: StatementId) -> Option<&'static FnRow> {
        self.model.callee_row(self.body(body).types.callee(statement))
    }

    fn operand_within(&self, body: u32, operand: Operand, steps: u32) -> Option<Access> {
        operand.as_place().map(|(_, place)| self.place_within(body, place, steps))
    }

    /// What a local's only definition makes it a name for.
    fn defined(&self, index: u32, id: StatementId, steps: u32) -> Option<Access> {
        let typed = self.body(index);
        let statement = &typed.body.statements[id.index()];
        let args = typed.body.args(statement);
        match statement.op {
            Op::Assign | Op::Cast => self.operand_within(index, *args.first()?, steps),
            Op::CallMethod | Op::Call => self.called(index, id, steps),
            _ => None,
        }
    }

    /// What a function of the run gives a view of: `fn table() -> &'static Mutex<…> { TABLE.get_or_init(…) }`.
    fn view_of(&self, index: u32, def: DefId, args: &[Operand], steps: u32) -> Option<Access> {
        let access = if self.follows { self.model.result_view(def)? } else { return None };
        match access.root {
            Root::Param(of, param) if of == def => {
                let given = self.operand_within(index, *args.get(param as usize)?, steps)?;
                Some(Access { element: given.element || access.element, ..given })
            }
            _ => {
                // `fn table(&self) -> MutexGuard<..> { self.table.lock() }`: it belongs to whoever is given.
                let given = access.holder.filter(|&(body, local)| body == 0 && local == LocalId(1));
                let given = given.and(args.first()).and_then(|a| a.as_place());
                let holder = given.and_then(|(_, place)| self.body(index).body.local_of(place));
                Some(Access { holder: holder.map(|local| (index, local)), ..access })
            }
        }
    }

    /// The access path of a local.
    pub fn local_access(&self, body: u32, local: LocalId) -> Access {
        self.local(body, local, STEPS)
    }

    /// What the result of a call is a view of.
    pub fn call(&self, index: u32, id: StatementId) -> Option<Access> {
        self.called(index, id, STEPS)
    }

    fn called(&self, index: u32, id: StatementId, steps: u32) -> Option<Access> {
        let typed = self.body(index);
        let statement = &typed.body.statements[id.index()];
        let args = typed.body.args(statement);
        let first = args.first().copied().unwrap_or(Operand::NONE);
        match self.row(index, id) {
            // A clone of a plain value is a value of its own.
            Some(row) if self.is_plain_clone(index, statement, row) => None,
            // `METRICS.collect()`: so is what a trait's method gathers.
            Some(row) if row.owner == Owner::Trait && self.is_owned_collection(index, statement) => None,
            Some(row) if row.through || row.element => {
                let access = self.operand_within(index, first, steps)?;
                Some(Access { element: access.element || row.element, ..access })
            }
            Some(row) if row.wraps.len() == 1 => self.operand_within(index, *args.get(row.wraps[0] as usize)?, steps),
            Some(_) => None,
            None if let Callee::Def(def) = typed.types.callee(id) => self.view_of(index, def, args, steps),
            None if statement.op == Op::CallMethod && typed.types.callee(id) == Callee::Unknown => {
                let name = self.method_name(index, statement);
                let (through, element) = (self.model.apis.is_through_name(name), self.model.apis.is_element_name(name));
                let access = (through || element).then(|| self.operand_within(index, first, steps)).flatten()?;
                Some(Access { element: access.element || element, exact: false, ..access })
            }
            None => None,
        }
    }

    fn is_plain_clone(&self, index: u32, statement: &Statement, row: &FnRow) -> bool {
        let ty = self.model.payload(self.ty(index, statement.dest));
        row.path.ends_with("::clone") && ty != Ty::UNKNOWN && !self.is_handle(ty)
    }

    fn is_owned_collection(&self, index: u32, statement: &Statement) -> bool {
        let ty = self.model.payload(self.ty(index, statement.dest));
        self.model.type_row(ty).is_some_and(|row| row.collection.is_some())
    }

    /// Whether clones of a type stand for the same thing: shared pointers, and what is no collection.
    fn is_handle(&self, ty: Ty) -> bool {
        self.model.type_row(ty).is_none_or(|row| row.strong || row.end.is_some() || row.collection.is_none())
    }

    /// Where the chain of calls that a seed ends begins: `Command::new` of `Command::new(..).arg(..).spawn()`.
    pub fn chain_start(&self, seed: &Seed) -> Option<Span> {
        let body = &self.body(seed.body).body;
        let mut id = seed.statement;
        for _ in 0..STEPS {
            let first = body.args(&body.statements[id.index()]).first().and_then(|a| a.as_place());
            let temp = first.and_then(|(_, place)| body.local_of(place));
            let temp = temp.filter(|l| body.locals[l.index()].kind == LocalKind::Temp);
            match temp.and_then(|local| self.definition_id(seed.body, local)) {
                Some(found) => id = found,
                None => break,
            }
        }
        (id != seed.statement).then(|| self.model.span_of(self, seed.body, id))
    }

    /// Where a block branches: its condition, or what it matches.
    pub fn branch_span(&self, index: u32, block: BlockId) -> TextRange {
        let body = &self.body(index).body;
        let block = &body.blocks[block.index()];
        if block.span.hi > 0 {
            return block.span;
        }
        // `!done()`: the call.
        let mut operand = Some(block.operand);
        for _ in 0..4 {
            let local = operand.and_then(|o| o.as_place()).and_then(|(_, place)| body.local_of(place));
            let Some(id) = local.and_then(|local| self.definition_id(index, local)) else { break };
            let span = body.spans[id.index()];
            if span.hi > 0 {
                return span;
            }
            operand = body.args(&body.statements[id.index()]).first().copied();
        }
        TextRange::default()
    }

    /// Variables and parameters that an operand is made of.
    pub fn ingredients(&self, index: u32, operand: Operand) -> Vec<LocalId> {
        let body = &self.body(index).body;
        let (mut found, mut todo) = (Vec::new(), vec![operand]);
        for _ in 0..16 {
            let Some(operand) = todo.pop() else { break };
            let Some(local) = operand.as_place().and_then(|(_, place)| body.local_of(place)) else { continue };
            match body.locals[local.index()].kind {
                LocalKind::Temp => {
                    todo.extend(self.definition(index, local).map_or(&[][..], |s| body.args(s)));
                }
                _ => found.push(local),
            }
        }
        found
    }

    /// What the owner of the value that a seed acquires has to do.
    pub fn obligation_of(&self, seed: &Seed) -> Option<&'static Obligation> {
        let dest = self.body(seed.body).body.statements[seed.statement.index()].dest.get()?;
        self.model.obligation(self.model.payload(self.ty(seed.body, dest)))
    }

    /// The name of the method that a statement calls.
    pub fn method_name(&self, index: u32, statement: &Statement) -> &'a str {
        let typed = self.body(index);
        let name = typed.body.types.last_name(crate::facts::types::PathId(statement.data));
        name.get().map_or("", |n| self.model.text(self.model.name(typed.at.file, n)))
    }

    /// Whether a type keeps what it points to alive together with others (`Arc`, `Rc`).
    pub fn is_shared(&self, ty: Ty) -> bool {
        self.model.type_row(ty).is_some_and(|row| row.strong)
    }

    /// The source of a statement.
    pub fn span(&self, body: u32, statement: StatementId) -> Span {
        let typed = self.body(body);
        Span { file: typed.at.file, range: typed.body.spans[statement.index()] }
    }

    /// The type of a place.
    pub fn ty(&self, body: u32, place: PlaceId) -> Ty {
        self.body(body).types.places[place.index()]
    }
}

impl Model {
    /// What the result of a function is a view of, if it is a reference, a raw pointer or a guard. Calls within it are not followed.
    pub fn result_view(&self, def: DefId) -> Option<Access> {
        self.result_views.get_or(def, || self.find_result_view(def))
    }

    fn find_result_view(&self, def: DefId) -> Option<Access> {
        let root = self.body_of(def)?;
        let result = self.result_ty(def);
        let owned = self.type_row(result).is_none_or(|row| row.deref.is_none());
        let raw = matches!(self.ty(result), TyData::Pointer(_)) || self.type_row(result).is_some_and(|row| row.raw);
        if owned && !raw && !matches!(self.ty(result), TyData::Ref { .. }) {
            return None;
        }
        let function = self.typed(root);
        let tracer = Tracer { follows: false, ..Tracer::new(self, &function) };
        let access = match tracer.definitions[0][0] {
            Definition::Statement(s) => tracer.defined(0, StatementId(s), STEPS)?,
            _ => return None,
        };
        matches!(access.root, Root::Static(_) | Root::Field(..) | Root::Param(..)).then_some(access)
    }
}

/// `with(|x| …)`, `map(|x| …)` on a guard: the closure sees the content, not an element.
fn is_view(row: &FnRow) -> bool {
    !row.grows.contains(&Slot::Receiver) && row.calls.iter().any(|c| c.arg == 0 && c.takes.len() == 1)
}

/// The only definition of each local. Statements that end a scope or declare write nothing.
fn definitions(body: &Body) -> Vec<Definition> {
    let mut list = vec![Definition::None; body.locals.len()];
    for (index, statement) in body.statements.iter().enumerate() {
        if statement.op == Op::Declare || statement.op == Op::ScopeEnd {
            continue;
        }
        let Some(local) = statement.dest.get().and_then(|place| body.whole_local(place)) else { continue };
        let entry = &mut list[local.index()];
        *entry = match *entry {
            Definition::None => Definition::Statement(index as u32),
            _ => Definition::Many,
        };
    }
    list
}

/// Whether a type is a reference or a guard-like view rather than an owner.
pub fn is_reference(model: &Model, ty: Ty) -> bool {
    match model.ty(ty) {
        TyData::Ref { .. } => true,
        TyData::External(_, args) if matches!(model.type_row(ty), Some(row) if row.collection.is_none()) => {
            args.first().is_some_and(|&inner| matches!(model.ty(inner), TyData::Ref { .. }))
        }
        _ => false,
    }
}
