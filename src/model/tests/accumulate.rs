//! Local collections that a loop fills.

use super::*;
use crate::model::access::{Root, Tracer};
use crate::model::accumulate::{Accumulated, After, accumulated};

/// What `krate::f` accumulates.
fn found(body: &str) -> Option<Accumulated> {
    let text = format!(
        "use std::collections::*; use tokio::sync::mpsc::Receiver; async fn f(mut r: Receiver<u64>) {{ {body} }} fn fill(v: &mut Vec<u64>, x: u64) {{ v.push(x); }} fn flush(v: &mut Vec<u64>) {{ v.clear(); }}"
    );
    let model = analysed(&text);
    let digest = model.digest_of(model.find("krate::f")).expect("f is analysed");
    let function = model.typed(digest.root);
    let tracer = Tracer::new(&model, &function);
    let growth = digest.events.list.iter().filter(|e| matches!(e.access.root, Root::Local(..)));
    growth.filter_map(|e| accumulated(&tracer, &digest.events.list, e)).next()
}

#[test]
fn endless_and_stream_loops_accumulate() {
    let endless = found("let mut v = Vec::new(); loop { let Some(x) = r.recv().await else { continue }; v.push(x); }");
    assert!(endless.is_some_and(|a| a.endless && !a.keyed && a.after == After::Unused));
    let stream = found("let mut v = HashSet::new(); while let Some(x) = r.recv().await { v.insert(x); }");
    assert!(stream.is_some_and(|a| !a.endless && a.keyed));
    let nested = found("let mut v = Vec::new(); loop { while let Some(x) = r.recv().await { v.push(x); } }");
    assert!(nested.is_some_and(|a| a.endless));
}

#[test]
fn what_is_taken_out_excuses() {
    for turn in [
        "v.push(x); if v.len() > 9 { v.clear(); }",
        "v.push(x); flush(&mut v);",
        "v.push(x); std::mem::take(&mut v);",
        "v.push(x); v = Vec::new();",
        "v.push(x); give(&mut v);",
        "v.push(x); if v.len() > 9 { return; }",
    ] {
        let body = format!("let mut v = Vec::new(); while let Some(x) = r.recv().await {{ {turn} }}");
        assert!(found(&body).is_none(), "{turn}");
    }
    assert!(found("loop { let mut v = Vec::new(); while let Some(x) = r.recv().await { v.push(x); } }").is_some());
    assert!(
        found("let mut v = Vec::new(); loop { v.clear(); while let Some(x) = r.recv().await { v.push(x); } }")
            .is_none()
    );
}

#[test]
fn what_the_loop_was_for_is_told() {
    let after = |rest: &str| {
        let body = format!("let mut v = Vec::new(); while let Some(x) = r.recv().await {{ v.push(x); }} {rest}");
        found(&body).map(|a| a.after)
    };
    assert_eq!(after("drop(v);"), Some(After::Moved));
    assert_eq!(after("println!(\"{}\", v.len());"), Some(After::Read));
    assert_eq!(after(""), Some(After::Unused));
}

#[test]
fn other_loops_do_not_accumulate() {
    for body in [
        "let mut v = Vec::new(); for x in 0..9u64 { v.push(x); }",
        "let mut v = Vec::new(); let mut n = 0u64; while n < 9 { v.push(n); n += 1; }",
        "let mut v = Vec::new(); loop { if try_it().await { return; } v.push(std::time::Instant::now()); }",
    ] {
        assert!(found(body).is_none(), "{body}");
    }
}
