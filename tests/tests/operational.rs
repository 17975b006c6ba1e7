//! A record of the operational layer, from the writer over the ledger and the views to a node.
//!
//! No part of the product creates such records yet, so the test assembles a control from its parts. No resource of the operational layer is
//! served by this release: an endpoint that no source finds is used instead.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use aralez_control::core::change::Change;
use aralez_control::core::commit::{CommitOrigin, Confirmation, Proposal};
use aralez_control::core::fleet::SharedFleet;
use aralez_control::core::hold::HOLD;
use aralez_control::core::layers::Discovered;
use aralez_control::core::session::Pace;
use aralez_control::ledger::Ledger;
use aralez_control::metrics::Metrics;
use aralez_control::publisher::{Publisher, PublisherParts, SETTLING};
use aralez_control::stream::{self, ControlSocket, Hub, HubParts};
use aralez_proto::convert::endpoint_record;
use aralez_proto::document::{DocumentSet, Surroundings};
use aralez_proto::model::{Endpoint, EndpointOwner};
use aralez_proto::record::{Change as RecordChange, Record};
use aralez_proto::snapshot::Snapshot;
use aralez_tests::eventually::eventually;
use aralez_tests::simulator::{Simulator, Watcher};
use tokio::sync::watch;

const SOON: Duration = Duration::from_secs(20);
const DOCUMENT: &str = "a.test: {paths: {/: {servers: ['10.0.0.1:80']}}}\n";

fn record() -> Record {
    let pool = "a.test/".parse().unwrap();
    let endpoint = Endpoint::new("10.0.0.77:80".parse().unwrap());
    endpoint_record(EndpointOwner::Source, &pool, &endpoint)
}

/// Set once a node has the record.
#[derive(Clone, Default)]
struct Seen(Arc<AtomicBool>);

impl Watcher for Seen {
    fn applied(&self, _: usize, snapshot: &Snapshot) {
        let has = snapshot.records().get(&record().key).is_some();
        self.0.store(has, Ordering::SeqCst);
    }
}

fn publisher(folder: &Path, fleet: &SharedFleet) -> Publisher {
    let parts = PublisherParts {
        store: Box::new(Ledger::open(&folder.join("ledger")).unwrap()),
        main_file: None,
        files: None,
        heads: Arc::new(fleet.clone()),
        discovered: Discovered::default(),
        surroundings: Surroundings::default(),
        hold: HOLD,
        settling: SETTLING,
    };
    Publisher::open(parts).unwrap()
}

fn serve(publisher: &Publisher, fleet: SharedFleet, socket: &Path, leaving: watch::Receiver<bool>) {
    let parts = HubParts {
        cluster: publisher.cluster_id(),
        views: publisher.views(),
        history: Arc::new(publisher.clone()),
        fleet,
        observer: Arc::new(Metrics::default()),
        pace: Pace::default(),
        leaving: leaving.clone(),
    };
    let hub = Hub::new(parts, Instant::now());
    tokio::spawn(Arc::clone(&hub).follow());
    let socket = ControlSocket::bind(socket).unwrap();
    tokio::spawn(stream::serve(socket, 64, hub, leaving));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_control_keeps_reaches_every_node_without_a_revision_and_leaves_them_again() {
    let folder = tempfile::tempdir().unwrap();
    let fleet = SharedFleet::default();
    let publisher = publisher(folder.path(), &fleet);
    let proposal = Proposal {
        documents: DocumentSet::of_main(DOCUMENT.into()),
        origin: CommitOrigin::Api,
        message: String::new(),
        expect: None,
        save: false,
        confirmation: Confirmation::Force,
    };
    publisher.commit(proposal).await.unwrap();
    let socket = folder.path().join("control.sock");
    let (_leave, leaving) = watch::channel(false);
    serve(&publisher, fleet, &socket, leaving);
    let seen = Seen::default();
    let mut nodes = Simulator::new(Some(Box::new(seen.clone())));
    nodes.add(&socket);
    nodes.all_run(1, SOON).await.unwrap();
    let steps = [
        (RecordChange::Put(record()), true),
        (RecordChange::Delete(record().key), false),
    ];
    for (counter, (change, expected)) in (1..).zip(steps) {
        let committed = publisher.apply(Change::Operational(vec![change])).await;
        assert_eq!(committed.unwrap().version.revision, 1);
        let has = || async {
            let has = seen.0.load(Ordering::SeqCst);
            (has == expected)
                .then_some(())
                .ok_or_else(|| format!("{has}"))
        };
        eventually(SOON, "the node follows", has).await;
        assert_eq!(publisher.views().borrow().version().operational, counter);
    }
}
