//! Builds views from documents: for a commit in the writer, and for a recall outside of it.

use std::sync::Arc;
use std::time::Instant;

use aralez_proto::document::{self, Authored, DocumentSet, Surroundings};
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
    pub(in super::super) parse_ms: u64,
    pub(in super::super) lower_ms: u64,
}

impl Basis {
    /// Parses documents and builds their views as a revision of a generation.
    pub(in super::super) fn build(
        self,
        documents: &DocumentSet,
        (generation, revision): (u64, u64),
    ) -> Result<Built, Rejected> {
        let begun = Instant::now();
        let authored: Authored =
            document::read(documents, &self.surroundings).map_err(Rejected::Documents)?;
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
            parse_ms,
            lower_ms: millis_since(begun),
        })
    }
}

pub(super) fn millis_since(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}
