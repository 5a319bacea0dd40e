//! Why a place runs again and again.

use super::*;
use crate::facts::body::StatementId;
use crate::model::access::Tracer;
use crate::source::Span;

/// The steps of the way to the call of `make` in a function, each with the text it points at.
fn way(files: &[(&str, &str)], function: &str) -> Vec<String> {
    let model = analysed_files(files);
    let position = model.digest_position(model.find(function)).expect("analysed");
    let typed = model.typed(model.analysis.digests[position as usize].root);
    let tracer = Tracer::new(&model, &typed);
    let made = (0..typed.bodies.len() as u32).find_map(|index| {
        let statements = &tracer.body(index).body.statements;
        let made = statements.iter().enumerate().find(|(id, _)| {
            let callee = tracer.body(index).types.callee(StatementId(*id as u32));
            matches!(callee, Callee::Def(def) if model.text(model.def_name(def)) == "make")
        });
        Some((index, StatementId(made?.0 as u32)))
    });
    let (index, statement) = made.expect("a call of `make`");
    let at = |span: Span| {
        let file = model.files().find(|f| f.id == span.file).expect("a file of the run");
        let text = files.iter().find(|(path, _)| file.path.ends_with(path)).expect("its text").1;
        text[span.range.lo as usize..span.range.hi as usize].to_owned()
    };
    let steps = model.chain(&tracer, position, index, statement);
    steps.into_iter().map(|step| format!("{}: {}", at(step.span), step.message)).collect()
}

#[test]
fn a_loop_is_the_reason_where_there_is_one() {
    let text = "fn make() {} fn main() { loop { make(); } }";
    assert_eq!(way(&[("src/main.rs", text)], "app::main"), ["loop: this loop goes on for as long as there is work"]);
    let text = "fn make() {} fn main() { loop { turn(); } } fn turn() { inner(); } fn inner() { make(); }";
    assert_eq!(
        way(&[("src/main.rs", text)], "app::inner"),
        [
            "loop: this loop goes on for as long as there is work",
            "turn: `main` calls `turn`",
            "inner: `turn` calls `inner`"
        ]
    );
}

#[test]
fn what_runs_once_has_none() {
    assert!(way(&[("src/main.rs", "fn make() {} fn main() { for _ in 0..3 { make(); } }")], "app::main").is_empty());
}

#[test]
fn public_functions_and_those_given_as_values() {
    let text = "pub struct S; impl S { pub fn open(&self) { inner(); } } fn inner() { make(); } fn make() {}";
    assert_eq!(
        way(&[("src/lib.rs", text)], "krate::inner"),
        ["open: `S::open` can be called any number of times", "inner: `S::open` calls `inner`"]
    );
    let text = "fn main() { ext::each(handle); } fn handle() { make(); } fn make() {}";
    assert_eq!(way(&[("src/main.rs", text)], "app::handle"), ["ext::each: `main` gives `handle` to `each`"]);
}

#[test]
fn of_a_long_way_the_first_and_the_last_steps_are_shown() {
    let text = "fn main() { loop { a(); } } fn a() { b() } fn b() { c() } fn c() { d() } fn d() { e() } fn e() { make() } fn make() {}";
    let way = way(&[("src/main.rs", text)], "app::e");
    assert_eq!(way.len(), 4);
    assert!(way[0].starts_with("loop: ") && way[1] == "c: `b` calls `c`" && way[3] == "e: `d` calls `e`", "{way:?}");
}
