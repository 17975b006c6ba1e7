//! Cost of editing one host of many, per node: bytes, control's time, the proxy's time. Also the cost of a reconnect and of a cold start.

use std::time::Duration;

use tokio::time::Instant;

use super::ask;
use super::sites::{self, PATHS, Sites};
use aralez_tests::eventually::{eventually, same};
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::meter;
use aralez_tests::origin::Origin;
use aralez_tests::raw::Request;

mod outcome;

pub use outcome::EditsOutcome;

const PAUSE: Duration = Duration::from_millis(2);
/// Pause before and after an edit, so that the acknowledgements and statuses that follow an edit count towards that edit only.
const AFTERWARDS: Duration = Duration::from_millis(500);
/// Interval at which control's log is checked for a commit.
const COMMIT: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_secs(60);

/// Size of the measurement.
#[derive(Clone, Copy, Debug)]
pub struct EditsExtent {
    /// Number of hosts in the document.
    pub hosts: usize,
    /// Number of proxies. Every second edit reaches only one of them.
    pub nodes: usize,
    /// Number of edits that reach one proxy, and of those that reach all.
    pub edits: usize,
    /// Repetitions of the reconnect and of the cold start.
    pub repeats: usize,
}

/// Cost of one edit.
struct Edit {
    /// Control's processor time until the commit.
    reading: Duration,
    /// Control's processor time after the commit.
    after: Duration,
    /// Socket bytes in both directions, for each node reached.
    bytes: Vec<u64>,
    /// Duration of each apply, from the logs of these nodes.
    applies: Vec<Duration>,
}

struct Stage {
    fleet: Fleet,
    sites: Sites,
    _origins: [Origin; 2],
}

/// Runs the measurement.
///
/// # Panics
/// If an edit does not reach the proxies.
pub async fn measure(extent: &EditsExtent) -> EditsOutcome {
    let mut stage = Stage::new(extent).await;
    let mut outcome = EditsOutcome::default();
    for _ in 0..extent.edits {
        stage.disconnect(1..extent.nodes);
        let edit = stage.edit(1).await;
        outcome.reading.push(edit.reading);
        outcome.alone.push(edit.after);
        outcome.edit_bytes.extend(edit.bytes);
        outcome.applies.extend(edit.applies);
        stage.reconnect(extent.nodes).await;
        let edit = stage.edit(extent.nodes).await;
        outcome.reading.push(edit.reading);
        outcome.together.push(edit.after);
        outcome.edit_bytes.extend(edit.bytes);
        outcome.crowded.extend(edit.applies);
    }
    for _ in 0..extent.repeats {
        outcome.return_bytes.push(stage.come_back().await);
    }
    stage.fleet_is_kept().await;
    stage.fleet.kill_control();
    for _ in 0..extent.repeats {
        outcome.starts.push(stage.cold_start().await);
    }
    outcome
}

impl Stage {
    async fn new(extent: &EditsExtent) -> Self {
        let origins = [Origin::start("a").await, Origin::start("b").await];
        let sites = Sites {
            hosts: extent.hosts,
            servers: [origins[0].address(), origins[1].address()],
            first: 1,
            all: 1,
        };
        let mut plan = Plan::new(extent.nodes).document(&sites.document());
        for node in 0..extent.nodes {
            plan = plan.relayed(node).threads(node, 1);
        }
        let stage = Self {
            fleet: plan.start().await,
            sites,
            _origins: origins,
        };
        stage.is_current(extent.nodes).await;
        stage
    }

    /// Waits until the first `nodes` proxies serve the current document, without a request to control.
    async fn is_current(&self, nodes: usize) {
        let proxies: Vec<_> = (0..nodes).map(|node| self.fleet.http(node)).collect();
        let wanted = self.sites.first.to_string();
        let request = Request::get(&sites::host(0), "/");
        ask::all(&proxies, &request, PAUSE, move |response| {
            response.status == 200 && response.header("x-version") == Some(wanted.as_str())
        })
        .await;
    }

