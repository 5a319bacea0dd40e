//! What a function may do with each of its parameters: release it, keep it, return it, hand it to something unknown.
//!
//! The sets say what is *possible* on some path; they only ever excuse. A parameter with an empty set is looked at and,
//! if it was given by value, dropped.

use super::access::Tracer;
use super::flow::Stored;
use super::{Callee, DefId, Model, Symbol, Ty, TyData, known};
use crate::apis::{FnRow, Obligation, ObligationKind, Owner, Slot};
use crate::facts::BodyKind;
use crate::facts::body::*;
use rustc_hash::FxHashMap;

/// A set of possible effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effects(pub u32);

impl Effects {
    /// Kept in a field, a static, a collection or a background task.
    pub const STORES: Effects = Effects(1 << 16);
    /// Comes back in the result.
    pub const RETURNS: Effects = Effects(1 << 17);
    /// Handed to something that cannot be seen.
    pub const UNKNOWN: Effects = Effects(1 << 18);
    /// Handed to a foreign function, which borrows a raw handle unless a row says otherwise.
    pub const FOREIGN: Effects = Effects(1 << 19);

    /// Meets an obligation of this kind.
    pub fn releases(kind: ObligationKind) -> Effects {
        Effects(1 << kind as u32)
    }

    /// Meets any obligation.
    pub const RELEASES_ANY: Effects = Effects(0xffff);

    /// Whether the two have an effect in common.
    pub fn any(self, other: Effects) -> bool {
        self.0 & other.0 != 0
    }

    /// Adds those of `other`; says whether that changed anything.
    pub fn add(&mut self, other: Effects) -> bool {
        let before = self.0;
        self.0 |= other.0;
        self.0 != before
    }
}

/// Which kinds of obligation a method of some name meets: from the `met_by` and `polled_by` of all type rows.
#[derive(Debug, Default)]
pub struct ReleaseNames(FxHashMap<String, u32>);

impl ReleaseNames {
    /// The names in the tables.
    pub fn new(model: &Model) -> ReleaseNames {
        let mut names: FxHashMap<String, u32> = FxHashMap::default();
        for row in model.apis.types() {
            let Some(obligation) = &row.obligation else { continue };
            for name in meeting(obligation) {
                *names.entry(name.clone()).or_default() |= Effects::releases(obligation.kind).0;
            }
        }
        ReleaseNames(names)
    }

    /// What a method of that name releases, whatever the receiver.
    pub fn of(&self, name: &str) -> Effects {
        Effects(self.0.get(name).copied().unwrap_or(0))
    }

    /// What a method releases on a receiver of this type: its own row decides, or the name if the type is not known.
    pub fn on(&self, model: &Model, ty: Ty, name: &str) -> Effects {
        match model.held_obligation(ty) {
            Some(obligation) if meeting(obligation).any(|n| n == name) => Effects::releases(obligation.kind),
            Some(_) => Effects::default(),
            None => self.of(name),
        }
    }
}

/// The methods after which nothing is owed. Where ending is all that is asked for (a task), those that end it are among
/// them; a process that was killed still has to be waited for.
fn meeting(obligation: &Obligation) -> impl Iterator<Item = &String> {
    let ended: &[String] = match obligation.kind {
        ObligationKind::Child => &[],
        _ => &obligation.ended_by,
    };
    obligation.met_by.iter().chain(&obligation.polled_by).chain(ended)
}

/// What a function does with its parameters by itself, and to whom it passes them.
#[derive(Debug, Default, Clone)]
pub struct ParamUses {
    /// By parameter.
    pub own: Vec<Effects>,
    /// Parameter, callee, the callee's parameter, and whether the callee's result is the function's own.
    pub passed: Vec<(u32, DefId, u32, bool)>,
    /// Parameter, and a field of the run's types in which it is kept.
    pub kept_in: Vec<(u32, DefId, Symbol)>,
}

