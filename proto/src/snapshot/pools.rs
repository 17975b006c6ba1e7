//! The pools of a snapshot, by name: each pool, its endpoints, and the number of references to it.
//!
//! Everything about a name is in one map entry. There are as many names as routes, so every further lookup would be a cache miss, and every
//! further map would take memory for each name.

use crate::model::{Endpoint, EndpointAddress, EndpointOwner, Pool, PoolName};
use crate::persistent_map::{Batch, PersistentMap};
use crate::snapshot::endpoints::Endpoints;

/// Pools by name. Cheap to clone; a change costs only what it touches.
#[derive(Clone, Debug, Default)]
pub struct Pools {
    named: PersistentMap<PoolName, Named>,
    endpoint_count: usize,
}

/// One contribution to the entry of a name while a complete set is loaded.
#[derive(Debug)]
pub(super) enum Part {
    Pool(Pool),
    Endpoint(EndpointOwner, Endpoint),
    /// A route or rule that references the name.
    Reference,
}

/// The entry of a name. While a delta is applied, endpoints and routes may precede the pool itself.
#[derive(Clone, Debug, Default)]
struct Named {
    pool: Option<Pool>,
    /// `None` if the pool has none.
    endpoints: Option<Endpoints>,
    /// Number of references of routes and rules to the name, so that deleting a pool does not have to scan every host.
    references: usize,
}

impl Named {
    const fn is_nothing(&self) -> bool {
        self.pool.is_none() && self.endpoints.is_none() && self.references == 0
    }

    fn endpoints(&self) -> Option<&[Endpoint]> {
        self.endpoints.as_ref().map(Endpoints::all)
    }

    fn count(&self) -> usize {
        self.endpoints().map_or(0, <[_]>::len)
    }

    fn put_endpoint(&mut self, owner: EndpointOwner, endpoint: Endpoint) {
        self.endpoints = Endpoints::put(self.endpoints.take(), owner, endpoint);
    }
}

impl Pools {
    /// Returns the pool of a name with its endpoints, ascending by address.
    pub fn get(&self, name: &PoolName) -> Option<(&Pool, &[Endpoint])> {
        of_pool(self.named.get(name)?)
    }

    /// Reports whether a pool of this name exists.
    pub fn contains(&self, name: &PoolName) -> bool {
        self.get(name).is_some()
    }

    /// Returns the effective endpoints of a name, ascending by address, even if the pool itself does not exist yet. `None` if there are
    /// none. For an address that both a document and a source name, the document's entry is returned.
    pub fn endpoints(&self, name: &PoolName) -> Option<&[Endpoint]> {
        self.named.get(name)?.endpoints()
    }

    /// Returns the endpoints of a name that this owner contributes, ascending by address.
    pub fn endpoints_of(&self, name: &PoolName, owner: EndpointOwner) -> &[Endpoint] {
        let named = self.named.get(name);
        let endpoints = named.and_then(|named| named.endpoints.as_ref());
        endpoints.map_or(&[], |endpoints| endpoints.of_owner(owner))
    }

    /// Returns an iterator over all pools with their endpoints, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (&PoolName, &Pool, &[Endpoint])> {
        self.named.iter().filter_map(|(name, named)| {
            let (pool, endpoints) = of_pool(named)?;
            Some((name, pool, endpoints))
        })
    }

    /// Builds a map with one value per pool. Cheaper than inserting the values one by one.
    pub fn map<T>(
        &self,
        mut make: impl FnMut(&PoolName, &Pool, &[Endpoint]) -> T,
    ) -> PersistentMap<PoolName, T> {
        self.named.filter_map(|name, named| {
            let (pool, endpoints) = of_pool(named)?;
            Some(make(name, pool, endpoints))
        })
    }

    /// Returns the number of endpoints in all pools.
    pub const fn endpoint_count(&self) -> usize {
        self.endpoint_count
    }

    /// Reports whether any route or rule references a missing pool. Scans all names.
    pub(super) fn misses_any(&self) -> bool {
        let missed = |named: &Named| named.references > 0 && named.pool.is_none();
        self.named.iter().any(|(_, named)| missed(named))
    }

    /// Returns an empty batch of parts for [`Pools::put_all`].
    pub(super) fn batch(&self) -> Batch<PoolName, Part> {
        self.named.batch()
    }

    pub(super) fn put_all(&mut self, parts: Batch<PoolName, Part>) {
        let mut endpoints = self.endpoint_count;
        self.named.change_all(parts, |named, part| match part {
            Part::Pool(pool) => named.pool = Some(pool),
            Part::Endpoint(owner, endpoint) => {
                endpoints -= named.count();
                named.put_endpoint(owner, endpoint);
                endpoints += named.count();
            }
            Part::Reference => named.references += 1,
        });
        self.endpoint_count = endpoints;
    }

    /// Returns the number of references of routes and rules to a name.
    pub(super) fn references(&self, name: &PoolName) -> usize {
        self.named.get(name).map_or(0, |named| named.references)
    }

    /// Returns the names that have endpoints but no pool.
    pub(super) fn without_pool(&self) -> impl Iterator<Item = &PoolName> {
        let stray = |named: &Named| named.pool.is_none() && named.endpoints.is_some();
        let strays = self.named.iter().filter(move |(_, named)| stray(named));
        strays.map(|(name, _)| name)
    }

    pub(super) fn put(&mut self, name: PoolName, pool: Pool) {
        self.named.change(name, |named| named.pool = Some(pool));
    }

    pub(super) fn remove(&mut self, name: &PoolName) {
        self.change(name, |named| named.pool = None);
    }

    pub(super) fn put_endpoint(
        &mut self,
        name: PoolName,
        owner: EndpointOwner,
        endpoint: Endpoint,
    ) {
        let (before, after) = self.named.change(name, |named| {
            let before = named.count();
            named.put_endpoint(owner, endpoint);
            (before, named.count())
        });
        self.endpoint_count = self.endpoint_count - before + after;
    }

    pub(super) fn remove_endpoint(
        &mut self,
        name: &PoolName,
        owner: EndpointOwner,
        address: &EndpointAddress,
    ) {
        let (before, after) = self.change(name, |named| {
            let before = named.count();
            named.endpoints = Endpoints::remove(named.endpoints.take(), owner, address);
            (before, named.count())
        });
        self.endpoint_count = self.endpoint_count - before + after;
    }

    /// Counts one more reference to the name.
    pub(super) fn add_reference(&mut self, name: &PoolName) {
        self.named
            .change(name.clone(), |named| named.references += 1);
    }

    /// Counts one reference less to the name.
    pub(super) fn remove_reference(&mut self, name: &PoolName) {
        self.change(name, |named| {
            named.references = named.references.saturating_sub(1);
        });
    }

    /// Changes the entry of a name, and removes the entry if nothing is left in it.
    fn change<R>(&mut self, name: &PoolName, change: impl FnOnce(&mut Named) -> R) -> R {
        let (result, nothing) = self.named.change(name.clone(), |named| {
            let result = change(named);
            (result, named.is_nothing())
        });
        if nothing {
            self.named.remove(name);
        }
        result
    }
}

/// Returns the pool of an entry with its endpoints. `None` if the pool does not exist.
fn of_pool(named: &Named) -> Option<(&Pool, &[Endpoint])> {
    let pool = named.pool.as_ref()?;
    Some((pool, named.endpoints().unwrap_or_default()))
}
