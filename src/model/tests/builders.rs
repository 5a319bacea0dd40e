//! What is called on one builder.

use super::*;
use crate::facts::body::{Op, StatementId};
use crate::model::access::Tracer;
use crate::model::builders::Builder;

/// The names of the calls on the builder that `limit` of `krate::f` is called on, and whether it is in sight.
fn calls(body: &str) -> String {
    let model = analysed(&format!("use std::process::Command; fn limit(c: &mut Command) {{}}\n{body}"));
    let digest = model.digest_of(model.find("krate::f")).expect("f is analysed");
    let function = model.typed(digest.root);
    let tracer = Tracer::new(&model, &function);
    let statements = &tracer.body(0).body.statements;
    let name = |id: StatementId| tracer.method_name(0, &statements[id.index()]);
    let mut all = (0..statements.len() as u32).map(StatementId);
    let limit =
        all.find(|&id| statements[id.index()].op == Op::CallMethod && name(id) == "arg").expect("arg is called");
    let builder = Builder::of(&tracer, 0, limit);
    let names: Vec<&str> = builder.calls.iter().map(|&id| name(id)).collect();
    format!("{}{}", names.join(" "), if builder.in_sight { "" } else { ", out of sight" })
}

#[test]
fn follows_chains_and_names() {
    for (expected, body) in [
        ("new arg env spawn", r#"fn f() { Command::new("a").arg("b").env("c", "d").spawn(); }"#),
        ("new env arg spawn", r#"fn f() { let mut c = Command::new("a"); c.env("c", "d"); c.arg("b"); c.spawn(); }"#),
        (
            "new arg env spawn",
            r#"fn f(x: bool) { let mut c = Command::new("a"); c.arg("b"); if x { c.env("c", "d"); } c.spawn(); }"#,
        ),
        (
            "new arg spawn",
            r#"fn f() { let mut d = Command::new("x"); d.env("c", "d"); let mut c = Command::new("a"); c.arg("b"); c.spawn(); }"#,
        ),
        ("arg spawn, out of sight", r#"fn f(mut c: Command) { c.arg("b"); c.spawn(); }"#),
        (
            "new arg spawn, out of sight",
            r#"fn f() { let mut c = Command::new("a"); c.arg("b"); limit(&mut c); c.spawn(); }"#,
        ),
        ("new arg, out of sight", r#"fn f() -> Command { let mut c = Command::new("a"); c.arg("b"); c }"#),
    ] {
        assert_eq!(calls(body), expected, "{body}");
    }
}
