//! The tables of HTTP clients, servers and bodies: what their rows say is found in code as it is written.

use super::*;
use crate::apis::{Feed, ObligationKind};

#[track_caller]
fn check(text: &str, expected: &[(&str, &str)]) -> Model {
    let model = package(&[("src/lib.rs", text)]);
    for (local, ty) in expected {
        assert_eq!(&model.local_text("krate::f", local), ty, "{local}");
    }
    model
}

#[test]
fn hyper_0_14() {
    let text = "use hyper::{body::HttpBody, client::HttpConnector, Body, Client, Request};
         async fn f(request: Request<Body>) {
             let made = Client::builder().pool_idle_timeout(None).build::<_, Body>(HttpConnector::new());
             let whole = hyper::body::to_bytes(request.into_body()).await.unwrap();
             let response = made.get(uri).await.unwrap();
             let (parts, mut body) = response.into_parts();
             while let Some(chunk) = body.data().await { let chunk = chunk.unwrap(); }
         }";
    let expected = [
        ("made", "hyper::client::Client<hyper::client::HttpConnector>"),
        ("whole", "bytes::Bytes"),
        ("parts", "http::response::Parts"),
        ("body", "hyper::body::Body"),
        ("chunk", "std::result::Result<bytes::Bytes, _>"),
    ];
    check(text, &expected);
}

#[test]
fn hyper_1() {
    let text = "use http_body_util::{BodyExt, Limited};
         use hyper_util::client::legacy::Client;
         async fn f(request: hyper::Request<hyper::body::Incoming>) {
             let client = Client::builder(executor()).pool_max_idle_per_host(3).build_http();
             let answer = client.get(uri).await.unwrap();
             let all = answer.into_body().collect().await.unwrap();
             let limited = Limited::new(request.into_body(), 1024);
             let few = limited.collect().await.unwrap().to_bytes();
         }";
    let expected = [
        ("client", "hyper_util::client::legacy::Client"),
        ("answer", "http::Response<hyper::body::Incoming>"),
        ("all", "http_body_util::Collected"),
        ("limited", "http_body_util::Limited<hyper::body::Incoming>"),
        ("few", "bytes::Bytes"),
    ];
    check(text, &expected);
}

#[test]
fn axum_and_its_layers() {
    let text = "use axum::{body::{Body, to_bytes}, extract::{DefaultBodyLimit, Request}, response::Response, Json};
         use tower_http::limit::RequestBodyLimitLayer;
         async fn f(request: Request, Json(given): Json<Vec<u8>>, answer: Response) {
             let all = to_bytes(request.into_body(), usize::MAX).await.unwrap();
             let app = axum::Router::new().layer(DefaultBodyLimit::max(1)).layer(RequestBodyLimitLayer::new(1));
         }";
    let expected = [
        ("request", "http::Request<axum::body::Body>"),
        ("given", "std::vec::Vec<u8>"),
        ("answer", "http::Response<axum::body::Body>"),
        ("all", "bytes::Bytes"),
    ];
    let model = check(text, &expected);
    let called = model.callees("krate::f");
    let caps = |name: &str| Apis::builtin().function(name).is_some_and(|row| row.caps_bodies);
    assert_eq!(called.iter().filter(|c| caps(c)).count(), 2, "{called:?}");
}

#[test]
fn actix_and_awc() {
    let text = "async fn f(payload: actix_web::web::Payload) {
             let all = payload.to_bytes().await.unwrap();
             let client = awc::Client::builder().timeout(limit).finish();
             let mut answer = client.get(\"u\").insert_header((\"a\", \"b\")).send().await.unwrap();
             let few = answer.body().limit(10).await.unwrap();
             let parsed = answer.json::<u32>().await.unwrap();
         }";
    let expected = [
        ("all", "bytes::Bytes"),
        ("client", "awc::Client"),
        ("answer", "awc::ClientResponse"),
        ("few", "bytes::Bytes"),
        ("parsed", "u32"),
    ];
    check(text, &expected);
}

