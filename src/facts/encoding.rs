//! How facts are written where the derived form would waste bytes and time: what is there most often takes one byte.

use super::body::{self, LocalId, LocalKind, Operand, ScopeId};
use super::types::TypeId;
use super::{NameId, Run};
use crate::source::TextRange;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The tag is written below the index, so that small indices take few bytes; "none" is written as 0.
impl Serialize for Operand {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0.rotate_left(4).wrapping_add(1))
    }
}

impl<'de> Deserialize<'de> for Operand {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Operand, D::Error> {
        u32::deserialize(deserializer).map(|raw| Operand(raw.wrapping_sub(1).rotate_right(4)))
    }
}

/// How a local is written: most are temporaries, of which only the scope is known.
#[derive(Serialize, Deserialize)]
pub(super) enum Local {
    Temp(ScopeId),
    Other(LocalKind, NameId, TypeId, ScopeId, LocalId, bool, TextRange),
}

impl From<body::Local> for Local {
    fn from(local: body::Local) -> Local {
        let body::Local { kind, name, ty, scope, outer, by_ref, span } = local;
        match kind {
            LocalKind::Temp if name.is_none() && ty.is_none() => Local::Temp(scope),
            _ => Local::Other(kind, name, ty, scope, outer, by_ref, span),
        }
    }
}

impl From<Local> for body::Local {
    fn from(written: Local) -> body::Local {
        match written {
            Local::Temp(scope) => body::Local::temp(scope),
            Local::Other(kind, name, ty, scope, outer, by_ref, span) => {
                body::Local { kind, name, ty, scope, outer, by_ref, span }
            }
        }
    }
}

/// How runs are written that are mostly empty: without a start if there is nothing in them.
pub(super) mod sparse {
    use super::{Deserializer, Run, Serializer};
    use serde::de::{SeqAccess, Visitor};
    use serde::ser::SerializeTuple;

    pub fn serialize<S: Serializer>(run: &Run, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(if run.len == 0 { 1 } else { 2 })?;
        tuple.serialize_element(&run.len)?;
        if run.len > 0 {
            tuple.serialize_element(&run.start)?;
        }
        tuple.end()
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Run, D::Error> {
        deserializer.deserialize_tuple(2, Parts)
    }

    struct Parts;

    impl<'de> Visitor<'de> for Parts {
        type Value = Run;

        fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
            f.write_str("a length, and a start if it is not 0")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Run, A::Error> {
            let len = parts.next_element()?.unwrap_or_default();
            let start = if len == 0 { 0 } else { parts.next_element()?.unwrap_or_default() };
            Ok(Run { start, len })
        }
    }
}
