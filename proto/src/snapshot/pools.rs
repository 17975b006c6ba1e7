//! The pools of a snapshot: by name what a pool is, its endpoints, and how many routes name it.
//!
//! All of a name stands in one place: there are as many names as routes, each look elsewhere is waited for, and each table of its own
//! takes memory for every one of them.

use crate::model::{Endpoint, EndpointAddress, EndpointOwner, Pool, PoolName};
use crate::persistent_map::{Batch, PersistentMap};
use crate::snapshot::endpoints::Endpoints;

/// Pools by name. Cheap to copy; a change costs what it touches.
#[derive(Clone, Debug, Default)]
pub struct Pools {
    named: PersistentMap<PoolName, Named>,
    endpoint_count: usize,
}

/// What is put under a name while a whole set is taken in.
#[derive(Debug)]
pub(super) enum Part {
    Pool(Pool),
    Endpoint(EndpointOwner, Endpoint),
    /// A route that names it.
    Route,
}

/// What stands under a name. While a delta is taken in, parts may be there before the pool itself.
#[derive(Clone, Debug, Default)]
struct Named {
    pool: Option<Pool>,
    /// `None`: it has none.
    endpoints: Option<Endpoints>,
    /// How many routes name it: so that deleting a pool need not look at every host.
    routes: usize,
}

impl Named {
    const fn is_nothing(&self) -> bool {
        self.pool.is_none() && self.endpoints.is_none() && self.routes == 0
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
    /// The pool of a name, and its endpoints, ascending by address.
    pub fn get(&self, name: &PoolName) -> Option<(&Pool, &[Endpoint])> {
        of_pool(self.named.get(name)?)
    }

    /// Whether there is a pool of this name.
    pub fn contains(&self, name: &PoolName) -> bool {
        self.get(name).is_some()
    }

    /// The endpoints of a name, ascending by address, whether there is such a pool or not yet; `None` where it has none. An address that both a
    /// document and a source name is as the document says.
    pub fn endpoints(&self, name: &PoolName) -> Option<&[Endpoint]> {
        self.named.get(name)?.endpoints()
    }

    /// The endpoints of a name that this owner names, ascending by address.
    pub fn endpoints_of(&self, name: &PoolName, owner: EndpointOwner) -> &[Endpoint] {
        let named = self.named.get(name);
        let endpoints = named.and_then(|named| named.endpoints.as_ref());
        endpoints.map_or(&[], |endpoints| endpoints.of_owner(owner))
    }

    /// All pools with their endpoints, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (&PoolName, &Pool, &[Endpoint])> {
        self.named.iter().filter_map(|(name, named)| {
            let (pool, endpoints) = of_pool(named)?;
            Some((name, pool, endpoints))
        })
    }

    /// Something for each pool, of its name, what it says and its endpoints. Costs less than putting one after the other.
    pub fn map<T>(
        &self,
        mut make: impl FnMut(&PoolName, &Pool, &[Endpoint]) -> T,
    ) -> PersistentMap<PoolName, T> {
        self.named.filter_map(|name, named| {
            let (pool, endpoints) = of_pool(named)?;
            Some(make(name, pool, endpoints))
        })
    }

    /// How many endpoints all pools have together.
    pub const fn endpoint_count(&self) -> usize {
        self.endpoint_count
    }

    /// Whether a route names something that is no pool. Looks at all.
    pub(super) fn misses_any(&self) -> bool {
        let missed = |named: &Named| named.routes > 0 && named.pool.is_none();
        self.named.iter().any(|(_, named)| missed(named))
    }

    /// For parts that are taken in by [`Pools::put_all`].
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
            Part::Route => named.routes += 1,
        });
        self.endpoint_count = endpoints;
    }

    /// How many routes name this.
    pub(super) fn routes(&self, name: &PoolName) -> usize {
        self.named.get(name).map_or(0, |named| named.routes)
    }

    /// The names that have endpoints, though there is no such pool.
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

    /// One more route names this.
    pub(super) fn add_route(&mut self, name: &PoolName) {
        self.named.change(name.clone(), |named| named.routes += 1);
    }

    /// One route less names this.
    pub(super) fn remove_route(&mut self, name: &PoolName) {
        self.change(name, |named| {
            named.routes = named.routes.saturating_sub(1);
        });
    }

    /// Changes what stands under a name, of which nothing stays where nothing is left.
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

/// A pool that exists, and its endpoints.
fn of_pool(named: &Named) -> Option<(&Pool, &[Endpoint])> {
    let pool = named.pool.as_ref()?;
    Some((pool, named.endpoints().unwrap_or_default()))
}
