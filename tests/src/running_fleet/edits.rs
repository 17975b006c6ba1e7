//! What one edited host of many costs each node: bytes, control's time, the proxy's time; and what a return and a cold start cost.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::ask;
use super::sites::{self, PATHS, Sites};
use super::spread::{median, words};
use super::table::{self, Row};
use crate::bench::meter;
use crate::eventually::{eventually, same};
use crate::fleet::{Fleet, LIVE, Plan};
use crate::origin::Origin;
use crate::raw::Request;

const PAUSE: Duration = Duration::from_millis(2);
/// Acknowledgements and statuses that follow an edit are a part of it.
const AFTERWARDS: Duration = Duration::from_millis(500);
const LONG: Duration = Duration::from_secs(60);

/// How much of it.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// How many hosts.
    pub hosts: usize,
    /// How many proxies there are; every second edit meets one alone.
    pub nodes: usize,
    /// How many edits meet one proxy, and as many all.
    pub edits: usize,
    /// How often the return and the cold start are repeated.
    pub repeats: usize,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Socket bytes both ways of an edit, of each proxy that it met.
    pub edit_bytes: Vec<u64>,
    /// Control's processor time of each edit that met one node.
    pub alone: Vec<Duration>,
    /// Control's processor time of each edit that met all.
    pub together: Vec<Duration>,
    /// Socket bytes both ways of each return of a proxy that holds the newest.
    pub return_bytes: Vec<u64>,
    /// What each apply took, as the proxies say.
    pub applies: Vec<Duration>,
    /// From the start of a process to its first answer, without control.
    pub starts: Vec<Duration>,
}

struct Stage {
    fleet: Fleet,
    sites: Sites,
    _origins: [Origin; 2],
}

