//! Loads the resources of a complete set of records as two parallel pieces of work, each of which stays within its own maps.

use std::sync::Arc;

use crate::convert::{Resource, decode};
use crate::fault::{Fault, Faults};
use crate::model::PoolName;
use crate::parallel::{Join, both};
use crate::persistent_map::Batch;
use crate::record::{RecordSet, ResourceType};
use crate::snapshot::pools::Part;
use crate::snapshot::{Pools, Resources, Touched};

/// The resources of some types of records.
struct Piece {
    resources: Resources,
    /// Contributions still to be merged into the pools.
    parts: Batch<PoolName, Part>,
    faults: Vec<Fault>,
}

impl Piece {
    fn of(records: &RecordSet, wanted: impl Fn(ResourceType) -> bool, pools: &Pools) -> Self {
        let mut piece = Self {
            resources: Resources::default(),
            parts: pools.batch(),
            faults: Vec::new(),
        };
        for record in records.iter().filter(|record| wanted(record.key.kind)) {
            match decode(record) {
                Ok(resource) => piece.take(&record.key.name, resource),
                Err(found) => piece.faults.extend(found),
            }
        }
        piece
    }

    fn take(&mut self, name: &Arc<str>, resource: Resource) {
        match resource {
            Resource::Settings(settings) => {
                for pool in settings.pools() {
                    self.parts.push(pool.clone(), Part::Reference);
                }
                // A set has each key once, so no settings are replaced here.
                self.resources.put_settings(name, settings);
            }
            Resource::VirtualHost(host) => {
                for pool in host.pools() {
                    self.parts.push(pool.clone(), Part::Reference);
                }
                // A set has each key once, so no host is replaced here.
                self.resources.put_host(host);
            }
            Resource::Pool(name, pool) => self.parts.push(name, Part::Pool(pool)),
            Resource::Endpoint(name, owner, endpoint) => {
                self.parts.push(name, Part::Endpoint(owner, endpoint));
            }
        }
    }
}

impl Resources {
    /// Decodes a complete set of records. Hosts are one piece of work; pools and endpoints are the other.
    ///
    /// # Errors
    /// Every fault of every record; if there is none, every dangling reference.
    pub(super) fn of(records: &RecordSet, join: &dyn Join) -> Result<Self, Faults> {
        let pooled =
            |kind: ResourceType| kind == ResourceType::Pool || kind.endpoint_owner().is_some();
        let none = Pools::default();
        let (hosts, (pools, more)) = both(
            join,
            || Piece::of(records, |kind| !pooled(kind), &none),
            || {
                let piece = Piece::of(records, pooled, &none);
                let mut pools = none.clone();
                pools.put_all(piece.parts);
                (pools, piece.faults)
            },
        );
        let (mut all, mut faults) = (hosts.resources, hosts.faults);
        all.pools = pools;
        all.pools.put_all(hosts.parts);
        faults.extend(more);
        faults.extend(all.take_settings().err());
        Faults::check(faults)?;
        Faults::check(all.dangling(&all.leading_nowhere()))?;
        Ok(all)
    }

    /// Returns the resources that have a dangling reference.
    fn leading_nowhere(&self) -> Touched {
        let mut nowhere = Touched::default();
        if self.pools.misses_any() {
            let missing = self.hosts().iter();
            let missing = missing.filter(|(_, host)| self.misses_any(host.pools()));
            nowhere.hosts = missing.map(|(pattern, _)| pattern.clone()).collect();
            nowhere.settings = self.misses_any(self.settings().pools());
        }
        nowhere.pools = self.pools.without_pool().cloned().collect();
        nowhere
    }
}
