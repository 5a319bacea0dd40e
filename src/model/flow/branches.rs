//! Which edges show that nothing is owed: the acquire failed, or there never was a value.

use super::super::effects::{Effects, covers};
use super::super::{Callee, TyData};
use super::{State, Walk};
use crate::apis::{Compare, Condition, Constant};
use crate::facts::body::*;

impl Walk<'_> {
    /// Whether taking this edge shows that there is nothing to release.
    pub(super) fn refuted(&self, block: &Block, position: usize, edge: &Edge, state: &State) -> bool {
        match block.end {
            End::Try if position == 1 && self.tells(state, block.operand) => true,
            End::Try if position == 1 => self.is_held(state, block.operand) || self.is_part(state, block.operand),
            End::Switch if let Some(taken) = self.bool_pattern(edge) => {
                self.test_refutes(block.operand, taken, state, 4)
            }
            End::Switch if self.tells(state, block.operand) => self.refuted_constant(block, position, edge, state),
            End::Switch if self.is_part(state, block.operand) => self.refuted_pattern(block, position, edge),
            End::Switch if self.is_held(state, block.operand) => {
                self.refuted_pattern(block, position, edge) || self.refuted_constant(block, position, edge, state)
            }
            End::Branch => self.refuted_test(block, position, state),
            // `for fd in fds`: there is a first round.
            End::Next => position == 1 && !state.rounds && self.is_held(state, block.operand),
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

    /// Whether an operand is a status, and a failure leaves nothing to release.
    fn tells(&self, state: &State, operand: Operand) -> bool {
        !self.terms.also_on_failure && self.is_status(state, operand)
    }

    /// `match rc { 0 => .., _ => .. }`, `match fd { -1 => .., fd => .. }`
    fn refuted_constant(&self, block: &Block, position: usize, edge: &Edge, state: &State) -> bool {
        let constant = |edge: &Edge| {
            let pattern = self.body().patterns[edge.pattern.get()?.index()];
            self.pattern_constant(&pattern).map(|with| Condition { compare: Compare::Eq, with })
        };
        let oks = self.oks(state, block.operand);
        match constant(edge) {
            Some(equal) => oks.iter().any(|ok| ok.excludes(&equal)),
            None if edge.pattern.get().is_some_and(|p| self.is_failure(p)) => true,
            // `_` after the one value that means success.
            None => block.edges.of(&self.body().edges)[..position].iter().filter_map(constant).any(|equal| {
                let other = equal.negated();
                oks.iter().all(|ok| ok.excludes(&other))
            }),
        }
    }

    /// `match ptr::eq(p, MAP_FAILED) { true => .., false => .. }`
    fn bool_pattern(&self, edge: &Edge) -> Option<bool> {
        let pattern = self.body().patterns[edge.pattern.get()?.index()];
        let literal =
            (pattern.kind == PatternKind::Literal).then(|| self.body().literals.get(pattern.data as usize))??;
        let file = self.tracer.body(self.index).at.file;
        (literal.kind == LiteralKind::Bool).then(|| self.model().text(self.model().name(file, literal.text)) == "true")
    }

    fn pattern_constant(&self, pattern: &Pattern) -> Option<Constant> {
        match pattern.kind {
            PatternKind::Literal => self.literal(LiteralId(pattern.data)),
            PatternKind::Path if !self.is_named_failure(pattern) => {
                Some(Constant::Name(self.pattern_name(pattern).to_owned()))
            }
            _ => None,
        }
    }

    fn is_named_failure(&self, pattern: &Pattern) -> bool {
        matches!(self.pattern_name(pattern), "None" | "Err" | "")
    }

    fn literal(&self, id: LiteralId) -> Option<Constant> {
        let literal = self.body().literals.get(id.index())?;
        let file = self.tracer.body(self.index).at.file;
        let text = self.model().text(self.model().name(file, literal.text.get()?));
        text.parse().ok().map(Constant::Number)
    }

    /// How the value, or the status that tells of it, looks if something was acquired; one that does not look so in any of
    /// these ways was not. What is negative or null never is.
    fn oks(&self, state: &State, operand: Operand) -> Vec<Condition> {
        if self.is_status(state, operand) {
            return vec![self.terms.ok.clone().unwrap_or(Condition::number(Compare::Eq, 0))];
        }
        let ty = operand.as_place().map(|(_, place)| self.tracer.ty(self.index, place));
        let usual = match ty.map(|ty| self.model().ty(ty)) {
            // `if fd > 0`, `if p as usize == 0`: who asks so takes 0 for none.
            Some(TyData::Prim(_)) => [Condition::number(Compare::Gt, 0), Condition::number(Compare::Ne, -1)],
            _ => [Condition::number(Compare::Ne, 0), Condition::number(Compare::Ne, -1)],
        };
        let unknown = matches!(ty.map(|ty| self.model().ty(ty)), None | Some(TyData::Unknown | TyData::External(..)));
        let negative = unknown.then(|| Condition::number(Compare::Ge, 0));
        let said = self.terms.ok.clone().filter(|_| self.terms.out.is_none());
        said.into_iter().chain(usual).chain(negative).collect()
    }

    /// `if r.is_err()`, `if p.is_null()`, `if fd < 0`, `if rc != 0`.
    fn refuted_test(&self, block: &Block, position: usize, state: &State) -> bool {
        self.test_refutes(block.operand, position == 0, state, 4)
    }

    /// Whether there is nothing to release if a test comes out as said.
    fn test_refutes(&self, test: Operand, taken: bool, state: &State, steps: u32) -> bool {
        let test = test.as_place().and_then(|(_, place)| self.body().local_of(place));
        let Some(id) = test.filter(|_| steps > 0).and_then(|t| self.tracer.definition_id(self.index, t)) else {
            return false;
        };
        let definition = &self.body().statements[id.index()];
        let args = self.body().args(definition);
        match definition.op {
            Op::Assign => self.test_refutes(args[0], taken, state, steps - 1),
            Op::Unary if definition.data == 0 => self.test_refutes(args[0], !taken, state, steps - 1),
            Op::Binary if definition.data >= BinaryOp::Eq as u32 => {
                self.comparison_refutes(BinaryOp::from_data(definition.data), args, taken, state)
            }
            Op::Call if self.tracer.row(self.index, id).is_some_and(|row| row.equals) => {
                self.comparison_refutes(BinaryOp::Eq, args, taken, state)
            }
            Op::CallMethod if args.first().is_some_and(|&a| self.is_held(state, a) || self.tells(state, a)) => {
                match self.tracer.method_name(self.index, definition) {
                    "is_err" | "is_none" | "is_null" | "is_invalid" | "is_negative" => taken,
                    "is_ok" | "is_some" | "as_bool" => !taken,
                    _ => false,
                }
            }
            _ => false,
        }
    }

    fn comparison_refutes(&self, op: BinaryOp, args: &[Operand], taken: bool, state: &State) -> bool {
        let compare = match op {
            BinaryOp::Eq => Compare::Eq,
            BinaryOp::Ne => Compare::Ne,
            BinaryOp::Lt => Compare::Lt,
            BinaryOp::Le => Compare::Le,
            BinaryOp::Gt => Compare::Gt,
            BinaryOp::Ge => Compare::Ge,
            _ => return false,
        };
        let &[left, right] = args else { return false };
        let is_it = |operand| self.is_held(state, operand) || self.tells(state, operand);
        let (it, condition) = match (is_it(left), is_it(right)) {
            (true, false) => (left, self.constant(right, 4).map(|with| Condition { compare, with })),
            (false, true) => (right, self.constant(left, 4).map(|with| Condition { compare, with }.mirrored())),
            _ => return false,
        };
        let Some(condition) = condition else { return false };
        let condition = if taken { condition } else { condition.negated() };
        let names_it = condition.may_name_a_failure() && !self.is_status(state, it);
        names_it || self.oks(state, it).iter().any(|ok| ok.excludes(&condition))
    }

    /// The constant that an operand is: a literal, `-1`, a named one, `ptr::null_mut()`, or one of them cast.
    fn constant(&self, operand: Operand, steps: u32) -> Option<Constant> {
        if let OperandKind::Literal(id) = operand.kind() {
            return self.literal(id);
        }
        let (_, place) = operand.as_place().filter(|_| steps > 0)?;
        let typed = self.tracer.body(self.index);
        let name = |path| self.model().text(self.model().name(typed.at.file, self.body().types.last_name(path)));
        let local = match self.body().places[place.index()].base {
            Base::Path(path) => return Some(Constant::Name(name(path).to_owned())),
            Base::Local(local) => local,
        };
        let definition = self.tracer.definition(self.index, local)?;
        let args = self.body().args(definition);
        match definition.op {
            Op::Assign | Op::Cast => self.constant(*args.first()?, steps - 1),
            Op::Unary => match (definition.data, self.constant(*args.first()?, steps - 1)?) {
                (0, Constant::Number(n)) => Some(Constant::Number(!n)),
                (_, Constant::Number(n)) => Some(Constant::Number(-n)),
                _ => None,
            },
            Op::Call if args.is_empty() => {
                let name = name(crate::facts::types::PathId(definition.data));
                name.starts_with("null").then(|| Constant::Name("null".to_owned()))
            }
            _ => None,
        }
    }
}
