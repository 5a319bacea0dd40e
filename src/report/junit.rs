//! `junit`: a test report, for CI systems that show nothing else. Each file with findings is a suite.

use super::place::place;
use super::{Finding, Report};
use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};
use std::io::{self, Write};

/// Writes the report. One without findings has a test that passes: some readers take an empty one for a failure.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut junit = Junit::new("leaklint");
    for run in report.findings.chunk_by(|a, b| a.diagnostic.span.file == b.diagnostic.span.file) {
        let mut suite = TestSuite::new(report.display(run[0].diagnostic.span.file));
        suite.add_test_cases(run.iter().map(|finding| case(report, finding)));
        junit.add_test_suite(suite);
    }
    if report.findings.is_empty() {
        let mut suite = TestSuite::new("leaklint");
        suite.add_test_case(TestCase::new("no leaks found", TestCaseStatus::success()));
        junit.add_test_suite(suite);
    }
    junit.serialize(&mut *out).map_err(io::Error::other)
}

fn case(report: &Report, finding: &Finding) -> TestCase {
    let diagnostic = &finding.diagnostic;
    let at = place(report, diagnostic.span);
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(&*diagnostic.message).set_type(finding.level.to_string()).set_description(format!(
        "{}:{}:{}: {}\nhelp: {}",
        at.file, at.line, at.column, diagnostic.looked_for, diagnostic.help
    ));
    let mut case = TestCase::new(format!("{}:{}:{}", diagnostic.lint, at.line, at.column), status);
    case.set_classname(&*diagnostic.item);
    case
}
