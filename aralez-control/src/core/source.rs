//! Sources: the components that find documents and endpoints, as the rest of control sees them.
//!
//! A source receives what to find, and reports its findings at its own pace and on its own threads. It cannot remove anything: if it cannot
//! determine something, it reports [`Finding::Failing`], which leaves earlier findings as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use aralez_proto::document::Authored;
use aralez_proto::model::{Endpoint, PoolName, RelativePath};

use crate::core::status::FilesReading;

/// A source of findings: files today; services and clusters later.
pub trait Source: Send {
    /// Returns its name in status, logs and errors, unique among all sources.
    fn name(&self) -> &'static str;

    /// Starts the source. It runs until the returned value is dropped.
    ///
    /// # Errors
    /// The reason why it cannot start: one line that names what it observes.
    fn start(self: Box<Self>, reports: Arc<dyn Reports>) -> Result<Box<dyn RunningSource>, String>;
}

/// A running source. Dropping it stops the source.
pub trait RunningSource: Send {
    /// Sets what the source is to find from now on. Called after the start and whenever the documents change.
    fn wants(&mut self, wanted: &Wanted);
}

/// Receiver of a source's findings. It never blocks: if findings arrive faster than they are consumed, only the newest of each kind is
/// kept.
pub trait Reports: Send + Sync {
    /// Receives a finding.
    fn report(&self, finding: Finding);
}

/// A report of a source.
#[derive(Clone, Debug)]
pub enum Finding {
    /// The result of reading the set of files.
    Files(Arc<FilesReading>),
    /// All endpoints of a pool, as this source knows them. An empty list does not remove the pool's endpoints.
    Endpoints {
        /// The pool.
        pool: PoolName,
        /// Its endpoints.
        endpoints: Vec<Endpoint>,
    },
    /// The source cannot determine its findings now, for this reason.
    Failing(String),
}

/// Health of a source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Health {
    /// It has not reported yet.
    Waiting,
    /// Its last report contained findings.
    Good,
    /// It cannot determine its findings, for this reason; earlier findings stay.
    Failing(String),
}

impl Health {
    /// Returns the name used in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Good => "good",
            Self::Failing(_) => "failing",
        }
    }

    /// Returns why it is failing; `None` if it is not.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Failing(reason) => Some(reason),
            Self::Waiting | Self::Good => None,
        }
    }
}

/// Health of every source and the time of its last change, by name.
pub type SourceStates = BTreeMap<&'static str, (Health, Instant)>;

impl Finding {
    /// Returns the health of the source after this report.
    pub fn health(&self) -> Health {
        match self {
            Self::Files(reading) if reading.documents.is_none() => {
                let faults = reading.faults.iter().map(ToString::to_string);
                Health::Failing(faults.collect::<Vec<_>>().join("; "))
            }
            Self::Files(_) | Self::Endpoints { .. } => Health::Good,
            Self::Failing(reason) => Health::Failing(reason.clone()),
        }
    }
}

/// The findings that the documents request. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    authored: Arc<Authored>,
    files: Arc<BTreeSet<RelativePath>>,
}

impl Wanted {
    /// Returns what these documents of the head request, and the files that the set of files names: both differ after a push.
    pub const fn by(authored: Arc<Authored>, files: Arc<BTreeSet<RelativePath>>) -> Self {
        Self { authored, files }
    }

    /// Returns the files that the documents of the set of files name.
    pub const fn files(&self) -> &Arc<BTreeSet<RelativePath>> {
        &self.files
    }

    /// Returns the pools for which endpoints can be found: those of the documents.
    pub fn pools(&self) -> impl Iterator<Item = &PoolName> {
        let hosts = self.authored.hosts.iter();
        hosts.flat_map(|host| host.pools.iter().map(|pool| &pool.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_files_that_cannot_be_known_is_a_failing_source_and_the_next_good_look_ends_that() {
        let unknown = Finding::Files(Arc::default());
        assert_eq!(unknown.health().name(), "failing");
        let known = FilesReading {
            documents: Some(aralez_proto::document::DocumentSet::default()),
            ..FilesReading::default()
        };
        assert_eq!(Finding::Files(Arc::new(known)).health(), Health::Good);
        let failing = Finding::Failing("no route to host".to_owned()).health();
        assert_eq!(failing.reason(), Some("no route to host"));
    }
}
