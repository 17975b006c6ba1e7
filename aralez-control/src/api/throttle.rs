//! Throttling of clients that guess keys.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use aralez_proto::client::one_client;

/// Number of wrong keys within [`WINDOW`] that block an address.
const ALLOWED: u32 = 10;
/// Window in which wrong keys are counted, and the duration of a block.
const WINDOW: Duration = Duration::from_secs(60);
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
    pub(super) fn is_blocked(&self, peer: IpAddr, now: Instant) -> bool {
        self.failures
            .get(&one_client(peer))
            .and_then(|failures| failures.blocked_until)
            .is_some_and(|until| now < until)
    }

    pub(super) fn note_failure(&mut self, peer: IpAddr, now: Instant) {
        if self.failures.len() >= MAX_ADDRESSES {
            self.failures
                .retain(|_, failures| now < failures.since + WINDOW * 2);
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
        if now >= failures.since + WINDOW {
            (failures.count, failures.since) = (0, now);
        }
        failures.count += 1;
        if failures.count >= ALLOWED {
            failures.blocked_until = Some(now + WINDOW);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    #[test]
    fn ten_wrong_keys_close_the_door_for_a_minute_and_for_nobody_else() {
        let start = Instant::now();
        let (peer, other) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let mut throttle = Throttle::default();
        for _ in 0..9 {
            throttle.note_failure(peer, start);
            assert!(!throttle.is_blocked(peer, start));
        }
        throttle.note_failure(peer, start);
        assert!(throttle.is_blocked(peer, start + Duration::from_secs(59)));
        assert!(!throttle.is_blocked(other, start));
        assert!(!throttle.is_blocked(peer, start + Duration::from_secs(60)));
    }

    #[test]
    fn one_network_is_one_guesser() {
        let start = Instant::now();
        let mut throttle = Throttle::default();
        for host in 1..=10 {
            let peer = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, host);
            throttle.note_failure(peer.into(), start);
        }
        let peer = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 9, 9, 9, 9);
        assert!(throttle.is_blocked(peer.into(), start));
    }

    #[test]
    fn many_addresses_do_not_take_ever_more_memory() {
        let start = Instant::now();
        let mut throttle = Throttle::default();
        for number in 0..30_000_u32 {
            throttle.note_failure(std::net::Ipv4Addr::from(number).into(), start);
        }
        assert!(throttle.failures.len() <= MAX_ADDRESSES);
    }
}
