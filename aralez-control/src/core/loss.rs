//! Bulk removals by a change: pools that shrink below half, and sets of hosts that lose more than half of their names.
//!
//! A pool is judged by the number of endpoints that it keeps, so replacing all of them by as many others is no loss: the capacity is the
//! same. Hosts are judged by name, because clients ask for the old names: a renamed host counts as one removed and one added. A pool that
//! is removed together with the routes to it is no loss by itself: nothing refers to it any more, and its hosts are judged.

use std::collections::BTreeSet;
use std::fmt;

use aralez_proto::model::{GroupName, PoolName};
use aralez_proto::record::{Change, RecordKey, ResourceType};
use aralez_proto::snapshot::Snapshot;

use crate::core::views::Views;

/// Smallest pool that is judged; smaller ones are edited by hand, one endpoint at a time.
const SMALLEST_POOL: usize = 4;
/// Below this number of hosts, only the loss of all of them counts.
const FEW_HOSTS: usize = 10;

/// The scope in which something is removed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LossScope {
    /// The hosts of the groups without their own view.
    Hosts,
    /// The hosts of a group with its own view.
    HostsOf(GroupName),
    /// The endpoints of a pool.
    Pool(PoolName),
}

/// The removal of more than half of something in one change.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Loss {
    /// The scope that loses.
    pub from: LossScope,
    /// Number before the change.
    pub before: usize,
    /// Number removed.
    pub removed: usize,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            from,
            before,
            removed,
        } = self;
        match from {
            LossScope::Hosts => write!(f, "removes {removed} of {before} hosts"),
            LossScope::HostsOf(group) => {
                write!(f, "removes {removed} of {before} hosts of group {group}")
            }
            LossScope::Pool(pool) => {
                write!(f, "removes {removed} of {before} endpoints of pool {pool}")
            }
        }
    }
}

/// Returns every loss between two heads, each once; none if `before` precedes the first commit. The cost is proportional to the change.
pub fn losses(before: &Views, after: &Views) -> Vec<Loss> {
    let mut found = BTreeSet::new();
    compare(
        before.default_view(),
        after.default_view(),
        LossScope::Hosts,
        &mut found,
    );
    let named = before.named().chain(after.named()).map(|(group, _)| group);
    for group in named.collect::<BTreeSet<_>>() {
        let hosts = LossScope::HostsOf(group.clone());
        compare(&before.view(group), &after.view(group), hosts, &mut found);
    }
    found.into_iter().collect()
}

/// Reports whether a view lost all its hosts, which is also the effect of an emptied or truncated document.
pub fn empties(before: &Views, after: &Views) -> bool {
    let emptied = |before: &Snapshot, after: &Snapshot| {
        !before.resources().hosts().is_empty() && after.resources().hosts().is_empty()
    };
    let mut named = before.named().chain(after.named()).map(|(group, _)| group);
    emptied(before.default_view(), after.default_view())
        || named.any(|group| emptied(&before.view(group), &after.view(group)))
}

fn compare(before: &Snapshot, after: &Snapshot, hosts: LossScope, found: &mut BTreeSet<Loss>) {
    let mut removed_hosts = 0;
    let mut pools = BTreeSet::new();
    for change in before.records().delta_to(after.records()) {
        let Change::Delete(key) = change else {
            continue;
        };
        match key.kind {
            ResourceType::VirtualHost => removed_hosts += 1,
            ResourceType::Endpoint | ResourceType::StaticEndpoint => pools.extend(pool_of(&key)),
            _ => {}
        }
    }
    let count = before.resources().hosts().len();
    let none_left = after.resources().hosts().is_empty();
    if removed_hosts > 0 && (none_left || count >= FEW_HOSTS && over_half(removed_hosts, count)) {
        found.insert(Loss {
            from: hosts,
            before: count,
            removed: removed_hosts,
        });
    }
    found.extend(
        pools
            .into_iter()
            .filter_map(|pool| shrunk(before, after, pool)),
    );
}

/// Returns the pool of an endpoint's key.
fn pool_of(key: &RecordKey) -> Option<PoolName> {
    key.endpoint()?.0.parse().ok()
}

fn shrunk(before: &Snapshot, after: &Snapshot, pool: PoolName) -> Option<Loss> {
    after.resources().pools().get(&pool)?;
    let count = |view: &Snapshot| {
        let endpoints = view.resources().pools().endpoints(&pool);
        endpoints.map_or(0, |endpoints| endpoints.len())
    };
    let (had, left) = (count(before), count(after));
    let removed = had.saturating_sub(left);
    (had >= SMALLEST_POOL && over_half(removed, had)).then_some(Loss {
        from: LossScope::Pool(pool),
        before: had,
        removed,
    })
}

const fn over_half(part: usize, whole: usize) -> bool {
    part > whole / 2
}

#[cfg(test)]
mod tests;