    /// Edits one host. Returns the cost to control and to each of the first `nodes` proxies.
    async fn edit(&mut self, nodes: usize) -> Edit {
        self.sites.first += 1;
        let text = self.sites.document();
        tokio::time::sleep(AFTERWARDS).await;
        self.forget();
        let before: Vec<_> = (0..nodes).map(|node| self.applied(node).len()).collect();
        let control = [self.fleet.control().pid()];
        let start = meter::processor_time(&control);
        self.committed_by(|| self.fleet.save(&text)).await;
        let committed = meter::processor_time(&control);
        self.is_current(nodes).await;
        tokio::time::sleep(AFTERWARDS).await;
        let applied = (0..nodes).map(|node| self.applied(node)).zip(before);
        Edit {
            reading: committed - start,
            after: meter::processor_time(&control) - committed,
            bytes: (0..nodes).map(|node| self.bytes(node)).collect(),
            applies: applied
                .flat_map(|(all, before)| all[before..].to_vec())
                .collect(),
        }
    }

    /// Runs `work` and waits until control commits the result. Watches control's log, since requests would cost control processor time.
    async fn committed_by(&self, work: impl FnOnce()) {
        let commits = || self.fleet.log("control").matches(" committed ").count();
        let before = commits();
        work();
        let start = Instant::now();
        while commits() == before {
            assert!(start.elapsed() < LONG, "control commits nothing");
            tokio::time::sleep(COMMIT).await;
        }
    }

    /// Lets a proxy that runs the newest version reconnect. Returns its socket bytes in both directions.
    async fn come_back(&self) -> u64 {
        tokio::time::sleep(AFTERWARDS).await;
        self.forget();
        self.relay(0).sever();
        let back = || async { same(&self.relay(0).counts().connections(), &1) };
        eventually(LIVE, "the proxy comes back", back).await;
        let connected = || async { same(&self.fleet.node(0).await?.connected, &true) };
        eventually(LIVE, "control knows that it is back", connected).await;
        tokio::time::sleep(AFTERWARDS).await;
        self.bytes(0)
    }

    /// Stops a proxy gracefully and starts it without control. Returns the time from the start of the process to its first response.
    async fn cold_start(&mut self) -> Duration {
        let mut proxy = self.fleet.proxies[0].take().expect("it runs");
        proxy.signal(rustix::process::Signal::TERM);
        let (status, _) = proxy.end(LONG).await.expect("it ends when told to");
        assert!(status.success(), "{status}");
        let request = Request::get(&sites::host(self.sites.hosts - 1), &sites::route(PATHS - 1));
        let start = Instant::now();
        self.fleet.launch_proxy(0);
        let answers = ask::one(self.fleet.http(0), request, PAUSE, |answer| {
            answer.status == 200
        });
        let took = answers.await - start;
        let version = self.fleet.version(0).await;
        let version = version.expect("the admin endpoint answers");
        assert_eq!(version["origin"], "cache");
        took
    }

    /// Waits until the first proxy has persisted the newest version.
    async fn fleet_is_kept(&self) {
        let kept = || async {
            let node = self.fleet.node(0).await?;
            let revision = |of: &str| node.all[of]["revision"].as_u64();
            same(&revision("persisted"), &revision("running"))
        };
        eventually(LONG, "the newest is on disk", kept).await;
    }

    fn disconnect(&self, nodes: std::ops::Range<usize>) {
        for node in nodes {
            self.relay(node).cut();
        }
    }

    async fn reconnect(&self, nodes: usize) {
        for node in 1..nodes {
            self.relay(node).heal();
        }
        self.is_current(nodes).await;
        self.fleet.until_current(LONG).await;
    }

    fn forget(&self) {
        for relay in self.fleet.relays.iter().flatten() {
            relay.counts().forget();
        }
    }

    fn bytes(&self, node: usize) -> u64 {
        self.relay(node).counts().forth() + self.relay(node).counts().back()
    }

    fn relay(&self, node: usize) -> &aralez_tests::fault_proxy::FaultProxy {
        let relay = self.fleet.relays[node].as_ref();
        relay.expect("every proxy is relayed")
    }

    /// Returns the duration of each apply, from a proxy's log.
    fn applied(&self, node: usize) -> Vec<Duration> {
        let log = self.fleet.log(&format!("proxy-{node}"));
        let lines = log.lines().filter(|line| line.contains("update applied"));
        lines.filter_map(took).collect()
    }
}

/// Parses the duration from the log line of an apply; `None` if the line has none.
fn took(line: &str) -> Option<Duration> {
    let (_, rest) = line.split_once("took_us=")?;
    let digits = rest.split(|at: char| !at.is_ascii_digit()).next()?;
    digits.parse().ok().map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_an_apply_is_read() {
        let line = "INFO update applied version=1.2 took_us=1234 changes=1";
        assert_eq!(took(line), Some(Duration::from_micros(1234)));
        assert_eq!(took("INFO serving"), None);
    }
}
