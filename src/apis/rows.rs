//! The rows of an API table, as `lints/apis/*.toml` and the user's config write them. `lints/README.md` explains each
//! key to those who write tables; unknown keys are errors.

mod caches;
mod limits;
mod obligations;

pub use caches::*;
pub use limits::*;
pub use obligations::*;

use super::term::Term;
use crate::version::Version;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One file of `lints/apis`, or the `[apis]` table of a config.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Table {
    /// `[[type]]`
    #[serde(rename = "type")]
    pub types: Vec<TypeRow>,
    /// `[[alias]]`
    #[serde(rename = "alias")]
    pub aliases: Vec<AliasRow>,
    /// `[[fn]]`
    #[serde(rename = "fn")]
    pub functions: Vec<FnRow>,
    /// `[[trait]]`
    #[serde(rename = "trait")]
    pub traits: Vec<TraitRow>,
    /// `[[attribute]]`
    #[serde(rename = "attribute")]
    pub attributes: Vec<AttributeRow>,
    /// `[[objects]]`
    pub objects: Vec<ObjectsRow>,
    /// Crates that bind C: their functions only borrow raw arguments, unless a row says otherwise.
    pub foreign: Vec<String>,
    /// Crates that do not, though their name ends in `-sys`.
    pub not_foreign: Vec<String>,
}

/// A type of a library.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TypeRow {
    /// Canonical path: where the documentation defines it, `core::` and `alloc::` written as `std::`.
    pub path: String,
    /// Other paths of the same type: re-exports.
    pub also: Vec<String>,
    /// The first version of the package that it holds for.
    pub since: Option<Version>,
    /// The first version that it does not hold for any more.
    pub until: Option<Version>,
    /// Names of its type parameters, in order. A type written with fewer arguments leaves the rest unknown.
    pub params: Vec<String>,
    /// What `*x` and method calls reach: guards, smart pointers, lazies.
    pub deref: Option<Term>,
    /// An owning shared pointer (`Arc`, `Rc`).
    pub strong: bool,
    /// A pointer that does not keep its target alive (`Weak`).
    pub weak: bool,
    /// A lock or cell: its content changes through `&self`.
    pub locks: bool,
    /// Only one thread can reach it (`RefCell`, `Cell`): that its content changes through `&self` says nothing of who
    /// shares it.
    pub unsync: bool,
    /// A collection that changes through `&self` (`DashMap`).
    pub shared: bool,
    /// What iterating over it by value yields; for streams, what `next().await` yields. `&x` and `&mut x` of a
    /// collection iterate over references to it.
    pub iterates: Option<Term>,
    /// What awaiting it gives.
    pub output: Option<Term>,
    /// Types of its public fields.
    pub fields: BTreeMap<String, Term>,
    /// Payloads of its variants, for patterns.
    pub variants: BTreeMap<String, Vec<Term>>,
    /// What kind of collection it is.
    pub collection: Option<Collection>,
    /// Type of the keys of a map, of the elements of a set.
    pub key: Option<Term>,
    /// Type of the keys that it makes itself, one for each element (`SlotMap`).
    pub makes_key: Option<Term>,
    /// Type of the values of a map, of the elements of anything else.
    pub element: Option<Term>,
    /// What dropping a value does that has to be done: `removes the folder`.
    pub drop_matters: Option<String>,
    /// Whether it brings what somebody outside of the process sends, who decides when it ends.
    pub peer: bool,
    /// Whether it tells what somebody sets, and nothing when that one is dropped: an atomic, a `CancellationToken`.
    pub flag: bool,
    /// Methods after which dropping a value has nothing to do until something is written again.
    pub flushed_by: Vec<String>,
    /// Whether it is `Copy`: using it does not move it.
    pub copy: bool,
    /// Whether it is a raw pointer or handle that nobody owns (`NonNull`, `AtomicPtr`).
    pub raw: bool,
    /// Whether there are only so many values of it: as keys they bound a collection.
    pub finite: bool,
    /// Whether it is a point in time.
    pub time: bool,
    /// Whether it is the entry of a map: taking one is the first half of an insert.
    pub entry: bool,
    /// Which end of a channel it is, or holds.
    pub end: Option<End>,
    /// What is lost with a value of it that is never dropped.
    pub owns: Option<Owns>,
    /// It is the owner's end of a callback that others hold, in words: `JavaScript closure`. Dropping it takes the callback back.
    pub callback: Option<String>,
    /// There is one of it, for as long as the page or program is there: the window of a page.
    pub lasting: bool,
    /// Somebody who waits elsewhere is told through it: senders, wakers.
    pub notifies: bool,
    /// Who decides how much comes out of it when it is read.
    pub feeds: Option<Feed>,
    /// A struct of the run with such a field stands for what comes from there: the method of a request, the status of a response.
    pub heads: Option<Feed>,
    /// It gives no more than a limit, whatever it reads from: `Take`, `Limited`.
    pub capped: bool,
    /// Methods that add elements.
    pub grow: Vec<String>,
    /// Methods that remove elements.
    pub shrink: Vec<String>,
    /// Methods whose result, compared, bounds the size (`len`, `capacity`, `is_full`).
    pub bound: Vec<String>,
    /// Methods that give back spare room and leave every element (`shrink_to_fit`).
    pub trim: Vec<String>,
    /// Whether its last name tells it, whatever crate it comes from (`HashMap`).
    pub distinctive: bool,
    /// Methods that replace the whole content.
    pub replace: Vec<String>,
    /// What the owner of such a value has to do.
    pub obligation: Option<Obligation>,
    /// Associated functions: no receiver, arguments count from 0.
    pub functions: BTreeMap<String, FnRow>,
    /// Methods, and functions that take a value of the type first (`Arc::downgrade(this)`): that is the receiver, which
    /// is not counted as an argument, also in `Type::method(receiver, …)`.
    pub methods: BTreeMap<String, FnRow>,
}

