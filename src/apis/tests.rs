//! The embedded tables and the rules for all tables.

use super::embedded::EMBEDDED;
use super::*;
use std::collections::BTreeMap;

fn parse(text: &str) -> Result<Apis, String> {
    let table = toml::from_str(text).map_err(|e| e.to_string())?;
    Apis::new(vec![table]).map_err(|e| e.to_string())
}

#[test]
fn embedded_tables_are_the_files_of_the_folder() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/lints/apis");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
        .collect();
    files.sort();
    let embedded: Vec<&str> = EMBEDDED.iter().map(|(name, _)| *name).collect();
    assert_eq!(embedded, files, "src/apis/embedded.rs lists the tables sorted by name");
}

#[test]
fn every_embedded_table_is_valid() {
    for &(name, text) in EMBEDDED {
        let table: Table = toml::from_str(text).unwrap_or_else(|e| panic!("{name}: {e}"));
        Apis::new(vec![table]).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
    Apis::builtin();
}

#[test]
fn embedded_paths_are_unique() {
    let mut functions = BTreeMap::new();
    let mut owners = BTreeMap::new();
    let mut attributes = BTreeMap::new();
    for &(name, text) in EMBEDDED {
        let table: Table = toml::from_str(text).unwrap();
        let types = table.types.iter().filter(|r| r.since.or(r.until).is_none()).map(|r| (&r.path, &r.also));
        let traits = table.traits.iter().map(|r| (&r.path, &r.also));
        let aliases = table.aliases.iter().map(|r| (&r.path, &r.also));
        for (path, also) in types.chain(traits).chain(aliases) {
            claim(&mut owners, name, path, also);
        }
        for row in &table.functions {
            let versions = format!("{:?}", (row.since, row.until));
            claim(&mut functions, name, &format!("{} {versions}", row.path), &[]);
            row.also.iter().for_each(|also| claim(&mut functions, name, &format!("{also} {versions}"), &[]));
        }
        for row in &table.attributes {
            claim(&mut attributes, name, &row.path, &row.also);
        }
    }
}

fn claim<'a>(seen: &mut BTreeMap<String, &'a str>, table: &'a str, path: &str, also: &[String]) {
    for path in std::iter::once(path).chain(also.iter().map(String::as_str)) {
        if let Some(other) = seen.insert(path.to_owned(), table) {
            panic!("`{path}` is in {other} and {table}");
        }
    }
}

#[test]
fn every_type_that_a_function_returns_with_arguments_has_as_many_parameters() {
    let apis = Apis::builtin();
    for row in apis.functions() {
        if let Some(term) = &row.returns {
            check_arity(apis, term, &row.path);
        }
    }
}

fn check_arity(apis: &Apis, term: &Term, of: &str) {
    match term {
        Term::Path { path, args } => {
            if let Some(row) = apis.type_row(path) {
                assert!(args.len() <= row.params.len(), "{of}: {path} has {} parameters", row.params.len());
            }
            args.iter().for_each(|t| check_arity(apis, t, of));
        }
        Term::Tuple(terms) => terms.iter().for_each(|t| check_arity(apis, t, of)),
        Term::Ref { to, .. } | Term::Pointer(to) | Term::Slice(to) => check_arity(apis, to, of),
        _ => {}
    }
}

#[test]
fn what_an_obligation_names_is_a_method_of_the_type() {
    let apis = Apis::builtin();
    for row in apis.types() {
        let Some(obligation) = &row.obligation else { continue };
        for name in [&obligation.met_by, &obligation.ended_by, &obligation.polled_by].into_iter().flatten() {
            assert!(apis.method(&row.path, name).is_some(), "{}::{name} has no row", row.path);
        }
    }
}

#[test]
fn what_releases_has_a_row_that_says_so_if_it_has_one() {
    let apis = Apis::builtin();
    let rows = apis.functions().iter().filter_map(|row| row.acquires.as_ref());
    for path in rows.flat_map(|acquires| &acquires.released_by) {
        if let Some(row) = apis.function(path) {
            let frees = row.releases.is_some() || row.drops_by_hand.is_some();
            assert!(frees || row.adopts.is_some() || row.removes_path.is_some(), "{path}");
        }
    }
}

#[test]
fn collections_name_their_growth_and_have_elements() {
    for row in Apis::builtin().types() {
        if row.collection.is_some() {
            assert!(!row.grow.is_empty(), "{} does not grow", row.path);
            assert!(row.element.is_some(), "{} has no element", row.path);
        }
        if matches!(row.collection, Some(Collection::Map | Collection::Set)) {
            assert!(row.key.is_some(), "{} has no key", row.path);
        }
    }
}

#[test]
fn finds_functions_by_every_path() {
    let apis = Apis::builtin();
    let insert = apis.function("std::collections::HashMap::insert").unwrap();
    assert_eq!(insert.path, "std::collections::HashMap::insert");
    assert_eq!(apis.function("std::collections::hash_map::HashMap::insert").unwrap().path, insert.path);
    assert_eq!(apis.method("std::collections::HashMap", "insert").unwrap().path, insert.path);
    assert_eq!(apis.function("core::mem::forget").unwrap().forgets, Some(Slot::Arg(0)));
    assert_eq!(apis.function("alloc::boxed::Box::new").unwrap().wraps, [0]);
    assert!(apis.function("std::collections::HashMap::no_such").is_none());
    assert!(apis.function("HashMap").is_none());
}

