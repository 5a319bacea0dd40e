//! Versions of packages, as far as API tables ask for them: three numbers, and the lowest that a requirement allows.

use serde::Deserialize;
use std::fmt;
use std::str::FromStr;

/// A version without its pre-release and build parts. Missing numbers are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Version(pub [u32; 3]);

impl Version {
    /// The lowest version that a requirement of a manifest allows; none if it sets no lower bound.
    pub fn lowest(requirement: &str) -> Option<Version> {
        let bound = |part: &str| {
            let part = part.trim();
            // `<2` and `*` allow anything old.
            let text = part.strip_prefix(">=").or_else(|| part.strip_prefix(['^', '~', '=', '>'])).unwrap_or(part);
            text.trim().trim_end_matches(".*").parse().ok()
        };
        requirement.split(',').filter_map(bound).max()
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Version, String> {
        let error = || format!("expected a version, as in \"0.27\", found \"{text}\"");
        let release = text.split(['-', '+']).next().unwrap_or_default();
        let mut version = Version([0; 3]);
        for (index, part) in release.split('.').enumerate() {
            let number = version.0.get_mut(index).ok_or_else(error)?;
            *number = part.parse().map_err(|_| error())?;
        }
        Ok(version)
    }
}

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Version, String> {
        text.parse()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(f, "{major}.{minor}.{patch}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_lowest_version_that_is_allowed() {
        for (requirement, lowest) in [
            ("0.26", Some([0, 26, 0])),
            ("1", Some([1, 0, 0])),
            ("=0.24.2", Some([0, 24, 2])),
            ("^1.2.3-beta.1", Some([1, 2, 3])),
            ("~3.1", Some([3, 1, 0])),
            (">=0.24, <0.28", Some([0, 24, 0])),
            ("< 2, >= 1.4", Some([1, 4, 0])),
            ("0.31.*", Some([0, 31, 0])),
            ("*", None),
            ("<1", None),
            ("next", None),
        ] {
            assert_eq!(Version::lowest(requirement), lowest.map(Version), "{requirement}");
        }
    }

    #[test]
    fn orders_versions_by_number() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        assert!(version("0.9") < version("0.10") && version("0.10.1") < version("1"));
        assert_eq!(version("0.27").to_string(), "0.27.0");
        assert!("1.2.3.4".parse::<Version>().is_err() && "".parse::<Version>().is_err());
    }
}
