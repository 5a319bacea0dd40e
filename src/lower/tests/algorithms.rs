//! What is derived from bodies, and how facts are encoded.

use super::body;
use crate::facts::body::*;
use crate::facts::types::{PathId, TypeId};
use crate::facts::{BodyId, NameId, Run};
use crate::source::TextRange;

const SOURCE: &str = "fn f() -> R { let a = x(); loop { let b = y(); { let c = z(); g(&c)?; } if b { break; \
    } } h(a) }";

fn names(source: &str, locals: &[LocalId]) -> Vec<String> {
    let facts = crate::lower::text(source);
    let body = facts.body(BodyId(0));
    let name = |local: &LocalId| body.locals[local.index()].name.get().map_or("_", |n| facts.names.get(n)).to_owned();
    locals.iter().map(name).collect()
}

#[test]
fn drops_go_outwards_in_reverse_order() {
    let body = body(SOURCE);
    let error = body.edges.iter().find(|e| e.kind == EdgeKind::Error).unwrap();
    // Two temporaries: what `g` gave, and what `?` made of it.
    assert_eq!(names(SOURCE, &body.drops_on(error)), ["_", "_", "c", "b", "a", "_"]);
}

#[test]
fn drops_stop_where_the_target_is_within() {
    let body = body(SOURCE);
    let header = body.loops[0].header;
    let back = body.edges.iter().rfind(|e| e.to == header).unwrap();
    assert!(body.drops_on(back).is_empty());
    let after: Vec<_> = body.edges.iter().filter(|e| names(SOURCE, &body.drops_on(e)) == ["b"]).collect();
    assert_eq!(after.len(), 1, "the `break`");
}

#[test]
fn code_after_a_jump_is_not_reachable() {
    let reached = |source| {
        let body = body(source);
        let reachable = body.reachable();
        let calls = body.blocks.iter().enumerate().filter(|(index, _)| reachable[*index]);
        calls.flat_map(|(_, b)| b.statements.of(&body.statements)).filter(|s| s.op == Op::Call).count()
    };
    assert_eq!(reached("fn f() { a(); return; b(); }"), 1);
    assert_eq!(reached("fn f() { loop { a(); } b(); }"), 1);
    assert_eq!(reached("fn f() { loop { if a() { break; } continue; c(); } b(); }"), 2);
    assert_eq!(reached("fn f() { match x { A => return a(), B => panic!(), } b(); }"), 1);
}

#[test]
fn scopes_contain_themselves_and_what_is_within() {
    let body = body("fn f() { { let a = 1; { let b = 2; } } { let c = 3; } }");
    let scope = |index: usize| body.locals[index].scope;
    let (a, b, c) = (scope(1), scope(2), scope(3));
    assert!(body.scope_within(a, a) && body.scope_within(b, a) && body.scope_within(c, ScopeId(0)));
    assert!(!body.scope_within(a, b) && !body.scope_within(c, a));
}

#[test]
fn blocks_know_all_loops_around_them() {
    let body = body("fn f() { loop { while a { b(); } c(); } }");
    let inner = body.loops[1].header;
    assert!(body.block_in_loop(inner, LoopId(0)) && body.block_in_loop(inner, LoopId(1)));
    assert!(!body.block_in_loop(body.loops[0].header, LoopId(1)));
}

#[test]
fn equal_places_have_equal_ids() {
    let body = body("fn f(a: A) { a.b.c = a.b.c + a.b.d; a.b = a.b; }");
    let mut seen = std::collections::BTreeSet::new();
    for place in &body.places {
        assert!(seen.insert(format!("{:?} {:?}", place.base, place.projections.of(&body.projections))));
    }
}

#[test]
fn a_statement_takes_16_bytes() {
    assert!(std::mem::size_of::<Statement>() <= 16);
    assert!(std::mem::size_of::<Operand>() == 4);
}

