//! Victims: well-behaved clients on long-lived connections. Each request has a unique number.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::RwLock;
use tokio::task::JoinSet;

use super::{HOST, VICTIM};
use crate::ports::random;
use crate::raw::{Connection, Request};
use crate::wire::Response;

const CONNECTIONS: usize = 8;
/// Number of requests per connection; a new connection may be accepted by another thread.
const ON_ONE: u64 = 100;
const SHOWN: usize = 5;

/// The harm that the victims suffered.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Harm {
    /// Requests sent.
    pub requests: u64,
    /// Requests that received another client's answer.
    pub foreign: u64,
    /// Requests without a complete answer with status 200.
    pub failed: u64,
    /// The first reasons for both.
    pub reasons: Vec<String>,
}

/// The configuration of the victims.
#[derive(Clone, Debug)]
pub struct Victims {
    /// The proxy's address.
    pub address: SocketAddr,
    /// Minimum number of requests, over all victims.
    pub requests: u64,
    /// Counter of attempts against them, and its minimum before they stop.
    pub tries: (Arc<AtomicU64>, u64),
    /// The maximum pause of a victim between two requests.
    pub pause: Duration,
    /// Read-locked by each victim while its request is in flight: a writer knows that there is none.
    pub calm: Arc<RwLock<()>>,
}

impl Victims {
    /// Sends all requests and returns the harm.
    ///
    /// # Panics
    /// Panics if a victim panicked.
    pub async fn run(self) -> Harm {
        let next = Arc::new(AtomicU64::new(0));
        let mut at_work = JoinSet::new();
        for _ in 0..CONNECTIONS {
            at_work.spawn(self.clone().one(Arc::clone(&next)));
        }
        let mut all = Harm::default();
        for harm in at_work.join_all().await {
            all.requests += harm.requests;
            all.foreign += harm.foreign;
            all.failed += harm.failed;
            all.reasons.extend(harm.reasons);
            all.reasons.truncate(SHOWN);
        }
        all
    }

    async fn one(self, next: Arc<AtomicU64>) -> Harm {
        let mut harm = Harm::default();
        let mut open = None;
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let tried = self.tries.0.load(Ordering::Relaxed) >= self.tries.1;
            if number >= self.requests && tried {
                return harm;
            }
            harm.requests += 1;
            {
                let _under_way = self.calm.read().await;
                if let Err(reason) = ask(self.address, &mut open, number, &mut harm.foreign).await {
                    harm.reasons.push(format!("request {number}: {reason}"));
                    harm.reasons.truncate(SHOWN);
                    harm.failed += 1;
                    open = None;
                }
                if harm.requests % ON_ONE == 0 {
                    open = None;
                }
            }
            if !self.pause.is_zero() {
                let most = self.pause.as_micros() as u64;
                tokio::time::sleep(Duration::from_micros(random() % most)).await;
            }
        }
    }
}

/// Sends one request; `Err` if the answer is not its own.
async fn ask(
    address: SocketAddr,
    open: &mut Option<Connection>,
    number: u64,
    foreign: &mut u64,
) -> Result<(), String> {
    let mut connection = match open.take() {
        Some(connection) => connection,
        None => Connection::open(address).await?,
    };
    let id = number.to_string();
    let request = Request::get(HOST, &format!("/v/{id}")).header("X-Id", &id);
    let response = connection.send(&request).await?;
    if response.status != 200 {
        return Err(told(&response));
    }
    if !is_own(&response, &id) {
        *foreign += 1;
        return Err(told(&response));
    }
    if !response.closes() {
        *open = Some(connection);
    }
    Ok(())
}

fn told(response: &Response) -> String {
    let (status, id) = (response.status, response.header("x-id"));
    format!("{status}, X-Id {id:?}, {:?}", response.text())
}

fn is_own(response: &Response, id: &str) -> bool {
    response.header("x-id") == Some(id) && response.text() == format!("{VICTIM}{id}")
}
