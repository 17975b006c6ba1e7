//! Whether this node should get traffic.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::core::live::{LiveTable, Origin};

/// How long after its first table a node waits for what it does not know yet; an endpoint of unknown health serves.
pub const SETTLE: Duration = Duration::from_millis(250);

/// Why a node is not ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotReady {
    /// It is on its way out.
    #[error("draining")]
    Draining,
    /// Nothing was ever loaded.
    #[error("no configuration: neither the cache nor control has given one yet")]
    NoTable,
    /// The first table is younger than [`SETTLE`].
    #[error("the first configuration has just been loaded")]
    Settling,
}

/// Remembers when the first table was seen, so that later swaps do not make a ready node unready.
#[derive(Debug, Default)]
pub struct Readiness {
    first_table: OnceLock<Instant>,
}

impl Readiness {
    /// Whether traffic should come now.
    ///
    /// # Errors
    /// The reason why not.
    pub fn check(&self, live: &LiveTable, draining: bool, now: Instant) -> Result<(), NotReady> {
        if draining {
            return Err(NotReady::Draining);
        }
        if live.origin == Origin::None {
            return Err(NotReady::NoTable);
        }
        let first = *self.first_table.get_or_init(|| live.since);
        if now.saturating_duration_since(first) < SETTLE {
            return Err(NotReady::Settling);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aralez_proto::snapshot::SharedSnapshot;

    use super::*;
    use crate::core::table::Table;

    fn live(origin: Origin, since: Instant) -> LiveTable {
        LiveTable {
            table: Table::empty(),
            snapshot: SharedSnapshot::default(),
            origin,
            since,
        }
    }

    #[test]
    fn a_node_that_never_had_a_table_is_not_ready_and_says_so() {
        let now = Instant::now();
        let empty = live(Origin::None, now);
        let later = now + Duration::from_secs(60);
        let verdict = Readiness::default().check(&empty, false, later);
        assert_eq!(verdict, Err(NotReady::NoTable));
    }

    #[test]
    fn a_node_settles_once_and_stays_ready_through_swaps() {
        let readiness = Readiness::default();
        let start = Instant::now();
        let first = live(Origin::Cache, start);
        let verdict = readiness.check(&first, false, start);
        assert_eq!(verdict, Err(NotReady::Settling));
        let settled = start + SETTLE;
        assert_eq!(readiness.check(&first, false, settled), Ok(()));
        let swapped = live(Origin::Stream, settled);
        assert_eq!(readiness.check(&swapped, false, settled), Ok(()));
    }

    #[test]
    fn a_draining_node_is_not_ready_whatever_it_serves() {
        let start = Instant::now();
        let serving = live(Origin::Stream, start);
        let verdict = Readiness::default().check(&serving, true, start + SETTLE);
        assert_eq!(verdict, Err(NotReady::Draining));
    }
}