/// The uses of all parameters of a function.
pub fn param_uses(tracer: &Tracer, releases: &ReleaseNames) -> ParamUses {
    let root = tracer.function.root();
    if tracer.model.body_header(root.at).kind != BodyKind::Fn {
        return ParamUses::default();
    }
    let own = vec![Effects::default(); root.body.params as usize];
    let mut uses = ParamUses { own, ..ParamUses::default() };
    for param in (0..root.body.params).filter(|&p| may_matter(tracer.model, root.types.locals[p as usize + 1])) {
        let mut walk = Walk { tracer, releases, param, uses: &mut uses, aliases: aliases(tracer) };
        walk.aliases[0][param as usize + 1] = true;
        // Twice, so that what a loop hands back is seen.
        for _ in 0..2 {
            (0..tracer.function.bodies.len() as u32).for_each(|index| walk.body(index));
        }
    }
    uses.passed.sort_unstable();
    uses.passed.dedup();
    uses.kept_in.sort_unstable();
    uses.kept_in.dedup();
    uses
}

/// Whether a parameter of that type can be something with an obligation: only then is it asked for.
pub fn may_matter(model: &Model, ty: Ty) -> bool {
    let ty = model.peel_refs(ty);
    match model.ty(ty) {
        // `Arc::into_raw(x) as usize`: an address goes round as a number.
        TyData::Prim(name) => matches!(model.text(*name), "usize" | "isize" | "u64" | "i64" | "i32"),
        // `pub enum NotDefinedHere {}`: it stands for what another platform has.
        TyData::Adt(def, _) => model.is_copy(ty) || model.is_empty_enum(*def),
        TyData::Closure(_) | TyData::Future { .. } | TyData::Never => false,
        TyData::Tuple(parts) => parts.iter().any(|&part| may_matter(model, part)),
        TyData::External(..) => model.inside(ty).any(|ty| match model.ty(ty) {
            TyData::External(..) => model.obligation(ty).is_some() || model.type_row(ty).is_none_or(|row| row.raw),
            TyData::Param(_) | TyData::Unknown | TyData::Dyn(_) | TyData::Impl(_) | TyData::Pointer(_) => true,
            _ => false,
        }),
        _ => true,
    }
}

fn aliases(tracer: &Tracer) -> Vec<Vec<bool>> {
    tracer.function.bodies.iter().map(|b| vec![false; b.body.locals.len()]).collect()
}

struct Walk<'a> {
    tracer: &'a Tracer<'a>,
    releases: &'a ReleaseNames,
    param: u32,
    uses: &'a mut ParamUses,
    /// By body and local: may it be the parameter?
    aliases: Vec<Vec<bool>>,
}

