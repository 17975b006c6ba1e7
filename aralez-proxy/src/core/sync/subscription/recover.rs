//! Schedules reconnects: backoff with full jitter over all servers, the last good one first.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const MOST: Duration = Duration::from_secs(30);
/// Upper bound for the wait that a GoAway can ask for.
const LONGEST_AWAY: Duration = Duration::from_secs(600);
/// A stream that lasted this long was good: earlier failures are forgotten.
pub(super) const STABLE: Duration = Duration::from_secs(60);

/// The next server to dial, and the backoff.
#[derive(Debug)]
pub(super) struct Recover {
    servers: usize,
    next: usize,
    failures: u32,
    /// Number of consecutive servers that sent this proxy away without a `Welcome`.
    unwelcome: usize,
}

impl Recover {
    pub(super) const fn new(servers: usize) -> Self {
        Self {
            servers,
            next: 0,
            failures: 0,
            unwelcome: 0,
        }
    }

    /// Returns the server to dial next.
    pub(super) const fn server(&self) -> usize {
        self.next
    }

    /// Makes this server the next one.
    pub(super) const fn prefer(&mut self, server: usize) {
        self.next = server;
    }

    /// Handles a stream to this server that ended after `lived`; the same server is tried first. Returns the pause.
    pub(super) fn lost(&mut self, server: usize, lived: Duration, random: f64) -> Duration {
        self.next = server;
        self.unwelcome = 0;
        if lived >= STABLE {
            self.failures = 0;
        }
        self.pause(random)
    }

    /// Handles a failed connect or greeting; the next server is tried. Returns the pause.
    pub(super) fn failed(&mut self, server: usize, random: f64) -> Duration {
        self.next = (server + 1) % self.servers.max(1);
        self.pause(random)
    }

    /// Handles a GoAway with a window but without a `Welcome`. The server may lag behind or be of another cluster, so all others are tried
    /// before it, and the window applies only once all of them have sent a GoAway. Returns the pause.
    pub(super) fn not_welcomed(
        &mut self,
        server: usize,
        window: (Duration, Duration),
        random: f64,
    ) -> Duration {
        self.unwelcome += 1;
        if self.unwelcome < self.servers {
            return self.failed(server, random);
        }
        self.unwelcome = 0;
        let next = (server + 1) % self.servers.max(1);
        self.sent_away(next, window, random)
    }

    /// Handles a GoAway with a window from a server that had sent its `Welcome`. Returns the pause.
    pub(super) fn sent_away(
        &mut self,
        server: usize,
        window: (Duration, Duration),
        random: f64,
    ) -> Duration {
        self.next = server;
        self.unwelcome = 0;
        if window.1.is_zero() {
            // Without a window, fall back to the backoff: otherwise both sides would be busy with greetings.
            return self.pause(random);
        }
        let max = window.1.min(LONGEST_AWAY);
        let min = window.0.min(max);
        min + (max - min).mul_f64(random)
    }

    /// Returns a random pause between zero and the backoff after this many consecutive failures. Full jitter avoids a thundering herd.
    fn pause(&mut self, random: f64) -> Duration {
        let most = FIRST.saturating_mul(1 << self.failures.min(16)).min(MOST);
        self.failures = self.failures.saturating_add(1);
        most.mul_f64(random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_half_a_minute_and_starts_again_after_a_stable_stream() {
        let mut recover = Recover::new(2);
        let pauses: Vec<u128> = (0..10)
            .map(|_| recover.failed(0, 1.0).as_millis())
            .collect();
        assert_eq!(
            pauses,
            [
                200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000
            ]
        );
        assert_eq!(recover.lost(1, Duration::from_secs(5), 1.0), MOST);
        assert_eq!(recover.lost(1, STABLE, 1.0), FIRST);
        assert_eq!(recover.lost(1, STABLE, 0.0), Duration::ZERO);
    }

    #[test]
    fn a_server_that_fails_gives_way_and_the_last_good_is_asked_first() {
        let mut recover = Recover::new(3);
        recover.failed(0, 0.5);
        assert_eq!(recover.server(), 1);
        recover.lost(1, Duration::ZERO, 0.5);
        assert_eq!(recover.server(), 1);
        recover.failed(2, 0.5);
        assert_eq!(recover.server(), 0);
    }

    #[test]
    fn a_proxy_sent_away_without_a_window_backs_off_like_after_a_failure() {
        let mut recover = Recover::new(1);
        let nothing = (Duration::ZERO, Duration::ZERO);
        let pauses: Vec<u128> = (0..3)
            .map(|_| recover.sent_away(0, nothing, 1.0).as_millis())
            .collect();
        assert_eq!(pauses, [200, 400, 800]);
    }

    #[test]
    fn a_proxy_that_one_server_does_not_welcome_asks_the_others_before_it_waits() {
        let mut recover = Recover::new(2);
        let window = (Duration::from_secs(10), Duration::from_secs(30));
        assert_eq!(recover.not_welcomed(0, window, 1.0), FIRST);
        assert_eq!(recover.server(), 1);
        assert_eq!(recover.not_welcomed(1, window, 0.0), window.0);
        assert_eq!(recover.server(), 0);
        assert!(recover.not_welcomed(0, window, 1.0) < window.0);
        let mut alone = Recover::new(1);
        assert_eq!(alone.not_welcomed(0, window, 0.0), window.0);
        assert_eq!(alone.server(), 0);
    }

    #[test]
    fn a_proxy_sent_away_comes_back_inside_the_window_and_within_ten_minutes() {
        let mut recover = Recover::new(1);
        let window = (Duration::from_secs(2), Duration::from_secs(4));
        assert_eq!(recover.sent_away(0, window, 0.0), window.0);
        assert_eq!(recover.sent_away(0, window, 0.5), Duration::from_secs(3));
        let absurd = (Duration::MAX, Duration::MAX);
        assert_eq!(recover.sent_away(0, absurd, 1.0), LONGEST_AWAY);
        let upside_down = (Duration::from_secs(9), Duration::from_secs(4));
        assert_eq!(
            recover.sent_away(0, upside_down, 1.0),
            Duration::from_secs(4)
        );
    }
}
