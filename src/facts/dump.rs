//! Readable text of a file's bodies, for debugging and for the tests of lowering.
//!
//! A place reads as Rust would write it; `Variant` steps as `(p as Path)`, `?` as `.?`, `.await` as `.await`. An operand
//! is prefixed by its position: nothing (bare), `self:`, `&`, `&mut`, `match:`, `capture:`. After each edge that leaves
//! scopes stand the locals that die on it unless they were moved.

use super::body::*;
use super::types::{PathId, TypeId, TypeKind, TypeTable};
use super::{BodyHeader, BodyId, BodyKind, FileFacts, NameId, Names, body_flags};
use std::fmt::Write;

/// All bodies of a file.
pub fn file(facts: &FileFacts) -> String {
    let mut out = String::new();
    for (index, header) in facts.header.bodies.iter().enumerate() {
        let id = BodyId(index as u32);
        let _ = writeln!(out, "{}", title(facts, id, header));
        out.push_str(&body(&facts.names, &facts.body(id)));
        out.push('\n');
    }
    out
}

fn title(facts: &FileFacts, id: BodyId, header: &BodyHeader) -> String {
    let kind = match header.kind {
        BodyKind::Fn => "fn",
        BodyKind::Closure => "closure",
        BodyKind::AsyncBlock => "async block",
        BodyKind::Initialiser => "initialiser",
    };
    let mut text = format!("body {} {kind}", id.0);
    if let Some(item) = header.item.get() {
        let name = facts.header.items[item.index()].name;
        let _ = write!(text, " in {}", name.get().map_or("_", |n| facts.names.get(n)));
    }
    let flags = [
        (body_flags::MOVE, "move"),
        (body_flags::ASYNC, "async"),
        (body_flags::LOOP, "loop"),
        (body_flags::AWAIT, "await"),
        (body_flags::ERROR_EXIT, "error-exit"),
        (body_flags::EARLY_EXIT, "early-exit"),
        (body_flags::OPAQUE_MACRO, "opaque-macro"),
        (body_flags::STREAM, "stream"),
    ];
    for (flag, name) in flags {
        if header.flags & flag != 0 {
            let _ = write!(text, " +{name}");
        }
    }
    text
}

/// The blocks of one body that can be reached.
pub fn body(names: &Names, body: &Body) -> String {
    let dump = Dump { names, body, first_written: first_written(body) };
    let mut out = String::new();
    let reachable = body.reachable();
    for (index, block) in body.blocks.iter().enumerate() {
        if reachable[index] {
            dump.block(&mut out, BlockId(index as u32), block);
        }
    }
    out
}

/// For each local the first statement that writes it. Statements stand in the order of the text, so that a local whose
/// first write comes after a jump cannot be alive on it.
fn first_written(body: &Body) -> Vec<u32> {
    let mut first = vec![u32::MAX; body.locals.len()];
    for (index, statement) in body.statements.iter().enumerate().rev() {
        if let Some(local) = statement.dest.get().and_then(|place| body.local_of(place)) {
            first[local.index()] = index as u32;
        }
    }
    first
}

struct Dump<'a> {
    names: &'a Names,
    body: &'a Body,
    first_written: Vec<u32>,
}

