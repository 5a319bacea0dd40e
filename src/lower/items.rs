//! Items: modules, uses, types, functions and what macros at item level declare.

use super::Lowerer;
use super::body::RESULT;
use super::paths::push_run;
use crate::facts::types::{PathId, TypeId, TypeKind};
use crate::facts::*;
use crate::source::TextRange;
use item_flags as flag;
use syn::{Expr, Fields, FnArg, ImplItem, Stmt, TraitItem, Visibility};

/// Where an item stands.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub module: ModuleId,
    pub parent: ItemId,
    /// Flags that what is within inherits: test, cfg.
    pub inherited: u16,
}

impl Lowerer {
    /// The whole file.
    pub(super) fn root(&mut self, tree: &syn::File) {
        let module = self.new_module(NameId::NONE, ModuleId::NONE, ModuleKind::Root);
        let inherited = self.attribute_flags(&tree.attrs) & flag::TEST;
        self.header.modules[module.index()].test = inherited != 0;
        self.items(&tree.items, Place { module, parent: ItemId::NONE, inherited });
    }

    pub(super) fn items(&mut self, items: &[syn::Item], place: Place) {
        for item in items {
            self.item(item, place);
        }
    }

    pub(super) fn new_module(&mut self, name: NameId, parent: ModuleId, kind: ModuleKind) -> ModuleId {
        self.header.modules.push(Module {
            name,
            parent,
            kind,
            path_attribute: NameId::NONE,
            test: false,
            public: false,
        });
        ModuleId(self.header.modules.len() as u32 - 1)
    }

    /// Items and uses in a block make a module of the body's own.
    pub(super) fn nested_items(&mut self, statements: &[Stmt]) {
        let declares = |statement: &Stmt| match statement {
            Stmt::Item(_) => true,
            Stmt::Macro(m) => item_macro(&m.mac),
            _ => false,
        };
        // `{ let x = 1; f(x) }`
        if !statements.iter().any(declares) {
            return;
        }
        let place = self.body_module();
        // Items see no body around them: their types belong to the header.
        let stack = std::mem::take(&mut self.stack);
        for statement in statements {
            match statement {
                Stmt::Item(item) => self.item(item, place),
                Stmt::Macro(m) if item_macro(&m.mac) => self.macro_item(&m.attrs, &m.mac, place),
                _ => {}
            }
        }
        self.stack = stack;
    }

    /// The module of the body being lowered, made when first needed.
    fn body_module(&mut self) -> Place {
        let (id, outer) = (self.top().id, self.top().module);
        let test = self.header.modules[outer.index()].test;
        let item = self.header.bodies[id.index()].item;
        let inherited = match item.get() {
            Some(item) => self.header.items[item.index()].flags & (flag::TEST | flag::CFG),
            None if test => flag::TEST,
            None => 0,
        };
        let module = match self.header.modules[outer.index()].kind {
            ModuleKind::Body => outer,
            _ => self.new_module(NameId::NONE, outer, ModuleKind::Body),
        };
        self.top().module = module;
        Place { module, parent: ItemId::NONE, inherited }
    }

