//! Readiness: whether this node should receive traffic.

use std::time::{Duration, Instant};

use crate::core::live::Live;

/// Time after the first table for which a node still reports not ready.
pub const SETTLE: Duration = Duration::from_millis(250);

/// The reason why a node is not ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotReady {
    /// The node is draining.
    #[error("draining")]
    Draining,
    /// No table was ever loaded.
    #[error("no configuration: neither the cache nor control has provided one yet")]
    NoTable,
    /// The first table is younger than [`SETTLE`].
    #[error("the first configuration has just been loaded")]
    Settling,
}

/// Checks whether the node is ready. Only the first table has to settle: later swaps do not make a ready node unready.
///
/// # Errors
/// The reason why the node is not ready.
pub fn check(live: &Live, draining: bool, now: Instant) -> Result<(), NotReady> {
    if draining {
        return Err(NotReady::Draining);
    }
    let first = live.first().ok_or(NotReady::NoTable)?;
    if now.saturating_duration_since(first) < SETTLE {
        return Err(NotReady::Settling);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use aralez_proto::snapshot::SharedSnapshot;

    use super::*;
    use crate::core::live::{LiveTable, Origin};
    use crate::core::request::table::Table;

    fn publish(live: &Live, origin: Origin, since: Instant) {
        live.publish(LiveTable {
            table: Table::empty(),
            snapshot: SharedSnapshot::default(),
            origin,
            since,
        });
    }

    #[test]
    fn a_node_that_never_had_a_table_is_not_ready_and_says_so() {
        let now = Instant::now();
        let verdict = check(&Live::new(now), false, now + Duration::from_secs(60));
        assert_eq!(verdict, Err(NotReady::NoTable));
    }

    #[test]
    fn a_node_settles_once_and_stays_ready_through_swaps_also_where_nobody_asked_before() {
        let start = Instant::now();
        let live = Live::new(start);
        publish(&live, Origin::Cache, start);
        let settled = start + SETTLE;
        publish(&live, Origin::Stream, settled);
        assert_eq!(check(&live, false, start), Err(NotReady::Settling));
        assert_eq!(check(&live, false, settled), Ok(()));
    }

    #[test]
    fn a_draining_node_is_not_ready_whatever_it_serves() {
        let start = Instant::now();
        let live = Live::new(start);
        publish(&live, Origin::Stream, start);
        let verdict = check(&live, true, start + SETTLE);
        assert_eq!(verdict, Err(NotReady::Draining));
    }
}