/// What a value owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owns {
    /// Memory on the heap.
    Heap,
    /// A descriptor, socket or handle of the system.
    Handle,
    /// Values of its type arguments: `Option`, `Pin`, `Mutex`.
    Arguments,
}

/// The kind of a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Collection {
    /// Keys and values; argument 0 of its growing methods is the key.
    Map,
    /// Elements that are keys.
    Set,
    /// A sequence.
    List,
    /// A sequence that is consumed at an end.
    Queue,
    /// The sending side of a channel that is unbounded, or of a type that does not tell.
    Channel,
    /// Running tasks whose results have to be taken.
    TaskSet,
    /// Keeps itself small, by a limit or by dropping what is done: never a leak.
    Bounded,
}

/// A type alias of a library.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AliasRow {
    /// Canonical path.
    pub path: String,
    /// Re-exports.
    #[serde(default)]
    pub also: Vec<String>,
    /// Names of its type parameters.
    #[serde(default)]
    pub params: Vec<String>,
    /// What it stands for.
    pub to: Term,
}

/// A function, associated function or method.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FnRow {
    /// Canonical path. Written only in `[[fn]]`; filled in for those in a type's or trait's row.
    pub path: String,
    /// Re-exports. Only in `[[fn]]`.
    pub also: Vec<String>,
    /// The first version of the package that it holds for. Only in `[[fn]]`: members have the versions of their type.
    pub since: Option<Version>,
    /// The first version that it does not hold for any more.
    pub until: Option<Version>,
    /// Names of its own type parameters, in order, for turbofish.
    pub params: Vec<String>,
    /// Its result; not known if absent.
    pub returns: Option<Term>,
    /// The call gives a future, and `returns` is what awaiting that gives.
    #[serde(rename = "async")]
    pub is_async: bool,
    /// Takes `self` by value.
    pub consumes: bool,
    /// The result is the receiver's content or a view of it: `lock`, `unwrap`, `as_ref`.
    pub through: bool,
    /// The result is an element of the receiver, or a sequence of them: `get`, `iter`, `entry`.
    pub element: bool,
    /// The result holds these arguments: `Arc::new`, `Some`.
    pub wraps: Vec<u8>,
    /// Closures and functions among the arguments that it calls.
    pub calls: Vec<Calls>,
    /// The future among the arguments that it runs before it (or the future it returns) is done: `block_on`, `timeout`.
    pub awaits: Option<u8>,
    /// Runs an argument in the background.
    pub spawns: Option<Spawns>,
    /// The result is an obligation by itself, whatever its type: raw values.
    pub acquires: Option<Acquires>,
    /// Gives back what this was acquired as.
    pub releases: Option<Slot>,
    /// Makes an owner of a raw value.
    pub adopts: Option<Adopts>,
    /// The argument that the receiver calls from then on, until it is taken away by a function whose name begins like this:
    /// `{ arg = 1, removed_by = "remove_event_listener" }`.
    pub listens: Option<Listens>,
    /// What the result stands for is freed when it is called: `Closure::once`.
    pub freed_by_call: bool,
    /// Drops it here.
    pub drops: Option<Slot>,
    /// Lets it go on without an owner.
    pub detaches: Option<Slot>,
    /// Keeps it from ever being dropped.
    pub forgets: Option<Slot>,
    /// Gives its memory away for the rest of the process, for a reference: `Box::leak`. Implies `forgets`.
    pub leaks: Option<Slot>,
    /// Paths of functions that give back what `forgets` or `leaks` keeps. Those are marked as `gives_back`.
    pub given_back_by: Vec<String>,
    /// Whether a row names it in `given_back_by`: set when the table is read.
    #[serde(skip)]
    pub gives_back: bool,
    /// What the result refers to lies where nothing ever drops it: a bump arena.
    pub undropped: bool,
    /// Drops, or takes out, what nobody else would drop: `ManuallyDrop::drop`, `drop_in_place`.
    pub drops_by_hand: Option<Slot>,
    /// Waits until what it stands for has ended.
    pub waits: Option<Slot>,
    /// Arguments that the receiver (or, without one, something global) keeps.
    pub stores: Vec<u8>,
    /// Arguments that live as long as the application from then on: state given to a web server.
    pub app_state: Vec<u8>,
    /// Arguments that are only looked at, though they are passed by value.
    pub borrows: Vec<u8>,
    /// The result is a tuple of the two ends of a channel.
    pub pair: Option<[End; 2]>,
    /// With `pair`: whoever sends never has to wait, however much is in the channel.
    pub unbounded: bool,
    /// It waits until there is room or leave to go on: a permit, a place in a queue.
    pub paces: bool,
    /// Says whether its two arguments are equal.
    pub equals: bool,
    /// Does not return.
    pub never: bool,
    /// Ends the process without dropping anything.
    pub exits: bool,
    /// On a static, it tells one caller of all that it is the first (`AtomicBool::swap`).
    pub once_guard: bool,
    /// Keeps the program running for as long as it serves: accepts, or is the event loop of a window.
    pub serves: bool,
    /// Its result can tell a loop to stop: a closed channel, a cancelled token, a signal, a dead `Weak`.
    pub ends: bool,
    /// The content or element in the result has left the receiver: `take`, `remove`, `pop`.
    pub moves_out: bool,
    /// Adds to the collection that these are or are views of: `Entry::or_insert`, `Write::write_all`.
    pub grows: Vec<Slot>,
    /// Removes from the collection that these are or are views of: `OccupiedEntry::remove`, `mem::take`.
    pub shrinks: Vec<Slot>,
    /// The argument that names a file or folder which is there afterwards.
    pub creates_path: Option<u8>,
    /// The argument that names a file or folder which is gone afterwards: removed, or renamed.
    pub removes_path: Option<u8>,
    /// Calls on the builder, one of which `creates_path` depends on.
    pub if_called: Vec<String>,
    /// Each call gives a value that no other call gave.
    pub fresh: bool,
    /// Its name alone tells, also on a receiver of unknown type.
    pub distinctive: bool,
    /// Its result comes from a peer, a clock, a generator or a file: there is no end of different ones.
    pub from_outside: bool,
    /// Says how long ago the point in time was that it is called on, or is given.
    pub tells_age: bool,
    /// Calls on the same builder, without one of which it has no effect.
    pub needs: Vec<String>,
    /// Makes a cache that may have no limit.
    pub cache: Option<Cache>,
    /// The argument that is the address it listens on: `TcpListener::bind`.
    pub binds: Option<u8>,
    /// Who feeds the result, whatever its type says: `TcpStream::connect`, `File::open`.
    pub feeds: Option<Feed>,
    /// Reads until the other side stops.
    pub reads_all: Option<ReadsAll>,
    /// From then on the bodies that a server reads are limited: `DefaultBodyLimit::max`.
    pub caps_bodies: bool,
    /// It takes the limit away that they have by default: `DefaultBodyLimit::disable`.
    pub uncaps_bodies: bool,
    /// Tells how much there is to read before it is read: `content_length`.
    pub tells_size: bool,
    /// Its result is a number that somebody outside chose: `read_u32`.
    pub peer_number: bool,
    /// The argument that says for how many elements memory is reserved: `with_capacity`.
    pub reserves: Option<u8>,
    /// Its result is no greater than its arguments: `min`, `clamp`.
    pub clamps: bool,
    /// Limits that what it builds does not have unless they are set.
    pub lacks: Vec<Lacks>,
    /// It sets a limit, unless its argument says that there is none.
    pub sets_limit: Option<SetsLimit>,
    /// Where it stands: set when the table is read.
    #[serde(skip)]
    pub owner: Owner,
    /// What it is found by if it holds for some versions only; else that is its path.
    #[serde(skip)]
    pub key: Option<String>,
}

