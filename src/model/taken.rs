//! What is taken out of a local, lent or given away in its body: whether all of what it owns is still in it when it is
//! forgotten. Looking at it takes nothing: its length, a comparison, a message, a reference given to another library.

use super::access::Tracer;
use super::effects::slot;
use super::exits::call_behind;
use super::{Callee, Model, Symbol, Ty, TyData};
use crate::facts::body::*;
use crate::facts::types::PathId;

/// What is no longer in a value for certain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Anything may have left it.
    All,
    /// Some of its fields.
    Fields(Vec<Symbol>),
}

/// What leaves `local` of body `index` by other statements than `but`.
pub fn taken(tracer: &Tracer, index: u32, local: LocalId, but: StatementId) -> Taken {
    let typed = tracer.body(index);
    let body = &typed.body;
    let mut fields = Vec::new();
    for (id, statement) in body.statements.iter().enumerate().map(|(id, s)| (StatementId(id as u32), s)) {
        if id == but || matches!(statement.op, Op::Declare | Op::ScopeEnd) {
            continue;
        }
        // `self.pool = None`
        let written = statement.dest.get().filter(|&d| body.whole_local(d).is_none());
        let used = body.args(statement).iter().enumerate().filter_map(|(at, a)| Some((at, a.as_place()?)));
        let given = used.filter(|&(at, (position, place))| {
            body.local_of(place) == Some(local) && !looks(tracer, index, id, at, position, place)
        });
        for place in written.filter(|&d| body.local_of(d) == Some(local)).into_iter().chain(given.map(|(_, (_, p))| p))
        {
            match first_field(body, place) {
                Some(name) => fields.push(tracer.model.name(typed.at.file, name)),
                None => return Taken::All,
            }
        }
    }
    Taken::Fields(fields)
}

fn first_field(body: &Body, place: PlaceId) -> Option<crate::facts::NameId> {
    body.projections_of(place).iter().find_map(|step| match *step {
        Projection::Field(name) => Some(name),
        _ => None,
    })
}

/// Whether a use leaves everything where it is, and gives nobody a way to it.
fn looks(tracer: &Tracer, index: u32, id: StatementId, at: usize, position: Position, place: PlaceId) -> bool {
    let typed = tracer.body(index);
    let statement = &typed.body.statements[id.index()];
    let model = tracer.model;
    let by_ref = matches!(position, Position::Ref | Position::Receiver);
    match statement.op {
        Op::Macro | Op::Binary | Op::Unary => true,
        // `let len = self.len;`
        Op::Assign | Op::Use => position == Position::Bare && is_number(model, tracer.ty(index, place)),
        Op::Call | Op::CallMethod => {
            let named_raw = statement.op == Op::CallMethod && is_raw_name(tracer.method_name(index, statement));
            if named_raw || !is_closed(model, tracer.ty(index, statement.dest)) && statement.op == Op::CallMethod {
                return false;
            }
            match typed.types.callee(id) {
                // `self.is_empty()`; what needs `&mut self` may empty it.
                Callee::Def(def) => {
                    let receiver = model.params_of(def).first().map(|&ty| model.ty(ty));
                    at == 0
                        && statement.op == Op::CallMethod
                        && matches!(receiver, Some(TyData::Ref { mutable: false, .. }))
                }
                Callee::External(_) | Callee::Distinctive(_) => match tracer.row(index, id) {
                    Some(row) => {
                        let leaves = row.moves_out || row.consumes || row.shrinks.contains(&slot(row, at));
                        statement.op == Op::CallMethod && at == 0 && !leaves
                    }
                    None => statement.op == Op::Call && by_ref,
                },
                _ => false,
            }
        }
        _ => false,
    }
}

/// Whether a local holds what is owned elsewhere, or a second handle whose count is raised on purpose:
/// `let rc = Rc::from_raw(p); …; forget(rc)`, `forget(rc.clone())`.
pub fn is_loan(tracer: &Tracer, index: u32, local: LocalId) -> bool {
    let Some(call) = call_behind(tracer, index, local) else { return false };
    let typed = tracer.body(index);
    let statement = &typed.body.statements[call.index()];
    let shared = statement.dest.get().is_some_and(|d| tracer.is_shared(tracer.ty(index, d)));
    let row = tracer.row(index, call);
    let name = row.map_or("", |row| row.path.rsplit("::").next().unwrap_or_default());
    let written = typed.body.types.last_name(PathId(statement.data)).get();
    let written = written.map_or("", |n| tracer.model.text(tracer.model.name(typed.at.file, n)));
    row.is_some_and(|row| row.adopts.is_some())
        || shared && (name == "clone" || written == "clone")
        || written.split('_').any(|part| matches!(part, "raw" | "ptr" | "borrow"))
}

/// `as_raw_fd`, `into_raw`, `as_ptr`: the name says that something raw is given out.
fn is_raw_name(name: &str) -> bool {
    name.split('_').any(|part| matches!(part, "raw" | "ptr" | "fd" | "handle" | "inner" | "parts"))
}

fn is_number(model: &Model, ty: Ty) -> bool {
    matches!(model.ty(ty), TyData::Prim(_))
}

/// Whether nothing can be reached through a value of that type: a number, a bool, nothing.
fn is_closed(model: &Model, ty: Ty) -> bool {
    match model.ty(ty) {
        TyData::Prim(_) | TyData::Never => true,
        TyData::Tuple(parts) => parts.iter().all(|&part| is_closed(model, part)),
        TyData::External(_, args) if model.success(ty).is_known() => args.iter().all(|&part| is_closed(model, part)),
        _ => false,
    }
}
