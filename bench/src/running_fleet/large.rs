//! A large document: time from save to response, and what it costs control.

use std::time::Duration;

use tokio::time::Instant;

use super::ask;
use super::sites::{self, PATHS, Sites};
use super::spread::{median, words};
use super::stages;
use super::table::{self, Row};
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::raw::Request;

const PAUSE: Duration = Duration::from_millis(5);
const BETWEEN: Duration = Duration::from_secs(3);
const GOAL: Duration = Duration::from_secs(3);

/// Size of the measurement.
#[derive(Clone, Copy, Debug)]
pub struct LargeExtent {
    /// Number of hosts in the document.
    pub hosts: usize,
    /// Repetitions of each kind of save.
    pub repeats: u64,
}

/// Result of the measurement.
#[derive(Clone, Debug, Default)]
pub struct LargeOutcome {
    /// Size of the document, in bytes.
    pub bytes: usize,
    /// Time of the first save, from an empty document.
    pub first: Duration,
    /// Times of the saves that change every host.
    pub all: Vec<Duration>,
    /// Times of the saves that change one host.
    pub one: Vec<Duration>,
    /// Control's stages in the first save, and in the last save of each kind.
    pub stages: Vec<String>,
    /// Control's peak memory, in bytes.
    pub peak: u64,
    /// The larger peak memory of the two proxies, in bytes.
    pub proxy_peak: u64,
}

/// Runs the measurement with two proxies.
///
/// # Panics
/// If a proxy does not serve a save within a minute.
pub async fn measure(extent: &LargeExtent) -> LargeOutcome {
    let (a, b) = (Origin::start("a").await, Origin::start("b").await);
    let mut sites = Sites {
        hosts: extent.hosts,
        servers: [a.address(), b.address()],
        first: 1,
        all: 1,
    };
    let fleet = Plan::new(2).document("").start().await;
    fleet.until_current(LIVE).await;
    let mut outcome = LargeOutcome {
        bytes: sites.document().len(),
        first: saved(&fleet, &sites).await,
        ..LargeOutcome::default()
    };
    outcome.stages.push(stages::last_commit(&fleet).await);
    for repeat in 0..2 * extent.repeats {
        tokio::time::sleep(BETWEEN).await;
        sites.first += 1;
        let all = repeat < extent.repeats;
        sites.all += u64::from(all);
        let took = saved(&fleet, &sites).await;
        let times = if all {
            &mut outcome.all
        } else {
            &mut outcome.one
        };
        times.push(took);
        if times.len() as u64 == extent.repeats {
            outcome.stages.push(stages::last_commit(&fleet).await);
        }
    }
    outcome.peak = fleet.control().peak_memory();
    let proxies = fleet.proxies.iter().flatten();
    outcome.proxy_peak = proxies.map(|proxy| proxy.peak_memory()).max().unwrap_or(0);
    outcome
}

/// Saves the document. Returns the time until both proxies serve it, as seen at the first host.
async fn saved(fleet: &Fleet, sites: &Sites) -> Duration {
    let text = sites.document();
    let proxies = [fleet.http(0), fleet.http(1)];
    let start = Instant::now();
    fleet.save(&text);
    let (first, all) = (sites.first.to_string(), sites.all.to_string());
    let request = Request::get(&sites::host(0), "/");
    let answered = ask::all(&proxies, &request, PAUSE, move |response| {
        response.status == 200 && response.header("x-version") == Some(first.as_str())
    });
    let answered = answered.await;
    // A proxy swaps its table atomically: once it serves the first host's change, it serves the last host's too.
    let last = Request::get(&sites::host(sites.hosts - 1), &sites::route(PATHS - 1));
    ask::all(&proxies, &last, PAUSE, move |response| {
        response.status == 200 && response.header("x-all") == Some(all.as_str())
    })
    .await;
    answered - start
}

impl LargeOutcome {
    /// Returns the table rows.
    pub fn rows(&self, extent: &LargeExtent) -> Vec<Row> {
        let size = format!(
            "{} hosts x {PATHS} paths, {:.1} MB",
            extent.hosts,
            self.bytes as f64 / 1e6
        );
        let most = |times: &[Duration]| times.iter().max().copied().unwrap_or_default();
        let worst = self.first.max(most(&self.all)).max(most(&self.one));
        let times = |times: &[Duration]| {
            let (half, most) = (words(median(times)), words(most(times)));
            format!("{half} (maximum {most})")
        };
        let mebibytes = |bytes: u64| format!("{} MiB", bytes >> 20);
        vec![
            table::goal(
                &format!(
                    "{size}: saved → answered by two proxies: first save; every host changes; one host changes"
                ),
                "≤ 3 s",
                format!(
                    "{}; {}; {}",
                    words(self.first),
                    times(&self.all),
                    times(&self.one)
                ),
                worst <= GOAL,
            ),
            table::figure(
                &format!("{size}: control's stages, for the same saves"),
                self.stages.join("; "),
            ),
            table::figure(
                &format!("{size}: peak memory (VmHWM) of control, of a proxy"),
                format!("{}, {}", mebibytes(self.peak), mebibytes(self.proxy_peak)),
            ),
        ]
    }
}
