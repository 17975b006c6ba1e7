//! Exit codes, stable for scripts.

use std::process::ExitCode;

/// Result of a command, as its exit code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Refused by validation or by control.
    Refused = 1,
    /// Wrong usage.
    Usage = 2,
    /// Refused by a node.
    NodeRefused = 3,
    /// Not proven in time.
    Unproven = 4,
    /// Control could not be reached.
    Unreached = 5,
}

impl Exit {
    /// Returns the stable name used in JSON and YAML output.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Usage => "usage",
            Self::NodeRefused => "refused by a node",
            Self::Unproven => "unproven",
            Self::Unreached => "unreached",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Reason why a command failed, as text for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) exit: Exit,
    /// Text for standard error; empty if everything is already printed.
    pub(crate) words: String,
    /// Whether data is already printed. If not, programs get the failure as data.
    pub(crate) printed: bool,
}

impl Failure {
    /// Creates a failure with a text.
    pub(crate) fn new(exit: Exit, words: impl Into<String>) -> Self {
        Self {
            exit,
            words: words.into(),
            printed: false,
        }
    }

    /// Marks the failure as one of a command that has printed its data.
    pub(crate) fn printed(self) -> Self {
        Self {
            printed: true,
            ..self
        }
    }

    /// Refused by validation, by control, or by this machine.
    pub(crate) fn refused(words: impl Into<String>) -> Self {
        Self::new(Exit::Refused, words)
    }
}
