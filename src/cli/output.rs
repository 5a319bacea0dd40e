//! Writing to stdout and stderr, where a closed pipe is the reader's choice and no error.

use anstream::{AutoStream, ColorChoice};
use std::io::{self, ErrorKind, Write};

/// Writes to stdout; escape sequences in `bytes` are stripped where they are not wanted.
pub fn to_stdout(bytes: &[u8], color: ColorChoice) -> io::Result<()> {
    let mut out = AutoStream::new(io::stdout(), color).lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Writes lines to stderr, safe for terminals.
pub fn say(text: &str) {
    for line in text.lines() {
        // There is nobody left to tell if stderr is gone.
        let _ = writeln!(io::stderr().lock(), "{}", leaklint::report::neutral(line));
    }
}

/// Writes text with escape sequences of our own to stderr.
pub fn say_styled(text: &str) {
    let _ = AutoStream::new(io::stderr(), ColorChoice::Auto).lock().write_all(text.as_bytes());
}
