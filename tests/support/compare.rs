//! Compares what was marked with what was found, by file, line and lint.

use super::run::Finding;
use leaklint::lints::page::{self, Expect, Mark};
use std::collections::BTreeMap;

/// File, line and lint.
type Place<'a> = (&'a str, usize, &'a str);

/// The marks in the Rust files of a project, with the paths of their files.
pub fn marks_of(files: &[(String, Vec<u8>)]) -> Vec<(String, Mark)> {
    let mut marks = Vec::new();
    for (path, content) in files.iter().filter(|(path, _)| path.ends_with(".rs")) {
        for (line, text) in (1..).zip(String::from_utf8_lossy(content).lines()) {
            marks.extend(page::marks(line, text).into_iter().map(|mark| (path.clone(), mark)));
        }
    }
    marks
}

/// What is wrong with a run at default settings: marks that did not fire, and findings that nobody marked.
pub fn at_defaults(marks: &[(String, Mark)], findings: &[Finding]) -> Vec<String> {
    let mut balance: BTreeMap<Place, i32> = BTreeMap::new();
    for (file, mark) in marks.iter().filter(|(_, mark)| mark.expect == Expect::Fires) {
        *balance.entry((file, mark.line, &mark.lint)).or_default() += 1;
    }
    for finding in findings {
        *balance.entry(place(finding)).or_default() -= 1;
    }
    let mut wrong = Vec::new();
    for (at, count) in balance {
        let (file, line, lint) = at;
        if count > 0 {
            wrong.push(format!("{file}:{line}: expected {lint}, found nothing"));
        } else if count < 0 {
            let found = findings.iter().filter(|finding| place(finding) == at).map(describe);
            wrong.push(format!("{file}:{line}: unexpected {lint}: {}", found.collect::<Vec<_>>().join("; ")));
        }
    }
    wrong
}

/// What is wrong with a run that shows everything: low marks that did not fire, or not as low, and gaps that have closed. Other
/// findings are tolerated.
pub fn with_everything(marks: &[(String, Mark)], findings: &[Finding]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (file, Mark { line, lint, expect }) in marks {
        let found = findings.iter().find(|finding| place(finding) == (file, *line, lint));
        match (expect, found) {
            (Expect::FiresLow, None) => wrong.push(format!("{file}:{line}: expected {lint} (low), found nothing")),
            (Expect::FiresLow, Some(found)) if found.confidence != "low" => {
                wrong.push(format!("{file}:{line}: expected {lint} (low), found {}", describe(found)));
            }
            (Expect::Gap, Some(found)) => {
                wrong.push(format!("{file}:{line}: the gap has closed, mend the mark: {lint}: {}", describe(found)));
            }
            _ => {}
        }
    }
    wrong
}

fn place(finding: &Finding) -> Place<'_> {
    (&finding.file, finding.line, &finding.lint)
}

fn describe(finding: &Finding) -> String {
    format!("{} ({})", finding.message, finding.confidence)
}
