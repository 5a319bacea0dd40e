//! Which files a run is about, and which package and target each belongs to.

use leaklint::discover::{Dependency, Discovered, TargetKind, discover};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn tree(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}

fn found(folder: &TempDir, paths: &[&str], exclude: &[&str]) -> Discovered {
    let paths: Vec<PathBuf> = paths.iter().map(|path| folder.path().join(path)).collect();
    let exclude: Vec<String> = exclude.iter().map(|glob| (*glob).to_owned()).collect();
    discover(&paths, &exclude).expect("it runs")
}

fn names(found: &Discovered) -> Vec<&str> {
    found.files.iter().map(|file| file.display.as_str()).collect()
}

#[test]
fn ignored_hidden_and_built_files_are_left_out_unless_named() {
    let folder = tree(&[
        (".git/HEAD", ""),
        (".gitignore", "/generated\n*.gen.rs\n"),
        ("Cargo.toml", ""),
        (".hidden/a.rs", ""),
        ("generated/a.rs", ""),
        ("src/a.gen.rs", ""),
        ("src/a.rs", ""),
        ("src/a.txt", ""),
        ("src/target/mod.rs", ""),
        ("target/debug/a.rs", ""),
        ("sub/target/CACHEDIR.TAG", ""),
        ("sub/target/a.rs", ""),
    ]);
    assert_eq!(names(&found(&folder, &["."], &[])), ["src/a.rs", "src/target/mod.rs"]);
    assert_eq!(names(&found(&folder, &["src/a.gen.rs", ".hidden/a.rs"], &[])), [".hidden/a.rs", "src/a.gen.rs"]);
    assert_eq!(names(&found(&folder, &["generated"], &[])), ["generated/a.rs"]);
}

#[test]
fn globs_exclude_as_in_gitignore() {
    let folder = tree(&[(".git/HEAD", ""), ("a/b/x.rs", ""), ("a/c/x.rs", ""), ("b/y.rs", ""), ("z.rs", "")]);
    let left = |globs: &[&str]| {
        let found = found(&folder, &["."], globs);
        names(&found).join(" ")
    };
    assert_eq!(left(&["b"]), "a/c/x.rs z.rs");
    assert_eq!(left(&["/b"]), "a/b/x.rs a/c/x.rs z.rs");
    assert_eq!(left(&["a/**/x.rs", "z.rs"]), "b/y.rs");
    assert_eq!(names(&found(&folder, &["z.rs"], &["z.rs"])), ["z.rs"], "named files are always taken");
}

#[test]
fn names_are_relative_to_the_repository_or_the_folder_given() {
    let repository = tree(&[(".git", "gitdir: elsewhere"), ("one/src/lib.rs", ""), ("two/src/lib.rs", "")]);
    assert_eq!(names(&found(&repository, &["one/src"], &[])), ["one/src/lib.rs"]);
    let package = tree(&[("p/Cargo.toml", "[package]\nname = \"p\"\n"), ("p/src/lib.rs", ""), ("p/src/a/b.rs", "")]);
    assert_eq!(names(&found(&package, &["p"], &[])), ["src/a/b.rs", "src/lib.rs"]);
    assert_eq!(names(&found(&package, &["p/src/a"], &[])), ["b.rs"]);
    assert_eq!(names(&found(&package, &["p/src/a/b.rs"], &[])), ["src/a/b.rs"]);
    assert_eq!(names(&found(&package, &["p/src/a", "p/src/lib.rs"], &[])), ["a/b.rs", "lib.rs"]);
}

