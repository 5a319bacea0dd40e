//! Bytes that the program itself has most likely written: told by names, by an encoder beside the decoder, and by what else the
//! file speaks of. Names only excuse.

use crate::apis::Feed;
use crate::model::heat::Runs;
use crate::model::{DefId, Model};
use crate::source::FileId;
use std::collections::BTreeSet;

/// Words in names of what reads back what the program itself, or its like, has written.
const OWN: [&str; 34] = [
    "backup",
    "backups",
    "blob",
    "blobs",
    "bloom",
    "btree",
    "cache",
    "cached",
    "checkpoint",
    "disk",
    "file",
    "files",
    "fingerprint",
    "fs",
    "index",
    "indexes",
    "journal",
    "log",
    "manifest",
    "mmap",
    "page",
    "pager",
    "segment",
    "segments",
    "snapshot",
    "snapshots",
    "sst",
    "sstable",
    "storage",
    "storages",
    "store",
    "stored",
    "wal",
    "wals",
];

/// Words in names of what somebody else sends.
const SENT: [&str; 22] = [
    "client",
    "codec",
    "connection",
    "datagram",
    "frame",
    "frames",
    "handshake",
    "message",
    "messages",
    "messaging",
    "net",
    "network",
    "packet",
    "packets",
    "proto",
    "protocol",
    "request",
    "requests",
    "response",
    "rpc",
    "server",
    "wire",
];

/// Those of them that say so whatever is sent.
const NETWORK: [&str; 6] = ["net", "network", "protocol", "request", "rpc", "wire"];

/// Verbs of functions that read a value, each with those that write one.
const PAIRS: [(&str, &[&str]); 6] = [
    ("from", &["to", "into", "as"]),
    ("decode", &["encode"]),
    ("read", &["write"]),
    ("deserialize", &["serialize"]),
    ("load", &["save", "store"]),
    ("unpack", &["pack"]),
];

/// `store::PageReader::next` → `store page reader next`
fn words(path: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for name in path.split(|c: char| !c.is_alphanumeric()) {
        let starts = name.char_indices().filter(|(_, c)| c.is_uppercase()).map(|(at, _)| at);
        let mut cuts: Vec<usize> = std::iter::once(0).chain(starts).chain([name.len()]).collect();
        cuts.dedup();
        words.extend(cuts.windows(2).map(|cut| name[cut[0]..cut[1]].to_lowercase()));
    }
    words
}

/// Whether a function most likely reads what the program, or its like, has written.
pub fn is_own(model: &Model, def: DefId) -> bool {
    let item = words(&model.item_path(def));
    let krate = model.crate_of(model.def(def).module);
    let krate_words = words(model.text(krate.name));
    let has = |list: &[&str], words: &[String]| words.iter().any(|word| list.contains(&&**word));
    // `network::file_transfer`
    if has(&OWN, &item) && !has(&NETWORK, &item) || has(&OWN, &krate_words) && !has(&SENT, &item) {
        return true;
    }
    // Whoever uses a library may read anybody's files with it.
    let of_program = krate.package.is_some_and(|p| model.packages_of_programs().contains(&p));
    of_program
        && !has(&SENT, &item)
        && !has(&SENT, &krate_words)
        && writes_too(model, def)
        && !names_any(model, model.def(def).file, &[Feed::Socket, Feed::Request])
}

/// Whether the type that a function reads is written beside it: `to_bytes` beside `from_bytes`.
fn writes_too(model: &Model, def: DefId) -> bool {
    let Some(owner) = model.container_type(def) else { return false };
    let verb = |def: DefId| model.text(model.def_name(def)).split('_').next().unwrap_or_default();
    let Some((_, writers)) = PAIRS.iter().find(|(reads, _)| *reads == verb(def)) else { return false };
    let file = model.def(def).file;
    let beside = |other: DefId| model.def(other).file == file && model.container_type(other) == Some(owner);
    model.analysis.digests.iter().any(|d| writers.contains(&verb(d.owner)) && beside(d.owner))
}

/// Whether a file speaks of the like of pipes between processes of one machine, and of no network.
pub fn is_of_machine(model: &Model, file: FileId) -> bool {
    names_any(model, file, &[Feed::Local, Feed::Pipe]) && !names_any(model, file, &[Feed::Socket, Feed::Request])
}

/// Whether a file names a type that somebody feeds who is one of these.
fn names_any(model: &Model, file: FileId, by: &[Feed]) -> bool {
    let rows = model.apis.types().iter();
    let fed = |row: &&crate::apis::TypeRow| match row.feeds {
        Some(feed) => by.contains(&feed),
        None => row.peer && by.contains(&Feed::Socket),
    };
    let names: BTreeSet<&str> = model.names_in(file).iter().map(|&name| model.text(name)).collect();
    // `Field` is one of a form only where the crate is named as well.
    rows.filter(fed).any(|row| {
        let mut parts = row.path.split("::");
        parts.next().is_some_and(|krate| names.contains(krate)) && parts.last().is_some_and(|name| names.contains(name))
    })
}

/// Whether nobody but tests calls a function: its name is said nowhere else in the run, and no other code can see it.
pub fn is_unused(model: &Model, position: u32) -> bool {
    let runs = model.runs_at(position, 0, false);
    let def = model.analysis.digests[position as usize].owner;
    let named = || {
        let others = model
            .analysis
            .digests
            .iter()
            .enumerate()
            .filter(|&(at, _)| at as u32 != position && model.runs_at(at as u32, 0, false) != Runs::Test);
        others.into_iter().any(|(_, d)| model.names_called(d.owner).any(|name| name == model.def_name(def)))
    };
    runs == Runs::Never || runs == Runs::Unknown && model.trait_of(def).is_none() && !named()
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn names_are_taken_apart() {
        assert_eq!(words("store::PageReader::next"), ["store", "page", "reader", "next"]);
    }
}
