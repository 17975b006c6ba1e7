//! The roster: the nodes that control expects, kept across its restarts.
//!
//! The fleet notes changes here, and the owner of the store writes them, many in one transaction. A heartbeat is no change: the time at
//! which a connected node was last seen is written every [`REFRESH`].

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aralez_proto::model::{GroupName, NodeName};

/// Interval between two writes of the times at which connected nodes were last seen.
pub const REFRESH: Duration = Duration::from_mins(5);
/// Time after which a node without a stream is forgotten.
pub const KEPT: Duration = Duration::from_hours(30 * 24);
/// Time after a start of control for which a push waits for the nodes that were connected when it stopped.
pub const RETURN: Duration = Duration::from_secs(30);

/// A node in its stored form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownNode {
    /// Its name.
    pub node: NodeName,
    /// Its group.
    pub group: GroupName,
    /// Time at which it was last seen, in milliseconds since 1970.
    pub last_seen_unix_ms: u64,
    /// Set if it had a stream then. A stream that control closed by stopping counts as open.
    pub connected: bool,
}

/// A change of a node to write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RosterChange {
    /// It joined, left, or is still connected.
    Seen {
        /// Its group.
        group: GroupName,
        /// Time at which it was last seen.
        last_seen: Instant,
        /// Set if it has a stream.
        connected: bool,
    },
    /// It is no longer expected.
    Forgotten,
}

/// The changes since the last write.
#[derive(Debug, Default)]
pub struct Roster {
    changes: BTreeMap<NodeName, RosterChange>,
    refreshed: Option<Instant>,
    closed: bool,
}

impl Roster {
    /// Notes a change of a node. It replaces an earlier one.
    pub fn note(&mut self, node: &NodeName, change: RosterChange) {
        if !self.closed {
            self.changes.insert(node.clone(), change);
        }
    }

    /// Stops noting changes: from now on streams close because control stops, which says nothing about their nodes.
    pub const fn close(&mut self) {
        self.closed = true;
    }

    /// Reports whether the times of connected nodes are due, and if so restarts the interval.
    pub fn take_due(&mut self, now: Instant) -> bool {
        let since = *self.refreshed.get_or_insert(now);
        let due = now >= since + REFRESH;
        if due {
            self.refreshed = Some(now);
        }
        due
    }

    /// Returns the changes to write, and clears them.
    pub fn take(&mut self) -> BTreeMap<NodeName, RosterChange> {
        std::mem::take(&mut self.changes)
    }

    /// Puts back changes that could not be written. Changes noted since then are newer and stay.
    pub fn put_back(&mut self, changes: BTreeMap<NodeName, RosterChange>) {
        for (node, change) in changes {
            self.changes.entry(node).or_insert(change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(connected: bool) -> RosterChange {
        RosterChange::Seen {
            group: "default".parse().unwrap(),
            last_seen: Instant::now(),
            connected,
        }
    }

    #[test]
    fn what_could_not_be_written_does_not_undo_what_changed_since() {
        let [a, b]: [NodeName; 2] = ["a", "b"].map(|name| name.parse().unwrap());
        let mut roster = Roster::default();
        roster.note(&a, seen(true));
        roster.note(&b, seen(true));
        let failed = roster.take();
        assert!(roster.take().is_empty());
        roster.note(&a, RosterChange::Forgotten);
        roster.put_back(failed);
        let changes = roster.take();
        assert_eq!(changes[&a], RosterChange::Forgotten);
        assert!(matches!(changes[&b], RosterChange::Seen { .. }));
    }

    #[test]
    fn nodes_whose_streams_control_ends_are_still_expected() {
        let node = "a".parse().unwrap();
        let mut roster = Roster::default();
        roster.note(&node, seen(true));
        roster.close();
        roster.note(&node, seen(false));
        let changes = roster.take();
        assert!(matches!(
            changes[&node],
            RosterChange::Seen {
                connected: true,
                ..
            }
        ));
    }

    #[test]
    fn times_of_connected_nodes_are_due_every_few_minutes_and_not_at_every_look() {
        let start = Instant::now();
        let mut roster = Roster::default();
        assert!(!roster.take_due(start));
        assert!(!roster.take_due(start + REFRESH - Duration::from_secs(1)));
        assert!(roster.take_due(start + REFRESH));
        assert!(!roster.take_due(start + REFRESH + Duration::from_secs(1)));
    }
}
