//! What a row says about resources: what has to be done with a value, and which functions acquire and adopt raw ones.

use serde::Deserialize;

/// What the owner of a value has to do.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Obligation {
    /// What the value stands for.
    pub kind: ObligationKind,
    /// What dropping the value does.
    pub drop: DropEffect,
    /// Methods that meet the obligation.
    #[serde(default)]
    pub met_by: Vec<String>,
    /// Methods that end what the value stands for without meeting the obligation (`kill` before `wait`), or, where
    /// ending is all that is asked for (`abort`), meet it too.
    #[serde(default)]
    pub ended_by: Vec<String>,
    /// Methods that meet the obligation only if their result says so (`try_wait`).
    #[serde(default)]
    pub polled_by: Vec<String>,
    /// Words of `cfg` under which nothing is owed: a process leaves no zombie on Windows.
    #[serde(default)]
    pub not_for: Vec<String>,
    /// A call on the builder, with `true` or without argument, that makes dropping the value safe.
    #[serde(default)]
    pub excuse: Option<String>,
    /// Functions that look for one that is there already: where one is called, building another is the last resort.
    #[serde(default)]
    pub found_by: Vec<String>,
}

/// What an obligation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObligationKind {
    /// A child process.
    Child,
    /// An asynchronous task.
    Task,
    /// A thread.
    Thread,
    /// A set of tasks.
    TaskSet,
    /// A pool of connections.
    Pool,
    /// A client with connections of its own, made to be shared.
    Client,
    /// The threads of an executor.
    Runtime,
    /// Memory behind a raw pointer.
    RawMemory,
    /// A raw file descriptor, socket or handle.
    Handle,
    /// The token with which a registration is taken back.
    Registration,
    /// A temporary file or folder that nobody but its path knows of.
    TempFile,
}

impl ObligationKind {
    /// All kinds.
    pub const ALL: [ObligationKind; 11] = [
        ObligationKind::Child,
        ObligationKind::Task,
        ObligationKind::Thread,
        ObligationKind::TaskSet,
        ObligationKind::Pool,
        ObligationKind::Client,
        ObligationKind::Runtime,
        ObligationKind::RawMemory,
        ObligationKind::Handle,
        ObligationKind::Registration,
        ObligationKind::TempFile,
    ];
}

/// What dropping a value does to what it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropEffect {
    /// It is lost: the resource stays taken.
    Leaks,
    /// It goes on without an owner.
    Detaches,
    /// It is stopped or killed.
    Aborts,
    /// It is closed.
    Closes,
    /// The drop waits until it has ended.
    Joins,
}

/// A result that is an obligation by itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acquires {
    /// Of what kind.
    pub kind: ObligationKind,
    /// Paths of the functions that release or adopt it.
    pub released_by: Vec<String>,
    /// What it is, in words for a message: `file descriptor`.
    #[serde(default)]
    pub what: Option<String>,
    /// How the result looks if something was acquired. By default what is negative or null was not.
    #[serde(default)]
    pub ok: Option<Condition>,
    /// The argument behind which it is put; the result is then a status, by default 0 if something was acquired.
    #[serde(default)]
    pub out: Option<u8>,
    /// What is put there has to be released after a failure too (`sqlite3_open`).
    #[serde(default)]
    pub also_on_failure: bool,
    /// A name among the arguments with which nothing new is acquired (`MAP_FIXED`).
    #[serde(default)]
    pub unless: Option<String>,
    /// Names one of which has to be among the arguments for anything to be acquired (`F_DUPFD`).
    #[serde(default)]
    pub only_with: Vec<String>,
}

/// A comparison of a result with a constant: `>= 0`, `!= MAP_FAILED`, `!= null`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Condition {
    /// How it is compared.
    pub compare: Compare,
    /// With what.
    pub with: Constant,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

/// What a result is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Constant {
    /// A number.
    Number(i64),
    /// A constant, by its own name; `null` is the null pointer.
    Name(String),
}

impl TryFrom<String> for Condition {
    type Error = String;

    fn try_from(text: String) -> Result<Condition, String> {
        let (compare, with) = text.split_once(' ').ok_or("expected a comparison, as in \">= 0\"")?;
        let compare = match compare {
            "==" => Compare::Eq,
            "!=" => Compare::Ne,
            "<" => Compare::Lt,
            "<=" => Compare::Le,
            ">" => Compare::Gt,
            ">=" => Compare::Ge,
            other => return Err(format!("expected one of == != < <= > >=, found \"{other}\"")),
        };
        let name = || Constant::Name(with.to_owned());
        Ok(Condition { compare, with: with.parse().map_or_else(|_| name(), Constant::Number) })
    }
}

/// A raw argument that gets an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adopts {
    /// Which argument.
    pub arg: u8,
    /// When.
    #[serde(default)]
    pub when: When,
}

/// When an argument is taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// On failure too.
    #[default]
    Always,
    /// Only if the call succeeds.
    Ok,
}
