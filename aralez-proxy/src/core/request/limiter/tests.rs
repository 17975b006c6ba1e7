use aralez_proto::rules::Quota;
use governor::clock::FakeRelativeClock;
use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

fn per_second(requests: u32) -> Quota {
    Quota::new(number(requests), SECOND, number(requests)).unwrap()
}

fn key(client: u64) -> LimitKey {
    LimitKey { scope: 1, client }
}

fn take(quota: Quota, client: u64) -> Take {
    Take {
        quota,
        key: key(client),
    }
}

fn limiter(requests: usize, errors: usize) -> (Limiter<FakeRelativeClock>, FakeRelativeClock) {
    let clock = FakeRelativeClock::default();
    let bounds = Bounds { requests, errors };
    (Limiter::new(clock.clone(), bounds), clock)
}

/// Returns how many of `count` requests are admitted at once.
fn admitted(limiter: &impl ClientCounts, quota: Quota, client: u64, count: u32) -> usize {
    let taken = (0..count).map(|_| limiter.take(&take(quota, client)));
    taken.filter(Result::is_ok).count()
}

/// N requests within a second pass, and the next one does not.
// Row S68: the documented 429.
#[test]
fn a_burst_passes_and_comes_back_at_the_rate() {
    let (limiter, clock) = limiter(100, 100);
    let quota = per_second(10);
    assert_eq!(admitted(&limiter, quota, 1, 15), 10);
    let wait = limiter.take(&take(quota, 1)).unwrap_err();
    assert_eq!(wait, Duration::from_millis(100));
    clock.advance(wait);
    assert_eq!(admitted(&limiter, quota, 1, 2), 1);
    clock.advance(SECOND);
    assert_eq!(admitted(&limiter, quota, 1, 15), 10);
}

#[test]
fn a_burst_of_its_own_is_independent_of_the_rate() {
    let (limiter, clock) = limiter(100, 100);
    let quota = Quota::new(number(60), 60 * SECOND, number(2)).unwrap();
    assert_eq!(admitted(&limiter, quota, 1, 5), 2);
    clock.advance(SECOND);
    assert_eq!(admitted(&limiter, quota, 1, 5), 1);
}

#[test]
fn clients_scopes_and_quotas_have_counts_of_their_own() {
    let (limiter, _clock) = limiter(100, 100);
    let [one, two] = [1, 2].map(per_second);
    assert_eq!(admitted(&limiter, one, 1, 2), 1);
    assert_eq!(admitted(&limiter, one, 2, 2), 1);
    assert_eq!(admitted(&limiter, two, 1, 3), 2);
    let elsewhere = LimitKey {
        scope: 2,
        client: 1,
    };
    let other = Take {
        quota: one,
        key: elsewhere,
    };
    assert!(limiter.take(&other).is_ok());
}

proptest! {
    /// At any pace, a client that never stops gets between N and 1.1 N requests per second over 10 s.
    // Row R-04: overshoot.
    #[test]
    fn a_client_at_full_speed_gets_its_rate_and_at_most_a_tenth_more(
        rate in 1_u32..200,
        pauses in prop::collection::vec(500_u64..5_000, 1..20),
    ) {
        let (limiter, clock) = limiter(100, 100);
        let quota = per_second(rate);
        let (mut passed, mut elapsed) = (0_u64, 0_u64);
        let end = 10_000_000;
        for pause in pauses.iter().cycle() {
            passed += u64::from(limiter.take(&take(quota, 1)).is_ok());
            elapsed += pause;
            if elapsed >= end {
                break;
            }
            clock.advance(Duration::from_micros(*pause));
        }
        let rate = u64::from(rate);
        prop_assert!(passed <= 11 * rate, "{passed} at {rate}");
        prop_assert!(passed >= 10 * rate, "{passed} at {rate}");
    }
}

#[test]
fn a_sweep_forgets_counts_without_effect_and_no_others() {
    let (limiter, clock) = limiter(1_000, 1_000);
    let [quick, slow] = [
        per_second(100),
        Quota::new(number(1), 60 * SECOND, number(1)).unwrap(),
    ];
    for client in 0..100 {
        assert!(limiter.take(&take(quick, client)).is_ok());
        assert!(limiter.take(&take(slow, client)).is_ok());
        limiter.count_error(&key(client));
    }
    assert_eq!(limiter.keys(), 300);
    clock.advance(2 * SECOND);
    limiter.sweep();
    assert_eq!(limiter.keys(), 100, "the slow quota still counts");
    assert!(limiter.take(&take(slow, 1)).is_err());
    clock.advance(120 * SECOND);
    limiter.sweep();
    assert_eq!(limiter.keys(), 0);
    assert!(limiter.take(&take(slow, 1)).is_ok());
}

/// Any number of addresses takes bounded memory, known clients keep their exact counts, and new ones are still limited.
// Row R-03: many clients.
#[test]
fn beyond_the_bound_new_clients_share_counts() {
    let (limiter, clock) = limiter(1_000, 1_000);
    let quota = per_second(2);
    assert_eq!(admitted(&limiter, quota, 0, 1), 1);
    let passed = (1..300_000).filter(|client| limiter.take(&take(quota, *client)).is_ok());
    let passed = passed.count();
    assert_eq!(limiter.quotas.keys(), 1_000);
    assert!((999..=999 + 2 * 65_536).contains(&passed), "{passed}");
    assert_eq!(
        admitted(&limiter, quota, 0, 2),
        1,
        "a known client counts alone"
    );
    assert!(admitted(&limiter, quota, 400_000, 9) <= 2);
    clock.advance(2 * SECOND);
    limiter.sweep();
    assert_eq!(limiter.keys(), 0);
    assert_eq!(admitted(&limiter, quota, 400_000, 9), 2, "exact again");
}

#[test]
fn errors_beyond_the_bound_are_still_limited() {
    let (limiter, clock) = limiter(1, 1);
    for client in 1..=2 {
        for _ in 0..2 {
            limiter.count_error(&key(client));
        }
        assert!(limiter.check_errors(&key(client), number(1)).is_err());
        assert!(limiter.check_errors(&key(client), number(2)).is_ok());
    }
    clock.advance(SECOND);
    assert!(limiter.check_errors(&key(1), number(1)).is_ok());
    assert!(limiter.check_errors(&key(2), number(1)).is_ok());
}

#[test]
fn a_client_without_errors_takes_no_memory() {
    let (limiter, _clock) = limiter(100, 100);
    assert!(limiter.check_errors(&key(1), number(1)).is_ok());
    assert_eq!(limiter.keys(), 0);
}

#[test]
fn threads_share_one_count() {
    let (limiter, _clock) = limiter(100, 100);
    let quota = Quota::new(number(1), 3_600 * SECOND, number(1_000)).unwrap();
    let passed: usize = std::thread::scope(|scope| {
        let threads = [0, 1].map(|_| scope.spawn(|| admitted(&limiter, quota, 1, 900)));
        threads.map(|thread| thread.join().unwrap()).iter().sum()
    });
    assert_eq!(passed, 1_000);
}
