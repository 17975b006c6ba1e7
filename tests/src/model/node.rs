//! A node: the state that outlives its process, and the process, built from the product's own subscription and worker.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aralez_proto::fault::FaultCode;
use aralez_proto::hash::Digest;
use aralez_proto::model::NodeName;
use aralez_proto::record::RecordSet;
use aralez_proto::version::Version;
use aralez_proxy::core::live::{Live, Origin};
use aralez_proxy::core::request::registry::Registry;
use aralez_proxy::core::sync::snapshot_cache::CachedState;
use aralez_proxy::core::sync::subscription::{Subscription, Update};
use aralez_proxy::sync::applier::Applier;
use aralez_proxy::sync::command::ApplierEvent;
use aralez_proxy::sync::translate::Identity;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::disk::ModelDisk;
use super::setup::NodeSetup;

/// A node, and what the model knows of it from outside.
#[derive(Debug)]
pub struct ModelNode {
    /// Its name.
    pub name: NodeName,
    /// Its properties, drawn from the seed.
    pub setup: NodeSetup,
    /// Its disk.
    pub disk: ModelDisk,
    /// Number of starts so far; identifies the current process.
    pub life: u64,
    /// The process; `None` while it does not run.
    pub process: Option<Process>,
    /// Minimum time between two messages that arrive at the node. `None` if it is not slowed down.
    pub slow: Option<Duration>,
    /// Payloads of deltas arrive at this node with a flipped bit.
    pub is_corrupted: bool,
    /// Control got a forged Ack in the name of this node, for an update that the node never received.
    pub is_lied_about: bool,
    /// The cluster that it pinned first.
    pub cluster: Option<Vec<u8>>,
    /// The versions that it ran, each with its start; `None` while it ran nothing.
    pub ran: Vec<(Duration, Option<Version>)>,
    /// Contents on trial at consecutive deaths: two by a fault, or four of unknown cause.
    pub suspects: Vec<Digest>,
    /// The content on trial at the last death, and the weight of its deaths in a row: 2 for a fault, 1 otherwise.
    pub ended_by: Option<(Digest, u32)>,
    /// Time at which the authored content that it runs was applied in this life.
    pub applied_at: Duration,
}

/// The sender of a content.
#[derive(Clone, Copy, Debug)]
pub struct Sender {
    /// Index of the control.
    pub control: usize,
    /// The head of the control when the whole update had arrived. `None` if that control has restarted since.
    pub head: Option<Version>,
}

/// The process of a node.
#[derive(Debug)]
pub struct Process {
    /// The subscription's state machine.
    pub machine: Subscription,
    /// The worker that applies updates.
    pub worker: Applier,
    /// Events from the worker.
    pub news: UnboundedReceiver<ApplierEvent>,
    /// The live table.
    pub live: Arc<Live>,
    /// The identity that it sends in `Hello`.
    pub identity: Identity,
    /// Number of the last dial.
    pub dial: u64,
    /// The control that was connected but not yet sent a `Hello`.
    pub channel: Option<usize>,
    /// The link of the open stream.
    pub stream: Option<u64>,
    /// The update that is being applied.
    pub applying: Option<Update>,
    /// The records that it held when it started.
    pub at_first: RecordSet,
    /// Roots of the updates that arrived completely, with their senders.
    pub came: BTreeMap<Digest, Sender>,
    /// The next planned wakes of the machine and of the worker.
    pub wakes: [Option<Duration>; 2],
}

impl ModelNode {
    /// Creates a node that was never started.
    pub fn new(number: usize, setup: NodeSetup) -> Self {
        Self {
            name: format!("n{number}").parse().expect("a name"),
            setup,
            disk: ModelDisk::default(),
            life: 0,
            process: None,
            slow: None,
            is_corrupted: false,
            is_lied_about: false,
            cluster: None,
            ran: vec![(Duration::ZERO, None)],
            suspects: Vec::new(),
            ended_by: None,
            applied_at: Duration::ZERO,
        }
    }

    /// Starts a process from the content of the disk. Without `tells_suspects` its `Hello` omits suspect contents.
    pub fn boot(&mut self, now: Instant, tells_suspects: bool) {
        self.life += 1;
        let live = Arc::new(Live::new(now));
        let (sender, news) = unbounded_channel();
        let limits = self.setup.limits;
        let registry = Arc::new(Registry::default());
        let memory = self.disk.memory();
        let mut worker = Applier::new(memory, Arc::clone(&live), registry, limits, sender, now);
        let mut found = worker.boot(now);
        if !tells_suspects {
            let is_suspect =
                |code: FaultCode| matches!(code, FaultCode::Suspect | FaultCode::Fatal);
            found
                .refused
                .retain(|refusal| !refusal.faults.iter().any(|fault| is_suspect(fault.code)));
        }
        self.process = Some(self.process_of(found, worker, news, live));
    }

    fn process_of(
        &self,
        found: CachedState,
        worker: Applier,
        news: UnboundedReceiver<ApplierEvent>,
        live: Arc<Live>,
    ) -> Process {
        let held = found.snapshot.as_ref().map(|snapshot| snapshot.version());
        let records = found.snapshot.map(|snapshot| snapshot.records().clone());
        let limits = self.setup.limits;
        let servers = self.setup.servers.len();
        Process {
            machine: Subscription::new(servers, limits, held, found.cluster, found.refused),
            worker,
            news,
            live,
            identity: Identity {
                node: self.name.to_string(),
                group: "default".to_owned(),
                proxy_version: "0.10.0".to_owned(),
                limits,
                boot_id: found.boot_id,
                replaces_boot_id: found.replaces_boot_id,
            },
            dial: 0,
            channel: None,
            stream: None,
            applying: None,
            at_first: records.unwrap_or_default(),
            came: BTreeMap::new(),
            wakes: [None; 2],
        }
    }

    /// Returns the version of the last entry of its history: the one that it runs, `None` if it runs none.
    pub fn last_ran(&self) -> Option<Version> {
        self.ran.last().and_then(|(_, version)| *version)
    }

    /// Reports whether it ran the content `root` at any time from `since` on.
    pub fn ran_since(&self, root: Digest, since: Duration) -> bool {
        let ends = self
            .ran
            .iter()
            .skip(1)
            .map(|(at, _)| *at)
            .chain([Duration::MAX]);
        let mut lasting = self.ran.iter().zip(ends).filter(|(_, end)| *end >= since);
        lasting.any(|((_, version), _)| version.is_some_and(|ran| ran.root == root))
    }
}

impl Process {
    /// Returns the version of the live table. `None` if it serves none.
    pub fn runs(&self) -> Option<Version> {
        let live = self.live.load();
        (live.origin != Origin::None).then(|| live.snapshot.version())
    }
}
