//! The thread that applies: builds the next table, swaps it in, tells, then writes to the memory. Old tables end here, not in a request.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use aralez_proto::hash::Digest;
use aralez_proto::snapshot::Limits;
use aralez_proto::version::Version;
use tokio::sync::mpsc::UnboundedSender;
use tracing::{error, info, warn};

use super::apply;
use super::job::{Job, News, Pause};
use super::pace::{Burst, Pace};
use crate::core::live::{Live, LiveTable};
use crate::core::memory::{Memory, NotKept, Remembered};
use crate::core::registry::Registry;
use crate::core::subscription::{Refusal, Update};
use crate::core::trial::PROOF;

/// Marks are written at most this often while updates come.
const MARKS_EVERY: Duration = Duration::from_secs(1);
/// After this long marks that could not be written are tried again, so that what is told ends soon after its cause.
const MARKS_RETRY: Duration = Duration::from_secs(5);
/// By how much the thread's priority is lower (nice): about a third of the time of a busy core is left for it.
const BEHIND_REQUESTS: i32 = 5;
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// The thread's state. Time is passed in, so that a model can run it without a thread.
pub struct Worker {
    memory: Box<dyn Memory>,
    live: Arc<Live>,
    registry: Arc<Registry>,
    limits: Limits,
    news: UnboundedSender<News>,
    pace: Pace,
    marks_due: Option<Instant>,
    burst: Burst,
    /// What runs, and when it will have proved good; `None` there: it has.
    proof: Option<(Digest, Option<Instant>)>,
    persisted: Option<Version>,
    found: Vec<String>,
    failing: BTreeMap<&'static str, String>,
    /// Tables that requests may still hold.
    retired: Vec<Arc<LiveTable>>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}

impl Worker {
    /// A worker that swaps this live table and tells its news there.
    pub fn new(
        memory: Box<dyn Memory>,
        live: Arc<Live>,
        registry: Arc<Registry>,
        limits: Limits,
        news: UnboundedSender<News>,
        now: Instant,
    ) -> Self {
        Self {
            memory,
            live,
            registry,
            limits,
            news,
            pace: Pace::default(),
            marks_due: None,
            burst: Burst::new(now),
            proof: None,
            persisted: None,
            found: Vec::new(),
            failing: BTreeMap::new(),
            retired: Vec::new(),
        }
    }

    /// Publishes what the memory has. Gives the rest of what it remembers.
    pub fn boot(&mut self, now: Instant) -> Remembered {
        let mut remembered = self.memory.boot(&self.limits);
        if let Some(snapshot) = remembered.snapshot.clone() {
            let version = snapshot.version();
            match apply::restore(snapshot, &self.registry) {
                Ok(table) => {
                    self.swap(table, now);
                    self.persisted = Some(version);
                }
                Err(faults) => {
                    error!(%version, faults = faults.brief(), "the cached snapshot cannot be served");
                    remembered.snapshot = None;
                    let faults = faults.into_vec();
                    remembered.refused.push(Refusal {
                        root: version.root,
                        faults,
                    });
                }
            }
        }
        self.found.clone_from(&remembered.troubles);
        self.save_marks(now);
        self.tell_memory();
        remembered
    }

