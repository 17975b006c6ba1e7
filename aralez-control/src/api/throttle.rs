//! Throttling of clients that guess keys.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use aralez_proto::client::one_client;
use aralez_proto::main_config::FailureRate;

/// Maximum number of addresses tracked.
const MAX_ADDRESSES: usize = 10_000;

#[derive(Debug)]
struct Failures {
    count: u32,
    since: Instant,
    blocked_until: Option<Instant>,
}

/// Wrong keys by address; for IPv6, by the network of one customer.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    failures: HashMap<IpAddr, Failures>,
}

impl Throttle {
    /// Returns the time for which an address is still blocked. `None` if it is not.
    pub(super) fn blocked_for(&self, peer: IpAddr, now: Instant) -> Option<Duration> {
        let until = self.failures.get(&one_client(peer))?.blocked_until?;
        until
            .checked_duration_since(now)
            .filter(|wait| !wait.is_zero())
    }

    /// Counts a wrong key. With as many within the time of the rate, the address is blocked for that time.
    pub(super) fn note_failure(&mut self, peer: IpAddr, now: Instant, rate: FailureRate) {
        if self.failures.len() >= MAX_ADDRESSES {
            self.failures
                .retain(|_, failures| now < failures.since + rate.per * 2);
        }
        if self.failures.len() >= MAX_ADDRESSES {
            // A flood from more addresses than can be tracked: start over rather than grow.
            self.failures.clear();
        }
        let fresh = Failures {
            count: 0,
            since: now,
            blocked_until: None,
        };
        let failures = self.failures.entry(one_client(peer)).or_insert(fresh);
        if now >= failures.since + rate.per {
            (failures.count, failures.since) = (0, now);
        }
        failures.count += 1;
        if failures.count >= rate.failures.get() {
            failures.blocked_until = Some(now + rate.per);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use aralez_proto::main_config::MainConfig;

    use super::*;

    /// The default: ten in a minute.
    fn rate() -> FailureRate {
        MainConfig::default().auth_failures
    }

    #[test]
    fn ten_wrong_keys_close_the_door_for_a_minute_and_for_nobody_else() {
        let start = Instant::now();
        let (peer, other) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let mut throttle = Throttle::default();
        for _ in 0..9 {
            throttle.note_failure(peer, start, rate());
            assert!(throttle.blocked_for(peer, start).is_none());
        }
        throttle.note_failure(peer, start, rate());
        assert!(
            throttle
                .blocked_for(peer, start + Duration::from_secs(59))
                .is_some()
        );
        assert!(throttle.blocked_for(other, start).is_none());
        assert!(
            throttle
                .blocked_for(peer, start + Duration::from_secs(60))
                .is_none()
        );
    }

    #[test]
    fn one_network_is_one_guesser() {
        let start = Instant::now();
        let mut throttle = Throttle::default();
        for host in 1..=10 {
            let peer = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, host);
            throttle.note_failure(peer.into(), start, rate());
        }
        let peer = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 9, 9, 9, 9);
        assert!(throttle.blocked_for(peer.into(), start).is_some());
    }

    #[test]
    fn many_addresses_do_not_take_ever_more_memory() {
        let start = Instant::now();
        let mut throttle = Throttle::default();
        for number in 0..30_000_u32 {
            throttle.note_failure(std::net::Ipv4Addr::from(number).into(), start, rate());
        }
        assert!(throttle.failures.len() <= MAX_ADDRESSES);
    }
}
