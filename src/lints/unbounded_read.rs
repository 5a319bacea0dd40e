#![doc = include_str!("../../lints/unbounded_read.md")]

use crate::apis::Feed;
use crate::diagnostic::{Confidence, Diagnostic};
use crate::model::Model;
use crate::model::digest::Digest;
use crate::model::heat::Runs;
use crate::model::reads::{How, Read, unlimited_reads};

const NAME: &str = "unbounded_read";

/// Reports reads whose other side decides how much memory they take.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    for read in unlimited_reads(model) {
        if let Some(confidence) = confidence(model, &read) {
            out.push(report(model, &read, confidence));
        }
    }
}

fn confidence(model: &Model, read: &Read) -> Option<Confidence> {
    let digest = &model.analysis.digests[read.function as usize];
    let is_tool = model.is_tool(digest.owner) || model.is_of_tool(digest.owner);
    let around =
        |test: fn(&Digest) -> bool| model.analysis.digests.iter().any(|d| test(d) && is_beside(model, digest, d));
    // `TcpListener::bind("127.0.0.1:0")`, and no other address.
    let local_only = || {
        read.nearby
            || around(|d| d.reads.binds.nearby) && !around(|d| d.reads.binds.elsewhere)
            || model.is_for_tests_by_name(digest.owner)
    };
    Some(match read.fed.by? {
        Feed::Request if is_capped_beside(model, digest) => match read.how {
            // `.layer(DefaultBodyLimit::disable()).layer(RequestBodyLimitLayer::new(..))`
            How::Uncapped => return None,
            _ => Confidence::Low,
        },
        Feed::Request | Feed::Socket if local_only() => Confidence::Low,
        Feed::Request => Confidence::Medium,
        Feed::Socket if read.fed.opened || around(|d| d.reads.accepts) => Confidence::Medium,
        // A program of which its author knows how it behaves, a tool that ends, one result of a child that ends.
        Feed::Pipe if read.fed.named || is_tool || read.piece.is_none() || model.is_for_tests_by_name(digest.owner) => {
            Confidence::Low
        }
        // An answer that is waited for.
        Feed::Pipe if !digest.is_in_background(read.body) => Confidence::Low,
        Feed::Pipe => Confidence::Medium,
        // Configuration, caches: what a program reads for itself.
        Feed::File if model.runs_at(read.function, read.body, false) != Runs::Repeated => return None,
        Feed::Socket | Feed::Local | Feed::Input | Feed::Response | Feed::File => Confidence::Low,
        Feed::Memory | Feed::Body => return None,
    })
}

/// Whether a limit for bodies is set in a package that has to do with that of a function.
fn is_capped_beside(model: &Model, digest: &Digest) -> bool {
    model.analysis.digests.iter().any(|d| d.reads.caps && is_beside(model, digest, d))
}

/// Whether two functions are of one package, or of packages that are built on each other.
fn is_beside(model: &Model, a: &Digest, b: &Digest) -> bool {
    let krate = |d: &Digest| model.module(model.def(d.owner).module).krate;
    let (a, b) = (krate(a), krate(b));
    a == b || model.is_built_on(a, b) || model.is_built_on(b, a)
}

/// What is read, and who decides how much it is.
fn words(by: Option<Feed>) -> (&'static str, &'static str) {
    match by {
        Some(Feed::Request) => ("the body of a request", "whoever sends the request"),
        Some(Feed::Socket) => ("what comes through a socket", "the other end of the connection"),
        Some(Feed::Local) => ("what comes through a local socket", "another program on the same machine"),
        Some(Feed::Pipe) => ("what a child process writes", "the child"),
        Some(Feed::Input) => ("the standard input", "whoever runs the program"),
        Some(Feed::Response) => ("the answer to a request", "the server that was asked"),
        _ => ("a file", "whoever writes the file"),
    }
}

fn report(model: &Model, read: &Read, confidence: Confidence) -> Diagnostic {
    let (what, who) = words(read.fed.by);
    let item = model.item_path(model.analysis.digests[read.function as usize].owner);
    let message = match (read.how, read.piece) {
        (How::Uncapped, _) => "this takes away the limit that bodies of requests have".to_owned(),
        (_, Some(piece)) => format!("a {piece} of {what} is kept in memory however long it is, and {who} decides that"),
        _ => format!("{what} is kept in memory however large it is, and {who} decides that"),
    };
    let mut diagnostic =
        Diagnostic::new(NAME, confidence, read.span, item, message, looked_for(read).to_owned(), help(read).to_owned())
            .primary(match read.how {
                How::NoLimit => "this limit is none",
                How::Loop(_) => "every piece is kept",
                How::Uncapped => "from here on there is none",
                _ => "read without a limit",
            });
    if let Some(at) = read.fed.seen_at.filter(|&at| at != read.span) {
        diagnostic = diagnostic.label(at, format!("{what} comes from here"));
    }
    diagnostic = match read.how {
        How::Loop(at) => diagnostic.label(at, "until this loop ends"),
        How::Helper(at) => diagnostic.label(at, "which reads all of it here"),
        _ => diagnostic,
    };
    match (confidence, read.fed.by) {
        (Confidence::Medium, Some(Feed::Request)) => {
            diagnostic.note("assumed that nothing in front of the server limits what it is sent".to_owned())
        }
        (Confidence::Medium, _) => {
            diagnostic.note(format!("assumed that {who} may send too much, by mistake or on purpose"))
        }
        (_, Some(Feed::Request)) if is_capped_beside(model, &model.analysis.digests[read.function as usize]) => {
            diagnostic.note("a limit for bodies is set elsewhere, which may hold here too".to_owned())
        }
        (_, Some(Feed::Request | Feed::Socket)) => {
            diagnostic.note("nothing shows that strangers can reach it".to_owned())
        }
        _ => diagnostic,
    }
}

fn looked_for(read: &Read) -> &'static str {
    match (read.how, read.fed.by) {
        (How::Uncapped, _) => "looked for another limit, as of a `RequestBodyLimitLayer`; found none",
        (_, Some(Feed::Request)) => {
            "looked for a limit on its way here, a check of its length, and a limit that the server sets for all bodies; found \
             none"
        }
        _ => "looked for a limit on its way here and a check of its length; found none",
    }
}

fn help(read: &Read) -> &'static str {
    match (read.how, read.piece, read.fed.by) {
        (How::Uncapped, ..) => "set a limit that is large enough instead: `DefaultBodyLimit::max(n)`",
        (How::NoLimit, ..) => "give it a limit that fits what it is for",
        (_, Some(_), _) => {
            "read through `take(n)`, or use `LinesCodec::new_with_max_length(n)`, and give up on what is longer"
        }
        (How::Loop(_), ..) => "compare what has been kept with a limit in the loop, and give up on what is longer",
        (_, _, Some(Feed::Request | Feed::Response)) => {
            "limit it before it is collected: `http_body_util::Limited`, `axum::body::to_bytes(body, LIMIT)`, or handle it \
             chunk by chunk"
        }
        _ => "read through `take(n)`, or handle it chunk by chunk",
    }
}
