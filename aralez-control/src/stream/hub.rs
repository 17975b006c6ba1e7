//! State shared by all streams: the recent views of each group, the connected nodes and the admission of new streams.

use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aralez_proto::model::{GroupName, NodeName};
use aralez_proto::snapshot::SharedSnapshot;
use aralez_proto::version::Version;
use tokio::sync::{mpsc, watch};

use crate::core::claim::{Claim, Claimant, Claims};
use crate::core::fleet::{NodeCommands, SharedFleet};
use crate::core::node::StreamId;
use crate::core::observer::Observer;
use crate::core::session::{BootId, Hello, Pace, Recent};
use crate::core::store::ClusterId;
use crate::core::tries::Tries;
use crate::core::views::Views;

use super::admission::Admission;
use super::command::Command;
use super::derivations::Derivations;
use super::outbox::PartsCache;

/// A view that is being rebuilt.
pub type Recalling<'a> = Pin<Box<dyn Future<Output = Option<SharedSnapshot>> + Send + 'a>>;

/// Rebuilds views of earlier revisions.
pub trait History: Send + Sync {
    /// Rebuilds the view of a group as of the revision of `version`, with today's endpoints. `None` if this history has no such revision or
    /// this release cannot read it.
    fn recall(&self, group: GroupName, version: Version) -> Recalling<'_>;

    /// Returns whether the head is at least `held`, a version that a node of this cluster holds. A history that was recently begun or
    /// restored first moves to a higher generation if that is needed.
    fn go_above(&self, held: Version) -> Rising<'_>;
}

/// The future result of [`History::go_above`].
pub type Rising<'a> = Pin<Box<dyn Future<Output = bool> + Send + 'a>>;

/// Dependencies of a hub.
pub struct HubParts {
    /// The cluster.
    pub cluster: ClusterId,
    /// Views of the head.
    pub views: watch::Receiver<Arc<Views>>,
    /// Revisions before the head.
    pub history: Arc<dyn History>,
    /// Receives the reports of the sessions.
    pub fleet: SharedFleet,
    /// Receives the metrics.
    pub observer: Arc<dyn Observer>,
    /// Intervals and deadlines of sessions.
    pub pace: Pace,
    /// Turns true when control shuts down.
    pub leaving: watch::Receiver<bool>,
}

impl std::fmt::Debug for HubParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HubParts").finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Connected {
    id: StreamId,
    boot: BootId,
    replaces: BootId,
    commands: mpsc::UnboundedSender<Command>,
}

#[derive(Debug)]
struct State {
    streams: HashMap<NodeName, Connected>,
    claims: Claims,
    last_id: StreamId,
    admission: Admission,
    tries: Tries,
}

/// The recent snapshots of every view. Groups without their own view share one.
#[derive(Debug)]
pub(super) struct Recents {
    views: Arc<Views>,
    others: Arc<Recent>,
    named: BTreeMap<GroupName, Arc<Recent>>,
}

impl Recents {
    fn new(views: &Arc<Views>) -> Self {
        let empty = Self {
            views: Arc::clone(views),
            others: Arc::new(Recent::new(Arc::clone(views.default_view()))),
            named: BTreeMap::new(),
        };
        empty.followed_by(views)
    }

    fn followed_by(&self, views: &Arc<Views>) -> Self {
        let next = |before: &Arc<Recent>, view| match before.followed_by(view) {
            Some(next) => Arc::new(next),
            None => Arc::clone(before),
        };
        Self {
            views: Arc::clone(views),
            others: next(&self.others, views.default_view()),
            named: views
                .named()
                .map(|(group, view)| (group.clone(), next(&self.of(group), view)))
                .collect(),
        }
    }

    pub(super) fn of(&self, group: &GroupName) -> Arc<Recent> {
        Arc::clone(self.named.get(group).unwrap_or(&self.others))
    }
}

/// A slot among the streams that receive a full resync; released on drop.
#[derive(Debug)]
pub(super) struct FullPlace {
    hub: Arc<Hub>,
    bytes: u64,
    since: Instant,
    /// Time until the node acknowledged it; `None` until then.
    took: Option<Duration>,
}

impl FullPlace {
    /// Records that the node acknowledged the full resync, and releases the slot.
    pub(super) fn acknowledged(mut self) {
        self.took = Some(self.since.elapsed());
    }
}

impl Drop for FullPlace {
    fn drop(&mut self) {
        let mut state = self.hub.state.lock();
        state.admission.full_ended(self.bytes, self.took);
    }
}

