//! The catalog: the layers merged into the records of one view.

use std::collections::BTreeSet;

use aralez_proto::convert::endpoint_record;
use aralez_proto::document::{self, AuthoredPool};
use aralez_proto::model::GroupName;
use aralez_proto::record::{Change, RecordSet};

use crate::core::layers::Layers;

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
    let operational = layers.operational.certificates.values();
    let operational = operational.chain(layers.operational.credentials.values());
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