impl Dump<'_> {
    fn name(&self, id: NameId) -> &str {
        id.get().map_or("_", |id| self.names.get(id))
    }

    fn block(&self, out: &mut String, id: BlockId, block: &Block) {
        let _ = write!(out, "  b{}", id.0);
        if let Some(in_loop) = block.in_loop.get() {
            let entry = &self.body.loops[in_loop.index()];
            let _ = write!(out, " in loop{}", in_loop.0);
            if entry.header == id {
                let _ = write!(out, " header({:?})", entry.kind);
            }
        }
        out.push_str(":\n");
        for statement in block.statements.of(&self.body.statements) {
            let _ = writeln!(out, "    {}", self.statement(statement));
        }
        let _ = write!(out, "    {:?}", block.end);
        if block.operand != Operand::NONE {
            let _ = write!(out, " {}", self.operand(block.operand));
        }
        out.push('\n');
        for edge in block.edges.of(&self.body.edges) {
            self.edge(out, edge, block.statements.start + block.statements.len);
        }
    }

    fn edge(&self, out: &mut String, edge: &Edge, at: u32) {
        let kind = match edge.kind {
            EdgeKind::Normal => "",
            EdgeKind::Error => " error",
            EdgeKind::Early => " early",
            EdgeKind::Cancel => " cancel",
        };
        let _ = write!(out, "      -> b{}{kind}", edge.to.0);
        if let Some(pattern) = edge.pattern.get() {
            let _ = write!(out, " if {}", self.pattern(pattern));
        }
        let drops = self.body.drops_on(edge);
        let named: Vec<_> = drops
            .iter()
            .filter(|l| self.shown(**l) && self.first_written[l.index()] < at)
            .map(|&l| self.local(l))
            .collect();
        if !named.is_empty() {
            let _ = write!(out, " drops {}", named.join(" "));
        }
        out.push('\n');
    }

    /// Captures and parameters die with the body on every exit; listing them would say nothing.
    fn shown(&self, local: LocalId) -> bool {
        matches!(self.body.locals[local.index()].kind, LocalKind::Binding | LocalKind::Temp)
    }

    fn local(&self, id: LocalId) -> String {
        let local = &self.body.locals[id.index()];
        match (local.kind, local.name.get()) {
            (LocalKind::Return, _) => "ret".to_owned(),
            (LocalKind::Temp, _) | (_, None) => format!("t{}", id.0),
            (_, Some(name)) => format!("{}.{}", self.names.get(name), id.0),
        }
    }

    fn place(&self, id: PlaceId) -> String {
        let place = self.body.places[id.index()];
        let mut text = match place.base {
            Base::Local(local) => self.local(local),
            Base::Path(path) => self.path(path),
        };
        for step in place.projections.of(&self.body.projections) {
            text = match *step {
                Projection::Field(name) => format!("{text}.{}", self.name(name)),
                Projection::Deref => format!("(*{text})"),
                Projection::Variant(path) => format!("({text} as {})", self.path(path)),
                Projection::Success => format!("{text}.?"),
                Projection::Output => format!("{text}.await"),
                Projection::Element => format!("{text}[_]"),
            };
        }
        text
    }

    fn operand(&self, operand: Operand) -> String {
        match operand.kind() {
            OperandKind::Place(position, place) => {
                let prefix = match position {
                    Position::Bare => "",
                    Position::Receiver => "self:",
                    Position::Ref => "&",
                    Position::RefMut => "&mut ",
                    Position::Scrutinee => "match:",
                    Position::Capture => "capture:",
                };
                format!("{prefix}{}", self.place(place))
            }
            OperandKind::Literal(id) => {
                let literal = self.body.literals[id.index()];
                match literal.kind {
                    LiteralKind::Unit => "()".to_owned(),
                    LiteralKind::Text => format!("{:?}", self.name(literal.text)),
                    _ => self.name(literal.text).to_owned(),
                }
            }
            OperandKind::Name(name) => format!("'{}", self.name(name)),
            OperandKind::None => "none".to_owned(),
        }
    }

    fn pattern(&self, id: PatternId) -> String {
        let pattern = self.body.patterns[id.index()];
        let args: Vec<_> = pattern.args.of(&self.body.pattern_args).iter().map(|&p| self.pattern(p)).collect();
        let args = args.join(if pattern.kind == PatternKind::Or { " | " } else { ", " });
        match pattern.kind {
            PatternKind::Wild => "_".to_owned(),
            PatternKind::Binding if args.is_empty() => self.local(LocalId(pattern.data)),
            PatternKind::Binding => format!("{} @ {args}", self.local(LocalId(pattern.data))),
            PatternKind::TupleVariant => format!("{}({args})", self.path(PathId(pattern.data))),
            PatternKind::StructVariant => format!("{} {{ {args} }}", self.path(PathId(pattern.data))),
            PatternKind::Path => self.path(PathId(pattern.data)),
            PatternKind::Tuple => format!("({args})"),
            PatternKind::Slice => format!("[{args}]"),
            PatternKind::Ref => format!("&{args}"),
            PatternKind::Or => format!("({args})"),
            PatternKind::Literal => {
                LiteralId(pattern.data).get().map_or("..".to_owned(), |id| self.operand(Operand::literal(id)))
            }
        }
    }

    fn statement(&self, statement: &Statement) -> String {
        let args: Vec<_> = self.body.args(statement).iter().map(|&a| self.operand(a)).collect();
        let args = args.join(", ");
        let value = match statement.op {
            Op::Call => format!("{}({args})", self.path(PathId(statement.data))),
            Op::CallMethod => format!("{} . ({args})", self.path(PathId(statement.data))),
            Op::CallValue => format!("call({args})"),
            Op::Assign => args,
            Op::Use => return format!("use {args}"),
            Op::Struct => format!("{} {{ {args} }}", self.path(PathId(statement.data))),
            Op::Tuple => format!("tuple({args})"),
            Op::Range => format!("range({args})"),
            Op::Array => format!("[{args}]"),
            Op::Cast => format!("{args} as {}", self.ty(TypeId(statement.data))),
            Op::Binary => format!("{:?}({args})", BinaryOp::from_data(statement.data)),
            Op::Unary => format!("{}({args})", if statement.data == 0 { "not" } else { "neg" }),
            Op::Closure => format!("closure body {} [{args}]", statement.data),
            Op::Async => format!("async body {} [{args}]", statement.data),
            Op::Macro => format!("{}!({args})", self.path(PathId(statement.data))),
            Op::OpaqueMacro => format!("{}!{{{args}}}", self.path(PathId(statement.data))),
            Op::Declare => return format!("declare {}", self.place(statement.dest)),
            Op::ScopeEnd => return self.scope_end(ScopeId(statement.data)),
        };
        format!("{} = {value}", self.place(statement.dest))
    }

    fn scope_end(&self, scope: ScopeId) -> String {
        let of_scope = (0..self.body.locals.len() as u32).rev().map(LocalId);
        let dead = of_scope.filter(|l| self.body.locals[l.index()].scope == scope).map(|l| self.local(l));
        format!("end {}", dead.collect::<Vec<_>>().join(" "))
    }

    fn path(&self, id: PathId) -> String {
        TypeText { names: self.names, table: &self.body.types }.path(id)
    }

    fn ty(&self, id: TypeId) -> String {
        TypeText { names: self.names, table: &self.body.types }.ty(id)
    }
}

