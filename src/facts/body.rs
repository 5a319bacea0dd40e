//! The control-flow facts of one body: places, statements, blocks, edges, scopes.
//!
//! Struct-of-arrays. A statement takes 16 bytes, operands live in one array, spans apart. There is no *move* and no
//! *drop*: an operand records how a place is used, an edge records the scopes it leaves, and the model derives the rest.

pub use super::operators::BinaryOp;
use super::types::{PathId, TypeId, TypeTable};
use super::{BodyId, NameId, Run, ids};
use crate::source::TextRange;
use serde::{Deserialize, Serialize};

ids! {
    /// An entry of [`Body::locals`].
    LocalId,
    /// An entry of [`Body::places`].
    PlaceId,
    /// An entry of [`Body::scopes`].
    ScopeId,
    /// An entry of [`Body::blocks`].
    BlockId,
    /// An entry of [`Body::patterns`].
    PatternId,
    /// An entry of [`Body::loops`].
    LoopId,
    /// An entry of [`Body::literals`].
    LiteralId,
    /// An entry of [`Body::statements`].
    StatementId,
}

/// Control flow of a function, closure, async block or initialiser.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Body {
    /// Paths and types named in it.
    pub types: TypeTable,
    /// Local 0 is the result, locals `1..=params` are the parameters.
    pub locals: Vec<Local>,
    /// Number of parameters.
    pub params: u32,
    /// Scope 0 is the body.
    pub scopes: Vec<Scope>,
    /// Interned: equal places have equal ids.
    pub places: Vec<Place>,
    /// Projections of places.
    pub projections: Vec<Projection>,
    /// Block 0 is the entry, block 1 the exit.
    pub blocks: Vec<Block>,
    /// Statements, grouped by block.
    #[serde(with = "super::encoding::statements")]
    pub statements: Vec<Statement>,
    /// The span of each statement: callee or operator, never the arguments.
    #[serde(with = "super::encoding::spans")]
    pub spans: Vec<TextRange>,
    /// Operands of statements.
    pub operands: Vec<Operand>,
    /// Edges of terminators.
    pub edges: Vec<Edge>,
    /// Patterns on edges.
    pub patterns: Vec<Pattern>,
    /// Sub-patterns.
    pub pattern_args: Vec<PatternId>,
    /// Loops, an outer one before those within it.
    pub loops: Vec<Loop>,
    /// Literals.
    pub literals: Vec<Literal>,
}

/// What a local is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LocalKind {
    /// The result of the body.
    Return,
    /// A parameter.
    Param,
    /// A binding of `let`, a pattern or a loop.
    Binding,
    /// An unnamed intermediate value.
    Temp,
    /// A variable of the enclosing body that this one uses.
    Capture,
}

/// A local.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "super::encoding::Local", into = "super::encoding::Local")]
pub struct Local {
    /// What it is.
    pub kind: LocalKind,
    /// Its name; none for temporaries and parameters that are patterns.
    pub name: NameId,
    /// Its declared type, if written.
    pub ty: TypeId,
    /// The scope at whose end it is dropped.
    pub scope: ScopeId,
    /// The captured local of the enclosing body, for [`LocalKind::Capture`].
    pub outer: LocalId,
    /// Bound by reference (`ref x`).
    pub by_ref: bool,
    /// Where it is declared; empty for temporaries.
    pub span: TextRange,
}

impl Local {
    /// A temporary of `scope`.
    pub fn temp(scope: ScopeId) -> Local {
        Local {
            kind: LocalKind::Temp,
            name: NameId::NONE,
            ty: TypeId::NONE,
            scope,
            outer: LocalId::NONE,
            by_ref: false,
            span: TextRange::default(),
        }
    }
}

/// What a scope is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ScopeKind {
    /// The whole body.
    Body,
    /// `{ … }`, a match arm, a branch.
    Block,
    /// One round of a loop.
    Loop,
    /// A statement: its temporaries die with it.
    Statement,
}

/// A scope.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Scope {
    /// What it is.
    pub kind: ScopeKind,
    /// The enclosing scope.
    pub parent: ScopeId,
}

/// What a place starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Base {
    /// A local.
    Local(LocalId),
    /// A path that is no local: a static, const, function, unit struct.
    Path(PathId),
}

