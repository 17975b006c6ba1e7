//! Decides whether a pause is shortened: servers that could not be reached are probed, and the first that becomes reachable is dialled
//! soon.
//!
//! A server is probed only after a connect to it failed, and until one succeeds. A server that accepts and then breaks or stays silent is
//! not probed, and neither is one that sent a GoAway: for these the whole pause applies, which grows. A pause that control asked for is
//! never shortened.

use std::time::{Duration, Instant};

/// Mean interval of probes; each interval is drawn from half to one and a half of it, so that proxies cut off together do not stay in step.
const EVERY: Duration = Duration::from_secs(1);
/// Maximum delay before a server that became reachable is dialled, drawn so that waiting proxies do not all arrive in the same instant.
const SOON: Duration = Duration::from_secs(1);

/// The reachability of the servers, and the current pause.
#[derive(Debug)]
pub(super) struct Reachability {
    /// For each server: the last connect to it failed.
    unreached: Vec<bool>,
    pause: Option<Pause>,
}

/// A pause that may be shortened.
#[derive(Clone, Copy, Debug)]
struct Pause {
    until: Instant,
    probe: Instant,
}

impl Reachability {
    pub(super) fn new(servers: usize) -> Self {
        Self {
            unreached: vec![false; servers.max(1)],
            pause: None,
        }
    }

    /// Records the result of a connect to this server.
    pub(super) fn tried(&mut self, server: usize, reached: bool) {
        if let Some(unreached) = self.unreached.get_mut(server) {
            *unreached = !reached;
        }
    }

    /// Starts a pause that this proxy chose itself.
    pub(super) fn pauses(&mut self, until: Instant, now: Instant, random: f64) {
        let probe = next_probe(now, random);
        self.pause = Some(Pause { until, probe });
    }

    /// Starts a wait that must not be shortened.
    pub(super) const fn waits(&mut self) {
        self.pause = None;
    }

    /// Returns the time of the next probe; `None` if every server was reachable, or if the pause ends first, since the dial then is the
    /// test.
    pub(super) fn due(&self) -> Option<Instant> {
        let pause = self.pause.filter(|pause| pause.probe < pause.until)?;
        self.unreached.contains(&true).then_some(pause.probe)
    }

    /// Returns the servers to probe now.
    pub(super) fn take(&mut self, now: Instant, random: f64) -> Vec<usize> {
        if self.due().is_none_or(|due| now < due) {
            return Vec::new();
        }
        if let Some(pause) = &mut self.pause {
            pause.probe = next_probe(now, random);
        }
        let servers = self.unreached.iter().enumerate();
        let unreached = servers.filter(|(_, unreached)| **unreached);
        unreached.map(|(server, _)| server).collect()
    }

    /// Handles a probe that reached this server. Returns the shortened pause; `None` if the pause stays as it is.
    pub(super) fn probed(&mut self, server: usize, now: Instant, random: f64) -> Option<Duration> {
        let left = self.pause?.until.checked_duration_since(now)?;
        let is_news = self.unreached.get(server).is_some_and(|it| *it);
        if !is_news || left.is_zero() {
            return None;
        }
        self.pause = None;
        Some(left.min(SOON.mul_f64(random)))
    }
}

fn next_probe(now: Instant, random: f64) -> Instant {
    now + EVERY.mul_f64(0.5 + random)
}
