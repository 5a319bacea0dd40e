//! How deeply a recursive parser would nest on a text, found without one: a stack overflow aborts the process and
//! cannot be caught.
//!
//! The measure is counted in steps. An open bracket costs [`BRACKET_STEPS`]; an operator, a postfix bracket or a
//! prefix keyword costs one, for any of them may nest what follows (`--x`, `return return x`) or what came before
//! (`a + b + c`, `a.b().c()`). A statement's end clears the steps of its bracket. So does a comma, unless it may stand in
//! a list without brackets, which only `<` and `|` begin: `A<B, A<B, …>>` nests, `[a < b, a < b, …]` does not, and to tell
//! them apart takes a parser. So the measure may be too large; it is never too small.

/// What one step may need of the stack. Measured: what needs most per step is a type argument (6.8 KiB, and it counts
/// twice), a closure's block needs 9.5 KiB (ten steps), an operator at most 3.6 KiB.
pub const STEP_BYTES: u64 = 8 << 10;

/// Steps of one bracket: an expression in brackets passes through every level of precedence.
pub const BRACKET_STEPS: u32 = 8;

/// More open brackets than any person or generator writes.
pub const MAX_BRACKETS: usize = 256;

/// The depth of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depth {
    /// The most steps that are open at a time.
    pub steps: u32,
    /// The byte where that is.
    pub at: usize,
    /// Whether there are more than [`MAX_BRACKETS`] there; what follows was not measured.
    pub too_many_brackets: bool,
}

/// The bytes of identifiers and keywords.
const IS_WORD: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = byte >= 0x80 || byte as u8 == b'_' || (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    table
};

/// What is open within one bracket.
#[derive(Clone, Copy, Default)]
struct Level {
    steps: u32,
    /// Whether a list without brackets may be open.
    list: bool,
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    levels: Vec<Level>,
    /// Steps of all levels but the last, brackets included.
    outer: u32,
    /// Whether the last token can end an operand, so that a bracket after it is a call, an index or a literal.
    after_operand: bool,
    /// Whether the last token is a closing brace, which ends a statement unless the next token says otherwise.
    after_brace: bool,
    found: Depth,
}

/// Measures `text`.
pub fn measure(text: &str) -> Depth {
    let mut scan = Scan {
        bytes: text.as_bytes(),
        at: 0,
        levels: vec![Level::default()],
        outer: 0,
        after_operand: false,
        after_brace: false,
        found: Depth::default(),
    };
    while scan.at < scan.bytes.len() && !scan.found.too_many_brackets {
        scan.token();
    }
    scan.found
}

