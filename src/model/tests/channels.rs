//! Channels without a limit: who sends, who reads, and which loop fills them.

use super::*;
use crate::model::channels::Channel;

/// The one channel that some code makes.
fn channel(text: &str) -> (Model, Channel) {
    let model = analysed(&format!("use tokio::sync::mpsc::*;\n{text}"));
    let mut channels = model.channels();
    assert_eq!(channels.len(), 1, "{text}");
    let channel = channels.remove(0);
    (model, channel)
}

#[track_caller]
fn counts(text: &str, sends: usize, reads: usize) {
    let (_, channel) = channel(text);
    assert_eq!((channel.sends.len(), channel.reads.len()), (sends, reads), "{text}");
}

#[test]
fn ends_are_followed() {
    // Locals, clones, closures and blocks.
    counts(
        "fn f() { let (tx, mut rx) = unbounded_channel::<u8>(); tx.send(1); tx.clone().send(2); rx.try_recv(); }",
        2,
        1,
    );
    counts("fn f() { let (tx, rx) = unbounded_channel::<u8>(); let g = move || { tx.send(1); }; g(); }", 1, 0);
    counts("fn f() { let c = unbounded_channel::<u8>(); c.0.send(1); }", 1, 0);
    counts(
        "fn f() { let (tx, rx) = unbounded_channel::<u8>(); tokio::spawn(async move { while let Some(_) = rx.recv().await {} }); }",
        0,
        1,
    );
    // Parameters and results.
    counts(
        "fn f() { let (tx, rx) = unbounded_channel::<u8>(); g(&tx); h(rx); } fn g(t: &UnboundedSender<u8>) { t.send(1); } fn h(mut r: UnboundedReceiver<u8>) { r.try_recv(); }",
        1,
        1,
    );
    counts(
        "fn m() -> (UnboundedSender<u8>, UnboundedReceiver<u8>) { unbounded_channel() } fn f() { let (tx, mut rx) = m(); tx.send(1); rx.try_recv(); }",
        1,
        1,
    );
    // Fields of structs and of variants, in wrappers.
    counts(
        "struct S { t: UnboundedSender<u8>, r: Option<UnboundedReceiver<u8>> } impl S { fn new() -> S { let (t, r) = unbounded_channel(); S { t, r: Some(r) } } fn s(&self) { self.t.send(1); } fn r(&mut self) { let mut r = self.r.take().unwrap(); r.try_recv(); } }",
        1,
        1,
    );
    counts(
        "struct S(UnboundedSender<u8>); impl S { fn new() -> S { let (t, _r) = unbounded_channel(); S(t) } fn s(&self) { self.0.send(1); } }",
        1,
        0,
    );
    // Elements of collections.
    counts(
        "fn f(all: &mut Vec<UnboundedSender<u8>>) { let (t, _r) = unbounded_channel(); all.push(t); for t in all.iter() { t.send(1); } }",
        1,
        0,
    );
}

#[test]
fn what_cannot_be_seen_escapes() {
    let escapes = |text: &str| channel(text).1.escapes;
    assert!(escapes("fn f() { let (t, r) = unbounded_channel::<u8>(); ext::give(r); }"));
    assert!(escapes("fn f() { let (t, r) = unbounded_channel::<u8>(); g(r); } fn g<R>(r: R) {}"));
    assert!(escapes(
        "struct S { r: Box<dyn std::any::Any> } fn f() -> S { let (t, r) = unbounded_channel::<u8>(); S { r: Box::new(r) } }"
    ));
    assert!(!escapes(
        "struct S { r: UnboundedReceiver<u8> } fn f() -> S { let (t, r) = unbounded_channel(); S { r } }"
    ));
    assert!(!escapes("fn f() { let (t, r) = unbounded_channel::<u8>(); ext::give(t); }"));
}

#[test]
fn bounded_channels_are_none() {
    let model = analysed("use tokio::sync::mpsc::*; fn f() { let (t, r) = channel::<u8>(4); t.try_send(1); }");
    assert!(model.channels().is_empty());
}

