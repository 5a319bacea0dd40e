//! Which locals still hold what they were given when a statement is reached: initialised, not moved, not at the end of their
//! scope. For values that buffer, also whether something was written since the last flush.

use super::access::Tracer;
use super::digest::block_of;
use super::{BodyRef, Callee, DefId, Model, Ty, TyData};
use crate::apis::{FnRow, ObligationKind, Slot, TypeRow};
use crate::facts::body::*;
use crate::facts::{BodyId, body_flags};
use rustc_hash::FxHashSet;

/// Macros that write to their first argument.
const WRITING_MACROS: [&str; 2] = ["write", "writeln"];

/// What a statement does to a local.
enum Deed {
    Nothing,
    /// It moves it, or may do so.
    Moves,
    /// It puts something into its buffer.
    Writes,
    /// It empties its buffer.
    Flushes,
}

/// Whether `local` of body `index` is alive when `at` is reached, on some way. A local whose type's row names `flushed_by`
/// counts only if something was written since the last flush.
pub fn is_alive_at(tracer: &Tracer, index: u32, local: LocalId, at: StatementId) -> bool {
    let body = &tracer.body(index).body;
    let row = tracer.model.type_row(tracer.body(index).types.locals[local.index()]);
    let walk = Walk { tracer, index, local, row, at };
    let buffers = row.is_some_and(|row| !row.flushed_by.is_empty());
    if body.locals[local.index()].kind == LocalKind::Param {
        return walk.reaches(BlockId(0), body.blocks[0].statements.start, !buffers);
    }
    let gives = |s: &Statement| {
        !matches!(s.op, Op::Declare | Op::ScopeEnd) && s.dest.get().and_then(|d| body.whole_local(d)) == Some(local)
    };
    let given = (0..body.statements.len() as u32).map(StatementId).filter(|id| gives(&body.statements[id.index()]));
    let mut given = given.filter_map(|id| Some((block_of(body, id)?, id.0 + 1)));
    given.any(|(block, start)| walk.reaches(block, start, !buffers))
}

struct Walk<'a> {
    tracer: &'a Tracer<'a>,
    index: u32,
    local: LocalId,
    row: Option<&'static TypeRow>,
    at: StatementId,
}

impl Walk<'_> {
    fn body(&self) -> &Body {
        &self.tracer.body(self.index).body
    }

    /// Whether `at` is reached from there while the local is alive; `matters` says whether its drop has something to do.
    fn reaches(&self, block: BlockId, start: u32, matters: bool) -> bool {
        let body = self.body();
        let mut seen: FxHashSet<(BlockId, bool)> = FxHashSet::default();
        let mut todo = vec![(block, start, matters)];
        'blocks: while let Some((id, start, mut matters)) = todo.pop() {
            let block = &body.blocks[id.index()];
            for id in (start..block.statements.start + block.statements.len).map(StatementId) {
                if id == self.at {
                    if matters {
                        return true;
                    }
                    continue 'blocks;
                }
                match self.deed(id) {
                    Deed::Nothing => {}
                    Deed::Moves => continue 'blocks,
                    Deed::Writes => matters = true,
                    Deed::Flushes => matters = self.row.is_none_or(|row| row.flushed_by.is_empty()),
                }
            }
            // `guard.await`, `for x in guard`
            if block.end != End::Branch && block.end != End::Switch && self.is_it(block.operand) {
                continue;
            }
            let scope = body.locals[self.local.index()].scope;
            for edge in body.edges_of(id) {
                let leaves = body.scopes_up(edge.from).take_while(|&s| s != edge.into).any(|s| s == scope);
                if !leaves && seen.insert((edge.to, matters)) {
                    todo.push((edge.to, body.blocks[edge.to.index()].statements.start, matters));
                }
            }
        }
        false
    }

    /// Whether an operand is the local or a part of it.
    fn is_it(&self, operand: Operand) -> bool {
        operand.as_place().is_some_and(|(_, place)| self.body().local_of(place) == Some(self.local))
    }

    fn deed(&self, id: StatementId) -> Deed {
        let statement = &self.body().statements[id.index()];
        if statement.op == Op::ScopeEnd {
            let ends = ScopeId(statement.data) == self.body().locals[self.local.index()].scope;
            return if ends { Deed::Moves } else { Deed::Nothing };
        }
        let args = self.body().args(statement);
        let Some(at) = args.iter().position(|&a| self.is_it(a)) else { return Deed::Nothing };
        let Some((position, _)) = args[at].as_place() else { return Deed::Nothing };
        match (statement.op, position) {
            (Op::OpaqueMacro, _) => Deed::Moves,
            (Op::Macro, _) if at == 0 && WRITING_MACROS.contains(&self.macro_name(statement)) => Deed::Writes,
            (Op::Closure | Op::Async, _) => self.captured(statement),
            (Op::CallMethod, Position::Receiver) => self.called(id, statement),
            (_, Position::RefMut) if self.tracer.body(self.index).types.callee(id) == Callee::Unknown => Deed::Moves,
            (Op::Call | Op::CallMethod, Position::RefMut) => self.lent(id),
            (_, Position::Bare | Position::Scrutinee) => Deed::Moves,
            _ => Deed::Nothing,
        }
    }

    fn macro_name(&self, statement: &Statement) -> &str {
        self.tracer.method_name(self.index, statement)
    }

    /// A closure that takes it along owns it.
    fn captured(&self, statement: &Statement) -> Deed {
        let at = BodyRef { file: self.tracer.body(self.index).at.file, body: BodyId(statement.data) };
        let moves = self.tracer.model.body_header(at).flags & body_flags::MOVE != 0;
        if moves { Deed::Moves } else { Deed::Nothing }
    }

    fn called(&self, id: StatementId, statement: &Statement) -> Deed {
        let name = self.tracer.method_name(self.index, statement);
        if self.row.is_some_and(|row| row.flushed_by.iter().any(|n| n == name)) {
            return Deed::Flushes;
        }
        let model = self.tracer.model;
        match self.tracer.body(self.index).types.callee(id) {
            Callee::Def(def) => match model.params_of(def).first().map(|&ty| model.ty(ty)) {
                Some(TyData::Ref { .. }) => Deed::Nothing,
                _ => Deed::Moves,
            },
            Callee::Unknown => Deed::Moves,
            _ => match self.tracer.row(self.index, id) {
                Some(FnRow { consumes: true, .. }) => Deed::Moves,
                Some(row) if row.drops == Some(Slot::Receiver) => Deed::Moves,
                _ if name.starts_with("write") => Deed::Writes,
                Some(_) => Deed::Nothing,
                // What the tables do not name may take it by value.
                None => Deed::Moves,
            },
        }
    }

    /// `render(&mut out)`: whoever writes may flush as well.
    fn lent(&self, id: StatementId) -> Deed {
        match self.tracer.body(self.index).types.callee(id) {
            Callee::Def(def) if self.tracer.model.calls_name(def, "flush") => Deed::Flushes,
            Callee::Def(_) | Callee::External(_) => Deed::Writes,
            _ => Deed::Nothing,
        }
    }
}

