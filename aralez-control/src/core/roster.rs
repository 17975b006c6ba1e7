//! The roster: the nodes that control expects, as they are kept over its restarts.
//!
//! The fleet notes what changes here; whoever owns the store writes it, many changes in one transaction. A heartbeat is no change: when a
//! connected node was last seen is written every [`REFRESH`].

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aralez_proto::model::{GroupName, NodeName};

/// How often the time a connected node was last seen is written.
pub const REFRESH: Duration = Duration::from_mins(5);
/// How long after its stream ended a node is forgotten.
pub const KEPT: Duration = Duration::from_hours(30 * 24);
/// How long after a start of control a push waits for the nodes that were connected when it ended.
pub const RETURN: Duration = Duration::from_secs(30);

/// A node as the store keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownNode {
    /// Its name.
    pub node: NodeName,
    /// Its group.
    pub group: GroupName,
    /// When it was last seen, in milliseconds since 1970.
    pub last_seen_unix_ms: u64,
    /// Whether it had a stream then. A node whose stream ended because control ended had one.
    pub connected: bool,
}

/// What is to be written of a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RosterChange {
    /// It joined, left, or is still there.
    Seen {
        /// Its group.
        group: GroupName,
        /// When it was last seen.
        last_seen: Instant,
        /// Whether it has a stream.
        connected: bool,
    },
    /// It is no longer expected.
    Forgotten,
}

/// What has changed since it was last written.
#[derive(Debug, Default)]
pub struct Roster {
    changes: BTreeMap<NodeName, RosterChange>,
    refreshed: Option<Instant>,
    closed: bool,
}

impl Roster {
    /// A node changed. The newest change of a node counts.
    pub fn note(&mut self, node: &NodeName, change: RosterChange) {
        if !self.closed {
            self.changes.insert(node.clone(), change);
        }
    }

    /// From here on streams end because control does, which says nothing about their nodes.
    pub const fn close(&mut self) {
        self.closed = true;
    }

    /// Whether the times of connected nodes are due, which they are no longer after this.
    pub fn is_due(&mut self, now: Instant) -> bool {
        let since = *self.refreshed.get_or_insert(now);
        let due = now >= since + REFRESH;
        if due {
            self.refreshed = Some(now);
        }
        due
    }

    /// What is to be written now.
    pub fn take(&mut self) -> BTreeMap<NodeName, RosterChange> {
        std::mem::take(&mut self.changes)
    }

    /// Gives back what could not be written. What changed since is newer.
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
        assert!(!roster.is_due(start));
        assert!(!roster.is_due(start + REFRESH - Duration::from_secs(1)));
        assert!(roster.is_due(start + REFRESH));
        assert!(!roster.is_due(start + REFRESH + Duration::from_secs(1)));
    }
}
