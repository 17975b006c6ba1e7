//! The catalog: the layers merged into the records of one view.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aralez_proto::convert::{decode, endpoint_record};
use aralez_proto::document::{self, AuthoredPool};
use aralez_proto::fault::Fault;
use aralez_proto::model::{Endpoint, EndpointOwner, GroupName, PoolName};
use aralez_proto::record::{Change, Delta, Record, RecordKey, RecordSet};
use aralez_proto::snapshot::Snapshot;

use crate::core::layers::{Endpoints, Layers};

#[cfg(test)]
mod tests;

/// Returns the groups that a host names: those with their own view.
pub fn named_groups(layers: &Layers) -> BTreeSet<GroupName> {
    let hosts = layers.authored.hosts.iter();
    hosts.flat_map(|host| host.groups.iter().cloned()).collect()
}

/// Builds the records of a group's view; `None` is the view of every group that no host names.
pub fn records(layers: &Layers, group: Option<&GroupName>) -> RecordSet {
    let hosts = layers.authored.hosts.iter();
    let pools = hosts
        .filter(|host| host.serves(group))
        .flat_map(|host| &host.pools);
    let discovered = pools.flat_map(|pool| discovered_endpoints(pool, layers));
    let operational = layers.operational.records();
    let added: Vec<Change> = operational
        .cloned()
        .map(Change::Put)
        .chain(discovered)
        .collect();
    let authored = document::records(&layers.authored, group);
    if added.is_empty() {
        return authored;
    }
    authored.with(&added)
}

/// Returns the discovered endpoints of `pools`, as input of [`endpoints_delta`].
pub fn endpoints_of(
    layers: &Layers,
    pools: &BTreeSet<PoolName>,
) -> BTreeMap<PoolName, Arc<Endpoints>> {
    let found = |pool: &PoolName| layers.discovered.endpoints(pool).cloned();
    let found = |pool: &PoolName| (pool.clone(), found(pool).unwrap_or_default());
    pools.iter().map(found).collect()
}

/// Returns the faults of the endpoints found for a pool, as every node would report them. Checks only endpoints that differ from the known
/// ones.
pub fn faults_of_found(
    pool: &PoolName,
    known: Option<&Arc<Endpoints>>,
    found: &Endpoints,
) -> Vec<Fault> {
    let same = |endpoint: &Endpoint| {
        known.is_some_and(|known| known.get(&endpoint.address) == Some(endpoint))
    };
    found
        .values()
        .filter(|endpoint| !same(endpoint))
        .filter_map(|endpoint| decode(&found_record(pool, endpoint)).err())
        .flatten()
        .collect()
}

/// Returns the delta that brings the discovered endpoints of these pools in `view` up to date. Costs only these pools; pools that are not
/// in the view are skipped.
pub fn endpoints_delta(view: &Snapshot, pools: &BTreeMap<PoolName, Arc<Endpoints>>) -> Delta {
    let mut delta = Delta::new();
    for (pool, now) in pools {
        let known = view.resources().pools();
        if !known.contains(pool) {
            continue;
        }
        let before = known.endpoints_of(pool, EndpointOwner::Source);
        let gone = before.iter().map(|endpoint| &endpoint.address);
        let gone = gone.filter(|address| !now.contains_key(*address));
        delta.extend(gone.map(|address| {
            Change::Delete(RecordKey::of_endpoint(EndpointOwner::Source, pool, address))
        }));
        // `before` is sorted by address.
        let same = |address| {
            let at = before.binary_search_by(|endpoint| endpoint.address.cmp(address));
            at.ok().map(|at| &before[at])
        };
        let new = now
            .iter()
            .filter(|(address, endpoint)| same(address) != Some(*endpoint));
        delta.extend(new.map(|(_, endpoint)| Change::Put(found_record(pool, endpoint))));
    }
    delta
}

/// The discovered endpoints of a pool, as changes.
fn discovered_endpoints<'a>(
    pool: &'a AuthoredPool,
    layers: &'a Layers,
) -> impl Iterator<Item = Change> + 'a {
    let known = layers.discovered.endpoints(&pool.name);
    let found = known.into_iter().flat_map(|known| known.values());
    found.map(|endpoint| Change::Put(found_record(&pool.name, endpoint)))
}

fn found_record(pool: &PoolName, endpoint: &Endpoint) -> Record {
    endpoint_record(EndpointOwner::Source, pool, endpoint)
}
