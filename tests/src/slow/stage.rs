//! A proxy with short limits, an endpoint for each kind of slow peer, and the good client beside them.

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

/// Every limit of a client as short as the kinds of slow clients want it.
pub const SHORT: &str = "client_header_timeout: 1s\nclient_body_timeout: 1s\n\
    client_body_min_rate: 100\nclient_write_timeout: 1s\nclient_idle_timeout: 1s\n\
    tunnel_idle_timeout: 1s";

/// No limits of connections: all come from one address.
const ANY_NUMBER: &str =
    "max_connections: 0\nmax_connections_per_listener: 0\nmax_connections_per_address: 0";

/// What this process opens at most: both ends of every peer.
const FILES: usize = 15_000;
const CALM: Duration = Duration::from_secs(3);
/// After this, connections without a request are gone, on both sides.
const IDLE: Duration = Duration::from_millis(2_200);
/// What a machine that does other things too may add.
const NOISE: Duration = Duration::from_millis(20);

/// What a round is played on.
#[derive(Debug)]
pub struct RoundStage {
    fleet: Fleet,
    good: Good,
    cast: Vec<(Arc<Kind>, Arc<FarEndpoint>)>,
    /// How it was for the good client before anything happened.
    pub calm: Latency,
    /// The files that the proxy had open when nothing had happened yet.
    pub files: usize,
    /// The proxy's memory when only the good client was there.
    pub memory: u64,
}

impl RoundStage {
    /// Starts it with these limits in `main.yaml`, with routes and endpoints for these kinds, and measures how it is without them.
    ///
    /// # Panics
    /// When it does not come up.
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
        fleet.is_current(LIVE).await;
        fleet.serves(LIVE, "good.test", "good").await;
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

    /// The kinds with their endpoints.
    pub fn cast(&self) -> &[(Arc<Kind>, Arc<FarEndpoint>)] {
        &self.cast
    }

    /// Where the proxy serves.
    pub fn address(&self) -> SocketAddr {
        self.fleet.http(0)
    }

    /// The proxy's metrics.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn metrics(&self) -> Result<Metrics, String> {
        Metrics::of(self.fleet.admin(0)).await
    }

    /// How many files the proxy has open.
    pub fn open_files(&self) -> usize {
        vitals::open_files(self.pid())
    }

    /// The proxy's memory.
    ///
    /// # Panics
    /// When the proxy is gone.
    pub fn memory_now(&self) -> u64 {
        self.proxy().memory()
    }

    /// The most memory since [`Stage::forget_peak`].
    ///
    /// # Panics
    /// When the proxy is gone.
    pub fn memory_peak(&self) -> u64 {
        self.proxy().peak_memory()
    }

    /// Lets the peak begin anew.
    pub fn forget_peak(&self) {
        vitals::forget_peak(self.pid());
    }

    /// How it was for the good client since then.
    pub fn latency_since(&self, start: Instant) -> Latency {
        self.good.between(start, Instant::now())
    }

    /// The most that the good client's p99 may be.
    pub fn latency_bound(&self) -> Duration {
        self.calm.p99 * 2 + NOISE
    }

    /// The requests of the good client that failed so far, and the first reasons.
    pub fn failures(&self) -> (u64, Vec<String>) {
        self.good.failures()
    }

    /// Sends the good client away, and waits until the proxy holds no more than at first: no files, no clients, and no panic on
    /// the way.
    ///
    /// # Panics
    /// When it keeps more.
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
