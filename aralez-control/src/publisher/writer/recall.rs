//! Views of earlier revisions, made again from the store.

use std::collections::VecDeque;
use std::sync::Arc;

use aralez_proto::version::Version;
use tracing::{info, warn};

use super::{Writer, report};
use crate::core::views::Views;

/// How many are kept: a fleet that comes back does so from few revisions.
const KEPT: usize = 2;

/// What came of the last attempts, by revision. One that failed is kept as well: each takes as long as a commit, and there may be thousands
/// of nodes for which it is asked.
#[derive(Debug, Default)]
pub(super) struct Earlier(VecDeque<(u64, Option<Arc<Views>>)>);

impl Earlier {
    fn find(&self, revision: u64) -> Option<&Option<Arc<Views>>> {
        let found = self.0.iter().find(|(known, _)| *known == revision);
        found.map(|(_, views)| views)
    }

    fn keep(&mut self, revision: u64, views: Option<Arc<Views>>) {
        self.0.push_back((revision, views));
        if self.0.len() > KEPT {
            self.0.pop_front();
        }
    }
}

impl Writer {
    /// The views of the revision of a version, with the endpoints of now or of when it was asked for before. `None`: there is no such
    /// revision in this history, or this release does not read it.
    pub(in super::super) fn recall(&mut self, version: Version) -> Option<Arc<Views>> {
        if version.generation != self.store.generation() {
            return None;
        }
        let revision = version.revision;
        if let Some(known) = self.earlier.find(revision) {
            return known.clone();
        }
        let views = self.views_of(revision).map(Arc::new);
        self.earlier.keep(revision, views.clone());
        views
    }

    fn views_of(&self, revision: u64) -> Option<Views> {
        let read = self.store.read(revision);
        let read = read.map_err(|error| warn!(revision, %error, "cannot read an earlier revision"));
        let built = self.build(&read.ok()??.documents, revision);
        let built = built.map_err(|rejected| {
            warn!(
                revision,
                "an earlier revision does not read with this release and these settings"
            );
            report(&rejected);
        });
        let built = built.ok()?;
        let (parse_ms, lower_ms) = (built.parse_ms, built.lower_ms);
        info!(
            revision,
            parse_ms,
            lower_ms,
            "made the views of an earlier revision again, for nodes that refuse the head"
        );
        Some(built.views)
    }
}
