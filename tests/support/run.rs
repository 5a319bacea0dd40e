//! Runs leaklint on a package in a temporary folder and reads its JSON.

use leaklint::config::Settings;
use leaklint::diagnostic::Confidence;
use leaklint::report::{self, Format};
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// What a report says of one finding, as far as marks are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Path below the package's folder.
    pub file: String,
    /// 1-based line of the primary span.
    pub line: usize,
    /// Name of the lint.
    pub lint: String,
    /// `high`, `medium` or `low`.
    pub confidence: String,
    /// The sentence.
    pub message: String,
}

/// One run.
pub struct Run {
    /// The whole report, without what differs from run to run.
    pub json: Value,
    /// Its findings.
    pub findings: Vec<Finding>,
    /// Files that were skipped, with the reason.
    pub skipped: Vec<(String, String)>,
}

/// A folder with these files. It is a repository of its own, so paths in reports start there.
pub fn package<'f>(files: impl IntoIterator<Item = (&'f str, &'f [u8])>) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(folder.path().join(".git")).expect("the folder is writable");
    for (path, content) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("the folder is writable");
        fs::write(path, content).expect("the folder is writable");
    }
    folder
}

/// Checks a folder at default settings.
pub fn at_defaults(folder: &Path) -> Run {
    check(Settings { paths: vec![folder.to_path_buf()], ..Settings::default() })
}

/// Checks a folder and its test code.
pub fn with_tests(folder: &Path) -> Run {
    check(Settings { paths: vec![folder.to_path_buf()], tests: true, ..Settings::default() })
}

/// Checks a folder and shows everything.
pub fn with_everything(folder: &Path) -> Run {
    check(Settings { paths: vec![folder.to_path_buf()], min_confidence: Confidence::Low, ..Settings::default() })
}

fn check(settings: Settings) -> Run {
    let report = leaklint::check(&settings).expect("the run takes place");
    let mut text = Vec::new();
    report::write(&report, Format::Json, &mut text).expect("memory is writable");
    let mut json: Value = serde_json::from_slice(&text).expect("the report is JSON");
    json["summary"]["duration_ms"] = 0.into();
    let findings = list(&json["diagnostics"]).iter().map(finding).collect();
    let skipped = list(&json["summary"]["skipped"]);
    let skipped = skipped.iter().map(|entry| (string(&entry["file"]), string(&entry["reason"]))).collect();
    Run { findings, skipped, json }
}

fn finding(entry: &Value) -> Finding {
    Finding {
        file: string(&entry["file"]),
        line: entry["line"].as_u64().and_then(|line| usize::try_from(line).ok()).expect("a line"),
        lint: string(&entry["lint"]),
        confidence: string(&entry["confidence"]),
        message: string(&entry["message"]),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn string(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}
