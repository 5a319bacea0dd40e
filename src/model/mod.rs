//! All facts of a run, linked.

/// What lints look at.
pub struct Model;