/// A callback that stays where it is added.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listens {
    /// Which argument.
    pub arg: u8,
    /// How the names of functions begin that take it away.
    pub removed_by: String,
}

/// What a function belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Owner {
    /// A module.
    #[default]
    Module,
    /// A type; the function has no receiver.
    Type,
    /// A type; the function has a receiver.
    Receiver,
    /// A trait; the function has a receiver of any type.
    Trait,
    /// A trait; the function has no receiver.
    TraitFunction,
}

/// A callable argument.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calls {
    /// Which argument.
    pub arg: u8,
    /// Types of what it is given.
    #[serde(default)]
    pub takes: Vec<Term>,
    /// How often, seen from the calling function.
    #[serde(default)]
    pub heat: Heat,
}

/// How often something runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Heat {
    /// As often as the caller.
    #[default]
    Same,
    /// Once in the life of the process.
    Once,
    /// Once in a thread.
    PerThread,
    /// Whenever someone asks.
    PerCall,
    /// Again and again: per element, request or tick.
    Repeated,
    /// Only in tests.
    Test,
}

/// What an argument runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spawns {
    /// Which argument.
    pub arg: u8,
    /// As what.
    #[serde(rename = "as")]
    pub kind: SpawnKind,
    /// The receiver answers for it, so that the result may be dropped: `TaskTracker`, `LocalSet`.
    #[serde(default)]
    pub owned: bool,
}

