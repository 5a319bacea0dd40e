//! The binary from outside: arguments, streams, exit status, and files that are no ordinary ones.

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::{contains, is_empty};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

struct Project {
    folder: TempDir,
}

impl Project {
    /// A package in a repository of its own.
    fn new(files: &[(&str, &[u8])]) -> Project {
        let project = Project { folder: tempfile::tempdir().expect("a folder") };
        project.write(".git/HEAD", b"");
        project.write("Cargo.toml", b"[package]\nname = \"example\"\n");
        for (name, bytes) in files {
            project.write(name, bytes);
        }
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }

    /// The command, run in the project's folder.
    fn leaklint(&self, arguments: &[&str]) -> Command {
        let mut command = leaklint(arguments);
        command.current_dir(self.folder.path());
        command
    }

    fn check(&self, arguments: &[&str]) -> Command {
        let mut command = self.leaklint(&["check"]);
        command.args(arguments);
        command
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.check(&["--output-format", "json"]).args(arguments).output().expect("it runs");
        serde_json::from_slice(&output.stdout).expect("it is JSON")
    }

    /// File and reason of all that was skipped.
    fn skipped(&self, arguments: &[&str]) -> Vec<(String, String)> {
        let json = self.json(arguments);
        let skipped = json["summary"]["skipped"].as_array().expect("a list").iter();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        skipped.map(|entry| (text(&entry["file"]), text(&entry["reason"]))).collect()
    }
}

fn leaklint(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leaklint"));
    command.args(arguments).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command
}

const PLAIN: (&str, &[u8]) = ("src/lib.rs", b"pub fn a() {}\n\npub fn b() {}\n");

#[test]
fn a_clean_run_is_silent_on_stdout() {
    let project = Project::new(&[PLAIN]);
    let summary =
        predicate::str::is_match(r"^checked 1 file, 3 lines in \d+\.\d\d s: 0 diagnostics\n$").expect("a regex");
    project.check(&[]).assert().code(0).stdout(is_empty()).stderr(summary);
    project.check(&["-q"]).assert().code(0).stdout(is_empty()).stderr(is_empty());
}

#[test]
fn no_rust_files_are_no_error() {
    let project = Project::new(&[("README.md", b"# x")]);
    project.check(&[]).assert().code(0).stderr("no Rust files found\n");
}

#[test]
fn mistakes_are_status_2() {
    let project = Project::new(&[PLAIN]);
    let fails = |arguments: &[&str], text: &str| {
        project.leaklint(arguments).assert().code(2).stdout(is_empty()).stderr(contains(text.to_owned()));
    };
    fails(&[], "Usage");
    fails(&["chekc"], "similar subcommand exists: 'check'");
    fails(&["check", "--min-confidense", "low"], "a similar argument exists: '--min-confidence'");
    fails(&["check", "--min-confidence", "some"], "possible values: high, medium, low");
    fails(&["check", "--color", "blue"], "possible values: auto, always, never");
    fails(&["check", "--error-on", "allow"], "possible values: warn, deny");
    fails(&["check", "-j", "0"], "'0'");
    fails(&["check", "-q", "-v"], "cannot be used with");
    fails(&["check", "--output-format", "jsno"], "did you mean `json`?");
    fails(
        &["check", "--output-format", "xml"],
        "formats are human, concise, json, json-lines, sarif, github, gitlab, junit, rdjson",
    );
    fails(&["check", "--output-format", "json="], "no file after");
    fails(&["check", "--output-format", "json", "--output-format", "human"], "only one format can go to stdout");
    fails(&["check", "--output-format", "json=no/such/folder/x.json"], "cannot write no/such/folder/x.json");
    fails(&["check", "--exclude", "a{"], "invalid glob");
    fails(&["check", "nowhere"], "nowhere: no such file or directory");
    fails(&["check", "-W", "no_such_lint"], "unknown lint or group `no_such_lint`");
    fails(&["check", "-A", "al"], "did you mean `all`?");
    fails(&["explain", "no_such_lint"], "unknown lint or group `no_such_lint`");
    fails(&["explain"], "<LINT>");
    fails(&["facts", "nowhere.rs"], "nowhere.rs cannot be read");
    project.write("broken.rs", b"fn (");
    fails(&["facts", "broken.rs"], "broken.rs cannot be parsed");
}

const LEAK: (&str, &[u8]) =
    ("src/lib.rs", b"pub fn beep() {\n    let _ = std::process::Command::new(\"beep\").spawn();\n}\n");

