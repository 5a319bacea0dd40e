//! How facts are written where the derived form would waste bytes and time: what is there most often takes one byte.

use super::body::{self, LocalId, LocalKind, Operand, ScopeId};
use super::types::TypeId;
use super::{NameId, Run};
use crate::source::TextRange;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::marker::PhantomData;

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
    use super::{SeqAccess, Visitor};
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

/// Statements without the first operand: each begins where the one before it ends.
pub(super) mod statements {
    use super::body::{Op, PlaceId, Statement};
    use super::{Deserializer, Serializer, restored};

    type Written = (Op, u16, PlaceId, u32);

    pub fn serialize<S: Serializer>(list: &[Statement], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(list.iter().map(|s| -> Written { (s.op, s.args, s.dest, s.data) }))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Statement>, D::Error> {
        let mut first = 0u32;
        restored(deserializer, |(op, args, dest, data): Written| {
            let statement = Statement { op, args, dest, data, first };
            first = first.wrapping_add(u32::from(args));
            statement
        })
    }
}

/// Spans by their length and their distance from the one before, if there is one.
pub(super) mod spans {
    use super::{Deserializer, Serializer, TextRange, restored};

    pub fn serialize<S: Serializer>(list: &[TextRange], serializer: S) -> Result<S::Ok, S::Error> {
        let mut last = 0;
        serializer.collect_seq(list.iter().map(|span| match span.hi {
            0 => (0, 0),
            _ => {
                let distance = span.lo.wrapping_sub(std::mem::replace(&mut last, span.lo)) as i32;
                (span.hi - span.lo + 1, distance)
            }
        }))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<TextRange>, D::Error> {
        let mut last = 0u32;
        restored(deserializer, |(len, distance): (u32, i32)| match len {
            0 => TextRange::default(),
            _ => {
                last = last.wrapping_add_signed(distance);
                TextRange { lo: last, hi: last.wrapping_add(len - 1) }
            }
        })
    }
}

/// Paths: most are plain, and each begins in the table of segments where the one before it ends.
pub(super) mod paths {
    use super::{Deserialize, Deserializer, Run, Serialize, Serializer, TypeId, restored};
    use crate::facts::types::PathNode;

    #[derive(Serialize, Deserialize)]
    enum Written {
        Plain(u32),
        Other(bool, TypeId, u32, u32),
    }

    pub fn serialize<S: Serializer>(list: &[PathNode], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(list.iter().map(|path| match path.global || !path.qself.is_none() {
            false => Written::Plain(path.segments.len),
            true => Written::Other(path.global, path.qself, path.trait_segments, path.segments.len),
        }))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathNode>, D::Error> {
        let mut start = 0u32;
        restored(deserializer, |written| {
            let (global, qself, trait_segments, len) = match written {
                Written::Plain(len) => (false, TypeId::NONE, 0, len),
                Written::Other(global, qself, trait_segments, len) => (global, qself, trait_segments, len),
            };
            let segments = Run { start, len };
            start = start.wrapping_add(len);
            PathNode { global, qself, trait_segments, segments }
        })
    }
}

/// Reads a list whose entries are `restore`d one after the other.
fn restored<'de, D: Deserializer<'de>, W: Deserialize<'de>, T>(
    deserializer: D,
    restore: impl FnMut(W) -> T,
) -> Result<Vec<T>, D::Error> {
    struct List<F, W>(F, PhantomData<W>);

    impl<'de, W: Deserialize<'de>, T, F: FnMut(W) -> T> Visitor<'de> for List<F, W> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut entries: A) -> Result<Vec<T>, A::Error> {
            let mut list = Vec::with_capacity(entries.size_hint().unwrap_or(0).min(1 << 16));
            while let Some(entry) = entries.next_element()? {
                list.push((self.0)(entry));
            }
            Ok(list)
        }
    }

    deserializer.deserialize_seq(List(restore, PhantomData))
}