#[test]
fn files_have_packages_and_targets() {
    let folder = tree(&[
        (".git/HEAD", ""),
        ("Cargo.toml", "[workspace]\nmembers = [\"a\", \"b\"]\n[workspace.package]\nedition = \"2021\"\n"),
        (
            "a/Cargo.toml",
            "[package]\nname = \"a-b\"\nedition.workspace = true\nbuild = \"build/main.rs\"\n\
             [[bin]]\nname = \"tool\"\npath = \"tools/tool.rs\"\n[[bench]]\nname = \"speed\"\npath = \"speed.rs\"\n",
        ),
        ("a/build/gen.rs", ""),
        ("a/build/main.rs", ""),
        ("a/benches/x.rs", ""),
        ("a/examples/y/help.rs", ""),
        ("a/examples/y/main.rs", ""),
        ("a/speed.rs", ""),
        ("a/src/bin/one.rs", ""),
        ("a/src/bin/two/main.rs", ""),
        ("a/src/bin/two/part.rs", ""),
        ("a/src/lib.rs", ""),
        ("a/src/main.rs", ""),
        ("a/src/part.rs", ""),
        ("a/tests/common/mod.rs", ""),
        ("a/tests/t.rs", ""),
        ("a/tools/part.rs", ""),
        ("a/tools/tool.rs", ""),
        ("b/Cargo.toml", "[package]\nname = \"b\"\n[lib]\nproc-macro = true\n"),
        ("b/build.rs", ""),
        ("b/src/lib.rs", ""),
        ("c/Cargo.toml", "[package]\nname = \"c\"\nedition = \"2024\"\n"),
        ("c/src/main.rs", ""),
        ("c/src/part.rs", ""),
        ("loose.rs", ""),
    ]);
    let found = found(&folder, &["."], &[]);
    let row = |file: &leaklint::discover::SourceFile| {
        let package = file.package.map_or("-", |index| found.packages[index].name.as_str());
        format!("{} {package} {:?}", file.display, file.target)
    };
    insta::assert_snapshot!(found.files.iter().map(row).collect::<Vec<_>>().join("\n"), @r"
    a/benches/x.rs a-b Bench
    a/build/gen.rs a-b Build
    a/build/main.rs a-b Build
    a/examples/y/help.rs a-b Example
    a/examples/y/main.rs a-b Example
    a/speed.rs a-b Bench
    a/src/bin/one.rs a-b Bin
    a/src/bin/two/main.rs a-b Bin
    a/src/bin/two/part.rs a-b Bin
    a/src/lib.rs a-b Lib
    a/src/main.rs a-b Bin
    a/src/part.rs a-b Lib
    a/tests/common/mod.rs a-b Test
    a/tests/t.rs a-b Test
    a/tools/part.rs a-b Bin
    a/tools/tool.rs a-b Bin
    b/build.rs b Build
    b/src/lib.rs b Lib
    c/src/main.rs c Bin
    c/src/part.rs c Bin
    loose.rs - Lib
    ");
    let editions: Vec<_> = found.packages.iter().map(|package| package.edition.as_deref()).collect();
    assert_eq!(editions, [Some("2021"), None, Some("2024")]);
    assert_eq!(found.packages.iter().map(|package| package.proc_macro).collect::<Vec<_>>(), [false, true, false]);
    let targets = found.packages[0].targets.iter().map(|target| format!("{:?} {}", target.kind, target.name));
    let expected = [
        "Lib a_b",
        "Bin a_b",
        "Bin one",
        "Bin tool",
        "Bin two",
        "Test t",
        "Bench speed",
        "Bench x",
        "Example y",
        "Build build_script_build",
    ];
    assert_eq!(targets.collect::<Vec<_>>(), expected);
}

#[test]
fn dependencies_have_the_name_that_code_uses() {
    let folder = tree(&[
        (
            "Cargo.toml",
            "[workspace]\n[workspace.dependencies]\nshort = { package = \"long-name\", version = \"1\" }\nplain-x = \"1\"\n",
        ),
        (
            "a/Cargo.toml",
            "[package]\nname = \"a\"\n[dependencies]\nshort.workspace = true\nplain-x.workspace = true\n\
             own = { package = \"other-name\", version = \"1\" }\n[dev-dependencies]\ndev-y = \"1\"\n\
             [target.'cfg(unix)'.dependencies]\nunix-z = \"1\"\n[build-dependencies]\ncc = \"1\"\n",
        ),
        ("a/src/lib.rs", ""),
    ]);
    let found = found(&folder, &["a"], &[]);
    let pair = |d: &Dependency| format!("{}={}", d.name, d.package);
    let expected = ["cc=cc", "dev_y=dev-y", "own=other-name", "plain_x=plain-x", "short=long-name", "unix_z=unix-z"];
    assert_eq!(found.packages[0].dependencies.iter().map(pair).collect::<Vec<_>>(), expected);
}

#[test]
fn dependencies_have_the_lowest_version_that_is_asked_for() {
    let folder = tree(&[
        (
            "Cargo.toml",
            "[workspace]\n[workspace.dependencies]\nnix = { version = \"0.26.2\" }\nown = { path = \"own\" }\n",
        ),
        (
            "a/Cargo.toml",
            "[package]\nname = \"a\"\n[dependencies]\nnix = { workspace = true, features = [\"fs\"] }\nown.workspace = true\n\
             libc = \"0.2\"\nany = \"*\"\n[dev-dependencies]\nlibc = \"0.2.5\"\nown = \"2\"\n",
        ),
        ("a/src/lib.rs", ""),
    ]);
    let found = found(&folder, &["a"], &[]);
    let text = |d: &Dependency| format!("{} {:?}", d.name, d.version.map(|v| v.0));
    let expected = ["any None", "libc Some([0, 2, 0])", "nix Some([0, 26, 2])", "own Some([2, 0, 0])"];
    assert_eq!(found.packages[0].dependencies.iter().map(text).collect::<Vec<_>>(), expected);
}

#[test]
fn a_manifest_that_is_none_is_named() {
    let folder =
        tree(&[(".git/HEAD", ""), ("Cargo.toml", "[package]\nname = \"outer\"\n"), ("a/Cargo.toml", "[package\n")]);
    fs::create_dir_all(folder.path().join("a/src")).expect("a folder");
    fs::write(folder.path().join("a/src/lib.rs"), "").expect("a file");
    let found = found(&folder, &["."], &[]);
    assert_eq!(names(&found), ["a/src/lib.rs"]);
    assert_eq!(found.skipped.iter().map(|skipped| skipped.file.as_str()).collect::<Vec<_>>(), ["a/Cargo.toml"]);
    assert!(found.skipped[0].reason.to_string().starts_with("is not a valid manifest: "));
}

#[test]
fn paths_are_absolute() {
    let folder = tree(&[("src/lib.rs", "")]);
    let found = found(&folder, &["src/../src"], &[]);
    let real = folder.path().canonicalize().expect("it exists");
    assert_eq!(found.files[0].path, real.join("src/lib.rs"));
    assert_eq!((found.root.as_path(), found.files[0].target), (real.join("src").as_path(), TargetKind::Lib));
    assert!(Path::new(&found.root).is_absolute());
}

#[test]
fn a_library_for_the_tests_of_others_is_test_code() {
    let app = "[package]\nname = \"app\"\n[dependencies]\nparts.path = \"../parts\"\n\
               [dev-dependencies]\nsnap.path = \"../snap\"\nopen.path = \"../open\"\n";
    let parts = "[package]\nname = \"parts\"\npublish = false\n[dev-dependencies]\nsnap.path = \"../snap\"\n";
    let folder = tree(&[
        ("app/Cargo.toml", app),
        ("app/src/lib.rs", ""),
        ("open/Cargo.toml", "[package]\nname = \"open\"\n"),
        ("open/src/lib.rs", ""),
        ("parts/Cargo.toml", parts),
        ("parts/src/lib.rs", ""),
        ("snap/Cargo.toml", "[package]\nname = \"snap\"\npublish = false\n"),
        ("snap/src/lib.rs", ""),
    ]);
    let found = found(&folder, &["."], &[]);
    let kinds: Vec<_> = found.packages.iter().map(|p| (p.name.as_str(), p.targets[0].kind)).collect();
    let expected =
        [("app", TargetKind::Lib), ("open", TargetKind::Lib), ("parts", TargetKind::Lib), ("snap", TargetKind::Test)];
    assert_eq!(kinds, expected);
}
