//! A run: discover, then parse and lower each file in parallel, link, ask the lints, decide levels, and hand over a
//! [`Report`]. It decides nothing about Rust code itself, and prints nothing.

use crate::apis::Apis;
use crate::config::Settings;
use crate::diagnostic::{Confidence, Diagnostic};
use crate::discover::{self, DiscoverError, Discovered, Skipped, SourceFile, TargetKind};
use crate::facts::FileFacts;
use crate::lints::page::{Page, PageError};
use crate::lints::{self, LINTS, Level, Lint, UnknownLint};
use crate::model::{FileUnit, Model, PackageInfo, TargetInfo};
use crate::parse;
use crate::report::{Finding, Hidden, Report, Timings, fingerprints};
use crate::source::{FileId, MAX_FILE_BYTES, SkipReason, SourceText, Span};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Text that may be parsed at a time. A syntax tree takes up to 120 times as much.
const BYTES_IN_FLIGHT: u64 = 8 << 20;

/// Why a run did not take place.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// A path or a glob.
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    /// A level for no lint.
    #[error(transparent)]
    Lint(#[from] UnknownLint),
    /// A page that is not one.
    #[error(transparent)]
    Page(#[from] PageError),
    /// The one file that was asked for.
    #[error("{} {}", .0.file, .0.reason)]
    Skipped(Skipped),
    /// The system has no more threads.
    #[error("cannot start threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

/// Checks what `settings` ask for, with all lints.
pub fn check(settings: &Settings) -> Result<Report, CheckError> {
    check_with(settings, LINTS)
}

/// Checks with these lints.
pub fn check_with(settings: &Settings, lints: &[Lint]) -> Result<Report, CheckError> {
    let start = Instant::now();
    let pages = lints::pages(lints)?;
    let levels = lints::levels(&pages, &settings.levels)?;
    let mut discovered = discover::discover(&settings.paths, &settings.exclude)?;
    let mut timings = Timings { walk: start.elapsed(), ..Timings::default() };
    let pool = thread_pool(settings.jobs)?;
    let Lowered { facts, hashes, skipped, lines } = pool.install(|| lower_all(&discovered.files, &mut timings));
    discovered.skipped.extend(skipped);

    // On the pool too: for its stacks, and so that what goes parallel in there obeys the number of threads.
    let (model, took) = timed(|| pool.install(|| link(&discovered, facts, settings.tests)));
    timings.link = took;
    let (diagnostics, took) = timed(|| pool.install(|| run_lints(&model, lints, &levels, &pages)));
    timings.lints = took;

    let mut selection = Selection { discovered, hashes, findings: Vec::new(), hidden: Hidden::default() };
    let levels: FxHashMap<&str, Level> = lints.iter().map(|lint| lint.name).zip(levels).collect();
    let sources = selection.select(diagnostics, &levels, settings);
    let Selection { discovered, findings, hidden, .. } = selection;
    let Discovered { root, files, packages, mut skipped } = discovered;
    skipped.sort_by(|a, b| a.file.cmp(&b.file));
    timings.wall = start.elapsed();
    Ok(Report { root, files, packages, lines, skipped, findings, hidden, sources, pages, timings })
}

/// The facts of one file.
pub fn facts_of(path: &Path) -> Result<FileFacts, CheckError> {
    let pool = thread_pool(1)?;
    let facts = pool.install(|| lower(&SourceText::read(path)?, &mut Duration::default()));
    facts.map_err(|reason| CheckError::Skipped(Skipped { file: path.display().to_string(), reason }))
}

/// Threads with stacks that the parser can rely on.
fn thread_pool(jobs: usize) -> Result<rayon::ThreadPool, rayon::ThreadPoolBuildError> {
    rayon::ThreadPoolBuilder::new().num_threads(jobs).stack_size(parse::STACK_BYTES).build()
}

fn timed<R>(work: impl FnOnce() -> R) -> (R, Duration) {
    let start = Instant::now();
    (work(), start.elapsed())
}

/// A procedural macro lives in the compiler, as a build script lives in the build.
fn compiled_as(kind: TargetKind, proc_macro: bool) -> TargetKind {
    if proc_macro && kind == TargetKind::Lib { TargetKind::Build } else { kind }
}

/// Links the facts of all files, which stand in the order of `discovered.files`; the model never hears of skipped ones.
fn link(discovered: &Discovered, facts: Vec<Option<FileFacts>>, tests: bool) -> Model {
    let units = discovered.files.iter().zip(facts).enumerate().filter_map(|(index, (file, facts))| {
        let (path, package) = (file.path.clone(), file.package);
        let is_macro = package.is_some_and(|p| discovered.packages[p].proc_macro);
        let target = compiled_as(file.target, is_macro);
        Some(FileUnit { id: FileId(index as u32), path, package, target, facts: facts? })
    });
    let target = |t: &discover::Target, is_macro| TargetInfo {
        name: t.name.clone(),
        kind: compiled_as(t.kind, is_macro),
        root: t.root.clone(),
    };
    let packages = discovered.packages.iter().map(|package| PackageInfo {
        name: package.name.replace('-', "_"),
        targets: package.targets.iter().map(|t| target(t, package.proc_macro)).collect(),
        dependencies: package.dependencies.clone(),
    });
    let mut model = Model::link(units.collect(), packages.collect(), Apis::builtin());
    model.tests = tests;
    model.analyse();
    model
}

/// Parses and lowers one file; `lowering` is how long the latter took.
fn lower(source: &SourceText, lowering: &mut Duration) -> Result<FileFacts, SkipReason> {
    parse::with_tree(source, |tree, offset| {
        let (facts, took) = timed(|| crate::lower::file(tree, source.code().0, offset, source.line_count()));
        *lowering = took;
        facts
    })
}

/// What is left of all files once their text is dropped; one entry per file, none for those that were skipped.
struct Lowered {
    facts: Vec<Option<FileFacts>>,
    hashes: Vec<Option<blake3::Hash>>,
    skipped: Vec<Skipped>,
    lines: u64,
}

/// One file's part in [`Lowered`], and how long its steps took.
struct OneFile {
    facts: Result<FileFacts, SkipReason>,
    hash: Option<blake3::Hash>,
    read: Duration,
    parse: Duration,
    lower: Duration,
}

fn lower_all(files: &[SourceFile], timings: &mut Timings) -> Lowered {
    let gate = Gate::default();
    let one_by_one = files.par_iter().with_max_len(1);
    let results: Vec<OneFile> = one_by_one.map(|file| lower_file(file, &gate)).collect();
    let mut all = Lowered { facts: Vec::new(), hashes: Vec::new(), skipped: Vec::new(), lines: 0 };
    for (file, one) in files.iter().zip(results) {
        timings.read += one.read;
        timings.parse += one.parse;
        timings.lower += one.lower;
        let skip = |reason| all.skipped.push(Skipped { file: file.display.clone(), reason });
        let facts = one.facts.map_err(skip).ok();
        all.lines += facts.as_ref().map_or(0, |facts| u64::from(facts.header.lines));
        all.facts.push(facts);
        all.hashes.push(one.hash);
    }
    all
}

fn lower_file(file: &SourceFile, gate: &Gate) -> OneFile {
    let size = std::fs::metadata(&file.path).map_or(0, |metadata| metadata.len().min(MAX_FILE_BYTES));
    let _pass = gate.enter(size);
    let (source, read) = timed(|| SourceText::read(&file.path));
    let mut one =
        OneFile { facts: Ok(FileFacts::default()), hash: None, read, parse: Duration::ZERO, lower: Duration::ZERO };
    match source {
        Ok(source) => {
            let (facts, took) = timed(|| lower(&source, &mut one.lower));
            one.facts = facts;
            one.hash = Some(source.hash());
            one.parse = took.saturating_sub(one.lower);
        }
        Err(reason) => one.facts = Err(reason),
    }
    one
}

/// Lets threads pass while what they hold together is at most [`BYTES_IN_FLIGHT`]; what is larger passes alone.
#[derive(Default)]
struct Gate {
    bytes: Mutex<u64>,
    left: Condvar,
}

struct Pass<'a> {
    gate: &'a Gate,
    bytes: u64,
}

impl Gate {
    fn enter(&self, bytes: u64) -> Pass<'_> {
        let inside = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |inside: &mut u64| *inside > 0 && *inside + bytes > BYTES_IN_FLIGHT;
        let mut inside = self.left.wait_while(inside, full).unwrap_or_else(PoisonError::into_inner);
        *inside += bytes;
        Pass { gate: self, bytes }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        *self.gate.bytes.lock().unwrap_or_else(PoisonError::into_inner) -= self.bytes;
        self.gate.left.notify_all();
    }
}