impl Walk<'_> {
    /// It is kept: in a field, if that can be told.
    fn stores(&mut self, index: u32, statement: StatementId, operand: Option<usize>) {
        self.add(Effects::STORES);
        let stored = Stored { statement, operand: operand.map(|at| at as u16) };
        if let Some((owner, field)) = self.tracer.model.stored_in(self.tracer, index, stored) {
            self.uses.kept_in.push((self.param, owner, field));
        }
    }

    fn add(&mut self, effects: Effects) {
        self.uses.own[self.param as usize].add(effects);
    }

    fn body(&mut self, index: u32) {
        let typed = self.tracer.body(index);
        for local in (0..typed.body.locals.len() as u32).map(LocalId) {
            if typed.body.locals[local.index()].kind == LocalKind::Capture
                && let Some((outer, outer_local)) = self.tracer.outer(index, local)
                && self.aliases[outer as usize][outer_local.index()]
            {
                self.aliases[index as usize][local.index()] = true;
            }
        }
        if !self.aliases[index as usize].contains(&true) {
            return;
        }
        for block in &typed.body.blocks {
            for id in block.statements.ids().map(StatementId) {
                self.statement(index, id);
            }
            if block.end == End::Await && self.is_alias(index, block.operand) {
                self.add(Effects::releases(ObligationKind::Task));
            }
        }
    }

    fn is_alias(&self, index: u32, operand: Operand) -> bool {
        let body = &self.tracer.body(index).body;
        // `for fd in fds { close(*fd) }`: what is done to an element is done to what holds it.
        let is_element = |place| {
            let mut steps = body.projections_of(place).iter();
            steps.all(|step| matches!(step, Projection::Element | Projection::Deref))
        };
        operand.as_place().is_some_and(|(_, place)| {
            (covers(self.tracer, index, place) || is_element(place))
                && body.local_of(place).is_some_and(|l| self.aliases[index as usize][l.index()])
        })
    }

    fn statement(&mut self, index: u32, id: StatementId) {
        let body = &self.tracer.body(index).body;
        let statement = &body.statements[id.index()];
        let args = body.args(statement);
        let Some(at) = args.iter().position(|&a| self.is_alias(index, a)) else { return };
        match statement.op {
            Op::Assign | Op::Cast | Op::Tuple | Op::Array => self.flows_to(index, id, statement.dest),
            // `data as usize | FLAG`
            Op::Binary if BinaryOp::from_data(statement.data).computes() => self.flows_to(index, id, statement.dest),
            Op::Struct => self.stores(index, id, Some(at)),
            Op::CallMethod => self.call(index, id, statement, at),
            Op::Call => self.call(index, id, statement, at),
            Op::CallValue | Op::OpaqueMacro => self.add(Effects::UNKNOWN),
            Op::Macro if matches!(args[at].as_place(), Some((Position::Bare, _))) => self.add(Effects::UNKNOWN),
            _ => {}
        }
    }

    fn flows_to(&mut self, index: u32, id: StatementId, dest: PlaceId) {
        let body = &self.tracer.body(index).body;
        match body.local_of(dest) {
            Some(local) if body.locals[local.index()].kind == LocalKind::Return => self.add(Effects::RETURNS),
            // `*LAST.lock().unwrap() = Some(c)`: behind a view of something else it is kept.
            Some(local)
                if body.projections_of(dest).contains(&Projection::Deref)
                    && !self.aliases[index as usize][local.index()] =>
            {
                self.stores(index, id, None)
            }
            Some(local) if covers(self.tracer, index, dest) => self.aliases[index as usize][local.index()] = true,
            _ => self.stores(index, id, None),
        }
    }

    fn call(&mut self, index: u32, id: StatementId, statement: &Statement, at: usize) {
        let tracer = self.tracer;
        if statement.op == Op::CallMethod
            && at == 0
            && let Some((_, place)) = tracer.body(index).body.args(statement)[0].as_place()
        {
            let name = tracer.method_name(index, statement);
            self.add(self.releases.on(tracer.model, tracer.ty(index, place), name));
        }
        match tracer.body(index).types.callee(id) {
            callee if tracer.row(index, id).is_none() && tracer.model.is_foreign(callee) => {
                let takes = tracer.model.foreign_name(callee).releases();
                self.add(if takes { Effects::RELEASES_ANY } else { Effects::FOREIGN });
            }
            Callee::Def(def) => {
                let tail = self.flows_if_returned(index, statement.dest);
                self.uses.passed.push((self.param, def, at as u32, tail));
            }
            Callee::Constructor(_) => self.stores(index, id, Some(at)),
            // `query.execute(pool)` of a `pool: &SqlitePool`: it is taken to look at it.
            Callee::Unknown if self.is_lent(index, statement, at) => {}
            Callee::Closure(_) | Callee::Unknown => self.add(Effects::UNKNOWN),
            Callee::External(_) | Callee::Distinctive(_) => match tracer.row(index, id) {
                // `fd.to_string()`
                None if statement.op == Op::CallMethod && at == 0 && is_number(tracer, index, statement) => {}
                None if self.is_lent(index, statement, at) => {}
                None => self.add(Effects::UNKNOWN),
                Some(row) => self.row(index, id, row, at),
            },
        }
    }

    /// Whether a call gets a shared reference to something with an obligation.
    fn is_lent(&self, index: u32, statement: &Statement, at: usize) -> bool {
        let body = &self.tracer.body(index).body;
        let Some((position, place)) = body.args(statement)[at].as_place() else { return false };
        let (model, ty) = (self.tracer.model, self.tracer.ty(index, place));
        let owed = |ty| model.obligation(model.payload(ty)).is_some();
        match *model.ty(ty) {
            TyData::Ref { mutable: false, to } => owed(to),
            _ => position == Position::Ref && owed(ty),
        }
    }

    /// A callee's result may be the parameter again; whoever uses it is looked at too.
    fn flows_if_returned(&mut self, index: u32, dest: PlaceId) -> bool {
        let body = &self.tracer.body(index).body;
        let Some(local) = dest.get().and_then(|d| body.whole_local(d)) else { return false };
        self.aliases[index as usize][local.index()] = true;
        // `fn f(c: Child) -> Child { g(c) }`
        index == 0 && body.locals[local.index()].kind == LocalKind::Return
    }

    fn row(&mut self, index: u32, id: StatementId, row: &FnRow, at: usize) {
        let (dest, slot) = (self.tracer.body(index).body.statements[id.index()].dest, slot(row, at));
        if row.releases == Some(slot) || row.waits == Some(slot) || row.drops_by_hand == Some(slot) || adopts(row, slot)
        {
            self.add(Effects::RELEASES_ANY);
        }
        match slot {
            Slot::Receiver if row.through || row.element => self.flows_to(index, id, dest),
            Slot::Receiver if row.consumes => self.add(Effects::UNKNOWN),
            Slot::Receiver => {}
            Slot::Arg(n) if row.stores.contains(&n) || row.spawns.is_some_and(|s| s.arg == n) => {
                self.stores(index, id, Some(at))
            }
            Slot::Arg(n) if row.wraps.contains(&n) => self.flows_to(index, id, dest),
            Slot::Arg(_) => {}
        }
    }
}

