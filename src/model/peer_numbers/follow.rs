//! Where numbers go within one body: from the calls that read them, through names, casts, arithmetic, tuples and fields.
//! It knows neither limits nor what the numbers are for.

use super::Path;
use super::reads::{self, Read};
use super::summaries::Summaries;
use crate::facts::body::*;
use crate::facts::types::PathId;
use crate::model::access::Tracer;
use crate::model::effects::slot;
use crate::model::{Callee, Ty, TyData, known};

/// As many places are followed in one body.
const PLACES: usize = 400;

/// A place that holds a number that was read.
#[derive(Debug, Clone)]
pub struct Entry {
    local: LocalId,
    path: Path,
    /// Of [`Flow::reads`].
    pub read: u32,
    /// The place it came from.
    from: Option<u32>,
}

/// An operand or place that holds such a number, or has a part that does.
#[derive(Debug, Clone)]
pub struct Hit {
    /// Of [`Flow::entries`].
    pub entry: u32,
    /// Which read it came from.
    pub read: u32,
    /// The part; empty if it is the number itself.
    pub rest: Path,
}

/// Where the numbers that are read in a body go.
pub struct Flow<'a> {
    /// The function.
    pub tracer: &'a Tracer<'a>,
    /// The body in it.
    pub index: u32,
    /// The numbers.
    pub reads: Vec<Read>,
    entries: Vec<Entry>,
    by_local: Vec<Vec<u32>>,
}

