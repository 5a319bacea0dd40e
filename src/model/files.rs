//! Files and folders that functions make and remove, told by what holds their paths: a local, a parameter, a field. Two
//! paths are the same if both are views or copies of one such place; what `join` gives is another path.

use super::access::{Root, Tracer};
use super::effects::slot;
use super::keyed::{Touch, sources};
use super::{Callee, DefId, Model, Ty, TyData};
use crate::apis::{FnRow, Slot};
use crate::facts::body::*;

/// What a function does with the file that a parameter names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathUse {
    /// The parameter, `self` included.
    pub param: u32,
    /// What.
    pub does: PathDeed,
}

/// What is done with the file at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathDeed {
    /// It is there afterwards.
    Creates,
    /// It is gone afterwards.
    Removes,
    /// The path is handed to this function as this parameter.
    Passes(DefId, u32),
}

/// Words in the name of a function that cannot be seen, from which it may remove what it is given.
const REMOVES: [&str; 9] = ["remove", "delete", "rename", "unlink", "cleanup", "clean", "persist", "commit", "move"];

/// Longer chains of calls are not followed.
const DEPTH: u32 = 4;

/// What a function does with the paths among its parameters.
pub fn path_uses(tracer: &Tracer) -> Vec<PathUse> {
    let mut uses = Vec::new();
    let root = tracer.function.root();
    if !root.types.locals[1..=root.body.params as usize].iter().any(|&ty| may_be_path(tracer.model, ty)) {
        return uses;
    }
    for index in 0..tracer.function.bodies.len() as u32 {
        let body = &tracer.body(index).body;
        for id in (0..body.statements.len() as u32).map(StatementId) {
            let mut add = |at: usize, does: PathDeed| {
                let operand = body.args(&body.statements[id.index()])[at];
                let Some((_, place)) = operand.as_place() else { return };
                if !may_be_path(tracer.model, tracer.ty(index, place)) {
                    return;
                }
                if let Root::Param(_, param) = path_root(tracer, index, place) {
                    let entry = PathUse { param, does };
                    if !uses.contains(&entry) {
                        uses.push(entry);
                    }
                }
            };
            match tracer.body(index).types.callee(id) {
                Callee::Def(def) => (0..body.statements[id.index()].args as usize)
                    .for_each(|at| add(at, PathDeed::Passes(def, at as u32))),
                _ => {
                    let Some(row) = tracer.row(index, id) else { continue };
                    if let Some(at) = created(tracer, index, id, row) {
                        add(at, PathDeed::Creates);
                    }
                    if let Some(at) = operand_of(tracer, index, id, row, row.removes_path) {
                        add(at, PathDeed::Removes);
                    }
                }
            }
        }
    }
    uses
}

fn may_be_path(model: &Model, ty: Ty) -> bool {
    match model.ty(model.peel_refs(ty)) {
        TyData::Prim(name) => model.text(*name) == "str",
        TyData::External(path, _) => {
            let path = model.text(*path);
            path.ends_with("Path") || path.ends_with("PathBuf") || path.ends_with("String")
        }
        TyData::Param(_) | TyData::Impl(_) | TyData::Unknown => true,
        _ => false,
    }
}

/// Which operand an argument of a row is.
fn operand_of(tracer: &Tracer, index: u32, id: StatementId, row: &FnRow, arg: Option<u8>) -> Option<usize> {
    let count = tracer.body(index).body.statements[id.index()].args as usize;
    let arg = arg?;
    (0..count).find(|&at| slot(row, at) == Slot::Arg(arg))
}

/// The operand that names what a library call makes.
fn created(tracer: &Tracer, index: u32, id: StatementId, row: &FnRow) -> Option<usize> {
    let at = operand_of(tracer, index, id, row, row.creates_path)?;
    (row.if_called.is_empty() || was_called(tracer, index, id, &row.if_called)).then_some(at)
}

/// `OpenOptions::new().write(true).create(true).open(p)`: whether the chain of a builder calls one of these.
fn was_called(tracer: &Tracer, index: u32, id: StatementId, names: &[String]) -> bool {
    let body = &tracer.body(index).body;
    let mut at = Some(id);
    for _ in 0..12 {
        let Some(id) = at else { break };
        let statement = &body.statements[id.index()];
        if statement.op == Op::CallMethod && names.iter().any(|n| n == tracer.method_name(index, statement)) {
            return true;
        }
        let first = body.args(statement).first().and_then(|a| a.as_place());
        at = first.and_then(|(_, p)| body.local_of(p)).and_then(|local| tracer.definition_id(index, local));
    }
    false
}

