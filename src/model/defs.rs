//! Everything declared in the run: where it stands and what it belongs to.

use super::paths::{ModRef, Res, Scope};
use super::symbols::{Symbol, known};
use super::types::TyData;
use super::{LinkedFile, Model, TargetKind};
use crate::facts::body::Body;
use crate::facts::{BodyHeader, BodyId, Field, Generic, Item, ItemId, ItemKind, ModuleKind, Variant, item_flags};
use crate::source::{FileId, Span};

/// An item of some file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DefId(pub u32);

/// A body of some file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BodyRef {
    /// The file.
    pub file: FileId,
    /// The body.
    pub body: BodyId,
}

/// Where an item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Def {
    /// Its file.
    pub file: FileId,
    /// The item.
    pub item: ItemId,
    /// The module it stands in.
    pub module: ModRef,
    /// The impl, trait or foreign block it stands in.
    pub parent: Option<DefId>,
}

pub(super) fn build(files: &[LinkedFile]) -> Vec<Def> {
    let mut defs =
        Vec::with_capacity(files.last().map_or(0, |f| f.first_def as usize + f.unit.facts.header.items.len()));
    for file in files {
        for (index, item) in file.unit.facts.header.items.iter().enumerate() {
            defs.push(Def {
                file: file.unit.id,
                item: ItemId(index as u32),
                module: ModRef(file.first_module + item.module.0),
                parent: item.parent.get().map(|p| DefId(file.first_def + p.0)),
            });
        }
    }
    defs
}

impl Model {
    /// All items, by number.
    pub fn defs(&self) -> impl Iterator<Item = DefId> + use<> {
        (0..self.defs.len() as u32).map(DefId)
    }

    /// Where an item stands.
    pub fn def(&self, def: DefId) -> &Def {
        &self.defs[def.0 as usize]
    }

    /// The facts of an item.
    pub fn item(&self, def: DefId) -> &Item {
        let Def { file, item, .. } = *self.def(def);
        &self.header(file).items[item.index()]
    }

    /// The number of a file's item.
    pub fn def_id(&self, file: FileId, item: ItemId) -> DefId {
        DefId(self.linked(file).first_def + item.0)
    }

    /// The name of an item; empty for impl and foreign blocks.
    pub fn def_name(&self, def: DefId) -> Symbol {
        self.item(def).name.get().map_or(known::EMPTY, |n| self.name(self.def(def).file, n))
    }

    /// Where an item is named.
    pub fn def_span(&self, def: DefId) -> Span {
        Span { file: self.def(def).file, range: self.item(def).span }
    }

    /// The names in scope within an item.
    pub fn scope_of_def(&self, def: DefId) -> Scope {
        let Def { file, module, .. } = *self.def(def);
        Scope { file, module, item: Some(def) }
    }

    /// The impl or trait that an item is a member of.
    pub fn container(&self, def: DefId) -> Option<DefId> {
        self.def(def).parent.filter(|&p| matches!(self.item(p).kind, ItemKind::Impl | ItemKind::Trait))
    }

    /// The impl that an item is a member of.
    pub fn impl_of(&self, def: DefId) -> Option<DefId> {
        self.def(def).parent.filter(|&p| self.item(p).kind == ItemKind::Impl)
    }

    /// The trait that a method declares or implements a method of.
    pub fn trait_of(&self, def: DefId) -> Option<Res> {
        let parent = self.container(def)?;
        if self.item(parent).kind == ItemKind::Trait { Some(Res::Def(parent)) } else { self.impl_trait(parent) }
    }

    /// Whether an item is compiled for tests only, or part of a test, benchmark or example.
    pub fn is_test(&self, def: DefId) -> bool {
        let Def { module, .. } = *self.def(def);
        self.item(def).flags & item_flags::TEST != 0 || self.module(module).test || self.target(def).is_test()
    }

    /// Whether the crate of an item, or its package, is there for tests by its name: `e2e-runner`, `wiremock`.
    pub fn is_for_tests_by_name(&self, def: DefId) -> bool {
        let krate = self.crate_of(self.def(def).module);
        let package = krate.package.map(|at| self.packages[at].name);
        [Some(krate.name), package].into_iter().flatten().any(|name| names_tests(self.text(name)))
    }

    /// The kind of target that an item is part of.
    pub fn target(&self, def: DefId) -> TargetKind {
        self.crate_of(self.def(def).module).kind
    }

    /// The fields of a struct or union.
    pub fn fields_of(&self, def: DefId) -> &[Field] {
        self.item(def).fields.of(&self.header(self.def(def).file).fields)
    }

    /// The variants of an enum.
    pub fn variants_of(&self, def: DefId) -> &[Variant] {
        self.item(def).variants.of(&self.header(self.def(def).file).variants)
    }

    /// Whether a type is an enum of which there is no value: a placeholder.
    pub fn is_empty_enum(&self, def: DefId) -> bool {
        self.item(def).kind == ItemKind::Enum && self.variants_of(def).is_empty()
    }

