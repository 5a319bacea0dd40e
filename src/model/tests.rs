//! Tests of the model, on facts of real lowering. A test names the type or callee it expects as text.

use super::*;
use crate::facts::ItemKind;
use crate::facts::body::LocalKind;
use crate::version::Version;
use std::path::PathBuf;

mod access;
mod accumulate;
mod builders;
mod captures;
mod chain;
mod channels;
mod cycles;
mod effects;
mod endings;
mod exits;
mod flow;
mod heat;
mod http;
mod keyed;
mod lacking;
mod ledger;
mod pairs;
mod partial;
mod paths;
mod peer_numbers;
mod reads;
mod tasks;
mod types;

/// Links files of one package `krate` with a library, a program if `src/main.rs` is there, and some dependencies.
fn package(files: &[(&str, &str)]) -> Model {
    link(&[("krate", files)])
}

/// Links packages, each in a folder of its own name; every one may use the others and some crates, `nix` 0.29 among them.
fn link(packages: &[(&str, &[(&str, &str)])]) -> Model {
    let (mut units, mut infos) = (Vec::new(), Vec::new());
    for (index, (name, files)) in packages.iter().enumerate() {
        let folder = PathBuf::from("/ws").join(name);
        let target = |name: &str, kind, file: &str| TargetInfo { name: name.to_owned(), kind, root: folder.join(file) };
        let others = packages.iter().map(|(other, _)| *other).filter(|other| other != name);
        let external = "tokio libc libsqlite3_sys ext once_cell parking_lot anyhow nix tonic futures clokwerk actix_web awc axum \
             http_body_util hyper hyper_util isahc poem reqwest surf tide tiny_http tokio_tungstenite tower_http ureq warp";
        infos.push(PackageInfo {
            name: (*name).to_owned(),
            targets: vec![target(name, TargetKind::Lib, "src/lib.rs"), target("app", TargetKind::Bin, "src/main.rs")],
            dependencies: others.chain(external.split_whitespace()).map(dependency).collect(),
        });
        for (path, text) in *files {
            units.push(unit(units.len(), folder.join(path), Some(index), text));
        }
    }
    Model::link(units, infos, Apis::builtin())
}

fn dependency(name: &str) -> Dependency {
    Dependency {
        name: name.to_owned(),
        package: name.to_owned(),
        version: (name == "nix").then_some(Version([0, 29, 0])),
    }
}

/// Links and analyses one library file.
fn analysed(text: &str) -> Model {
    analysed_files(&[("src/lib.rs", text)])
}

/// Links and analyses files of one package.
fn analysed_files(files: &[(&str, &str)]) -> Model {
    let mut model = package(files);
    model.analyse();
    model
}

/// Links files that belong to no package.
fn loose(files: &[(&str, &str)]) -> Model {
    let units =
        files.iter().enumerate().map(|(i, (path, text))| unit(i, PathBuf::from("/loose").join(path), None, text));
    Model::link(units.collect(), Vec::new(), Apis::builtin())
}

fn unit(id: usize, path: PathBuf, package: Option<usize>, text: &str) -> FileUnit {
    let target = if path.ends_with("src/main.rs") { TargetKind::Bin } else { TargetKind::Lib };
    FileUnit { id: FileId(id as u32), path, package, target, facts: crate::lower::text(text) }
}

impl Model {
    fn find(&self, path: &str) -> DefId {
        let named = |&d: &DefId| self.item(d).kind != ItemKind::Impl && self.text(self.def_path(d)) == path;
        self.defs().find(named).unwrap_or_else(|| panic!("no item {path}"))
    }

    fn typed_at(&self, path: &str) -> TypedFn {
        self.typed(self.body_of(self.find(path)).expect("the item has a body"))
    }

    /// The type of a local of a function or of a closure in it.
    fn local_text(&self, function: &str, local: &str) -> String {
        let typed = self.typed_at(function);
        let found = typed.bodies.iter().find_map(|b| {
            let named = |l: &crate::facts::body::Local| {
                l.kind != LocalKind::Capture
                    && l.name.get().is_some_and(|n| self.text(self.name(b.at.file, n)) == local)
            };
            let index = b.body.locals.iter().position(named)?;
            Some(b.types.locals[index])
        });
        self.ty_text(found.unwrap_or_else(|| panic!("no local {local} in {function}")))
    }

    /// The callees of a function and of the closures in it, in order.
    fn callees(&self, function: &str) -> Vec<String> {
        let typed = self.typed_at(function);
        let all = typed.bodies.iter().flat_map(|b| b.body.statements.iter().zip(&b.types.callees));
        let calls = all.filter(|(s, _)| {
            use crate::facts::body::Op::*;
            matches!(s.op, Call | CallMethod | CallValue)
        });
        let text = |callee: &Callee| match *callee {
            Callee::Def(def) => self.text(self.def_path(def)).to_owned(),
            Callee::Constructor(def) => format!("new {}", self.text(self.def_path(def))),
            Callee::External(path) => self.text(path).to_owned(),
            Callee::Distinctive(path) => format!("~{}", self.text(path)),
            Callee::Closure(_) => "closure".to_owned(),
            Callee::Unknown => "?".to_owned(),
        };
        calls.map(|(_, callee)| text(callee)).collect()
    }
}
