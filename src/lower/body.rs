//! The builder of one body: blocks, edges, scopes, locals, places. Knows no syntax.

use crate::facts::body::*;
use crate::facts::types::TypeId;
use crate::facts::{BodyId, BodyKind, ModuleId, NameId, Run, body_flags};
use crate::source::TextRange;
use rustc_hash::FxHashMap;

/// The block where a body begins.
pub const ENTRY: BlockId = BlockId(0);
/// The block where a body ends.
pub const EXIT: BlockId = BlockId(1);
/// The scope of the whole body.
pub const BODY_SCOPE: ScopeId = ScopeId(0);
/// The place of the result.
pub const RESULT: PlaceId = PlaceId(0);

/// What `break` and `continue` may name.
pub struct Frame {
    pub label: Option<NameId>,
    /// Where `continue` goes; `None` for a labelled block.
    pub again: Option<BlockId>,
    pub after: BlockId,
    /// Where a `break` value goes.
    pub dest: PlaceId,
}

/// A body in the making.
pub struct BodyState {
    pub id: BodyId,
    pub kind: BodyKind,
    pub module: ModuleId,
    pub body: Body,
    pub flags: u8,
    /// Names in scope, innermost last.
    pub env: Vec<(NameId, LocalId)>,
    pub frames: Vec<Frame>,
    /// Names called, and fields touched, for the header.
    pub calls: Vec<NameId>,
    pub fields: Vec<NameId>,
    /// Outer locals with the locals that stand for them here.
    pub captures: Vec<(LocalId, LocalId)>,
    pub scope: ScopeId,
    current: BlockId,
    current_loop: LoopId,
    block_scopes: Vec<ScopeId>,
    scope_used: Vec<bool>,
    place_ids: FxHashMap<(Base, Box<[Projection]>), PlaceId>,
}

impl BodyState {
    /// An empty body with its entry and exit.
    pub fn new(id: BodyId, kind: BodyKind, module: ModuleId) -> BodyState {
        let mut state = BodyState {
            id,
            kind,
            module,
            body: Body::default(),
            flags: 0,
            env: Vec::new(),
            frames: Vec::new(),
            calls: Vec::new(),
            fields: Vec::new(),
            captures: Vec::new(),
            scope: ScopeId::NONE,
            current: ENTRY,
            current_loop: LoopId::NONE,
            block_scopes: Vec::new(),
            scope_used: Vec::new(),
            place_ids: FxHashMap::default(),
        };
        state.open_scope(ScopeKind::Body);
        state.new_block();
        state.new_block();
        state.body.blocks[EXIT.index()].end = End::Exit;
        let result = state.new_local(LocalKind::Return, NameId::NONE, TypeId::NONE, TextRange::default());
        state.local_place(result);
        state
    }

    /// Lets the last block fall through to the exit.
    pub fn finish(&mut self) {
        self.goto(EXIT, EdgeKind::Normal, TextRange::default());
    }

    // Scopes

    /// Opens a scope within the current one.
    pub fn open_scope(&mut self, kind: ScopeKind) -> ScopeId {
        let id = ScopeId(self.body.scopes.len() as u32);
        self.body.scopes.push(Scope { kind, parent: self.scope });
        self.scope_used.push(false);
        self.scope = id;
        id
    }

    /// Closes the current scope; if it holds anything, its end is a statement.
    pub fn close_scope(&mut self) {
        let scope = self.scope;
        if self.scope_used[scope.index()] {
            self.push(Op::ScopeEnd, PlaceId::NONE, scope.0, &[], TextRange::default());
        }
        self.leave_scope();
    }

    /// Closes the current scope where its end lies on edges only.
    pub fn leave_scope(&mut self) {
        self.scope = self.body.scopes[self.scope.index()].parent;
    }

    // Locals and places

    pub fn new_local(&mut self, kind: LocalKind, name: NameId, ty: TypeId, span: TextRange) -> LocalId {
        let id = LocalId(self.body.locals.len() as u32);
        self.scope_used[self.scope.index()] = true;
        let (scope, outer) = (self.scope, LocalId::NONE);
        self.body.locals.push(Local { kind, name, ty, scope, outer, by_ref: false, span });
        id
    }

    /// The place of a fresh temporary.
    pub fn temp(&mut self) -> PlaceId {
        let local = self.new_local(LocalKind::Temp, NameId::NONE, TypeId::NONE, TextRange::default());
        self.local_place(local)
    }

    pub fn local_place(&mut self, local: LocalId) -> PlaceId {
        self.place(Base::Local(local), &[])
    }

    pub fn place(&mut self, base: Base, projections: &[Projection]) -> PlaceId {
        if let Some(&id) = self.place_ids.get(&(base, Box::from(projections))) {
            return id;
        }
        let id = PlaceId(self.body.places.len() as u32);
        let run = super::paths::push_run(&mut self.body.projections, projections);
        self.body.places.push(Place { base, projections: run });
        self.place_ids.insert((base, projections.into()), id);
        id
    }

    /// `place` with one more step.
    pub fn project(&mut self, place: PlaceId, step: Projection) -> PlaceId {
        let mut steps = self.body.projections_of(place).to_vec();
        steps.push(step);
        self.place(self.body.places[place.index()].base, &steps)
    }

