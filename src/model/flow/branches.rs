//! Which edges show that nothing is owed: the acquire failed, or there never was a value.

use super::super::Callee;
use super::super::effects::{Effects, covers};
use super::{State, Walk};
use crate::facts::body::*;

impl Walk<'_> {
    /// Whether taking this edge shows that there is nothing to release.
    pub(super) fn refuted(&self, block: &Block, position: usize, edge: &Edge, state: &State) -> bool {
        match block.end {
            End::Try if position == 1 => self.is_held(state, block.operand) || self.is_part(state, block.operand),
            End::Switch if self.is_part(state, block.operand) => self.refuted_pattern(block, position, edge),
            End::Switch if self.is_held(state, block.operand) => self.refuted_pattern(block, position, edge),
            End::Branch => self.refuted_test(block, position, state),
            _ => false,
        }
    }

    /// `child.stdout.take().ok_or(..)`: a part of what was just acquired. That it is there is taken for granted: whoever
    /// asks for the pipe has asked for it to be made.
    fn is_part(&self, state: &State, operand: Operand) -> bool {
        let mut place = operand.as_place().map(|(_, place)| place);
        for _ in 0..6 {
            let Some(at) = place else { return false };
            let Some(local) = self.body().local_of(at) else { return false };
            if state.role(local).is_some() {
                return !covers(self.tracer, self.index, at);
            }
            let Some(id) = self.tracer.definition_id(self.index, local) else { return false };
            let statement = &self.body().statements[id.index()];
            let follows = match statement.op {
                Op::Assign => true,
                Op::CallMethod | Op::Call => self.hands_through(id),
                _ => false,
            };
            let first = self.body().args(statement).first().and_then(|a| a.as_place());
            place = first.filter(|_| follows).map(|(_, place)| place);
        }
        false
    }

    /// Whether a call's result is its first operand again, wrapped or unwrapped.
    fn hands_through(&self, id: StatementId) -> bool {
        match self.tracer.body(self.index).types.callee(id) {
            Callee::Def(def) => self.model().effects(def, 0).any(Effects::RETURNS),
            _ => self.tracer.row(self.index, id).is_some_and(|row| row.through || row.moves_out),
        }
    }

    fn refuted_pattern(&self, block: &Block, position: usize, edge: &Edge) -> bool {
        match edge.pattern.get() {
            Some(pattern) if self.is_failure(pattern) => true,
            Some(pattern) if self.body().patterns[pattern.index()].kind != PatternKind::Wild => false,
            // `_` after all that succeeded was matched.
            _ => block.edges.of(&self.body().edges)[..position]
                .iter()
                .any(|e| e.pattern.get().is_some_and(|p| self.is_full_success(p))),
        }
    }

    fn pattern_name(&self, pattern: &Pattern) -> &str {
        match pattern.kind {
            PatternKind::TupleVariant | PatternKind::StructVariant | PatternKind::Path => {
                let name = self.body().types.last_name(crate::facts::types::PathId(pattern.data));
                let file = self.tracer.body(self.index).at.file;
                name.get().map_or("", |n| self.model().text(self.model().name(file, n)))
            }
            _ => "",
        }
    }

    /// `Err(_)`, `None`.
    fn is_failure(&self, pattern: PatternId) -> bool {
        let pattern = self.body().patterns[pattern.index()];
        match pattern.kind {
            PatternKind::Or | PatternKind::Ref => {
                pattern.args.of(&self.body().pattern_args).iter().all(|&p| self.is_failure(p))
            }
            PatternKind::TupleVariant
                if self.pattern_name(&pattern) == "Some" || self.pattern_name(&pattern) == "Ok" =>
            {
                // `Ok(None)` holds nothing either.
                pattern.args.of(&self.body().pattern_args).iter().any(|&p| self.is_failure(p))
            }
            _ => matches!(self.pattern_name(&pattern), "Err" | "None"),
        }
    }

    /// `Ok(x)`, `Some(_)`: whatever succeeded matches.
    fn is_full_success(&self, pattern: PatternId) -> bool {
        let pattern = self.body().patterns[pattern.index()];
        let irrefutable =
            |p: &PatternId| matches!(self.body().patterns[p.index()].kind, PatternKind::Wild | PatternKind::Binding);
        matches!(self.pattern_name(&pattern), "Ok" | "Some")
            && pattern.args.of(&self.body().pattern_args).iter().all(irrefutable)
    }

    /// `if r.is_err()`, `if p.is_null()`.
    fn refuted_test(&self, block: &Block, position: usize, state: &State) -> bool {
        let Some((test, ..)) = self.local_of(block.operand) else { return false };
        let Some(definition) = self.tracer.definition(self.index, test) else { return false };
        let args = self.body().args(definition);
        if definition.op != Op::CallMethod || !args.first().is_some_and(|&a| self.is_held(state, a)) {
            return false;
        }
        match self.tracer.method_name(self.index, definition) {
            "is_err" | "is_none" | "is_null" => position == 0,
            "is_ok" | "is_some" => position == 1,
            _ => false,
        }
    }
}
