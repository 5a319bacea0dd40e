//! What a row says about caches: what gives them a limit.

use serde::Deserialize;

/// A cache that keeps what it is given for ever, unless it is told not to.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cache {
    /// Calls on its builder or on itself that limit it; for an attribute, names among its arguments.
    pub bounded_by: Vec<String>,
    /// The argument that limits it: there is no limit only if that is a `MAX`.
    pub limit: Option<u8>,
}