impl<'a> Flow<'a> {
    /// Follows the numbers that are read in a body, and those in its parameters if asked for.
    pub fn new(tracer: &'a Tracer<'a>, index: u32, summaries: &Summaries, params: bool) -> Flow<'a> {
        let locals = tracer.body(index).body.locals.len();
        let reads = reads::reads(tracer, index, summaries, params);
        let mut flow = Flow { tracer, index, reads, entries: Vec::new(), by_local: vec![Vec::new(); locals] };
        if flow.reads.is_empty() {
            return flow;
        }
        for read in 0..flow.reads.len() as u32 {
            let (place, param) = (flow.reads[read as usize].dest, flow.reads[read as usize].param);
            let path = flow.reads[read as usize].path.clone();
            match (param, place) {
                (Some(param), _) => flow.add(LocalId(param + 1), path, read, None),
                (None, place) => flow.add_at(place, path, read, None),
            }
        }
        // Statements stand in the order of the text: loops need a second round, and what they hand back a third.
        for _ in 0..3 {
            let before = flow.entries.len();
            (0..flow.body().statements.len() as u32).for_each(|id| flow.step(StatementId(id)));
            if flow.entries.len() == before {
                break;
            }
        }
        flow
    }

    /// The body.
    pub fn body(&self) -> &'a Body {
        &self.tracer.body(self.index).body
    }

    /// The numbers that an operand holds.
    pub fn operand(&self, operand: Operand) -> Vec<Hit> {
        operand.as_place().map_or(Vec::new(), |(_, place)| self.place(place))
    }

    /// The numbers that a place holds.
    pub fn place(&self, place: PlaceId) -> Vec<Hit> {
        let Some((local, path)) = self.key(place) else { return Vec::new() };
        let hit = |&id: &u32| {
            let entry = &self.entries[id as usize];
            let rest = match entry.path.len() <= path.len() {
                true => path.starts_with(&entry.path).then(Path::new),
                false => entry.path.starts_with(&path).then(|| entry.path[path.len()..].to_vec()),
            };
            rest.map(|rest| Hit { entry: id, read: entry.read, rest })
        };
        self.by_local[local.index()].iter().filter_map(hit).collect()
    }

    /// Whether a place holds the number itself.
    pub fn is(&self, operand: Operand, read: u32) -> bool {
        self.operand(operand).iter().any(|hit| hit.read == read && hit.rest.is_empty())
    }

    /// Whether a local holds it.
    pub fn is_local(&self, local: LocalId, read: u32) -> bool {
        let entries = self.by_local[local.index()].iter().map(|&id| &self.entries[id as usize]);
        entries.into_iter().any(|entry| entry.read == read && entry.path.is_empty())
    }

    /// The variables it went through, from the first to the last.
    pub fn names(&self, hit: &Hit) -> Vec<LocalId> {
        let up = std::iter::successors(Some(hit.entry), |&id| self.entries[id as usize].from);
        let locals = up.map(|id| self.entries[id as usize].local);
        let mut names: Vec<LocalId> =
            locals.filter(|l| self.body().locals[l.index()].kind == LocalKind::Binding).collect();
        names.dedup();
        names.reverse();
        names
    }

    /// A place as a local and the fields on the way, without what wraps them; none below an element.
    fn key(&self, place: PlaceId) -> Option<(LocalId, Path)> {
        let typed = self.tracer.body(self.index);
        let local = typed.body.local_of(place)?;
        let (mut path, mut below_variant) = (Path::new(), false);
        for step in typed.body.projections_of(place) {
            match *step {
                Projection::Field(name) => {
                    let name = self.tracer.model.name(typed.at.file, name);
                    if !(below_variant && name == known::ZERO) {
                        path.push(name);
                    }
                }
                Projection::Element => return None,
                _ => {}
            }
            below_variant = matches!(step, Projection::Variant(_));
        }
        Some((local, path))
    }

    /// A place with the part of it that a result has.
    pub fn key_with(&self, place: PlaceId, rest: &Path) -> Option<(LocalId, Path)> {
        let (local, mut path) = self.key(place)?;
        path.extend(rest);
        Some((local, path))
    }

    fn add(&mut self, local: LocalId, path: Path, read: u32, from: Option<u32>) {
        let known = |&id: &u32| {
            let entry = &self.entries[id as usize];
            entry.read == read && path.starts_with(&entry.path)
        };
        let known = self.by_local[local.index()].iter().any(known);
        // `let n = (n as u8)`: a path that grows in each round leads nowhere.
        if !known && path.len() < 5 && self.entries.len() < PLACES {
            self.by_local[local.index()].push(self.entries.len() as u32);
            self.entries.push(Entry { local, path, read, from });
        }
    }

    fn add_at(&mut self, place: PlaceId, rest: Path, read: u32, from: Option<u32>) {
        if place.is_none() || rest.is_empty() && !may_be_great(self.tracer, self.index, place) {
            return;
        }
        if let Some((local, path)) = self.key_with(place, &rest) {
            self.add(local, path, read, from);
        }
    }

    fn step(&mut self, id: StatementId) {
        let body = self.body();
        let statement = &body.statements[id.index()];
        let args = body.args(statement);
        if statement.dest.is_none() {
            return;
        }
        for (at, &arg) in args.iter().enumerate() {
            for hit in self.operand(arg) {
                if let Some(rest) = self.passes(id, statement, at, &hit) {
                    self.add_at(statement.dest, rest, hit.read, Some(hit.entry));
                }
            }
        }
    }

    /// Which part of its result holds the number, if a statement hands it on.
    fn passes(&self, id: StatementId, statement: &Statement, at: usize, hit: &Hit) -> Option<Path> {
        let args = self.body().args(statement);
        let below = |name: &str| {
            let mut path = vec![self.tracer.model.symbols.intern(name)];
            path.extend(&hit.rest);
            path
        };
        match statement.op {
            Op::Assign | Op::Cast => Some(hit.rest.clone()),
            Op::Tuple => Some(below(&at.to_string())),
            Op::Struct => {
                let OperandKind::Name(name) = args.get(at.checked_sub(1)?)?.kind() else { return None };
                Some(below(self.tracer.model.text(self.tracer.model.name(self.tracer.body(self.index).at.file, name))))
            }
            Op::Binary => (hit.rest.is_empty() && self.stays_great(statement, at)).then(Path::new),
            Op::Macro if self.name(statement) == "try" => Some(hit.rest.clone()),
            Op::Call | Op::CallMethod => self.call_passes(id, statement, at, hit),
            _ => None,
        }
    }

    /// Whether what an operator makes of a great number may be great: not what is left by a modulus, a mask or a long shift.
    pub fn stays_great(&self, statement: &Statement, at: usize) -> bool {
        let other = self.body().args(statement)[1 - at.min(1)];
        let literal = || reads::literal(self.tracer, self.index, other);
        match BinaryOp::from_data(statement.data) {
            BinaryOp::Arithmetic | BinaryOp::Mul | BinaryOp::Bits | BinaryOp::Shl => true,
            BinaryOp::And => literal().is_some_and(|mask| mask > u128::from(u16::MAX) && mask.count_ones() > 16),
            BinaryOp::Shr => at == 0 && literal().is_none_or(|by| by < 16),
            _ => false,
        }
    }

    fn call_passes(&self, id: StatementId, statement: &Statement, at: usize, hit: &Hit) -> Option<Path> {
        let tracer = self.tracer;
        let callee = tracer.body(self.index).types.callee(id);
        let row = tracer.row(self.index, id);
        if row.is_some_and(|row| row.clamps) || row.is_none() && tracer.model.apis.is_clamp_name(self.name(statement)) {
            return None;
        }
        if let Callee::Constructor(_) = callee {
            // What an error tells is no result.
            if self.name(statement) == "Err" {
                return None;
            }
            let mut path = hit.rest.clone();
            if at > 0 {
                path.insert(0, tracer.model.symbols.intern(&at.to_string()));
            }
            return Some(path);
        }
        let receiver = statement.op == Op::CallMethod && at == 0;
        match (row, callee) {
            (_, Callee::Def(_)) => None,
            (Some(row), _) if !receiver => {
                let wrapped = |n: &u8| crate::apis::Slot::Arg(*n) == slot(row, at);
                row.wraps.iter().any(wrapped).then(|| hit.rest.clone())
            }
            // `usize::try_from(n)`, `NonZeroU64::from(n)`
            (None, _) if !receiver => {
                let converts = matches!(self.name(statement), "from" | "try_from") && statement.op == Op::Call;
                converts.then(|| hit.rest.clone())
            }
            (Some(row), _) if !hit.rest.is_empty() => row.through.then(|| hit.rest.clone()),
            (None, _) if !hit.rest.is_empty() => None,
            _ => (!self.is_judged(statement)).then(Path::new),
        }
    }

    /// `.filter(|n| *n < MAX)`, `.map(|n| n.min(MAX))`
    fn is_judged(&self, statement: &Statement) -> bool {
        let closures = self.body().args(statement).iter().skip(1).filter_map(|a| a.as_place());
        closures.into_iter().any(|(_, place)| {
            let ty = self.tracer.ty(self.index, place);
            let &TyData::Closure(at) = self.tracer.model.ty(ty) else { return false };
            let Some(inner) = self.tracer.function.bodies.iter().position(|b| b.at == at) else { return false };
            reads::judges(self.tracer, inner as u32)
        })
    }

    /// The last name of what a statement calls.
    pub fn name(&self, statement: &Statement) -> &'a str {
        match statement.op {
            Op::Call | Op::CallMethod | Op::Macro => {
                let typed = self.tracer.body(self.index);
                let name = typed.body.types.last_name(PathId(statement.data));
                name.get().map_or("", |n| self.tracer.model.text(self.tracer.model.name(typed.at.file, n)))
            }
            _ => "",
        }
    }
}

/// Whether a value may be a number of more than 16 bits, or what such a number is made of: a text, something unknown.
pub fn may_be_great(tracer: &Tracer, index: u32, place: PlaceId) -> bool {
    is_great(tracer, tracer.model.payload(tracer.ty(index, place)))
}

/// The same for a type.
pub fn is_great(tracer: &Tracer, ty: Ty) -> bool {
    let model = tracer.model;
    match model.ty(model.peel_refs(ty)) {
        TyData::Prim(name) => {
            matches!(model.text(*name), "u32" | "i32" | "u64" | "i64" | "u128" | "i128" | "usize" | "isize" | "str")
        }
        // Of `Result<_, _>` nobody knows what it holds.
        TyData::External(..) => model.type_row(ty).is_none_or(|row| {
            row.collection.is_none() && row.owns.is_none_or(|owns| owns == crate::apis::Owns::Arguments)
        }),
        _ => true,
    }
}
