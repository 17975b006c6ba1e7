//! Which change of endpoints comes when: known to the source and to who looks at the nodes, so that neither has to tell the other.
//!
//! Changes go round the pools. In each pool they are in turn one endpoint more and the oldest one less, and no address comes twice: so the
//! addresses of a pool tell how many of its changes it has seen.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use aralez_proto::model::{Endpoint, EndpointAddress, PoolName};
use rustix::time::{ClockId, clock_gettime};

/// Endpoints of a pool before its first change.
const FIRST: u32 = 4;
/// The first byte of all addresses that are found; those of the document begin otherwise.
const FOUND: u8 = 100;

/// When changes come, and where.
#[derive(Clone, Copy, Debug, Default)]
pub struct Schedule {
    /// How many pools.
    pub pools: u32,
    /// Changes in a second.
    pub rate: u32,
    /// For how long.
    pub seconds: u32,
    /// When the first one comes, by the machine's monotonic clock.
    pub begin: Duration,
}

impl Schedule {
    /// How many changes there are.
    pub fn changes(&self) -> u64 {
        u64::from(self.rate) * u64::from(self.seconds)
    }

    /// The pool of a change, and which of the pool's changes it is, from 1.
    pub fn change(&self, number: u64) -> (u32, u32) {
        let pools = u64::from(self.pools);
        ((number % pools) as u32, (number / pools) as u32 + 1)
    }

    /// When a pool's change comes.
    pub fn comes(&self, pool: u32, step: u32) -> Duration {
        let number = u64::from(step - 1) * u64::from(self.pools) + u64::from(pool);
        self.begin + Duration::from_nanos(number * 1_000_000_000 / u64::from(self.rate))
    }

    /// The last change of a pool; 0 where it has none.
    pub fn last(&self, pool: u32) -> u32 {
        let (changes, pools) = (self.changes(), u64::from(self.pools));
        (changes / pools + u64::from(u64::from(pool) < changes % pools)) as u32
    }
}

/// The name of a pool in [`document`].
///
/// # Panics
/// Never: it is a name.
pub fn pool_name(pool: u32) -> PoolName {
    let name = format!("h{pool}.test/");
    name.parse().expect("a host and a path are a pool's name")
}

/// The pool of a name.
pub fn pool_of(name: &str) -> Option<u32> {
    name.strip_prefix('h')?.strip_suffix(".test/")?.parse().ok()
}

/// A document with so many pools.
pub fn document(pools: u32) -> String {
    let pool = |pool: u32| {
        format!("h{pool}.test:\n  paths:\n    \"/\":\n      servers: [\"10.0.0.1:80\"]\n")
    };
    (0..pools).map(pool).collect()
}

/// What a source finds in a pool after so many of its changes.
///
/// # Panics
/// Never: these are addresses.
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

/// A script with what is there before the first change.
pub fn first(pools: u32) -> String {
    let addresses = endpoints(0)
        .into_iter()
        .map(|endpoint| endpoint.address.to_string());
    let addresses = addresses.collect::<Vec<_>>().join(" ");
    let line = |pool| format!("{} {addresses}\n", pool_name(pool));
    (0..pools).map(line).collect()
}

/// How many changes a pool has seen that has these addresses; `None` where nothing was found yet.
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

/// The machine's monotonic clock: the same in every process.
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
