//! The events that a session handles, and the actions that it returns.

use std::sync::Arc;
use std::time::Duration;

use aralez_proto::fault::Fault;
use aralez_proto::hash::Digest;
use aralez_proto::record::{Delta, Held, Mark};
use aralez_proto::snapshot::SharedSnapshot;
use aralez_proto::version::Version;

use super::{Derivation, Recent};

/// A node's status, sent with every heartbeat and on change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeStatus {
    /// The version that it runs; `None` if it runs nothing.
    pub running: Option<Version>,
    /// Origin of that version: `stream`, `cache` or `none`.
    pub origin: String,
    /// The newest version that is durable on its disk.
    pub persisted: Option<Version>,
    /// Requests served since it started.
    pub requests: u64,
    /// Responses with status 500 and above since it started.
    pub responses_5xx: u64,
    /// Troubles of the node, for operators.
    pub troubles: Vec<String>,
}

/// An event of a session.
#[derive(Clone, Debug)]
pub enum Event {
    /// The node applied an update.
    Ack {
        /// The update.
        update_id: u64,
        /// The version that it runs now.
        version: Version,
    },
    /// The node refused an update.
    Nack {
        /// The update.
        update_id: u64,
        /// The version that it keeps running.
        kept: Option<Version>,
        /// The reasons.
        faults: Vec<Fault>,
    },
    /// The node sent the marks of its buckets.
    Digest {
        /// The question that it answers.
        question: u64,
        /// The marks, in order.
        marks: Vec<Mark>,
    },
    /// The node sent the contents of the buckets that it was asked for.
    Detail {
        /// The question that it answers.
        question: u64,
        /// The keys with their marks; `None` if there are more than it sends.
        held: Option<Vec<Held>>,
    },
    /// The node sent its status.
    Status(NodeStatus),
    /// There is a newer view.
    View(Arc<Recent>),
    /// The answer to [`Action::Recall`].
    Recalled(SharedSnapshot),
    /// The answer to [`Action::Derive`].
    Derived {
        /// The key of the requested derivation.
        key: Digest,
        /// The derived snapshot; `None` if there is nothing to send.
        made: Option<SharedSnapshot>,
    },
    /// The answer to [`Action::AskToTry`]: this node may try the content.
    Granted(Digest),
    /// Time has passed.
    Tick,
    /// An operator requests that refused content is tried again.
    Retry,
    /// A newer stream of the same node took over.
    Superseded,
    /// Control is shutting down.
    Drain {
        /// Maximum delay before the node reconnects.
        within: Duration,
    },
}

/// The base of an update.
#[derive(Clone, Debug)]
pub enum Base {
    /// No shared base: everything is sent.
    Nothing,
    /// A snapshot that control has.
    Snapshot(SharedSnapshot),
    /// The version that the node reported, and the delta from its reported records to the target.
    Reported(Version, Arc<Delta>),
}

impl Base {
    /// Returns the version that the node must hold; `None` if it may hold any.
    pub fn version(&self) -> Option<Version> {
        match self {
            Self::Nothing => None,
            Self::Snapshot(snapshot) => Some(snapshot.version()),
            Self::Reported(version, _) => Some(*version),
        }
    }
}

/// An update to send: all of `to`, or the delta from `from` to it. If the roots are equal, the new version alone.
#[derive(Clone, Debug)]
pub struct Update {
    /// Its number within the session.
    pub id: u64,
    /// The base, which the node holds.
    pub from: Base,
    /// The snapshot that the node is to run.
    pub to: SharedSnapshot,
}

/// The message before control closes a stream: the reason, and when to reconnect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoAway {
    /// The reason, for operators.
    pub reason: String,
    /// Minimum delay before reconnecting.
    pub retry_min: Duration,
    /// Maximum delay before reconnecting.
    pub retry_max: Duration,
}

/// Reason why control closes a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Closing {
    /// No answer to an update within the deadline.
    Stuck,
    /// No message for 2.5 heartbeats.
    Lost,
    /// The node acknowledged a root other than the one that it was sent.
    Drifted,
    /// A newer stream of the same node took over.
    Superseded,
    /// Control shuts down.
    Drained,
}

impl Closing {
    /// Returns the reason, for operators and logs.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Stuck => "no answer to an update within the deadline",
            Self::Lost => "no message for 2.5 heartbeat intervals",
            Self::Drifted => "root mismatch: the node acknowledged a root other than the one sent",
            Self::Superseded => "a newer stream of the same node took over",
            Self::Drained => "control is shutting down",
        }
    }
}

/// An action that a session requests; actions are performed in order.
#[derive(Clone, Debug)]
pub enum Action {
    /// Send an update.
    Send(Update),
    /// Ask for the marks of all buckets.
    AskDigest {
        /// The number of the question.
        question: u64,
    },
    /// Ask for the contents of some buckets.
    AskDetail {
        /// The number of the question.
        question: u64,
        /// The buckets, ascending.
        buckets: Vec<usize>,
    },
    /// Ask whether this node may try this content, which is suspect there, once more. The answer is [`Event::Granted`], or none.
    AskToTry(Digest),
    /// Rebuild the view of this version's revision, with the current endpoints. The answer is [`Event::Recalled`], or none if that is
    /// impossible.
    Recall(Version),
    /// Compute this derivation, which is expensive; equal keys need it only once. The answer is [`Event::Derived`].
    Derive(Derivation),
    /// Send a heartbeat.
    Heartbeat {
        /// The version that the node should run; `None` if it may run any.
        expected: Option<Version>,
        /// Number of earlier heartbeats.
        count: u64,
    },
    /// Report to the fleet that the node refused this version.
    Refused {
        /// The version that it was sent.
        version: Version,
        /// The reasons.
        faults: Arc<[Fault]>,
    },
    /// Send the reason for closing, and when to reconnect.
    GoAway(GoAway),
    /// Close the stream.
    Close(Closing),
}
