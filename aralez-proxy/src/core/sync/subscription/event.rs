//! The events that a subscription processes, and the actions that it returns.

use std::time::{Duration, Instant};

use aralez_proto::fault::Faults;
use aralez_proto::hash::Digest;
use aralez_proto::version::Version;

use crate::core::sync::subscription::{Hello, Message, Report, Update};

/// The time of an event, and a random number in `0.0..=1.0` for everything that is drawn because of it.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// A monotonic time.
    pub now: Instant,
    /// Drawn for each event.
    pub random: f64,
}

/// Input of the state machine.
#[derive(Clone, Debug)]
pub enum Event {
    /// The process has started, and the cache is loaded.
    Start,
    /// The dialled server accepted the stream.
    Connected,
    /// The dialled server could not be reached.
    ConnectFailed,
    /// A probe reached the server at this position of the list.
    Probed(usize),
    /// A message from control.
    Received(Message),
    /// The update from [`Action::Apply`], or the content from [`Action::Try`], serves.
    Applied {
        /// The version that serves now.
        version: Version,
        /// The time that it took.
        took: Duration,
    },
    /// It was refused; nothing changed.
    Refused {
        /// The refused version.
        version: Version,
        /// The reasons.
        faults: Faults,
    },
    /// The suspect content of [`Action::Try`] was not tried; nothing changed.
    Untried,
    /// The stream was closed or broke, or the connection did before there was a stream.
    StreamLost,
    /// Time passed.
    Tick,
    /// A value that `Status` reports has changed.
    StatusChanged,
    /// The process shuts down.
    Shutdown,
}

/// Output of the state machine.
#[derive(Clone, Debug)]
pub enum Action {
    /// Dial a server of the list after a pause. Replaces an earlier dial that has not happened yet.
    Dial {
        /// The position of the server in the list.
        server: usize,
        /// The pause.
        after: Duration,
    },
    /// Test whether a server can be reached: connect, close immediately, and report success as [`Event::Probed`]. Results after the next
    /// [`Action::Dial`] are not wanted.
    Probe {
        /// The position of the server in the list.
        server: usize,
    },
    /// Send `Hello` on the stream that was just opened.
    Greet(Hello),
    /// Store this cluster id permanently: other clusters are refused from now on.
    Pin(Vec<u8>),
    /// The held content has a newer version. Cannot fail, and no event follows.
    Rename(Version),
    /// Apply an update and report the result. Nothing else is applied until then.
    Apply(Update),
    /// Apply this suspect content from the cache and report the result. Nothing else is applied until then.
    Try(Digest),
    /// Send the digest of the held snapshot: the start of each bucket's hash.
    TellDigest {
        /// The id of the question.
        question: u64,
    },
    /// Send the details of some buckets of the held snapshot.
    TellDetail {
        /// The id of the question.
        question: u64,
        /// The indices of the buckets.
        buckets: Vec<usize>,
    },
    /// Send a report.
    Send(Report),
    /// Close the stream after everything sent so far. The reason is for the operator.
    Close(String),
    /// Close the stream: the proxy is shutting down.
    Leave,
}
