//! Keeps the fleet's roster of nodes in the store: read once at the start, written in batches while control runs.

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

/// Between two looks at what changed: a herd that comes back is one write.
const LOOK: Duration = Duration::from_secs(1);
/// How long changes wait after they could not be written.
const RETRY: Duration = Duration::from_secs(30);

/// Tells the fleet which nodes were known when control ended. A store that cannot tell is a trouble and no reason to stop.
pub(super) fn recall(store: &dyn Store, fleet: &SharedFleet) {
    let known = match store.nodes() {
        Ok(known) => known,
        Err(error) => return trouble(fleet, format!("the list of nodes cannot be read: {error}")),
    };
    if !known.is_empty() {
        info!(
            nodes = known.len(),
            "expects the nodes that were known before"
        );
    }
    let (now, unix_ms) = (Instant::now(), clock::unix_ms());
    let mut fleet = fleet.lock();
    for known in known {
        // A clock that went backwards makes nobody seen in the future.
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

/// Writes what changes until control leaves, and then what is left.
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

/// Writes changes; `false` where they wait because that failed.
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
