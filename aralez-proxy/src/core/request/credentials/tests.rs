use std::num::NonZeroU32;

use super::*;

fn rate(failures: u32) -> FailureRate {
    FailureRate {
        failures: NonZeroU32::new(failures).unwrap(),
        per: Duration::from_secs(60),
    }
}

fn memory(failures: u32) -> CredentialMemory {
    CredentialMemory::new([7; 32], rate(failures))
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// After ten failures, an address is refused for a minute.
// Row A-08: guessing.
#[test]
fn an_address_that_failed_too_often_is_refused_until_the_window_has_passed() {
    let memory = memory(10);
    let start = Instant::now();
    let client = address("192.0.2.1");
    for second in 0..10 {
        let now = start + Duration::from_secs(second);
        assert_eq!(memory.blocked(client, now), None);
        memory.fail(client, now);
    }
    let last = start + Duration::from_secs(9);
    assert_eq!(memory.blocked(client, last), Some(Duration::from_secs(60)));
    assert_eq!(memory.blocked(address("192.0.2.2"), last), None);
    let almost = last + Duration::from_secs(59);
    assert_eq!(memory.blocked(client, almost), Some(Duration::from_secs(1)));
    let over = last + Duration::from_secs(60);
    assert_eq!(memory.blocked(client, over), None);
    memory.fail(client, over);
    assert_eq!(memory.blocked(client, over), None, "a new window begins");
}

/// One client per /64.
// Row R-01: one client per network.
#[test]
fn an_ipv6_client_cannot_leave_its_network_to_guess_on() {
    let (memory, now) = (memory(1), Instant::now());
    let blocked = |text| memory.blocked(address(text), now).is_some();
    memory.fail(address("2001:db8:0:1::1"), now);
    assert!(blocked("2001:db8:0:1:ffff::2"));
    assert!(!blocked("2001:db8:0:2::1"));
    memory.fail(address("::ffff:192.0.2.1"), now);
    assert!(blocked("192.0.2.1"));
}

#[test]
fn failures_spread_over_time_block_nobody_and_the_rate_can_change() {
    let memory = memory(2);
    let (start, client) = (Instant::now(), address("192.0.2.1"));
    for minute in 0..10 {
        let now = start + Duration::from_secs(60 * minute);
        memory.fail(client, now);
        assert_eq!(memory.blocked(client, now), None);
    }
    memory.set_rate(rate(1));
    let now = start + Duration::from_secs(60 * 9 + 1);
    assert!(memory.blocked(client, now).is_some());
}

/// The whole credentials decide, not a short hash of them.
// Row X7: what is remembered of a token.
#[test]
fn proofs_differ_with_every_part_and_with_the_process() {
    let memory = memory(1);
    let digest = memory.digest(&[b"ab", b"c"]);
    assert_eq!(digest, memory.digest(&[b"ab", b"c"]));
    assert_ne!(digest, memory.digest(&[b"a", b"bc"]));
    assert_ne!(digest, memory.digest(&[b"abc"]));
    let other = CredentialMemory::new([8; 32], rate(1));
    assert_ne!(digest, other.digest(&[b"ab", b"c"]));
    memory.remember(digest, Arc::default());
    assert!(memory.verified(&digest).is_some());
    assert_eq!(memory.verified(&memory.digest(&[b"x"])), None);
}

#[test]
fn the_memory_is_bounded_and_keeps_what_is_used() {
    let mut generations = Generations::new(100);
    for number in 0..1_000 {
        generations.insert(number, number);
        assert_eq!(generations.get(&0), Some(0), "{number}");
        assert!(generations.len() <= 200, "{}", generations.len());
    }
    assert_eq!(generations.get(&1), None);
}
