//! `primaryLocationLineHash`, by which code scanning follows a result from commit to commit. The algorithm is given;
//! other tools compute the same.

use rustc_hash::FxHashMap;

/// Code units that a hash covers.
const WINDOW: usize = 100;
const FACTOR: u64 = 37;

/// Fed after the last unit, in place of an end.
const END: u16 = 65535;

/// The hash of each line, with a line break at the end starting one more.
pub fn line_hashes(text: &str) -> Vec<String> {
    let mut hasher = Hasher::default();
    let mut last = 0;
    for unit in text.encode_utf16() {
        let kept = match unit {
            0x20 | 0x09 => None,
            // A line feed that ends what a carriage return has ended.
            0x0a if last == 0x0d => None,
            0x0d => Some(0x0a),
            unit => Some(unit),
        };
        last = unit;
        if let Some(unit) = kept {
            hasher.feed(unit);
        }
    }
    hasher.feed(END);
    for _ in 0..WINDOW {
        hasher.feed(0);
    }
    hasher.numbered()
}

struct Hasher {
    window: [u16; WINDOW],
    hash: u64,
    /// How many units were fed.
    fed: usize,
    at_line_start: bool,
    /// Which unit each line starts with.
    starts: Vec<usize>,
    hashes: Vec<u64>,
}

impl Default for Hasher {
    fn default() -> Hasher {
        Hasher { window: [0; WINDOW], hash: 0, fed: 0, at_line_start: true, starts: Vec::new(), hashes: Vec::new() }
    }
}

impl Hasher {
    fn feed(&mut self, unit: u16) {
        if self.starts.get(self.hashes.len()).is_some_and(|start| start + WINDOW == self.fed) {
            self.hashes.push(self.hash);
        }
        // The zeros at the end flush; they are no line.
        if self.at_line_start && !self.ended() {
            self.starts.push(self.fed);
        }
        self.at_line_start = unit == 0x0a;
        let slot = &mut self.window[self.fed % WINDOW];
        let leaving = FACTOR.wrapping_pow(WINDOW as u32).wrapping_mul(u64::from(*slot));
        *slot = unit;
        self.hash = self.hash.wrapping_mul(FACTOR).wrapping_add(u64::from(unit)).wrapping_sub(leaving);
        self.fed += 1;
    }

    fn ended(&self) -> bool {
        self.fed > 0 && self.window[(self.fed - 1) % WINDOW] == END
    }

    /// Each hash with how often it has occurred so far.
    fn numbered(mut self) -> Vec<String> {
        if self.hashes.len() < self.starts.len() {
            self.hashes.push(self.hash);
        }
        let mut seen: FxHashMap<u64, u32> = FxHashMap::default();
        let number = |hash: u64| {
            let count = seen.entry(hash).or_default();
            *count += 1;
            format!("{hash:x}:{count}")
        };
        self.hashes.into_iter().map(number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_other_tools() {
        assert_eq!(line_hashes("a"), ["53b5d4aabe50d64:1"]);
        assert_eq!(line_hashes(""), ["c129715d7a2bc9a3:1"]);
        let three = ["4c74ab87820424b1:1", "8c072f39cc89b447:1", "828973aa50c68d6d:1"];
        assert_eq!(line_hashes("x\nx\nx\n")[..3], three);
        assert_eq!(line_hashes(" x\r\n\tx\rx\n")[..3], three);
        let long = format!("{0}\n{0}\n{0}", "y".repeat(120));
        assert_eq!(line_hashes(&long), ["cadd4b5b9d92c51c:1", "cadd4b5b9d92c51c:2", "cadd4b5b9d92c51c:3"]);
    }

    #[test]
    fn every_line_has_one() {
        for text in ["", "a", "a\n", "\n\n\n", "a\n\nb\r\nc", "\u{feff}é\n😀"] {
            assert_eq!(line_hashes(text).len(), text.split('\n').count(), "{text:?}");
        }
    }
}