/// Runs the lints that are not allowed; sorted by file, place and lint.
fn run_lints(model: &Model, lints: &[Lint], levels: &[Level], pages: &[Page]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for ((lint, level), page) in lints.iter().zip(levels).zip(pages) {
        if *level == Level::Allow {
            continue;
        }
        let first = found.len();
        (lint.check)(model, &mut found);
        // An overlapping lint of clippy that the code allows says the same of ours.
        let allowed = |d: &Diagnostic| model.allows_clippy(d.span, &page.metadata.clippy);
        let kept: Vec<_> = found.drain(first..).filter(|d| !allowed(d)).collect();
        found.extend(kept);
    }
    found.sort_by(|a, b| (a.span, a.lint, &a.message).cmp(&(b.span, b.lint, &b.message)));
    found.dedup();
    found
}

/// Which diagnostics are reported.
struct Selection {
    discovered: Discovered,
    hashes: Vec<Option<blake3::Hash>>,
    findings: Vec<Finding>,
    hidden: Hidden,
}

impl Selection {
    /// Fills in the findings and returns the texts that reporters need. Files are read again one at a time.
    fn select(
        &mut self,
        diagnostics: Vec<Diagnostic>,
        levels: &FxHashMap<&str, Level>,
        settings: &Settings,
    ) -> FxHashMap<FileId, SourceText> {
        let mut sources = FxHashMap::default();
        let mut rest = diagnostics.into_iter().peekable();
        while let Some(file) = rest.peek().map(|diagnostic| diagnostic.span.file) {
            let mut group = Vec::new();
            while let Some(diagnostic) = rest.next_if(|diagnostic| diagnostic.span.file == file) {
                group.push(diagnostic);
            }
            let Some(source) = self.read_again(file) else { continue };
            // Numbered before anything is filtered, so that filters do not change fingerprints.
            let fingerprints = fingerprints(&self.discovered.files[file.index()].display, &source, &group);
            let before = self.findings.len();
            for (diagnostic, fingerprint) in group.into_iter().zip(fingerprints) {
                if self.is_shown(&diagnostic, settings) {
                    let level = levels.get(diagnostic.lint).copied().unwrap_or(Level::Warn);
                    self.findings.push(Finding { diagnostic, level, fingerprint });
                }
            }
            if self.findings.len() > before {
                sources.insert(file, source);
            }
        }
        self.read_other_places(&mut sources);
        sources
    }

