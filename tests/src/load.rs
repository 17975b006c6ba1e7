//! Load on long-lived connections that counts everything and forgives nothing.
//!
//! A request is sent once. Whatever does not come back as one whole 2xx answer in which nothing is mixed is a failure; a connection
//! that ends is opened again, and counted.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::raw::{Connection, Request, Response};

const SHOWN: usize = 10;

/// Looks at one answer: `Err` says what in it does not belong together.
pub type Check = fn(&Response) -> Result<(), String>;

/// What to send, and how much at most.
#[derive(Clone, Debug)]
pub struct LoadPlan {
    /// Where to.
    pub address: SocketAddr,
    /// What.
    pub request: Request,
    /// How many connections, each with one request at a time.
    pub connections: usize,
    /// The pause after each answer.
    pub pause: Duration,
    /// It stops by itself after so long.
    pub longest: Duration,
    /// Each connection stops by itself after so many requests.
    pub most: u64,
    /// What each 2xx answer must satisfy.
    pub check: Check,
}

impl LoadPlan {
    /// `GET`s on 8 connections, for at most 60 s.
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

    /// With a check of every answer.
    #[must_use]
    pub fn checked(mut self, check: Check) -> Self {
        self.check = check;
        self
    }
}

/// When each answer was whole, and what it took since its request was sent.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Answers(pub Vec<(Instant, Duration)>);

impl std::fmt::Debug for Answers {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} answers", self.0.len())
    }
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Requests that were sent, or could not be.
    pub requests: u64,
    /// Those without a whole 2xx answer.
    pub failed: u64,
    /// Those whose answer did not pass the check.
    pub mixed: u64,
    /// Connections that were opened.
    pub connects: u64,
    /// The first reasons.
    pub reasons: Vec<String>,
    /// Whole answers, whatever they say.
    pub answers: Answers,
}

impl Tally {
    /// Adds what another load met.
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

    /// Fails the test unless every request was answered in full, by one version each.
    ///
    /// # Panics
    /// With the tally, when anything failed or nothing was sent.
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
    /// Starts it.
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

    /// Waits until so many more answers have come: the load is under way, or has gone on.
    ///
    /// # Panics
    /// When they do not come within 20 s.
    pub async fn flows(&mut self, more: u64) {
        let goal = *self.sent.borrow() + more;
        let reached = self.sent.wait_for(|sent| *sent >= goal);
        let reached = tokio::time::timeout(Duration::from_secs(20), reached).await;
        assert!(matches!(reached, Ok(Ok(_))), "the load does not flow");
    }

    /// Stops it and tells what happened; the requests under way are finished first.
    ///
    /// # Panics
    /// When a worker did.
    pub async fn stop(self) -> Tally {
        self.stop.send_replace(true);
        self.finish().await
    }

    /// Waits until it stops by itself, and tells what happened.
    ///
    /// # Panics
    /// When a worker did.
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

/// One request; the connection, if it lives on.
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

/// The check of most tests: the header `X-Version` that the configuration sets names the body that its endpoint gives.
///
/// # Errors
/// Both, where they differ.
pub fn one_version(response: &Response) -> Result<(), String> {
    let header = response.header("x-version").unwrap_or("nothing");
    let body = response.text();
    if header.split('.').next_back() == Some(body.as_str()) {
        Ok(())
    } else {
        Err(format!("X-Version is {header}, the body {body:?}"))
    }
}
