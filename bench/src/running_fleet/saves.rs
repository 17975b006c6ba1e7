//! Time from a save of the watched file until every proxy of a larger fleet serves it.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::ask;
use super::changes::NO_LIMITS;
use super::sites::{self, Sites};
use super::spread::{rank, words};
use super::table::{self, Row};
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::raw::Request;

/// Polling interval for each proxy, and thus the resolution of the measured times.
const PAUSE: Duration = Duration::from_millis(10);
/// Pause between saves. It does not divide a second, so that saves do not align with what proxies do once a second.
const BETWEEN: Duration = Duration::from_millis(130);
/// Every fifth save changes all hosts, the others one.
const ALL_EVERY: u64 = 5;
const GOAL: Duration = Duration::from_secs(1);

/// Size of the measurement.
#[derive(Clone, Debug)]
pub struct SavesExtent {
    /// Number of proxies.
    pub proxies: usize,
    /// Approximate sizes of the documents in bytes, ascending: hosts are only added, so that no change is held as a mass removal.
    pub sizes: Vec<usize>,
    /// Number of measured saves of each size.
    pub saves: u64,
}

/// Times of the saves of one size.
#[derive(Clone, Debug)]
pub struct Times {
    /// Size of the document, in bytes.
    pub bytes: usize,
    /// Time of each save.
    pub times: Vec<Duration>,
}

/// Runs the measurement.
///
/// # Panics
/// If a proxy does not serve a save within a minute.
pub async fn measure(extent: &SavesExtent) -> Vec<Times> {
    let (a, b) = (Origin::start("a").await, Origin::start("b").await);
    let servers = [a.address(), b.address()];
    let mut plan = Plan::new(extent.proxies).document(&text(1, servers, 0));
    for proxy in 0..extent.proxies {
        plan = plan.proxy(proxy, NO_LIMITS).threads(proxy, 1);
    }
    let fleet = plan.start().await;
    fleet.until_current(LIVE * 2).await;
    let mut version = 0;
    let mut all = Vec::new();
    for size in &extent.sizes {
        let hosts = Sites::hosts_in(*size, servers);
        // The first save of a size adds hosts and is not measured.
        version += 1;
        saved(&fleet, &text(hosts, servers, version), version).await;
        let mut times = Vec::new();
        for _ in 0..extent.saves {
            version += 1;
            tokio::time::sleep(BETWEEN).await;
            times.push(saved(&fleet, &text(hosts, servers, version), version).await);
        }
        let bytes = text(hosts, servers, version).len();
        all.push(Times { bytes, times });
    }
    all
}

fn text(hosts: usize, servers: [SocketAddr; 2], version: u64) -> String {
    let sites = Sites {
        hosts,
        servers,
        first: version,
        all: version / ALL_EVERY,
    };
    sites.document()
}

async fn saved(fleet: &Fleet, text: &str, version: u64) -> Duration {
    let proxies: Vec<_> = (0..fleet.proxies.len())
        .map(|proxy| fleet.http(proxy))
        .collect();
    let request = Request::get(&sites::host(0), "/");
    let start = Instant::now();
    fleet.save(text);
    let wanted = version.to_string();
    let answered = ask::all(&proxies, &request, PAUSE, move |response| {
        response.status == 200 && response.header("x-version") == Some(wanted.as_str())
    });
    answered.await - start
}

/// Returns the table rows.
pub fn rows(extent: &SavesExtent, measured: &[Times]) -> Vec<Row> {
    let all: Vec<_> = measured
        .iter()
        .flat_map(|size| &size.times)
        .copied()
        .collect();
    let what = |of: &str, times: &[Duration]| {
        format!(
            "saved → answered by all of {} proxies, {} saves, {of}: p50, p99, maximum",
            extent.proxies,
            times.len()
        )
    };
    let figures = |times: &[Duration]| {
        [50.0, 99.0, 100.0]
            .map(|percent| words(rank(times, percent)))
            .join(", ")
    };
    let mut rows = vec![table::goal(
        &what("all sizes", &all),
        "p99 ≤ 1 s",
        figures(&all),
        rank(&all, 99.0) <= GOAL,
    )];
    for size in measured {
        let of = format!("{} kB", size.bytes / 1000);
        rows.push(table::figure(&what(&of, &size.times), figures(&size.times)));
    }
    rows
}
