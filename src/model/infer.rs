//! Types of the locals of a function and of the closures in it, and what each call calls.

use super::defs::{BodyRef, DefId};
use super::symbols::Symbol;
use super::types::Ty;
use crate::facts::body::{Body, StatementId};

/// What a call calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Callee {
    /// A function or method of the run (for a call through a trait, the trait's method); see [`super::Model::twins`].
    Def(DefId),
    /// A tuple struct or variant constructor of the run: the struct or enum.
    Constructor(DefId),
    /// A function or method of another crate, by canonical path. That it has a row in the tables is not said.
    External(Symbol),
    /// A method on a receiver of unknown type that a row says can be told by its name: the row's path.
    Distinctive(Symbol),
    /// A closure of this function.
    Closure(BodyRef),
    /// Not known, or the statement is no call.
    Unknown,
}

/// The types of one body.
#[derive(Debug, Clone, Default)]
pub struct BodyTypes {
    /// By local.
    pub locals: Vec<Ty>,
    /// By place, as they stand.
    pub places: Vec<Ty>,
    /// By statement.
    pub callees: Vec<Callee>,
}

impl BodyTypes {
    /// What a statement calls.
    pub fn callee(&self, statement: StatementId) -> Callee {
        self.callees[statement.index()]
    }
}

/// A body with its types.
#[derive(Debug, Clone)]
pub struct TypedBody {
    /// Which.
    pub at: BodyRef,
    /// Its control flow.
    pub body: Body,
    /// Its types.
    pub types: BodyTypes,
}

/// A function (or initialiser) with the closures and async blocks in it.
#[derive(Debug, Clone)]
pub struct TypedFn {
    /// The function's own body first; every body after the one it stands in.
    pub bodies: Vec<TypedBody>,
}

impl TypedFn {
    /// The function's own body.
    pub fn root(&self) -> &TypedBody {
        &self.bodies[0]
    }

    /// One of its bodies.
    pub fn body(&self, at: BodyRef) -> Option<&TypedBody> {
        self.bodies.iter().find(|b| b.at == at)
    }
}
