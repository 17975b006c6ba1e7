//! A good client, which the slow peers must not affect. It and its origin run on a separate thread, so that it measures the proxy and not
//! the load of the peers.

use parking_lot::Mutex;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::origin::Origin;
use crate::raw::{Connection, Request};

const CONNECTIONS: usize = 3;
const PAUSE: Duration = Duration::from_millis(4);
const SHOWN: usize = 10;

/// The good client and its origin.
#[derive(Debug)]
pub struct Good {
    runtime: Option<Runtime>,
    origin: Origin,
    samples: Arc<Mutex<Samples>>,
    stop: watch::Sender<bool>,
    work: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Samples {
    took: Vec<(Instant, Duration)>,
    failed: u64,
    reasons: Vec<String>,
}

/// Latency distribution over a period.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Latency {
    /// Number of samples.
    pub count: usize,
    /// The median.
    pub p50: Duration,
    /// The 99th percentile.
    pub p99: Duration,
    /// The maximum.
    pub longest: Duration,
}

impl Good {
    /// Starts the origin.
    ///
    /// # Panics
    /// Panics if the system provides no thread or port.
    pub async fn new() -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("good")
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let origin = runtime.spawn(Origin::start("good")).await;
        Self {
            runtime: Some(runtime),
            origin: origin.expect("an origin starts"),
            samples: Arc::default(),
            stop: watch::channel(false).0,
            work: JoinSet::new(),
        }
    }

    /// Returns the address of the origin.
    pub fn origin(&self) -> SocketAddr {
        self.origin.address()
    }

    /// Starts to send requests, on long-lived connections and on one connection that is closed after each request.
    ///
    /// # Panics
    /// Never: the runtime lives as long as `self`.
    pub fn start(&mut self, address: SocketAddr, host: &str) {
        let runtime = self.runtime.as_ref().expect("the runtime lives");
        for number in 0..=CONNECTIONS {
            let request = match number {
                CONNECTIONS => Request::get(host, "/").header("Connection", "close"),
                _ => Request::get(host, "/"),
            };
            let work = work(
                address,
                request,
                Arc::clone(&self.samples),
                self.stop.subscribe(),
            );
            self.work.spawn_on(work, runtime.handle());
        }
    }

    /// Returns the latency of the requests that started between two times.
    pub fn between(&self, from: Instant, to: Instant) -> Latency {
        let samples = self.samples.lock();
        let within = samples
            .took
            .iter()
            .filter(|(at, _)| (from..to).contains(at));
        let mut took: Vec<_> = within.map(|(_, took)| *took).collect();
        took.sort_unstable();
        let at = |share: usize| took.get(took.len() * share / 100).copied();
        Latency {
            count: took.len(),
            p50: at(50).unwrap_or_default(),
            p99: at(99).unwrap_or_default(),
            longest: took.last().copied().unwrap_or_default(),
        }
    }

    /// Returns the number of failed requests so far, and the first reasons.
    pub fn failures(&self) -> (u64, Vec<String>) {
        let samples = self.samples.lock();
        (samples.failed, samples.reasons.clone())
    }

    /// Completes the requests in flight, and closes all connections.
    pub async fn stop(&mut self) {
        self.stop.send_replace(true);
        while self.work.join_next().await.is_some() {}
    }
}

impl Drop for Good {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn work(
    address: SocketAddr,
    request: Request,
    samples: Arc<Mutex<Samples>>,
    stopped: watch::Receiver<bool>,
) {
    let mut open = None;
    while !*stopped.borrow() {
        let start = Instant::now();
        let answered = once(address, &request, &mut open).await;
        let took = start.elapsed();
        {
            let mut samples = samples.lock();
            samples.took.push((start, took));
            if let Err(reason) = answered {
                samples.failed += 1;
                samples.reasons.push(reason);
                samples.reasons.truncate(SHOWN);
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn once(
    address: SocketAddr,
    request: &Request,
    open: &mut Option<Connection>,
) -> Result<(), String> {
    let mut connection = match open.take() {
        Some(connection) => connection,
        None => Connection::open(address).await?,
    };
    let response = connection.send(request).await?;
    if (response.status, response.text().as_str()) != (200, "good") {
        return Err(format!("{}: {:?}", response.status, response.text()));
    }
    if !response.closes() {
        *open = Some(connection);
    }
    Ok(())
}
