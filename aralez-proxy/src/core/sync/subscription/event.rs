//! What happens to a subscription, and what it wants done.

use std::time::{Duration, Instant};

use aralez_proto::fault::Faults;
use aralez_proto::hash::Digest;
use aralez_proto::version::Version;

use crate::core::sync::subscription::{Hello, Message, Report, Update};

/// When an event happened, and a fresh random number in `0.0..=1.0` for what is drawn because of it.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// A monotonic clock.
    pub now: Instant,
    /// Drawn anew for each event.
    pub random: f64,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The process is up; what was loaded from the cache is known.
    Start,
    /// The server that was dialled took the stream.
    Connected,
    /// It cannot be reached.
    ConnectFailed,
    /// A probe reached this server of the list.
    Probed(usize),
    /// Control said something.
    Received(Message),
    /// The update that was to be applied serves.
    Applied {
        /// What serves now.
        version: Version,
        /// How long it took.
        took: Duration,
    },
    /// It does not; nothing changed.
    Refused {
        /// What was refused.
        version: Version,
        /// Why.
        faults: Faults,
    },
    /// The suspect content that was to be tried was not; nothing changed.
    Untried,
    /// The stream ended or broke, or the connection did before there was one.
    StreamLost,
    /// Time passed.
    Tick,
    /// Something that `Status` tells has changed.
    StatusChanged,
    /// The process ends.
    Shutdown,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Action {
    /// Dial a server of the list after a pause, instead of what was to be dialled before.
    Dial {
        /// Its position in the list.
        server: usize,
        /// The pause.
        after: Duration,
    },
    /// See whether a server can be reached: connect to it, close at once, and tell where that succeeded. What was not told by the next
    /// [`Action::Dial`] is not wanted any more.
    Probe {
        /// Its position in the list.
        server: usize,
    },
    /// Say hello on the stream that was just taken.
    Greet(Hello),
    /// Remember this cluster for good: others are refused from now on.
    Pin(Vec<u8>),
    /// What is held has a newer name now: the content is the same. Cannot fail, and is not answered.
    Rename(Version),
    /// Apply an update and tell how it went. Nothing else is applied meanwhile.
    Apply(Update),
    /// Apply this suspect content from the memory and tell how it went. Nothing else is applied meanwhile.
    Try(Digest),
    /// Tell the marks of the buckets of what is held.
    TellDigest {
        /// What is answered.
        question: u64,
    },
    /// Tell what is held in some buckets.
    TellDetail {
        /// What is answered.
        question: u64,
        /// Which buckets.
        buckets: Vec<usize>,
    },
    /// Send a report.
    Send(Report),
    /// Let go of the stream after what was sent. Says why, for a person.
    Close(String),
}
