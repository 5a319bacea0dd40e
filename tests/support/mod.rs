//! What the tests of pages and fixtures share: packages in a temporary folder, the one call of the library, and the comparison
//! of marks with findings.

// Each test binary compiles this module for itself and uses a part of it.
#![allow(dead_code)]

pub mod compare;
pub mod run;

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of this repository.
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// What lies directly in a folder, sorted.
pub fn entries(folder: &Path) -> Vec<PathBuf> {
    let listing = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut entries: Vec<PathBuf> = listing.map(|entry| entry.expect("a readable entry").path()).collect();
    entries.sort();
    entries
}

/// All files below a folder, with their paths relative to it.
pub fn files_below(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(current) = folders.pop() {
        for entry in entries(&current) {
            if entry.is_dir() {
                folders.push(entry);
            } else {
                let name = entry.strip_prefix(folder).expect("below the folder").to_string_lossy().replace('\\', "/");
                found.push((name, fs::read(&entry).expect("a readable file")));
            }
        }
    }
    found.sort();
    found
}
