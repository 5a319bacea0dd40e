//! Small questions about types and items that several analyses ask.

use super::{
    BodyRef, Callee, Crate, CrateId, DefId, Model, Namespace, Res, Symbol, TargetKind, Ty, TyData, TypedBody, Used,
};
use crate::apis::{AttributeRow, FnRow, Heat, Obligation};
use crate::facts::body::Projection;
use crate::facts::types::PathId;
use crate::facts::{Attribute, ItemKind, Variant};
use crate::source::{FileId, Span};
use crate::version::Version;
use rustc_hash::FxHashSet;

impl Model {
    /// The struct or enum of the run that has field `name`, seen from a value of type `ty`.
    pub fn field_owner(&self, ty: Ty, name: Symbol) -> Option<DefId> {
        self.autoderef(ty).find_map(|ty| match self.ty(ty) {
            &TyData::Adt(def, _) if self.has_field(def, name) => Some(def),
            _ => None,
        })
    }

    fn has_field(&self, def: DefId, name: Symbol) -> bool {
        let file = self.def(def).file;
        let header = &self.file(file).facts.header;
        let item = self.item(def);
        let variants = item.variants.of(&header.variants).iter().map(|v: &Variant| v.fields);
        std::iter::once(item.fields)
            .chain(variants)
            .any(|fields| fields.of(&header.fields).iter().any(|f| self.name(file, f.name) == name))
    }

    /// The static, const or function that a path in a body means.
    pub fn resolve_value(&self, typed: &TypedBody, path: PathId) -> Option<DefId> {
        let scope = self.scope_of_body(typed.at);
        match self.resolve(&scope, &typed.body.types, path, Namespace::Value) {
            Res::Def(def) => Some(def),
            _ => None,
        }
    }

    /// The type with all `Result`s, `Option`s and futures around it taken off.
    pub fn payload(&self, ty: Ty) -> Ty {
        let mut ty = ty;
        for _ in 0..4 {
            let inner = match self.ty(ty) {
                TyData::Future { output, .. } => *output,
                _ => self.success(ty),
            };
            if inner == Ty::UNKNOWN || inner == ty {
                return ty;
            }
            ty = inner;
        }
        ty
    }

