//! The apply thread: builds the next table, swaps it in, reports it, then writes the cache. Old tables are freed here, not in a request.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use aralez_proto::content::Content;
use aralez_proto::hash::Digest;
use aralez_proto::snapshot::Limits;
use aralez_proto::version::Version;
use tokio::sync::mpsc::UnboundedSender;
use tracing::{error, info, warn};

use super::apply::{self, Terms};
use super::command::{ApplierEvent, Command, PauseCommand};
use super::folders;
use super::pace::{Burst, Pace};
use super::serving::{Counted, ServingTime};
use crate::core::live::{Live, LiveTable};
use crate::core::request::files::roots::FileRoots;
use crate::core::request::registry::Registry;
use crate::core::sync::snapshot_cache::{CachedState, NotCached, SnapshotCache};
use crate::core::sync::subscription::{ContentRefusal, Update};

/// Minimum interval between writes of the marks while updates arrive.
const MARKS_EVERY: Duration = Duration::from_secs(1);
/// Retry interval for marks that could not be written. It bounds how long a resolved trouble is still reported.
const MARKS_RETRY: Duration = Duration::from_secs(5);
/// Nice increment of this thread. It leaves the thread about a third of the time of a busy core.
const BEHIND_REQUESTS: i32 = 5;
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// The state of the apply thread. The time is passed in, so that a model can run it without a thread.
pub struct Applier {
    cache: Box<dyn SnapshotCache>,
    live: Arc<Live>,
    terms: Terms,
    news: UnboundedSender<ApplierEvent>,
    pace: Pace,
    marks_due: Option<Instant>,
    burst: Burst,
    /// Serving time of the running content.
    serving: Option<ServingTime>,
    /// The cache contains files that are not examined yet.
    unexamined: bool,
    persisted: Option<Version>,
    found: Vec<String>,
    failing: BTreeMap<&'static str, String>,
    /// Replaced tables that requests may still hold.
    retired: Vec<Arc<LiveTable>>,
}

impl std::fmt::Debug for Applier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Applier").finish_non_exhaustive()
    }
}

impl Applier {
    /// Creates an applier that swaps `live` and sends its events to `news`.
    pub fn new(
        cache: Box<dyn SnapshotCache>,
        live: Arc<Live>,
        registry: Arc<Registry>,
        limits: Limits,
        news: UnboundedSender<ApplierEvent>,
        now: Instant,
    ) -> Self {
        Self {
            cache,
            live,
            terms: Terms {
                limits,
                registry,
                file_roots: FileRoots::default(),
            },
            news,
            pace: Pace::default(),
            marks_due: None,
            burst: Burst::new(now),
            serving: None,
            unexamined: true,
            persisted: None,
            found: Vec::new(),
            failing: BTreeMap::new(),
            retired: Vec::new(),
        }
    }

    /// Accepts updates whose routes serve files below these roots. Without them, it refuses all such routes.
    #[must_use]
    pub fn serving_files_of(mut self, roots: FileRoots) -> Self {
        self.terms.file_roots = roots;
        self
    }

    /// Publishes the cached snapshot. Returns the rest of the cached state.
    pub fn boot(&mut self, now: Instant) -> CachedState {
        let mut remembered = self.cache.boot(&self.terms.limits);
        if let Some(snapshot) = remembered.snapshot.clone() {
            let version = snapshot.version();
            match apply::restore(snapshot, &self.terms.registry) {
                Ok(table) => {
                    folders::tell(&table.snapshot, &self.terms.file_roots);
                    self.swap(table, now);
                    self.persisted = Some(version);
                }
                Err(faults) => {
                    error!(%version, faults = faults.brief(), "cached snapshot cannot be served");
                    remembered.snapshot = None;
                    let faults = faults.into_vec();
                    remembered.refused.push(ContentRefusal {
                        content: Content::at_fault(&version, &faults),
                        faults,
                    });
                }
            }
        }
        self.found.clone_from(&remembered.troubles);
        self.save_marks(now);
        self.report_cache();
        remembered
    }

