//! What only programs of the same machine reach: servers that listen on a loopback address, and code behind a question
//! whether the other side is one. It knows no lint.

use super::access::Tracer;
use super::effects::slot;
use super::{Callee, DefId, Model};
use crate::apis::{FnRow, Slot, split_last};
use crate::facts::body::*;

/// Ways back from an address are followed this far.
const STEPS: usize = 32;

/// Where servers are bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Binds {
    /// To a loopback address that the code names.
    pub nearby: bool,
    /// To any other one.
    pub elsewhere: bool,
}

/// Notes where a call binds a server: `TcpListener::bind("127.0.0.1:0")`.
pub(super) fn binds(tracer: &Tracer, index: u32, id: StatementId, row: &FnRow, found: &mut Binds) {
    let Some(bound) = row.binds else { return };
    let body = &tracer.body(index).body;
    let mut args = body.args(&body.statements[id.index()]).iter().enumerate();
    if let Some((_, &address)) = args.find(|(at, _)| slot(row, *at) == Slot::Arg(bound)) {
        let nearby = is_loopback(tracer, index, address);
        found.nearby |= nearby;
        found.elsewhere |= !nearby;
    }
}

/// `"127.0.0.1:80"`, `format!("localhost:{port}")`, `(Ipv4Addr::LOCALHOST, 80)`, `SocketAddr::from(([127, 0, 0, 1], 80))`
fn is_loopback(tracer: &Tracer, index: u32, address: Operand) -> bool {
    let typed = tracer.body(index);
    let text = |name| tracer.model.text(tracer.model.name(typed.at.file, name));
    let mut todo = vec![address];
    for _ in 0..STEPS {
        let Some(operand) = todo.pop() else { return false };
        let place = match operand.kind() {
            OperandKind::Literal(id) => {
                let literal = typed.body.literals[id.index()].text.get();
                if literal.is_some_and(|name| names_loopback(text(name).trim_matches('"'))) {
                    return true;
                }
                continue;
            }
            OperandKind::Place(_, place) => place,
            _ => continue,
        };
        match typed.body.places[place.index()].base {
            Base::Path(path) => {
                if typed.body.types.last_name(path).get().is_some_and(|name| text(name) == "LOCALHOST") {
                    return true;
                }
            }
            Base::Local(local) => todo.extend(tracer.definition(index, local).map_or(&[][..], |s| typed.body.args(s))),
        }
    }
    false
}

fn names_loopback(text: &str) -> bool {
    let host = text.strip_prefix("http://").unwrap_or(text);
    // Of an address in four numbers the first one tells.
    host == "127" || ["127.0.0.1", "localhost", "[::1]"].iter().any(|known| host.starts_with(known)) || host == "::1"
}

/// Whether a function, or one that calls it, asks whether the other side is on the same machine: `addr.ip().is_loopback()`.
pub(super) fn asks_whether_nearby(tracer: &Tracer, owner: DefId) -> bool {
    let model = tracer.model;
    let of = |def| {
        model.body_of(def).is_some_and(|root| {
            let function = model.typed(root);
            calls_named_nearby(&Tracer::new(model, &function))
        })
    };
    calls_named_nearby(tracer) || super::reads::callers(model, owner).any(of)
}

fn calls_named_nearby(tracer: &Tracer) -> bool {
    (0..tracer.function.bodies.len() as u32).any(|index| {
        let count = tracer.body(index).body.statements.len() as u32;
        (0..count).map(StatementId).any(|id| {
            let mut words = name_of_callee(tracer, index, id).split('_');
            words.any(|word| matches!(word, "loopback" | "localhost"))
        })
    })
}

/// The name of what a statement calls.
pub(super) fn name_of_callee<'a>(tracer: &Tracer<'a>, index: u32, id: StatementId) -> &'a str {
    let model: &Model = tracer.model;
    let typed = tracer.body(index);
    let statement = &typed.body.statements[id.index()];
    match typed.types.callee(id) {
        Callee::Def(def) => model.text(model.def_name(def)),
        Callee::External(path) | Callee::Distinctive(path) => split_last(model.text(path)).map_or("", |(_, name)| name),
        _ if statement.op == Op::CallMethod => tracer.method_name(index, statement),
        _ => "",
    }
}