    /// Works until told to leave, or until nobody is left to give work.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        // Of this thread alone: requests come first where there are not enough cores. What is not allowed is done without.
        let _ = rustix::process::nice(BEHIND_REQUESTS);
        loop {
            let now = Instant::now();
            let wait = self.next_wake(now);
            let job = match wait.map(|at| at.saturating_duration_since(now)) {
                Some(wait) => jobs.recv_timeout(wait),
                None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match job {
                Ok(Job::Leave) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(Job::Pause(pause)) => {
                    if self.pause(&pause) {
                        return;
                    }
                }
                Ok(job) => self.take(job, Instant::now()),
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.tick(Instant::now());
        }
        self.leave(Instant::now());
    }

    /// Does one thing. [`Worker::tick`] comes after it.
    pub fn take(&mut self, job: Job, now: Instant) {
        match job {
            Job::Apply(update) => self.apply(&update, now),
            Job::Rename(version) => self.rename(version, now),
            Job::Pin(cluster) => {
                self.memory.pin(&cluster);
                self.save_marks(now);
            }
            // A pause outside of `run` has no thread that could wait: its asker sees it dropped, and does not hand over.
            Job::Pause(_) => {}
            Job::Leave => self.leave(now),
        }
    }

    /// Whether a successor took over: then this process never writes again.
    fn pause(&mut self, pause: &Pause) -> bool {
        self.leave(Instant::now());
        if pause.written.send(()).is_ok() && pause.given.recv() == Ok(true) {
            return true;
        }
        // No end after all: what runs is on trial again, unless it has proved good.
        self.memory.swap(self.live.load().snapshot.version().root);
        self.save_marks(Instant::now());
        false
    }

    /// When the next [`Worker::tick`] is due.
    pub fn next_wake(&self, now: Instant) -> Option<Instant> {
        let sweep = (!self.retired.is_empty()).then(|| now + SWEEP_EVERY);
        let proof = self.proof.and_then(|(_, at)| at);
        [self.pace.due(), self.marks_due, proof, sweep]
            .into_iter()
            .flatten()
            .min()
    }

    fn apply(&mut self, update: &Update, started: Instant) {
        let current = Arc::clone(&self.live.load());
        match apply::prepare(&current, update, &self.limits, &self.registry) {
            Ok(table) => {
                drop(current);
                let prepared = started.elapsed();
                self.swap(table, started);
                let took = started.elapsed();
                info!(version = %update.to, took_us = took.as_micros(), prepared_us = prepared.as_micros(), changes = update.changes.len(), "applied an update");
                self.tell(News::Applied {
                    version: update.to,
                    took,
                });
                self.pace
                    .changed(started + took, apply::endpoints_only(update));
            }
            Err(faults) => {
                warn!(version = %update.to, faults = faults.brief(), "refused an update; what ran before goes on");
                self.tell(News::Refused {
                    root: update.to.root,
                    faults,
                });
            }
        }
    }

    /// The one swap. The trial is opened before it, so that a death right after is remembered.
    fn swap(&mut self, table: LiveTable, now: Instant) {
        let root = table.snapshot.version().root;
        self.memory.swap(root);
        if self.burst.take(now) {
            // A death of the process is what is to be remembered, so nothing waits for the disk here.
            let noted = self.memory.note_marks();
            if self.note("marks", noted) {
                self.tell_memory();
            }
        }
        self.marks_due.get_or_insert(now + MARKS_EVERY);
        if self.proof.is_none_or(|(proving, _)| proving != root) {
            self.proof = Some((root, Some(now + PROOF)));
        }
        self.retired.push(Arc::clone(&self.live.load()));
        self.live.publish(table);
    }

    fn rename(&mut self, version: Version, now: Instant) {
        let current = Arc::clone(&self.live.load());
        if current.snapshot.version().root != version.root {
            return;
        }
        let update = Update {
            full: false,
            to: version,
            changes: Vec::new(),
        };
        match apply::prepare(&current, &update, &self.limits, &self.registry) {
            Ok(mut table) => {
                table.since = current.since;
                self.retired.push(current);
                self.live.publish(table);
                self.pace.changed(now, true);
            }
            Err(faults) => {
                error!(%version, faults = faults.brief(), "cannot take the newer name of what runs");
            }
        }
    }

    /// Time went by: proves, keeps and tidies what is due.
    pub fn tick(&mut self, now: Instant) {
        // Only the memory of the process holds them now: no request ends by freeing a table.
        self.retired.retain(|table| Arc::strong_count(table) > 1);
        if let Some((root, Some(at))) = self.proof
            && now >= at
        {
            self.memory.proved(root);
            self.marks_due = Some(now);
            self.proof = Some((root, None));
        }
        if self.pace.due().is_some_and(|due| now >= due) {
            self.keep(now);
        }
        if self.marks_due.is_some_and(|due| now >= due) {
            self.save_marks(now);
        }
    }

    fn keep(&mut self, now: Instant) {
        let snapshot = Arc::clone(&self.live.load().snapshot);
        let kept = self.memory.keep(&snapshot);
        match &kept {
            Ok(()) => {
                self.persisted = Some(snapshot.version());
                self.pace.written(now);
            }
            Err(_) => self.pace.failed(now),
        }
        self.note("keep", kept);
        self.tell_memory();
    }

    fn save_marks(&mut self, now: Instant) {
        let saved = self.memory.save_marks();
        self.marks_due = saved.is_err().then(|| now + MARKS_RETRY);
        if self.note("marks", saved) {
            self.tell_memory();
        }
    }

    /// Whether this changed what is wrong.
    fn note(&mut self, what: &'static str, outcome: Result<(), NotKept>) -> bool {
        match outcome {
            Ok(()) => self.failing.remove(what).is_some(),
            Err(NotKept(trouble)) => {
                let known = self.failing.insert(what, trouble.clone());
                let new = known.as_ref() != Some(&trouble);
                if new {
                    warn!("serving goes on, but: {trouble}");
                }
                new
            }
        }
    }

    fn tell_memory(&self) {
        let troubles = self
            .found
            .iter()
            .chain(self.failing.values())
            .cloned()
            .collect();
        self.tell(News::Memory {
            persisted: self.persisted,
            troubles,
        });
    }

    /// Nobody listens any more while the process ends: then nobody needs to know.
    fn tell(&self, news: News) {
        let _ = self.news.send(news);
    }

    fn leave(&mut self, now: Instant) {
        if self.pace.due().is_some() {
            self.keep(now);
        }
        self.memory.clean_exit();
        self.save_marks(now);
    }
}
