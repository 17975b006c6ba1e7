//! `rate_limit`: one governor per quota, with a state per client.
//!
//! Governors are kept by their quota, not in a table of routes: a route with an unchanged quota finds the counts of its predecessor.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aralez_decision::state::{LimitKey, Take};
use aralez_proto::rules::Quota;
use arc_swap::ArcSwap;
use foldhash::fast::RandomState;
use governor::RateLimiter;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;

use crate::core::request::limiter::keyed::KeyedStates;
use crate::core::request::limiter::room::Room;

/// A state of the generic cell rate algorithm: the theoretical arrival time of the next request in nanoseconds, or 0 if none arrived yet.
type Arrival = u64;

type Governor<C> = RateLimiter<LimitKey, KeyedStates<Arrival>, C, NoOpMiddleware<Nanos>>;

type ByQuota<C> = HashMap<Quota, Arc<Governor<C>>, RandomState>;

/// The counts of all quotas.
#[derive(Debug)]
pub(super) struct Quotas<C: Clock<Instant = Nanos>> {
    governors: ArcSwap<ByQuota<C>>,
    clock: C,
    room: Room,
}

impl<C: Clock<Instant = Nanos> + Clone> Quotas<C> {
    pub(super) fn new(clock: C, room: Room) -> Self {
        Self {
            governors: ArcSwap::default(),
            clock,
            room,
        }
    }

    /// Takes a request from a quota.
    ///
    /// # Errors
    /// The time until the quota admits another request.
    pub(super) fn take(&self, take: &Take) -> Result<(), Duration> {
        let governors = self.governors.load();
        let created;
        let governor = match governors.get(&take.quota) {
            Some(governor) => governor,
            None => {
                created = self.create(take.quota);
                &created
            }
        };
        let checked = governor.check_key(&take.key);
        checked.map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }

    /// Removes the states that no longer differ from new ones, and the governors without any. A request that has just found such a governor
    /// may still count in it: one request of a client may then be forgotten.
    pub(super) fn sweep(&self) {
        let governors = self.governors.load();
        for governor in governors.values() {
            governor.retain_recent();
        }
        if governors.values().any(|governor| governor.is_empty()) {
            self.governors.rcu(|governors| {
                let used = governors
                    .iter()
                    .filter(|(_, governor)| !governor.is_empty());
                let used = used.map(|(quota, governor)| (*quota, Arc::clone(governor)));
                used.collect::<ByQuota<C>>()
            });
        }
    }

    /// Returns the number of clients with a state of their own.
    pub(super) fn keys(&self) -> usize {
        self.room.taken()
    }

    fn create(&self, quota: Quota) -> Arc<Governor<C>> {
        let limit = governor::Quota::with_period(quota.interval());
        // `Quota` guarantees an interval of at least a nanosecond.
        let limit = limit.unwrap_or_else(|| governor::Quota::per_second(quota.requests()));
        let limit = limit.allow_burst(quota.burst());
        let states = KeyedStates::new(self.room.clone());
        let created = Arc::new(RateLimiter::new(limit, states, self.clock.clone()));
        self.governors.rcu(|governors| {
            let mut governors = ByQuota::clone(governors);
            let created = || Arc::clone(&created);
            governors.entry(quota).or_insert_with(created);
            governors
        });
        // Another thread may have been first.
        let governors = self.governors.load();
        governors.get(&quota).map_or(created, Arc::clone)
    }
}

impl StateStore for KeyedStates<Arrival> {
    type Key = LimitKey;

    fn measure_and_replace<T, F, E>(&self, key: &LimitKey, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        self.with(key, |arrival| {
            let before = (*arrival != 0).then(|| Nanos::from(*arrival));
            let (admitted, after) = measure(before)?;
            *arrival = after.into();
            Ok(admitted)
        })
    }
}

impl ShrinkableKeyedStateStore<LimitKey> for KeyedStates<Arrival> {
    fn retain_recent(&self, drop_below: Nanos) {
        self.retain(|arrival| *arrival > drop_below.as_u64());
    }

    fn len(&self) -> usize {
        Self::len(self)
    }

    fn is_empty(&self) -> bool {
        Self::len(self) == 0
    }
}