const READER: &str = "use tokio::io::{Lines, AsyncBufReadExt}; use tokio::net::TcpStream;";

fn fed(text: &str) -> bool {
    let (model, channel) = channel(&format!("{READER} {text}"));
    model.feed_of(&channel).is_some()
}

#[test]
fn loops_that_read_from_a_peer_fill() {
    let with = |turn: &str, rest: &str| {
        format!(
            "async fn f(mut lines: Lines<TcpStream>) {{ let (t, r) = unbounded_channel::<String>(); loop {{ let Ok(Some(line)) = lines.next_line().await else {{ return }}; {turn} }} }} {rest}"
        )
    };
    assert!(fed(&with("t.send(line);", "")));
    assert!(fed(&with(
        "g(&t, line);",
        "fn g(t: &UnboundedSender<String>, l: String) { h(t, l) } fn h(t: &UnboundedSender<String>, l: String) { t.send(l); }"
    )));
    // In the background it is not this loop that waits or does not.
    assert!(!fed(&with(
        "g(&t, line);",
        "fn g(t: &UnboundedSender<String>, l: String) { let t = t.clone(); tokio::spawn(async move { t.send(l); }); }"
    )));
    assert!(!fed(&with("", "")));
}

#[test]
fn other_loops_do_not() {
    // Over what is at hand, from another channel, on a timer.
    assert!(!fed("fn f(v: Vec<String>) { let (t, r) = unbounded_channel(); for x in v { t.send(x); } }"));
    assert!(!fed(
        "async fn f(mut from: Receiver<u8>) { let (t, r) = unbounded_channel(); while let Some(x) = from.recv().await { t.send(x); } }"
    ));
    assert!(!fed(
        "async fn f() { let (t, r) = unbounded_channel(); let mut i = tokio::time::interval(D); loop { i.tick().await; t.send(1u8); } }"
    ));
    // An iterator of a type that is not known, where streams are in scope too.
    assert!(!fed(
        "use futures::StreamExt; fn f(m: ext::Table) { let (t, r) = unbounded_channel(); loop { if let Some(x) = m.values().next() { t.send(x); } else { return; } } }"
    ));
    // In the arm of something else.
    assert!(!fed(
        "async fn f(mut lines: Lines<TcpStream>, mut o: Receiver<u8>) { let (t, r) = unbounded_channel(); loop { tokio::select! { l = lines.next_line() => { drop(l); } x = o.recv() => { t.send(x); } } } }"
    ));
    // It waits for leave, or serves both ends.
    assert!(!fed(
        "async fn f(mut lines: Lines<TcpStream>, s: tokio::sync::Semaphore) { let (t, r) = unbounded_channel(); while let Ok(Some(l)) = lines.next_line().await { let p = s.acquire().await; t.send(l); } }"
    ));
    assert!(!fed(
        "async fn f(mut lines: Lines<TcpStream>) { let (t, mut r) = unbounded_channel(); loop { tokio::select! { l = lines.next_line() => { t.send(l); } x = r.recv() => { drop(x); } } } }"
    ));
}

#[test]
fn awaits_per_item_are_told() {
    let slow = |turn: &str| {
        let text = format!(
            "async fn f(mut r: UnboundedReceiver<u8>, m: tokio::sync::Mutex<u8>) {{ while let Some(x) = r.recv().await {{ {turn} }} }} async fn work(x: u8) {{ ext::slow(x).await }} async fn quick(x: u8) {{}} fn m() {{ let (t, r) = unbounded_channel(); f(r, todo!()); }}"
        );
        channel(&text).1.reads.iter().any(|u| u.awaits.is_some())
    };
    assert!(slow("work(x).await;"));
    assert!(!slow("quick(x).await;"));
    assert!(!slow("*m.lock().await = x;"));
    assert!(!slow("tokio::spawn(work(x));"));
}