#[test]
fn findings_are_status_1_unless_levels_say_otherwise() {
    let project = Project::new(&[LEAK]);
    let status = |arguments: &[&str], code: i32| {
        project.check(arguments).assert().code(code);
    };
    project.check(&[]).assert().code(1).stdout(contains("[zombie_process]")).stderr(contains(": 1 diagnostic"));
    project.check(&["-A", "zombie_process"]).assert().code(0).stdout(is_empty());
    project.check(&["-D", "zombie_process"]).assert().code(1).stdout(contains("error[zombie_process]"));
    status(&["-A", "all", "-W", "zombie_process"], 1);
    status(&["-W", "zombie_process", "-A", "all"], 0);
    status(&["-W", "all", "--error-on", "deny"], 0);
    status(&["-D", "all", "--error-on", "deny"], 1);
    status(&["-D", "all", "--exit-zero"], 0);
    assert_eq!(project.json(&[])["diagnostics"][0]["line"], 2);
}

#[test]
fn findings_are_coloured_on_demand() {
    let project = Project::new(&[LEAK]);
    let coloured = |arguments: &[&str], variables: &[(&str, &str)]| {
        let output = project.check(arguments).envs(variables.iter().copied()).output().expect("it runs");
        assert!(!output.stdout.is_empty());
        output.stdout.contains(&0x1b)
    };
    assert!(!coloured(&[], &[]));
    assert!(coloured(&["--color", "always"], &[]));
    assert!(coloured(&["--color", "always"], &[("NO_COLOR", "1")]));
    assert!(coloured(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&["--output-format", "json"], &[("CLICOLOR_FORCE", "1")]));
    project.check(&["--color", "always", "--output-format", "human=out.txt"]).assert().stdout(is_empty());
    let file = fs::read(project.path("out.txt")).expect("a file");
    assert!(file.starts_with(b"warning[") && !file.contains(&0x1b));
}

#[test]
fn help_and_version_are_answers() {
    leaklint(&["--help"]).assert().code(0).stdout(contains("check").and(contains("facts").not())).stderr(is_empty());
    leaklint(&["--version"]).assert().code(0).stdout(format!("leaklint {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn every_lint_is_listed_and_explained() {
    let table = leaklint(&["lints"]).assert().code(0).stderr(is_empty()).get_output().stdout.clone();
    let table = String::from_utf8(table).expect("text");
    let names: Vec<&str> = table.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, leaklint::lints::LINTS.iter().map(|lint| lint.name).collect::<Vec<_>>());
    for name in names {
        leaklint(&["explain", name])
            .assert()
            .code(0)
            .stdout(predicate::str::starts_with(format!("# {name}\n\nLevel: ")));
    }
}

#[test]
fn facts_are_shown() {
    let project = Project::new(&[PLAIN]);
    project.leaklint(&["facts", "src/lib.rs"]).assert().code(0).stdout(is_empty().not());
}

#[test]
fn options_that_change_nothing_yet_are_accepted() {
    let project = Project::new(&[PLAIN]);
    let arguments = ["--isolated", "--no-cache", "-j", "2", "--tests", "--min-confidence", "high", "-W", "all"];
    project.check(&arguments).assert().code(0);
}

#[test]
fn timings_name_every_step() {
    let project = Project::new(&[PLAIN]);
    let steps = ["walk", "read", "parse", "lower", "link", "lints", "report", "wall"];
    let assert = project.check(&["--timings", "-q"]).assert().code(0);
    let text = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert_eq!(text.lines().filter_map(|line| line.split_whitespace().next()).collect::<Vec<_>>(), steps);
}

#[test]
fn verbose_names_packages() {
    let project = Project::new(&[PLAIN]);
    project.check(&["-v"]).assert().stderr(contains("paths are relative to /").and(contains("example: 1 file")));
}

#[test]
fn several_formats_in_one_run() {
    let project = Project::new(&[PLAIN]);
    let formats = ["--output-format", "json=out.json", "--output-format", "sarif=out.sarif", "--output-format", "json"];
    let assert = project.check(&formats).assert().code(0);
    let parse = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).expect("it is JSON");
    assert_eq!(parse(&assert.get_output().stdout)["version"], 1);
    assert_eq!(parse(&fs::read(project.path("out.json")).expect("a file"))["version"], 1);
    assert_eq!(parse(&fs::read(project.path("out.sarif")).expect("a file"))["version"], "2.1.0");
}

