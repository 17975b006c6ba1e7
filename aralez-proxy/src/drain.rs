//! Graceful shutdown that fails no request: first report not ready, then accept no new connections, then finish what runs.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use crate::core::leaving::Phases;
use crate::core::traffic::Traffic;

#[cfg(test)]
mod tests;

/// Interval at which the drain checks for unfinished requests.
const LOOK: Duration = Duration::from_millis(20);
/// The drain ends once no connection or request has been left for this long, not at the first reading of zero.
const QUIET: Duration = Duration::from_millis(100);

/// The result of a drain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DrainEnd {
    /// All client connections were closed.
    Idle,
    /// The grace period expired with this many connections or requests left.
    GraceOver(usize),
    /// A second signal asked to exit immediately.
    Hurried,
}

/// The signals that ask the process to exit: SIGTERM and SIGINT, and SIGQUIT, which first leaves time for a successor.
#[derive(Debug)]
pub struct Asks(mpsc::UnboundedReceiver<Ask>);

/// The meaning of a signal that asks the process to exit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ask {
    /// Drain and exit.
    Leave,
    /// Wait for a successor that takes over the listeners, then drain and exit.
    HandOver,
}

impl Asks {
    /// Wraps the channel on which the signals arrive.
    pub const fn new(asks: mpsc::UnboundedReceiver<Ask>) -> Self {
        Self(asks)
    }

    /// Waits for the next signal. Pending forever if the sender was dropped.
    pub async fn next(&mut self) -> Ask {
        match self.0.recv().await {
            Some(ask) => ask,
            None => std::future::pending().await,
        }
    }

    /// Waits for SIGTERM or SIGINT, and ignores SIGQUIT.
    pub async fn leave(&mut self) {
        while self.next().await != Ask::Leave {}
    }
}

/// Drains the process: reports not ready, waits for the lame duck phase, closes the listeners with `close`, and waits until everything is
/// finished. `taken_over` ends the lame duck phase early, since a successor serves new connections. `hurry` aborts the drain at any point.
pub async fn drain<Closed>(
    traffic: &Arc<Traffic>,
    phases: Phases,
    taken_over: impl Future<Output = ()>,
    close: impl FnOnce() -> Closed,
    hurry: impl Future<Output = ()>,
) -> DrainEnd
where
    Closed: Future<Output = ()>,
{
    traffic.start_draining();
    let leave = async {
        info!(lame_duck = ?phases.lame_duck, "drain started: not ready, still serving");
        tokio::select! {
            () = sleep(phases.lame_duck) => {}
            () = taken_over => {}
        }
        info!(grace = ?phases.grace_period, in_flight = traffic.in_flight(), "closing listeners");
        let now = Instant::now();
        let until = now + phases.grace_period;
        traffic.close(now.into_std(), phases.grace_period);
        // A listener that fails to close must not block the exit.
        let _ = timeout(phases.grace_period, close()).await;
        until_idle(traffic, until).await
    };
    let end = tokio::select! {
        end = leave => end,
        () = hurry => DrainEnd::Hurried,
    };
    match end {
        DrainEnd::Idle => info!("drained"),
        DrainEnd::GraceOver(left) => {
            warn!(left, "grace period over: cutting off what is left");
        }
        DrainEnd::Hurried => warn!(left = traffic.in_flight(), "second signal: exiting now"),
    }
    end
}

async fn until_idle(traffic: &Traffic, until: Instant) -> DrainEnd {
    let mut idle_since = None;
    loop {
        let now = Instant::now();
        match traffic.unfinished() {
            0 if now >= *idle_since.get_or_insert(now) + QUIET => return DrainEnd::Idle,
            0 => {}
            left if now >= until => return DrainEnd::GraceOver(left),
            _ => idle_since = None,
        }
        sleep(LOOK).await;
    }
}
