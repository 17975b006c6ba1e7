//! Views of earlier revisions, rebuilt from the store for nodes that refuse the head.
//!
//! A rebuild takes as long as a commit, and after a restart of control thousands of nodes may ask at the same time. It therefore runs
//! outside of the writer, once per revision regardless of the number of requests, and one revision at a time.

use parking_lot::Mutex as Lock;
use std::sync::Arc;

use aralez_proto::document::DocumentSet;
use aralez_proto::model::GroupName;
use aralez_proto::snapshot::SharedSnapshot;
use aralez_proto::version::Version;
use tokio::sync::{Mutex, OnceCell};
use tracing::{info, warn};

use super::Publisher;
use super::writer::{Basis, report};
use crate::core::views::Views;

/// Number of revisions cached. Their views share unchanged parts with the head, so this costs only the differences.
const KEPT: usize = 16;

/// `None` if there is no such revision in this history, or this release cannot read it. That result is cached too.
type Made = Arc<OnceCell<Option<Arc<Views>>>>;

/// Cache of rebuilt views.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    kept: Lock<Vec<Kept>>,
    /// Held while a revision is rebuilt.
    making: Mutex<()>,
}

#[derive(Debug)]
struct Kept {
    /// Generation and revision.
    number: (u64, u64),
    /// Number of recent requests.
    asked: u64,
    made: Made,
}

impl Earlier {
    /// Returns the slot of a revision. If the cache is full, evicts the revision with the fewest requests.
    fn place(&self, number: (u64, u64)) -> Made {
        let mut kept = self.kept.lock();
        if let Some(known) = kept.iter_mut().find(|known| known.number == number) {
            known.asked += 1;
            return Arc::clone(&known.made);
        }
        if kept.len() >= KEPT {
            let least = kept.iter().enumerate().min_by_key(|(_, known)| known.asked);
            if let Some(least) = least.map(|(at, _)| at) {
                kept.remove(least);
            }
            // Old requests count less than recent ones.
            kept.iter_mut().for_each(|known| known.asked /= 2);
        }
        let made = Made::default();
        kept.push(Kept {
            number,
            asked: 1,
            made: Arc::clone(&made),
        });
        made
    }
}

#[cfg(test)]
impl Earlier {
    /// Blocks rebuilds while the guard is held.
    pub(super) async fn hold(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.making.lock().await
    }
}

/// The view could not be built now; a retry may succeed.
struct NotNow;

impl Publisher {
    /// Returns the view of a group at the revision of a version, with the endpoints known when it was first rebuilt. `None` if there is no
    /// such revision in this history, this release cannot read it, or it cannot be rebuilt now.
    pub async fn recall(&self, group: GroupName, version: Version) -> Option<SharedSnapshot> {
        let number = (version.generation, version.revision);
        let made = self.earlier.place(number);
        let views = made.get_or_try_init(|| self.make_again(number)).await;
        let views = views.ok()?.clone()?;
        Some(views.view(&group))
    }

    async fn make_again(&self, number: (u64, u64)) -> Result<Option<Arc<Views>>, NotNow> {
        let _turn = self.earlier.making.lock().await;
        let (generation, revision) = number;
        let found = self.work(move |writer| writer.revision(revision)).await;
        let found = found.and_then(|found| found).map_err(|error| {
            warn!(revision, %error, "cannot read an earlier revision");
            NotNow
        })?;
        let Some((info, documents, basis)) = found else {
            return Ok(None);
        };
        if info.generation != generation {
            return Ok(None);
        }
        let built = tokio::task::spawn_blocking(move || build(basis, &documents, number));
        built.await.map_err(|_| NotNow)
    }
}

fn build(basis: Basis, documents: &DocumentSet, number: (u64, u64)) -> Option<Arc<Views>> {
    let revision = number.1;
    match basis.build(documents, number) {
        Ok(built) => {
            let (parse_ms, lower_ms) = (built.parse_ms, built.lower_ms);
            info!(
                revision,
                parse_ms,
                lower_ms,
                "rebuilt the views of an earlier revision, for nodes that refuse the head"
            );
            Some(Arc::new(built.views))
        }
        Err(error) => {
            warn!(
                revision,
                "an earlier revision is invalid with this release and these settings"
            );
            report(&error.into_rejected());
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_revision_that_the_fewest_nodes_asked_for_gives_way() {
        let earlier = Earlier::default();
        let views = |number| {
            let made = earlier.place((1, number));
            made.set(None).is_ok()
        };
        for number in 0..KEPT as u64 {
            assert!(views(number), "each is made once");
        }
        for number in (0..KEPT as u64).filter(|number| *number != 5) {
            assert!(!views(number), "{number} is known");
        }
        assert!(views(100));
        assert!(!views(4) && !views(6) && !views(100));
        assert!(views(5), "one node alone had asked for it");
    }
}
