//! Reads without a limit: who feeds them, and what limits them.

use super::*;
use crate::apis::Feed;
use crate::model::reads::{How, Read, unlimited_reads};

const NAMES: &str =
    "use std::io::{BufRead, BufReader, Read, Take};\nuse std::net::{TcpListener, TcpStream};\nuse std::process::*;\n";

fn reads(text: &str) -> Vec<Read> {
    unlimited_reads(&analysed(&format!("{NAMES}{text}")))
}

#[track_caller]
fn fed(text: &str, by: Feed) -> Read {
    let mut reads = reads(text);
    assert_eq!(reads.len(), 1, "{text}");
    assert_eq!(reads[0].fed.by, Some(by), "{text}");
    reads.remove(0)
}

#[track_caller]
fn silent(text: &str) {
    assert!(reads(text).is_empty(), "{text}");
}

#[test]
fn types_tell_who_feeds() {
    fed("fn f(mut s: TcpStream, v: &mut Vec<u8>) { s.read_to_end(v).unwrap(); }", Feed::Socket);
    fed("fn f(s: &TcpStream) { for line in BufReader::new(s).lines() {} }", Feed::Socket);
    fed("fn f(c: &mut Child, v: &mut String) { c.stdout.as_mut().unwrap().read_to_string(v).unwrap(); }", Feed::Pipe);
    fed(
        "struct S { e: Option<BufReader<ChildStderr>> } impl S { fn f(&mut self, l: &mut String) { self.e.as_mut().unwrap().read_line(l).unwrap(); } }",
        Feed::Pipe,
    );
    fed("fn f(v: &mut Vec<u8>) { std::io::stdin().lock().read_until(0, v).unwrap(); }", Feed::Input);
    fed(
        "async fn f(r: hyper::Request<hyper::Body>) { let (_p, b) = r.into_parts(); hyper::body::to_bytes(b).await; }",
        Feed::Request,
    );
    fed("async fn f(r: hyper::Response<hyper::Body>) { hyper::body::to_bytes(r.into_body()).await; }", Feed::Response);
    silent("fn f(mut r: impl Read, v: &mut Vec<u8>) { r.read_to_end(v).unwrap(); }");
    silent("fn f(mut r: std::io::Cursor<Vec<u8>>, v: &mut Vec<u8>) { r.read_to_end(v).unwrap(); }");
    silent("async fn f(b: hyper::Body) { hyper::body::to_bytes(b).await; }");
}

#[test]
fn what_opened_it_says_more() {
    let text = |open: &str| {
        format!("fn f(l: TcpListener, v: &mut Vec<u8>) {{ let mut s = {open}; s.read_to_end(v).unwrap(); }}")
    };
    assert!(fed(&text("l.accept().unwrap().0"), Feed::Socket).fed.opened);
    fed(&text("TcpStream::connect(ADDRESS).unwrap()"), Feed::Response);
    let child = |program: &str| {
        let text = format!(
            "fn f(p: &str) {{ let mut c = Command::new({program}).spawn().unwrap(); for l in BufReader::new(c.stdout.take().unwrap()).lines() {{}} }}"
        );
        fed(&text, Feed::Pipe).fed.named
    };
    assert!(child("\"git\""));
    assert!(child("std::path::Path::new(p).join(\"git\")"));
    assert!(!child("p"));
    assert!(!child("std::path::Path::new(p).join(p)"));
}

#[test]
fn what_stays_on_the_machine() {
    fed("fn f(mut s: std::os::unix::net::UnixStream, v: &mut Vec<u8>) { s.read_to_end(v).unwrap(); }", Feed::Local);
    let accepted = "fn f(l: std::os::unix::net::UnixListener, v: &mut Vec<u8>) { let (mut s, _) = l.accept().unwrap(); s.read_to_end(v).unwrap(); }";
    fed(accepted, Feed::Local);
    let asks = |check: &str| {
        fed(
            &format!(
                "fn f(mut s: TcpStream, v: &mut Vec<u8>) {{ if {check} {{ return; }} s.read_to_end(v).unwrap(); }}"
            ),
            Feed::Socket,
        )
    };
    assert!(asks("!s.peer_addr().unwrap().ip().is_loopback()").nearby);
    assert!(!asks("s.peer_addr().unwrap().ip().is_ipv4()").nearby);
}

