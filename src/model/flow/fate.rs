//! What is asked of a walk, and what it finds: how an obligation is met, and what became of the value.

use super::super::pairs::Pair;
use super::super::{DefId, Symbol};
use crate::apis::{Acquires, Condition, DropEffect, Obligation, ObligationKind};
use crate::facts::body::{BlockId, EdgeKind, LocalId, StatementId};
use crate::source::TextRange;

/// How an obligation is met.
#[derive(Debug, Clone)]
pub struct Terms<'a> {
    /// Its kind.
    pub kind: ObligationKind,
    /// Whether the value is `Copy`: using it does not move it, only a release or a store meets the obligation.
    pub copy: bool,
    /// Methods that end what it stands for without meeting it.
    pub ended_by: &'a [String],
    /// Paths of functions that take it back.
    pub released_by: &'a [String],
    /// Functions of the run that take it back.
    pub given_back_to: &'a [DefId],
    /// Whether dropping the value does all that is owed; then only being told to go on without an owner loses it.
    pub safe_drop: bool,
    /// How the result looks if something was acquired; by default what is negative or null was not.
    pub ok: Option<Condition>,
    /// The argument behind which it is put; the result is then a status.
    pub out: Option<u8>,
    /// Whether it is owed after a failure too.
    pub also_on_failure: bool,
    /// The component that holds it, if the call gives a tuple.
    pub part: Option<u8>,
    /// Whether a value of the run's types that it is put into is followed in its place.
    pub around: bool,
}

impl<'a> Terms<'a> {
    /// Those of a value of a type with an obligation.
    pub fn of_value(obligation: &'a Obligation) -> Terms<'a> {
        Terms { ended_by: &obligation.ended_by, safe_drop: drops_safely(obligation), ..Terms::of(obligation.kind) }
    }

    /// Those of a raw value that a library function gives.
    pub fn of_raw(acquires: &'a Acquires) -> Terms<'a> {
        Terms {
            copy: true,
            released_by: &acquires.released_by,
            ok: acquires.ok.clone(),
            out: acquires.out,
            also_on_failure: acquires.also_on_failure,
            ..Terms::of(acquires.kind)
        }
    }

    /// Those of what a foreign function gives.
    pub fn of_pair(pair: &Pair) -> Terms<'a> {
        Terms { copy: true, out: pair.out, ..Terms::of(ObligationKind::Handle) }
    }

    /// Those of a value that is made to be shared: it is lost where the last that holds it is dropped, whatever that does.
    pub fn of_shared(obligation: &'a Obligation) -> Terms<'a> {
        Terms { ended_by: &obligation.ended_by, around: true, ..Terms::of(obligation.kind) }
    }

    /// Those of a value about which nothing else is known.
    pub fn of(kind: ObligationKind) -> Terms<'a> {
        Terms {
            kind,
            copy: false,
            ended_by: &[],
            released_by: &[],
            given_back_to: &[],
            safe_drop: false,
            ok: None,
            out: None,
            also_on_failure: false,
            part: None,
            around: false,
        }
    }
}

/// How a value is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lost {
    /// It was never bound: it dies with its statement.
    Discarded,
    /// A name held it to the end of its scope.
    ScopeEnd,
    /// An exit was taken while it was held.
    Exit(EdgeKind),
    /// Something else was assigned to the name that held it.
    Overwritten,
    /// It was told to go on without an owner.
    Detached,
    /// A function of the run took it and dropped it.
    InCallee(DefId),
}

/// One way to lose it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// How.
    pub lost: Lost,
    /// Where: the exit, or the end of what held it; empty if that is nothing one can point at.
    pub at: TextRange,
    /// Whether it was ended, though not released, before (`kill` without `wait`).
    pub ended: bool,
    /// Whether foreign code was given it before.
    pub lent: bool,
    /// The local that held it last.
    pub holder: LocalId,
    /// Branches taken on the way, in order.
    pub way: Vec<BlockId>,
}

/// A statement that stores a value in an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stored {
    /// The literal, constructor, call or assignment.
    pub statement: StatementId,
    /// Which of its operands is the value; none if that is not one of them.
    pub operand: Option<u16>,
}

/// What becomes of a value.
#[derive(Debug, Clone, Default)]
pub struct Fate {
    /// Ways to lose it, in the order of the text.
    pub losses: Vec<Loss>,
    /// Where it is released.
    pub releases: Vec<TextRange>,
    /// Where it is stored in an owner.
    pub stored: Vec<Stored>,
    /// Fields in which a function that gets it keeps it.
    pub kept_in: Vec<(DefId, Symbol)>,
    /// Whether it is returned.
    pub returned: bool,
    /// The component of a tuple that it was made part of last.
    pub part: Option<u8>,
    /// Whether it goes where it cannot be followed.
    pub escapes: bool,
    /// Whether C code gets it whose name says that it may keep it.
    pub kept_by_c: bool,
    /// Whether the walk was given up.
    pub gave_up: bool,
}

impl Fate {
    /// The loss to show: the end of a name before an exit, and one that is certain before one by cancellation.
    pub fn worst(&self) -> Option<&Loss> {
        self.losses.iter().min_by_key(|loss| match loss.lost {
            Lost::Exit(EdgeKind::Cancel) => 2,
            Lost::Exit(_) => 1,
            _ => 0,
        })
    }
}

/// Whether dropping such a value does all that is owed.
pub fn drops_safely(obligation: &Obligation) -> bool {
    matches!(obligation.drop, DropEffect::Aborts | DropEffect::Closes | DropEffect::Joins)
}
