//! The stream and the cache together, against a scripted control.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aralez_proto::convert::{host_record, pool_record};
use aralez_proto::fault::FaultCode;
use aralez_proto::main_config::ControlAddress;
use aralez_proto::model::{Action, Pool, Route, VirtualHost};
use aralez_proto::record::{Record, RecordSet};
use aralez_proto::rules::Rules;
use aralez_proto::snapshot::{Limits, Snapshot};
use aralez_proto::version::Version;
use aralez_proto::wire::control as wire;
use aralez_proxy::cache::Cache;
use aralez_proxy::core::live::{Live, Origin};
use aralez_proxy::core::request::files::roots::FileRoots;
use aralez_proxy::core::sync::snapshot_cache::SnapshotCache;
use aralez_proxy::sync::{Counters, RETRY_ALONE, SyncConfig, SyncHandle, SyncStatus, spawn};
use tempfile::TempDir;
use tokio::task::block_in_place;

mod control;
mod forgetful;
use control::Control;

struct NoTraffic;

impl Counters for NoTraffic {
    fn requests(&self) -> u64 {
        12
    }

    fn responses_5xx(&self) -> u64 {
        3
    }
}

fn host(name: &str, pool: &str) -> Record {
    let route = Route {
        path: "/".into(),
        matches: None,
        rules: Rules::default(),
        action: Action::Pool(pool.parse().unwrap()),
    };
    host_record(&VirtualHost {
        pattern: name.parse().unwrap(),
        rules: Rules::default(),
        routes: vec![route],
    })
}

fn version(revision: u64) -> Version {
    Version {
        generation: 1,
        revision,
        ..Version::default()
    }
}

/// Returns the snapshot of a revision, which has as many hosts as its number.
fn snapshot(revision: u64) -> Snapshot {
    let hosts = (0..revision).map(|number| host(&format!("h{number}.example.com"), "app/"));
    let pool = pool_record(&"app/".parse().unwrap(), &Pool::default());
    let records: RecordSet = hosts.chain([pool]).collect();
    Snapshot::complete(version(revision), records, &Limits::default()).unwrap()
}

/// The stream of a proxy, with its cache in a folder.
struct Proxy {
    live: Arc<Live>,
    handle: SyncHandle,
}

impl Proxy {
    fn start(folder: &Path) -> Self {
        let memory = Cache::new(folder.join("proxy"), "test".to_owned());
        Self::with(folder, Box::new(memory))
    }

    fn with(folder: &Path, memory: Box<dyn SnapshotCache>) -> Self {
        let live = Arc::new(Live::new(Instant::now()));
        let config = SyncConfig {
            servers: vec![ControlAddress::Unix(folder.join("control.sock"))],
            node: "node-1".parse().unwrap(),
            group: "default".parse().unwrap(),
            limits: Limits {
                max_hosts: Some(5),
                ..Limits::default()
            },
            file_roots: FileRoots::default(),
            proxy_version: "test".to_owned(),
            counters: Arc::new(NoTraffic),
            cache: memory,
            retry_alone: RETRY_ALONE,
        };
        let handle = spawn(config, Arc::clone(&live), Arc::default()).unwrap();
        Self { live, handle }
    }

    fn running(&self) -> (Version, Origin) {
        let live = self.live.load();
        (live.snapshot.version(), live.origin)
    }

    async fn status(&self, wanted: impl FnMut(&SyncStatus) -> bool) -> SyncStatus {
        let mut status = self.handle.status();
        let wait = status.wait_for(wanted);
        let status = tokio::time::timeout(Duration::from_secs(20), wait).await;
        status.expect("no such status in 20 s").unwrap().clone()
    }

    fn stop(self) {
        block_in_place(|| self.handle.shutdown());
    }
}

fn control(folder: &Path) -> Control {
    Control::start(&folder.join("control.sock"))
}

