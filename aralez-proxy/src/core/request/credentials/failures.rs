//! Failed attempts by address, so that guessing ends.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use aralez_proto::client::one_client;
use aralez_proto::main_config::FailureRate;
use parking_lot::Mutex;

use crate::core::request::credentials::generations::Generations;

/// The most addresses that are remembered in each generation. Whoever has more can guess without a limit by address anyway.
const ADDRESSES: usize = 32 * 1_024;

/// The failures of one address.
#[derive(Clone, Copy, Debug)]
struct Window {
    failures: u32,
    /// The end of the window, and of the block once there were too many failures.
    until: Instant,
}

/// The failures of all addresses.
#[derive(Debug)]
pub(super) struct Failures(Mutex<FailureTable>);

#[derive(Debug)]
struct FailureTable {
    rate: FailureRate,
    windows: Generations<IpAddr, Window>,
}

impl Failures {
    pub(super) fn new(rate: FailureRate) -> Self {
        let windows = Generations::new(ADDRESSES);
        Self(Mutex::new(FailureTable { rate, windows }))
    }

    pub(super) fn set_rate(&self, rate: FailureRate) {
        self.0.lock().rate = rate;
    }

    /// Returns the time for which an address is refused.
    pub(super) fn blocked(&self, client: IpAddr, now: Instant) -> Option<Duration> {
        let mut table = self.0.lock();
        let most = table.rate.failures.get();
        let window = table.windows.get(&one_client(client))?;
        let wait = window.until.saturating_duration_since(now);
        (window.failures >= most && !wait.is_zero()).then_some(wait)
    }

    /// Counts a failure. The failure that reaches the limit begins a block of a whole window.
    pub(super) fn count(&self, client: IpAddr, now: Instant) {
        let client = one_client(client);
        let mut table = self.0.lock();
        let rate = table.rate;
        let before = table.windows.get(&client);
        let before = before.filter(|window| now < window.until);
        let mut window = before.unwrap_or(Window {
            failures: 0,
            until: now + rate.per,
        });
        window.failures = window.failures.saturating_add(1);
        if window.failures == rate.failures.get() {
            window.until = now + rate.per;
        }
        table.windows.insert(client, window);
    }
}