    /// The local that a name means in this body, without looking outwards.
    pub fn find(&self, name: NameId) -> Option<LocalId> {
        self.env.iter().rev().find(|(n, _)| *n == name).map(|(_, local)| *local)
    }

    /// The local here that stands for `outer` of the enclosing body.
    pub fn capture(&mut self, outer: LocalId, name: NameId) -> LocalId {
        if let Some(&(_, local)) = self.captures.iter().find(|(o, _)| *o == outer) {
            return local;
        }
        let scope = std::mem::replace(&mut self.scope, BODY_SCOPE);
        let local = self.new_local(LocalKind::Capture, name, TypeId::NONE, TextRange::default());
        self.scope = scope;
        self.body.locals[local.index()].outer = outer;
        self.captures.push((outer, local));
        local
    }

    // Statements and blocks

    pub fn push(&mut self, op: Op, dest: PlaceId, data: u32, args: &[Operand], span: TextRange) {
        let args = &args[..args.len().min(u16::MAX as usize)];
        let first = self.body.operands.len() as u32;
        self.body.operands.extend_from_slice(args);
        self.body.statements.push(Statement { op, args: args.len() as u16, dest, data, first });
        self.body.spans.push(span);
    }

    /// A new block in the current scope and loop.
    pub fn new_block(&mut self) -> BlockId {
        let id = BlockId(self.body.blocks.len() as u32);
        self.body.blocks.push(Block {
            statements: Run::default(),
            end: End::Diverge,
            operand: Operand::NONE,
            edges: Run::default(),
            in_loop: self.current_loop,
            span: TextRange::default(),
        });
        self.block_scopes.push(self.scope);
        id
    }

    /// Ends the current block. Blocks are filled one after the other, so its statements are the last ones pushed.
    pub fn end(&mut self, end: End, operand: Operand, edges: &[(BlockId, EdgeKind, PatternId)], span: TextRange) {
        let first_edge = self.body.edges.len() as u32;
        for &(to, kind, pattern) in edges {
            let into = match to {
                EXIT => ScopeId::NONE,
                _ => self.common_scope(self.scope, self.block_scopes[to.index()]),
            };
            self.body.edges.push(Edge { to, kind, from: self.scope, into, pattern });
            match kind {
                EdgeKind::Error => self.flags |= body_flags::ERROR_EXIT,
                EdgeKind::Early => self.flags |= body_flags::EARLY_EXIT,
                EdgeKind::Normal | EdgeKind::Cancel => {}
            }
        }
        let statements = self.statements_of_current();
        let block = &mut self.body.blocks[self.current.index()];
        block.statements = statements;
        block.end = end;
        block.operand = operand;
        block.edges = Run { start: first_edge, len: edges.len() as u32 };
        block.span = span;
    }

    fn statements_of_current(&self) -> Run {
        let start = self.body.blocks[self.current.index()].statements.start;
        Run { start, len: self.body.statements.len() as u32 - start }
    }

    /// Goes on in `block`, which must be empty.
    pub fn enter(&mut self, block: BlockId) {
        self.current = block;
        self.body.blocks[block.index()].statements.start = self.body.statements.len() as u32;
    }

    /// Ends the current block with one edge and goes on in a block that nothing reaches.
    pub fn leave(&mut self, to: BlockId, kind: EdgeKind, span: TextRange) {
        self.goto(to, kind, span);
        let unreachable = self.new_block();
        self.enter(unreachable);
    }

    /// Ends the current block with one edge.
    pub fn goto(&mut self, to: BlockId, kind: EdgeKind, span: TextRange) {
        self.end(End::Goto, Operand::NONE, &[(to, kind, PatternId::NONE)], span);
    }

    /// Ends the current block with one normal edge and goes on there.
    pub fn fall_into(&mut self, to: BlockId) {
        self.goto(to, EdgeKind::Normal, TextRange::default());
        self.enter(to);
    }

    /// Ends the current block: it does not go on.
    pub fn diverge(&mut self, span: TextRange) {
        self.end(End::Diverge, Operand::NONE, &[], span);
        let unreachable = self.new_block();
        self.enter(unreachable);
    }

    /// Opens a loop whose header is a new block, and goes on in the header.
    pub fn open_loop(&mut self, kind: LoopKind, span: TextRange, whole: TextRange) -> LoopId {
        let id = LoopId(self.body.loops.len() as u32);
        let parent = std::mem::replace(&mut self.current_loop, id);
        let header = self.new_block();
        self.body.loops.push(Loop { kind, parent, header, iterates: Operand::NONE, span, whole });
        self.flags |= body_flags::LOOP;
        self.fall_into(header);
        id
    }

    /// Leaves the innermost loop; blocks made from here on are outside it.
    pub fn close_loop(&mut self) {
        self.current_loop = self.body.loops[self.current_loop.index()].parent;
    }

    fn common_scope(&self, from: ScopeId, to: ScopeId) -> ScopeId {
        self.body.scopes_up(from).find(|&s| self.body.scope_within(to, s)).unwrap_or(BODY_SCOPE)
    }
}
