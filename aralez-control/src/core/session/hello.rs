//! The start of a session: the node's Hello, the checks, and the first actions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aralez_proto::content::Content;
use aralez_proto::fault::Fault;
use aralez_proto::model::{GroupName, NodeName};
use aralez_proto::snapshot::{Limits, SharedSnapshot};
use aralez_proto::version::Version;
use bytes::Bytes;

use crate::core::store::{ClusterId, cluster_text};

use super::{
    Action, Base, Deriving, GoAway, NodeMemory, OwnView, PROTOCOL, Pace, Recent, Refusal, Session,
};

/// Random id of one process start of a proxy.
pub type BootId = Bytes;

/// A content that a node refuses.
#[derive(Clone, Debug)]
pub struct RefusedContent {
    /// The content.
    pub content: Content,
    /// The reasons.
    pub faults: Arc<[Fault]>,
}

impl PartialEq for RefusedContent {
    fn eq(&self, other: &Self) -> bool {
        // Compared after every message of a node. There may be a thousand faults, but both sides nearly always share one allocation.
        self.content == other.content
            && (Arc::ptr_eq(&self.faults, &other.faults) || self.faults == other.faults)
    }
}

impl Eq for RefusedContent {}

/// A proxy's Hello.
#[derive(Clone, Debug)]
pub struct Hello {
    /// The lowest protocol version that it speaks.
    pub protocol_min: u32,
    /// The highest protocol version that it speaks.
    pub protocol_max: u32,
    /// Its name.
    pub node: NodeName,
    /// Its group.
    pub group: GroupName,
    /// Its release.
    pub proxy_version: String,
    /// The features it knows.
    pub features: Vec<u32>,
    /// Its limits for a snapshot.
    pub limits: Limits,
    /// The version that it holds; `None` if it holds nothing.
    pub held: Option<Version>,
    /// Its boot id.
    pub boot: BootId,
    /// The boot id of its predecessor; empty for the first process.
    pub replaces: BootId,
    /// The contents that it refuses, newest last.
    pub refused: Vec<RefusedContent>,
    /// The cluster it is pinned to; empty before the first contact.
    pub cluster: Bytes,
    /// Set if it can be asked what it holds.
    pub repairs: bool,
}

/// The way in which a session continues from what the node holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resume {
    /// It holds what it should.
    UpToDate,
    /// It receives a delta.
    Delta,
    /// It receives everything.
    Full,
    /// It is asked what it holds.
    Repair,
}

/// A session that was admitted.
#[derive(Debug)]
pub struct OpenedSession {
    /// The session.
    pub session: Session,
    /// The way in which the session continues, for the welcome message.
    pub resume: Resume,
    /// The version that the node should run; `None` if it may run any.
    pub expected: Option<Version>,
    /// The actions after the welcome message.
    pub actions: Vec<Action>,
}

/// A proxy that was turned away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnedAway {
    /// The message that it is sent.
    pub go_away: GoAway,
    /// The version that it holds, if that is newer than every version here; `None` if the proxy belongs to another cluster or speaks
    /// another protocol.
    pub ahead: Option<Box<Version>>,
}

impl TurnedAway {
    fn new(reason: String, ahead: Option<Version>) -> Self {
        Self {
            go_away: GoAway {
                reason,
                retry_min: Duration::from_secs(10),
                retry_max: Duration::from_secs(30),
            },
            ahead: ahead.map(Box::new),
        }
    }
}

impl Hello {
    /// Checks whether this proxy belongs here at all, whatever it holds.
    ///
    /// # Errors
    /// If its protocol or cluster is another one. It then has no claim to its node's name.
    fn belongs(&self, cluster: &ClusterId) -> Result<(), TurnedAway> {
        if !(self.protocol_min..=self.protocol_max).contains(&PROTOCOL) {
            let reason = format!(
                "unsupported protocol version: control speaks {PROTOCOL}, the proxy {} to {}",
                self.protocol_min, self.protocol_max
            );
            return Err(TurnedAway::new(reason, None));
        }
        if !self.cluster.is_empty() && self.cluster != cluster.as_slice() {
            let own = cluster_text(cluster);
            let reason = format!(
                "cluster mismatch: the proxy is pinned to another cluster; if the move to this one is intended, stop the proxy, run \
                 `aralez-proxy -c main.yaml --accept-cluster {own}`, and start it again"
            );
            return Err(TurnedAway::new(reason, None));
        }
        Ok(())
    }

