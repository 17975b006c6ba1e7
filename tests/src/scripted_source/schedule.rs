//! A deterministic schedule of endpoint changes. The source and the observer of the nodes both derive it, so neither has to inform the
//! other.
//!
//! Changes visit the pools round-robin. Within a pool they alternate between adding an endpoint and removing the oldest one, and no address
//! is ever reused. A pool's addresses therefore determine how many of its changes have been applied.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use aralez_proto::model::{Endpoint, EndpointAddress, PoolName};
use rustix::time::{ClockId, clock_gettime};

/// Endpoints of a pool before its first change.
const FIRST: u32 = 4;
/// First octet of every discovered address; the addresses in the document have another one.
const FOUND: u8 = 100;

/// The times and targets of the changes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Schedule {
    /// Number of pools.
    pub pools: u32,
    /// Changes per second, over all pools.
    pub rate: u32,
    /// Duration of the schedule, in seconds.
    pub seconds: u32,
    /// Time of the first change, on the machine's monotonic clock.
    pub begin: Duration,
}

impl Schedule {
    /// Returns the total number of changes.
    pub fn changes(&self) -> u64 {
        u64::from(self.rate) * u64::from(self.seconds)
    }

    /// Returns the pool of a change, and the change's number within that pool, from 1.
    pub fn change(&self, number: u64) -> (u32, u32) {
        let pools = u64::from(self.pools);
        ((number % pools) as u32, (number / pools) as u32 + 1)
    }

    /// Returns the time at which change number `step` of a pool is due.
    pub fn comes(&self, pool: u32, step: u32) -> Duration {
        let number = u64::from(step - 1) * u64::from(self.pools) + u64::from(pool);
        self.begin + Duration::from_nanos(number * 1_000_000_000 / u64::from(self.rate))
    }

    /// Returns the number of the last change of a pool; 0 if it has none.
    pub fn last(&self, pool: u32) -> u32 {
        let (changes, pools) = (self.changes(), u64::from(self.pools));
        (changes / pools + u64::from(u64::from(pool) < changes % pools)) as u32
    }
}

/// Returns the name of a pool in [`document`].
///
/// # Panics
/// Never: the name is always valid.
pub fn pool_name(pool: u32) -> PoolName {
    let name = format!("h{pool}.test/");
    name.parse().expect("a host and a path are a pool's name")
}

/// Parses the pool's number from its name; `None` if it is not a name from [`pool_name`].
pub fn pool_of(name: &str) -> Option<u32> {
    name.strip_prefix('h')?.strip_suffix(".test/")?.parse().ok()
}

/// Returns a document with this many pools.
pub fn document(pools: u32) -> String {
    let pool = |pool: u32| {
        format!("h{pool}.test:\n  paths:\n    \"/\":\n      servers: [\"10.0.0.1:80\"]\n")
    };
    (0..pools).map(pool).collect()
}

/// Returns the endpoints that the source reports for a pool after its first `step` changes.
///
/// # Panics
/// Never: the addresses are always valid.
pub fn endpoints(step: u32) -> Vec<Endpoint> {
    let (more, less) = (step.div_ceil(2), step / 2);
    let address = |number: u32| {
        let [_, high, middle, low] = number.to_be_bytes();
        let ip = IpAddr::V4(Ipv4Addr::new(FOUND, high, middle, low));
        let text = SocketAddr::new(ip, 80).to_string();
        let address: EndpointAddress = text.parse().expect("an address is an address");
        Endpoint::new(address)
    };
    (less..more + FIRST).map(address).collect()
}

/// Returns a script with the endpoints before the first change.
pub fn first(pools: u32) -> String {
    let addresses = endpoints(0)
        .into_iter()
        .map(|endpoint| endpoint.address.to_string());
    let addresses = addresses.collect::<Vec<_>>().join(" ");
    let line = |pool| format!("{} {addresses}\n", pool_name(pool));
    (0..pools).map(line).collect()
}

/// Returns how many changes a pool with these addresses has seen; `None` if none of them was discovered.
pub fn step_of(addresses: impl Iterator<Item = SocketAddr>) -> Option<u32> {
    let number = |address: SocketAddr| match address.ip() {
        IpAddr::V4(ip) if ip.octets()[0] == FOUND => {
            let [_, high, middle, low] = ip.octets();
            Some(u32::from_be_bytes([0, high, middle, low]))
        }
        _ => None,
    };
    let found = addresses.filter_map(number);
    let (least, most) = found.fold((u32::MAX, 0), |(least, most), number| {
        (least.min(number), most.max(number))
    });
    (least <= most).then(|| least + most + 1 - FIRST)
}

/// Returns the time of the monotonic clock, which all processes of the machine share.
pub fn now() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_of_a_pool_tell_how_many_changes_it_has_seen() {
        for step in 0..10_000 {
            let addresses = endpoints(step).into_iter();
            let addresses = addresses.filter_map(|endpoint| endpoint.address.tcp());
            assert_eq!(step_of(addresses), Some(step));
        }
        assert_eq!(step_of(["10.0.0.1:80".parse().unwrap()].into_iter()), None);
    }

    #[test]
    fn every_change_has_its_own_time_and_every_pool_its_last_one() {
        let schedule = Schedule {
            pools: 7,
            rate: 500,
            seconds: 3,
            begin: Duration::from_secs(9),
        };
        let mut last = [0; 7];
        for number in 0..schedule.changes() {
            let (pool, step) = schedule.change(number);
            assert_eq!(step, last[pool as usize] + 1);
            last[pool as usize] = step;
            let due = schedule.begin + Duration::from_millis(number * 2);
            assert_eq!(schedule.comes(pool, step), due);
        }
        assert!((0..7).all(|pool| schedule.last(pool) == last[pool as usize]));
    }
}
