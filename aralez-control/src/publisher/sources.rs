//! Runs sources: receives their reports, and passes them what to find.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{info, warn};

use super::Publisher;
use super::discovered::Reported;
use crate::core::source::{Finding, Health, Reports, RunningSource, Source, SourceStates, Wanted};
use crate::core::status::FilesReading;

/// The running sources. Dropping this aborts them.
#[derive(Debug)]
pub struct Following {
    tasks: JoinSet<()>,
}

impl Following {
    /// Stops the sources, and returns once none of their tasks holds the publisher any more.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

/// The channels that one source reports to.
struct Inbox {
    source: &'static str,
    files: watch::Sender<Option<Arc<FilesReading>>>,
    endpoints: Reported,
    states: watch::Sender<SourceStates>,
}

impl Reports for Inbox {
    fn report(&self, finding: Finding) {
        self.note(finding.health());
        match finding {
            Finding::Files(reading) => {
                self.files.send_replace(Some(reading));
            }
            Finding::Endpoints { pool, endpoints } => self.endpoints.put(pool, endpoints),
            Finding::Failing(_) => {}
        }
    }
}

impl Inbox {
    fn note(&self, health: Health) {
        self.states.send_if_modified(|states| {
            let state = states.get(self.source);
            if state.is_some_and(|(before, _)| *before == health) {
                return false;
            }
            let was_failing = matches!(state, Some((Health::Failing(_), _)));
            match &health {
                Health::Failing(reason) => {
                    warn!(source = self.source, %reason, "source failing; its earlier findings stay");
                }
                _ if was_failing => info!(source = self.source, "source recovered"),
                _ => {}
            }
            states.insert(self.source, (health, Instant::now()));
            true
        });
    }
}

impl Publisher {
    /// Starts these sources and processes their findings until the result is dropped. Call at most once.
    ///
    /// # Errors
    /// Name of the source that cannot start, and the reason.
    pub fn follow(&self, sources: Vec<Box<dyn Source>>) -> Result<Following, String> {
        let files = watch::Sender::new(None);
        let (endpoints, taken) = Reported::channel();
        let mut running = Vec::new();
        let mut tasks = JoinSet::new();
        let (publisher, readings) = (self.clone(), files.subscribe());
        tasks.spawn(async move { publisher.follow_files(readings).await });
        let publisher = self.clone();
        tasks.spawn(async move { publisher.follow_discovered(taken).await });
        for source in sources {
            let inbox = Inbox {
                source: source.name(),
                files: files.clone(),
                endpoints: endpoints.clone(),
                states: self.outlets.sources.clone(),
            };
            inbox.note(Health::Waiting);
            let name = source.name();
            let begun = source.start(Arc::new(inbox));
            running.push(begun.map_err(|reason| format!("source {name}: {reason}"))?);
        }
        let wanted = self.outlets.wanted.subscribe();
        tasks.spawn(async move { announce_wanted(running, wanted).await });
        Ok(Following { tasks })
    }

    /// Subscribes to the health of the sources.
    pub fn sources(&self) -> watch::Receiver<SourceStates> {
        self.outlets.sources.subscribe()
    }
}

/// Owns the running sources, and passes them what to find.
async fn announce_wanted(
    mut running: Vec<Box<dyn RunningSource>>,
    mut wanted: watch::Receiver<Wanted>,
) {
    loop {
        let now = wanted.borrow_and_update().clone();
        running.iter_mut().for_each(|source| source.wants(&now));
        if wanted.changed().await.is_err() {
            return;
        }
    }
}