    fn item(&mut self, item: &syn::Item, place: Place) {
        match item {
            syn::Item::Mod(item) => self.module(item, place),
            syn::Item::Use(item) => {
                let public = !matches!(item.vis, Visibility::Inherited);
                let mut prefix = Vec::new();
                self.use_tree(&item.tree, item.leading_colon.is_some(), &mut prefix, place.module, public);
            }
            syn::Item::ExternCrate(item) => self.extern_crate(item, place),
            syn::Item::Fn(item) => {
                let extra = self.head(&item.vis, &item.attrs);
                self.function(&item.attrs, &item.sig, Some(&item.block), extra, place);
            }
            syn::Item::Struct(item) => {
                let id = self.start_item(ItemKind::Struct, &item.ident, &item.attrs, &item.vis, place);
                self.generics(id, &item.generics);
                let fields = self.fields(&item.fields);
                self.header.items[id.index()].fields = fields;
            }
            syn::Item::Union(item) => {
                let id = self.start_item(ItemKind::Union, &item.ident, &item.attrs, &item.vis, place);
                self.generics(id, &item.generics);
                let fields = self.fields(&Fields::Named(item.fields.clone()));
                self.header.items[id.index()].fields = fields;
            }
            syn::Item::Enum(item) => self.enum_item(item, place),
            syn::Item::Trait(item) => self.trait_item(item, place),
            syn::Item::Impl(item) => self.impl_item(item, place),
            syn::Item::Type(item) => {
                let id = self.start_item(ItemKind::Alias, &item.ident, &item.attrs, &item.vis, place);
                self.generics(id, &item.generics);
                let ty = self.ty(&item.ty);
                self.header.items[id.index()].ty = ty;
            }
            syn::Item::Static(item) => {
                let id = self.start_item(ItemKind::Static, &item.ident, &item.attrs, &item.vis, place);
                self.mark_mutable(id, &item.mutability);
                self.value(id, &item.ty, Some(&item.expr));
            }
            syn::Item::Const(item) => {
                let id = self.start_item(ItemKind::Const, &item.ident, &item.attrs, &item.vis, place);
                self.value(id, &item.ty, Some(&item.expr));
            }
            syn::Item::ForeignMod(item) => self.foreign_block(item, place),
            syn::Item::Macro(item) => self.macro_item(&item.attrs, &item.mac, place),
            _ => {}
        }
    }

    /// A module; one per file that a `cfg_attr` may choose for it.
    fn module(&mut self, item: &syn::ItemMod, place: Place) {
        let paths = self.path_attributes(&item.attrs);
        let paths = if paths.is_empty() { vec![NameId::NONE] } else { paths };
        paths.into_iter().for_each(|path| self.one_module(item, path, place));
    }

    fn one_module(&mut self, item: &syn::ItemMod, path_attribute: NameId, place: Place) {
        let name = self.ident(&item.ident);
        let kind = if item.content.is_some() { ModuleKind::Inline } else { ModuleKind::File };
        let module = self.new_module(name, place.module, kind);
        let holds_tests = item.content.as_ref().is_some_and(|(_, items)| self.are_tests(item, items));
        let tests = if holds_tests { flag::TEST } else { 0 };
        let inherited = place.inherited | self.attribute_flags(&item.attrs) | tests;
        let entry = &mut self.header.modules[module.index()];
        entry.test = inherited & flag::TEST != 0;
        entry.public = !matches!(item.vis, Visibility::Inherited);
        entry.path_attribute = path_attribute;
        self.attributes(&item.attrs, self.range(item.ident.span()));
        if let Some((brace, items)) = &item.content {
            self.lint_attributes(&item.attrs, item.mod_token.span, brace.span.close());
            self.items(items, Place { module, parent: ItemId::NONE, inherited });
        }
    }

    /// `mod tests { #[test] fn works() {} }`: without `#[cfg(test)]` it is for tests all the same.
    fn are_tests(&mut self, module: &syn::ItemMod, items: &[syn::Item]) -> bool {
        let named = module.ident == "tests" || module.ident == "test";
        named
            && items.iter().any(|item| match item {
                syn::Item::Fn(item) => self.attribute_flags(&item.attrs) & flag::TEST != 0,
                _ => false,
            })
    }

