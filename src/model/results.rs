//! Results that nobody looks at: which calls give one, whether it is thrown away, and whether the error was told of
//! where it arose. It knows no lint.

use super::access::Tracer;
use super::{Callee, DefId, Model, Ty, TyData, known};
use crate::facts::ItemKind;
use crate::facts::body::*;
use crate::facts::item_flags;
use crate::facts::types::PathId;

/// Macros that tell somebody of an error.
const TELLS: [&str; 8] = ["error", "warn", "eprintln", "eprint", "log", "event", "debug_error", "capture_error"];

/// Methods that do the same.
const TELLING_METHODS: [&str; 2] = ["inspect_err", "log_err"];

/// Words in the names of error types that say that the other side is gone, or that time is up: there is nobody to tell.
const GONE: [&str; 12] = [
    "Send",
    "Recv",
    "Closed",
    "Cancel",
    "Elapsed",
    "Join",
    "Abort",
    "Disconnect",
    "Poison",
    "Timeout",
    "Shutdown",
    "Infallible",
];

/// Words in the names of functions that do what may fail without harm: tell a peer that may be gone, tidy up, stop, make
/// sure of what is asked for again when it is needed.
const BEST_EFFORT: [&str; 47] = [
    "abort",
    "ack",
    "beat",
    "broadcast",
    "cancel",
    "cleanup",
    "clear",
    "close",
    "delete",
    "dir",
    "dirs",
    "disconnect",
    "drain",
    "drop",
    "emit",
    "ensure",
    "finish",
    "flush",
    "forward",
    "heartbeat",
    "join",
    "kill",
    "leave",
    "log",
    "mkdir",
    "notify",
    "pause",
    "ping",
    "poll",
    "publish",
    "push",
    "release",
    "remove",
    "reply",
    "report",
    "respond",
    "rollback",
    "send",
    "shutdown",
    "signal",
    "stop",
    "suspend",
    "terminate",
    "try",
    "unlock",
    "unsubscribe",
    "wake",
];

impl Model {
    /// The error of a `Result` that says more than that something is gone.
    pub fn telling_error(&self, ty: Ty) -> Option<Ty> {
        let TyData::External(known::RESULT, args) = self.ty(ty) else { return None };
        let error = args.get(1).copied().unwrap_or_default();
        self.says_something(error).then_some(error)
    }

    fn says_something(&self, error: Ty) -> bool {
        let gone = |name: &str| GONE.iter().any(|word| name.contains(word));
        match self.ty(error) {
            TyData::Tuple(parts) => !parts.is_empty(),
            TyData::Never | TyData::Param(_) => false,
            TyData::External(path, _) => !gone(self.symbols.last_segment(*path)),
            TyData::Adt(def, _) => {
                let item = self.item(*def);
                let empty = item.kind == ItemKind::Struct && item.fields.len == 0;
                !empty && !gone(self.text(self.def_name(*def)))
            }
            _ => true,
        }
    }

    /// What calling a function of the run gives in the end: for an `async fn`, what awaiting it gives.
    pub fn outcome(&self, def: DefId) -> Ty {
        let result = self.result_ty(def);
        match self.ty(result) {
            TyData::Future { output, .. } => *output,
            _ => result,
        }
    }

    /// Whether a function is one that may fail without harm, as its name says.
    pub fn is_best_effort(&self, def: DefId) -> bool {
        self.name_says(def, &BEST_EFFORT)
    }

    /// Whether a function tells somebody of errors itself: it logs, or its attributes do.
    pub fn tells_of_errors(&self, def: DefId) -> bool {
        let Some(root) = self.body_of(def) else { return false };
        let function = self.typed(root);
        let tracer = Tracer::new(self, &function);
        (0..function.bodies.len() as u32).any(|index| tells(&tracer, index))
    }

    /// Whether a function awaits what it is asked to do before it gives its result.
    pub fn is_async(&self, def: DefId) -> bool {
        self.item(def).flags & item_flags::ASYNC != 0 || matches!(self.ty(self.result_ty(def)), TyData::Future { .. })
    }
}

/// Whether a body tells somebody of errors.
pub fn tells(tracer: &Tracer, index: u32) -> bool {
    let typed = tracer.body(index);
    let name = |s: &Statement| {
        let name = typed.body.types.last_name(PathId(s.data)).get();
        name.map_or("", |n| tracer.model.text(tracer.model.name(typed.at.file, n)))
    };
    typed.body.statements.iter().any(|s| match s.op {
        Op::Macro | Op::OpaqueMacro => TELLS.iter().any(|word| name(s).contains(word)),
        Op::CallMethod => TELLING_METHODS.contains(&name(s)),
        _ => false,
    })
}