#[test]
fn what_cannot_be_parsed_is_named_and_does_not_stop_the_run() {
    let deep = format!("fn a() {{ {}{} }}", "(".repeat(10_000), ")".repeat(10_000));
    let large = vec![b' '; (4 << 20) + 1];
    let project = Project::new(&[
        PLAIN,
        ("src/empty.rs", b""),
        ("src/bom.rs", b"\xef\xbb\xbf#!/usr/bin/env x\r\nfn a() {\r\n}\r\n"),
        ("src/bom_broken.rs", b"\xef\xbb\xbffn a() {}\r\nfn a( {}\r\n"),
        ("src/broken.rs", b"fn a() {}\n  struct;\n"),
        ("src/deep.rs", deep.as_bytes()),
        ("src/large.rs", &large),
        ("src/latin.rs", b"// caf\xe9\n"),
    ]);
    let expected = [
        ("src/bom_broken.rs", "cannot be parsed: unbalanced bracket or no token at 2:5"),
        ("src/broken.rs", "cannot be parsed: expected identifier at 2:9"),
        ("src/deep.rs", "is nested too deeply at 1:265"),
        ("src/empty.rs", "is empty"),
        ("src/large.rs", "is too large (4194305 bytes; the limit is 4194304)"),
        ("src/latin.rs", "is not UTF-8 (byte 6)"),
    ];
    assert_eq!(project.skipped(&[]), expected.map(|(file, reason)| (file.to_owned(), reason.to_owned())));
    assert_eq!(project.json(&[])["summary"]["files"], 2);
    let named =
        contains("skipped: src/latin.rs is not UTF-8 (byte 6)\n").and(contains("0 diagnostics, 6 files skipped\n"));
    project.check(&[]).assert().code(0).stderr(named);
    project.check(&["--strict-parse"]).assert().code(1);
    project.check(&["--strict-parse", "--exit-zero"]).assert().code(0);
    project.check(&["--strict-parse", "src/lib.rs"]).assert().code(0);
    project.check(&["--strict-parse", "src/empty.rs"]).assert().code(0);
}

#[test]
fn many_skipped_files_are_counted() {
    let project = Project::new(&[]);
    for number in 0..25 {
        project.write(&format!("src/{number:02}.rs"), b"fn (");
    }
    let named = |more: &[&str]| {
        let assert = project.check(more).assert().code(0);
        String::from_utf8_lossy(&assert.get_output().stderr).matches("cannot be parsed").count()
    };
    assert_eq!(named(&[]), 20);
    assert_eq!(named(&["-v"]), 25);
    project.check(&[]).assert().stderr(contains("skipped: 5 more (-v names them)\n"));
}

#[test]
fn neither_threads_nor_the_folder_change_the_output() {
    let broken: (&str, &[u8]) = ("tests/b.rs", b"fn (");
    let project = Project::new(&[PLAIN, broken, ("src/a.rs", b"fn (")]);
    let sarif = |folder: &str, paths: &[&str], threads: &str| {
        let mut command = project.check(&["--output-format", "sarif", "-j", threads]);
        command.args(paths).current_dir(project.path(folder)).output().expect("it runs").stdout
    };
    let here = sarif(".", &[], "1");
    assert!(String::from_utf8_lossy(&here).contains("tests/b.rs"));
    assert_eq!(here, sarif(".", &["."], "8"));
    assert_eq!(here, sarif("src", &[".."], "3"));
    assert_eq!(here, sarif("tests", &["../src", ".", "b.rs"], "2"));
}

#[test]
fn findings_do_not_depend_on_threads_or_the_folder_either() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fixtures = repository.join("fixtures");
    let run = |format: &str, folder: &Path, path: &Path, threads: &str| {
        let arguments = ["check", "--exit-zero", "--min-confidence", "low", "--output-format", format, "-j", threads];
        let output = leaklint(&arguments).arg(path).current_dir(folder).output().expect("it runs");
        assert!(output.status.success());
        String::from_utf8(output.stdout).expect("text")
    };
    for (format, telling) in [("human", "warning[detached_task]"), ("sarif", "\"ruleId\": \"detached_task\"")] {
        let one = run(format, repository, Path::new("fixtures"), "1");
        assert!(one.contains(telling), "{one}");
        assert_eq!(one, run(format, repository, Path::new("fixtures"), "2"));
        assert_eq!(one, run(format, &repository.join("lints"), Path::new("../fixtures"), "7"));
        assert_eq!(one, run(format, &std::env::temp_dir(), &fixtures, "2"));
    }
}

