//! What travels on the stream, in plain values: the wire types stay in the adapter.

use std::time::Duration;

use aralez_proto::content::Content;
use aralez_proto::fault::Fault;
use aralez_proto::hash::Digest;
use aralez_proto::record::Change;
use aralez_proto::version::Version;

/// The protocol that this release speaks.
pub const PROTOCOL: u32 = 1;

/// What control says.
#[derive(Clone, Debug)]
pub enum Message {
    /// The answer to `Hello`.
    Welcome(Welcome),
    /// An update is announced.
    Begin(Begin),
    /// A part of the announced update.
    UpdatePart(Part),
    /// The announced update is complete.
    Commit {
        /// Which update.
        update_id: u64,
    },
    /// A sign of life with what this proxy should be running.
    Heartbeat {
        /// `None` where control expects nothing.
        expected: Option<Version>,
    },
    /// What does this proxy hold?
    AskDigest {
        /// The number of the question.
        question: u64,
    },
    /// What does it hold in these buckets?
    AskDetail {
        /// The number of the question.
        question: u64,
        /// Which buckets.
        buckets: Vec<usize>,
    },
    /// Leave, and come back within the window.
    GoAway {
        /// Why, for a person.
        reason: String,
        /// Not before.
        retry_min: Duration,
        /// Not after.
        retry_max: Duration,
    },
    /// A message that cannot be what it says.
    Broken(String),
}

/// The answer to `Hello`.
#[derive(Clone, Debug)]
pub struct Welcome {
    /// Which cluster answers.
    pub cluster: Vec<u8>,
    /// The protocol that control chose.
    pub protocol: u32,
    /// Control's newest version for this proxy.
    pub head: Option<Version>,
    /// How often control gives a sign of life.
    pub heartbeat: Duration,
    /// How long control waits for a report.
    pub ack_deadline: Duration,
}

/// An update is announced.
#[derive(Clone, Debug)]
pub struct Begin {
    /// Which update; named in its report.
    pub update_id: u64,
    /// What it leads away from; `None`: it is complete and replaces everything.
    pub from_root: Option<Digest>,
    /// What it leads to.
    pub to: Version,
    /// How many parts follow.
    pub parts: u32,
    /// What the payloads in all parts come to at most.
    pub bytes: u64,
}

/// A part of an update.
#[derive(Clone, Debug)]
pub struct Part {
    /// Which update.
    pub update_id: u64,
    /// Its changes.
    pub changes: Vec<Change>,
    /// Items that this release cannot even name.
    pub faults: Vec<Fault>,
}

/// An assembled update, ready to be applied as one transaction.
#[derive(Clone, Debug)]
pub struct Update {
    /// It replaces everything; else it is a delta from what is held.
    pub full: bool,
    /// What it leads to.
    pub to: Version,
    /// The changes, in the order sent.
    pub changes: Vec<Change>,
}

/// What the proxy says first; the adapter adds who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// What runs; `None`: nothing.
    pub held: Option<Version>,
    /// Contents that this proxy will not run, newest last.
    pub refused: Vec<ContentRefusal>,
    /// The cluster that the proxy is pinned to; empty before the first contact.
    pub cluster: Vec<u8>,
}

/// A content that this proxy will not run, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentRefusal {
    /// Which content.
    pub content: Content,
    /// Why.
    pub faults: Vec<Fault>,
}

/// What the proxy answers to an update, and what it tells of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The update serves.
    Ack {
        /// Which update.
        update_id: u64,
        /// What serves now.
        version: Version,
        /// How long it took from assembled to swapped.
        took: Duration,
    },
    /// The update does not serve; everything is as it was.
    Nack {
        /// Which update.
        update_id: u64,
        /// What goes on serving.
        kept: Option<Version>,
        /// What was refused.
        refused_root: Digest,
        /// Every reason.
        faults: Vec<Fault>,
    },
    /// The adapter fills in the counters.
    Status,
}
