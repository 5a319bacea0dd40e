//! What a spawned body owns, and what that keeps alive: variables moved into it, clones, `self: Arc<Self>`, newtypes over
//! shared pointers, structs with such fields. It knows no lint.
//!
//! ```text
//! captures::captured(tracer, seed)      the values that what is spawned takes with it
//! captures::variable(tracer, body, p)   the variable that a place is reached from, through names, clones, locks, fields
//! model.keeps_alive(ty)                 the types of the run that a value of that type keeps alive
//! ```

use super::access::Tracer;
use super::digest::Seed;
use super::{Callee, DefId, Model, Ty, TyData, known};
use crate::apis::Collection;
use crate::facts::body::*;

/// A variable of a function: the position of the body, and the local.
pub type Variable = (u32, LocalId);

/// A value that a spawned body takes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Captured {
    /// The local of the spawning body that is captured, or passed to the function that is spawned.
    pub local: Variable,
    /// Where that comes from: the variable that it is a clone, a field or another name of.
    pub from: Variable,
    /// Its type.
    pub ty: Ty,
}

/// Chains of names and calls longer than this are not followed.
const STEPS: u32 = 24;

/// Values of more types than this are not looked through.
const TYPES: usize = 96;

/// The values that what a seed spawns takes with it, those that futures and closures among them take included. What it
/// only borrows is left out: it must live for ever.
pub fn captured(tracer: &Tracer, seed: &Seed) -> Vec<Captured> {
    let mut todo: Vec<(u32, StatementId)> = spawned_by(tracer, seed).map(|id| (seed.body, id)).into_iter().collect();
    let (mut list, mut next) = (Vec::new(), 0);
    while next < todo.len() && next < STEPS as usize {
        let (index, made) = todo[next];
        next += 1;
        let body = &tracer.body(index).body;
        let statement = &body.statements[made.index()];
        for place in body.args(statement).iter().filter_map(|a| a.as_place()).map(|(_, place)| place) {
            match tracer.model.ty(tracer.ty(index, place)) {
                TyData::Ref { .. } => continue,
                TyData::Future { .. } | TyData::Closure(_) => todo.extend(made_by(tracer, index, place)),
                _ => {}
            }
            list.extend(taken(tracer, index, place));
        }
    }
    list
}

fn taken(tracer: &Tracer, index: u32, place: PlaceId) -> Option<Captured> {
    let local = tracer.body(index).body.local_of(place)?;
    let from = variable(tracer, index, place)?;
    Some(Captured { local: (index, local), from, ty: tracer.ty(index, place) })
}

/// The statement that makes what a seed spawns: a closure, an async block, the call of an async function. Seen through
/// what adapts a future: `async { .. }.instrument(span)`.
pub fn spawned_by(tracer: &Tracer, seed: &Seed) -> Option<StatementId> {
    let body = &tracer.body(seed.body).body;
    let statement = &body.statements[seed.statement.index()];
    let arg = tracer.row(seed.body, seed.statement)?.spawns?.arg as usize;
    let arg = arg + usize::from(statement.op == Op::CallMethod);
    let (index, id) = made_by(tracer, seed.body, body.args(statement).get(arg)?.as_place()?.1)?;
    (index == seed.body).then_some(id)
}

/// The statement that makes a closure or future, through what adapts it, and the body it stands in.
pub fn made_by(tracer: &Tracer, index: u32, place: PlaceId) -> Option<(u32, StatementId)> {
    let mut at = (index, tracer.body(index).body.local_of(place)?);
    for _ in 0..STEPS {
        let (index, local) = at;
        let body = &tracer.body(index).body;
        if body.locals[local.index()].kind == LocalKind::Capture {
            at = tracer.outer(index, local)?;
            continue;
        }
        let id = tracer.definition_id(index, local)?;
        let statement = &body.statements[id.index()];
        let adapts = match statement.op {
            Op::Assign => true,
            Op::Call | Op::CallMethod => tracer.row(index, id).is_some_and(|r| r.through || r.wraps.contains(&0)),
            _ => false,
        };
        if !adapts {
            return Some((index, id));
        }
        at = (index, body.local_of(body.args(statement).first()?.as_place()?.1)?);
    }
    None
}

