//! The command line: definitions, one module per subcommand, and what all of them share.
//!
//! Findings and asked-for text go to stdout, everything else to stderr. Neither being closed is an error.

mod args;
mod check;
mod facts;
mod output;
mod pages;

use args::{Cli, Command};
use clap::{CommandFactory, FromArgMatches};
use leaklint::parse;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Nothing to report.
pub const CLEAN: u8 = 0;
/// Something was reported.
pub const FOUND: u8 = 1;
/// Could not run.
pub const FAILED: u8 = 2;

/// Parses the arguments and runs what they ask for.
pub fn run() -> anyhow::Result<u8> {
    let matches = match Cli::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return Ok(usage(&error)),
    };
    let cli = Cli::from_arg_matches(&matches)?;
    match &cli.command {
        Command::Check(args) => {
            let matches = matches.subcommand_matches("check").expect("this is the subcommand");
            check::run(args, args::levels(matches))
        }
        Command::Explain(args) => pages::explain(&args.lint),
        Command::Lints => pages::table(),
        Command::Facts(args) => facts::run(&args.file),
    }
}

/// Help and version are answers, all else is a mistake.
fn usage(error: &clap::Error) -> u8 {
    let text = error.render();
    if error.use_stderr() {
        output::say_styled(&text.ansi().to_string());
        return FAILED;
    }
    // A pipe that is closed on the help text is no failure of ours.
    let _ = output::to_stdout(text.ansi().to_string().as_bytes(), anstream::ColorChoice::Auto);
    CLEAN
}

/// The exit status of `work`: errors and panics are told and are [`FAILED`].
pub fn status_of(work: impl FnOnce() -> anyhow::Result<u8>) -> u8 {
    std::panic::set_hook(Box::new(|panic| {
        if !parse::panic_is_caught() {
            let at = panic.location().map(|at| format!(" ({}:{})", at.file(), at.line())).unwrap_or_default();
            let text = parse::panic_text(panic.payload());
            output::say(&format!("leaklint: internal error: {text}{at}\nThis is a bug of leaklint; please report it."));
        }
    }));
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(status)) => status,
        Ok(Err(error)) => {
            output::say(&format!("leaklint: {error:#}"));
            FAILED
        }
        Err(_) => FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_panics_are_failures() {
        assert_eq!(status_of(|| Ok(FOUND)), FOUND);
        assert_eq!(status_of(|| anyhow::bail!("no")), FAILED);
        assert_eq!(status_of(|| panic!("on purpose")), FAILED);
        drop(std::panic::take_hook());
    }
}
