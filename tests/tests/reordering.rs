//! Messages of control reach some nodes out of order: only a defect can cause that, and it must do no harm.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aralez_proto::hash::Digest;
use aralez_proto::snapshot::Snapshot;
use aralez_tests::document;
use aralez_tests::fleet::Plan;
use aralez_tests::simulator::{Reordering, Simulator, Watcher};

const HOSTS: usize = 200;
const NODES: usize = 8;
const COMMITS: usize = 60;
const LIMIT: Duration = Duration::from_secs(60);

/// The roots that nodes ran, by revision.
#[derive(Clone, Default)]
struct Ran(Arc<Mutex<BTreeMap<u64, BTreeSet<Digest>>>>);

impl Watcher for Ran {
    fn applied(&self, _: usize, snapshot: &Snapshot) {
        let version = snapshot.version();
        let mut ran = self.0.lock().unwrap();
        ran.entry(version.revision)
            .or_default()
            .insert(version.root);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_hear_control_in_another_order_run_only_what_was_committed_hold_up_nobody_and_follow_in_the_end()
 {
    let fleet = Plan::new(1)
        .document(&document::pairs(HOSTS, 0))
        .start()
        .await;
    let control = fleet.folder().join("control.sock");
    let path = fleet.folder().join("reordered.sock");
    let relay = Reordering::start(&path, &control, 7);
    let ran = Ran::default();
    let mut simulator = Simulator::new(Some(Box::new(ran.clone())));
    let sockets = (0..2 * NODES).map(|node| if node % 2 == 0 { &control } else { &path });
    simulator.add_each(sockets.cloned(), Duration::ZERO).await;
    let reordered: BTreeSet<usize> = (0..2 * NODES).filter(|node| node % 2 == 1).collect();
    for removed in 1..=COMMITS {
        simulator.board().expect(removed as u64 + 1);
        let answer = fleet.push(&document::pairs(HOSTS, removed)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let others = simulator.board().all_but(&reordered, LIMIT).await;
        others.expect("nobody waits for those that are confused");
    }
    assert!(relay.swapped() > 0, "nothing came in another order");
    relay.keep_order();
    let answer = fleet.push(&document::pairs(HOSTS, COMMITS + 1)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let all = simulator.all_run(COMMITS as u64 + 2, LIMIT).await;
    all.unwrap();
    println!("{} messages came in another order", relay.swapped());
    for (revision, roots) in &*ran.0.lock().unwrap() {
        assert_eq!(roots.len(), 1, "revision {revision}: {roots:?}");
    }
}