/// What something in the background is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpawnKind {
    /// A future on an executor.
    Task,
    /// A future on the executor of this thread.
    Local,
    /// A closure on a pool for blocking work.
    Blocking,
    /// A thread.
    Thread,
    /// A thread or task that ends with its scope.
    Scoped,
}

/// An end of a channel. Dropping every `tx` ends `rx`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Sends.
    Tx,
    /// Receives.
    Rx,
}

/// The receiver (`"self"`) or an argument (its number).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "SlotText")]
pub enum Slot {
    /// The receiver.
    Receiver,
    /// An argument.
    Arg(u8),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected \"self\" or the number of an argument")]
enum SlotText {
    Arg(u8),
    Name(String),
}

impl TryFrom<SlotText> for Slot {
    type Error = String;

    fn try_from(text: SlotText) -> Result<Slot, String> {
        match text {
            SlotText::Arg(arg) => Ok(Slot::Arg(arg)),
            SlotText::Name(name) if name == "self" => Ok(Slot::Receiver),
            SlotText::Name(name) => Err(format!("expected \"self\" or the number of an argument, found \"{name}\"")),
        }
    }
}

/// A trait of a library.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TraitRow {
    /// Canonical path.
    pub path: String,
    /// Re-exports.
    pub also: Vec<String>,
    /// Names of its type parameters.
    pub params: Vec<String>,
    /// How often methods of its implementations run.
    pub runs: BTreeMap<String, Heat>,
    /// How often every other method of its implementations runs.
    pub runs_all: Option<Heat>,
    /// Whether its methods are called on one value for as long as there is work: an actor, a behaviour of a network.
    pub actor: bool,
    /// Who decides how much comes out of its implementations when they are read.
    pub feeds: Option<Feed>,
    /// Whether its implementations change nothing in what they are called on, and keep nothing of it (`Debug`).
    pub reads_only: bool,
    /// Its functions without receiver, for calls on any type: `File::from_raw_fd(fd)`.
    pub functions: BTreeMap<String, FnRow>,
    /// Its methods, for calls on any receiver.
    pub methods: BTreeMap<String, FnRow>,
}

/// An attribute that says how often a function runs, or makes one remember its results.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeRow {
    /// Canonical path.
    pub path: String,
    /// Re-exports.
    #[serde(default)]
    pub also: Vec<String>,
    /// Only where this word stands in it: `start` of `#[wasm_bindgen(start)]`.
    #[serde(default)]
    pub with: Option<String>,
    /// How often.
    #[serde(default)]
    pub heat: Option<Heat>,
    /// The function remembers its results.
    #[serde(default)]
    pub cache: Option<Cache>,
}

/// Crates whose types are objects that count who holds them, too many and too alike for a row each.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ObjectsRow {
    /// Their names in code.
    pub crates: Vec<String>,
    /// How the names of methods begin by which the receiver keeps a closure and calls it when something happens.
    pub connecting: Vec<String>,
    /// Methods of such names whose closures go away with what they wait for.
    pub leaving: Vec<String>,
}
