//! leaklint finds resource leaks in Rust sources.

pub mod diagnostic;
pub mod facts;
pub mod lower;
pub mod source;