/// State shared by all streams.
#[derive(Debug)]
pub struct Hub {
    pub(super) parts: HubParts,
    pub(super) cache: PartsCache,
    pub(super) derivations: Arc<Derivations>,
    recents: watch::Sender<Arc<Recents>>,
    state: Mutex<State>,
}

impl Hub {
    /// Creates a hub with the current views. [`Hub::follow`] keeps it up to date.
    pub fn new(parts: HubParts, now: Instant) -> Arc<Self> {
        let views = Arc::clone(&parts.views.borrow());
        let hub = Self {
            recents: watch::Sender::new(Arc::new(Recents::new(&views))),
            cache: PartsCache::default(),
            derivations: Arc::default(),
            state: Mutex::new(State {
                streams: HashMap::new(),
                claims: Claims::default(),
                last_id: 0,
                admission: Admission::new(now),
                tries: Tries::default(),
            }),
            parts,
        };
        Arc::new(hub)
    }

    /// Passes every newer view to all sessions, until the sender of views is dropped.
    pub async fn follow(self: Arc<Self>) {
        let mut views = self.parts.views.clone();
        loop {
            let newest = Arc::clone(&views.borrow_and_update());
            self.take(&newest);
            if views.changed().await.is_err() {
                return;
            }
        }
    }

    fn take(&self, newest: &Arc<Views>) {
        let before = Arc::clone(&self.recents.borrow());
        if Arc::ptr_eq(&before.views, newest) {
            return;
        }
        let next = Arc::new(before.followed_by(newest));
        self.derivations.next_view();
        self.recents.send_replace(next);
    }

    pub(super) fn recents(&self) -> watch::Receiver<Arc<Recents>> {
        self.recents.subscribe()
    }

    /// Returns the newest version for a group.
    pub(super) fn head_of(&self, group: &GroupName) -> Version {
        self.recents.borrow().of(group).newest().version()
    }

    pub(super) fn admit(&self, now: Instant) -> Result<(), (Duration, Duration)> {
        self.state.lock().admission.admit(now)
    }

    pub(super) fn ended(&self) {
        self.state.lock().admission.ended();
    }

    /// Admits a full resync on one stream. It counts against the limit until the returned slot is dropped; the error is the retry range.
    pub(super) fn admit_full(
        self: &Arc<Self>,
        bytes: u64,
        now: Instant,
    ) -> Result<FullPlace, (Duration, Duration)> {
        self.state.lock().admission.admit_full(bytes, now)?;
        Ok(FullPlace {
            hub: Arc::clone(self),
            bytes,
            since: now,
            took: None,
        })
    }

    /// Runs `ask` on the tries of suspect contents, under the lock.
    pub(super) fn tries<T>(&self, ask: impl FnOnce(&mut Tries) -> T) -> T {
        ask(&mut self.state.lock().tries)
    }

    pub(super) fn time_to_return(&self) -> Duration {
        self.state.lock().admission.time_to_return()
    }

    /// Assigns the name of a node to a new stream and supersedes the older stream, if the claim allows it. The id is 0 if it does not.
    pub(super) fn claim(
        &self,
        node: &NodeName,
        hello: &Hello,
        commands: mpsc::UnboundedSender<Command>,
        now: Instant,
    ) -> (Claim, StreamId) {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        let here = state.streams.get(node);
        let claim = here.map_or(Claim::Returns, |here| {
            let here = Claimant {
                boot: &here.boot,
                replaces: &here.replaces,
            };
            let comes = Claimant {
                boot: &hello.boot,
                replaces: &hello.replaces,
            };
            state.claims.judge(node, here, comes, now)
        });
        if matches!(claim, Claim::Stale | Claim::Duplicate) {
            return (claim, 0);
        }
        state.last_id += 1;
        let id = state.last_id;
        let connected = Connected {
            id,
            boot: hello.boot.clone(),
            replaces: hello.replaces.clone(),
            commands,
        };
        let before = state.streams.insert(node.clone(), connected);
        drop(guard);
        if let Some(before) = before {
            let _ = before.commands.send(Command::Superseded);
        }
        (claim, id)
    }

    /// Releases the name of a node when its stream has ended, unless a newer stream has it.
    pub(super) fn release(&self, node: &NodeName, id: StreamId) {
        let mut state = self.state.lock();
        if state.streams.get(node).is_some_and(|here| here.id == id) {
            state.streams.remove(node);
        }
    }
}

impl NodeCommands for Hub {
    fn retry(&self, node: &NodeName) -> bool {
        let known = self.parts.fleet.lock().forgive(node);
        if let Some(here) = self.state.lock().streams.get(node) {
            let _ = here.commands.send(Command::Retry);
        }
        known
    }
}
