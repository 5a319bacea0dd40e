//! The builder of one body: blocks, edges, scopes, locals, places. Knows no syntax.

use super::env::Env;
use crate::facts::body::*;
use crate::facts::types::{PathId, TypeId, TypeTable};
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
#[derive(Default)]
pub struct BodyState {
    pub id: BodyId,
    pub module: ModuleId,
    pub body: Body,
    pub flags: u8,
    /// Names in scope.
    pub env: Env,
    /// What the first alternative of the or-pattern being lowered binds.
    pub alternatives: Vec<(NameId, LocalId)>,
    pub frames: Vec<Frame>,
    /// Names called, and fields touched, for the header.
    pub calls: Vec<NameId>,
    pub fields: Vec<NameId>,
    /// Outer locals with the locals that stand for them here.
    pub captures: Vec<(LocalId, LocalId)>,
    pub scope: ScopeId,
    /// Whether its names may mean locals of the enclosing body.
    pub captures_names: bool,
    current: BlockId,
    current_loop: LoopId,
    block_scopes: Vec<ScopeId>,
    scope_used: Vec<bool>,
    /// The places of locals, and of projections, that were asked for.
    local_places: Vec<PlaceId>,
    projected: FxHashMap<(PlaceId, Projection), PlaceId>,
    /// Whether nothing leads to the current block: it follows a jump.
    dead: bool,
}

impl BodyState {
    /// Starts an empty body with its entry, exit and result.
    pub fn begin(&mut self, id: BodyId, kind: BodyKind, module: ModuleId) {
        self.id = id;
        self.module = module;
        self.captures_names = matches!(kind, BodyKind::Closure | BodyKind::AsyncBlock);
        self.scope = ScopeId::NONE;
        self.current_loop = LoopId::NONE;
        self.open_scope(ScopeKind::Body);
        self.new_block();
        self.new_block();
        self.body.blocks[EXIT.index()].end = End::Exit;
        self.enter(ENTRY);
        let result = self.new_local(LocalKind::Return, NameId::NONE, TypeId::NONE, TextRange::default());
        self.local_place(result);
    }

    /// Empties all tables, so that the next body takes over their memory.
    pub fn clear(&mut self) {
        clear_body(&mut self.body);
        self.flags = 0;
        self.env.truncate(0);
        self.alternatives.clear();
        self.frames.clear();
        self.calls.clear();
        self.fields.clear();
        self.captures.clear();
        self.block_scopes.clear();
        self.scope_used.clear();
        self.local_places.clear();
        self.projected.clear();
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
        if self.local_places.len() <= local.index() {
            self.local_places.resize(self.body.locals.len(), PlaceId::NONE);
        }
        if let Some(place) = self.local_places[local.index()].get() {
            return place;
        }
        let place = self.push_place(Base::Local(local), Run::default());
        self.local_places[local.index()] = place;
        place
    }

    /// The place of a path; paths are not interned, so that each mention has its own.
    pub fn path_place(&mut self, path: PathId) -> PlaceId {
        self.push_place(Base::Path(path), Run::default())
    }

    /// `place` with one more step.
    pub fn project(&mut self, place: PlaceId, step: Projection) -> PlaceId {
        if let Some(&known) = self.projected.get(&(place, step)) {
            return known;
        }
        let Place { base, projections } = self.body.places[place.index()];
        let start = self.body.projections.len() as u32;
        let steps = projections.start as usize..(projections.start + projections.len) as usize;
        self.body.projections.extend_from_within(steps);
        self.body.projections.push(step);
        let id = self.push_place(base, Run { start, len: projections.len + 1 });
        self.projected.insert((place, step), id);
        id
    }

    fn push_place(&mut self, base: Base, projections: Run) -> PlaceId {
        self.body.places.push(Place { base, projections });
        PlaceId(self.body.places.len() as u32 - 1)
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
                _ if self.dead => {}
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
        self.dead = false;
        self.body.blocks[block.index()].statements.start = self.body.statements.len() as u32;
    }

    /// Ends the current block with one edge and goes on in a block that nothing reaches.
    pub fn leave(&mut self, to: BlockId, kind: EdgeKind, span: TextRange) {
        self.goto(to, kind, span);
        self.enter_unreachable();
    }

    fn enter_unreachable(&mut self) {
        let unreachable = self.new_block();
        self.enter(unreachable);
        self.dead = true;
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
        self.enter_unreachable();
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

    /// The innermost scope around both; a scope has a larger number than the one around it.
    fn common_scope(&self, mut a: ScopeId, mut b: ScopeId) -> ScopeId {
        while a != b {
            let inner = if a > b { &mut a } else { &mut b };
            *inner = self.body.scopes[inner.index()].parent;
        }
        a
    }
}

fn clear_body(body: &mut Body) {
    // Every table is named, so that none is forgotten.
    let Body {
        types,
        locals,
        params,
        scopes,
        places,
        projections,
        blocks,
        statements,
        spans,
        operands,
        edges,
        patterns,
        pattern_args,
        loops,
        literals,
    } = body;
    let TypeTable { types, args, paths, segments, bindings } = types;
    *params = 0;
    locals.clear();
    scopes.clear();
    places.clear();
    projections.clear();
    blocks.clear();
    statements.clear();
    spans.clear();
    operands.clear();
    edges.clear();
    patterns.clear();
    pattern_args.clear();
    loops.clear();
    literals.clear();
    types.clear();
    args.clear();
    paths.clear();
    segments.clear();
    bindings.clear();
}
