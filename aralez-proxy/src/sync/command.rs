//! Commands from the stream to the applier, and the events it returns.

use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use aralez_proto::fault::Faults;
use aralez_proto::hash::Digest;
use aralez_proto::version::Version;

use crate::core::sync::subscription::Update;

/// A command to the applier.
#[derive(Debug)]
pub enum Command {
    /// Make this update the live table. Answered by [`ApplierEvent::Applied`] or [`ApplierEvent::Refused`].
    Apply(Update),
    /// Give the live snapshot a newer version. Not answered.
    Rename(Version),
    /// Remember this cluster permanently. Not answered.
    Pin(Vec<u8>),
    /// Write everything as at an exit, then pause.
    Pause(PauseCommand),
    /// Make this suspect content from the cache the live table, unless that would be a step back from the running version. Answered by
    /// [`ApplierEvent::Applied`] or [`ApplierEvent::Untried`].
    Try(Digest),
    /// The process exits cleanly.
    Leave,
}

/// A pause of the writes, while a successor reads the state.
#[derive(Debug)]
pub struct PauseCommand {
    /// Signalled when everything is written.
    pub(super) written: Sender<()>,
    /// `true`: the successor writes from now on. `false` or dropped: this process continues.
    pub(super) given: Receiver<bool>,
}

/// An event of the applier.
#[derive(Debug)]
pub enum ApplierEvent {
    /// An update is live.
    Applied {
        /// The running version.
        version: Version,
        /// Time it took.
        took: Duration,
    },
    /// An update was refused; nothing changed.
    Refused {
        /// The refused version.
        version: Version,
        /// All faults.
        faults: Faults,
    },
    /// A suspect content was not tried; nothing changed.
    Untried,
    /// The cache was written, or could not be.
    Memory {
        /// The newest version that is safe on disk.
        persisted: Option<Version>,
        /// Problems as text for an operator.
        troubles: Vec<String>,
    },
}

/// The applier, as the driver uses it: in a proxy, a separate thread. It receives one update at a time, and answers over the driver's event
/// channel.
pub trait Applies: Send {
    /// Queues a command; must not block.
    fn order(&mut self, job: Command);
}

impl Applies for Sender<Command> {
    /// The applier outlives the stream. If it is gone, nothing can be applied, and its closed event channel also ends the stream.
    fn order(&mut self, job: Command) {
        let _ = self.send(job);
    }
}