/// What dropping a value does that has to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropping {
    /// In words: `removes the folder`.
    pub does: String,
    /// How that is known.
    pub by: DropBy,
}

/// How it is known that a drop matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropBy {
    /// A table says so of the type, or of what its wrappers hold.
    Table,
    /// A `Drop` of the run does it.
    Own,
    /// A field of a type of the run has it.
    Field,
}

impl Model {
    /// What dropping an owned value of that type does that has to be done: by its row, by a `Drop` of the run that
    /// removes files or ends processes, or by what is in it.
    pub fn dropping(&self, ty: Ty, steps: u32) -> Option<Dropping> {
        if let Some(does) = self.type_row(ty).and_then(|row| row.drop_matters.clone()) {
            return Some(Dropping { does, by: DropBy::Table });
        }
        match self.ty(ty) {
            &TyData::Adt(def, _) => {
                if let Some(drop) = self.has_drop(def) {
                    return self.done_in(drop).map(|does| Dropping { does: does.to_owned(), by: DropBy::Own });
                }
                let mut fields = self.item(def).fields.ids().filter(|_| steps > 0);
                let found = fields.find_map(|f| self.dropping(self.declared_field_ty(def, f), steps - 1))?;
                Some(Dropping { by: DropBy::Field, ..found })
            }
            TyData::External(_, args) if self.is_owner(ty) => {
                args.first().filter(|_| steps > 0).and_then(|&inner| self.dropping(inner, steps - 1))
            }
            TyData::Tuple(parts) => parts.iter().filter(|_| steps > 0).find_map(|&part| self.dropping(part, steps - 1)),
            _ => None,
        }
    }

    /// What a `Drop::drop` does that is not done when the process ends. Threads and tasks end with it; children do not.
    fn done_in(&self, drop: DefId) -> Option<&'static str> {
        let digest = self.digest_of(drop)?;
        let child = ObligationKind::Child;
        let ends = digest.ended.iter().any(|e| e.kind == child)
            || digest.field_releases.iter().any(|(_, kind)| *kind == child);
        match () {
            () if digest.removes_files => Some("removes a file or folder"),
            () if ends => Some("ends a process"),
            () => None,
        }
    }

    /// Whether a value of that type owns one of its first argument alone: `Option<T>`, `Box<T>`, `Vec<T>`.
    fn is_owner(&self, ty: Ty) -> bool {
        let success = self.success(ty) != Ty::UNKNOWN;
        let list = || {
            let row = self.type_row(ty);
            row.is_some_and(|row| {
                row.collection.is_some() || row.locks || row.deref.is_some() && !row.strong && !row.weak
            })
        };
        success || list()
    }
}
