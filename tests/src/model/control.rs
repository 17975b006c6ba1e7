//! A control: its ledger, views, fleet and streams, built from the product's own sessions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use aralez_control::core::claim::Claims;
use aralez_control::core::fleet::Fleet;
use aralez_control::core::node::StreamId;
use aralez_control::core::session::{BootId, Recent, Session};
use aralez_control::core::touched::TouchedGroups;
use aralez_control::stream::outbox::{Outbox, PartsCache};
use aralez_proto::hash::Digest;
use aralez_proto::record::RecordKey;
use aralez_proto::snapshot::{Limits, SharedSnapshot, Snapshot};
use aralez_proto::version::Version;

use super::content::Content;

/// The durable state.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// The generation of the history.
    pub generation: u64,
    /// The revision of the newest commit.
    pub revision: u64,
    /// The content of the newest commit, with the endpoints that are known.
    pub content: Content,
    /// The content of each commit.
    pub history: BTreeMap<u64, Content>,
}

impl Ledger {
    /// Returns a history that begins with this content.
    pub fn new(generation: u64, revision: u64, content: Content) -> Self {
        let mut ledger = Self {
            generation,
            revision,
            content,
            history: BTreeMap::new(),
        };
        ledger.note();
        ledger
    }

    /// Records the current content under the current revision.
    pub fn note(&mut self) {
        self.history.insert(self.revision, self.content.clone());
    }

    /// Returns the content of a commit; if a source discovers endpoints, with the current ones.
    fn at(&self, revision: u64, discovers: bool) -> Option<Content> {
        let mut content = self.history.get(&revision)?.clone();
        for (name, host) in content.hosts.iter_mut().filter(|_| discovers) {
            if let Some(now) = self.content.hosts.get(name) {
                host.ports.clone_from(&now.ports);
            }
        }
        Some(content)
    }
}

/// A stream that control serves.
#[derive(Debug)]
pub struct Serving {
    /// The node that opened it.
    pub node: usize,
    /// Its number among the streams of this control.
    pub id: StreamId,
    /// The session.
    pub session: Session,
    /// The messages that wait to be sent.
    pub outbox: Outbox,
    /// Control knows the content that the node holds.
    pub is_known: bool,
    /// The update or question that the node has not answered yet.
    pub open: Option<Open>,
    /// The time at which the node sent the message that was received last.
    pub heard: Duration,
    /// The time of the planned tick.
    pub tick: Option<Duration>,
    /// A look at the newest view is planned.
    pub looks: bool,
    /// A recalled view is on its way.
    pub recalls: bool,
    /// A derivation is on its way.
    pub derives: bool,
}

/// A message that the node must answer.
#[derive(Clone, Debug)]
pub enum Open {
    /// An update with this id, to this snapshot.
    Update(u64, SharedSnapshot),
    /// A question.
    Question,
}

/// A content that a node refused, as the model observed it.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The content.
    pub content: aralez_proto::content::Content,
    /// The records at fault with their hashes at that time; empty if the refusal concerns the content as a whole.
    pub leaves: Vec<(RecordKey, Option<Digest>)>,
    /// Every fault was a limit of the node.
    pub is_beyond_limits: bool,
}

/// A control.
#[derive(Debug)]
pub struct Control {
    /// It is running.
    pub is_up: bool,
    /// It was switched off for good.
    pub is_gone: bool,
    /// Number of starts.
    pub life: u64,
    /// The identity of its cluster.
    pub cluster: [u8; 16],
    /// The durable state.
    pub ledger: Ledger,
    /// The sequence of discovery in this life.
    pub sequence: u64,
    /// The recent views.
    pub recent: Arc<Recent>,
    /// The view before the newest.
    pub before: SharedSnapshot,
    /// Its knowledge of the nodes.
    pub fleet: Fleet,
    /// The streams by link.
    pub serving: BTreeMap<u64, Serving>,
    /// The process that holds each node's name: its link, its boot id and the boot id of its predecessor.
    pub names: BTreeMap<usize, (u64, BootId, BootId)>,
    /// The judge of claims for names.
    pub claims: Claims,
    /// The newest stream id.
    pub last_id: StreamId,
    /// Cached encodings of deltas.
    pub cache: PartsCache,
    /// The version of each revision that is not proven yet, and the nodes that had a stream at its commit.
    pub waited: BTreeMap<u64, (Version, BTreeSet<usize>)>,
    /// The contents that nodes refused in this life.
    pub refused: BTreeMap<usize, Vec<Refused>>,
    /// A copy of the ledger.
    pub backup: Option<Ledger>,
}

