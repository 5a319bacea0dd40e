//! What a lint says: one finding with its evidence. Levels, suppressions and rendering are decided elsewhere.

use crate::source::Span;

/// How much of the evidence was proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Worth knowing in a review; hidden by default.
    Low,
    /// One named assumption was needed; the notes print it.
    Medium,
    /// No possible excuse anywhere: all uses seen, no unknown on the way.
    High,
}

/// A secondary place that decides the finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What stands there, as a short lower-case phrase.
    pub message: String,
}

/// One finding. Built by [`Diagnostic::new`], so that none lacks its three parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The lint's name, which is also the stem of its page.
    pub lint: &'static str,
    /// How sure.
    pub confidence: Confidence,
    /// What was acquired and what is wrong with it: one sentence, lower case, no full stop.
    pub message: String,
    /// The acquire, insert or spawn: the tightest span.
    pub span: Span,
    /// Short text under the primary span.
    pub primary: String,
    /// Path of the enclosing function in its crate, else `Type::field`, `STATIC` or `Type`.
    pub item: String,
    /// Other places that decide: declaration, loop, exit. In the order of the way from acquire to exit.
    pub labels: Vec<Label>,
    /// How the code comes to the primary place: from what repeats it over calls down to there.
    pub way: Vec<Label>,
    /// What was looked for and not found; the first note.
    pub looked_for: String,
    /// Further notes: each assumption that was made.
    pub notes: Vec<String>,
    /// What to do, naming the remedy of the field.
    pub help: String,
    /// Edits that would mend it.
    pub suggestions: Vec<Suggestion>,
}

/// Whether an edit may be applied without a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Applicability {
    /// Keeps the meaning and compiles.
    MachineApplicable,
    /// Likely right; a person looks first.
    MaybeIncorrect,
}

/// A proposed change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// What the change does.
    pub message: String,
    /// How safe it is.
    pub applicability: Applicability,
    /// Replacements, none overlapping.
    pub edits: Vec<(Span, String)>,
}

impl Diagnostic {
    /// A finding at `span`: what was acquired, what was looked for and not found, what to do.
    pub fn new(
        lint: &'static str,
        confidence: Confidence,
        span: Span,
        item: String,
        message: String,
        looked_for: String,
        help: String,
    ) -> Diagnostic {
        Diagnostic {
            lint,
            confidence,
            message,
            span,
            primary: String::new(),
            item,
            labels: Vec::new(),
            way: Vec::new(),
            looked_for,
            notes: Vec::new(),
            help,
            suggestions: Vec::new(),
        }
    }

    /// The same with a text under the primary span.
    pub fn primary(mut self, text: impl Into<String>) -> Diagnostic {
        self.primary = text.into();
        self
    }

    /// The same with one more label.
    pub fn label(mut self, span: Span, message: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { span, message: message.into() });
        self
    }

    /// The same with the way to the primary place.
    pub fn way(mut self, steps: Vec<Label>) -> Diagnostic {
        self.way = steps;
        self
    }

    /// All secondary places: those that decide, and those on the way.
    pub fn secondary(&self) -> impl Iterator<Item = &Label> {
        self.labels.iter().chain(&self.way)
    }

    /// The same with one more note.
    pub fn note(mut self, text: impl Into<String>) -> Diagnostic {
        self.notes.push(text.into());
        self
    }
}