    /// The fields of a variant.
    pub fn variant_fields(&self, def: DefId, variant: u32) -> &[Field] {
        self.variants_of(def)[variant as usize].fields.of(&self.header(self.def(def).file).fields)
    }

    /// The generic parameters of an item itself.
    pub fn generics_of(&self, def: DefId) -> &[Generic] {
        self.item(def).generics.of(&self.header(self.def(def).file).generics)
    }

    /// The header of a body.
    pub fn body_header(&self, at: BodyRef) -> &BodyHeader {
        &self.header(at.file).bodies[at.body.index()]
    }

    /// Decodes a body.
    pub fn body(&self, at: BodyRef) -> Body {
        self.file(at.file).facts.body(at.body)
    }

    /// The body of a function, or the initialiser of a static or const.
    pub fn body_of(&self, def: DefId) -> Option<BodyRef> {
        let body = self.item(def).body.get()?;
        Some(BodyRef { file: self.def(def).file, body })
    }

    /// The function, static or const that a body stands in.
    pub fn owner(&self, at: BodyRef) -> DefId {
        self.def_id(at.file, self.body_header(at).item)
    }

    /// The closures and async blocks that stand directly in a body.
    pub fn nested(&self, at: BodyRef) -> impl Iterator<Item = BodyRef> + '_ {
        let bodies = &self.header(at.file).bodies;
        // A nested body's number comes after that of the body it stands in.
        let end = self.linked(at.file).nested_end[at.body.index()];
        let inside = (at.body.0 + 1..end).map(BodyId);
        inside.filter(move |b| bodies[b.index()].parent == at.body).map(move |body| BodyRef { body, ..at })
    }

    /// The function's own body, for a closure or async block in it.
    pub fn root_of(&self, at: BodyRef) -> BodyRef {
        let mut body = at.body;
        while let Some(parent) = self.header(at.file).bodies[body.index()].parent.get() {
            body = parent;
        }
        BodyRef { body, ..at }
    }

    /// The names in scope within a body.
    pub fn scope_of_body(&self, at: BodyRef) -> Scope {
        let header = self.body_header(at);
        let item = header.item.get().map(|i| self.def_id(at.file, i));
        Scope { file: at.file, module: self.module_ref(at.file, header.module), item }
    }

    /// `krate::a::b` of a module.
    pub fn module_path(&self, module: ModRef) -> Symbol {
        let data = self.module(module);
        match data.parent {
            Some(parent) => {
                let path = self.module_path(parent);
                if data.name == known::EMPTY { path } else { self.symbols.join(path, data.name) }
            }
            None => self.crate_of(module).name,
        }
    }

    /// `krate::a::Type::method`. An impl block has the path of its type.
    pub fn def_path(&self, def: DefId) -> Symbol {
        let Def { module, .. } = *self.def(def);
        let name = self.def_name(def);
        match self.container(def) {
            Some(parent) => self.symbols.join(self.def_path(parent), name),
            None if self.item(def).kind == ItemKind::Impl => self.impl_path(def),
            None => self.symbols.join(self.module_path(module), name),
        }
    }

    fn impl_path(&self, def: DefId) -> Symbol {
        match *self.ty(self.peel_refs(self.item_ty(def))) {
            TyData::Adt(ty, _) if ty != def => self.def_path(ty),
            TyData::External(path, _) | TyData::Prim(path) => path,
            _ => self.module_path(self.def(def).module),
        }
    }

    /// The path of an item within its crate, as diagnostics name it: `a::Type::method`, `<a::Type as Trait>::method`.
    pub fn item_path(&self, def: DefId) -> String {
        let within = |path: Symbol, module: ModRef| {
            let (text, name) = (self.text(path), self.text(self.crate_of(module).name));
            text.strip_prefix(name).and_then(|t| t.strip_prefix("::")).unwrap_or(text).to_owned()
        };
        let Def { module, file, .. } = *self.def(def);
        let of_trait = self.impl_of(def).and_then(|i| Some((i, self.item(i).of_trait.get()?)));
        let Some((block, of_trait)) = of_trait else {
            return within(self.def_path(def), module);
        };
        let last = self.header(file).types.last_name(of_trait);
        let of_trait = last.get().map_or(known::EMPTY, |n| self.name(file, n));
        let (ty, name) = (within(self.def_path(block), module), self.text(self.def_name(def)));
        format!("<{ty} as {}>::{name}", self.text(of_trait))
    }

    /// Whether a module is a function's body.
    pub(super) fn is_body_module(&self, module: ModRef) -> bool {
        self.module(module).kind == ModuleKind::Body
    }
}

/// Whether one of the words of a crate's name says that it is for tests: `pp_bench`, `httpmock`, `mockito`.
fn names_tests(name: &str) -> bool {
    const WORDS: [&str; 11] =
        ["bench", "benches", "benchmark", "e2e", "fuzz", "fuzzing", "mocks", "test", "testing", "tests", "testutils"];
    name.split(['_', '-']).any(|word| WORDS.contains(&word) || word.starts_with("mock") || word.ends_with("mock"))
}