impl Control {
    /// Starts a control with this history.
    pub fn new(cluster: [u8; 16], ledger: Ledger) -> Self {
        let mut control = Self {
            is_up: false,
            is_gone: false,
            life: 0,
            cluster,
            ledger,
            sequence: 0,
            recent: Arc::new(Recent::new(SharedSnapshot::default())),
            before: SharedSnapshot::default(),
            fleet: Fleet::default(),
            serving: BTreeMap::new(),
            names: BTreeMap::new(),
            claims: Claims::default(),
            last_id: 0,
            cache: PartsCache::default(),
            waited: BTreeMap::new(),
            refused: BTreeMap::new(),
            backup: None,
        };
        control.start();
        control
    }

    /// Starts from the ledger; all other state is lost.
    pub fn start(&mut self) {
        self.is_up = true;
        self.life += 1;
        self.sequence = 0;
        let first = self.view_after(&SharedSnapshot::default());
        self.recent = Arc::new(Recent::new(Arc::clone(&first)));
        self.before = first;
        self.fleet = Fleet::default();
        self.serving.clear();
        self.names.clear();
        self.claims = Claims::default();
        self.cache = PartsCache::default();
        self.waited.clear();
        self.refused.clear();
        let head = self.head();
        self.fleet.committed(head, &TouchedGroups::default());
    }

    /// Returns the newest version.
    pub fn head(&self) -> Version {
        self.recent.newest().version()
    }

    /// Returns the view of the current ledger, derived from the previous view.
    pub fn view_after(&self, before: &Snapshot) -> SharedSnapshot {
        let records = self.ledger.content.records();
        let version = Version {
            generation: self.ledger.generation,
            revision: self.ledger.revision,
            sequence: self.sequence,
            ..Version::default()
        };
        let delta = before.records().delta_to(&records);
        if delta.is_empty() {
            return Arc::new(before.renamed(version));
        }
        let next = before.changed_by(version, &delta, &Limits::default());
        Arc::new(next.expect("what the operator writes is right").0)
    }

    /// Rebuilds the view of the revision of a version. `None` if it is of another generation or the revision is unknown.
    pub fn recall(&self, version: Version, discovers: bool) -> Option<SharedSnapshot> {
        let ledger = Some(&self.ledger).filter(|ledger| ledger.generation == version.generation)?;
        let records = ledger.at(version.revision, discovers)?.records();
        let version = Version {
            sequence: self.sequence,
            ..version
        };
        let view = Snapshot::complete(version, records, &Limits::default());
        Some(Arc::new(view.expect("what the operator wrote was right")))
    }

    /// Publishes a newer view. Returns `false` if it is the current one: same content, same revision.
    pub fn publish(&mut self, next: &SharedSnapshot) -> bool {
        let head = self.head();
        let Some(recent) = self.recent.followed_by(next) else {
            return false;
        };
        let version = next.version();
        if !head.order(&version).is_eq() {
            let touched = TouchedGroups {
                others: head.root != version.root,
                ..TouchedGroups::default()
            };
            self.fleet.committed(version, &touched);
            let here = self.serving.values().map(|serving| serving.node);
            self.waited
                .insert(version.revision, (version, here.collect()));
        }
        self.before = Arc::clone(self.recent.newest());
        self.recent = Arc::new(recent);
        true
    }

    /// Returns the link on which a node is served; `None` if it has none.
    pub fn link_of(&self, node: usize) -> Option<u64> {
        let link = self.names.get(&node)?.0;
        self.serving.contains_key(&link).then_some(link)
    }
}
