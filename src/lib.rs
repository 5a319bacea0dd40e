//! leaklint finds resource leaks in Rust sources.

pub mod apis;
pub mod diagnostic;
pub mod facts;
pub mod lower;
pub mod model;
pub mod source;