#[test]
fn follows_aliases() {
    let apis = Apis::builtin();
    assert_eq!(apis.canonical("std::io::Result"), Some("std::result::Result"));
    assert!(apis.type_row("std::io::Result").is_none());
    assert_eq!(apis.alias("std::io::Result").unwrap().params, ["T"]);
    assert_eq!(apis.function("std::io::Result::unwrap").unwrap().path, "std::result::Result::unwrap");
}

#[test]
fn knows_names_of_methods() {
    let apis = Apis::builtin();
    assert!(apis.is_grow_name("push") && apis.is_grow_name("or_insert_with"));
    assert!(apis.is_shrink_name("retain") && apis.is_shrink_name("pop_front"));
    assert!(apis.is_bound_name("len") && !apis.is_bound_name("push"));
    assert!(apis.is_through_name("lock") && apis.is_through_name("unwrap") && !apis.is_through_name("spawn"));
    assert!(apis.is_element_name("entry") && apis.is_element_name("values_mut"));
    assert!(apis.distinctive("into_raw_fd").is_some_and(|row| row.acquires.is_some()));
    assert!(apis.distinctive("wait").is_none());
    let waits: Vec<_> = apis.methods_named("wait").iter().map(|&id| apis.row(id).path.as_str()).collect();
    assert!(waits.contains(&"std::process::Child::wait"), "{waits:?}");
    assert!(!apis.trait_functions_named("from_raw_fd").is_empty());
}

#[test]
fn refuses_unknown_keys() {
    for text in [
        "[[typ]]\npath = \"a::B\"",
        "[[type]]\npath = \"a::B\"\ngrows = [\"push\"]",
        "[[type]]\npath = \"a::B\"\n[type.methods]\nf = { return = \"T\" }",
        "[[type]]\npath = \"a::B\"\nobligation = { kind = \"child\", drop = \"leaks\", meets = [] }",
        "[[fn]]\npath = \"a::b\"\nspawns = { arg = 0, as = \"task\", how = 1 }",
        "[[trait]]\npath = \"a::B\"\nheat = \"once\"",
        "[[attribute]]\npath = \"a::b\"\nheat = \"once\"\nwarm = true",
        "[[alias]]\npath = \"a::b\"\nto = \"u8\"\nis = 1",
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.contains("unknown field"), "{text}: {error}");
    }
}

