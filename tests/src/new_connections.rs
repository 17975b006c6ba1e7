//! Clients for `a.test` that open a connection per request, so that connections lost between two processes show up.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::eventually::eventually;
use crate::raw;

const CLIENTS: usize = 4;
const SOON: Duration = Duration::from_secs(120);

/// Four clients that send requests in a loop.
#[derive(Debug)]
pub struct NewConnections {
    stop: Arc<AtomicBool>,
    served: Arc<AtomicUsize>,
    clients: Vec<tokio::task::JoinHandle<Vec<String>>>,
}

impl NewConnections {
    /// Starts the clients. They do not pause between requests.
    pub fn start(address: SocketAddr) -> Self {
        let (stop, served) = (Arc::default(), Arc::default());
        let clients = (0..CLIENTS).map(|_| {
            let (stop, served) = (Arc::clone(&stop), Arc::clone(&served));
            tokio::spawn(one_after_the_other(address, stop, served))
        });
        Self {
            clients: clients.collect(),
            stop,
            served,
        }
    }

    /// Waits until `more` further requests were answered or failed.
    ///
    /// # Panics
    /// If that takes more than 120 s.
    pub async fn go_on(&self, more: usize) {
        let until = self.served.load(Ordering::Relaxed) + more;
        eventually(SOON, "the clients go on", || async {
            let served = self.served.load(Ordering::Relaxed);
            (served >= until)
                .then_some(())
                .ok_or_else(|| format!("{served} of {until}"))
        })
        .await;
    }

    /// Stops the clients and returns the number of requests.
    ///
    /// # Panics
    /// If a request was not answered with 200, or there was none.
    pub async fn all_served(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        let mut failed = Vec::new();
        for client in self.clients {
            failed.extend(client.await.expect("a client does not panic"));
        }
        let served = self.served.load(Ordering::Relaxed);
        assert!(
            failed.is_empty() && served > 0,
            "{} of {served}: {:?}",
            failed.len(),
            &failed[..failed.len().min(5)]
        );
        served
    }
}

async fn one_after_the_other(
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    served: Arc<AtomicUsize>,
) -> Vec<String> {
    let mut failed = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let answer = match raw::get(address, "a.test", "/").await {
            Ok(answer) if answer.status == 200 => Ok(()),
            Ok(answer) => Err(format!("{}: {}", answer.status, answer.text())),
            Err(error) => Err(error),
        };
        failed.extend(answer.err());
        served.fetch_add(1, Ordering::Relaxed);
    }
    failed
}
