//! The arguments.

use clap::{ArgMatches, Args, Parser, Subcommand, ValueEnum};
use leaklint::diagnostic::Confidence;
use leaklint::lints::Level;
use leaklint::report::Format;
use std::path::PathBuf;

/// Finds resource leaks in Rust sources
#[derive(Debug, Parser)]
#[command(name = "leaklint", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check files and folders
    Check(Box<CheckArgs>),
    /// Show the page of a lint
    Explain(ExplainArgs),
    /// List all lints
    Lints,
    /// Show what is read from a file
    #[command(hide = true)]
    Facts(FactsArgs),
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Name of the lint
    pub lint: String,
}

#[derive(Debug, Args)]
pub struct FactsArgs {
    /// A Rust source file
    pub file: PathBuf,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Files and folders to check; files named here are always checked
    #[arg(default_value = ".")]
    pub paths: Vec<PathBuf>,

    /// Leave out what this glob (in the syntax of gitignore) names; can be repeated
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,

    /// Do not report a lint, a group of lints, or all
    #[arg(short = 'A', long, value_name = "LINT", help_heading = "Lints")]
    pub allow: Vec<String>,

    /// Report a lint, a group of lints, or all; later options win over earlier ones
    #[arg(short = 'W', long, value_name = "LINT", help_heading = "Lints")]
    pub warn: Vec<String>,

    /// Report a lint, a group of lints, or all as errors
    #[arg(short = 'D', long, value_name = "LINT", help_heading = "Lints")]
    pub deny: Vec<String>,

    /// Report findings of at least this confidence
    #[arg(long, value_name = "CONFIDENCE", default_value = "medium", help_heading = "Lints")]
    pub min_confidence: ConfidenceArg,

    /// Report findings in test code too
    #[arg(long, help_heading = "Lints")]
    pub tests: bool,

    /// How to write findings: human, concise, json, json-lines, sarif, github, gitlab, junit or rdjson, to stdout or
    /// (FORMAT=FILE) to a file; can be repeated
    #[arg(long, value_name = "FORMAT[=FILE]", default_value = "human", value_parser = output, help_heading = "Output")]
    pub output_format: Vec<Output>,

    /// When to use colours
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = "Output")]
    pub color: ColorArg,

    /// Print findings only
    #[arg(short, long, conflicts_with = "verbose", help_heading = "Output")]
    pub quiet: bool,

    /// Print more about what was read
    #[arg(short, long, help_heading = "Output")]
    pub verbose: bool,

    /// Print how long each step took
    #[arg(long, help_heading = "Output")]
    pub timings: bool,

    /// Exit with 0 whatever is found
    #[arg(long, help_heading = "Exit status")]
    pub exit_zero: bool,

    /// Exit with 1 only for findings of this level
    #[arg(long, value_name = "LEVEL", default_value = "warn", help_heading = "Exit status")]
    pub error_on: ErrorOn,

    /// Exit with 1 if a file cannot be read or parsed
    #[arg(long, help_heading = "Exit status")]
    pub strict_parse: bool,

    /// Ignore configuration files
    #[arg(long, help_heading = "Run")]
    pub isolated: bool,

    /// Neither read nor write a cache
    #[arg(long, help_heading = "Run")]
    pub no_cache: bool,

    /// Number of threads [default: one per processor]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Run")]
    pub jobs: Option<u16>,
}

/// One format and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    pub format: Format,
    /// None for stdout.
    pub file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ConfidenceArg {
    High,
    Medium,
    Low,
}

impl From<ConfidenceArg> for Confidence {
    fn from(arg: ConfidenceArg) -> Confidence {
        match arg {
            ConfidenceArg::High => Confidence::High,
            ConfidenceArg::Medium => Confidence::Medium,
            ConfidenceArg::Low => Confidence::Low,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ColorArg {
    Auto,
    Always,
    Never,
}

impl From<ColorArg> for anstream::ColorChoice {
    fn from(arg: ColorArg) -> anstream::ColorChoice {
        match arg {
            ColorArg::Auto => anstream::ColorChoice::Auto,
            ColorArg::Always => anstream::ColorChoice::Always,
            ColorArg::Never => anstream::ColorChoice::Never,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ErrorOn {
    Warn,
    Deny,
}

fn output(text: &str) -> Result<Output, String> {
    let (name, file) = match text.split_once('=') {
        Some((_, "")) => return Err("no file after `=`".to_owned()),
        Some((name, file)) => (name, Some(PathBuf::from(file))),
        None => (text, None),
    };
    let names = || Format::ALL.iter().map(|(name, _)| *name);
    match Format::ALL.iter().find(|(known, _)| *known == name) {
        Some((_, format)) => Ok(Output { format: *format, file }),
        None => {
            let known = names().collect::<Vec<_>>().join(", ");
            let nearest = leaklint::lints::nearest(name, names());
            let nearest = nearest.map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default();
            Err(format!("formats are {known}{nearest}"))
        }
    }
}

/// The levels in the order in which they were given, over all three options.
pub fn levels(matches: &ArgMatches) -> Vec<(Level, String)> {
    let mut found = Vec::new();
    for (option, level) in [("allow", Level::Allow), ("warn", Level::Warn), ("deny", Level::Deny)] {
        let values = matches.get_many::<String>(option).into_iter().flatten();
        let indices = matches.indices_of(option).into_iter().flatten();
        found.extend(indices.zip(values).map(|(index, name)| (index, level, name.clone())));
    }
    found.sort();
    found.into_iter().map(|(_, level, name)| (level, name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn definitions_hold() {
        Cli::command().debug_assert();
    }

    #[test]
    fn levels_keep_their_order() {
        let line = ["leaklint", "check", "-D", "all", "-A", "x", "-W", "y", "--deny", "x"];
        let matches = Cli::command().try_get_matches_from(line).unwrap();
        let levels = levels(matches.subcommand_matches("check").unwrap());
        let spelled: Vec<String> = levels.iter().map(|(level, name)| format!("{level} {name}")).collect();
        assert_eq!(spelled, ["deny all", "allow x", "warn y", "deny x"]);
    }
}
