//! Sources: what finds documents and endpoints, as the rest of control sees it.
//!
//! A source is told what to find and reports what it found, in its own time and on its own threads. It cannot take anything away: what it
//! could not find out is [`Finding::Failing`], which leaves what was found before as it is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use aralez_proto::document::Authored;
use aralez_proto::model::{Endpoint, PoolName};

use crate::core::status::FilesReading;

/// What can be found, and is: files today; services and clusters later.
pub trait Source: Send {
    /// Its name in status, logs and errors. No two sources have the same.
    fn name(&self) -> &'static str;

    /// Begins to look, and goes on until what is given back is dropped.
    ///
    /// # Errors
    /// Why it cannot begin: one line that names what it looks at.
    fn start(self: Box<Self>, reports: Arc<dyn Reports>) -> Result<Box<dyn Looking>, String>;
}

/// A source that looks. Dropping it ends it.
pub trait Looking: Send {
    /// What it is to find from now on: called when it has begun, and whenever the documents are others.
    fn wants(&mut self, wanted: &Wanted);
}

/// Where a source reports. Never waits: where more is reported than can be taken, the newest of a kind is.
pub trait Reports: Send + Sync {
    /// Takes what was found.
    fn report(&self, finding: Finding);
}

/// What a source reports.
#[derive(Clone, Debug)]
pub enum Finding {
    /// What a look at the set of files came to.
    Files(Arc<FilesReading>),
    /// All endpoints that a pool has as far as this source knows. None at all is an answer that is kept from the pool.
    Endpoints {
        /// Which pool.
        pool: PoolName,
        /// Its endpoints.
        endpoints: Vec<Endpoint>,
    },
    /// It cannot tell now, for this reason.
    Failing(String),
}

/// How a source is doing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Health {
    /// It has not reported yet.
    Waiting,
    /// Its last report told what it found.
    Good,
    /// It cannot tell what there is, for this reason; what it found before stays.
    Failing(String),
}

impl Health {
    /// The name in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Good => "good",
            Self::Failing(_) => "failing",
        }
    }

    /// Why it is failing; `None` where it is not.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Failing(reason) => Some(reason),
            Self::Waiting | Self::Good => None,
        }
    }
}

/// How every source is doing, and since when, by its name.
pub type SourceStates = BTreeMap<&'static str, (Health, Instant)>;

impl Finding {
    /// What this report says of its source.
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

/// What sources are to find, as the documents of the head ask for it. Cheap to copy.
#[derive(Clone, Debug, Default)]
pub struct Wanted(Arc<Authored>);

impl Wanted {
    /// What these documents ask for.
    pub const fn by(authored: Arc<Authored>) -> Self {
        Self(authored)
    }

    /// The pools for which endpoints can be found: those that the documents have.
    pub fn pools(&self) -> impl Iterator<Item = &PoolName> {
        let hosts = self.0.hosts.iter();
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
