//! The catalog: the layers merged into the records of one view.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aralez_proto::convert::{decode, endpoint_record};
use aralez_proto::document::{self, AuthoredPool};
use aralez_proto::fault::Fault;
use aralez_proto::model::{Endpoint, GroupName, PoolName};
use aralez_proto::record::{Change, Delta, RecordKey, RecordSet, ResourceType};
use aralez_proto::snapshot::Snapshot;

use crate::core::layers::{Endpoints, Layers};

#[cfg(test)]
mod tests;

/// The groups that a host names: those with a view of their own.
pub fn named_groups(layers: &Layers) -> BTreeSet<GroupName> {
    let hosts = layers.authored.hosts.iter();
    hosts.flat_map(|host| host.groups.iter().cloned()).collect()
}

/// The records of a group's view; `None` stands for every group that no host names.
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

/// All that some pools have now, from whomever: what [`endpoints_delta`] compares views with.
pub fn endpoints_of(layers: &Layers, pools: &BTreeSet<PoolName>) -> BTreeMap<PoolName, Endpoints> {
    let found = |pool: &PoolName| {
        let known = layers.discovered.endpoints(pool);
        known.map(|known| Endpoints::clone(known))
    };
    let mut all: BTreeMap<PoolName, Endpoints> = pools
        .iter()
        .map(|pool| (pool.clone(), found(pool).unwrap_or_default()))
        .collect();
    let authored = layers.authored.hosts.iter().flat_map(|host| &host.pools);
    for pool in authored {
        if let Some(endpoints) = all.get_mut(&pool.name) {
            let word = pool.endpoints.iter();
            endpoints.extend(word.map(|endpoint| (endpoint.address, *endpoint)));
        }
    }
    all
}

/// What is wrong with what was found for a pool, as every node would say. Costs the endpoints that differ from the known ones.
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
        .filter_map(|endpoint| decode(&endpoint_record(pool, endpoint)).err())
        .flatten()
        .collect()
}

/// What turns a view's endpoints of these pools into all that they have now. Costs these pools; a pool that is not in the view is none of
/// its business.
pub fn endpoints_delta(view: &Snapshot, pools: &BTreeMap<PoolName, Endpoints>) -> Delta {
    let mut delta = Delta::new();
    for (pool, now) in pools {
        if view.resources().pools().get(pool).is_none() {
            continue;
        }
        let before = view.resources().pools().endpoints(pool).unwrap_or_default();
        let gone = before.iter().map(|endpoint| endpoint.address);
        let gone = gone.filter(|address| !now.contains_key(address));
        delta.extend(gone.map(|address| {
            let key = RecordKey::new(ResourceType::Endpoint, format!("{pool} {address}"));
            Change::Delete(key)
        }));
        // Ascending by address.
        let same = |address| before.binary_search_by_key(address, |endpoint| endpoint.address);
        let same = |address| same(address).ok().map(|at| &before[at]);
        let new = now
            .iter()
            .filter(|(address, endpoint)| same(address) != Some(*endpoint));
        delta.extend(new.map(|(_, endpoint)| Change::Put(endpoint_record(pool, endpoint))));
    }
    delta
}

/// What sources found for a pool. An endpoint that stands in the document as well is as the document says: its weight and tier are a
/// person's word.
fn discovered_endpoints<'a>(
    pool: &'a AuthoredPool,
    layers: &'a Layers,
) -> impl Iterator<Item = Change> + 'a {
    let known = layers.discovered.endpoints(&pool.name);
    let authored = |address| {
        pool.endpoints
            .iter()
            .any(|endpoint| endpoint.address == address)
    };
    let found = known.into_iter().flat_map(|known| known.values());
    let found = found.filter(move |endpoint| !authored(endpoint.address));
    found.map(|endpoint| Change::Put(endpoint_record(&pool.name, endpoint)))
}