#[test]
fn traits_that_a_glob_brings() {
    let text = "use isahc::prelude::*;
         fn f() {
             let client = isahc::HttpClient::builder().timeout(limit).build().unwrap();
             let mut answer = client.get(\"u\").unwrap();
             let text = answer.text().unwrap();
         }";
    let expected =
        [("client", "isahc::HttpClient"), ("answer", "http::Response<isahc::Body>"), ("text", "std::string::String")];
    check(text, &expected);
}

#[test]
fn ureq_2_and_3() {
    let text = "fn f() {
             let old = ureq::AgentBuilder::new().timeout_read(limit).build();
             let new: ureq::Agent = ureq::Agent::config_builder().timeout_global(None).build().into();
             let first = old.get(\"u\").set(\"a\", \"b\").call().unwrap().into_string().unwrap();
             let second = new.get(\"u\").header(\"a\", \"b\").call().unwrap().body_mut().read_to_string().unwrap();
             let limited = ureq::get(\"u\").call().unwrap().into_body().into_with_config().limit(5);
         }";
    let expected = [
        ("old", "ureq::Agent"),
        ("new", "ureq::Agent"),
        ("first", "std::string::String"),
        ("second", "std::string::String"),
        ("limited", "std::io::Take<ureq::BodyWithConfig>"),
    ];
    check(text, &expected);
}

#[test]
fn surf_and_tide() {
    let text = "async fn f(mut request: tide::Request<u8>) {
             let client = surf::Client::new();
             let mut answer = client.get(\"u\").send().await.unwrap();
             let text = answer.body_string().await.unwrap();
             let asked = request.body_bytes().await.unwrap();
         }";
    let expected = [
        ("client", "surf::Client"),
        ("answer", "surf::Response"),
        ("text", "std::string::String"),
        ("asked", "std::vec::Vec<u8>"),
    ];
    check(text, &expected);
}

#[test]
fn tonic_and_websockets() {
    let text = "async fn f(socket: tokio::net::TcpStream) {
             let channel = tonic::transport::Channel::from_static(\"u\").connect_timeout(t).connect().await.unwrap();
             let lazy = tonic::transport::Endpoint::new(\"u\").unwrap().connect_lazy();
             let (stream, answer) = tokio_tungstenite::connect_async(\"u\").await.unwrap();
             let accepted = tokio_tungstenite::accept_async(socket).await.unwrap();
         }";
    let expected = [
        ("channel", "tonic::transport::Channel"),
        ("lazy", "tonic::transport::Channel"),
        ("answer", "http::Response<std::option::Option<std::vec::Vec<u8>>>"),
        ("accepted", "tokio_tungstenite::WebSocketStream<tokio::net::TcpStream>"),
    ];
    check(text, &expected);
}

#[test]
fn reqwest_and_its_streams() {
    let text = "async fn f() {
             let client = reqwest::Client::builder().use_rustls_tls().timeout(limit).build().unwrap();
             let answer = client.get(\"u\").send().await.unwrap().error_for_status().unwrap();
             let size = answer.content_length();
             let text = answer.text().await.unwrap();
             let waiting = reqwest::blocking::Client::new();
         }";
    let expected = [
        ("client", "reqwest::Client"),
        ("answer", "reqwest::Response"),
        ("size", "std::option::Option<u64>"),
        ("text", "std::string::String"),
        ("waiting", "reqwest::blocking::Client"),
    ];
    check(text, &expected);
}

#[test]
fn other_servers() {
    let text = "async fn f(body: poem::Body, mut request: tiny_http::Request) {
             let text = body.into_string().await.unwrap();
             let size = request.body_length();
             let filter = warp::body::content_length_limit(10).and(warp::body::json::<u8>());
         }";
    let expected = [("text", "std::string::String"), ("size", "std::option::Option<usize>")];
    let model = check(text, &expected);
    assert!(model.callees("krate::f").iter().any(|c| c == "warp::body::content_length_limit"));
}

#[test]
fn who_feeds_what() {
    let feeds = |path: &str| Apis::builtin().type_row(path).and_then(|row| row.feeds);
    for (path, feed) in [
        ("hyper::Request", Feed::Request),
        ("axum::http::Response", Feed::Response),
        ("hyper::Body", Feed::Body),
        ("axum::body::Body", Feed::Body),
        ("actix_web::web::Payload", Feed::Request),
        ("reqwest::Response", Feed::Response),
        ("ureq::Body", Feed::Response),
        ("surf::Body", Feed::Body),
        ("http_body_util::Full", Feed::Memory),
    ] {
        assert_eq!(feeds(path), Some(feed), "{path}");
    }
    assert!(Apis::builtin().type_row("tower_http::body::Limited").is_some_and(|row| row.capped));
}

/// What is missing by default stands where the client is made, and what sets it is a method of the builder.
#[test]
fn limits_that_clients_lack() {
    let apis = Apis::builtin();
    for (path, made_by, set_by) in [
        ("hyper::client::Client", "hyper::client::Builder::build", "pool_max_idle_per_host"),
        ("isahc::HttpClient", "isahc::HttpClientBuilder::build", "timeout"),
        ("ureq::Agent", "ureq::AgentBuilder::build", "timeout_read"),
        ("tonic::transport::Channel", "tonic::transport::Endpoint::connect", "timeout"),
    ] {
        let row = apis.type_row(path).unwrap();
        assert_eq!(row.obligation.as_ref().map(|o| o.kind), Some(ObligationKind::Client), "{path}");
        let made = apis.function(made_by).unwrap();
        assert!(made.lacks.iter().any(|l| l.set_by.iter().any(|name| name == set_by)), "{made_by} lacks {set_by}");
        let (builder, _) = made_by.rsplit_once("::").unwrap();
        for name in made.lacks.iter().flat_map(|l| &l.set_by) {
            assert!(apis.method(builder, name).is_some(), "{builder} has no {name}");
        }
    }
}
