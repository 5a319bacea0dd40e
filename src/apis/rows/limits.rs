//! What a row says about limits: what brings data that others decide on, what reads or reserves as much as they like, and
//! what keeps that small.

use super::Slot;
use crate::version::Version;
use serde::Deserialize;

/// Who decides how much comes out of something that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feed {
    /// Whoever calls a server: the body of a request.
    Request,
    /// The other end of a socket.
    Socket,
    /// Another program on the same machine: the other end of a unix socket or named pipe.
    Local,
    /// A child process.
    Pipe,
    /// Whoever runs the program, through its standard input.
    Input,
    /// A server that we asked.
    Response,
    /// A local file.
    File,
    /// Nobody: it is in memory already.
    Memory,
    /// Whoever feeds what it is the body of: a request or a response.
    Body,
}

/// It reads until the other side stops, and keeps all of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadsAll {
    /// What it reads from. Without it, what its result is put together with: `LinesCodec::new()`.
    #[serde(default)]
    pub from: Option<Slot>,
    /// Who feeds it, where that is no value: `warp::body::bytes()`.
    #[serde(default)]
    pub feeds: Option<Feed>,
    /// The argument that limits it: there is no limit only if that is a `MAX`.
    #[serde(default)]
    pub limit: Option<u8>,
    /// The piece that it reads at a time, in words: `line`. Without one, everything.
    #[serde(default)]
    pub piece: Option<String>,
}

/// A limit or timeout that something lacks unless it is set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lacks {
    /// What, in words: `a timeout for the wait for a connection`.
    pub what: String,
    /// Calls on the builder, or fields of the configuration, that set it.
    pub set_by: Vec<String>,
    /// Where the default is documented.
    pub source: String,
    /// The first version in which it is missing by default.
    #[serde(default)]
    pub since: Option<Version>,
    /// The first version that has one by default.
    #[serde(default)]
    pub until: Option<Version>,
    /// Words of `cfg` under which it cannot be set: a browser makes the connections.
    #[serde(default)]
    pub not_for: Vec<String>,
    /// It is by design that it is missing, or hardly matters: worth a look in a review only.
    #[serde(default)]
    pub minor: bool,
    /// Methods of what is built that wait for ever without it: a `timeout` around them does as well. Without any, it is a
    /// matter of each request, and any timeout of the package does.
    #[serde(default)]
    pub felt_in: Vec<String>,
}

/// A limit or timeout that a call on a builder sets, unless its argument says that there is none.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetsLimit {
    /// What, in words: `a limit for connections`.
    pub what: String,
    /// 0 means that there is none.
    #[serde(default)]
    pub zero_is_none: bool,
    /// That there is none is by design, or hardly matters.
    #[serde(default)]
    pub minor: bool,
}
