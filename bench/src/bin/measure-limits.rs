//! Measures the limiter of a proxy: a million addresses, and one more address at full speed while they are counted.
//!
//! `cargo run --release -p aralez-bench --bin measure-limits`
#![allow(clippy::print_stdout)]

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use aralez_decision::state::{ClientCounts as _, LimitKey, Take};
use aralez_proto::rules::Quota;
use aralez_proxy::core::request::limiter;
use aralez_proxy::engine::limit_clock::LimitClock;

type Limiter = limiter::Limiter<LimitClock>;

const ADDRESSES: u32 = 1_000_000;
const FULL_SPEED: Duration = Duration::from_secs(10);
const RATE: u32 = 10_000;

fn take(client: u32, rate: u32) -> Take {
    let rate = NonZeroU32::new(rate).expect("the rate is not 0");
    Take {
        quota: Quota::new(rate, Duration::from_secs(1), rate)
            .expect("a second is a span of quotas"),
        key: LimitKey::new(1, IpAddr::V4(Ipv4Addr::from_bits(client))),
    }
}

/// Returns the resident memory of this process, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc is mounted");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    number.expect("Linux writes VmRSS in kB")
}

/// The counts are without effect a second after the last request.
#[allow(clippy::disallowed_methods)]
fn after_a_second() {
    std::thread::sleep(Duration::from_millis(1_100));
}

/// Counts a request of each of a million addresses.
fn many_addresses(limiter: &Limiter) {
    let before = resident();
    let begun = Instant::now();
    for client in 0..ADDRESSES {
        assert!(limiter.take(&take(client, 10)).is_ok());
    }
    let each = begun.elapsed() / ADDRESSES;
    println!(
        "{ADDRESSES} addresses: {each:?} each, {} counted, {} KiB resident before, {} after",
        limiter.keys(),
        before,
        resident()
    );
}

fn sweep(limiter: &Limiter) {
    after_a_second();
    let begun = Instant::now();
    limiter.sweep();
    println!(
        "sweep: {:?}, {} counted, {} KiB resident",
        begun.elapsed(),
        limiter.keys(),
        resident()
    );
}

/// Returns the numbers of admitted and of all requests until the end.
fn full_speed(limiter: &Limiter, end: Instant) -> (u64, u64) {
    let take = take(u32::MAX, RATE);
    let (mut admitted, mut asked) = (0, 0);
    while Instant::now() < end {
        admitted += u64::from(limiter.take(&take).is_ok());
        asked += 1;
    }
    (admitted, asked)
}

fn one_address(limiter: &Limiter, threads: usize) {
    let (mut admitted, mut asked) = (0, 0);
    let end = Instant::now() + FULL_SPEED;
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| full_speed(limiter, end)))
            .collect();
        for thread in running {
            let (passed, all) = thread.join().expect("a thread does not panic");
            admitted += passed;
            asked += all;
        }
    });
    let seconds = FULL_SPEED.as_secs();
    println!(
        "one address, {threads} threads, {RATE}/s allowed: {}/s admitted of {}/s, {} addresses counted",
        admitted / seconds,
        asked / seconds,
        limiter.keys()
    );
}

fn main() {
    for threads in [1, 2] {
        let limiter = Limiter::default();
        many_addresses(&limiter);
        one_address(&limiter, threads);
        sweep(&limiter);
    }
}
