//! Fields that hold something raw: where their content may be released or handed on, and where acquires flow into them.
//!
//! A use excuses if it can be a release; reading, comparing and lending to C code cannot.

use super::access::{Root, Tracer};
use super::digest::Digest;
use super::effects::{Effects, adopts, slot};
use super::flow::Stored;
use super::words::Name;
use super::{Callee, DefId, Head, Model, Symbol, Ty, TyData};
use crate::apis::{Collection, Slot};
use crate::facts::body::*;
use rustc_hash::FxHashSet;

/// A use of a raw field that may release what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldUse {
    /// The field, or nothing that can be resolved.
    pub root: Root,
    /// Its name.
    pub name: Symbol,
    /// The function of the run that gets it, and as which parameter, if that decides.
    pub given_to: Option<(DefId, u32)>,
}

/// What a function does with raw fields.
#[derive(Debug, Clone, Default)]
pub struct RawFields {
    /// Uses that may release.
    pub uses: Vec<FieldUse>,
    /// What the pointers that it takes back point to.
    pub reclaimed: Vec<Head>,
    /// Raw fields that it reads, if it takes anything back.
    pub touched: Vec<(DefId, Symbol)>,
    releases: bool,
}

/// The raw fields of a function.
pub fn raw_fields(tracer: &Tracer) -> RawFields {
    let model = tracer.model;
    let owner = model.owner(tracer.function.root().at);
    let thorough = Name::of(model.text(model.def_name(owner))).releases();
    let mut found = RawFields::default();
    for index in 0..tracer.function.bodies.len() as u32 {
        let typed = tracer.body(index);
        for (id, statement) in typed.body.statements.iter().enumerate() {
            let wanted = matches!(
                statement.op,
                Op::Call | Op::CallMethod | Op::CallValue | Op::Struct | Op::Assign | Op::OpaqueMacro
            );
            if !wanted {
                continue;
            }
            // `Box::from_raw(self.0.as_mut())`
            let row = if statement.op == Op::Call { tracer.row(index, StatementId(id as u32)) } else { None };
            let taken_back = row.is_some_and(|row| row.adopts.is_some());
            for (at, operand) in typed.body.args(statement).iter().enumerate() {
                let Some((position, place)) = operand.as_place() else { continue };
                if taken_back || is_raw(model, tracer.ty(index, place), thorough) {
                    used(tracer, index, StatementId(id as u32), at, (position, place), &mut found);
                }
            }
        }
    }
    if found.releases {
        found.touched = touched(tracer);
    }
    found
}

/// `let mut node = *self.head.get_mut(); while … { drop(Box::from_raw(node)); node = … }`: what is read here may be what is
/// taken back, though not by the name of the field.
fn touched(tracer: &Tracer) -> Vec<(DefId, Symbol)> {
    let mut fields = Vec::new();
    for index in 0..tracer.function.bodies.len() as u32 {
        let body = &tracer.body(index).body;
        for (_, place) in body.operands.iter().filter_map(|o| o.as_place()) {
            let by_field = body.projections_of(place).iter().any(|p| matches!(p, Projection::Field(_)));
            if by_field && let Root::Field(owner, name) = tracer.place(index, place).root {
                fields.push((owner, name));
            }
        }
    }
    fields.sort_unstable();
    fields.dedup();
    fields
}

