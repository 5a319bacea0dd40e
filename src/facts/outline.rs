//! Readable text of a file's header: modules, uses, items with fields and signatures, attributes.

use super::dump::TypeText;
use super::{FileFacts, Header, Item, ItemKind, ModuleId, ModuleKind, NameId, Run, item_flags};
use std::fmt::Write;

/// The header of a file.
pub fn file(facts: &FileFacts) -> String {
    let outline = Outline { facts, header: &facts.header };
    let mut out = String::new();
    for index in 0..facts.header.modules.len() as u32 {
        outline.module(&mut out, ModuleId(index));
    }
    facts.header.items.iter().for_each(|item| outline.item(&mut out, item));
    out
}

const FLAGS: [(u16, &str); 12] = [
    (item_flags::EXPORTED, "pub"),
    (item_flags::PUBLIC, "visible"),
    (item_flags::TEST, "test"),
    (item_flags::CFG, "cfg"),
    (item_flags::ASYNC, "async"),
    (item_flags::CONST, "const"),
    (item_flags::UNSAFE, "unsafe"),
    (item_flags::FOREIGN, "foreign"),
    (item_flags::THREAD_LOCAL, "thread_local"),
    (item_flags::LAZY, "lazy"),
    (item_flags::MUTABLE, "mut"),
    (item_flags::NEGATIVE, "negative"),
];

struct Outline<'a> {
    facts: &'a FileFacts,
    header: &'a Header,
}

impl Outline<'_> {
    fn name(&self, id: NameId) -> &str {
        id.get().map_or("_", |id| self.facts.names.get(id))
    }

    fn text(&self) -> TypeText<'_> {
        TypeText { names: &self.facts.names, table: &self.header.types }
    }

    fn module(&self, out: &mut String, id: ModuleId) {
        let module = &self.header.modules[id.index()];
        let _ = write!(out, "module {}", id.0);
        if module.kind != ModuleKind::Root {
            let _ = write!(out, " {:?} {} in {}", module.kind, self.name(module.name), module.parent.0);
        }
        if let Some(path) = module.path_attribute.get() {
            let _ = write!(out, " at {:?}", self.name(path));
        }
        let _ = writeln!(out, "{}{}", if module.test { " test" } else { "" }, if module.public { " pub" } else { "" });
        for import in self.header.uses.iter().filter(|u| u.module == id) {
            let end = if import.glob { "::*".to_owned() } else { format!(" as {}", self.name(import.alias)) };
            let public = if import.public { "pub " } else { "" };
            let _ = writeln!(out, "  {public}use {}{end}", self.text().path(import.path));
        }
        for (_, words) in self.header.opaque_macros.iter().filter(|(module, _)| *module == id) {
            let _ = writeln!(out, "  words {}", self.words(*words));
        }
    }

    fn words(&self, run: Run) -> String {
        let words: Vec<_> = run.of(&self.header.words).iter().map(|&word| self.name(word)).collect();
        words.join(" ")
    }

    fn item(&self, out: &mut String, item: &Item) {
        let _ = write!(out, "{:?} {} in {}", item.kind, self.name(item.name), item.module.0);
        if let Some(parent) = item.parent.get() {
            let _ = write!(out, " of item {}", parent.0);
        }
        for (_, name) in FLAGS.iter().filter(|(flag, _)| item.flags & flag != 0) {
            let _ = write!(out, " +{name}");
        }
        self.signature(out, item);
        out.push('\n');
        for attribute in item.attributes.of(&self.header.attributes) {
            let _ = writeln!(out, "  #[{}({})]", self.text().path(attribute.path), self.words(attribute.words));
        }
        self.fields(out, item.fields, "  ");
        for variant in item.variants.of(&self.header.variants) {
            let _ = writeln!(out, "  variant {}", self.name(variant.name));
            self.fields(out, variant.fields, "    ");
        }
    }

    fn signature(&self, out: &mut String, item: &Item) {
        for generic in item.generics.of(&self.header.generics) {
            let bounds = generic.bounds.get().map_or(String::new(), |b| format!(": {}", self.text().ty(b)));
            let _ = write!(out, " <{}{bounds}>", self.name(generic.name));
        }
        if item.kind == ItemKind::Fn {
            let params = item.params.of(&self.header.params).iter();
            let params: Vec<_> = params.map(|p| format!("{}: {}", self.name(p.name), self.text().ty(p.ty))).collect();
            let _ = write!(out, " ({})", params.join(", "));
        }
        if let Some(of_trait) = item.of_trait.get() {
            let _ = write!(out, " trait {}", self.text().path(of_trait));
        }
        if let Some(ty) = item.ty.get() {
            let _ = write!(out, " : {}", self.text().ty(ty));
        }
        if let Some(body) = item.body.get() {
            let _ = write!(out, " = body {}", body.0);
        }
    }

    fn fields(&self, out: &mut String, fields: Run, indent: &str) {
        for field in fields.of(&self.header.fields) {
            let public = if field.public { "pub " } else { "" };
            let _ = writeln!(out, "{indent}{public}{}: {}", self.name(field.name), self.text().ty(field.ty));
        }
    }
}