/// Types and paths of one table as text.
pub(super) struct TypeText<'a> {
    pub names: &'a Names,
    pub table: &'a TypeTable,
}

impl TypeText<'_> {
    pub fn path(&self, id: PathId) -> String {
        let node = self.table.path(id);
        let mut text = match node.qself.get() {
            Some(ty) => format!("<{}>::", self.ty(ty)),
            None if node.global => "::".to_owned(),
            None => String::new(),
        };
        for (index, segment) in self.table.path_segments(id).iter().enumerate() {
            if index > 0 {
                text.push_str("::");
            }
            text.push_str(self.names.get(segment.name));
            let mut args = self.types(segment.args.of(&self.table.args));
            let bindings = segment.bindings.of(&self.table.bindings).iter();
            args.extend(bindings.map(|&(name, ty)| format!("{} = {}", self.names.get(name), self.ty(ty))));
            if !args.is_empty() {
                let _ = write!(text, "<{}>", args.join(", "));
            }
        }
        text
    }

    fn types(&self, ids: &[TypeId]) -> Vec<String> {
        ids.iter().map(|&id| self.ty(id)).collect()
    }

    pub fn ty(&self, id: TypeId) -> String {
        let args = self.types(self.table.type_args(id));
        match self.table.ty(id).kind {
            TypeKind::Path => self.path(self.table.ty(id).path),
            TypeKind::Ref => format!("&{}", args[0]),
            TypeKind::StaticRef => format!("&'static {}", args[0]),
            TypeKind::RefMut => format!("&mut {}", args[0]),
            TypeKind::Pointer => format!("*{}", args[0]),
            TypeKind::Tuple => format!("({})", args.join(", ")),
            TypeKind::Slice => format!("[{}]", args[0]),
            TypeKind::Array => format!("[{}; _]", args[0]),
            TypeKind::Fn => format!("fn({})", args.join(", ")),
            TypeKind::Impl => format!("impl {}", args.join(" + ")),
            TypeKind::Dyn => format!("dyn {}", args.join(" + ")),
            TypeKind::Never => "!".to_owned(),
            TypeKind::Infer => "_".to_owned(),
            TypeKind::Opaque => "?".to_owned(),
        }
    }
}