/// What holds the path that a place is, is a view of, or is a copy of.
pub fn path_root(tracer: &Tracer, index: u32, place: PlaceId) -> Root {
    let mut access = tracer.place(index, place);
    for _ in 0..8 {
        let Root::Local(body, local) = access.root else { break };
        let Some(id) = tracer.definition_id(body, local) else { break };
        let typed = tracer.body(body);
        let statement = &typed.body.statements[id.index()];
        let name = match statement.op {
            Op::CallMethod | Op::Call => tracer.method_name(body, statement),
            _ => break,
        };
        let copies = ["clone", "to_owned", "to_path_buf", "to_string", "into", "from", "new", "as_std_path", "as_path"];
        let first = typed.body.args(statement).first().and_then(|a| a.as_place());
        match first.filter(|_| statement.args == 1 && copies.contains(&name)) {
            Some((_, inner)) => access = tracer.place(body, inner),
            None => break,
        }
    }
    if access.element { Root::Unknown } else { access.root }
}

/// The operand that names a file which a statement makes, by itself or in a function of the run.
pub fn makes(tracer: &Tracer, index: u32, id: StatementId) -> Option<PlaceId> {
    let body = &tracer.body(index).body;
    let args = body.args(&body.statements[id.index()]);
    let place = |at: usize| args.get(at).and_then(|a| a.as_place()).map(|(_, place)| place);
    match tracer.body(index).types.callee(id) {
        Callee::Def(def) => {
            let at = (0..args.len()).find(|&at| does(tracer.model, def, at as u32, PathDeed::Creates, DEPTH))?;
            // What it also takes away again is its own business.
            (!does(tracer.model, def, at as u32, PathDeed::Removes, DEPTH)).then(|| place(at))?
        }
        _ => place(created(tracer, index, id, tracer.row(index, id)?)?),
    }
}

/// Whether a function does that with the file at a path it is given.
fn does(model: &Model, def: DefId, param: u32, deed: PathDeed, steps: u32) -> bool {
    let Some(digest) = model.digest_of(def).filter(|_| steps > 0) else { return false };
    digest.path_uses.iter().filter(|u| u.param == param).any(|u| match u.does {
        PathDeed::Passes(inner, at) => inner != def && does(model, inner, at, deed, steps - 1),
        own => own == deed,
    })
}

/// What a statement does to the file at the path `root`, whose parts are `parts`.
pub fn touch(tracer: &Tracer, index: u32, id: StatementId, root: Root, parts: &[(u32, LocalId)]) -> Touch {
    let body = &tracer.body(index).body;
    let statement = &body.statements[id.index()];
    if statement.op == Op::OpaqueMacro {
        return if names_removal(tracer, index, statement) { Touch::MayTakeBack } else { Touch::None };
    }
    let row = tracer.row(index, id);
    let removes = row.and_then(|row| operand_of(tracer, index, id, row, row.removes_path));
    let mut touch = Touch::None;
    for (at, operand) in body.args(statement).iter().enumerate() {
        let Some((position, place)) = operand.as_place() else { continue };
        let of = path_root(tracer, index, place);
        // Removing a folder removes what is in it.
        let above = matches!(of, Root::Local(body, local) if parts.contains(&(body, local)));
        if of != root && !(above && removes == Some(at)) {
            continue;
        }
        touch = match tracer.body(index).types.callee(id) {
            _ if removes == Some(at) => return Touch::TakesBack,
            Callee::Def(def) if does(tracer.model, def, at as u32, PathDeed::Removes, DEPTH) => {
                return Touch::TakesBack;
            }
            Callee::Def(_) if position == Position::Bare && owns_removal(tracer, index, statement.dest) => {
                return Touch::MayTakeBack;
            }
            Callee::Def(def) if may_remove(tracer.model.text(tracer.model.def_name(def))) => Touch::MayTakeBack,
            Callee::Def(_) => touch,
            Callee::Unknown | Callee::External(_) | Callee::Distinctive(_)
                if matches!(statement.op, Op::Call | Op::CallMethod)
                    && may_remove(tracer.method_name(index, statement)) =>
            {
                Touch::MayTakeBack
            }
            Callee::Unknown if position == Position::Bare && is_call(statement) => Touch::MayTakeBack,
            Callee::Constructor(_) | Callee::Closure(_) => Touch::MayTakeBack,
            Callee::External(_) if row.is_none() && owns_removal(tracer, index, statement.dest) => Touch::MayTakeBack,
            _ if statement.op == Op::Struct => Touch::MayTakeBack,
            // `self.tmp = Some(path)`
            _ if statement.op == Op::Assign
                && position == Position::Bare
                && body.whole_local(statement.dest).is_none() =>
            {
                Touch::MayTakeBack
            }
            _ if row.is_some_and(|row| row.stores.iter().any(|&n| slot(row, at) == Slot::Arg(n))) => Touch::MayTakeBack,
            _ => touch,
        };
    }
    touch
}

