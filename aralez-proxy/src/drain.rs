//! Leaving without failing anybody: not ready first, then no new connections, then only what runs is finished.

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

/// How often the drain looks whether the last request has ended.
const LOOK: Duration = Duration::from_millis(20);
/// How long nothing must be there: a connection that was accepted last is only counted once it is served.
const QUIET: Duration = Duration::from_millis(100);

/// How a drain ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DrainEnd {
    /// Every connection of a client had come to its end.
    Idle,
    /// The grace period was over with this many connections or requests left.
    GraceOver(usize),
    /// A second signal asked to leave at once.
    Hurried,
}

/// The signals that ask the process to leave: SIGTERM and SIGINT, and SIGQUIT, which leaves time for a successor first.
#[derive(Debug)]
pub struct Asks(mpsc::UnboundedReceiver<Ask>);

/// What a signal asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ask {
    /// Drain and leave.
    Leave,
    /// Wait for a successor that takes the listeners over, then drain and leave.
    HandOver,
}

impl Asks {
    /// Those that come here.
    pub const fn new(asks: mpsc::UnboundedReceiver<Ask>) -> Self {
        Self(asks)
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Ask {
        match self.0.recv().await {
            Some(ask) => ask,
            None => std::future::pending().await,
        }
    }

    /// Waits for one that asks to leave.
    pub async fn leave(&mut self) {
        while self.next().await != Ask::Leave {}
    }
}

/// Drains: flips readiness, lives through the lame duck phase, closes the listeners by `close`, waits for what runs. `taken_over` ends the
/// lame duck phase: a successor serves new connections. `hurry` cuts all of it short.
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
        info!(lame_duck = ?phases.lame_duck, "not ready any more, still serving");
        tokio::select! {
            () = sleep(phases.lame_duck) => {}
            () = taken_over => {}
        }
        info!(grace = ?phases.grace_period, in_flight = traffic.in_flight(), "closing the listeners");
        let now = Instant::now();
        let until = now + phases.grace_period;
        traffic.close(now.into_std(), phases.grace_period);
        // A listener that does not close must not keep the process.
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
            warn!(left, "the grace period is over, what is left is cut off");
        }
        DrainEnd::Hurried => warn!(left = traffic.in_flight(), "told twice, leaving at once"),
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
