//! What happens to a session, and what it wants done.

use std::sync::Arc;
use std::time::Duration;

use aralez_proto::fault::Fault;
use aralez_proto::hash::Digest;
use aralez_proto::record::{Delta, Held, Mark};
use aralez_proto::snapshot::SharedSnapshot;
use aralez_proto::version::Version;

use super::{Derivation, Recent};

/// What a node says of itself every heartbeat and on change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeStatus {
    /// What it runs; `None` where nothing.
    pub running: Option<Version>,
    /// Where that came from: `stream`, `cache` or `none`.
    pub origin: String,
    /// The newest version that is safe on its disk.
    pub persisted: Option<Version>,
    /// Requests served since it started.
    pub requests: u64,
    /// Answers of 500 and above since it started.
    pub responses_5xx: u64,
    /// What is wrong on the node, in words.
    pub troubles: Vec<String>,
}

/// What happens to a session.
#[derive(Clone, Debug)]
pub enum Event {
    /// The node applied an update.
    Ack {
        /// Which one.
        update_id: u64,
        /// What it runs now.
        version: Version,
    },
    /// The node refused an update.
    Nack {
        /// Which one.
        update_id: u64,
        /// What it goes on running.
        kept: Option<Version>,
        /// Why.
        faults: Vec<Fault>,
    },
    /// The node told the marks of its buckets.
    Digest {
        /// What it answers.
        question: u64,
        /// The marks, in order.
        marks: Vec<Mark>,
    },
    /// The node told what it holds in the buckets that it was asked for.
    Detail {
        /// What it answers.
        question: u64,
        /// The keys with their marks; `None`: more than it tells.
        held: Option<Vec<Held>>,
    },
    /// The node told how it is.
    Status(NodeStatus),
    /// There is a newer view.
    View(Arc<Recent>),
    /// The answer to [`Action::Recall`].
    Recalled(SharedSnapshot),
    /// The answer to [`Action::Derive`].
    Derived {
        /// The key of what was asked for.
        key: Digest,
        /// What came of it; `None`: there is nothing to give.
        made: Option<SharedSnapshot>,
    },
    /// The answer to [`Action::AskToTry`], where this node is the one that tries.
    Granted(Digest),
    /// Time went by.
    Tick,
    /// An operator wants refused content to be tried again.
    Retry,
    /// A newer stream of the same node took over.
    Superseded,
    /// Control is about to leave.
    Drain {
        /// When the node may come back, at the latest.
        within: Duration,
    },
}

/// What an update leads away from.
#[derive(Clone, Debug)]
pub enum Base {
    /// Nothing that is shared: everything is sent.
    Nothing,
    /// A snapshot that control has.
    Snapshot(SharedSnapshot),
    /// What the node told of its records: its version, and what turns it into the target.
    Told(Version, Arc<Delta>),
}

impl Base {
    /// The version that the node holds; `None`: whatever it holds.
    pub fn version(&self) -> Option<Version> {
        match self {
            Self::Nothing => None,
            Self::Snapshot(snapshot) => Some(snapshot.version()),
            Self::Told(version, _) => Some(*version),
        }
    }
}

/// An update to send: the whole of `to`, or what turns `from` into it. Equal roots: the new version alone.
#[derive(Clone, Debug)]
pub struct Update {
    /// Its number within the session.
    pub id: u64,
    /// What the node holds.
    pub from: Base,
    /// What it is to run.
    pub to: SharedSnapshot,
}

/// A farewell: why, and when to come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoAway {
    /// Why, for a person.
    pub reason: String,
    /// Come back no sooner.
    pub retry_min: Duration,
    /// Come back no later.
    pub retry_max: Duration,
}

/// Why control ends a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Closing {
    /// No answer to an update within the deadline.
    Stuck,
    /// Nothing heard for 2.5 heartbeats.
    Lost,
    /// The node acknowledged another root than it was sent.
    Drifted,
    /// A newer stream of the same node took over.
    Superseded,
    /// Control leaves.
    Drained,
}

impl Closing {
    /// For people and logs.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Stuck => "no answer to an update within the deadline",
            Self::Lost => "nothing heard for two and a half heartbeats",
            Self::Drifted => "acknowledged another root than it was sent",
            Self::Superseded => "a newer stream of the same node took over",
            Self::Drained => "control is leaving",
        }
    }
}

/// What a session wants done, in this order.
#[derive(Clone, Debug)]
pub enum Action {
    /// Send an update.
    Send(Update),
    /// Ask for the marks of all buckets.
    AskDigest {
        /// The number of the question.
        question: u64,
    },
    /// Ask what is in some buckets.
    AskDetail {
        /// The number of the question.
        question: u64,
        /// Which buckets, ascending.
        buckets: Vec<usize>,
    },
    /// May this node try this content, which is suspect there, once more? Answered by [`Event::Granted`], or not at all.
    AskToTry(Digest),
    /// Make the view of this version's revision again, with the endpoints of now. Where that cannot be done there is no answer.
    Recall(Version),
    /// Make this, which costs time. Equal keys need it once. The answer is [`Event::Derived`].
    Derive(Derivation),
    /// Send a heartbeat.
    Heartbeat {
        /// What the node should be running; `None`: whatever it runs.
        expected: Option<Version>,
        /// How many came before.
        count: u64,
    },
    /// Tell the fleet: the node refused this version.
    Refused {
        /// What it was sent.
        version: Version,
        /// Why it does not run it.
        faults: Arc<[Fault]>,
    },
    /// Say goodbye.
    GoAway(GoAway),
    /// End the stream.
    Close(Closing),
}
