//! Conversion of the authored layer into the records of a group.

use crate::convert::{endpoint_record, host_record, pool_record, settings_record};
use crate::document::{Authored, AuthoredHost};
use crate::model::{Endpoint, EndpointOwner, GroupName, Pool};
use crate::record::{Record, RecordSet};
use crate::rules::Rules;

/// Returns the records that the authored layer contributes to a group's view: the settings, the hosts that the group serves, their pools
/// and endpoints. `None` stands for every group that no host names.
///
/// The settings have the key `default` in every view. Groups with the same configuration therefore have the same root, and a group that
/// gets its own view never sees its settings put under one key and deleted under another. Equal documents give equal records, whatever
/// their order and layout.
pub fn records(authored: &Authored, group: Option<&GroupName>) -> RecordSet {
    lowered(authored, |host| host.serves(group))
}

/// Returns the records of all groups together, for checks of whole documents.
pub fn records_of_all_groups(authored: &Authored) -> RecordSet {
    lowered(authored, |_| true)
}

fn lowered(authored: &Authored, takes: impl Fn(&AuthoredHost) -> bool) -> RecordSet {
    let settings = settings_record(&GroupName::default(), &authored.settings);
    let mut records: Vec<Record> = vec![settings];
    records.extend(of_servers(&authored.settings.rules));
    for host in authored.hosts.iter().filter(|host| takes(host)) {
        records.push(host_record(&host.host));
        let routes = host.host.routes.iter().map(|route| &route.rules);
        for rules in std::iter::once(&host.host.rules).chain(routes) {
            records.extend(of_servers(rules));
        }
        for pool in &host.pools {
            records.push(pool_record(&pool.name, &pool.pool));
            let endpoints = pool.endpoints.iter();
            records
                .extend(endpoints.map(|endpoint| {
                    endpoint_record(EndpointOwner::Document, &pool.name, endpoint)
                }));
        }
    }
    records.into_iter().collect()
}

/// Returns the pools of the servers that rules name. The same server gives the same records, wherever it is named.
fn of_servers(rules: &Rules) -> impl Iterator<Item = Record> {
    let servers = rules.servers();
    servers.flat_map(|(name, address)| {
        let endpoint = Endpoint::new(address.clone());
        [
            pool_record(name, &Pool::default()),
            endpoint_record(EndpointOwner::Document, name, &endpoint),
        ]
    })
}