#[test]
fn refuses_rows_that_make_no_sense() {
    for (text, reason) in [
        ("[[type]]\nparams = [\"T\"]", "is not a canonical path"),
        ("[[fn]]\npath = \"core::mem::drop\"", "is not a canonical path"),
        ("[[fn]]\npath = \"a::b\"\nreturns = \"Option<T>\"", "names `T`, which is no parameter"),
        ("[[type]]\npath = \"a::B\"\nderef = \"T\"", "names `T`, which is no parameter"),
        ("[[type]]\npath = \"a::B\"\n[type.methods]\nf = { path = \"a::B::g\" }", "of its own"),
        ("[[fn]]\npath = \"a::b\"\nreturns = \"Option<\"", "is not a type term"),
        ("[[fn]]\npath = \"a::b\"\ndrops = \"this\"", "expected \"self\" or the number of an argument"),
        ("[[fn]]\npath = \"a::b\"\ncalls = [{ arg = 0, heat = \"often\" }]", "unknown variant `often`"),
        ("[[alias]]\npath = \"a::A\"\nto = \"u8\"\n[[alias]]\npath = \"a::B\"\nto = \"a::A\"", "alias of an alias"),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn rows_of_the_user_win() {
    let user = "[[fn]]\npath = \"std::mem::forget\"\ndrops = 0\n[[type]]\npath = \"my::Pool\"\nlocks = true";
    let apis = Apis::extended(toml::from_str(user).unwrap()).unwrap();
    let forget = apis.function("std::mem::forget").unwrap();
    assert_eq!((forget.forgets, forget.drops), (None, Some(Slot::Arg(0))));
    assert!(apis.type_row("my::Pool").unwrap().locks);
}

#[test]
fn rows_hold_for_their_versions() {
    let apis = parse(
        "[[fn]]\npath = \"nix::dup\"\nuntil = \"0.30\"\nreturns = \"i32\"\n\
         [[fn]]\npath = \"nix::dup\"\nsince = \"0.30\"\nreturns = \"u8\"\n\
         [[fn]]\npath = \"nix::close\"\n\
         [[type]]\npath = \"nix::dir::Dir\"\nalso = [\"nix::Dir\"]\nsince = \"0.2\"\nmethods = { read = { returns = \"u8\" } }",
    )
    .unwrap();
    let root = |version: &str| apis.crate_root("nix".to_owned(), version.parse().ok());
    let found = |version: &str, path: &str| {
        let path = format!("{}::{path}", root(version));
        apis.of_version(&path).map(|path| path.into_owned())
    };
    assert_eq!((root("0.26"), root("").as_str()), ("nix@0.26.0".to_owned(), "nix"));
    assert_eq!(apis.crate_root("libc".to_owned(), "1".parse().ok()), "libc");
    assert_eq!(found("", "dup"), None);
    assert_eq!(found("0.29.9", "dup").unwrap(), "nix@0.0.0..0.30.0::dup");
    assert_eq!(found("0.30", "dup").unwrap(), "nix@0.30.0..::dup");
    assert_eq!(found("0.30", "close").unwrap(), "nix::close");
    let dir = found("1.2.3", "Dir").unwrap();
    assert_eq!((dir.as_str(), found("0.1", "Dir").unwrap().as_str()), ("nix@0.2.0..::dir::Dir", "nix::Dir"));
    assert_eq!(apis.function(&format!("{dir}::read")).unwrap().path, "nix::dir::Dir::read");
    assert!(apis.function("nix::dup").is_none() && apis.function("nix@0.30.0..::dup").is_some());
    assert!(apis.type_row("nix::Dir").is_none() && apis.type_row(&dir).is_some());
}

#[test]
fn refuses_rows_of_the_same_version() {
    let row = |limit: &str| format!("[[fn]]\npath = \"a::b\"\n{limit}\n");
    let both = |a: &str, b: &str| parse(&(row(a) + &row(b)));
    assert!(both("until = \"1\"", "since = \"1\"").is_ok());
    assert!(both("until = \"1\"", "").is_ok());
    assert!(both("until = \"1.1\"", "since = \"1\"").unwrap_err().contains("has another row for the same version"));
    assert!(
        parse("[[type]]\npath = \"a::B\"\n[type.methods]\nf = { since = \"1\" }").unwrap_err().contains("of its own")
    );
    assert!(parse(&row("since = \"new\"")).unwrap_err().contains("expected a version"));
}

#[test]
fn rows_of_the_user_win_for_their_versions() {
    let table = |text: &str| toml::from_str(text).unwrap();
    let builtin = "[[fn]]\npath = \"a::b\"\nuntil = \"2\"";
    let found = |user: &str| {
        let apis = Apis::new(vec![table(builtin), table(user)]).unwrap();
        apis.of_version("a@1.0.0::b").unwrap().into_owned()
    };
    assert_eq!(found("[[fn]]\npath = \"a::b\""), "a::b");
    assert_eq!(found("[[fn]]\npath = \"a::b\"\nsince = \"1\""), "a@1.0.0..::b");
}

#[test]
fn reads_conditions_of_success() {
    let ok = |text: &str| Condition::try_from(text.to_owned());
    let condition = |compare, with| Ok(Condition { compare, with });
    assert_eq!(ok(">= 0"), condition(Compare::Ge, Constant::Number(0)));
    assert_eq!(ok("!= -1"), condition(Compare::Ne, Constant::Number(-1)));
    assert_eq!(ok("!= MAP_FAILED"), condition(Compare::Ne, Constant::Name("MAP_FAILED".to_owned())));
    assert_eq!(ok("~ 0"), Err("expected one of == != < <= > >=, found \"~\"".to_owned()));
    assert!(ok("0").is_err());
}

#[test]
fn tells_crates_that_bind_c() {
    let apis = parse("foreign = [\"libc\"]\nnot_foreign = [\"web_sys\"]").unwrap();
    assert!(!apis.is_foreign("web_sys::Document::create_element"));
    assert!(apis.is_foreign("libc::open"));
    assert!(apis.is_foreign("openssl_sys::SSL_new"));
    assert!(!apis.is_foreign("nix::unistd::dup"));
}

#[test]
fn the_readme_explains_every_key() {
    let readme = include_str!("../../lints/README.md");
    for text in [
        "x = 1",
        "[[type]]\nx = 1",
        "[[type]]\nobligation = { x = 1 }",
        "[[fn]]\nx = 1",
        "[[fn]]\ncalls = [{ x = 1 }]",
        "[[fn]]\nspawns = { x = 1 }",
        "[[fn]]\nacquires = { x = 1 }",
        "[[fn]]\nadopts = { x = 1 }",
        "[[fn]]\nreads_all = { x = 1 }",
        "[[fn]]\nlacks = [{ x = 1 }]",
        "[[trait]]\nx = 1",
        "[[attribute]]\nx = 1",
        "[[alias]]\nx = 1",
    ] {
        let error = toml::from_str::<Table>(text).unwrap_err();
        let keys: Vec<&str> = error.message().split('`').skip(3).step_by(2).collect();
        assert!(!keys.is_empty(), "{error}");
        for key in keys {
            let explained = ["`K`", "`K ", " K`", " K,", "K =", "[[K]]", "type.K]", "trait.K]"];
            let explained = explained.map(|pattern| pattern.replace('K', key));
            assert!(explained.iter().any(|pattern| readme.contains(pattern)), "lints/README.md lacks `{key}`");
        }
    }
}