fn used(
    tracer: &Tracer,
    index: u32,
    id: StatementId,
    at: usize,
    (position, place): (Position, PlaceId),
    found: &mut RawFields,
) {
    let model = tracer.model;
    let statement = &tracer.body(index).body.statements[id.index()];
    let mut given_to = None;
    let excuses = match statement.op {
        Op::Call | Op::CallMethod => match tracer.body(index).types.callee(id) {
            callee if tracer.row(index, id).is_none() && model.is_foreign(callee) => {
                let takes = model.foreign_name(callee).releases();
                found.releases |= takes;
                takes
            }
            Callee::Def(def) => {
                given_to = Some((def, at as u32));
                true
            }
            Callee::External(_) | Callee::Distinctive(_) => match tracer.row(index, id) {
                Some(row) => {
                    let slot = slot(row, at);
                    let drops = row.drops == Some(slot) || row.drops_by_hand == Some(slot);
                    let takes = row.releases == Some(slot) || drops || adopts(row, slot);
                    found.releases |= takes;
                    if takes {
                        note_reclaimed(model, tracer.ty(index, place), found);
                    }
                    takes || row.shrinks.contains(&slot) || matches!(slot, Slot::Arg(n) if row.stores.contains(&n))
                }
                None => position == Position::Bare || position == Position::RefMut,
            },
            Callee::Constructor(_) => true,
            Callee::Closure(_) | Callee::Unknown => true,
        },
        Op::CallValue | Op::OpaqueMacro => true,
        Op::Struct => {
            position == Position::Bare && !is_clone(tracer) && !owns_nothing(model, tracer.ty(index, statement.dest))
        }
        Op::Assign => position == Position::Bare && leaves(tracer, index, statement),
        _ => false,
    };
    if !excuses {
        return;
    }
    let access = tracer.place(index, place);
    let (Root::Field(..) | Root::Unknown, Some(name)) = (access.root, access.last) else { return };
    let field_use = FieldUse { root: access.root, name, given_to };
    if !found.uses.contains(&field_use) {
        found.uses.push(field_use);
    }
}

fn note_reclaimed(model: &Model, ty: Ty, found: &mut RawFields) {
    if let Some(to) = pointee(model, ty).and_then(|to| model.head(to))
        && !found.reclaimed.contains(&to)
    {
        found.reclaimed.push(to);
    }
}

/// What a raw pointer, or a wrapper of one, points to.
pub fn pointee(model: &Model, ty: Ty) -> Option<Ty> {
    let ty = model.payload(model.peel_refs(ty));
    match *model.ty(ty) {
        TyData::Pointer(to) => Some(to),
        TyData::External(_, ref args) if model.type_row(ty).is_some_and(|row| row.raw) => args.first().copied(),
        _ => None,
    }
}

/// A library's type that is `Copy`: it cannot free what it points to.
fn owns_nothing(model: &Model, ty: Ty) -> bool {
    matches!(model.ty(ty), TyData::External(..)) && model.type_row(ty).is_some_and(|row| row.copy && !row.raw)
}

fn is_clone(tracer: &Tracer) -> bool {
    let owner = tracer.model.owner(tracer.function.root().at);
    tracer.model.text(tracer.model.def_name(owner)) == "clone"
}

/// `fn into_raw(self) -> *mut T { self.ptr }`, `other.ptr = self.ptr`: it belongs to somebody else from then on.
fn leaves(tracer: &Tracer, index: u32, statement: &Statement) -> bool {
    let body = &tracer.body(index).body;
    let Some(local) = body.local_of(statement.dest) else { return true };
    if body.locals[local.index()].kind == LocalKind::Return {
        let this = body.locals.get(1).filter(|l| l.kind == LocalKind::Param);
        let owner = tracer.model.owner(tracer.function.root().at);
        // `into_raw_fd(self)` gives it away if it is called; whoever drops the value instead still loses it.
        let optional = tracer.model.text(tracer.model.def_name(owner)).starts_with("into_raw");
        return this.is_some()
            && !optional
            && matches!(tracer.model.ty(tracer.body(index).types.locals[1]), TyData::Adt(..));
    }
    body.whole_local(statement.dest).is_none() && matches!(tracer.place(index, statement.dest).root, Root::Field(..))
}

/// Whether a type is a raw pointer or handle. Numbers that are addresses are asked for only where things are released.
fn is_raw(model: &Model, ty: Ty, thorough: bool) -> bool {
    let ty = model.payload(model.peel_refs(ty));
    match model.ty(ty) {
        TyData::Pointer(_) => true,
        TyData::Prim(name) => match model.text(*name) {
            "i32" | "isize" => true,
            "u64" | "usize" | "u32" | "i64" => thorough,
            _ => false,
        },
        TyData::External(..) => model.type_row(ty).is_none_or(|row| row.raw),
        TyData::Unknown => thorough,
        _ => false,
    }
}

/// Fields whose content may be released somewhere, by field and by name alone, and what is taken back where things end.
#[derive(Debug, Default)]
pub struct Released {
    fields: FxHashSet<(DefId, Symbol)>,
    names: FxHashSet<Symbol>,
    reclaimed: FxHashSet<Head>,
}

