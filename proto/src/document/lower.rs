//! Conversion of the authored layer into the records of a group.

use crate::convert::{endpoint_record, host_record, pool_record, settings_record};
use crate::document::Authored;
use crate::model::{EndpointOwner, GroupName};
use crate::record::{Record, RecordSet};

/// Returns the records that the authored layer contributes to a group's view: the settings, the hosts that the group serves, their pools
/// and endpoints. `None` stands for every group that no host names.
///
/// The settings have the key `default` in every view. Groups with the same configuration therefore have the same root, and a group that
/// gets its own view never sees its settings put under one key and deleted under another. Equal documents give equal records, whatever
/// their order and layout.
pub fn records(authored: &Authored, group: Option<&GroupName>) -> RecordSet {
    let settings = settings_record(&GroupName::default(), &authored.settings);
    let mut records: Vec<Record> = vec![settings];
    for host in authored.hosts.iter().filter(|host| host.serves(group)) {
        records.push(host_record(&host.host));
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
