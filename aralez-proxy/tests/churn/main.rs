//! Endpoint churn while a content is on trial: the applier, with the cache on disk and a simulated clock.

#![allow(clippy::unwrap_used)] // Also outside of test functions, in their helpers.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aralez_proto::convert::{endpoint_record, host_record, pool_record};
use aralez_proto::model::{
    Action, Endpoint, EndpointOwner, HostPattern, Pool, PoolName, Route, VirtualHost,
};
use aralez_proto::record::{Change, Record, RecordKey};
use aralez_proto::rules::Rules;
use aralez_proto::snapshot::{Limits, Snapshot};
use aralez_proto::version::Version;
use aralez_proxy::cache::Cache;
use aralez_proxy::core::live::Live;
use aralez_proxy::core::request::registry::Registry;
use aralez_proxy::core::sync::snapshot_cache::CachedState;
use aralez_proxy::core::sync::subscription::Update;
use aralez_proxy::core::sync::trial::PROOF;
use aralez_proxy::sync::applier::Applier;
use aralez_proxy::sync::command::Command;
use tempfile::TempDir;

const SECOND: Duration = Duration::from_secs(1);

fn pool(host: &str) -> PoolName {
    PoolName::of_route(&host.parse::<HostPattern>().unwrap(), "/")
}

/// Returns the changes that add a host and its pool. A source finds the endpoints of the pool.
fn host(name: &str) -> [Change; 2] {
    let route = Route {
        path: "/".into(),
        matches: None,
        rules: Rules::default(),
        action: Action::Pool(pool(name)),
    };
    let host = VirtualHost {
        pattern: name.parse().unwrap(),
        rules: Rules::default(),
        routes: vec![route],
    };
    let pool = pool_record(&pool(name), &Pool::default());
    [host_record(&host), pool].map(Change::Put)
}

fn found(host: &str, port: u16) -> Record {
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    endpoint_record(EndpointOwner::Source, &pool(host), &Endpoint::new(address))
}

/// A proxy process that applies updates.
struct Process {
    worker: Applier,
    live: Arc<Live>,
    now: Instant,
}

impl Process {
    fn start(folder: &Path) -> (Self, CachedState) {
        let now = Instant::now();
        let live = Arc::new(Live::new(now));
        let memory = Box::new(Cache::new(folder.join("proxy"), "test".to_owned()));
        let (news, _) = tokio::sync::mpsc::unbounded_channel();
        let mut worker = Applier::new(
            memory,
            Arc::clone(&live),
            Arc::new(Registry::default()),
            Limits::default(),
            news,
            now,
        );
        let found = worker.boot(now);
        (Self { worker, live, now }, found)
    }

    fn running(&self) -> Arc<Snapshot> {
        Arc::clone(&self.live.load().snapshot)
    }

    /// Applies changes as this revision, and advances the clock by a second.
    fn apply(&mut self, revision: u64, changes: Vec<Change>) {
        let version = Version {
            generation: 1,
            revision,
            ..Version::default()
        };
        let limits = Limits::default();
        let (next, _) = self
            .running()
            .changed_by(version, &changes, &limits)
            .unwrap();
        let update = Update {
            full: false,
            to: next.version(),
            changes,
        };
        self.worker.take(Command::Apply(update), self.now);
        assert_eq!(self.running().version(), next.version());
        self.now += SECOND;
        self.worker.tick(self.now);
    }

    /// Replaces the endpoint of a host once per second.
    fn churns(&mut self, revision: u64, host: &str, seconds: u16) {
        for second in 0..seconds {
            let gone = Change::Delete(found(host, 100 + second).key);
            let come = Change::Put(found(host, 101 + second));
            self.apply(revision, vec![gone, come]);
        }
    }
}

/// Starts a process that dies after a second. Returns the state that it loaded.
fn dies(folder: &Path) -> CachedState {
    let (mut process, found) = Process::start(folder);
    process.worker.tick(process.now + SECOND);
    found
}

fn revision(found: &CachedState) -> Option<u64> {
    let snapshot = found.snapshot.as_ref()?;
    Some(snapshot.version().revision)
}

#[test]
fn a_minute_of_endpoint_churn_does_not_keep_a_content_from_becoming_good() {
    let folder = TempDir::new().unwrap();
    let (mut process, _) = Process::start(folder.path());
    process.apply(1, host("a.test").to_vec());
    process.churns(1, "a.test", u16::try_from(PROOF.as_secs()).unwrap() + 2);
    process.apply(2, host("b.test").to_vec());
    process.churns(2, "a.test", 10);
    drop(process);
    // Revision 2 is on trial at each death, although its endpoints kept changing. After four deaths the proven revision 1 serves.
    for _ in 0..3 {
        assert_eq!(revision(&dies(folder.path())), Some(2));
    }
    let found = dies(folder.path());
    assert_eq!(revision(&found), Some(1));
    assert_eq!(found.refused.len(), 1);
}

#[test]
fn falling_back_serves_the_older_documents_with_the_newest_endpoints() {
    let folder = TempDir::new().unwrap();
    let (mut process, _) = Process::start(folder.path());
    process.apply(1, [host("a.test"), host("gone.test")].concat());
    process.apply(1, vec![Change::Put(found("gone.test", 7))]);
    process.churns(1, "a.test", 62);
    // Revision 2 removes `gone.test` and its endpoint.
    let keys = host("gone.test").map(|change| change.key().clone());
    let keys: Vec<RecordKey> = keys
        .into_iter()
        .chain([found("gone.test", 7).key])
        .collect();
    process.apply(2, keys.into_iter().map(Change::Delete).collect());
    process.churns(2, "a.test", 40);
    let newest = found("a.test", 140).key;
    assert!(process.running().records().get(&newest).is_some());
    drop(process);
    while revision(&dies(folder.path())) == Some(2) {}
    let snapshot = dies(folder.path()).snapshot.unwrap();
    let records = snapshot.records();
    assert_eq!(snapshot.version().revision, 1);
    assert!(records.get(&found("gone.test", 7).key).is_some());
    let of_a = snapshot.resources().pools();
    let of_a = of_a.endpoints(&pool("a.test")).unwrap();
    let port = |endpoint: &Endpoint| endpoint.address.to_string()[10..].parse::<u16>().unwrap();
    let of_a: Vec<u16> = of_a.iter().map(port).collect();
    // 162 is the last port of revision 1. The other one is from revision 2, but need not be the newest: endpoint-only changes are written
    // every 30 s.
    assert!(matches!(of_a[..], [106..=140, 162]), "{of_a:?}");
}

#[test]
fn documents_are_not_written_again_when_endpoints_change() {
    let folder = TempDir::new().unwrap();
    let (mut process, _) = Process::start(folder.path());
    process.apply(1, host("a.test").to_vec());
    process.churns(1, "a.test", 5);
    let written = || {
        let files = std::fs::read_dir(folder.path().join("proxy")).unwrap();
        let files = files.map(|file| file.unwrap());
        let documents = files.filter(|file| {
            let name = file.file_name().into_string().unwrap();
            name.starts_with("content-")
        });
        let stamps = documents.map(|file| file.metadata().unwrap().modified().unwrap());
        stamps.collect::<Vec<_>>()
    };
    let before = written();
    assert_eq!(before.len(), 1);
    process.churns(1, "a.test", 100);
    assert_eq!(written(), before);
    drop(process);
    let found = dies(folder.path()).snapshot.unwrap();
    let endpoints = found.resources().pools().endpoints(&pool("a.test"));
    assert_eq!(endpoints.map(<[_]>::len), Some(1));
}
