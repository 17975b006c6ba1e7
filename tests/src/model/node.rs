//! A node: what outlives its process, and the process, made of the product's own subscription and worker.

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
    /// What it is like.
    pub setup: NodeSetup,
    /// Its disk.
    pub disk: ModelDisk,
    /// How often it was started.
    pub life: u64,
    /// While it runs.
    pub process: Option<Process>,
    /// It takes one message in this time.
    pub slow: Option<Duration>,
    /// Bits flip on its way.
    pub is_corrupted: bool,
    /// Control was told in its name that it runs what it never got.
    pub is_lied_about: bool,
    /// The cluster that it met first.
    pub cluster: Option<Vec<u8>>,
    /// What it ran, and from when on.
    pub ran: Vec<(Duration, Option<Version>)>,
    /// Contents that ended it twice in a row soon after they were applied.
    pub suspects: Vec<Digest>,
    /// The content that ended it last, and how often in a row.
    pub ended_by: Option<(Digest, u32)>,
    /// When what it runs was first applied in this life.
    pub applied_at: Duration,
}

/// Where a content came from.
#[derive(Clone, Copy, Debug)]
pub struct Sender {
    /// Which control.
    pub control: usize,
    /// Its head when the whole of the update had come.
    pub head: Option<Version>,
}

/// The process of a node.
#[derive(Debug)]
pub struct Process {
    /// The machine.
    pub machine: Subscription,
    /// What applies.
    pub worker: Applier,
    /// What the worker tells.
    pub news: UnboundedReceiver<ApplierEvent>,
    /// What serves.
    pub live: Arc<Live>,
    /// Who it says it is.
    pub identity: Identity,
    /// The number of the last dial.
    pub dial: u64,
    /// The control that was reached and not yet greeted.
    pub channel: Option<usize>,
    /// The open stream.
    pub stream: Option<u64>,
    /// What is being applied.
    pub applying: Option<Update>,
    /// What it held when it started.
    pub at_first: RecordSet,
    /// Contents that came as a whole.
    pub came: BTreeMap<Digest, Sender>,
    /// The next wake that is planned, of the machine and of the worker.
    pub wakes: [Option<Duration>; 2],
}

impl ModelNode {
    /// A node that was never started.
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

    /// Starts a process from what the disk holds.
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

    /// What it ran last, or runs.
    pub fn last_ran(&self) -> Option<Version> {
        self.ran.last().and_then(|(_, version)| *version)
    }

    /// Whether it ran this content at some moment from then on.
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
    /// What serves.
    pub fn runs(&self) -> Option<Version> {
        let live = self.live.load();
        (live.origin != Origin::None).then(|| live.snapshot.version())
    }
}
