//! Whether a pause is cut short: servers that could not be reached are probed, and the first that can be reached again is dialled soon.
//!
//! A server is probed only after a connect to it failed, until one succeeds. So one that accepts and then breaks or says nothing is not probed,
//! and neither is one that sent this proxy away: they are met with the whole pause, which grows. A pause that control asked for is control's.

use std::time::{Duration, Instant};

/// Between two probes half of this to one and a half, drawn: what was cut off together must not move in step.
const EVERY: Duration = Duration::from_secs(1);
/// A server that can be reached again is dialled within this, drawn: what waited for it must not arrive in the same instant.
const SOON: Duration = Duration::from_secs(1);

/// What is known of the servers, and the pause that runs.
#[derive(Debug)]
pub(super) struct Reachability {
    /// Of each server: the last attempt to connect to it failed.
    unreached: Vec<bool>,
    pause: Option<Pause>,
}

/// A pause that may be cut short.
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

    /// A connect to this server failed, or did not.
    pub(super) fn tried(&mut self, server: usize, reached: bool) {
        if let Some(unreached) = self.unreached.get_mut(server) {
            *unreached = !reached;
        }
    }

    /// A pause of this proxy's own begins.
    pub(super) fn pauses(&mut self, until: Instant, now: Instant, random: f64) {
        let probe = next_probe(now, random);
        self.pause = Some(Pause { until, probe });
    }

    /// What is waited for from here on is not cut short.
    pub(super) const fn waits(&mut self) {
        self.pause = None;
    }

    /// When the next probe is due. None is after the end of the pause, where the dial itself tells.
    pub(super) fn due(&self) -> Option<Instant> {
        let pause = self.pause.filter(|pause| pause.probe < pause.until)?;
        self.unreached.contains(&true).then_some(pause.probe)
    }

    /// The servers to probe now.
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

    /// A probe reached this server. Gives what is left of the pause, where that is cut short.
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
