//! Load on long-lived connections that counts every request and never retries.
//!
//! A request is sent once. Anything other than one complete, consistent 2xx answer is a failure. A connection that closes is opened again,
//! and counted.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::raw::{Connection, Request};
use crate::wire::Response;

const SHOWN: usize = 10;

/// Checks one answer. `Err` names the parts that come from different versions.
pub type Check = fn(&Response) -> Result<(), String>;

/// The requests to send, and the limits.
#[derive(Clone, Debug)]
pub struct LoadPlan {
    /// The destination.
    pub address: SocketAddr,
    /// The request.
    pub request: Request,
    /// Number of connections, each with one request at a time.
    pub connections: usize,
    /// The pause after each answer.
    pub pause: Duration,
    /// Duration after which the load stops.
    pub longest: Duration,
    /// Number of requests after which each connection stops.
    pub most: u64,
    /// The check for each 2xx answer.
    pub check: Check,
}

impl LoadPlan {
    /// Plans `GET`s on 8 connections, for at most 60 s.
    pub fn get(address: SocketAddr, host: &str, target: &str) -> Self {
        Self {
            address,
            request: Request::get(host, target),
            connections: 8,
            pause: Duration::from_millis(2),
            longest: Duration::from_secs(60),
            most: u64::MAX,
            check: |_| Ok(()),
        }
    }

    /// Adds a check of every answer.
    #[must_use]
    pub fn checked(mut self, check: Check) -> Self {
        self.check = check;
        self
    }
}

/// The time at which each answer was complete, and its latency since the request was sent.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Answers(pub Vec<(Instant, Duration)>);

impl std::fmt::Debug for Answers {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} answers", self.0.len())
    }
}

/// The result of a load.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Requests, including those that could not be sent.
    pub requests: u64,
    /// Requests without a complete 2xx answer.
    pub failed: u64,
    /// Requests whose answer failed the check.
    pub mixed: u64,
    /// Opened connections, including failed connects.
    pub connects: u64,
    /// The reasons of the first failures.
    pub reasons: Vec<String>,
    /// Complete answers of any status.
    pub answers: Answers,
}

impl Tally {
    /// Adds the result of another load.
    pub fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.failed += other.failed;
        self.mixed += other.mixed;
        self.connects += other.connects;
        self.reasons.extend(other.reasons);
        self.reasons.truncate(SHOWN);
        self.answers.0.extend(other.answers.0);
    }

    fn fail(&mut self, reason: &str) {
        self.failed += 1;
        self.note(reason);
    }

    fn note(&mut self, reason: &str) {
        if self.reasons.len() < SHOWN {
            self.reasons
                .push(format!("request {}: {reason}", self.requests));
        }
    }

    /// Fails the test unless every request got one complete answer, and every answer passed the check.
    ///
    /// # Panics
    /// With the tally, if anything failed or nothing was sent.
    #[track_caller]
    pub fn assert_clean(&self) {
        assert!(self.requests > 0, "the load sent nothing");
        assert!(self.failed == 0 && self.mixed == 0, "{self:#?}");
    }
}

/// A running load.
#[derive(Debug)]
pub struct Load {
    stop: watch::Sender<bool>,
    sent: watch::Receiver<u64>,
    workers: JoinSet<Tally>,
}

impl Load {
    /// Starts the load.
    pub fn start(plan: &LoadPlan) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (count, sent) = watch::channel(0);
        let count = Arc::new(count);
        let mut workers = JoinSet::new();
        for _ in 0..plan.connections {
            workers.spawn(work(plan.clone(), stopped.clone(), Arc::clone(&count)));
        }
        Self {
            stop,
            sent,
            workers,
        }
    }

    /// Waits until `more` further requests are finished, to show that the load has started or continues.
    ///
    /// # Panics
    /// If that does not happen within 20 s.
    pub async fn flows(&mut self, more: u64) {
        let goal = *self.sent.borrow() + more;
        let reached = self.sent.wait_for(|sent| *sent >= goal);
        let reached = tokio::time::timeout(Duration::from_secs(20), reached).await;
        assert!(matches!(reached, Ok(Ok(_))), "the load does not flow");
    }

    /// Stops the load and returns the result; requests in flight are finished first.
    ///
    /// # Panics
    /// If a worker panicked.
    pub async fn stop(self) -> Tally {
        self.stop.send_replace(true);
        self.finish().await
    }

    /// Waits until the load stops by itself, and returns the result.
    ///
    /// # Panics
    /// If a worker panicked.
    pub async fn finish(mut self) -> Tally {
        let mut tally = Tally::default();
        while let Some(part) = self.workers.join_next().await {
            tally.add(part.expect("a worker of the load does not panic"));
        }
        tally
    }
}

async fn work(
    plan: LoadPlan,
    stopped: watch::Receiver<bool>,
    count: Arc<watch::Sender<u64>>,
) -> Tally {
    let mut tally = Tally::default();
    let mut connection = None;
    let end = Instant::now() + plan.longest;
    while tally.requests < plan.most && Instant::now() < end && !*stopped.borrow() {
        tally.requests += 1;
        connection = once(&plan, connection.take(), &mut tally).await;
        count.send_modify(|count| *count += 1);
        tokio::time::sleep(plan.pause).await;
    }
    tally
}

/// Sends one request. Returns the connection if it stays open.
async fn once(plan: &LoadPlan, open: Option<Connection>, tally: &mut Tally) -> Option<Connection> {
    let mut connection = match open {
        Some(connection) => connection,
        None => {
            tally.connects += 1;
            match Connection::open(plan.address).await {
                Ok(connection) => connection,
                Err(reason) => {
                    tally.fail(&reason);
                    return None;
                }
            }
        }
    };
    let sent = Instant::now();
    let response = match connection.send(&plan.request).await {
        Ok(response) => response,
        Err(reason) => {
            tally.fail(&reason);
            return None;
        }
    };
    let now = Instant::now();
    tally.answers.0.push((now, now - sent));
    if !(200..300).contains(&response.status) {
        tally.fail(&format!("{}: {}", response.status, response.text()));
    } else if let Err(reason) = (plan.check)(&response) {
        tally.mixed += 1;
        tally.note(&reason);
    }
    (!response.closes()).then_some(connection)
}

/// The check of most tests: `X-Version`, set by the configuration, must name the body that the endpoint returns.
///
/// # Errors
/// Both values, if they differ.
pub fn one_version(response: &Response) -> Result<(), String> {
    let header = response.header("x-version").unwrap_or("nothing");
    let body = response.text();
    if header.split('.').next_back() == Some(body.as_str()) {
        Ok(())
    } else {
        Err(format!("X-Version is {header}, the body {body:?}"))
    }
}
