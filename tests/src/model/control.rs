//! A control: its ledger, its views, its fleet and the streams that it serves, made of the product's own sessions.

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

/// What is durable.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// The history.
    pub generation: u64,
    /// The newest commit.
    pub revision: u64,
    /// What it holds, with the endpoints that are known.
    pub content: Content,
    /// What each commit held.
    pub history: BTreeMap<u64, Content>,
}

impl Ledger {
    /// A history that begins with this.
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

    /// What it holds is a commit.
    pub fn note(&mut self) {
        self.history.insert(self.revision, self.content.clone());
    }

    /// What a commit held; with the endpoints of now, where a source finds them.
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

/// One stream that is served.
#[derive(Debug)]
pub struct Serving {
    /// Whose it is.
    pub node: usize,
    /// Its number among the streams of this control.
    pub id: StreamId,
    /// The session.
    pub session: Session,
    /// What waits to be sent.
    pub outbox: Outbox,
    /// Control knows what the node holds.
    pub is_known: bool,
    /// The update that was sent and not answered, or the question.
    pub open: Option<Open>,
    /// When what was heard last was sent.
    pub heard: Duration,
    /// The next tick that is planned.
    pub tick: Option<Duration>,
    /// Whether a newer view is about to be looked at.
    pub looks: bool,
    /// Whether an earlier one is about to come.
    pub recalls: bool,
    /// Whether something that it has made is about to come.
    pub derives: bool,
}

/// What a node owes an answer to.
#[derive(Clone, Debug)]
pub enum Open {
    /// An update of this number to this snapshot.
    Update(u64, SharedSnapshot),
    /// A question.
    Question,
}

/// A content that a node refused, seen from outside.
#[derive(Clone, Debug)]
pub struct Refused {
    /// Which content.
    pub content: aralez_proto::content::Content,
    /// The records that were at fault, as they were; empty where only the whole counts.
    pub leaves: Vec<(RecordKey, Option<Digest>)>,
    /// It was refused for what the node takes at most.
    pub is_beyond_limits: bool,
}

/// A control.
#[derive(Debug)]
pub struct Control {
    /// Whether it answers.
    pub is_up: bool,
    /// It was switched off for good.
    pub is_gone: bool,
    /// How often it was started.
    pub life: u64,
    /// Its cluster.
    pub cluster: [u8; 16],
    /// What is durable.
    pub ledger: Ledger,
    /// Counts discovery in this life.
    pub sequence: u64,
    /// The recent views.
    pub recent: Arc<Recent>,
    /// The view before the newest.
    pub before: SharedSnapshot,
    /// What it knows of the nodes.
    pub fleet: Fleet,
    /// The streams by link.
    pub serving: BTreeMap<u64, Serving>,
    /// Who has the name of a node.
    pub names: BTreeMap<usize, (u64, BootId, BootId)>,
    /// When names were taken over.
    pub claims: Claims,
    /// Numbers of streams.
    pub last_id: StreamId,
    /// Encoded differences.
    pub cache: PartsCache,
    /// Who had a stream at a commit, until it is proven.
    pub waited: BTreeMap<u64, (Version, BTreeSet<usize>)>,
    /// What nodes refused in this life.
    pub refused: BTreeMap<usize, Vec<Refused>>,
    /// A copy of the ledger.
    pub backup: Option<Ledger>,
}

impl Control {
    /// A control that has this history and is not up yet.
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

    /// Starts from the ledger, with nothing else.
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

    /// The newest version.
    pub fn head(&self) -> Version {
        self.recent.newest().version()
    }

    /// The view of the ledger as it is, made from the one before.
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

    /// The view of the revision of a version, made again.
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

    /// Takes a newer view. `false` where it is no news.
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

    /// The link on which a node is served.
    pub fn link_of(&self, node: usize) -> Option<u64> {
        let link = self.names.get(&node)?.0;
        self.serving.contains_key(&link).then_some(link)
    }
}
