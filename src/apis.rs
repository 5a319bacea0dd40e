//! What is known of libraries: the API tables of `lints/apis/*.toml` and the user's own, with fast lookups.
//!
//! Knowledge about a library is a row, never an `if`: nothing here names a library, a lint or a file of the checked
//! project. Paths are canonical (resolving them is the model's work), except that re-exports listed in `also` and the
//! prefixes `core::` and `alloc::` are found too.

mod embedded;
mod rows;
pub mod term;
#[cfg(test)]
mod tests;
mod versions;

pub use rows::*;

use crate::version::Version;
use embedded::embedded;
use rustc_hash::{FxHashMap, FxHashSet};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;
use term::Term;
use versions::{Range, Versions};

/// The number of a function row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FnId(u32);

/// A table that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ApisError {
    /// It is not valid TOML, or a key is unknown.
    #[error("API table `{table}`: {source}")]
    Syntax {
        /// Name of the table.
        table: String,
        /// What the parser says.
        source: Box<toml::de::Error>,
    },
    /// A row contradicts the schema.
    #[error("`{path}` {reason}")]
    Row {
        /// Path of the row.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// All tables, linked.
#[derive(Debug, Default)]
pub struct Apis {
    functions: Vec<FnRow>,
    types: Vec<TypeRow>,
    traits: Vec<TraitRow>,
    aliases: Vec<AliasRow>,
    attributes: Vec<AttributeRow>,
    function_paths: FxHashMap<String, u32>,
    /// Types, traits and aliases share one name space.
    owner_paths: FxHashMap<String, OwnerRow>,
    attribute_paths: FxHashMap<String, u32>,
    methods: FxHashMap<String, Vec<FnId>>,
    trait_functions: FxHashMap<String, Vec<FnId>>,
    names: Names,
    /// Types that are told by their last name, whatever crate hands them on.
    telling: FxHashMap<String, u32>,
    foreign: FxHashSet<String>,
    not_foreign: FxHashSet<String>,
    exceptions: FxHashSet<String>,
    objects: Vec<ObjectsRow>,
    versions: Versions,
    /// How many tables were added.
    tables: usize,
}

/// What is known of a method's name, whatever the receiver.
#[derive(Debug, Default)]
struct Names {
    grow: FxHashSet<String>,
    shrink: FxHashSet<String>,
    bound: FxHashSet<String>,
    trim: FxHashSet<String>,
    through: FxHashSet<String>,
    element: FxHashSet<String>,
    peer_number: FxHashSet<String>,
    clamps: FxHashSet<String>,
    size_headers: FxHashSet<String>,
    /// With the argument that says how much.
    reserves: FxHashMap<String, u8>,
}

#[derive(Debug, Clone, Copy)]
enum OwnerRow {
    Type(u32),
    Trait(u32),
    Alias(u32),
}

impl Apis {
    /// The tables that come with leaklint.
    ///
    /// # Panics
    /// If an embedded table is wrong, which the tests rule out.
    pub fn builtin() -> &'static Apis {
        static BUILTIN: OnceLock<Apis> = OnceLock::new();
        BUILTIN
            .get_or_init(|| Apis::new(embedded().expect("embedded tables parse")).expect("embedded tables are valid"))
    }

    /// The tables that come with leaklint and the user's, whose rows win.
    pub fn extended(user: Table) -> Result<Apis, ApisError> {
        let mut tables = embedded()?;
        tables.push(user);
        Apis::new(tables)
    }

    /// Links tables; of rows with the same path the last one wins.
    pub fn new(tables: Vec<Table>) -> Result<Apis, ApisError> {
        let mut apis = Apis::default();
        for table in tables {
            apis.add(table)?;
        }
        apis.mark_those_who_give_back();
        for id in 0..apis.functions.len() as u32 {
            apis.index_name(FnId(id));
        }
        Ok(apis)
    }

    fn mark_those_who_give_back(&mut self) {
        let named: FxHashSet<String> = self.functions.iter().flat_map(|row| &row.given_back_by).cloned().collect();
        for row in &mut self.functions {
            row.gives_back = named.contains(&row.path);
        }
    }

    /// A function by its canonical path, a re-export of it, or the path of a re-export or alias of its type.
    pub fn function(&self, path: &str) -> Option<&FnRow> {
        let path = canonical_std(path);
        if let Some(&id) = self.function_paths.get(path.as_ref()) {
            return Some(&self.functions[id as usize]);
        }
        let (owner, name) = split_last(&path)?;
        self.method(owner, name)
    }

    /// A method or associated function of a type or trait.
    pub fn method(&self, owner: &str, name: &str) -> Option<&FnRow> {
        let owner = self.canonical(owner)?;
        let id = *self.function_paths.get(&format!("{owner}::{name}"))?;
        Some(&self.functions[id as usize])
    }

    /// The canonical path of a type or trait; an alias is followed to the type it names.
    pub fn canonical(&self, path: &str) -> Option<&str> {
        let Some(&row) = self.owner_paths.get(canonical_std(path).as_ref()) else { return self.told_by_name(path) };
        match row {
            OwnerRow::Type(id) => Some(&self.types[id as usize].path),
            OwnerRow::Trait(id) => Some(&self.traits[id as usize].path),
            // Aliases of aliases are refused when the table is read.
            OwnerRow::Alias(id) => match &self.aliases[id as usize].to {
                Term::Path { path, .. } => Some(path),
                _ => None,
            },
        }
    }

    /// `collections::HashMap`: what a crate that is not in sight hands on under a name that says what it is.
    fn told_by_name(&self, path: &str) -> Option<&str> {
        let (module, name) = split_last(path)?;
        let id = *self.telling.get(name)?;
        let is_module = module.split("::").all(|segment| segment.starts_with(char::is_lowercase));
        is_module.then(|| &*self.types[id as usize].path)
    }

    /// The row of a type, not looking through aliases.
    pub fn type_row(&self, path: &str) -> Option<&TypeRow> {
        match *self.owner_paths.get(canonical_std(path).as_ref())? {
            OwnerRow::Type(id) => Some(&self.types[id as usize]),
            _ => None,
        }
    }

    /// The row of an alias.
    pub fn alias(&self, path: &str) -> Option<&AliasRow> {
        match *self.owner_paths.get(canonical_std(path).as_ref())? {
            OwnerRow::Alias(id) => Some(&self.aliases[id as usize]),
            _ => None,
        }
    }

    /// The row of a trait.
    pub fn trait_row(&self, path: &str) -> Option<&TraitRow> {
        match *self.owner_paths.get(canonical_std(path).as_ref())? {
            OwnerRow::Trait(id) => Some(&self.traits[id as usize]),
            _ => None,
        }
    }

    /// The row of an attribute.
    pub fn attribute(&self, path: &str) -> Option<&AttributeRow> {
        let id = *self.attribute_paths.get(canonical_std(path).as_ref())?;
        Some(&self.attributes[id as usize])
    }

    /// All methods of that name, of types and traits, in the order of the tables.
    pub fn methods_named(&self, name: &str) -> &[FnId] {
        self.methods.get(name).map_or(&[], Vec::as_slice)
    }

    /// All functions without receiver of that name that belong to traits, for calls on types without a row for it.
    pub fn trait_functions_named(&self, name: &str) -> &[FnId] {
        self.trait_functions.get(name).map_or(&[], Vec::as_slice)
    }

    /// The row of a function.
    pub fn row(&self, id: FnId) -> &FnRow {
        &self.functions[id.0 as usize]
    }

    /// All function rows.
    pub fn functions(&self) -> &[FnRow] {
        &self.functions
    }

    /// Traits whose implementors are actors.
    pub fn actors(&self) -> impl Iterator<Item = &TraitRow> {
        self.traits.iter().filter(|row| row.actor)
    }

    /// All type rows.
    pub fn types(&self) -> &[TypeRow] {
        &self.types
    }

    /// The methods of that name by which alone they can be told.
    pub fn distinctive(&self, name: &str) -> Option<&FnRow> {
        self.methods_named(name).iter().map(|&id| self.row(id)).find(|row| row.distinctive)
    }

    /// Whether some collection grows by a method of that name.
    pub fn is_grow_name(&self, name: &str) -> bool {
        self.names.grow.contains(name)
    }

    /// Whether some collection shrinks by a method of that name.
    pub fn is_shrink_name(&self, name: &str) -> bool {
        self.names.shrink.contains(name)
    }

    /// Whether the size of some collection is asked for by that name.
    pub fn is_bound_name(&self, name: &str) -> bool {
        self.names.bound.contains(name)
    }

    /// Whether some collection gives back spare room by that name.
    pub fn is_trim_name(&self, name: &str) -> bool {
        self.names.trim.contains(name)
    }

    /// Whether some method of that name gives a view of the receiver's content.
    pub fn is_through_name(&self, name: &str) -> bool {
        self.names.through.contains(name)
    }

    /// Whether some method of that name gives an element of the receiver.
    pub fn is_element_name(&self, name: &str) -> bool {
        self.names.element.contains(name)
    }

    /// Whether some method of that name gives a number that somebody outside chose.
    pub fn is_peer_number_name(&self, name: &str) -> bool {
        self.names.peer_number.contains(name)
    }

    /// Whether a header of that name tells the size of what follows: `Content-Length`.
    pub fn is_size_header(&self, name: &str) -> bool {
        name.contains('-') && self.is_size_constant(&name.replace('-', "_").to_ascii_uppercase())
    }

    /// Whether some constant of that name is the name of such a header.
    pub fn is_size_constant(&self, name: &str) -> bool {
        self.names.size_headers.contains(name)
    }

    /// Whether some function of that name gives nothing greater than its arguments.
    pub fn is_clamp_name(&self, name: &str) -> bool {
        self.names.clamps.contains(name)
    }

    /// The argument that says for how much some function of that name reserves memory.
    pub fn reserve_name(&self, name: &str) -> Option<u8> {
        self.names.reserves.get(name).copied()
    }

    /// Whether some function acquires nothing if it is given a constant of that name.
    pub fn is_exception(&self, name: &str) -> bool {
        self.exceptions.contains(name)
    }

    /// Whether a path leads into a crate that binds C: one that a table names, or whose name ends in `-sys`.
    pub fn is_foreign(&self, path: &str) -> bool {
        let krate = path.split([':', '@']).next().unwrap_or(path);
        krate.ends_with("_sys") && !self.not_foreign.contains(krate) || self.foreign.contains(krate)
    }

    /// Whether the types of a crate are objects that count who holds them.
    pub fn has_objects(&self, krate: &str) -> bool {
        self.objects.iter().any(|row| row.crates.iter().any(|c| c == krate))
    }

    /// Whether a method of that name makes such an object keep a closure for as long as it lives.
    pub fn is_connecting(&self, name: &str) -> bool {
        self.objects.iter().any(|row| {
            row.connecting.iter().any(|start| name.starts_with(start.as_str()))
                && !row.leaving.iter().any(|l| l == name)
        })
    }

    /// The first segment of paths into a dependency: with its version, if tables tell that crate's versions apart.
    pub fn crate_root(&self, krate: String, version: Option<Version>) -> String {
        self.versions.root(krate, version)
    }

    /// For a path that starts with such a segment: what the row for that version is found by, or else the path without
    /// the version.
    pub fn of_version<'a>(&'a self, path: &'a str) -> Option<Cow<'a, str>> {
        self.versions.resolve(path)
    }

    fn add(&mut self, table: Table) -> Result<(), ApisError> {
        self.tables += 1;
        self.foreign.extend(table.foreign);
        self.not_foreign.extend(table.not_foreign);
        self.objects.extend(table.objects);
        for row in table.types {
            self.add_type(row)?;
        }
        for row in table.traits {
            self.add_trait(row)?;
        }
        for row in table.aliases {
            self.add_alias(row)?;
        }
        for row in table.functions {
            check_params(&row, &row.path, &[])?;
            self.add_function(row)?;
        }
        for row in table.attributes {
            check_path(&row.path)?;
            let id = self.attributes.len() as u32;
            insert_paths(&mut self.attribute_paths, &row.path, &row.also, id);
            self.attributes.push(row);
        }
        Ok(())
    }

    fn add_type(&mut self, mut row: TypeRow) -> Result<(), ApisError> {
        check_path(&row.path)?;
        check_type_params(&row)?;
        let functions = std::mem::take(&mut row.functions);
        let methods = std::mem::take(&mut row.methods);
        let key = self.version_key(&row.path, &row.also, row.since, row.until)?;
        let of = Members { path: &row.path, key: key.as_deref(), params: &row.params };
        self.add_members(functions, of, Owner::Type)?;
        self.add_members(methods, of, Owner::Receiver)?;
        for name in &row.grow {
            self.names.grow.insert(name.clone());
        }
        for name in row.shrink.iter().chain(&row.replace) {
            self.names.shrink.insert(name.clone());
        }
        self.names.bound.extend(row.bound.iter().cloned());
        self.names.trim.extend(row.trim.iter().cloned());
        if row.distinctive {
            let name = split_last(&row.path).map_or(&*row.path, |(_, name)| name);
            self.telling.insert(name.to_owned(), self.types.len() as u32);
        }
        let also = if key.is_some() { &[] } else { &row.also[..] };
        row.path = key.unwrap_or(row.path);
        insert_paths(&mut self.owner_paths, &row.path, also, OwnerRow::Type(self.types.len() as u32));
        self.types.push(row);
        Ok(())
    }

    fn add_trait(&mut self, mut row: TraitRow) -> Result<(), ApisError> {
        check_path(&row.path)?;
        let functions = std::mem::take(&mut row.functions);
        let methods = std::mem::take(&mut row.methods);
        let of = Members { path: &row.path, key: None, params: &row.params };
        self.add_members(functions, of, Owner::TraitFunction)?;
        self.add_members(methods, of, Owner::Trait)?;
        insert_paths(&mut self.owner_paths, &row.path, &row.also, OwnerRow::Trait(self.traits.len() as u32));
        self.traits.push(row);
        Ok(())
    }

    fn add_alias(&mut self, row: AliasRow) -> Result<(), ApisError> {
        check_path(&row.path)?;
        check_terms([&row.to], &row.path, &[&row.params])?;
        if let Term::Path { path, .. } = &row.to
            && self.alias(path).is_some()
        {
            return Err(row_error(&row.path, "is an alias of an alias".to_owned()));
        }
        insert_paths(&mut self.owner_paths, &row.path, &row.also, OwnerRow::Alias(self.aliases.len() as u32));
        self.aliases.push(row);
        Ok(())
    }

    fn add_members(&mut self, members: BTreeMap<String, FnRow>, of: Members, owner: Owner) -> Result<(), ApisError> {
        for (name, mut row) in members {
            let path = format!("{}::{name}", of.path);
            if !row.path.is_empty() || !row.also.is_empty() || row.since.or(row.until).is_some() {
                let reason = "has a `path`, `also`, `since` or `until` of its own: its type's are used";
                return Err(row_error(&path, reason.to_owned()));
            }
            check_params(&row, &path, of.params)?;
            row.key = of.key.map(|key| format!("{key}::{name}"));
            row.path = path;
            row.owner = owner;
            self.add_function(row)?;
        }
        Ok(())
    }

    fn add_function(&mut self, mut row: FnRow) -> Result<(), ApisError> {
        check_path(&row.path)?;
        if row.key.is_none() {
            row.key = self.version_key(&row.path, &row.also, row.since, row.until)?;
        }
        let id = self.functions.len() as u32;
        match &row.key {
            Some(key) => insert_paths(&mut self.function_paths, key, &[], id),
            None => insert_paths(&mut self.function_paths, &row.path, &row.also, id),
        }
        row.forgets = row.forgets.or(row.leaks);
        self.exceptions.extend(row.acquires.as_ref().and_then(|a| a.unless.clone()));
        self.functions.push(row);
        Ok(())
    }

    /// What a row for some versions is found by, noted for all its paths; none for a row for all of them.
    fn version_key(
        &mut self,
        path: &str,
        also: &[String],
        since: Option<Version>,
        until: Option<Version>,
    ) -> Result<Option<String>, ApisError> {
        let range = Range::new(since, until);
        let key = range.map(|range| range.key(path));
        for path in std::iter::once(path).chain(also.iter().map(String::as_str)) {
            match range.zip(key.as_deref()) {
                None => self.versions.replace(path, self.tables),
                Some((range, key)) if self.versions.add(path, range, key, self.tables) => {}
                Some(_) => return Err(row_error(path, "has another row for the same version".to_owned())),
            }
        }
        Ok(key)
    }

    fn index_name(&mut self, id: FnId) {
        let row = &self.functions[id.0 as usize];
        let key = row.key.as_ref().unwrap_or(&row.path);
        let overridden = self.function_paths.get(key) != Some(&id.0);
        let name = split_last(&row.path).map_or(&*row.path, |(_, name)| name).to_owned();
        if let Some(arg) = row.reserves.filter(|_| !overridden) {
            self.names.reserves.insert(name.clone(), arg);
        }
        if row.tells_size && row.owner == Owner::Module {
            self.names.size_headers.insert(name.clone());
        }
        if row.clamps && !overridden {
            self.names.clamps.insert(name.clone());
        }
        match row.owner {
            _ if overridden => return,
            Owner::Module | Owner::Type => return,
            Owner::TraitFunction => return self.trait_functions.entry(name).or_default().push(id),
            Owner::Receiver | Owner::Trait => {}
        }
        let unions = [
            (row.grows.contains(&Slot::Receiver), &mut self.names.grow),
            (row.shrinks.contains(&Slot::Receiver), &mut self.names.shrink),
            (row.through, &mut self.names.through),
            (row.element, &mut self.names.element),
            (row.peer_number, &mut self.names.peer_number),
        ];
        for (applies, union) in unions {
            if applies {
                union.insert(name.clone());
            }
        }
        self.methods.entry(name).or_default().push(id);
    }
}

