//! From a syntax tree to facts.
//!
//! Lowering sees one file's text and nothing else: it resolves no path, knows no lint, no config and no API table. Local
//! variables are resolved here, since that is a matter of scopes alone; every other name is left as written.

mod attributes;
mod body;
mod branches;
mod captures;
mod closures;
mod control;
mod env;
mod expr;
mod format;
mod item_macros;
mod items;
mod loops;
mod macros;
mod names;
mod opaque;
mod paths;
mod patterns;
mod ranges;
mod select;
#[cfg(test)]
mod tests;

use crate::facts::body::LocalId;
use crate::facts::{BodyHeader, BodyId, BodyKind, FileFacts, Header, ItemId, ModuleId, NameId, Run};
use crate::source::TextRange;
use body::BodyState;
use names::Interner;
use ranges::Lines;

/// The facts of a file. `code` is the text that `tree` was parsed from and `offset` where it begins in the file on disk;
/// `lines` is the number of lines of the latter.
pub fn file(tree: &syn::File, code: &str, offset: u32, lines: u32) -> FileFacts {
    let mut lowerer = Lowerer {
        names: Interner::default(),
        header: Header { lines, ..Header::default() },
        encoded: Vec::with_capacity(code.len()),
        lines: Lines::new(code, offset),
        stack: Vec::new(),
        spare: Vec::new(),
        upgrades: Vec::new(),
    };
    lowerer.root(tree);
    lowerer.encoded.shrink_to_fit();
    FileFacts { names: lowerer.names.names, header: lowerer.header, encoded: lowerer.encoded }
}

/// The facts of a text, for tests.
#[cfg(test)]
pub(crate) fn text(text: &str) -> FileFacts {
    file(&syn::parse_str(text).expect("the test's text is Rust"), text, 0, text.lines().count() as u32)
}

/// The state of lowering one file. Bodies in progress are a stack: the innermost closure or nested item is its top.
struct Lowerer {
    names: Interner,
    header: Header,
    encoded: Vec<u8>,
    lines: Lines,
    stack: Vec<BodyState>,
    /// Finished bodies, whose memory the next ones take over.
    spare: Vec<BodyState>,
    /// Weak references that the next closure takes along and upgrades.
    upgrades: Vec<NameId>,
}

/// Where a body stands, as far as its header tells.
#[derive(Clone, Copy)]
struct BodyPlace {
    kind: BodyKind,
    item: ItemId,
    module: ModuleId,
    flags: u8,
    span: TextRange,
}

impl Lowerer {
    fn name(&mut self, text: &str) -> NameId {
        self.names.intern(text)
    }

    fn ident(&mut self, ident: &syn::Ident) -> NameId {
        self.names.intern_ident(ident)
    }

    /// The body being built.
    fn top(&mut self) -> &mut BodyState {
        self.stack.last_mut().expect("expressions are lowered within a body")
    }

    /// Starts a body; its id comes before those of the bodies nested in it.
    fn open_body(&mut self, place: BodyPlace) -> BodyId {
        let id = BodyId(self.header.bodies.len() as u32);
        let nested = matches!(place.kind, BodyKind::Closure | BodyKind::AsyncBlock);
        let parent = self.stack.last().filter(|_| nested).map_or(BodyId::NONE, |outer| outer.id);
        self.header.bodies.push(BodyHeader {
            kind: place.kind,
            flags: place.flags,
            item: place.item,
            parent,
            module: place.module,
            span: place.span,
            calls: Run::default(),
            fields: Run::default(),
            bytes: Run::default(),
        });
        let mut state = self.spare.pop().unwrap_or_default();
        state.begin(id, place.kind, place.module);
        self.stack.push(state);
        id
    }

    /// Ends the top body: closes its flow, writes header and encoding, and returns what it captured.
    fn close_body(&mut self) -> Vec<(LocalId, LocalId)> {
        let mut state = self.stack.pop().expect("a body was opened");
        state.finish();
        let calls = self.name_run(&mut state.calls);
        let fields = self.name_run(&mut state.fields);
        let start = self.encoded.len();
        self.encoded = postcard::serialize_with_flavor(&state.body, Bytes(std::mem::take(&mut self.encoded)))
            .expect("a body has only types that postcard encodes");
        let header = &mut self.header.bodies[state.id.index()];
        header.flags |= state.flags;
        header.module = state.module;
        header.calls = calls;
        header.fields = fields;
        header.bytes = Run { start: start as u32, len: (self.encoded.len() - start) as u32 };
        let captures = std::mem::take(&mut state.captures);
        state.clear();
        self.spare.push(state);
        captures
    }

    /// Sorted, without repeats, as a run of `body_names`.
    fn name_run(&mut self, names: &mut Vec<NameId>) -> Run {
        names.sort_unstable();
        names.dedup();
        let start = self.header.body_names.len() as u32;
        self.header.body_names.extend_from_slice(names);
        Run { start, len: names.len() as u32 }
    }
}

/// Where bodies are encoded to. Almost all that is written are numbers of one to three bytes, which are not worth a call
/// each.
struct Bytes(Vec<u8>);

impl postcard::ser_flavors::Flavor for Bytes {
    type Output = Vec<u8>;

    #[inline(always)]
    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        match *data {
            [a] => self.0.push(a),
            [a, b] => self.0.extend_from_slice(&[a, b]),
            [a, b, c] => self.0.extend_from_slice(&[a, b, c]),
            _ => self.0.extend_from_slice(data),
        }
        Ok(())
    }

    #[inline(always)]
    fn try_push(&mut self, data: u8) -> postcard::Result<()> {
        self.0.push(data);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Vec<u8>> {
        Ok(self.0)
    }
}
