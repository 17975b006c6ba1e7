//! From the authored layer to the records of a group.

use crate::convert::{endpoint_record, host_record, pool_record, settings_record};
use crate::document::Authored;
use crate::model::GroupName;
use crate::record::{Record, RecordSet};

/// The records that the authored layer gives to a group: its settings, the hosts that it serves, their pools and endpoints.
///
/// Equal documents give equal records, in whatever order and layout they were written.
pub fn records(authored: &Authored, group: &GroupName) -> RecordSet {
    let mut records: Vec<Record> = vec![settings_record(group, &authored.settings)];
    let served = authored
        .hosts
        .iter()
        .filter(|host| host.groups.is_empty() || host.groups.contains(group));
    for host in served {
        records.push(host_record(&host.host));
        for pool in &host.pools {
            records.push(pool_record(&pool.name, &pool.pool));
            let endpoints = pool.endpoints.iter();
            records.extend(endpoints.map(|endpoint| endpoint_record(&pool.name, endpoint)));
        }
    }
    records.into_iter().collect()
}
