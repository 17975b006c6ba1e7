//! Persists the roster of nodes in the store: reads it once at start, and writes changes in batches while control runs.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aralez_proto::model::NodeName;
use aralez_runtime::clock;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::core::fleet::SharedFleet;
use crate::core::node::NodeFacts;
use crate::core::roster::{KEPT, KnownNode, RETURN, RosterChange};
use crate::core::store::{NodeChanges, Store};
use crate::publisher::Publisher;

/// Interval between two checks for changes: nodes that reconnect in a herd cost one write.
const LOOK: Duration = Duration::from_secs(1);
/// Delay before changes are written again after a write failed.
const RETRY: Duration = Duration::from_secs(30);

/// Restores the nodes that were known when control last stopped.
/// If the store cannot be read, the error is logged and shown in the status; control starts anyway.
pub(super) fn recall(store: &dyn Store, fleet: &SharedFleet) {
    let known = match store.nodes() {
        Ok(known) => known,
        Err(error) => return trouble(fleet, format!("the list of nodes cannot be read: {error}")),
    };
    if !known.is_empty() {
        info!(
            nodes = known.len(),
            "restored the nodes known before the restart"
        );
    }
    let (now, unix_ms) = (Instant::now(), clock::unix_ms());
    let mut fleet = fleet.lock();
    for known in known {
        // Saturates: if the clock went backwards, no node was last seen in the future.
        let age = Duration::from_millis(unix_ms.saturating_sub(known.last_seen_unix_ms));
        let last_seen = now.checked_sub(age.min(KEPT)).unwrap_or(now);
        let facts = NodeFacts {
            node: known.node,
            group: known.group,
            proxy_version: String::new(),
            peer: None,
        };
        fleet.remember(facts, last_seen, known.connected.then(|| now + RETURN));
    }
}

/// Writes changes until shutdown, and then the remaining ones.
pub(super) async fn keep(
    publisher: Publisher,
    fleet: SharedFleet,
    mut leaving: watch::Receiver<bool>,
) {
    let mut not_before = Instant::now();
    loop {
        let left = leaving.wait_for(|leaving| *leaving);
        let ends = tokio::time::timeout(LOOK, left).await.is_ok();
        let now = Instant::now();
        let changes = {
            let mut fleet = fleet.lock();
            fleet.tick(now);
            if ends {
                fleet.roster().close();
            }
            let writes = ends || now >= not_before;
            if writes {
                fleet.roster().take()
            } else {
                BTreeMap::new()
            }
        };
        if !write(&publisher, &fleet, changes).await {
            not_before = now + RETRY;
        }
        if ends {
            return;
        }
    }
}

/// Writes changes. Returns `false` if that failed; the changes are then queued again.
async fn write(
    publisher: &Publisher,
    fleet: &SharedFleet,
    changes: BTreeMap<NodeName, RosterChange>,
) -> bool {
    if changes.is_empty() {
        return true;
    }
    let Err(error) = publisher.write_nodes(of_store(&changes)).await else {
        fleet.lock().roster_written(None);
        return true;
    };
    fleet.lock().roster().put_back(changes);
    trouble(
        fleet,
        format!("the list of nodes cannot be written: {error}"),
    );
    false
}

fn of_store(changes: &BTreeMap<NodeName, RosterChange>) -> NodeChanges {
    let (now, unix_ms) = (Instant::now(), clock::unix_ms());
    let mut written = NodeChanges::default();
    for (node, change) in changes {
        match change {
            RosterChange::Seen {
                group,
                last_seen,
                connected,
            } => {
                let age = now.saturating_duration_since(*last_seen).as_millis();
                let age = u64::try_from(age).unwrap_or(u64::MAX);
                written.put.push(KnownNode {
                    node: node.clone(),
                    group: group.clone(),
                    last_seen_unix_ms: unix_ms.saturating_sub(age),
                    connected: *connected,
                });
            }
            RosterChange::Forgotten => written.forget.push(node.clone()),
        }
    }
    written
}

fn trouble(fleet: &SharedFleet, trouble: String) {
    warn!("{trouble}");
    fleet.lock().roster_written(Some(trouble));
}