    /// Reports whether it holds a newer version than `head`, the newest here. Revision 0 means that control has no head yet or cannot read
    /// it: then only a higher generation is newer.
    pub fn is_ahead_of(&self, head: Version) -> bool {
        self.held.is_some_and(|held| match head.revision {
            0 => held.generation > head.generation,
            _ => head.goes_back_from(&held),
        })
    }

    /// Checks whether this proxy can follow this control: it belongs here and holds nothing newer than `head`.
    ///
    /// # Errors
    /// If it cannot. It then has no claim to its node's name, which another proxy that can follow may take.
    pub fn can_follow(&self, cluster: &ClusterId, head: Version) -> Result<(), TurnedAway> {
        check(self, cluster, head)
    }
}

impl Session {
    /// Opens a session. `memory` is what was remembered of the node's last stream.
    ///
    /// # Errors
    /// If its protocol or cluster is another one, or it holds a newer version than every version here.
    pub fn open(
        hello: Hello,
        cluster: &ClusterId,
        memory: Option<NodeMemory>,
        recent: Arc<Recent>,
        pace: Pace,
        now: Instant,
    ) -> Result<OpenedSession, TurnedAway> {
        let head = recent.newest().version();
        check(&hello, cluster, head)?;
        // A node with another release, other features or other limits may accept what it refused before.
        let memory = memory.filter(|memory| {
            memory.proxy_version == hello.proxy_version
                && memory.features == hello.features
                && memory.limits == hello.limits
        });
        let (refusals, remembered) = memory
            .map(|memory| (memory.refusals, memory.may_run))
            .unwrap_or_default();
        let base = hello
            .held
            .and_then(|held| base_of(held, &recent, remembered));
        let mut session = Self {
            pace,
            proxy_version: hello.proxy_version,
            features: hello.features,
            limits: hello.limits,
            recent,
            running: hello.held,
            base,
            own: OwnView::default(),
            deriving: Deriving::default(),
            whole: false,
            in_flight: None,
            question: None,
            asks: hello.repairs,
            questions: 0,
            refusals,
            updates: 0,
            beats: 0,
            last_beat: now,
            last_heard: now,
            next_ask: now + pace.retry_suspects,
            closed: false,
        };
        for refused in hello.refused {
            let of_resources = refused.faults.iter().any(|fault| fault.resource.is_some());
            let refusal = match session.recent.of_content(refused.content) {
                Some(snapshot) => Refusal::of(&snapshot, refused.faults, &session.limits),
                // The remembered refusal knows the faulted records, which the node does not send.
                None if of_resources && session.refusals.has(refused.content) => continue,
                None => Refusal::of_unknown(refused.content, refused.faults),
            };
            session.refusals.remember(refusal);
        }
        let actions = session.advance(now);
        let resume = match actions.first() {
            Some(Action::AskDigest { .. }) => Resume::Repair,
            Some(Action::Send(update)) if matches!(update.from, Base::Nothing) => Resume::Full,
            Some(Action::Send(_)) => Resume::Delta,
            _ => Resume::UpToDate,
        };
        Ok(OpenedSession {
            expected: session.expected(),
            session,
            resume,
            actions,
        })
    }
}

/// Returns the snapshot that a node holds, with the version that the node reported; `None` if control does not have its records.
pub(super) fn base_of(
    held: Version,
    recent: &Recent,
    remembered: Vec<SharedSnapshot>,
) -> Option<SharedSnapshot> {
    let snapshot = recent.find(held.root).or_else(|| {
        let mut remembered = remembered.into_iter();
        remembered.find(|snapshot| snapshot.version().root == held.root)
    })?;
    if snapshot.version().order(&held).is_eq() {
        return Some(snapshot);
    }
    Some(Arc::new(snapshot.renamed(held)))
}

fn check(hello: &Hello, cluster: &ClusterId, head: Version) -> Result<(), TurnedAway> {
    hello.belongs(cluster)?;
    match hello.held {
        Some(held) if hello.is_ahead_of(head) => {
            let reason = format!(
                "the proxy has version {}.{}, newer than {}.{}, the head of this control",
                held.generation, held.revision, head.generation, head.revision
            );
            Err(TurnedAway::new(reason, Some(held)))
        }
        _ => Ok(()),
    }
}