/// A step from a place to a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Projection {
    /// `.name`, `.0`.
    Field(NameId),
    /// `*p`.
    Deref,
    /// Below a pattern `Path(..)` or `Path { .. }`.
    Variant(PathId),
    /// What `?` yields: the Ok or Some side.
    Success,
    /// What `.await` yields.
    Output,
    /// `p[i]`, or an element that a `for` takes.
    Element,
}

/// A place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// What it starts from.
    pub base: Base,
    /// A run of [`Body::projections`].
    #[serde(with = "super::encoding::sparse")]
    pub projections: Run,
}

/// How an operand uses its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Position {
    /// `f(x)`, `let y = x`: moves, if the type is not `Copy`.
    Bare = 0,
    /// `x.f()`.
    Receiver = 1,
    /// `&x`.
    Ref = 2,
    /// `&mut x`, `&raw mut x`.
    RefMut = 3,
    /// `match x`, `if let … = x`, `let (a, b) = x`.
    Scrutinee = 4,
    /// Captured by a closure or async block.
    Capture = 5,
}

/// What an operand is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OperandKind {
    /// A use of a place.
    Place(Position, PlaceId),
    /// A literal.
    Literal(LiteralId),
    /// A name: the field in a struct literal, an identifier of an opaque macro.
    Name(NameId),
    /// Nothing there.
    None,
}

/// An operand in 32 bits: a tag of 4 and an index of 28.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Operand(pub u32);

impl Operand {
    /// No operand.
    pub const NONE: Operand = Operand(u32::MAX);
    const LITERAL: u32 = 8;
    const NAME: u32 = 9;
    const INDEX: u32 = (1 << 28) - 1;

    /// A use of `place`.
    pub fn place(position: Position, place: PlaceId) -> Operand {
        Operand((position as u32) << 28 | place.0)
    }

    /// A literal.
    pub fn literal(id: LiteralId) -> Operand {
        Operand(Self::LITERAL << 28 | id.0)
    }

    /// A name.
    pub fn name(id: NameId) -> Operand {
        Operand(Self::NAME << 28 | id.0)
    }

    /// What it is.
    pub fn kind(self) -> OperandKind {
        let index = self.0 & Self::INDEX;
        let position = match self.0 >> 28 {
            0 => Position::Bare,
            1 => Position::Receiver,
            2 => Position::Ref,
            3 => Position::RefMut,
            4 => Position::Scrutinee,
            5 => Position::Capture,
            Self::LITERAL => return OperandKind::Literal(LiteralId(index)),
            Self::NAME => return OperandKind::Name(NameId(index)),
            _ => return OperandKind::None,
        };
        OperandKind::Place(position, PlaceId(index))
    }

    /// The place it uses, if it uses one.
    pub fn as_place(self) -> Option<(Position, PlaceId)> {
        match self.kind() {
            OperandKind::Place(position, place) => Some((position, place)),
            _ => None,
        }
    }
}

/// What a statement does. `dest` is where its value goes; `data` and the operands are as said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Op {
    /// `path(args)`: `data` is the path.
    Call,
    /// `receiver.method::<T>(args)`: `data` is a path of one segment, the first operand the receiver.
    CallMethod,
    /// `(callee)(args)`: the first operand is what is called.
    CallValue,
    /// `dest = operand`, also of a borrow, a constant or a pattern's binding.
    Assign,
    /// `operand;` as a statement, or a value that is evaluated and dropped.
    Use,
    /// `Path { name: value, …, ..base }`: `data` is the path, operands are pairs of name and value, then the base.
    Struct,
    /// `(a, b)`.
    Tuple,
    /// `a..b`.
    Range,
    /// `[a, b]`, `[a; n]`; `data` is 1 for `vec![a, b]`, 2 for `vec![a; n]`.
    Array,
    /// `operand as T`: `data` is the type.
    Cast,
    /// `a + b`, `a < b`, `a += b` (then `dest` is `a`): `data` is a [`BinaryOp`].
    Binary,
    /// `!a`, `-a`: `data` is 0 or 1.
    Unary,
    /// A closure: `data` is its body, operands are captures.
    Closure,
    /// An async block: `data` is its body, operands are captures.
    Async,
    /// A macro whose arguments are operands; `data` is its path. Formatting, asserting and logging macros borrow.
    Macro,
    /// A macro that could not be parsed: operands are its identifiers, and those that are locals as captures.
    OpaqueMacro,
    /// A local comes into being without a value (`let x;`).
    Declare,
    /// The end of scope `data` in straight-line flow: what it holds is dropped here.
    ScopeEnd,
}

