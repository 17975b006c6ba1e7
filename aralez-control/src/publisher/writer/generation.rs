//! Generations: a new or restored history moves above the versions that the nodes of its cluster hold.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aralez_proto::version::Version;
use aralez_runtime::clock;
use tracing::{info, warn};

use super::Writer;
use crate::core::commit::Rejected;
use crate::core::store::{MAX_GENERATION, Store};
use crate::core::touched::TouchedGroups;

/// The period in which nodes may raise the generation.
#[derive(Clone, Copy, Debug)]
pub(super) enum Settling {
    /// End of the period. It measures control's uptime, not wall clock: a restored control may start much later, or with a wrong clock.
    Until(Instant),
    /// The period is over.
    Over,
}

impl Settling {
    pub(super) fn of(store: &dyn Store, settling: Duration) -> Self {
        match store.is_settled() {
            true => Self::Over,
            false => Self::Until(Instant::now() + settling),
        }
    }
}

impl Writer {
    /// Raises the generation above `held`, which a node of this cluster holds, if the current version is lower and raising is still
    /// allowed. Returns whether the version is at least `held` now.
    pub(in super::super) fn go_above(&mut self, held: Version) -> Result<bool, Rejected> {
        let newest = Version {
            generation: self.store.generation(),
            revision: self.head_revision(),
            ..Version::default()
        };
        if !held.order(&newest).is_gt() {
            return Ok(true);
        }
        let open = matches!(self.settling, Settling::Until(end) if Instant::now() < end);
        if !open || held.generation >= MAX_GENERATION {
            return Ok(false);
        }
        let generation = held.generation + 1;
        let (before, message) = (
            newest.generation,
            format!(
                "generation {generation}: a node holds generation {}, revision {}",
                held.generation, held.revision
            ),
        );
        let begun = self
            .store
            .begin_generation(generation, clock::unix_ms(), &message);
        let head = begun.map_err(|error| Rejected::Store(error.to_string()))?;
        warn!(
            before,
            generation,
            held_generation = held.generation,
            held_revision = held.revision,
            revision = head.as_ref().map_or(0, |head| head.revision),
            "a node of this cluster holds a newer version than this new or restored history: generation raised"
        );
        let serves = self.unread.is_none();
        let views = Arc::clone(&self.outlets.views.borrow());
        let version = Version {
            generation,
            revision: head
                .as_ref()
                .map_or(0, |head| if serves { head.revision } else { 0 }),
            ..views.version()
        };
        if head.is_some() {
            self.head.clone_from(&head);
            self.outlets.head.send_replace(head);
        }
        self.publish_views(views.with_version(version), &TouchedGroups::default());
        Ok(true)
    }

    /// Returns when the period in which nodes can raise the generation ends; `None` if it is over.
    pub(in super::super) const fn settles_at(&self) -> Option<Instant> {
        match self.settling {
            Settling::Until(end) => Some(end),
            Settling::Over => None,
        }
    }

    /// Records that the fleet follows this history. From here on, a node that holds a higher generation is turned away.
    pub(in super::super) fn settle(&mut self) -> Result<(), Rejected> {
        let settled = self.store.settle();
        settled.map_err(|error| Rejected::Store(error.to_string()))?;
        self.settling = Settling::Over;
        let generation = self.store.generation();
        info!(
            generation,
            "generation settled: nodes that hold a higher one are turned away"
        );
        Ok(())
    }
}