    fn use_tree(
        &mut self,
        tree: &syn::UseTree,
        global: bool,
        prefix: &mut Vec<NameId>,
        module: ModuleId,
        public: bool,
    ) {
        match tree {
            syn::UseTree::Path(tree) => {
                prefix.push(self.ident(&tree.ident));
                self.use_tree(&tree.tree, global, prefix, module, public);
                prefix.pop();
            }
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.use_tree(tree, global, prefix, module, public);
                }
            }
            syn::UseTree::Glob(_) => {
                let path = self.name_path(prefix, global);
                self.header.uses.push(Use { module, path, alias: NameId::NONE, glob: true, public });
            }
            syn::UseTree::Name(tree) => {
                let name = self.ident(&tree.ident);
                // `use a::b::{self}` imports `b`.
                let itself = self.names.names.get(name) == "self" && !prefix.is_empty();
                let alias = if itself { *prefix.last().expect("not empty") } else { name };
                self.import(prefix, (!itself).then_some(name), global, alias, module, public);
            }
            syn::UseTree::Rename(tree) => {
                let name = self.ident(&tree.ident);
                let itself = self.names.names.get(name) == "self" && !prefix.is_empty();
                let alias = self.ident(&tree.rename);
                self.import(prefix, (!itself).then_some(name), global, alias, module, public);
            }
        }
    }

    fn import(
        &mut self,
        prefix: &mut Vec<NameId>,
        last: Option<NameId>,
        global: bool,
        alias: NameId,
        module: ModuleId,
        public: bool,
    ) {
        prefix.extend(last);
        let path = self.name_path(prefix, global);
        if last.is_some() {
            prefix.pop();
        }
        self.header.uses.push(Use { module, path, alias, glob: false, public });
    }

    fn extern_crate(&mut self, item: &syn::ItemExternCrate, place: Place) {
        let name = self.ident(&item.ident);
        let alias = item.rename.as_ref().map_or(name, |(_, rename)| self.names.intern_ident(rename));
        let path = self.name_path(&[name], true);
        let public = !matches!(item.vis, Visibility::Inherited);
        self.header.uses.push(Use { module: place.module, path, alias, glob: false, public });
    }

    /// The flags that a visibility and attributes give.
    fn head(&mut self, vis: &Visibility, attrs: &[syn::Attribute]) -> u16 {
        let visible = match vis {
            Visibility::Public(_) => flag::PUBLIC | flag::EXPORTED,
            Visibility::Restricted(_) => flag::PUBLIC,
            Visibility::Inherited => 0,
        };
        visible | self.attribute_flags(attrs)
    }

    pub(super) fn start_item(
        &mut self,
        kind: ItemKind,
        ident: &syn::Ident,
        attrs: &[syn::Attribute],
        vis: &Visibility,
        place: Place,
    ) -> ItemId {
        let flags = self.head(vis, attrs);
        let name = self.ident(ident);
        let span = self.range(ident.span());
        self.push_item(kind, name, span, attrs, flags, place)
    }

    fn push_item(
        &mut self,
        kind: ItemKind,
        name: NameId,
        span: TextRange,
        attrs: &[syn::Attribute],
        flags: u16,
        place: Place,
    ) -> ItemId {
        let attributes = self.attributes(attrs, span);
        self.header.items.push(Item {
            kind,
            name,
            module: place.module,
            parent: place.parent,
            flags: flags | place.inherited,
            span,
            ty: TypeId::NONE,
            of_trait: PathId::NONE,
            generics: Run::default(),
            params: Run::default(),
            fields: Run::default(),
            variants: Run::default(),
            attributes,
            body: BodyId::NONE,
        });
        ItemId(self.header.items.len() as u32 - 1)
    }

    fn function(
        &mut self,
        attrs: &[syn::Attribute],
        sig: &syn::Signature,
        block: Option<&syn::Block>,
        mut flags: u16,
        place: Place,
    ) {
        flags |= if sig.asyncness.is_some() { flag::ASYNC } else { 0 };
        flags |= if sig.constness.is_some() { flag::CONST } else { 0 };
        flags |= if sig.abi.is_some() { flag::FOREIGN } else { 0 };
        flags |= if matches!(sig.safety, syn::Safety::Unsafe(_)) { flag::UNSAFE } else { 0 };
        let name = self.ident(&sig.ident);
        let span = self.range(sig.ident.span());
        let id = self.push_item(ItemKind::Fn, name, span, attrs, flags, place);
        if let Some(block) = block {
            self.lint_attributes(attrs, sig.fn_token.span, block.brace_token.span.close());
        }
        self.generics(id, &sig.generics);
        let params = self.params(sig);
        let ty = self.return_type(&sig.output);
        let item = &mut self.header.items[id.index()];
        item.params = params;
        item.ty = ty;
        if let Some(block) = block {
            self.function_body(id, sig, block, place.module);
        }
    }

    fn params(&mut self, sig: &syn::Signature) -> Run {
        let mut params = Vec::with_capacity(sig.inputs.len());
        for input in &sig.inputs {
            params.push(match input {
                FnArg::Receiver(receiver) => Param { name: self.name("self"), ty: self.receiver_type(receiver) },
                FnArg::Typed(typed) => {
                    let name = match &*typed.pat {
                        syn::Pat::Ident(pat) => self.ident(&pat.ident),
                        _ => NameId::NONE,
                    };
                    Param { name, ty: self.ty(&typed.ty) }
                }
            });
        }
        let start = self.header.params.len() as u32;
        let len = params.len() as u32;
        self.header.params.extend(params);
        Run { start, len }
    }

    fn receiver_type(&mut self, receiver: &syn::Receiver) -> TypeId {
        match &receiver.kind {
            syn::ReceiverKind::Value => self.self_type(None),
            syn::ReceiverKind::Reference(_, _, mutability) => self.self_type(Some(mutability.is_some())),
            syn::ReceiverKind::Typed(_, ty) => self.ty(ty),
            _ => self.self_type(None),
        }
    }

    fn function_body(&mut self, item: ItemId, sig: &syn::Signature, block: &syn::Block, module: ModuleId) {
        let span = self.range_to(block.brace_token.span.open(), block.brace_token.span.close());
        let id = self.open_item_body(BodyKind::Fn, item, module, span);
        let this = syn::Pat::Ident(syn::PatIdent {
            attrs: Vec::new(),
            by_ref: None,
            mutability: None,
            ident: syn::Ident::new("self", proc_macro2::Span::call_site()),
            subpat: None,
        });
        let mut params = Vec::with_capacity(sig.inputs.len());
        for input in &sig.inputs {
            match input {
                FnArg::Receiver(receiver) => params.push((&this, self.receiver_type(receiver))),
                FnArg::Typed(typed) => params.push((&*typed.pat, self.ty(&typed.ty))),
            }
        }
        let ty = self.return_type(&sig.output);
        self.top().body.locals[0].ty = ty;
        self.parameters(&params);
        self.statements(RESULT, &block.stmts);
        self.close_body();
        self.header.items[item.index()].body = id;
    }

    fn mark_mutable(&mut self, item: ItemId, mutability: &syn::StaticMutability) {
        if matches!(mutability, syn::StaticMutability::Mut(_)) {
            self.header.items[item.index()].flags |= flag::MUTABLE;
        }
    }

    /// Type and initialiser of a static or const.
    pub(super) fn value(&mut self, item: ItemId, ty: &syn::Type, init: Option<&Expr>) {
        let ty_id = self.ty(ty);
        self.header.items[item.index()].ty = ty_id;
        // Most constants are literals; they need no body: `const LIMIT: usize = 16;`
        if let Some(init) = init
            && !matches!(init, Expr::Lit(_))
        {
            let (module, span) = (self.header.items[item.index()].module, self.header.items[item.index()].span);
            let id = self.open_item_body(BodyKind::Initialiser, item, module, span);
            let ty = self.ty(ty);
            self.top().body.locals[0].ty = ty;
            self.into(RESULT, init);
            self.close_body();
            self.header.items[item.index()].body = id;
        }
    }

    fn generics(&mut self, item: ItemId, generics: &syn::Generics) {
        let mut list = Vec::new();
        for param in generics.type_params() {
            let name = self.ident(&param.ident);
            let clauses = generics.where_clause.iter().flat_map(|w| &w.predicates);
            let wanted = clauses.filter_map(|p| match p {
                syn::WherePredicate::Type(p) => Some(p),
                _ => None,
            });
            let bounded =
                wanted.filter(|p| matches!(&p.bounded_ty, syn::Type::Path(t) if t.path.is_ident(&param.ident)));
            let bounds: Vec<_> = param.bounds.iter().chain(bounded.flat_map(|p| &p.bounds)).collect();
            let bounds = match bounds.is_empty() {
                true => TypeId::NONE,
                false => self.bounds_type(TypeKind::Impl, bounds.into_iter()),
            };
            list.push(Generic { name, bounds });
        }
        let start = self.header.generics.len() as u32;
        self.header.items[item.index()].generics = Run { start, len: list.len() as u32 };
        self.header.generics.extend(list);
    }

    fn fields(&mut self, fields: &Fields) -> Run {
        let mut list = Vec::with_capacity(fields.len());
        for (index, field) in fields.iter().enumerate() {
            let (name, span) = match &field.ident {
                Some(ident) => (self.ident(ident), self.range(ident.span())),
                None => (self.tuple_field(index), self.type_span(&field.ty)),
            };
            let public = !matches!(field.vis, Visibility::Inherited);
            list.push(Field { name, ty: self.ty(&field.ty), public, span });
        }
        let start = self.header.fields.len() as u32;
        let len = list.len() as u32;
        self.header.fields.extend(list);
        Run { start, len }
    }

    /// Something within a type that can be pointed at.
    fn type_span(&self, ty: &syn::Type) -> TextRange {
        match ty {
            syn::Type::Path(ty) => self.path_range(&ty.path),
            syn::Type::Reference(ty) => self.type_span(&ty.elem),
            syn::Type::Ptr(ty) => self.range(ty.star_token.span),
            syn::Type::Tuple(ty) => self.range(ty.paren_token.span.open()),
            syn::Type::Array(ty) => self.range(ty.bracket_token.span.open()),
            syn::Type::FnPtr(ty) => self.range(ty.fn_token.span),
            _ => TextRange::default(),
        }
    }

    fn enum_item(&mut self, item: &syn::ItemEnum, place: Place) {
        let id = self.start_item(ItemKind::Enum, &item.ident, &item.attrs, &item.vis, place);
        self.generics(id, &item.generics);
        let mut variants = Vec::with_capacity(item.variants.len());
        for variant in &item.variants {
            let name = self.ident(&variant.ident);
            let span = self.range(variant.ident.span());
            variants.push(Variant { name, fields: self.fields(&variant.fields), span });
        }
        let start = self.header.variants.len() as u32;
        self.header.items[id.index()].variants = Run { start, len: variants.len() as u32 };
        self.header.variants.extend(variants);
    }

    fn trait_item(&mut self, item: &syn::ItemTrait, place: Place) {
        let id = self.start_item(ItemKind::Trait, &item.ident, &item.attrs, &item.vis, place);
        self.generics(id, &item.generics);
        let ty = self.bounds_type(TypeKind::Impl, item.supertraits.iter());
        self.header.items[id.index()].ty = ty;
        let visible = self.header.items[id.index()].flags & (flag::PUBLIC | flag::EXPORTED);
        let inner = Place { parent: id, ..self.within(id, place) };
        for member in &item.items {
            match member {
                TraitItem::Fn(f) => {
                    let flags = visible | self.attribute_flags(&f.attrs);
                    self.function(&f.attrs, &f.sig, f.default.as_ref(), flags, inner);
                }
                TraitItem::Const(c) => {
                    let id = self.start_item(ItemKind::Const, &c.ident, &c.attrs, &Visibility::Inherited, inner);
                    self.value(id, &c.ty, c.default.as_ref().map(|(_, e)| e));
                }
                TraitItem::Type(t) => {
                    let id = self.start_item(ItemKind::Alias, &t.ident, &t.attrs, &Visibility::Inherited, inner);
                    if let Some((_, ty)) = &t.default {
                        let ty = self.ty(ty);
                        self.header.items[id.index()].ty = ty;
                    }
                }
                TraitItem::Macro(m) => self.macro_item(&m.attrs, &m.mac, inner),
                _ => {}
            }
        }
    }

    fn impl_item(&mut self, item: &syn::ItemImpl, place: Place) {
        let mut flags = self.attribute_flags(&item.attrs);
        flags |= if item.modifiers.polarity.is_some() { flag::NEGATIVE } else { 0 };
        let span = self.type_span(&item.self_ty);
        let id = self.push_item(ItemKind::Impl, NameId::NONE, span, &item.attrs, flags, place);
        self.lint_attributes(&item.attrs, item.impl_token.span, item.brace_token.span.close());
        self.generics(id, &item.generics);
        let ty = self.ty(&item.self_ty);
        let of_trait = item.trait_.as_ref().map_or(PathId::NONE, |(path, _)| self.path(path));
        let entry = &mut self.header.items[id.index()];
        entry.ty = ty;
        entry.of_trait = of_trait;
        let inner = Place { parent: id, ..self.within(id, place) };
        item.items.iter().for_each(|member| self.impl_member(member, inner));
    }

    pub(super) fn impl_member(&mut self, member: &ImplItem, place: Place) {
        match member {
            ImplItem::Fn(f) => {
                let flags = self.head(&f.vis, &f.attrs);
                self.function(&f.attrs, &f.sig, Some(&f.block), flags, place);
            }
            ImplItem::Const(c) => {
                let id = self.start_item(ItemKind::Const, &c.ident, &c.attrs, &c.vis, place);
                self.value(id, &c.ty, Some(&c.expr));
            }
            ImplItem::Type(t) => {
                let id = self.start_item(ItemKind::Alias, &t.ident, &t.attrs, &t.vis, place);
                let ty = self.ty(&t.ty);
                self.header.items[id.index()].ty = ty;
            }
            ImplItem::Macro(m) => self.macro_item(&m.attrs, &m.mac, place),
            _ => {}
        }
    }

    /// The place of what an item contains: tests and cfgs are inherited.
    fn within(&self, item: ItemId, place: Place) -> Place {
        let inherited = self.header.items[item.index()].flags & (flag::TEST | flag::CFG);
        Place { inherited: place.inherited | inherited, ..place }
    }

    fn foreign_block(&mut self, item: &syn::ItemForeignMod, place: Place) {
        let flags = self.attribute_flags(&item.attrs);
        let span = self.range(item.abi.extern_token.span);
        let id = self.push_item(ItemKind::ForeignBlock, NameId::NONE, span, &item.attrs, flags, place);
        let mut inner = Place { parent: id, ..self.within(id, place) };
        inner.inherited |= flag::FOREIGN;
        for member in &item.items {
            match member {
                syn::ForeignItem::Fn(f) => {
                    let flags = self.head(&f.vis, &f.attrs);
                    self.function(&f.attrs, &f.sig, None, flags, inner);
                }
                syn::ForeignItem::Static(s) => {
                    let id = self.start_item(ItemKind::Static, &s.ident, &s.attrs, &s.vis, inner);
                    self.mark_mutable(id, &s.mutability);
                    self.value(id, &s.ty, None);
                }
                _ => {}
            }
        }
    }

    /// A path of plain names.
    fn name_path(&mut self, names: &[NameId], global: bool) -> PathId {
        use crate::facts::types::{PathNode, Segment};
        let segments: Vec<_> =
            names.iter().map(|&name| Segment { name, args: Run::default(), bindings: Run::default() }).collect();
        let table = &mut self.header.types;
        let segments = push_run(&mut table.segments, &segments);
        table.paths.push(PathNode { global, qself: TypeId::NONE, trait_segments: 0, segments });
        PathId(table.paths.len() as u32 - 1)
    }
}

/// Whether a macro call in statement position declares items.
pub(super) fn item_macro(mac: &syn::Macro) -> bool {
    mac.path.segments.last().is_some_and(|s| s.ident == "lazy_static" || s.ident == "thread_local")
}