/// Whether a body, or one that stands in it, tells somebody of errors.
pub fn tells_within(tracer: &Tracer, index: u32) -> bool {
    let within = |body: u32| {
        let parent = |&at: &u32| tracer.function.bodies[at as usize].parent.map(|p| p as u32);
        std::iter::successors(Some(body), parent).any(|at| at == index)
    };
    (0..tracer.function.bodies.len() as u32).any(|body| within(body) && tells(tracer, body))
}

/// Whether some path of a body gives back an error.
pub fn may_fail(tracer: &Tracer, index: u32) -> bool {
    let body = &tracer.body(index).body;
    let reachable = body.reachable();
    let fails = |b: &usize| body.edges_of(BlockId(*b as u32)).iter().any(|e| e.kind == EdgeKind::Error);
    // `do_it().await` as the last expression
    let given = || {
        let gives = |s: &&Statement| s.dest.get().and_then(|d| body.whole_local(d)) == Some(LocalId(0));
        body.statements.iter().filter(gives).any(|s| match s.op {
            Op::Call | Op::CallMethod => !is_ok(tracer, index, s),
            Op::Assign => body.args(s).first().and_then(|a| a.as_place()).is_some(),
            _ => false,
        })
    };
    (0..body.blocks.len()).filter(|&b| reachable[b]).any(|b| fails(&b)) || given()
}

fn is_ok(tracer: &Tracer, index: u32, statement: &Statement) -> bool {
    let typed = tracer.body(index);
    let name = typed.body.types.last_name(PathId(statement.data)).get();
    name.is_some_and(|n| tracer.model.text(tracer.model.name(typed.at.file, n)) == "Ok")
}

/// Whether nothing looks at the result of a call: `let _ = f().await;`, `f().await.ok();`.
pub fn is_discarded(tracer: &Tracer, index: u32, call: StatementId) -> bool {
    let body = &tracer.body(index).body;
    let dest = body.statements[call.index()].dest.get().and_then(|d| body.whole_local(d));
    dest.is_some_and(|local| body.locals[local.index()].kind == LocalKind::Temp && is_unread(tracer, index, local, 6))
}

/// Whether a local is only awaited, or turned into an option.
fn is_unread(tracer: &Tracer, index: u32, local: LocalId, steps: u32) -> bool {
    let body = &tracer.body(index).body;
    let is_it = |o: Operand| o.as_place().and_then(|(_, p)| body.local_of(p)) == Some(local);
    let branches = body.blocks.iter().any(|b| is_it(b.operand) && b.end != End::Await);
    if steps == 0 || branches {
        return false;
    }
    body.statements.iter().filter(|s| body.args(s).iter().any(|&a| is_it(a))).all(|statement| {
        let to = statement.dest.get().and_then(|d| body.whole_local(d));
        let to = to.filter(|&to| body.locals[to.index()].kind == LocalKind::Temp);
        let onwards = || to.is_some_and(|to| is_unread(tracer, index, to, steps - 1));
        match statement.op {
            Op::Use => true,
            Op::Assign => onwards(),
            Op::CallMethod => tracer.method_name(index, statement) == "ok" && onwards(),
            _ => false,
        }
    })
}

/// The calls in a body of functions of the run whose error is thrown away.
pub fn discarded(tracer: &Tracer, index: u32) -> Vec<(StatementId, DefId)> {
    let typed = tracer.body(index);
    let model = tracer.model;
    let calls =
        (0..typed.body.statements.len() as u32).map(StatementId).filter_map(|id| match typed.types.callee(id) {
            Callee::Def(def) if !matches!(typed.body.statements[id.index()].op, Op::Macro) => Some((id, def)),
            _ => None,
        });
    calls
        .filter(|&(_, def)| model.telling_error(model.outcome(def)).is_some() && !model.is_best_effort(def))
        .filter(|&(id, _)| is_discarded(tracer, index, id))
        .filter(|&(id, def)| !model.is_async(def) || is_awaited(tracer, index, id))
        .collect()
}

/// A future that is not awaited does nothing, and cannot fail.
fn is_awaited(tracer: &Tracer, index: u32, call: StatementId) -> bool {
    let body = &tracer.body(index).body;
    let dest = body.statements[call.index()].dest.get().and_then(|d| body.whole_local(d));
    let is_it = |o: Operand| o.as_place().and_then(|(_, p)| body.local_of(p)) == dest;
    dest.is_some() && body.blocks.iter().any(|b| b.end == End::Await && is_it(b.operand))
}
