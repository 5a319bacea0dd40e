//! What a run is asked to do, whoever asked for it.

use crate::diagnostic::Confidence;
use crate::lints::Level;
use std::path::PathBuf;

/// The settings of a run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Files and folders to check.
    pub paths: Vec<PathBuf>,
    /// Globs in the syntax of gitignore, relative to the repository's root.
    pub exclude: Vec<String>,
    /// Levels of lints, groups or `all`; later entries win.
    pub levels: Vec<(Level, String)>,
    /// Findings below it are counted, not reported.
    pub min_confidence: Confidence,
    /// Whether findings in test code are reported.
    pub tests: bool,
    /// Number of threads; 0 means one per processor.
    pub jobs: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            paths: vec![PathBuf::from(".")],
            exclude: Vec::new(),
            levels: Vec::new(),
            min_confidence: Confidence::Medium,
            tests: false,
            jobs: 0,
        }
    }
}
