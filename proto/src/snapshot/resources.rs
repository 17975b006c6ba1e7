//! The decoded resources of a snapshot, indexed and closed under reference.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::convert::{Resource, decode};
use crate::fault::{Fault, FaultCode, Faults};
use crate::model::{EndpointAddress, EndpointOwner, HostPattern, PoolName, Settings, VirtualHost};
use crate::persistent_map::PersistentMap;
use crate::record::{Change, RecordKey, ResourceType};
use crate::snapshot::Pools;

/// Decoded resources. Cheap to clone; a change costs only what it touches.
#[derive(Clone, Debug, Default)]
pub struct Resources {
    settings: Arc<Settings>,
    /// Settings by group. A complete snapshot has those of at most one group.
    groups: BTreeMap<Arc<str>, Arc<Settings>>,
    hosts: PersistentMap<HostPattern, Arc<VirtualHost>>,
    pub(super) pools: Pools,
}

/// The resources that a delta changed: everything a table has to rebuild.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Whether the defaults changed, and with them the effective rules of every host.
    pub settings: bool,
    /// Hosts that were put or deleted.
    pub hosts: HashSet<HostPattern, RandomState>,
    /// Pools that were put or deleted, or whose endpoints changed.
    pub pools: HashSet<PoolName, RandomState>,
}

impl Resources {
    /// Returns the default settings of the group.
    pub const fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// Returns the hosts by pattern.
    pub const fn hosts(&self) -> &PersistentMap<HostPattern, Arc<VirtualHost>> {
        &self.hosts
    }

    /// Returns the pools with their endpoints.
    pub const fn pools(&self) -> &Pools {
        &self.pools
    }

    /// Returns the resources after a delta, and what the delta touched.
    pub(super) fn with(&self, delta: &[Change]) -> Result<(Self, Touched), Faults> {
        let mut next = self.clone();
        let mut touched = Touched::default();
        let mut faults = Vec::new();
        for change in delta {
            match change {
                Change::Put(record) => match decode(record) {
                    Ok(resource) => {
                        touched.put(&resource);
                        next.put(&record.key, resource);
                    }
                    Err(found) => faults.extend(found),
                },
                Change::Delete(key) => faults.extend(next.delete(key, &mut touched).err()),
            }
        }
        faults.extend(next.take_settings().err());
        // References are checked only if every record was understood.
        Faults::check(faults)?;
        Faults::check(next.dangling(&touched))?;
        Ok((next, touched))
    }

    /// Selects the effective settings. Call it after all changes: a delta may put settings under a new key before it deletes those under
    /// the old key.
    pub(super) fn take_settings(&mut self) -> Result<(), Fault> {
        if let Some(second) = self.groups.keys().nth(1) {
            let key = RecordKey::new(ResourceType::Settings, Arc::clone(second));
            let reason = "duplicate settings; a snapshot contains the settings of one group only";
            return Err(Fault::of(&key, FaultCode::Invalid, "key", reason));
        }
        self.settings = self.groups.values().next().cloned().unwrap_or_default();
        Ok(())
    }

    fn put(&mut self, key: &RecordKey, resource: Resource) {
        match resource {
            Resource::Settings(settings) => {
                self.reference(settings.pools());
                let before = self.put_settings(&key.name, settings);
                self.forget(before.iter().flat_map(|settings| settings.pools()));
            }
            Resource::VirtualHost(host) => {
                self.reference(host.pools());
                let before = self.put_host(host);
                self.forget(before.iter().flat_map(|host| host.pools()));
            }
            Resource::Pool(name, pool) => self.pools.put(name, pool),
            Resource::Endpoint(pool, owner, endpoint) => {
                self.pools.put_endpoint(pool, owner, endpoint);
            }
        }
    }

    /// Puts settings without counting their references. Returns the settings that they replace.
    pub(super) fn put_settings(
        &mut self,
        group: &Arc<str>,
        settings: Settings,
    ) -> Option<Arc<Settings>> {
        self.groups.insert(Arc::clone(group), Arc::new(settings))
    }

    /// Puts a host without counting its references. Returns the host it replaces.
    pub(super) fn put_host(&mut self, host: VirtualHost) -> Option<Arc<VirtualHost>> {
        self.hosts.insert(host.pattern.clone(), Arc::new(host))
    }

    fn delete(&mut self, key: &RecordKey, touched: &mut Touched) -> Result<(), Fault> {
        let invalid = |reason: String| Fault::of(key, FaultCode::Invalid, "key", reason);
        match key.kind {
            ResourceType::Settings => {
                let before = self.groups.remove(&key.name);
                self.forget(before.iter().flat_map(|settings| settings.pools()));
                touched.settings = true;
            }
            ResourceType::VirtualHost => {
                let pattern: HostPattern = key
                    .name
                    .parse()
                    .map_err(|error| invalid(format!("{error}")))?;
                if pattern.to_string() != *key.name {
                    return Err(invalid(format!("is not normalised, expected {pattern}")));
                }
                let before = self.hosts.remove(&pattern);
                self.forget(before.iter().flat_map(|host| host.pools()));
                touched.hosts.insert(pattern);
            }
            ResourceType::Pool => {
                let name: PoolName = key
                    .name
                    .parse()
                    .map_err(|error| invalid(format!("{error}")))?;
                self.pools.remove(&name);
                touched.pools.insert(name);
            }
            ResourceType::StaticEndpoint => {
                self.delete_endpoint(key, EndpointOwner::Document, touched)?;
            }
            ResourceType::Endpoint => {
                self.delete_endpoint(key, EndpointOwner::Source, touched)?;
            }
            ResourceType::Certificate | ResourceType::Credentials => {}
        }
        Ok(())
    }