/// A statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// What it does.
    pub op: Op,
    /// Number of operands; more than 65,535 are cut off.
    pub args: u16,
    /// Where the value goes.
    pub dest: PlaceId,
    /// Depends on `op`.
    pub data: u32,
    /// First of its operands in [`Body::operands`], where those of the statement before it end.
    pub first: u32,
}

/// How an edge leaves its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EdgeKind {
    /// Falling through, branching, looping, `break`, `continue`, the tail's value.
    Normal,
    /// `?`, `return Err(…)`, `bail!`, `ensure!`, a tail `Err(…)`.
    Error,
    /// Any other `return`.
    Early,
    /// The future is dropped at an `.await`.
    Cancel,
}

/// An edge. `pattern` is what holds when it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// Where to.
    pub to: BlockId,
    /// How.
    pub kind: EdgeKind,
    /// The scope it leaves from.
    pub from: ScopeId,
    /// The innermost scope that is still open at `to`; none at the exit.
    pub into: ScopeId,
    /// The pattern that matched; none for the other edges and for "no other matched".
    pub pattern: PatternId,
}

/// How a block ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum End {
    /// One edge.
    Goto,
    /// `operand` is a bool: edge 0 if true, edge 1 if false.
    Branch,
    /// `operand` is matched: one edge per pattern, in order.
    Switch,
    /// `operand?`: edge 0 on success, edge 1 (kind error) leaves.
    Try,
    /// `operand.await`: edge 0 when done, edge 1 (kind cancel) if dropped meanwhile.
    Await,
    /// `for`: edge 0 with the next element of `operand`, edge 1 when it is exhausted.
    Next,
    /// `select!`: one edge per arm, in the order of the operands of the [`Op::Macro`] before it, then the cancel edge.
    Select,
    /// Does not go on: `panic!`, an endless loop without a break, a call of type `!`.
    Diverge,
    /// The exit block.
    Exit,
}

/// A basic block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Its statements: a run of [`Body::statements`].
    pub statements: Run,
    /// How it ends.
    pub end: End,
    /// What it branches on.
    pub operand: Operand,
    /// A run of [`Body::edges`].
    pub edges: Run,
    /// The innermost loop it is in.
    pub in_loop: LoopId,
    /// Where the terminator stands (`?`, `await`, the condition, `return`).
    pub span: TextRange,
}

/// What kind of loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LoopKind {
    /// `loop`, and `while true`.
    Loop,
    /// `while cond`.
    While,
    /// `while let P = e`.
    WhileLet,
    /// `for p in e`.
    For,
}

/// A loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loop {
    /// What kind.
    pub kind: LoopKind,
    /// The enclosing loop.
    pub parent: LoopId,
    /// The block that is entered on every round.
    pub header: BlockId,
    /// What a `for` iterates; none otherwise.
    pub iterates: Operand,
    /// The keyword.
    pub span: TextRange,
    /// From the keyword to the closing brace.
    pub whole: TextRange,
}

/// The shape of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PatternKind {
    /// `_`, `..`.
    Wild,
    /// `x`, `x @ sub`; `data` is the local, at most one sub-pattern.
    Binding,
    /// `Path(a, b)`; `data` is the path.
    TupleVariant,
    /// `Path { a, b, .. }`; `data` is the path.
    StructVariant,
    /// `Path`; `data` is the path.
    Path,
    /// `(a, b)`.
    Tuple,
    /// `[a, b]`.
    Slice,
    /// `&a`.
    Ref,
    /// `a | b`.
    Or,
    /// A literal or range; `data` is the literal (none for ranges).
    Literal,
}

