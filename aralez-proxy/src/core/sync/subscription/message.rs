//! The messages of the stream as plain values: the wire types stay in the adapter.

use std::time::Duration;

use aralez_proto::content::Content;
use aralez_proto::fault::Fault;
use aralez_proto::hash::Digest;
use aralez_proto::record::Change;
use aralez_proto::version::Version;

/// The protocol version of this release.
pub const PROTOCOL: u32 = 1;

/// A message from control.
#[derive(Clone, Debug)]
pub enum Message {
    /// The answer to `Hello`.
    Welcome(Welcome),
    /// Announces an update.
    Begin(Begin),
    /// A part of the announced update.
    UpdatePart(Part),
    /// The announced update is complete.
    Commit {
        /// The id of the update.
        update_id: u64,
    },
    /// A sign of life, with the version that this proxy should run.
    Heartbeat {
        /// `None` if control expects nothing.
        expected: Option<Version>,
    },
    /// Asks for the digest of the held snapshot.
    AskDigest {
        /// The id of the question.
        question: u64,
    },
    /// Asks for the details of some buckets of the held snapshot.
    AskDetail {
        /// The id of the question.
        question: u64,
        /// The indices of the buckets.
        buckets: Vec<usize>,
    },
    /// Asks this proxy to disconnect and to come back within the window.
    GoAway {
        /// The reason, for the operator.
        reason: String,
        /// Start of the window.
        retry_min: Duration,
        /// End of the window.
        retry_max: Duration,
    },
    /// A malformed message, with the reason.
    Broken(String),
}

/// The answer to `Hello`.
#[derive(Clone, Debug)]
pub struct Welcome {
    /// The cluster of this control.
    pub cluster: Vec<u8>,
    /// The protocol version that control chose.
    pub protocol: u32,
    /// The newest version that control has for this proxy.
    pub head: Option<Version>,
    /// Interval of control's heartbeats.
    pub heartbeat: Duration,
    /// Time that control waits for a report.
    pub ack_deadline: Duration,
}

/// The announcement of an update.
#[derive(Clone, Debug)]
pub struct Begin {
    /// The id of the update, which its report repeats.
    pub update_id: u64,
    /// The root that the delta starts from; `None` for a complete snapshot that replaces everything.
    pub from_root: Option<Digest>,
    /// The version that results.
    pub to: Version,
    /// Number of parts that follow.
    pub parts: u32,
    /// Upper bound for the payload bytes of all parts.
    pub bytes: u64,
}

/// A part of an update.
#[derive(Clone, Debug)]
pub struct Part {
    /// The id of the update.
    pub update_id: u64,
    /// Its changes.
    pub changes: Vec<Change>,
    /// Faults of items that this release cannot decode.
    pub faults: Vec<Fault>,
}

/// An assembled update, ready to be applied as one transaction.
#[derive(Clone, Debug)]
pub struct Update {
    /// The update replaces everything; otherwise it is a delta to the held snapshot.
    pub full: bool,
    /// The version that results.
    pub to: Version,
    /// The changes, in the order they were sent.
    pub changes: Vec<Change>,
}

/// The first message of the proxy; the adapter adds the identity of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The version that runs; `None` if there is none.
    pub held: Option<Version>,
    /// Contents that this proxy refuses to run, newest last.
    pub refused: Vec<ContentRefusal>,
    /// The cluster to which the proxy is pinned; empty before the first contact.
    pub cluster: Vec<u8>,
}

/// A content that this proxy refuses to run, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentRefusal {
    /// The content.
    pub content: Content,
    /// The reasons.
    pub faults: Vec<Fault>,
}

/// A report of the proxy: the result of an update, or its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The update was applied and serves.
    Ack {
        /// The id of the update.
        update_id: u64,
        /// The version that serves now.
        version: Version,
        /// Time from the assembled update to the swap of the table.
        took: Duration,
    },
    /// The update was refused; nothing changed.
    Nack {
        /// The id of the update.
        update_id: u64,
        /// The version that continues to serve.
        kept: Option<Version>,
        /// The root of the refused version.
        refused_root: Digest,
        /// All reasons.
        faults: Vec<Fault>,
    },
    /// The adapter fills in the counters.
    Status,
}