    /// What the owner of a value of that type has to do.
    pub fn obligation(&self, ty: Ty) -> Option<&'static Obligation> {
        self.type_row(ty)?.obligation.as_ref()
    }

    /// Whether code says `#[allow(clippy::x)]` or `#[expect(clippy::x)]` around a place, for one of these names.
    pub fn allows_clippy(&self, at: Span, names: &[String]) -> bool {
        let file = self.file(at.file);
        let header = &file.facts.header;
        header.attributes.iter().filter(|a| a.target.contains(at.range)).any(|attribute| {
            let level = header.types.last_name(attribute.path).get().map_or("", |n| file.facts.names.get(n));
            let mut words = attribute.words.of(&header.words).iter().map(|&w| file.facts.names.get(w));
            matches!(level, "allow" | "expect")
                && words.any(|w| w == "clippy")
                && attribute.words.of(&header.words).iter().any(|&w| names.iter().any(|n| n == file.facts.names.get(w)))
        })
    }

    /// Whether a place is compiled only where `cfg` says one of these words: `windows`, `target_os = "windows"`, but not
    /// `not(windows)`.
    pub fn is_only_for(&self, at: Span, words: &[String]) -> bool {
        let file = self.file(at.file);
        let header = &file.facts.header;
        header.attributes.iter().filter(|a| a.target.contains(at.range)).any(|attribute| {
            let is_cfg = header.types.last_name(attribute.path).get().is_some_and(|n| file.facts.names.get(n) == "cfg");
            let said: Vec<&str> = attribute.words.of(&header.words).iter().map(|&w| file.facts.names.get(w)).collect();
            is_cfg
                && !said.contains(&"not")
                && !said.contains(&"any")
                && said.iter().any(|w| words.iter().any(|o| o == w))
        })
    }

    /// The function of the run that a value of that type is.
    pub fn fn_def(&self, ty: Ty) -> Option<DefId> {
        match *self.ty(ty) {
            TyData::FnDef(def) => Some(def),
            _ => None,
        }
    }

    /// Whether a function calls something of that name.
    pub fn calls_name(&self, def: DefId, name: &str) -> bool {
        let Some(body) = self.body_of(def) else { return false };
        let file = self.file(body.file);
        let header = &file.facts.header;
        self.body_header(body).calls.of(&header.body_names).iter().any(|&n| file.facts.names.get(n) == name)
    }

    /// Last segments of what the bodies of a function call and name.
    pub fn names_called(&self, def: DefId) -> impl Iterator<Item = Symbol> + '_ {
        let body = self.body_of(def);
        body.into_iter().flat_map(move |at| {
            let header = self.header(at.file);
            let end = self.linked(at.file).nested_end[at.body.index()].max(at.body.0 + 1);
            let bodies = header.bodies[at.body.index()..end as usize].iter();
            bodies.flat_map(|body| body.calls.of(&header.body_names)).map(move |&name| self.name(at.file, name))
        })
    }

    /// Fields that the bodies of a function touch, by name.
    pub fn fields_touched(&self, root: BodyRef) -> impl Iterator<Item = Symbol> + '_ {
        let header = self.header(root.file);
        let end = self.linked(root.file).nested_end[root.body.index()].max(root.body.0 + 1);
        let bodies = header.bodies[root.body.index()..end as usize].iter();
        bodies.flat_map(|body| body.fields.of(&header.body_names)).map(move |&name| self.name(root.file, name))
    }

    /// Whether every value of an enum is one of its names.
    pub fn is_fieldless_enum(&self, def: DefId) -> bool {
        let item = self.item(def);
        let header = &self.file(self.def(def).file).facts.header;
        item.kind == ItemKind::Enum && item.variants.of(&header.variants).iter().all(|v| v.fields.len == 0)
    }

    /// Last segments of the attributes on an item, apart from those of the language.
    pub fn attribute_names(&self, def: DefId) -> Vec<Symbol> {
        let file = self.def(def).file;
        let header = &self.file(file).facts.header;
        let attributes = self.item(def).attributes.of(&header.attributes).iter();
        attributes.filter_map(|a| header.types.last_name(a.path).get()).map(|name| self.name(file, name)).collect()
    }

    /// The rows of the attributes on an item, with the attributes.
    pub fn attribute_rows(&self, def: DefId) -> impl Iterator<Item = (&'static AttributeRow, &Attribute)> + '_ {
        let file = self.def(def).file;
        let header = &self.file(file).facts.header;
        let names = &self.file(file).facts.names;
        let scope = self.scope_of_def(def);
        self.item(def).attributes.of(&header.attributes).iter().filter_map(move |attribute| {
            match self.resolve(&scope, &header.types, attribute.path, Namespace::Macro) {
                Res::External(path) => {
                    let row = self.apis.attribute(self.text(path))?;
                    let mut words = attribute.words.of(&header.words).iter().map(|&w| names.get(w));
                    let applies = row.with.as_ref().is_none_or(|with| words.any(|word| word == with));
                    applies.then_some((row, attribute))
                }
                _ => None,
            }
        })
    }

    /// How often a function runs because of an attribute on it or on the `impl` it stands in, and which attribute that is.
    pub fn attribute_heat(&self, def: DefId) -> Option<(&'static AttributeRow, Heat)> {
        let own = self.attribute_rows(def);
        let around = self.impl_of(def).into_iter().flat_map(|block| self.attribute_rows(block));
        own.chain(around).filter_map(|(row, _)| Some((row, row.heat?))).max_by_key(|(_, heat)| *heat as u8)
    }

    /// How often a method runs because of the trait it implements.
    pub fn trait_heat(&self, def: DefId) -> Option<Heat> {
        let parent = self.def(def).parent?;
        let of_trait = self.item(parent).of_trait.get()?;
        let file = self.def(parent).file;
        let scope = self.scope_of_def(parent);
        let table = &self.file(file).facts.header.types;
        let Res::External(path) = self.resolve(&scope, table, of_trait, Namespace::Type) else { return None };
        let row = self.apis.trait_row(self.text(path))?;
        let name = self.text(self.name(file, self.item(def).name));
        row.runs.get(name).copied().or(row.runs_all)
    }

    /// The row of what is called.
    pub fn callee_row(&self, callee: Callee) -> Option<&'static FnRow> {
        match callee {
            Callee::External(path) | Callee::Distinctive(path) => self.fn_row(path),
            _ => None,
        }
    }

    /// The type after one step into a place.
    pub fn project_ty(&self, ty: Ty, typed: &TypedBody, step: Projection) -> Ty {
        match step {
            Projection::Deref => self.deref(ty).unwrap_or(Ty::UNKNOWN),
            Projection::Success => self.success(ty),
            Projection::Output => self.awaited(ty),
            Projection::Element => self.element(ty),
            Projection::Field(name) => self.field_ty(ty, self.name(typed.at.file, name)),
            Projection::Variant(_) => ty,
        }
    }

    /// A type and the first arguments of the wrappers it is made of: `Arc<Mutex<HashMap<..>>>`, `Mutex<..>`, `HashMap<..>`.
    pub fn inside(&self, ty: Ty) -> impl Iterator<Item = Ty> + '_ {
        let step = |&ty: &Ty| match self.ty(ty) {
            TyData::Ref { to, .. } => Some(*to),
            TyData::External(_, args) => args.first().copied(),
            _ => None,
        };
        std::iter::successors(Some(ty), step).take(8)
    }

    /// A crate.
    pub fn crate_at(&self, id: CrateId) -> &Crate {
        &self.crates()[id.0 as usize]
    }

    /// The libraries of the run that a package uses, by package.
    fn uses(&self, package: usize) -> impl Iterator<Item = usize> + '_ {
        let crates = self.packages[package].dependencies.values();
        let crates = crates.filter_map(|d| if let Used::Crate(id) = d { Some(*id) } else { None });
        crates.filter_map(|id| self.crate_at(id).package)
    }

    /// The lowest version of a package that the package of a file asks for.
    pub fn version_used(&self, file: FileId, krate: &str) -> Option<Version> {
        let package = self.file(file).package?;
        self.packages[package].versions.get(&self.symbols.intern(krate)).copied()
    }

    /// Whether the code of one crate can use that of another: its package depends on the other's, itself or through others.
    pub fn is_built_on(&self, krate: CrateId, other: CrateId) -> bool {
        let (Some(package), Some(other)) = (self.crate_at(krate).package, self.crate_at(other).package) else {
            return true;
        };
        let built_on = self.built_on.get_or_init(|| (0..self.packages.len()).map(|p| self.all_used(p)).collect());
        built_on[package].contains(&other)
    }

    /// A package with all of the run that it is built on.
    fn all_used(&self, package: usize) -> FxHashSet<usize> {
        let mut todo = vec![package];
        let mut found = FxHashSet::default();
        while let Some(package) = todo.pop() {
            if found.insert(package) {
                todo.extend(self.uses(package));
            }
        }
        found
    }

    /// The other packages of the run that use the library of this one.
    pub fn dependents(&self, package: usize) -> impl Iterator<Item = usize> + '_ {
        let others = (0..self.packages.len()).filter(move |&other| other != package);
        others.filter(move |&other| self.uses(other).any(|used| used == package))
    }

    /// The packages of programs of the run, and those that they are built on.
    pub fn packages_of_programs(&self) -> FxHashSet<usize> {
        let programs = self.crates().iter().filter(|c| c.kind == TargetKind::Bin);
        programs.filter_map(|c| c.package).flat_map(|package| self.all_used(package)).collect()
    }

    /// Whether one of the words that an item's name is made of is among these: `leak` in `leak_to_static`.
    pub fn name_says(&self, def: DefId, words: &[&str]) -> bool {
        self.text(self.def_name(def)).split('_').any(|part| words.contains(&part))
    }

    /// Whether a function is the `main` of a program.
    pub fn is_main(&self, def: DefId) -> bool {
        let item = self.item(def);
        let named = item.name.get().is_some_and(|n| self.text(self.name(self.def(def).file, n)) == "main");
        named && item.kind == ItemKind::Fn && item.parent.is_none() && self.target(def) != TargetKind::Lib
    }

    /// The body that a nested id of the same file stands for.
    pub fn beside(&self, at: BodyRef, body: crate::facts::BodyId) -> BodyRef {
        BodyRef { file: at.file, body }
    }
}
