//! Sweeps the counts of clients, on a thread of its own: the threads that serve requests never wait for it.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use crate::core::request::limiter::Limiter;
use crate::engine::limit_clock::LimitClock;

/// Interval between two sweeps. Most counts have no effect any more a second after the last request, so memory follows the traffic.
const INTERVAL: Duration = Duration::from_secs(10);

/// The sweeps end when it is dropped.
#[derive(Debug)]
pub(super) struct Sweeping {
    _running: mpsc::Sender<()>,
}

/// Starts to sweep.
///
/// # Errors
/// If the thread cannot be spawned.
pub(super) fn spawn(limiter: Arc<Limiter<LimitClock>>) -> std::io::Result<Sweeping> {
    let (running, ended) = mpsc::channel();
    let sweep = move || {
        while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
            limiter.sweep();
        }
    };
    let name = "limits".to_owned();
    std::thread::Builder::new().name(name).spawn(sweep)?;
    Ok(Sweeping { _running: running })
}