fn is_call(statement: &Statement) -> bool {
    matches!(statement.op, Op::Call | Op::CallMethod | Op::CallValue)
}

fn may_remove(name: &str) -> bool {
    name.split('_').any(|word| REMOVES.contains(&word))
}

/// Whether a call gives something whose drop may remove the file.
fn owns_removal(tracer: &Tracer, index: u32, dest: PlaceId) -> bool {
    dest.get().is_some_and(|place| {
        let ty = tracer.model.payload(tracer.ty(index, place));
        ty == Ty::UNKNOWN || tracer.model.drop_matters(ty)
    })
}

fn names_removal(tracer: &Tracer, index: u32, statement: &Statement) -> bool {
    let typed = tracer.body(index);
    typed.body.args(statement).iter().any(|a| match a.kind() {
        OperandKind::Name(name) => may_remove(tracer.model.text(tracer.model.name(typed.at.file, name))),
        _ => false,
    })
}

/// Whether some other body of the function than `index` removes a file: a guard's closure, or what is around the block that
/// `index` is.
pub fn is_removed_around(tracer: &Tracer, index: u32) -> bool {
    (0..tracer.function.bodies.len() as u32).filter(|&other| other != index).any(|other| {
        let body = &tracer.body(other).body;
        body.statements.iter().enumerate().any(|(id, statement)| match statement.op {
            Op::OpaqueMacro => names_removal(tracer, other, statement),
            Op::Call | Op::CallMethod => {
                let id = StatementId(id as u32);
                let by_row = tracer.row(other, id).is_some_and(|row| row.removes_path.is_some());
                by_row || may_remove(tracer.method_name(other, statement))
            }
            _ => false,
        })
    })
}

/// What a path is made of.
#[derive(Debug, Default)]
pub struct Name {
    /// The locals that it is made of.
    pub parts: Vec<(u32, LocalId)>,
    /// Whether a part of it is new with each call: a counter, a random number, a time.
    pub fresh: bool,
    /// Whether a part of it is owned by something whose drop removes it.
    pub guarded: bool,
}

/// How the path in a local is made.
pub fn name_of(tracer: &Tracer, index: u32, local: LocalId) -> Name {
    let mut name = Name::default();
    let model = tracer.model;
    name.parts = sources(tracer, index, local, &mut |index, id| {
        name.fresh |= match tracer.body(index).types.callee(id) {
            // `fn temp_name() -> String`, but not what opens a file and looks at the clock on the way.
            Callee::Def(def) => {
                let names =
                    matches!(model.ty(model.payload(model.item_ty(def))), TyData::Prim(_) | TyData::External(..));
                names && model.digest_of(def).is_some_and(|d| d.fresh)
            }
            _ => tracer.row(index, id).is_some_and(|row| row.fresh),
        };
        let body = &tracer.body(index).body;
        for (_, place) in body.args(&body.statements[id.index()]).iter().filter_map(|a| a.as_place()) {
            let is_self = |l: LocalId| matches!(body.locals[l.index()].kind, LocalKind::Param | LocalKind::Capture);
            let whole_self = body.whole_local(place).is_some_and(is_self);
            name.guarded |= !whole_self && model.drop_matters(model.peel_refs(tracer.ty(index, place)));
        }
    });
    name
}

impl Model {
    /// Whether a function makes a file at a path it is given.
    pub fn creates_files(&self, def: DefId) -> bool {
        self.digest_of(def).is_some_and(|d| d.path_uses.iter().any(|u| u.does == PathDeed::Creates))
    }

    /// Whether dropping a value of that type, or of what is in it, does something: by its row, or by a `Drop` of the run.
    pub fn drop_matters(&self, ty: Ty) -> bool {
        self.drop_note(ty, 3).is_some()
    }

    /// The same, with what it does.
    pub fn drop_note(&self, ty: Ty, steps: u32) -> Option<String> {
        self.inside(ty).find_map(|ty| match *self.ty(ty) {
            TyData::Adt(def, _) => {
                if self.has_drop(def).is_some() {
                    return Some("runs its `Drop`".to_owned());
                }
                let fields = self.item(def).fields.ids();
                fields.filter(|_| steps > 0).find_map(|f| self.drop_note(self.declared_field_ty(def, f), steps - 1))
            }
            TyData::External(..) => self.type_row(ty).and_then(|row| row.drop_matters.clone()),
            _ => None,
        })
    }
}