/// Gathers the releases of all functions; `effects` says what a function does with a parameter, `ending` which functions
/// run when something is dropped.
pub fn gather(digests: &[Digest], effects: impl Fn(DefId, u32) -> Effects, ending: &FxHashSet<DefId>) -> Released {
    const EXCUSES: Effects =
        Effects(Effects::RELEASES_ANY.0 | Effects::STORES.0 | Effects::UNKNOWN.0 | Effects::RETURNS.0);
    let mut released = Released::default();
    for digest in digests {
        for field in &digest.raw_fields.uses {
            if field.given_to.is_some_and(|(def, param)| !effects(def, param).any(EXCUSES)) {
                continue;
            }
            match field.root {
                Root::Field(owner, name) => released.fields.insert((owner, name)),
                _ => released.names.insert(field.name),
            };
        }
        if ending.contains(&digest.owner) {
            released.reclaimed.extend(&digest.raw_fields.reclaimed);
            released.fields.extend(&digest.raw_fields.touched);
        }
    }
    released
}

impl Model {
    /// Whether what is in a raw field may be released somewhere: through the field, through something of that name, or,
    /// where values end, through another pointer to the same type.
    pub fn raw_field_is_released(&self, owner: DefId, name: Symbol) -> bool {
        let released = &self.analysis.released_raw;
        let ty = self.declared_field(owner, name).unwrap_or_default();
        let by_type = self.inside(ty).find_map(|ty| pointee(self, ty)).and_then(|to| self.head(to));
        // What several own may be released by another of them.
        let shared = self.inside(ty).any(|ty| self.type_row(ty).is_some_and(|row| row.strong));
        shared
            || released.fields.contains(&(owner, name))
            || released.names.contains(&name)
            || by_type.is_some_and(|to| released.reclaimed.contains(&to))
    }

    /// Whether a collection can keep what is raw by an argument: not by a key, which is a mere name for something, nor as
    /// `Box<dyn Any>`, which is made for all kinds of values.
    fn may_take_raw(&self, collection: Ty, operand: u16) -> bool {
        let ty = self.payload(self.peel_refs(collection));
        let (TyData::External(_, args), Some(row)) = (self.ty(ty), self.type_row(ty)) else { return true };
        let element = match row.collection {
            Some(Collection::Map) if operand == 1 => return false,
            Some(Collection::Map) => args.get(1),
            Some(Collection::List | Collection::Queue | Collection::Set) => args.first(),
            _ => None,
        };
        let fits = |ty| is_raw(self, ty, true) || matches!(self.ty(ty), TyData::Tuple(_) | TyData::Array(_));
        element.is_none_or(|&element| self.inside(element).any(fits))
    }

    /// The field of a type of the run in which a statement stores a value.
    pub fn stored_in(&self, tracer: &Tracer, body: u32, stored: Stored) -> Option<(DefId, Symbol)> {
        let typed = tracer.body(body);
        let statement = &typed.body.statements[stored.statement.index()];
        let args = typed.body.args(statement);
        let of_dest = || match *self.ty(self.payload(tracer.ty(body, statement.dest))) {
            TyData::Adt(owner, _) => Some(owner),
            _ => None,
        };
        match statement.op {
            Op::Struct => {
                let OperandKind::Name(name) = args.get(stored.operand?.checked_sub(1)? as usize)?.kind() else {
                    return None;
                };
                Some((of_dest()?, self.name(typed.at.file, name)))
            }
            Op::Call if matches!(typed.types.callee(stored.statement), Callee::Constructor(_)) => {
                Some((of_dest()?, self.symbols.intern(&stored.operand?.to_string())))
            }
            // `set_data(self.window, data)`: the window is not where it is kept.
            Op::Call => None,
            _ => {
                // `self.fd = fd`, `self.maps.push(address)`
                let place = match stored.operand {
                    Some(at) => {
                        let receiver = args.first()?.as_place()?.1;
                        self.may_take_raw(tracer.ty(body, receiver), at).then_some(receiver)?
                    }
                    None => statement.dest.get()?,
                };
                match tracer.place(body, place).root {
                    Root::Field(owner, name) => Some((owner, name)),
                    _ => None,
                }
            }
        }
    }
}