/// The variable that a place is reached from: through names, captures, clones, borrows, locks and fields.
pub fn variable(tracer: &Tracer, index: u32, place: PlaceId) -> Option<Variable> {
    let mut at = (index, tracer.body(index).body.local_of(place)?);
    for _ in 0..STEPS {
        match source(tracer, at) {
            Some(next) => at = next,
            None => break,
        }
    }
    Some(at)
}

/// The variable that another one is made of by its only definition, if it leads to the same value or a part of it.
fn source(tracer: &Tracer, (index, local): Variable) -> Option<Variable> {
    let body = &tracer.body(index).body;
    if body.locals[local.index()].kind == LocalKind::Capture {
        return tracer.outer(index, local);
    }
    let id = tracer.definition_id(index, local)?;
    let statement = &body.statements[id.index()];
    let args = body.args(statement);
    let from = match statement.op {
        Op::Assign | Op::Cast => *args.first()?,
        Op::Call | Op::CallMethod => match tracer.row(index, id) {
            Some(row) if row.wraps.len() == 1 => *args.get(row.wraps[0] as usize)?,
            Some(row) if row.through || row.element || is_clone(&row.path) => *args.first()?,
            _ => return None,
        },
        _ => return None,
    };
    Some((index, body.local_of(from.as_place()?.1)?))
}

/// Whether a function makes a second value like its receiver.
pub fn is_clone(path: &str) -> bool {
    path.ends_with("::clone") || path.ends_with("::to_owned")
}

/// The body that a statement makes or calls, if it belongs to the run.
pub enum Made {
    /// A closure or async block of the same function.
    Body(u32),
    /// A function.
    Function(DefId),
}

/// The body behind a closure, an async block or a call.
pub fn made(tracer: &Tracer, index: u32, id: StatementId) -> Option<Made> {
    let typed = tracer.body(index);
    if let Some(nested) = typed.body.nested(&typed.body.statements[id.index()]) {
        let inner = tracer.function.bodies.iter().position(|b| b.at.body == nested)?;
        return Some(Made::Body(inner as u32));
    }
    match typed.types.callee(id) {
        Callee::Def(def) => Some(Made::Function(def)),
        _ => None,
    }
}

impl Model {
    /// The types of the run that a value of that type keeps alive: its own, those of its fields, and those behind the
    /// shared pointers among them. What is behind a `Weak`, a reference, a trait object or the end of a channel is not.
    pub fn keeps_alive(&self, ty: Ty) -> Vec<DefId> {
        let (mut found, mut seen, mut todo) = (Vec::new(), Vec::new(), vec![ty]);
        while let Some(ty) = todo.pop() {
            if seen.contains(&ty) || seen.len() > TYPES {
                continue;
            }
            seen.push(ty);
            match self.ty(ty) {
                TyData::Adt(def, _) => {
                    if !found.contains(def) {
                        found.push(*def);
                    }
                    todo.extend(self.part_tys(ty));
                }
                TyData::Tuple(parts) => todo.extend(parts.iter().copied()),
                TyData::Array(of) => todo.push(*of),
                TyData::External(path, args) if self.owns_arguments(ty, *path == known::OPTION) => {
                    todo.extend(args.iter().copied());
                }
                _ => {}
            }
        }
        found
    }

    fn owns_arguments(&self, ty: Ty, optional: bool) -> bool {
        let container = |c| !matches!(c, Collection::Channel | Collection::TaskSet);
        self.type_row(ty).is_some_and(|row| {
            optional
                || row.strong
                || row.locks
                || self.external_path(ty) == Some(known::BOX)
                || row.collection.is_some_and(container) && row.iterates.is_some()
        })
    }
}