#[test]
fn colours_are_for_terminals_or_on_demand() {
    let colour = contains("\x1b[");
    let help = |change: fn(&mut Command) -> &mut Command| {
        let mut command = leaklint(&["--help"]);
        change(&mut command);
        command.assert().code(0)
    };
    help(|command| command).stdout(colour.clone().not());
    help(|command| command.env("CLICOLOR_FORCE", "1")).stdout(colour.clone());
    help(|command| command.env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1")).stdout(colour.not());
}

#[test]
fn escape_sequences_in_paths_do_not_reach_the_terminal() {
    let project = Project::new(&[("src/a\x1b[2Jb.rs", b"fn (")]);
    project.check(&[]).assert().stderr(contains("src/a?[2Jb.rs").and(contains("\x1b").not()));
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::{Command, Stdio};

    #[test]
    fn links_are_followed_within_the_repository_and_loops_end() {
        let outside = tempfile::tempdir().expect("a folder");
        fs::write(outside.path().join("foreign.rs"), "fn (").expect("a file");
        let project =
            Project::new(&[("src/lib.rs", b"fn ("), ("shared/x.rs", b"fn ("), ("target/debug/gen.rs", b"fn (")]);
        let link = |target: &Path, name: &str| symlink(target, project.path(name)).expect("a link");
        link(Path::new(".."), "src/loop");
        link(Path::new("lib.rs"), "src/again.rs");
        link(&project.path("shared"), "src/shared");
        link(&project.path("target"), "src/built");
        link(outside.path(), "src/outside");
        link(Path::new("nothing.rs"), "src/gone.rs");
        let files =
            |arguments: &[&str]| project.skipped(arguments).into_iter().map(|(file, _)| file).collect::<Vec<_>>();
        assert_eq!(files(&["src"]), ["shared/x.rs", "src/gone.rs", "src/lib.rs"]);
        assert_eq!(files(&["."]), ["shared/x.rs", "src/gone.rs", "src/lib.rs"]);
        assert_eq!(project.skipped(&["."])[1].1, "cannot be read: no such file or directory");
        assert_eq!(files(&["src/again.rs", "src/lib.rs", "./src/../src/lib.rs"]), ["src/lib.rs"]);
    }

    #[test]
    fn unreadable_files_and_folders_are_named() {
        let project = Project::new(&[PLAIN, ("src/secret.rs", b"// s"), ("src/closed/a.rs", b"// a")]);
        let lock = |name: &str, mode| {
            fs::set_permissions(project.path(name), fs::Permissions::from_mode(mode)).expect("permissions");
        };
        lock("src/secret.rs", 0);
        lock("src/closed", 0);
        let skipped = project.skipped(&[]);
        let obeyed = fs::read(project.path("src/secret.rs")).is_err();
        lock("src/closed", 0o755);
        let denied = |file: &str| (file.to_owned(), "cannot be read: permission denied".to_owned());
        // Nothing is unreadable to an administrator.
        let expected = if obeyed { vec![denied("src/closed"), denied("src/secret.rs")] } else { Vec::new() };
        assert_eq!(skipped, expected);
    }

    #[test]
    fn pipes_are_not_waited_for() {
        let project = Project::new(&[PLAIN]);
        let made = Command::new("mkfifo").arg(project.path("src/pipe.rs")).status().expect("mkfifo runs");
        assert!(made.success());
        assert_eq!(project.skipped(&[]), [], "a walk takes files only");
        let skipped = project.skipped(&["src/pipe.rs"]);
        assert_eq!(skipped, [("src/pipe.rs".to_owned(), "is not a regular file".to_owned())]);
    }

    #[test]
    fn a_closed_pipe_is_silent() {
        let project = Project::new(&[]);
        for number in 0..3_000 {
            project.write(&format!("src/a_rather_long_name_of_a_file_{number}.rs"), b"fn (");
        }
        let mut child = Command::new(env!("CARGO_BIN_EXE_leaklint"))
            .args(["check", "-q", "--output-format", "json"])
            .arg(project.folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
    }

    #[test]
    fn a_closed_stderr_is_no_panic() {
        let project = Project::new(&[PLAIN]);
        let mut child = Command::new(env!("CARGO_BIN_EXE_leaklint"))
            .arg("check")
            .arg(project.folder.path())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop(child.stderr.take());
        assert_eq!(child.wait().expect("it ends").code(), Some(0));
    }

    #[test]
    fn a_full_disk_is_told() {
        if !Path::new("/dev/full").exists() {
            return;
        }
        let project = Project::new(&[PLAIN]);
        let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("it opens");
        let output = Command::new(env!("CARGO_BIN_EXE_leaklint"))
            .args(["check", "-q", "--output-format", "json"])
            .arg(project.folder.path())
            .stdout(full)
            .output()
            .expect("it runs");
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write to stdout"));
    }
}
