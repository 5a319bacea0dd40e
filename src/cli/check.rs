//! `leaklint check`: settings from arguments, reports to their places, a summary on stderr, and the exit status.

use super::args::{CheckArgs, ErrorOn, Output};
use super::{CLEAN, FOUND, output};
use anstream::ColorChoice;
use anyhow::{Context, bail};
use leaklint::diagnostic::Confidence;
use leaklint::discover::Skipped;
use leaklint::lints::Level;
use leaklint::report::{self, Format, Report, Timings};
use leaklint::source::SkipReason;
use leaklint::{Settings, check};
use std::time::Instant;

/// So many skipped files are named without being asked for.
const NAMED_SKIPPED: usize = 20;

/// Runs the check.
pub fn run(args: &CheckArgs, levels: Vec<(Level, String)>) -> anyhow::Result<u8> {
    if args.output_format.iter().filter(|output| output.file.is_none()).count() > 1 {
        bail!("only one format can go to stdout; give the others a file, as in `--output-format sarif=leaks.sarif`");
    }
    let settings = Settings {
        paths: args.paths.clone(),
        exclude: args.exclude.clone(),
        levels,
        min_confidence: args.min_confidence.into(),
        tests: args.tests,
        jobs: args.jobs.map_or(0, usize::from),
    };
    let mut report = check(&settings)?;
    let start = Instant::now();
    let notices = write_all(args, &report)?;
    report.timings.report = start.elapsed();
    report.timings.wall += start.elapsed();
    if !args.quiet {
        tell(args, &report, &notices);
    }
    if args.timings {
        output::say(&timings(&report.timings));
    }
    Ok(status(args, &report))
}

fn write_all(args: &CheckArgs, report: &Report) -> anyhow::Result<Vec<String>> {
    let mut notices = Vec::new();
    for Output { format, file } in &args.output_format {
        let mut bytes = Vec::new();
        notices.extend(report::write(report, *format, &mut bytes)?);
        let styled = *format == Format::Human;
        match file {
            Some(file) => {
                let plain = if styled { anstream::adapter::strip_bytes(&bytes).into_vec() } else { bytes };
                std::fs::write(file, plain).with_context(|| format!("cannot write {}", file.display()))?;
            }
            None => {
                // What has no escape sequences passes as it is.
                let color = if styled { args.color.into() } else { ColorChoice::AlwaysAnsi };
                output::to_stdout(&bytes, color).context("cannot write to stdout")?;
            }
        }
    }
    Ok(notices)
}

fn status(args: &CheckArgs, report: &Report) -> u8 {
    let errors = report.count(Level::Deny);
    let counted = match args.error_on {
        ErrorOn::Deny => errors,
        ErrorOn::Warn => errors + report.count(Level::Warn),
    };
    let lost = |skipped: &Skipped| skipped.reason != SkipReason::Empty;
    let unparsed = args.strict_parse && report.skipped.iter().any(lost);
    if !args.exit_zero && (counted > 0 || unparsed) { FOUND } else { CLEAN }
}

fn tell(args: &CheckArgs, report: &Report, notices: &[String]) {
    let named = if args.verbose { usize::MAX } else { NAMED_SKIPPED };
    for skipped in report.skipped.iter().take(named) {
        output::say(&format!("skipped: {} {}", skipped.file, skipped.reason));
    }
    if report.skipped.len() > named {
        output::say(&format!("skipped: {} more (-v names them)", report.skipped.len() - named));
    }
    if args.verbose {
        output::say(&format!("paths are relative to {}", report.root.display()));
        for (package, files) in files_by_package(report) {
            output::say(&format!("{package}: {}", counted(files, "file")));
        }
    }
    notices.iter().for_each(|notice| output::say(notice));
    output::say(&summary(report, args.min_confidence.into()));
}

fn files_by_package(report: &Report) -> Vec<(&str, usize)> {
    let name = |package: Option<usize>| package.map_or("(no package)", |index| report.packages[index].name.as_str());
    let mut names: Vec<&str> = report.files.iter().map(|file| name(file.package)).collect();
    names.sort_unstable();
    names.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect()
}

fn counted(n: usize, noun: &str) -> String {
    format!("{} {noun}{}", thousands(n as u64), if n == 1 { "" } else { "s" })
}

fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    groups.map(|group| String::from_utf8_lossy(group)).collect::<Vec<_>>().join(",")
}

fn summary(report: &Report, min_confidence: Confidence) -> String {
    let checked = report.checked();
    let skipped = report.skipped.len();
    if checked == 0 && skipped == 0 {
        return "no Rust files found".to_owned();
    }
    let mut text = format!(
        "checked {}, {} in {:.2} s: {}",
        counted(checked, "file"),
        counted(report.lines as usize, "line"),
        report.timings.wall.as_secs_f64(),
        counted(report.findings.len(), "diagnostic"),
    );
    let errors = report.count(Level::Deny);
    if errors > 0 {
        text.push_str(&format!(" ({})", counted(errors, "error")));
    }
    if skipped > 0 {
        text.push_str(&format!(", {} skipped", counted(skipped, "file")));
    }
    let hidden = report.hidden;
    if min_confidence == Confidence::High && hidden.medium > 0 {
        text.push_str(&format!("; {} more at medium confidence (--min-confidence medium)", hidden.medium));
    }
    if hidden.low > 0 {
        text.push_str(&format!("; {} more at low confidence (--min-confidence low)", hidden.low));
    }
    text
}

fn timings(timings: &Timings) -> String {
    let Timings { walk, read, parse, lower, link, lints, report, wall } = *timings;
    let rows = [
        ("walk", walk, ""),
        ("read", read, " (all threads)"),
        ("parse", parse, " (all threads)"),
        ("lower", lower, " (all threads)"),
        ("link", link, ""),
        ("lints", lints, ""),
        ("report", report, ""),
        ("wall", wall, ""),
    ];
    let row = |(name, took, note): &(&str, std::time::Duration, &str)| {
        format!("{name:6} {:>10.1} ms{note}\n", took.as_secs_f64() * 1000.0)
    };
    rows.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 1234567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(counted(1, "file"), "1 file");
    }
}
