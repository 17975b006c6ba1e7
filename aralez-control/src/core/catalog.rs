//! The catalog: the layers merged into the records of one view.

use std::collections::BTreeSet;
use std::sync::Arc;

use aralez_proto::convert::{endpoint_record, host_record, pool_record, settings_record};
use aralez_proto::document::{AuthoredHost, AuthoredPool};
use aralez_proto::model::GroupName;
use aralez_proto::record::{Record, RecordSet};

use crate::core::layers::{Endpoints, Layers};

/// The groups that a host names: those with a view of their own.
pub fn named_groups(layers: &Layers) -> BTreeSet<GroupName> {
    let hosts = layers.authored.hosts.iter();
    hosts.flat_map(|host| host.groups.iter().cloned()).collect()
}

/// The records of a group's view; `None` stands for every group that no host names.
///
/// The settings lie under `default` in every view: a view has one `Settings` record, groups that run the same have the same root, and a
/// group that gets a view of its own does not see its settings deleted under one name and put under another.
pub fn records(layers: &Layers, group: Option<&GroupName>) -> RecordSet {
    let settings = settings_record(&GroupName::default(), &layers.authored.settings);
    let hosts = layers.authored.hosts.iter();
    let hosts = hosts.filter(|host| serves(host, group));
    let authored = hosts.flat_map(|host| {
        let pools = host.pools.iter();
        std::iter::once(host_record(&host.host))
            .chain(pools.flat_map(|pool| pool_records(pool, layers)))
    });
    let operational = layers.operational.certificates.values();
    let operational = operational.chain(layers.operational.credentials.values());
    std::iter::once(settings)
        .chain(authored)
        .chain(operational.cloned())
        .collect()
}

fn serves(host: &AuthoredHost, group: Option<&GroupName>) -> bool {
    host.groups.is_empty() || group.is_some_and(|group| host.groups.contains(group))
}

/// A pool with its endpoints: the discovered ones, and over them those of the document, where weight and tier are a person's word.
fn pool_records(pool: &AuthoredPool, layers: &Layers) -> Vec<Record> {
    let known = layers.discovered.endpoints(&pool.name);
    let mut endpoints: Endpoints = known.map(Arc::as_ref).cloned().unwrap_or_default();
    let authored = pool.endpoints.iter();
    endpoints.extend(authored.map(|endpoint| (endpoint.address, *endpoint)));
    let records = endpoints
        .values()
        .map(|endpoint| endpoint_record(&pool.name, endpoint));
    std::iter::once(pool_record(&pool.name, &pool.pool))
        .chain(records)
        .collect()
}
