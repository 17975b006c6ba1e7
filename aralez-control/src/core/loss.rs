//! What a change takes away in bulk: pools that shrink below half, sets of hosts of which more than half of the names go.
//!
//! A pool is judged by how many endpoints it has left, so that replacing all of them by as many others is no loss: it can serve as much as
//! before. Hosts are judged by their names: clients ask for the old ones, so a host under a new name is one removed and one added. A pool
//! that is gone together with what routed to it is no loss of its own: nothing asks for it any more, and the hosts are judged.

use std::collections::BTreeSet;
use std::fmt;

use aralez_proto::model::{GroupName, PoolName};
use aralez_proto::record::{Change, RecordKey, ResourceType};
use aralez_proto::snapshot::Snapshot;

use crate::core::views::Views;

/// Smaller pools are changed by hand, one endpoint at a time.
const SMALLEST_POOL: usize = 4;
/// Below this many hosts, only the loss of every one of them counts.
const FEW_HOSTS: usize = 10;

/// What something is taken from.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LossScope {
    /// The hosts of the groups without a view of their own.
    Hosts,
    /// The hosts of a group with a view of its own.
    HostsOf(GroupName),
    /// The endpoints of a pool.
    Pool(PoolName),
}

/// More than half of something that goes at once.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Loss {
    /// What loses.
    pub from: LossScope,
    /// How many there were.
    pub before: usize,
    /// How many go.
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

/// Every loss between two heads, each once; none where `before` is the time before the first commit. Costs what changed.
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

/// Whether a view that had hosts has none any more: what an emptied or truncated document also looks like.
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

/// The pool of an endpoint.
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