fn through<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> (T, usize) {
    let bytes = postcard::to_stdvec(value).unwrap();
    (postcard::from_bytes(&bytes).unwrap(), bytes.len())
}

#[test]
fn ids_and_operands_survive_encoding() {
    for id in [0, 1, 127, u32::MAX - 1, u32::MAX] {
        assert_eq!(through(&NameId(id)).0, NameId(id));
    }
    assert_eq!(through(&NameId::NONE), (NameId::NONE, 1));
    let operands = [
        Operand::NONE,
        Operand::place(Position::Capture, PlaceId(0)),
        Operand::place(Position::Bare, PlaceId((1 << 28) - 1)),
        Operand::literal(LiteralId(3)),
        Operand::name(NameId(70_000)),
    ];
    for operand in operands {
        assert_eq!(through(&operand).0, operand);
    }
    assert_eq!(through(&Operand::place(Position::Capture, PlaceId(2))).1, 1);
}

#[test]
fn locals_survive_encoding() {
    let temp = Local::temp(ScopeId(3));
    let typed = Local { ty: TypeId(1), ..temp.clone() };
    let bound = Local { kind: LocalKind::Binding, name: NameId(2), span: TextRange { lo: 1, hi: 2 }, ..temp.clone() };
    for local in [temp, typed, bound] {
        assert_eq!(format!("{:?}", through(&local).0), format!("{local:?}"));
    }
}

#[test]
fn sparse_runs_survive_encoding() {
    let pattern = |args| Pattern { kind: PatternKind::TupleVariant, data: PathId(1).0, args };
    let some = pattern(Run { start: 300, len: 2 });
    assert_eq!(through(&some).0, some);
    assert_eq!(through(&pattern(Run { start: 300, len: 0 })).0.args, Run::default());
}

#[test]
fn the_memory_of_a_body_is_not_seen_by_the_next() {
    let alone = super::dump("fn b() { let x = y(); x.z() }");
    let after = super::dump(
        "fn a() -> R { loop { let c = |d| e?; match g { A(h) | B(h) => break 'i, _ => {} } } } fn b() { let \
            x = y(); x.z() }",
    );
    let second = after.split("in b\n").nth(1).unwrap();
    assert_eq!(alone.split("in b\n").nth(1).unwrap(), second);
}

#[test]
fn headers_name_what_a_body_calls_and_touches() {
    let facts = crate::lower::text("fn f() { a::b(); x.m(S { g: 1 }); y.h = Z; rule!(q => r.s()); }");
    let header = &facts.header.bodies[0];
    let list = |run: Run| run.of(&facts.header.body_names).iter().map(|&n| facts.names.get(n)).collect::<Vec<_>>();
    let mut calls = list(header.calls);
    calls.sort_unstable();
    assert_eq!(calls, ["S", "Z", "b", "m", "q", "r", "rule", "s", "x", "y"]);
    let mut fields = list(header.fields);
    fields.sort_unstable();
    assert_eq!(fields, ["g", "h"]);
}

#[test]
fn tables_survive_encoding() {
    let range = |lo, hi| TextRange { lo, hi };
    let path = |global, qself, trait_segments, start, len| crate::facts::types::PathNode {
        global,
        qself,
        trait_segments,
        segments: Run { start, len },
    };
    let statement = |op, args, first| Statement { op, args, dest: PlaceId(1), data: 2, first };
    let mut body = Body {
        statements: vec![statement(Op::Call, 2, 0), statement(Op::Use, 0, 2), statement(Op::Tuple, 1, 2)],
        spans: vec![range(70, 75), TextRange::default(), range(3, 3), range(u32::MAX - 1, u32::MAX), range(0, 4)],
        ..Body::default()
    };
    let paths =
        [path(false, TypeId::NONE, 0, 0, 1), path(true, TypeId(0), 2, 1, 3), path(false, TypeId::NONE, 0, 4, 1)];
    body.types.paths.extend(paths);
    assert_eq!(format!("{:?}", through(&body).0), format!("{body:?}"));
}
