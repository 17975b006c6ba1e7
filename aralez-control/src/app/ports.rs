//! Connects the adapters: implements the ports of the API and the stream for the publisher, and renders the text of `/metrics`.

use std::sync::Arc;
use std::time::Duration;

use aralez_proto::model::GroupName;
use aralez_proto::version::Version;

use crate::api::{BackingUp, Commits, Committing, ReadingRevision, Releasing};
use crate::core::commit::{Proposal, TakeFiles};
use crate::core::fleet::SharedFleet;
use crate::core::hold::HoldId;
use crate::core::store::RevisionInfo;
use crate::metrics::{Gauges, Metrics};
use crate::publisher::Publisher;
use crate::stream::{History, Recalling, Rising};

pub(super) fn metrics_text(
    metrics: Arc<Metrics>,
    publisher: Publisher,
    fleet: SharedFleet,
) -> Arc<dyn Fn() -> String + Send + Sync> {
    let views = publisher.views();
    let documents = publisher.source_status();
    Arc::new(move || {
        let figures = publisher.figures();
        let reading = Gauges {
            head: views.borrow().version(),
            commits: figures.commits,
            refused: figures.refused,
            held: figures.held,
            files_held: documents.borrow().held.is_some(),
            files_writing: documents.borrow().writing,
            parse: Duration::from_millis(figures.parse_ms),
            lower: Duration::from_millis(figures.lower_ms),
            write: Duration::from_millis(figures.commit_ms),
        };
        let nodes = fleet.lock().counts();
        metrics.render(&reading, &nodes)
    })
}

impl Commits for Publisher {
    fn commit(&self, proposal: Proposal) -> Committing<'_> {
        Box::pin(Self::commit(self, proposal))
    }

    fn release(&self, shown: Option<HoldId>) -> Releasing<'_> {
        Box::pin(Self::release(self, shown))
    }

    fn take_files(&self, take: TakeFiles) -> Committing<'_> {
        Box::pin(Self::take_files(self, take))
    }

    fn backup(&self) -> BackingUp<'_> {
        Box::pin(Self::backup(self))
    }

    fn revision(&self, revision: u64) -> ReadingRevision<'_> {
        Box::pin(Self::revision(self, revision))
    }

    fn head(&self) -> Option<RevisionInfo> {
        Self::head(self)
    }
}

impl History for Publisher {
    fn recall(&self, group: GroupName, version: Version) -> Recalling<'_> {
        Box::pin(Self::recall(self, group, version))
    }

    fn go_above(&self, held: Version) -> Rising<'_> {
        Box::pin(Self::go_above(self, held))
    }
}