/// Fills the cache in a folder: a proxy receives this snapshot, then it and control stop.
async fn served_once(folder: &Path, snapshot: &Snapshot) {
    let mut control = control(folder);
    let proxy = Proxy::start(folder);
    let (mut session, _) = control.accept().await;
    session.welcome(1, snapshot).await;
    session.update(1, None, snapshot).await;
    session.ack().await;
    proxy.stop();
    control.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_is_served_acknowledged_cached_and_reported() {
    let folder = TempDir::new().unwrap();
    let mut control = control(folder.path());
    let proxy = Proxy::start(folder.path());
    assert_eq!(proxy.running().1, Origin::None);
    let (mut session, hello) = control.accept().await;
    assert_eq!(
        (hello.node.as_str(), hello.group.as_str()),
        ("node-1", "default")
    );
    assert_eq!(
        (hello.held, hello.boot_id.len(), hello.cluster_id.len()),
        (None, 16, 0)
    );
    let first = snapshot(2);
    session.welcome(1, &first).await;
    session.update(1, None, &first).await;
    let ack = session.ack().await;
    assert_eq!(
        (ack.update_id, ack.version.unwrap()),
        (1, first.version().into())
    );
    assert_eq!(proxy.running(), (first.version(), Origin::Stream));
    let persisted = |status: &wire::Status| status.persisted.is_some();
    let status = session.status(persisted).await;
    assert_eq!(
        (status.running, status.origin.as_str()),
        (Some(first.version().into()), "stream")
    );
    assert_eq!((status.requests, status.responses_5xx), (12, 3));
    let second = snapshot(3);
    session.update(2, Some(&first), &second).await;
    session.ack().await;
    assert_eq!(proxy.running().0, second.version());
    let shown = proxy
        .status(|status| status.running == Some(second.version()))
        .await;
    assert!(shown.connected.is_some() && shown.first_contact && shown.troubles.is_empty());
    proxy.stop();
}

/// F-03: an update is validated as a whole, and refused with the reason.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_update_leaves_what_runs_and_names_the_resource() {
    let folder = TempDir::new().unwrap();
    let mut control = control(folder.path());
    let proxy = Proxy::start(folder.path());
    let (mut session, _) = control.accept().await;
    let first = snapshot(2);
    session.welcome(1, &first).await;
    session.update(1, None, &first).await;
    session.ack().await;
    let before = Arc::as_ptr(&proxy.live.load());
    // Six hosts: one too many for this node.
    session.update(2, Some(&first), &snapshot(6)).await;
    let nack = session.nack().await;
    assert_eq!(
        (nack.update_id, nack.kept),
        (2, Some(first.version().into()))
    );
    assert_eq!(nack.faults[0].code(), wire::FaultCode::Limit);
    assert_eq!(
        (nack.faults[0].key.as_str(), nack.faults[0].field.as_str()),
        ("h5.example.com", "max_hosts")
    );
    // Changes that do not produce the announced root were damaged in transit: this update is refused, but not its content.
    let wrong = snapshot(3).renamed(version(7));
    session.changes(3, Some(&first), &wrong, &[]).await;
    assert_eq!(
        session.nack().await.faults[0].code(),
        wire::FaultCode::HashMismatch
    );
    assert_eq!(Arc::as_ptr(&proxy.live.load()), before);
    let refused = proxy
        .status(|status| status.refused.len() == 1)
        .await
        .refused;
    assert_eq!(refused[0].faults[0].code, FaultCode::Limit);
    session.update(4, Some(&first), &snapshot(4)).await;
    session.ack().await;
    assert_eq!(proxy.running().0, snapshot(4).version());
    proxy.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_serves_from_its_cache_before_and_without_control() {
    let folder = TempDir::new().unwrap();
    let kept = snapshot(2);
    served_once(folder.path(), &kept).await;
    // Control is not running. The first check is immediately after the start, when listeners would open.
    let proxy = Proxy::start(folder.path());
    assert_eq!(proxy.running(), (kept.version(), Origin::Cache));
    let status = proxy.status(|status| !status.troubles.is_empty()).await;
    assert!(!status.first_contact && status.connected.is_none());
    assert!(
        status.troubles[0].contains("cannot be reached"),
        "{:?}",
        status.troubles
    );
    assert_eq!(proxy.running(), (kept.version(), Origin::Cache));
    // Control runs again. The proxy names the version that it holds, and receives only newer ones.
    let mut control = control(folder.path());
    let (mut session, hello) = control.accept().await;
    assert_eq!(hello.held, Some(kept.version().into()));
    assert_eq!(
        (hello.cluster_id.to_vec(), hello.replaces_boot_id.len()),
        (vec![1; 16], 16)
    );
    session.welcome(1, &kept).await;
    let told = session.status(|status| status.running.is_some()).await;
    assert_eq!((told.origin.as_str(), told.troubles.len()), ("cache", 0));
    session.update(1, Some(&kept), &snapshot(3)).await;
    session.ack().await;
    assert_eq!(proxy.running(), (snapshot(3).version(), Origin::Stream));
    proxy.stop();
}

/// F-05: the stream breaks in the middle of an update.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_control_changes_nothing_and_the_stream_comes_back_by_itself() {
    let folder = TempDir::new().unwrap();
    let mut control = control(folder.path());
    let proxy = Proxy::start(folder.path());
    let (mut session, _) = control.accept().await;
    let first = snapshot(2);
    session.welcome(1, &first).await;
    session.update(1, None, &first).await;
    session.ack().await;
    // The stream breaks after the begin of an update.
    session
        .say(wire::control_message::Kind::Begin(wire::UpdateBegin {
            update_id: 2,
            from_root: first.version().root.as_bytes().to_vec().into(),
            to: Some(snapshot(3).version().into()),
            parts: 2,
            bytes: 100,
        }))
        .await;
    drop(session);
    let (session, hello) = control.accept().await;
    assert_eq!(hello.held, Some(first.version().into()));
    assert_eq!(proxy.running(), (first.version(), Origin::Stream));
    session.welcome(1, &first).await;
    proxy.status(|status| status.connected.is_some()).await;
    proxy.stop();
    session.ended().await;
}

/// F-04: control belongs to another cluster.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_control_of_another_cluster_is_refused_and_named() {
    let folder = TempDir::new().unwrap();
    let kept = snapshot(2);
    served_once(folder.path(), &kept).await;
    let mut control = control(folder.path());
    let proxy = Proxy::start(folder.path());
    let (session, _) = control.accept().await;
    session.welcome(2, &snapshot(3)).await;
    let named = |status: &SyncStatus| {
        status
            .troubles
            .iter()
            .any(|trouble| trouble.contains("another cluster"))
    };
    proxy.status(named).await;
    session.ended().await;
    assert_eq!(proxy.running(), (kept.version(), Origin::Cache));
    proxy.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restarts_that_end_well_never_make_a_version_suspect() {
    let folder = TempDir::new().unwrap();
    let kept = snapshot(2);
    served_once(folder.path(), &kept).await;
    for _ in 0..4 {
        let proxy = Proxy::start(folder.path());
        assert_eq!(proxy.running(), (kept.version(), Origin::Cache));
        proxy.stop();
    }
}
