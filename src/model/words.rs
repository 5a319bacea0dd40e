//! What the name of a foreign function says it does: C has no types for ownership, but its libraries have habits.
//!
//! Names alone never accuse: [`super::pairs`] asks for a partner too. They do excuse.

/// Words of functions that give out something their caller has to give back.
const ACQUIRE: &[&str] = &[
    "acquire",
    "alloc",
    "allocate",
    "begin",
    "calloc",
    "clone",
    "connect",
    "create",
    "dup",
    "duplicate",
    "init",
    "load",
    "make",
    "malloc",
    "map",
    "new",
    "open",
    "ref",
    "register",
    "retain",
    "start",
    "strdup",
];

/// Words of functions that take it back.
const RELEASE: &[&str] = &[
    "cancel",
    "cleanup",
    "clear",
    "close",
    "dealloc",
    "deallocate",
    "decref",
    "deinit",
    "del",
    "delete",
    "deregister",
    "destroy",
    "detach",
    "disconnect",
    "dispose",
    "drop",
    "end",
    "finalize",
    "fini",
    "finish",
    "free",
    "put",
    "release",
    "remove",
    "reset",
    "shutdown",
    "stop",
    "term",
    "terminate",
    "uninit",
    "unload",
    "unlock",
    "unmap",
    "unref",
    "unregister",
];

/// Words of functions that keep or take over what they are given.
const ADOPT: &[&str] = &[
    "add", "adopt", "append", "assign", "attach", "consume", "give", "insert", "own", "push", "queue", "set", "store",
    "submit", "take", "transfer",
];

/// What a name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Its words, in lower case.
    words: Vec<String>,
    /// The position of the word that gives something out.
    acquires: Option<usize>,
    /// The position of the word that takes it back.
    releases: Option<usize>,
}

impl Name {
    /// Reads `x_create`, `XCreateGC`, `sqlite3_open_v2`.
    pub fn of(name: &str) -> Name {
        let words = words(name);
        let releases = words.iter().rposition(|w| is_release(w));
        let acquires = match releases {
            // `unregister`, `free_new`: what takes back does not give out.
            Some(_) => None,
            None => words.iter().rposition(|w| ACQUIRE.contains(&w.as_str())),
        };
        Name { words, acquires, releases }
    }

    /// Whether a name in snake case may be one that takes something back: a look before [`Name::of`].
    pub fn may_release(name: &str) -> bool {
        name.split('_').any(is_release)
    }

    /// Whether it gives out something.
    pub fn acquires(&self) -> bool {
        self.acquires.is_some()
    }

    /// Whether it takes something back.
    pub fn releases(&self) -> bool {
        self.releases.is_some()
    }

    /// Whether it may keep or take over what it is given: `conf_set_opaque(conf, p)`, `client_new(conf)`.
    pub fn may_keep(&self) -> bool {
        self.acquires() || self.words.iter().any(|w| ADOPT.contains(&w.as_str()))
    }

    /// Whether `release` takes back what this one gives out: `x_create_ex` and `x_destroy`, `XCreateGC` and `XFreeGC`.
    pub fn pairs_with(&self, release: &Name) -> bool {
        let (Some(acquires), Some(releases)) = (self.acquires, release.releases) else { return false };
        let without = |words: &[String], at: usize| [&words[..at], &words[at + 1..]].concat();
        let stem = without(&release.words, releases);
        let whole = !stem.is_empty() && stem == without(&self.words, acquires);
        // `x_open`, `x_close`: one word may be no more than the name of the library.
        whole || stem.len() > 1 && stem == self.words[..acquires]
    }

    /// Whether it says plainly that what it is given is gone afterwards.
    pub fn destroys(&self) -> bool {
        const PLAIN: &[&str] =
            &["close", "dealloc", "deallocate", "delete", "destroy", "dispose", "finalize", "free", "release", "unref"];
        self.releases.is_some_and(|at| PLAIN.contains(&self.words[at].as_str()))
    }

    /// Whether it says plainly that it makes something new.
    pub fn creates(&self) -> bool {
        const PLAIN: &[&str] = &["alloc", "allocate", "create", "dup", "new", "open"];
        self.acquires.is_some_and(|at| PLAIN.contains(&self.words[at].as_str()))
    }
}

fn is_release(word: &str) -> bool {
    // `gfree`, `sclose`
    let glued = ["free", "unref", "close", "destroy"];
    RELEASE.binary_search(&word).is_ok() || glued.iter().any(|end| word.len() <= end.len() + 2 && word.ends_with(end))
}

/// `XCreateGC` → `x create gc`, `SSL_CTX_new` → `ssl ctx new`.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    for part in name.split('_').filter(|p| !p.is_empty()) {
        let chars: Vec<char> = part.chars().collect();
        let mut word = String::new();
        for (i, &c) in chars.iter().enumerate() {
            let after_lower = i > 0 && !chars[i - 1].is_uppercase();
            let before_lower = chars.get(i + 1).is_some_and(|n| n.is_lowercase());
            if c.is_uppercase() && !word.is_empty() && (after_lower || before_lower) {
                words.push(std::mem::take(&mut word));
            }
            word.extend(c.to_lowercase());
        }
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted() {
        for list in [ACQUIRE, RELEASE, ADOPT] {
            assert!(list.is_sorted(), "{list:?}");
        }
    }

    #[test]
    fn splits_names() {
        assert_eq!(words("XCreateGC"), ["x", "create", "gc"]);
        assert_eq!(words("SSL_CTX_new"), ["ssl", "ctx", "new"]);
        assert_eq!(words("sqlite3_open_v2"), ["sqlite3", "open", "v2"]);
        assert_eq!(words("CFRelease"), ["cf", "release"]);
        assert_eq!(words("vkCreateInstance"), ["vk", "create", "instance"]);
    }

    #[test]
    fn pairs_what_has_one_stem() {
        let pairs = |a: &str, r: &str| Name::of(a).pairs_with(&Name::of(r));
        for (acquire, release) in [
            ("rd_kafka_topic_conf_new", "rd_kafka_topic_conf_destroy"),
            ("XCreateGC", "XFreeGC"),
            ("git_repository_open_ext", "git_repository_free"),
            ("SSL_CTX_new", "SSL_CTX_free"),
            ("wl_list_init", "wl_list_fini"),
            ("kvm_slot_alloc", "kvm_slot_free"),
            ("foo_ref", "foo_unref"),
        ] {
            assert!(pairs(acquire, release), "{acquire} {release}");
        }
        for (acquire, release) in [
            ("rd_kafka_new", "rd_kafka_topic_destroy"),
            ("XCreateGC", "XFreePixmap"),
            ("foo_get", "foo_free"),
            ("foo_unref", "foo_free"),
            ("open", "close"),
        ] {
            assert!(!pairs(acquire, release), "{acquire} {release}");
        }
    }

    #[test]
    fn tells_who_may_keep_its_argument() {
        assert!(Name::of("rd_kafka_conf_set_opaque").may_keep());
        assert!(Name::of("client_new").may_keep());
        assert!(!Name::of("client_name").may_keep());
        assert!(Name::of("kfree").releases() && Name::of("g_free").releases());
        assert!(!Name::of("enclosed").releases());
    }
}