/// The type or trait whose members are added.
#[derive(Clone, Copy)]
struct Members<'a> {
    path: &'a str,
    /// What its members are found below, if it holds for some versions only.
    key: Option<&'a str>,
    params: &'a [String],
}

/// Tables write `core::` and `alloc::` as `std::`.
fn canonical_std(path: &str) -> Cow<'_, str> {
    match path.strip_prefix("core::").or_else(|| path.strip_prefix("alloc::")) {
        Some(rest) => Cow::Owned(format!("std::{rest}")),
        None => Cow::Borrowed(path),
    }
}

/// `a::b` and `c` of `a::b::c`.
pub fn split_last(path: &str) -> Option<(&str, &str)> {
    // A single byte is found much faster than two.
    let (of, name) = path.rsplit_once(':')?;
    Some((of.strip_suffix(':')?, name))
}

fn insert_paths<V: Copy>(map: &mut FxHashMap<String, V>, path: &str, also: &[String], value: V) {
    for path in std::iter::once(path).chain(also.iter().map(String::as_str)) {
        map.insert(path.to_owned(), value);
    }
}

fn row_error(path: &str, reason: String) -> ApisError {
    ApisError::Row { path: path.to_owned(), reason }
}

fn check_path(path: &str) -> Result<(), ApisError> {
    let segment = |s: &str| !s.is_empty() && s.chars().all(|c| c.is_alphanumeric() || c == '_');
    if path.split("::").all(segment) && !path.starts_with("core::") && !path.starts_with("alloc::") {
        Ok(())
    } else {
        Err(row_error(path, "is not a canonical path".to_owned()))
    }
}

/// Every parameter that a term names has to be declared: else a misspelt type passes for one.
fn check_terms<'a>(
    terms: impl IntoIterator<Item = &'a Term>,
    path: &str,
    declared: &[&[String]],
) -> Result<(), ApisError> {
    let mut unknown = None;
    for term in terms {
        term.for_each_param(&mut |name| {
            if !declared.iter().any(|params| params.iter().any(|p| p == name)) {
                unknown = Some(name.to_owned());
            }
        });
    }
    match unknown {
        Some(name) => Err(row_error(path, format!("names `{name}`, which is no parameter of it"))),
        None => Ok(()),
    }
}

fn check_type_params(row: &TypeRow) -> Result<(), ApisError> {
    let single = [&row.deref, &row.iterates, &row.output, &row.key, &row.makes_key, &row.element];
    let terms = single.into_iter().flatten().chain(row.fields.values()).chain(row.variants.values().flatten());
    check_terms(terms, &row.path, &[&row.params])
}

fn check_params(row: &FnRow, path: &str, of_type: &[String]) -> Result<(), ApisError> {
    let terms = row.returns.iter().chain(row.calls.iter().flat_map(|c| &c.takes));
    check_terms(terms, path, &[&row.params, of_type])
}
