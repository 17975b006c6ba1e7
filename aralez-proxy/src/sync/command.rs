//! What the stream asks of whoever applies, and what it is told of it.

use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use aralez_proto::fault::Faults;
use aralez_proto::hash::Digest;
use aralez_proto::version::Version;

use crate::core::sync::subscription::Update;

/// What is to be done.
#[derive(Debug)]
pub enum Command {
    /// Make this update the live table. Answered by [`ApplierEvent::Applied`] or [`ApplierEvent::Refused`].
    Apply(Update),
    /// What is live has a newer name. Not answered.
    Rename(Version),
    /// Remember this cluster for good. Not answered.
    Pin(Vec<u8>),
    /// Write everything down as at an end, then wait.
    Pause(PauseCommand),
    /// Make this suspect content from the memory the live table, where it is newer than what serves. Answered by [`ApplierEvent::Applied`] or
    /// [`ApplierEvent::Untried`].
    Try(Digest),
    /// The process ends as it should.
    Leave,
}

/// A pause of the writes, while a successor reads what was written.
#[derive(Debug)]
pub struct PauseCommand {
    /// Told when everything is written.
    pub(super) written: Sender<()>,
    /// True: the successor writes from here on. False, or gone: this process goes on.
    pub(super) given: Receiver<bool>,
}

/// What was done.
#[derive(Debug)]
pub enum ApplierEvent {
    /// An update is live.
    Applied {
        /// What serves now.
        version: Version,
        /// How long it took.
        took: Duration,
    },
    /// An update is not; nothing changed.
    Refused {
        /// The version that is not run.
        version: Version,
        /// Every reason.
        faults: Faults,
    },
    /// A suspect content was not tried; nothing changed.
    Untried,
    /// The memory wrote, or could not.
    Memory {
        /// The newest version that is safe.
        persisted: Option<Version>,
        /// What is wrong, in words.
        troubles: Vec<String>,
    },
}

/// Who applies: a thread beside the stream in a proxy. It is asked for one update at a time, and answers over the driver's news.
pub trait Applies: Send {
    /// Takes a job; it must not wait.
    fn order(&mut self, job: Command);
}

impl Applies for Sender<Command> {
    /// The worker outlives the stream; without it nothing can be applied, and the end of its news ends the stream too.
    fn order(&mut self, job: Command) {
        let _ = self.send(job);
    }
}
