//! The operators of statements. Knows nothing of what they are applied to.

use serde::{Deserialize, Serialize};

/// A binary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u32)]
pub enum BinaryOp {
    /// `+ - /`.
    Arithmetic = 0,
    /// `*`.
    Mul = 1,
    /// `%`.
    Rem = 2,
    /// `| ^`.
    Bits = 3,
    /// `&`.
    And = 4,
    /// `<<`.
    Shl = 5,
    /// `>>`.
    Shr = 6,
    /// `==`.
    Eq = 7,
    /// `!=`.
    Ne = 8,
    /// `<`.
    Lt = 9,
    /// `<=`.
    Le = 10,
    /// `>`.
    Gt = 11,
    /// `>=`.
    Ge = 12,
}

impl BinaryOp {
    /// The operator in [`Statement::data`] of an [`Op::Binary`].
    pub fn from_data(data: u32) -> BinaryOp {
        use BinaryOp::*;
        [Arithmetic, Mul, Rem, Bits, And, Shl, Shr, Eq, Ne, Lt, Le, Gt, Ge][data as usize]
    }

    /// Whether it makes a number of two, and does not compare them.
    pub fn computes(self) -> bool {
        (self as u32) < BinaryOp::Eq as u32
    }
}