impl Scan<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn token(&mut self) {
        let byte = self.bytes[self.at];
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => self.skip(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')),
            b'/' if self.peek(1) == b'/' => self.at = self.find(b'\n', self.at),
            b'/' if self.peek(1) == b'*' => self.block_comment(),
            b'"' => self.string(),
            b'\'' => self.quote(),
            b'A'..=b'Z' | b'a'..=b'z' | b'_' | 0x80.. => self.word(),
            b'0'..=b'9' => self.number(),
            b'(' | b'[' | b'{' => self.open(),
            b')' | b']' | b'}' => self.close(byte == b'}'),
            _ => self.punctuation(byte),
        }
    }

    /// Moves on while `wanted` holds.
    fn skip(&mut self, wanted: impl Fn(u8) -> bool) {
        let rest = &self.bytes[self.at..];
        self.at += rest.iter().position(|&byte| !wanted(byte)).unwrap_or(rest.len());
    }

    fn find(&self, byte: u8, from: usize) -> usize {
        let rest = self.bytes.get(from..).unwrap_or_default();
        memchr::memchr(byte, rest).map_or(self.bytes.len(), |found| from + found)
    }

    fn block_comment(&mut self) {
        let mut depth = 0usize;
        while self.at < self.bytes.len() {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'*') => (depth, self.at) = (depth + 1, self.at + 2),
                (b'*', b'/') => (depth, self.at) = (depth - 1, self.at + 2),
                _ => self.at += 1,
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn operand(&mut self) {
        self.end_of_brace(false);
        self.after_operand = true;
    }

    fn string(&mut self) {
        self.operand();
        self.at += 1;
        while let Some(found) = memchr::memchr2(b'"', b'\\', self.bytes.get(self.at..).unwrap_or_default()) {
            self.at += found + 1;
            if self.bytes[self.at - 1] == b'"' {
                return;
            }
            self.at += 1;
        }
        self.at = self.bytes.len();
    }

    /// `r"…"`, `r#"…"#`, with the quote or the first `#` at `at`; a raw identifier if no quote follows.
    fn raw_string(&mut self) {
        let hashes = self.bytes[self.at..].iter().take_while(|&&byte| byte == b'#').count();
        if self.peek(hashes) != b'"' {
            self.at += hashes;
            return;
        }
        self.operand();
        self.at += hashes + 1;
        loop {
            self.at = self.find(b'"', self.at) + 1;
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            if rest.len() < hashes || rest[..hashes].iter().all(|&byte| byte == b'#') {
                self.at = (self.at + hashes).min(self.bytes.len());
                return;
            }
        }
    }

    /// A character or a lifetime.
    fn quote(&mut self) {
        let first = self.peek(1);
        let width = match first {
            0xf0.. => 4,
            0xe0.. => 3,
            0xc0.. => 2,
            _ => 1,
        };
        if first == b'\\' {
            self.at = self.find(b'\'', self.at + 3) + 1;
            self.operand();
        } else if self.peek(1 + width) == b'\'' {
            self.at += width + 2;
            self.operand();
        } else {
            self.end_of_brace(false);
            self.at += 1;
        }
    }

    fn number(&mut self) {
        self.operand();
        self.skip(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    }

    fn word(&mut self) {
        let start = self.at;
        self.skip(|byte| IS_WORD[byte as usize]);
        let word = &self.bytes[start..self.at];
        match (word, self.peek(0)) {
            (b"r" | b"br" | b"cr", b'"' | b'#') => return self.raw_string(),
            (b"b" | b"c", b'"') => return self.string(),
            (b"b", b'\'') => return self.quote(),
            _ => {}
        }
        self.end_of_brace(matches!(word, b"else" | b"as"));
        self.after_operand = !is_prefix(word);
        if !self.after_operand {
            self.step();
        }
    }

    fn open(&mut self) {
        let brace = self.bytes[self.at] == b'{';
        self.end_of_brace(true);
        if self.after_operand && !brace {
            self.step();
        }
        self.outer += self.level().steps + BRACKET_STEPS;
        self.levels.push(Level::default());
        self.after_operand = false;
        self.note_depth();
        self.at += 1;
    }

    fn close(&mut self, brace: bool) {
        self.end_of_brace(true);
        if self.levels.len() > 1 {
            self.levels.pop();
            self.outer -= self.level().steps + BRACKET_STEPS;
        }
        self.after_operand = true;
        self.after_brace = brace;
        self.at += 1;
    }

    fn punctuation(&mut self, byte: u8) {
        let ends = byte == b';' || (byte == b'=' && self.peek(1) == b'>');
        self.at += 1;
        if ends {
            *self.level() = Level::default();
            self.at += usize::from(byte == b'=');
        } else if byte == b',' {
            let level = self.level();
            level.steps = if level.list { level.steps } else { 0 };
        }
        self.end_of_brace(!matches!(byte, b'#'));
        let nests = !ends && !matches!(byte, b',' | b':' | b'#' | b'$' | b'>');
        self.after_operand = matches!(byte, b'?' | b'>');
        if matches!(byte, b'<' | b'|') {
            self.level().list = true;
        }
        if byte == b'<' {
            self.step();
        }
        if nests {
            self.step();
        }
    }

    fn level(&mut self) -> &mut Level {
        self.levels.last_mut().expect("the first level is never popped")
    }

    fn step(&mut self) {
        self.level().steps += 1;
        self.note_depth();
    }

    /// After a closing brace: the token at hand either goes on with the expression or starts a new statement.
    fn end_of_brace(&mut self, goes_on: bool) {
        if std::mem::take(&mut self.after_brace) && !goes_on {
            *self.level() = Level::default();
        }
    }

    fn note_depth(&mut self) {
        let steps = self.outer + self.level().steps;
        let too_many_brackets = self.levels.len() > MAX_BRACKETS + 1;
        if steps > self.found.steps || too_many_brackets {
            self.found = Depth { steps, at: self.at.min(self.bytes.len() - 1), too_many_brackets };
        }
    }
}

/// Words after which an expression, a pattern or a type may follow that nests in what they begin.
fn is_prefix(word: &[u8]) -> bool {
    matches!(
        word,
        b"as"
            | b"async"
            | b"become"
            | b"box"
            | b"break"
            | b"const"
            | b"do"
            | b"dyn"
            | b"else"
            | b"for"
            | b"if"
            | b"impl"
            | b"in"
            | b"let"
            | b"loop"
            | b"match"
            | b"move"
            | b"mut"
            | b"ref"
            | b"return"
            | b"static"
            | b"unsafe"
            | b"while"
            | b"yield"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> u32 {
        measure(text).steps
    }

    #[test]
    fn only_code_counts() {
        let plain = steps("x");
        for text in [
            "\"(((\"",
            "\"\\\"(((\"",
            "r\"\\\" // ",
            "r##\"\"#((\"##",
            "br#\"((\"#",
            "c\"((\"",
            "b'('",
            "'('",
            "'\\''",
            "'\\u{28}'",
            "'é'",
            "'😀'",
            "// ((\n",
            "/* (( /* (( */ (( */",
            "r#fn",
            "1_000u8",
        ] {
            assert_eq!(steps(text), plain, "{text}");
        }
    }

    #[test]
    fn text_after_a_literal_is_code_again() {
        for text in ["\"\\\\\"", "r#\"\"#", "'a'", "'\\''", "b'\\\\'", "/* /* */ */", "'a", "// x\n", "r#fn", "\"\""] {
            let after = format!("{text} [[[");
            assert!(steps(&after) >= 3 * BRACKET_STEPS, "{after}");
        }
    }

    #[test]
    fn ends_clear_and_braces_may_end() {
        assert_eq!(steps(&"a + b; ".repeat(50)), 1);
        assert_eq!(steps("a + b; c + d + e; f"), 2);
        assert_eq!(steps(&"if a {} x".repeat(50)), steps("if a {}"));
        assert!(steps(&"if a {} else ".repeat(50)) > 90);
        assert!(steps(&"a {} . b ".repeat(50)) >= 50);
    }

    #[test]
    fn unfinished_tokens_end_with_the_text() {
        for text in ["\"", "\"\\", "r#\"", "r#\"a\"", "'", "'\\", "b'", "/*", "/* /*", "r", "r#", ")", "]]", "//"] {
            assert!(measure(text).steps < 30, "{text}");
        }
    }
}