/// Measures it.
///
/// # Panics
/// When an edit does not arrive.
pub async fn measure(extent: &Extent) -> Outcome {
    let mut stage = Stage::new(extent).await;
    let mut outcome = Outcome::default();
    let whole: Vec<_> = (0..extent.nodes)
        .map(|node| stage.applied(node).len())
        .collect();
    for _ in 0..extent.edits {
        stage.disconnect(1..extent.nodes);
        let (spent, bytes) = stage.edit(1).await;
        outcome.alone.push(spent);
        outcome.edit_bytes.extend(bytes);
        stage.reconnect(extent.nodes).await;
        let (spent, bytes) = stage.edit(extent.nodes).await;
        outcome.together.push(spent);
        outcome.edit_bytes.extend(bytes);
    }
    for (node, whole) in whole.into_iter().enumerate() {
        outcome.applies.extend(&stage.applied(node)[whole..]);
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
    async fn new(extent: &Extent) -> Self {
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

    /// Waits for the first nodes without asking control anything.
    async fn is_current(&self, nodes: usize) {
        let proxies: Vec<_> = (0..nodes).map(|node| self.fleet.http(node)).collect();
        let wanted = self.sites.first.to_string();
        let request = Request::get(&sites::host(0), "/");
        ask::all(&proxies, &request, PAUSE, move |response| {
            response.status == 200 && response.header("x-version") == Some(wanted.as_str())
        })
        .await;
    }

    /// One host changes: control's processor time, and the bytes of each of the first nodes.
    async fn edit(&mut self, nodes: usize) -> (Duration, Vec<u64>) {
        self.sites.first += 1;
        let text = self.sites.document();
        tokio::time::sleep(AFTERWARDS).await;
        self.forget();
        let control = [self.fleet.control().pid()];
        let before = meter::processor_time(&control);
        self.fleet.save(&text);
        self.is_current(nodes).await;
        tokio::time::sleep(AFTERWARDS).await;
        let spent = meter::processor_time(&control) - before;
        let bytes = (0..nodes).map(|node| self.bytes(node)).collect();
        (spent, bytes)
    }

    /// A proxy that holds the newest comes back: its bytes both ways.
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

    /// A clean end, and a start without control: from the start of the process to its first answer.
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

    /// Waits until the newest version is safe on the disk of the first proxy.
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
        self.fleet.is_current(LONG).await;
    }

    fn forget(&self) {
        for relay in self.fleet.relays.iter().flatten() {
            relay.counts().forget();
        }
    }

    fn bytes(&self, node: usize) -> u64 {
        self.relay(node).counts().forth() + self.relay(node).counts().back()
    }

    fn relay(&self, node: usize) -> &crate::fault_proxy::FaultProxy {
        let relay = self.fleet.relays[node].as_ref();
        relay.expect("every proxy is relayed")
    }

    /// What each apply of a proxy took, as its log says.
    fn applied(&self, node: usize) -> Vec<Duration> {
        let log = self.fleet.log(&format!("proxy-{node}"));
        let lines = log
            .lines()
            .filter(|line| line.contains("applied an update"));
        lines.filter_map(took).collect()
    }
}

/// The time in the line of an apply.
fn took(line: &str) -> Option<Duration> {
    let (_, rest) = line.split_once("took_us=")?;
    let digits = rest.split(|at: char| !at.is_ascii_digit()).next()?;
    digits.parse().ok().map(Duration::from_micros)
}

impl Outcome {
    /// What one more node costs control for an edit.
    pub fn each_node(&self, extent: &Extent) -> Duration {
        let more = median(&self.together).saturating_sub(median(&self.alone));
        more / u32::try_from(extent.nodes - 1).unwrap_or(1).max(1)
    }

    /// The rows of the table.
    pub fn rows(&self, extent: &Extent) -> Vec<Row> {
        let size = format!("{} hosts x {PATHS} paths", extent.hosts);
        let most_bytes = |bytes: &[u64]| bytes.iter().max().copied().unwrap_or(0);
        let most = |times: &[Duration]| times.iter().max().copied().unwrap_or_default();
        let (edit, back) = (most_bytes(&self.edit_bytes), most_bytes(&self.return_bytes));
        let each = self.each_node(extent);
        let (applies, starts) = (most(&self.applies), most(&self.starts));
        let half = |times: &[Duration]| words(median(times));
        vec![
            table::goal(
                &format!("{size}: a one-host edit, socket bytes both ways of each proxy, most"),
                "≤ 4,096",
                format!("{edit} ({})", spread(&self.edit_bytes)),
                edit <= 4096,
            ),
            table::goal(
                &format!(
                    "{size}: a one-host edit, control's CPU for each node: slope from 1 to {} nodes, medians of {} edits",
                    extent.nodes, extent.edits
                ),
                "≤ 5 ms",
                format!(
                    "{}; reading and committing alone {} with one node",
                    words(each),
                    half(&self.alone)
                ),
                each <= Duration::from_millis(5),
            ),
            table::goal(
                &format!(
                    "{size}: a return without news, socket bytes both ways, most of {}",
                    self.return_bytes.len()
                ),
                "≤ 1,024",
                back.to_string(),
                back <= 1024,
            ),
            table::goal(
                &format!(
                    "{size}: applying a one-host edit, by the proxy's own figure, most of {}",
                    self.applies.len()
                ),
                "≤ 5 ms",
                format!("{} (p50 {})", words(applies), half(&self.applies)),
                applies <= Duration::from_millis(5),
            ),
            table::goal(
                &format!(
                    "{size}: cold start from the cache without control, process start → first answer, most of {}",
                    self.starts.len()
                ),
                "≤ 300 ms",
                format!("{} (p50 {})", words(starts), half(&self.starts)),
                starts <= Duration::from_millis(300),
            ),
        ]
    }
}

/// How often each number was met, the most frequent first.
fn spread(numbers: &[u64]) -> String {
    let mut counts = BTreeMap::new();
    for number in numbers {
        *counts.entry(*number).or_insert(0) += 1;
    }
    let mut counts: Vec<(u64, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let shown = counts.iter().take(3);
    let shown: Vec<_> = shown
        .map(|(number, count)| format!("{count} x {number}"))
        .collect();
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_an_apply_is_read() {
        let line = "INFO applied an update version=1.2 took_us=1234 changes=1";
        assert_eq!(took(line), Some(Duration::from_micros(1234)));
        assert_eq!(took("INFO serving"), None);
    }

    #[test]
    fn what_a_node_costs_is_the_slope_and_not_the_reading() {
        let extent = Extent {
            hosts: 1,
            nodes: 5,
            edits: 2,
            repeats: 0,
        };
        let outcome = Outcome {
            alone: vec![Duration::from_millis(500); 2],
            together: vec![Duration::from_millis(508); 2],
            ..Outcome::default()
        };
        assert_eq!(outcome.each_node(&extent), Duration::from_millis(2));
    }
}
