//! Limits on the snapshot that a node accepts.

use crate::fault::{Fault, FaultCode};
use crate::record::{RecordSet, ResourceType};
use crate::snapshot::Resources;

/// The limits of one node, sent to control in `Hello`. `None`: no limit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Limits {
    /// Sum of all payloads, in bytes (`max_snapshot`).
    pub max_snapshot_bytes: Option<u64>,
    /// Virtual hosts (`max_hosts`).
    pub max_hosts: Option<u64>,
    /// Endpoints (`max_endpoints`).
    pub max_endpoints: Option<u64>,
}

impl Limits {
    /// Returns a fault for each limit that a set exceeds. The fault of a count names the last resource by key, to give operators a starting
    /// point.
    pub fn check(&self, records: &RecordSet, resources: &Resources) -> Vec<Fault> {
        let mut faults = Vec::new();
        let bytes = records.payload_bytes() as u64;
        if let Some(max) = self.max_snapshot_bytes.filter(|max| bytes > *max) {
            let reason = format!("the snapshot has {bytes} bytes, this node accepts at most {max}");
            faults.push(Fault::whole(FaultCode::Limit, "max_snapshot", reason));
        }
        let counts = [
            (
                ResourceType::VirtualHost,
                resources.hosts().len(),
                self.max_hosts,
                "max_hosts",
            ),
            (
                ResourceType::Endpoint,
                resources.pools().endpoint_count(),
                self.max_endpoints,
                "max_endpoints",
            ),
        ];
        for (kind, count, max, field) in counts {
            let kinds = kind.counted_together();
            let count = count as u64;
            let Some(max) = max.filter(|max| count > *max) else {
                continue;
            };
            let last = records
                .iter()
                .map(|record| &record.key)
                .filter(|key| kinds.contains(&key.kind))
                .max();
            let reason = format!(
                "{count} resources of type {}, this node accepts at most {max}",
                names(kinds)
            );
            faults.push(match last {
                Some(key) => Fault::of(key, FaultCode::Limit, field, reason),
                None => Fault::whole(FaultCode::Limit, field, reason),
            });
        }
        faults
    }

    /// Reports whether a set is within these limits. Constant time: control calls this for every node and every view.
    pub fn allow(&self, records: &RecordSet, resources: &Resources) -> bool {
        let within = |count: usize, max: Option<u64>| max.is_none_or(|max| count as u64 <= max);
        within(records.payload_bytes(), self.max_snapshot_bytes)
            && within(resources.hosts().len(), self.max_hosts)
            && within(resources.pools().endpoint_count(), self.max_endpoints)
    }
}

/// Joins the names of types for a message.
fn names(kinds: &[ResourceType]) -> String {
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    names.join(" or ")
}