    fn is_shown(&mut self, diagnostic: &Diagnostic, settings: &Settings) -> bool {
        if !settings.tests && self.is_test_code(diagnostic.span) {
            return false;
        }
        let shown = diagnostic.confidence >= settings.min_confidence;
        match diagnostic.confidence {
            _ if shown => {}
            Confidence::Low => self.hidden.low += 1,
            Confidence::Medium | Confidence::High => self.hidden.medium += 1,
        }
        shown
    }

    fn is_test_code(&self, span: Span) -> bool {
        matches!(self.discovered.files[span.file.index()].target, TargetKind::Test | TargetKind::Bench)
    }

    /// Labels and edits may lie in files that have no finding of their own.
    fn read_other_places(&mut self, sources: &mut FxHashMap<FileId, SourceText>) {
        let mut findings = std::mem::take(&mut self.findings);
        findings.retain(|finding| {
            finding.files().all(|file| {
                if !sources.contains_key(&file)
                    && let Some(source) = self.read_again(file)
                {
                    sources.insert(file, source);
                }
                sources.contains_key(&file)
            })
        });
        self.findings = findings;
    }

    /// The text that the facts were made from; a file with another one is named as changed.
    fn read_again(&mut self, file: FileId) -> Option<SourceText> {
        let SourceFile { path, display, .. } = &self.discovered.files[file.index()];
        let source = SourceText::read(path).ok().filter(|source| Some(source.hash()) == self.hashes[file.index()]);
        if source.is_none() {
            let changed = Skipped { file: display.clone(), reason: SkipReason::Changed };
            if !self.discovered.skipped.contains(&changed) {
                self.discovered.skipped.push(changed);
            }
        }
        source
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gate_bounds_what_is_inside_and_lets_large_ones_in() {
        let gate = Gate::default();
        let peak = Mutex::new(0);
        std::thread::scope(|scope| {
            for size in [BYTES_IN_FLIGHT * 2, BYTES_IN_FLIGHT / 2, BYTES_IN_FLIGHT / 2, 1, BYTES_IN_FLIGHT] {
                let (gate, peak) = (&gate, &peak);
                scope.spawn(move || {
                    let _pass = gate.enter(size);
                    let inside = *gate.bytes.lock().unwrap();
                    assert!(inside <= BYTES_IN_FLIGHT || inside == size);
                    let mut peak = peak.lock().unwrap();
                    *peak = inside.max(*peak);
                });
            }
        });
        assert_eq!(*gate.bytes.lock().unwrap(), 0);
        assert!(*peak.lock().unwrap() >= BYTES_IN_FLIGHT * 2);
    }
}