/// Whether a method is called on a number: none of those takes anything over.
pub fn is_number(tracer: &Tracer, index: u32, statement: &Statement) -> bool {
    let receiver = tracer.body(index).body.args(statement).first().and_then(|a| a.as_place());
    receiver.is_some_and(|(_, place)| matches!(tracer.model.ty(tracer.ty(index, place)), TyData::Prim(_)))
}

/// The slot that operand `at` of a call fills. Rows of methods count their receiver apart, also in `Type::f(receiver)`.
pub fn slot(row: &FnRow, at: usize) -> Slot {
    match row.owner {
        Owner::Receiver | Owner::Trait if at == 0 => Slot::Receiver,
        Owner::Receiver | Owner::Trait => Slot::Arg(at as u8 - 1),
        _ => Slot::Arg(at as u8),
    }
}

/// Whether a function takes over what is in a slot.
pub fn adopts(row: &FnRow, slot: Slot) -> bool {
    row.adopts.is_some_and(|a| Slot::Arg(a.arg) == slot)
}

/// Whether a place is a local or what its wrappers hold, and not a mere part of it: `(x as Some).0`, but not `x.stdout`
/// nor `(x as Child).stdout`.
pub fn covers(tracer: &Tracer, index: u32, place: PlaceId) -> bool {
    let typed = tracer.body(index);
    let mut below_variant = false;
    typed.body.projections_of(place).iter().all(|step| {
        let fine = match step {
            Projection::Field(name) => below_variant && tracer.model.name(typed.at.file, *name) == known::ZERO,
            Projection::Deref | Projection::Variant(_) | Projection::Success | Projection::Output => true,
            Projection::Element => false,
        };
        below_variant = matches!(step, Projection::Variant(_));
        fine
    })
}

/// By function, the effects of its parameters with those of all it passes them to: the least fixpoint, which does not
/// depend on the order.
pub fn solve(uses: &FxHashMap<DefId, &ParamUses>) -> FxHashMap<DefId, Vec<Effects>> {
    let mut solved: FxHashMap<DefId, Vec<Effects>> = uses.iter().map(|(&def, u)| (def, u.own.clone())).collect();
    loop {
        let mut changed = false;
        for (def, uses) in uses {
            for &(param, callee, arg, tail) in &uses.passed {
                let theirs = match solved.get(&callee) {
                    Some(effects) => effects.get(arg as usize).copied().unwrap_or(Effects::UNKNOWN),
                    None => Effects::UNKNOWN,
                };
                // What the callee returns is followed in the caller, unless it is the caller's own result.
                let theirs = if tail { theirs } else { Effects(theirs.0 & !Effects::RETURNS.0) };
                let own = solved.get_mut(def).expect("every function has an entry");
                changed |= own[param as usize].add(theirs);
            }
        }
        if !changed {
            return solved;
        }
    }
}