    fn delete_endpoint(
        &mut self,
        key: &RecordKey,
        owner: EndpointOwner,
        touched: &mut Touched,
    ) -> Result<(), Fault> {
        let invalid = |reason: String| Fault::of(key, FaultCode::Invalid, "key", reason);
        let (pool, text) = key
            .endpoint()
            .ok_or_else(|| invalid("is not of the form `POOL ADDRESS`".to_owned()))?;
        let pool: PoolName = pool.parse().map_err(|error| invalid(format!("{error}")))?;
        let address: EndpointAddress = text.parse().map_err(|error| invalid(format!("{error}")))?;
        if !address.is_written(text) {
            return Err(invalid(format!("is not normalised, expected {address}")));
        }
        self.pools.remove_endpoint(&pool, owner, &address);
        touched.pools.insert(pool);
        Ok(())
    }

    /// Counts references to pools.
    fn reference<'a>(&mut self, pools: impl Iterator<Item = &'a PoolName>) {
        for pool in pools {
            self.pools.add_reference(pool);
        }
    }

    /// Counts references that are gone.
    fn forget<'a>(&mut self, pools: impl Iterator<Item = &'a PoolName>) {
        for pool in pools {
            self.pools.remove_reference(pool);
        }
    }

    /// Reports whether one of the referenced pools does not exist.
    pub(super) fn misses_any<'a>(&self, mut pools: impl Iterator<Item = &'a PoolName>) -> bool {
        pools.any(|pool| !self.pools.contains(pool))
    }

    /// Returns a fault for each dangling reference of the settings.
    fn dangling_settings(&self) -> Vec<Fault> {
        let dangling = self.groups.iter().flat_map(|(group, settings)| {
            let key = RecordKey::new(ResourceType::Settings, Arc::clone(group));
            let pools = settings.pools();
            let missing = pools.filter(|pool| !self.pools.contains(pool));
            missing.map(move |pool| nowhere(&key, RULES, pool))
        });
        dangling.collect()
    }

    /// Returns a fault for each dangling reference among the touched resources.
    pub(super) fn dangling(&self, touched: &Touched) -> Vec<Fault> {
        let mut faults = Vec::new();
        if touched.settings {
            faults.extend(self.dangling_settings());
        }
        let missing = |pattern: &HostPattern| {
            let host = self.hosts.get(pattern);
            host.is_some_and(|host| self.misses_any(host.pools()))
        };
        let hosts = ascending(&touched.hosts, missing);
        for host in hosts
            .into_iter()
            .filter_map(|pattern| self.hosts.get(pattern))
        {
            let key = RecordKey::new(ResourceType::VirtualHost, host.pattern.to_string());
            let own = host.rules.servers();
            let own = own.map(|(pool, _)| (RULES.to_owned(), pool));
            let named = host.routes.iter().flat_map(|route| {
                let field = format!("routes.{:?}.pool", route.path);
                route.pools().map(move |pool| (field.clone(), pool))
            });
            for (field, pool) in own
                .chain(named)
                .filter(|(_, pool)| !self.pools.contains(pool))
            {
                faults.push(nowhere(&key, &field, pool));
            }
        }
        for pool in ascending(&touched.pools, |pool| !self.pools.contains(pool)) {
            let key = RecordKey::new(ResourceType::Pool, pool.shared());
            if self.pools.endpoints(pool).is_some() {
                let reason = "has endpoints but does not exist";
                faults.push(Fault::of(&key, FaultCode::DanglingReference, "", reason));
            }
            let count = self.pools.references(pool);
            if count > 0 {
                let reason =
                    format!("does not exist, but {count} route(s) or rule(s) reference it");
                faults.push(Fault::of(&key, FaultCode::DanglingReference, "", reason));
            }
        }
        faults
    }
}

/// The field of rules whose pool does not exist.
const RULES: &str = "rules";

/// Returns the fault of a reference to a pool that does not exist.
fn nowhere(key: &RecordKey, field: &str, pool: &PoolName) -> Fault {
    let reason = format!("references the pool {pool}, which does not exist");
    Fault::of(key, FaultCode::DanglingReference, field, reason)
}

impl Touched {
    fn put(&mut self, resource: &Resource) {
        match resource {
            Resource::Settings(_) => self.settings = true,
            Resource::VirtualHost(host) => {
                self.hosts.insert(host.pattern.clone());
            }
            Resource::Pool(pool, _) | Resource::Endpoint(pool, ..) => {
                self.pools.insert(pool.clone());
            }
        }
    }
}

/// Returns the wanted elements in ascending order, so that faults have a stable order.
fn ascending<T: Ord>(all: &HashSet<T, RandomState>, wanted: impl Fn(&T) -> bool) -> Vec<&T> {
    let mut found: Vec<&T> = all.iter().filter(|one| wanted(one)).collect();
    found.sort_unstable();
    found
}
