//! What did not come as a case says, for a person who has only this text.

use std::fmt;

/// A case that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The case.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// Where it stands.
    pub place: String,
    /// The rule that it is about.
    pub rule: String,
    /// How it was sent.
    pub variant: String,
    /// What differs.
    pub problems: Vec<String>,
}

/// All that failed, of how many.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Cases that were run.
    pub cases: usize,
    /// Those that failed.
    pub failures: Vec<Failure>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} of {} cases failed", self.failures.len(), self.cases)?;
        for failure in &self.failures {
            writeln!(f, "\n{failure}")?;
        }
        let ids: Vec<_> = self
            .failures
            .iter()
            .map(|failure| failure.id.as_str())
            .collect();
        write!(f, "\nin short: {}", ids.join(" "))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            title,
            place,
            rule,
            variant,
            problems,
        } = self;
        write!(f, "{id}: {title} ({place}; {rule}), sent {variant}:")?;
        for problem in problems {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}
