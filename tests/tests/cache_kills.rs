//! A proxy that is killed at any time, even while it writes its cache, starts again with what it had persisted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use aralez_tests::document::many;
use aralez_tests::eventually::{eventually, same};
use aralez_tests::fleet::{Fleet, LIVE, MASTER_KEY, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::ports::random;
use aralez_tests::proof::{Kept, amount};
use aralez_tests::raw::{self, Request};
use rustix::process::Signal;

/// Enough hosts that writing a file takes some time.
const HOSTS: usize = 200;
const HOST: &str = "h0.test";
/// Maximum lifetime of a proxy after its first new revision.
const LIFE: Duration = Duration::from_millis(1_200);

/// Pushes one revision after another until it is stopped, and records each one's label by its revision.
struct Pusher {
    stop: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<BTreeMap<u64, String>>,
}

impl Pusher {
    fn start(fleet: &Fleet, origin: &Origin, first: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, api, endpoint) = (Arc::clone(&stop), fleet.api(), origin.address());
        let task = tokio::spawn(async move {
            let (mut pushed, mut number) = (BTreeMap::new(), first);
            while !stopped.load(Ordering::Relaxed) {
                number += 1;
                let label = format!("v{number}");
                let request = Request::new("POST", "control", "/v1/config")
                    .header("Authorization", &format!("Bearer {MASTER_KEY}"))
                    .body(many(HOSTS, &label, endpoint));
                let answer = raw::send(api, &request).await.expect("control answers");
                let revision = answer.json()["revision"].as_u64();
                pushed.insert(revision.expect("a push is committed"), label);
            }
            pushed
        });
        Self { stop, task }
    }

    async fn end(self) -> BTreeMap<u64, String> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.expect("the pusher ends")
    }
}

fn half_written(cache: &Path) -> bool {
    let entries = std::fs::read_dir(cache).into_iter().flatten().flatten();
    let mut names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.any(|name| name.starts_with(".content-") && name.ends_with(".tmp"))
}

/// Waits for a random time. In every second round, waits until a file is being written, if that can be caught.
async fn a_moment(round: u64, cache: &Path) {
    let micros = random() % u64::try_from(LIFE.as_micros()).unwrap();
    if round.is_multiple_of(2) {
        tokio::time::sleep(Duration::from_micros(micros)).await;
        return;
    }
    let end = Instant::now() + LIFE;
    while Instant::now() < end && !half_written(cache) {
        tokio::task::yield_now().await;
    }
    // Kill during the write, or just after it.
    let into = Instant::now() + Duration::from_micros(micros % 300);
    while Instant::now() < into {}
}

/// Starts the proxy without control, and returns the revision that it serves and the label of its answers.
async fn served_alone(fleet: &mut Fleet) -> (u64, String) {
    fleet.launch_proxy(0);
    let answer = eventually(LIVE * 2, "it serves from its cache", || async {
        let answer = fleet.get(0, HOST, "/").await?;
        same(&answer.status, &200)?;
        Ok(answer)
    })
    .await;
    let version = fleet.version(0).await.unwrap();
    assert_eq!(version["origin"], "cache", "{version}");
    let mut proxy = fleet.proxies[0].take().unwrap();
    // Exit cleanly: repeated deaths would make the version suspect, which is a different promise.
    proxy.signal(Signal::TERM);
    proxy.end(LIVE).await.unwrap();
    let label = answer.header("x-version").unwrap_or_default().to_owned();
    (version["revision"].as_u64().unwrap(), label)
}

/// The state of the kills, and the bounds on what the next start may serve.
struct KillTally {
    fleet: Fleet,
    origin: Origin,
    cache: PathBuf,
    /// The label of every revision.
    labels: BTreeMap<u64, String>,
    /// The newest revision that was reported as persisted, or that a proxy served without control.
    floor: u64,
    /// Number of kills that left a partially written file.
    torn: u64,
}

impl KillTally {
    async fn new() -> Self {
        let origin = Origin::start("a").await;
        let plan = Plan::new(1).document(&many(HOSTS, "v0", origin.address()));
        // Disable deferred accept, so that a clean exit takes no time.
        let plan = plan.proxy(0, "client_defer_accept: false");
        let fleet = plan.relayed(0).start().await;
        let head = fleet.until_current(LIVE).await;
        Self {
            cache: fleet.state().join("proxy-proxy-0"),
            labels: BTreeMap::from([(head, "v0".to_owned())]),
            fleet,
            origin,
            floor: 0,
            torn: 0,
        }
    }

    /// Runs the proxy under a stream of revisions, and kills it at the chosen time.
    async fn kill(&mut self, round: u64) {
        let before = self.fleet.head().await.unwrap();
        if self.fleet.proxies[0].is_none() {
            self.fleet.start_proxy(0).await;
        }
        let pusher = Pusher::start(&self.fleet, &self.origin, before);
        let runs = || async {
            let runs = self.fleet.revision(0).await?;
            (runs > before)
                .then_some(())
                .ok_or_else(|| format!("{runs}"))
        };
        eventually(LIVE * 2, "revisions reach the proxy", runs).await;
        a_moment(round, &self.cache).await;
        self.fleet.kill_proxy(0);
        self.torn += u64::from(half_written(&self.cache));
        self.labels.extend(pusher.end().await);
        let gone = || async {
            let node = self.fleet.node(0).await?;
            same(&node.connected, &false)?;
            Ok(node.all["persisted"]["revision"].as_u64().unwrap_or(0))
        };
        let persisted = eventually(LIVE, "control sees its end", gone).await;
        self.floor = self.floor.max(persisted);
    }

    /// Starts the proxy without control, and checks what it serves.
    async fn look(&mut self, round: u64) {
        self.fleet.relays[0].as_ref().unwrap().cut();
        let (revision, label) = served_alone(&mut self.fleet).await;
        let (labels, floor) = (&self.labels, self.floor);
        assert_eq!(
            labels.get(&revision),
            Some(&label),
            "round {round}: {revision}"
        );
        assert!(
            revision >= floor,
            "round {round}: {revision}, but {floor} was persisted"
        );
        self.floor = revision;
        self.fleet.relays[0].as_ref().unwrap().heal();
    }
}

/// F-09: SIGKILL of the proxy at any step of writing the cache.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_killed_at_any_moment_starts_with_what_it_called_persisted_or_newer() {
    let rounds = amount(5, 200);
    let mut trial = KillTally::new().await;
    for round in 0..rounds {
        trial.kill(round).await;
        trial.look(round).await;
    }
    let aside = trial.fleet.log("proxy-0").matches("set aside").count();
    let measured = format!(
        "{rounds} kills, {} during a write: 0 lost, 0 older than persisted, {aside} files set aside; {} revisions",
        trial.torn,
        trial.labels.len()
    );
    let row = Kept {
        what: "cache: SIGKILL of a proxy at random times while revisions arrive, then a start without control (F-09)",
        goal: "serves an accepted revision, never one older than it reported as persisted",
        measured: &measured,
        met: aside == 0,
        test: "cache_kills",
    };
    row.keep("cache-kills");
    assert_eq!(aside, 0, "a kill leaves no damaged file");
}
