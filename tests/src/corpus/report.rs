//! The report on failed cases. Its text must be sufficient to find the fault.

use std::fmt;

/// A case that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The id of the case.
    pub id: String,
    /// The title of the case.
    pub title: String,
    /// The case as `FILE:LINE`.
    pub place: String,
    /// The rule under test.
    pub rule: String,
    /// The variant in which it was sent.
    pub variant: String,
    /// The differences.
    pub problems: Vec<String>,
}

/// The failed cases, and the number of all cases.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Number of cases that were run.
    pub cases: usize,
    /// The cases that failed.
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
        write!(f, "\nfailed: {}", ids.join(" "))
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