    /// Runs until [`Command::Leave`], or until every sender is dropped.
    pub(super) fn run(mut self, jobs: &Receiver<Command>) {
        // Affects this thread only: requests take precedence if cores are scarce. Not permitted is not an error.
        let _ = rustix::process::nice(BEHIND_REQUESTS);
        loop {
            let now = Instant::now();
            let wait = self.next_wake(now);
            let job = match wait.map(|at| at.saturating_duration_since(now)) {
                Some(wait) => jobs.recv_timeout(wait),
                None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match job {
                Ok(Command::Leave) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(Command::Pause(pause)) => {
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

    /// Executes one command. The caller calls [`Applier::tick`] afterwards.
    pub fn take(&mut self, job: Command, now: Instant) {
        match job {
            Command::Apply(update) => self.apply(&update, now),
            Command::Rename(version) => self.rename(version, now),
            Command::Pin(cluster) => {
                self.cache.pin(&cluster);
                self.save_marks(now);
            }
            // Outside of `run` no thread can wait for a pause: the caller sees the command dropped, and does not hand over.
            Command::Pause(_) => {}
            Command::Try(root) => self.retry(root, now),
            Command::Leave => self.leave(now),
        }
    }

    /// Pauses for a handover. Returns `true` if a successor took over: then this process never writes again.
    fn pause(&mut self, pause: &PauseCommand) -> bool {
        self.leave(Instant::now());
        if pause.written.send(()).is_ok() && pause.given.recv() == Ok(true) {
            return true;
        }
        // Not an exit after all: the running content is on trial again, unless it has proved good.
        self.cache
            .swap(self.live.load().snapshot.version().authored_root);
        self.save_marks(Instant::now());
        false
    }

    /// Returns when the next [`Applier::tick`] is due.
    pub fn next_wake(&self, now: Instant) -> Option<Instant> {
        let sweep = (!self.retired.is_empty()).then(|| now + SWEEP_EVERY);
        let counted = self.serving.map(|serving| serving.due());
        let examine = self.unexamined.then_some(now);
        [self.pace.due(), self.marks_due, counted, sweep, examine]
            .into_iter()
            .flatten()
            .min()
    }

    fn apply(&mut self, update: &Update, started: Instant) {
        let current = Arc::clone(&self.live.load());
        match apply::prepare(&current, update, &self.terms) {
            Ok(table) => {
                drop(current);
                let prepared = started.elapsed();
                self.swap(table, started);
                let took = started.elapsed();
                info!(version = %update.to, took_us = took.as_micros(), prepared_us = prepared.as_micros(), changes = update.changes.len(), "update applied");
                self.tell(ApplierEvent::Applied {
                    version: update.to,
                    took,
                });
                self.pace
                    .changed(started + took, apply::keeps_authored(update));
            }
            Err(faults) => {
                warn!(version = %update.to, faults = faults.brief(), "update refused; still serving the previous version");
                self.tell(ApplierEvent::Refused {
                    version: update.to,
                    faults,
                });
            }
        }
    }

    /// Makes a new table live; every swap except a rename goes through here. The trial is recorded first, so that a death right after the
    /// swap is attributed to it.
    fn swap(&mut self, table: LiveTable, now: Instant) {
        let root = table.snapshot.version().authored_root;
        if self.serving.is_none_or(|serving| serving.root() != root) {
            self.count_served(now);
            self.serving = Some(ServingTime::since(now, root));
        }
        self.cache.swap(root);
        if self.burst.take(now) {
            // The marks must survive a death of the process, not of the machine, so there is no wait for the disk.
            let noted = self.cache.note_marks();
            if self.note("marks", noted) {
                self.report_cache();
            }
        }
        self.marks_due.get_or_insert(now + MARKS_EVERY);
        self.retired.push(Arc::clone(&self.live.load()));
        self.live.publish(table);
    }

    fn rename(&mut self, version: Version, now: Instant) {
        let current = Arc::clone(&self.live.load());
        if !version.renames(&current.snapshot.version()) {
            return;
        }
        let update = Update {
            full: false,
            to: version,
            changes: Vec::new(),
        };
        match apply::prepare(&current, &update, &self.terms) {
            Ok(mut table) => {
                table.since = current.since;
                self.retired.push(current);
                self.live.publish(table);
                self.pace.changed(now, true);
            }
            Err(faults) => {
                error!(%version, faults = faults.brief(), "cannot rename the running snapshot");
            }
        }
    }

    /// Performs due work: counts serving time, writes the cache and the marks, frees tables.
    pub fn tick(&mut self, now: Instant) {
        // The last reference is here, so no request ends up freeing a table.
        self.retired.retain(|table| Arc::strong_count(table) > 1);
        if self.serving.is_some_and(|serving| now >= serving.due()) {
            self.count_served(now);
            self.marks_due = Some(now);
        }
        if self.pace.due().is_some_and(|due| now >= due) {
            self.keep(now);
        }
        if self.marks_due.is_some_and(|due| now >= due) {
            self.save_marks(now);
        }
        if self.unexamined {
            self.examine();
        }
    }

    /// Examines one file per tick, which bounds the delay of an update that arrives meanwhile.
    fn examine(&mut self) {
        match self.cache.examine() {
            Some(troubles) if troubles.is_empty() => {}
            Some(troubles) => {
                self.found.extend(troubles);
                self.report_cache();
            }
            None => self.unexamined = false,
        }
    }

    /// Records the serving time of the running content.
    fn count_served(&mut self, now: Instant) {
        let Some(serving) = &mut self.serving else {
            return;
        };
        match serving.count(now) {
            Some(Counted::Proved(root)) => self.cache.proved(root),
            Some(Counted::Longer(root, longer)) => self.cache.served(root, longer),
            None => {}
        }
    }

    /// Tries a suspect content from the cache once more; the subscription orders this only while there is no control.
    fn retry(&mut self, root: Digest, now: Instant) {
        let current = self.live.load().snapshot.version();
        let tried = self
            .cache
            .suspect(root, &self.terms.limits)
            .and_then(|snapshot| {
                if snapshot.version().goes_back_from(&current) {
                    return Err(NotCached(format!("the running version {current} is newer")));
                }
                let restored = apply::restore(snapshot, &self.terms.registry);
                restored.map_err(|faults| NotCached(faults.brief()))
            });
        match tried {
            Ok(table) => {
                let version = table.snapshot.version();
                info!(%version, "no control reachable: retrying the suspect content");
                self.swap(table, now);
                self.persisted = Some(version);
                let took = Instant::now().saturating_duration_since(now);
                self.tell(ApplierEvent::Applied { version, took });
            }
            Err(NotCached(reason)) => {
                info!(content = %root.short(), reason, "suspect content not retried");
                self.tell(ApplierEvent::Untried);
            }
        }
    }

    fn keep(&mut self, now: Instant) {
        let snapshot = Arc::clone(&self.live.load().snapshot);
        let kept = self.cache.keep(&snapshot);
        match &kept {
            Ok(()) => {
                self.persisted = Some(snapshot.version());
                self.pace.written(now);
            }
            Err(_) => self.pace.failed(now),
        }
        self.note("keep", kept);
        self.report_cache();
    }

    fn save_marks(&mut self, now: Instant) {
        let saved = self.cache.save_marks();
        self.marks_due = saved.is_err().then(|| now + MARKS_RETRY);
        if self.note("marks", saved) {
            self.report_cache();
        }
    }

    /// Records a success or failure. Returns whether the set of troubles changed.
    fn note(&mut self, what: &'static str, outcome: Result<(), NotCached>) -> bool {
        match outcome {
            Ok(()) => self.failing.remove(what).is_some(),
            Err(NotCached(trouble)) => {
                let known = self.failing.insert(what, trouble.clone());
                let new = known.as_ref() != Some(&trouble);
                if new {
                    warn!("cache: {trouble}; serving continues");
                }
                new
            }
        }
    }

    fn report_cache(&self) {
        let troubles = self
            .found
            .iter()
            .chain(self.failing.values())
            .cloned()
            .collect();
        self.tell(ApplierEvent::Memory {
            persisted: self.persisted,
            troubles,
        });
    }

    /// Sends an event. During shutdown the receiver may be gone.
    fn tell(&self, news: ApplierEvent) {
        let _ = self.news.send(news);
    }

    fn leave(&mut self, now: Instant) {
        if self.pace.due().is_some() {
            self.keep(now);
        }
        self.count_served(now);
        self.cache.clean_exit();
        self.save_marks(now);
    }
}
