//! Exit codes: a contract that scripts hang on (design section 13).

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Refused by validation or by control.
    Refused = 1,
    /// Called wrongly.
    Usage = 2,
    /// Refused by a node.
    NodeRefused = 3,
    /// Not proven in time.
    Unproven = 4,
    /// Control was not reached.
    Unreached = 5,
}

impl Exit {
    /// The stable name in data.
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

/// Why a command did not do what it was asked, in people's words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Failure {
    /// The code.
    pub(crate) exit: Exit,
    /// The words for standard error; may be empty where everything was said.
    pub(crate) words: String,
    /// Whether data was printed already: otherwise programs are given the failure as data.
    pub(crate) printed: bool,
}

impl Failure {
    /// A failure with its words.
    pub(crate) fn new(exit: Exit, words: impl Into<String>) -> Self {
        Self {
            exit,
            words: words.into(),
            printed: false,
        }
    }

    /// This failure, of a command that printed its data before.
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