#[test]
fn where_servers_are_bound() {
    let of = |address: &str| {
        let text =
            format!("use std::net::*; fn f(p: u16, a: &str) {{ let at = {address}; TcpListener::bind(at).unwrap(); }}");
        let model = analysed(&text);
        let binds = model.digest_of(model.find("krate::f")).unwrap().reads.binds;
        assert_ne!(binds.nearby, binds.elsewhere, "{address}");
        binds.nearby
    };
    assert!(of("\"127.0.0.1:0\""));
    assert!(of("format!(\"localhost:{p}\")"));
    assert!(of("(Ipv4Addr::LOCALHOST, p)"));
    assert!(of("SocketAddr::from(([127, 0, 0, 1], p))"));
    assert!(!of("a"));
    assert!(!of("format!(\"0.0.0.0:{p}\")"));
    assert!(!of("(Ipv4Addr::UNSPECIFIED, p)"));
}

#[test]
fn bodies_of_handlers() {
    let handler = "async fn upload(body: axum::body::Body) { axum::body::to_bytes(body, usize::MAX).await; }";
    let routed = "fn app() -> axum::Router { axum::Router::new().route(\"/\", axum::routing::post(upload)) }";
    fed(&format!("{handler} {routed}"), Feed::Request);
    silent(handler);
    silent(&format!("{handler} impl tonic::Service<u8> for S {{ fn call(&mut self, r: Req) {{ r.map(upload); }} }}"));
    let filter = "fn f() { let _ = warp::post().and(limit()).and(warp::body::bytes()); }";
    silent(&format!("{filter} fn limit() {{ warp::body::content_length_limit(9) }}"));
    fed(&format!("{filter} fn limit() {{ warp::any() }}"), Feed::Request);
    silent("async fn send(r: http_types::Request) { r.take_body().into_bytes().await; }");
}

#[test]
fn limits_on_the_way() {
    silent("fn f(s: TcpStream, v: &mut Vec<u8>) { s.take(9).read_to_end(v).unwrap(); }");
    silent("fn f(mut s: Take<TcpStream>, v: &mut Vec<u8>) { s.read_to_end(v).unwrap(); }");
    silent(
        "fn f(s: TcpStream, l: &mut String) { let mut s = limited(s, 9); s.read_line(l).unwrap(); } fn limited<R>(r: R, n: u64) -> BufReader<R> { BufReader::new(r) }",
    );
    silent("async fn f(r: hyper::Request<hyper::Body>) { hyper::body::to_bytes(r.into_limited_body()).await; }");
    let checked = "async fn f(r: hyper::Request<hyper::Body>) { if large(&r) { return; } hyper::body::to_bytes(r.into_body()).await; }";
    silent(&format!(
        "{checked} fn large<B>(r: &hyper::Request<B>) -> bool {{ r.headers().get(\"content-length\").map_or(0, size) > 9 }}"
    ));
    fed(&format!("{checked} fn large<B>(r: &hyper::Request<B>) -> bool {{ r.headers().len() > 9 }}"), Feed::Request);
    let given = "async fn f(r: hyper::Request<hyper::Body>) { hyper::body::to_bytes(r.into_body()).await; }";
    silent(&format!(
        "{given} async fn g(r: hyper::Request<hyper::Body>) {{ if r.size_hint().lower() < 9 {{ f(r).await }} }}"
    ));
}

#[test]
fn chunks_that_are_kept() {
    let text = |check: &str| {
        format!(
            "fn f(mut s: TcpStream) -> Vec<u8> {{ let mut all = Vec::new(); let mut b = [0; 9]; loop {{ let n = s.read(&mut b).unwrap(); if n == 0 {{ return all; }} {check} all.extend_from_slice(&b[..n]); }} }}"
        )
    };
    assert!(matches!(fed(&text(""), Feed::Socket).how, How::Loop(_)));
    silent(&text("if all.len() > 99 { return all; }"));
    // What is added has nothing to do with what is read.
    silent(
        "fn f(mut s: TcpStream, mut i: u8) -> Vec<u8> { let mut all = Vec::new(); let mut b = [0; 9]; loop { if s.read(&mut b).unwrap() == 0 { return all; } all.push(i); } }",
    );
}

#[test]
fn helpers_read_what_they_are_given() {
    let all = "fn all<R: Read>(mut r: R) -> Vec<u8> { let mut v = Vec::new(); r.read_to_end(&mut v).unwrap(); v }";
    assert!(matches!(fed(&format!("{all} fn f(s: TcpStream) {{ all(s); }}"), Feed::Socket).how, How::Helper(_)));
    silent(&format!("{all} fn f(s: TcpStream) {{ all(s.take(9)); }}"));
    silent(&format!("{all} fn f(s: &[u8]) {{ all(s); }}"));
}
