//! A proxy with short limits, an endpoint for each kind of slow peer, and the good client.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::far::FarEndpoint;
use super::good::{Good, Latency};
use super::kind::Kind;
use super::vitals::{self, Metrics};
use crate::document::servers;
use crate::eventually::{eventually, same};
use crate::fleet::{Fleet, LIVE, Plan};

/// Client limits, all as short as the kinds of slow clients assume.
pub const SHORT: &str = "client_header_timeout: 1s\nclient_body_timeout: 1s\n\
    client_body_min_rate: 100\nclient_write_timeout: 1s\nclient_idle_timeout: 1s\n\
    tunnel_idle_timeout: 1s";

/// Disables connection limits: all peers share one address.
const ANY_NUMBER: &str =
    "max_connections: 0\nmax_connections_per_listener: 0\nmax_connections_per_address: 0";

/// Maximum number of file descriptors of this process: both ends of every peer.
const FILES: usize = 15_000;
const CALM: Duration = Duration::from_secs(3);
/// Time after which connections without a request are closed on both sides.
const IDLE: Duration = Duration::from_millis(2_200);
/// Latency that unrelated load on the machine may add.
const NOISE: Duration = Duration::from_millis(20);

/// The stage on which rounds are run.
#[derive(Debug)]
pub struct RoundStage {
    fleet: Fleet,
    good: Good,
    cast: Vec<(Arc<Kind>, Arc<FarEndpoint>)>,
    /// The good client's latency before any round.
    pub calm: Latency,
    /// The proxy's number of open file descriptors before any traffic.
    pub files: usize,
    /// The proxy's memory with only the good client connected, in bytes.
    pub memory: u64,
}

impl RoundStage {
    /// Starts the stage with these limits in `main.yaml` and with routes and endpoints for these kinds, and measures the baseline without
    /// them.
    ///
    /// # Panics
    /// Panics if it does not come up.
    pub async fn new(kinds: Vec<Kind>, limits: &str) -> Self {
        vitals::may_open(FILES);
        let good = Good::new().await;
        let mut cast = Vec::new();
        for kind in kinds {
            let endpoint = FarEndpoint::start(&kind).await;
            cast.push((Arc::new(kind), Arc::new(endpoint)));
        }
        let limits = format!("{limits}\n{ANY_NUMBER}");
        let plan = Plan::new(1).document(&document(good.origin(), &cast));
        let fleet = plan.proxy(0, &limits).start().await;
        fleet.until_current(LIVE).await;
        fleet.until_serving(LIVE, "good.test", "good").await;
        tokio::time::sleep(IDLE).await;
        let mut stage = Self {
            fleet,
            good,
            cast,
            calm: Latency::default(),
            files: 0,
            memory: 0,
        };
        stage.files = stage.open_files();
        stage.good.start(stage.address(), "good.test");
        let start = Instant::now() + CALM / 6;
        tokio::time::sleep(CALM).await;
        stage.calm = stage.good.between(start, Instant::now());
        stage.memory = stage.memory_now();
        stage
    }

    /// Returns the kinds with their endpoints.
    pub fn cast(&self) -> &[(Arc<Kind>, Arc<FarEndpoint>)] {
        &self.cast
    }

    /// Returns the proxy's HTTP address.
    pub fn address(&self) -> SocketAddr {
        self.fleet.http(0)
    }

    /// Returns the proxy's metrics.
    ///
    /// # Errors
    /// An error if the admin listener does not answer.
    pub async fn metrics(&self) -> Result<Metrics, String> {
        Metrics::of(self.fleet.admin(0)).await
    }

    /// Returns the proxy's number of open file descriptors.
    pub fn open_files(&self) -> usize {
        vitals::open_files(self.pid())
    }

    /// Returns the proxy's memory, in bytes.
    ///
    /// # Panics
    /// Panics if the proxy is gone.
    pub fn memory_now(&self) -> u64 {
        self.proxy().memory()
    }

    /// Returns the proxy's peak memory since [`RoundStage::forget_peak`], in bytes.
    ///
    /// # Panics
    /// Panics if the proxy is gone.
    pub fn memory_peak(&self) -> u64 {
        self.proxy().peak_memory()
    }

    /// Resets the peak memory.
    pub fn forget_peak(&self) {
        vitals::forget_peak(self.pid());
    }

    /// Returns the good client's latency since `start`.
    pub fn latency_since(&self, start: Instant) -> Latency {
        self.good.between(start, Instant::now())
    }

    /// Returns the maximum acceptable p99 of the good client.
    pub fn latency_bound(&self) -> Duration {
        self.calm.p99 * 2 + NOISE
    }

    /// Returns the number of failed requests of the good client so far, and the first reasons.
    pub fn failures(&self) -> (u64, Vec<String>) {
        self.good.failures()
    }

    /// Stops the good client, and waits until the proxy is back at its baseline: no additional files, no clients, and no panic in between.
    ///
    /// # Panics
    /// Panics if the proxy does not return to its baseline.
    pub async fn ends_as_it_began(&mut self) {
        self.good.stop().await;
        let stage = &*self;
        let files = || async {
            let (now, first) = (stage.open_files(), stage.files);
            (now <= first)
                .then_some(())
                .ok_or_else(|| format!("{now} files are open, {first} were"))
        };
        eventually(LIVE, "all files of the proxy are closed", files).await;
        let clients = || async {
            let metrics = stage.metrics().await?;
            same(&metrics.sum("aralez_client_connections"), &0)
        };
        eventually(LIVE, "the proxy counts no client any more", clients).await;
        let metrics = stage.metrics().await.unwrap_or_default();
        assert_eq!(metrics.sum("aralez_panics_total"), 0, "nothing panicked");
    }

    fn pid(&self) -> u32 {
        self.proxy().pid()
    }

    fn proxy(&self) -> &crate::process::Daemon {
        self.fleet.proxies[0].as_ref().expect("the proxy runs")
    }
}

fn document(good: SocketAddr, cast: &[(Arc<Kind>, Arc<FarEndpoint>)]) -> String {
    let good = servers(&[good]);
    let mut text =
        format!("good.test:\n  paths:\n    \"/\":\n      timeouts: {{idle: 1s}}\n{good}");
    if !cast.is_empty() {
        text.push_str("slow.test:\n  paths:\n");
    }
    for (kind, endpoint) in cast {
        let timeouts = kind.timeouts;
        let servers = servers(&[endpoint.address()]);
        text.push_str(&format!(
            "    \"{}\":\n      timeouts: {timeouts}\n{servers}",
            kind.path()
        ));
    }
    text
}
