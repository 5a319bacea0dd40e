//! Whether a comparison shows that an acquire failed: `fd < 0`, `p == MAP_FAILED`, `rc != SQLITE_OK`.

use crate::apis::{Compare, Condition, Constant};

impl Condition {
    /// `COMPARE NUMBER`.
    pub fn number(compare: Compare, with: i64) -> Condition {
        Condition { compare, with: Constant::Number(with) }
    }

    /// What holds where this does not.
    pub fn negated(&self) -> Condition {
        let compare = match self.compare {
            Compare::Eq => Compare::Ne,
            Compare::Ne => Compare::Eq,
            Compare::Lt => Compare::Ge,
            Compare::Le => Compare::Gt,
            Compare::Gt => Compare::Le,
            Compare::Ge => Compare::Lt,
        };
        Condition { compare, with: self.with.clone() }
    }

    /// The same with its sides exchanged: `0 > fd`.
    pub fn mirrored(&self) -> Condition {
        let compare = match self.compare {
            Compare::Lt => Compare::Gt,
            Compare::Le => Compare::Ge,
            Compare::Gt => Compare::Lt,
            Compare::Ge => Compare::Le,
            same => same,
        };
        Condition { compare, with: self.with.clone() }
    }

    /// `== CLOSED`, where nothing is known of the constant: it may be the one that says that there is none.
    pub fn may_name_a_failure(&self) -> bool {
        self.compare == Compare::Eq && matches!(self.with, Constant::Name(_)) && value(&self.with) >= OTHER
    }

    /// Whether no value meets both.
    pub fn excludes(&self, other: &Condition) -> bool {
        let (a, b) = (value(&self.with), value(&other.with));
        let candidates = [a - 1, a, a + 1, b - 1, b, b + 1];
        !candidates.iter().any(|&v| self.holds(v) && other.holds(v))
    }

    fn holds(&self, v: i64) -> bool {
        let with = value(&self.with);
        match self.compare {
            Compare::Eq => v == with,
            Compare::Ne => v != with,
            Compare::Lt => v < with,
            Compare::Le => v <= with,
            Compare::Gt => v > with,
            Compare::Ge => v >= with,
        }
    }
}

/// A number that stands for a constant. Those that say success are 0, as they are in C libraries; what cannot be told is
/// a large number of its own.
fn value(constant: &Constant) -> i64 {
    match constant {
        Constant::Number(n) => (*n).clamp(-OTHER, OTHER),
        Constant::Name(name) => {
            let mut words = name.split('_');
            match name.as_str() {
                "null" | "NULL" | "FALSE" | "false" | "NO_ERROR" => 0,
                "TRUE" | "true" => 1,
                "MAP_FAILED" | "INVALID_SOCKET" => -1,
                _ if name.starts_with("INVALID_HANDLE") => -1,
                _ if words.any(|w| matches!(w, "OK" | "SUCCESS" | "NOERROR") || w.ends_with("OK")) => 0,
                _ => OTHER + name.bytes().fold(0, |sum, b| (sum * 31 + i64::from(b)) % OTHER),
            }
        }
    }
}

const OTHER: i64 = 1 << 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_cannot_both_hold() {
        let condition = |text: &str| Condition::try_from(text.to_owned()).unwrap();
        let excludes = |a: &str, b: &str| condition(a).excludes(&condition(b));
        for (test, ok) in [
            ("< 0", ">= 0"),
            ("== -1", ">= 0"),
            ("<= -1", ">= 0"),
            ("== null", "!= null"),
            ("== 0", "!= null"),
            ("== MAP_FAILED", "!= MAP_FAILED"),
            ("!= 0", "== 0"),
            ("!= SQLITE_OK", "== 0"),
            ("== SQLITE_BUSY", "== 0"),
            ("== FALSE", "!= 0"),
            ("!= NO_ERROR", "== 0"),
        ] {
            assert!(excludes(test, ok), "{test} / {ok}");
        }
        for (test, ok) in
            [(">= 0", ">= 0"), ("> 2", ">= 0"), ("== 0", ">= 0"), ("!= -1", ">= 0"), ("== SQLITE_OK", "== 0")]
        {
            assert!(!excludes(test, ok), "{test} / {ok}");
        }
        assert_eq!(condition("< 0").negated(), condition(">= 0"));
        assert_eq!(condition("< 0").mirrored(), condition("> 0"));
    }
}