/// A pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pattern {
    /// Its shape.
    pub kind: PatternKind,
    /// Depends on the kind.
    pub data: u32,
    /// Sub-patterns: a run of [`Body::pattern_args`].
    #[serde(with = "super::encoding::sparse")]
    pub args: Run,
}

/// The kind of a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LiteralKind {
    /// A number.
    Number,
    /// A string or byte string.
    Text,
    /// A char or byte.
    Char,
    /// `true` or `false`.
    Bool,
    /// `()`, or the value of an expression that is not looked into.
    Unit,
}

/// A literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Literal {
    /// Its kind.
    pub kind: LiteralKind,
    /// Its text; none for strings of more than 64 bytes.
    pub text: NameId,
}

impl Body {
    /// The operands of a statement.
    pub fn args(&self, statement: &Statement) -> &[Operand] {
        let first = statement.first as usize;
        &self.operands[first..first + statement.args as usize]
    }

    /// The edges of a block.
    pub fn edges_of(&self, block: BlockId) -> &[Edge] {
        self.blocks[block.index()].edges.of(&self.edges)
    }

    /// The projections of a place.
    pub fn projections_of(&self, place: PlaceId) -> &[Projection] {
        self.places[place.index()].projections.of(&self.projections)
    }

    /// Whether a value may fail to match a pattern, as far as the pattern shows: a struct or variant may be one of several.
    pub fn is_refutable(&self, pattern: PatternId) -> bool {
        let pattern = &self.patterns[pattern.index()];
        match pattern.kind {
            PatternKind::Wild => false,
            PatternKind::Binding | PatternKind::Tuple | PatternKind::Ref => {
                pattern.args.of(&self.pattern_args).iter().any(|&p| self.is_refutable(p))
            }
            _ => true,
        }
    }

    /// The local a place starts from.
    pub fn local_of(&self, place: PlaceId) -> Option<LocalId> {
        match self.places[place.index()].base {
            Base::Local(local) => Some(local),
            Base::Path(_) => None,
        }
    }

    /// The local that a place is, if it has no projection.
    pub fn whole_local(&self, place: PlaceId) -> Option<LocalId> {
        let whole = self.places[place.index()].projections.len == 0;
        self.local_of(place).filter(|_| whole)
    }

    /// The body that a closure or async statement makes.
    pub fn nested(&self, statement: &Statement) -> Option<BodyId> {
        matches!(statement.op, Op::Closure | Op::Async).then_some(BodyId(statement.data))
    }

    /// Whether `inner` is `outer` or within it.
    pub fn scope_within(&self, inner: ScopeId, outer: ScopeId) -> bool {
        self.scopes_up(inner).any(|scope| scope == outer)
    }

    /// A scope and all that enclose it, innermost first.
    pub fn scopes_up(&self, scope: ScopeId) -> impl Iterator<Item = ScopeId> + '_ {
        std::iter::successors(scope.get(), |s| self.scopes[s.index()].parent.get())
    }

    /// The locals dropped when an edge is taken, unless they were moved: innermost scope first, in reverse order of
    /// declaration.
    pub fn drops_on(&self, edge: &Edge) -> Vec<LocalId> {
        let mut dropped = Vec::new();
        for scope in self.scopes_up(edge.from).take_while(|&s| s != edge.into) {
            let of_scope = (0..self.locals.len() as u32).rev().map(LocalId);
            dropped.extend(of_scope.filter(|l| self.locals[l.index()].scope == scope));
        }
        dropped
    }

    /// Which blocks can be reached from the entry. Code after a jump is lowered into blocks that cannot.
    pub fn reachable(&self) -> Vec<bool> {
        let mut seen = vec![false; self.blocks.len()];
        let mut todo = vec![BlockId(0)];
        while let Some(block) = todo.pop() {
            if !std::mem::replace(&mut seen[block.index()], true) {
                todo.extend(self.edges_of(block).iter().map(|e| e.to));
            }
        }
        seen
    }

    /// Whether block `block` lies in loop `outer`.
    pub fn block_in_loop(&self, block: BlockId, outer: LoopId) -> bool {
        std::iter::successors(self.blocks[block.index()].in_loop.get(), |l| self.loops[l.index()].parent.get())
            .any(|l| l == outer)
    }
}
