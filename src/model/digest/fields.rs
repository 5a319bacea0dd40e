//! What becomes of the obligations that fields hold: where they are met, handed on, or ended without being met.

use super::super::access::{Access, Root, Tracer};
use super::super::effects::{Effects, ReleaseNames, slot};
use super::super::{Callee, Ty};
use super::Ended;
use crate::apis::{ObligationKind, Slot};
use crate::facts::body::*;
use crate::source::Span;

/// Fields that hold something with an obligation, where it is met or where the value leaves the field.
pub(super) fn field_releases(tracer: &Tracer, releases: &ReleaseNames) -> Vec<(Access, ObligationKind)> {
    let mut list = Vec::new();
    for index in 0..tracer.function.bodies.len() as u32 {
        let body = &tracer.body(index).body;
        for (id, statement) in body.statements.iter().enumerate() {
            for (at, operand) in body.args(statement).iter().enumerate() {
                let Some((position, place)) = operand.as_place() else { continue };
                let released = match statement.op {
                    Op::CallMethod if at == 0 => {
                        let name = tracer.method_name(index, statement);
                        // A `try_wait` now and then is no reaper.
                        match is_poll(tracer, tracer.ty(index, place), name) {
                            true => Effects::default(),
                            false => releases.on(tracer.model, tracer.ty(index, place), name),
                        }
                    }
                    Op::Call | Op::CallMethod | Op::CallValue | Op::OpaqueMacro => Effects::default(),
                    _ => continue,
                };
                let handed_on = at > 0 || statement.op != Op::CallMethod;
                if released == Effects::default() && !handed_on {
                    continue;
                }
                let id = StatementId(id as u32);
                if let Some(kind) = tracer.model.held_obligation(tracer.ty(index, place)).map(|o| o.kind) {
                    let by_name = released.any(Effects::releases(kind));
                    if by_name || handed_on && position != Position::Ref && leaves(tracer, index, id, at) {
                        push_field(&mut list, tracer.place(index, place), kind);
                    }
                } else if released != Effects::default() {
                    // `x.child.wait()` on an `x` of unknown type.
                    let access = tracer.place(index, place);
                    if access.root == Root::Unknown {
                        for kind in ObligationKind::ALL.into_iter().filter(|k| released.any(Effects::releases(*k))) {
                            push_field(&mut list, access, kind);
                        }
                    }
                }
            }
        }
    }
    list
}

/// Where something in a field is ended by name.
pub(super) fn ended(tracer: &Tracer) -> Vec<Ended> {
    let mut list = Vec::new();
    for index in 0..tracer.function.bodies.len() as u32 {
        let typed = tracer.body(index);
        for (id, statement) in typed.body.statements.iter().enumerate().filter(|(_, s)| s.op == Op::CallMethod) {
            let Some((_, place)) = typed.body.args(statement)[0].as_place() else { continue };
            let model = tracer.model;
            let Some(obligation) = model.held_obligation(tracer.ty(index, place)) else { continue };
            let name = tracer.method_name(index, statement);
            if obligation.ended_by.iter().any(|n| n == name) {
                let root = tracer.place(index, place).root;
                let span = Span { file: typed.at.file, range: typed.body.spans[id] };
                list.push(Ended { root, kind: obligation.kind, span });
            }
        }
    }
    list
}

fn is_poll(tracer: &Tracer, ty: Ty, name: &str) -> bool {
    let model = tracer.model;
    let obligation = model.held_obligation(ty);
    obligation.is_some_and(|o| o.polled_by.iter().any(|n| n == name))
}

fn push_field(list: &mut Vec<(Access, ObligationKind)>, access: Access, kind: ObligationKind) {
    if matches!(access.root, Root::Field(..) | Root::Unknown) && !list.contains(&(access, kind)) {
        list.push((access, kind));
    }
}

/// Whether an argument may be released where it is handed to.
fn leaves(tracer: &Tracer, index: u32, id: StatementId, at: usize) -> bool {
    match tracer.body(index).types.callee(id) {
        // What that function does is not solved yet; being handed on excuses.
        Callee::Def(_) => true,
        Callee::External(_) | Callee::Distinctive(_) => tracer.row(index, id).is_none_or(|row| {
            let slot = slot(row, at);
            row.releases == Some(slot)
                || row.waits == Some(slot)
                || matches!(slot, Slot::Arg(n) if row.stores.contains(&n))
        }),
        Callee::Constructor(_) | Callee::Closure(_) | Callee::Unknown => true,
    }
}
