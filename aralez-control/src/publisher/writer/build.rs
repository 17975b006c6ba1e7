//! Builds views from documents: for a commit in the writer, and for a recall outside of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use aralez_proto::document::{self, DocumentFaults, DocumentSet, Surroundings};
use aralez_proto::model::RelativePath;
use aralez_proto::version::Version;

use crate::core::commit::Rejected;
use crate::core::layers::Layers;
use crate::core::views::Views;

/// The inputs for building views apart from the documents. Cheap to create: it copies only pointers.
#[derive(Debug)]
pub(in super::super) struct Basis {
    pub(in super::super) surroundings: Surroundings,
    /// The layers, of which the authored one is replaced.
    pub(in super::super) layers: Layers,
    /// Previous views, with which unchanged parts are shared.
    pub(in super::super) before: Arc<Views>,
}

/// Documents without faults, and the views built from them.
#[derive(Debug)]
pub(in super::super) struct Built {
    pub(in super::super) layers: Layers,
    pub(in super::super) views: Views,
    /// The files that the documents name.
    pub(in super::super) named: BTreeSet<RelativePath>,
    pub(in super::super) parse_ms: u64,
    pub(in super::super) lower_ms: u64,
}

/// Reason why documents were not built or committed.
#[derive(Debug)]
pub(in super::super) enum NotBuilt {
    /// They are rejected.
    Rejected(Rejected),
    /// They name other files than those of their set.
    OtherFiles {
        /// The files that they name.
        named: BTreeSet<RelativePath>,
        /// The faults for those that the set lacks; empty if the set only has too many.
        faults: DocumentFaults,
    },
}

impl From<Rejected> for NotBuilt {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl NotBuilt {
    /// Returns the rejection of a set that nothing can be added to.
    pub(in super::super) fn into_rejected(self) -> Rejected {
        match self {
            Self::Rejected(rejected) => rejected,
            Self::OtherFiles { faults, .. } => Rejected::Documents(faults),
        }
    }
}

impl Basis {
    /// Parses documents and builds their views as a revision of a generation.
    pub(in super::super) fn build(
        self,
        documents: &DocumentSet,
        (generation, revision): (u64, u64),
    ) -> Result<Built, NotBuilt> {
        let begun = Instant::now();
        let read = document::read_as(documents, &self.surroundings, &str::to_owned);
        let is_complete = read.is_complete(documents.files());
        let named = read.named;
        let authored = match read.authored {
            Ok(authored) => authored,
            Err(faults) if is_complete => return Err(Rejected::Documents(faults).into()),
            Err(faults) => return Err(NotBuilt::OtherFiles { named, faults }),
        };
        let parse_ms = millis_since(begun);
        let begun = Instant::now();
        let layers = Layers {
            authored: Arc::new(authored),
            ..self.layers
        };
        let version = Version {
            generation,
            revision,
            sequence: self.before.version().sequence,
            ..Version::default()
        };
        let views = self.before.next(version, &layers);
        Ok(Built {
            views: views.map_err(Rejected::Snapshot)?,
            layers,
            named,
            parse_ms,
            lower_ms: millis_since(begun),
        })
    }
}

pub(super) fn millis_since(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}
