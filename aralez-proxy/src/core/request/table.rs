//! The table: a snapshot compiled for lookup.
//!
//! Tables are immutable. Each shares with its predecessor everything that did not change, so the cost of an update is proportional to the
//! change. Routes refer to their pool by name: a change of endpoints rebuilds one pool and no route.

use std::sync::Arc;

use aralez_proto::matcher::{HostIndex, InvalidPath, PathIndex, RequestPath};
use aralez_proto::model::{Endpoint, HostPattern, Pool, PoolName, VirtualHost};
use aralez_proto::parallel::{InTurn, Join, both};
use aralez_proto::persistent_map::PersistentMap;
use aralez_proto::snapshot::{Snapshot, Touched};

use crate::core::request::balance::CompiledPool;
use crate::core::request::registry::Registry;

mod route;
#[cfg(test)]
mod tests;

pub use route::CompiledRoute;
use route::CompiledScope;

/// A snapshot compiled for lookup. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Table {
    hosts: HostIndex<Arc<CompiledHost>>,
    pools: PersistentMap<PoolName, Arc<CompiledPool>>,
    scope: Arc<CompiledScope>,
    compat_0_9: bool,
}

/// A host with its routes.
#[derive(PartialEq, Eq, Debug)]
pub struct CompiledHost {
    /// The hosts it matches.
    pub pattern: HostPattern,
    routes: PathIndex<Arc<CompiledRoute>>,
}

impl CompiledHost {
    fn new(scope: &CompiledScope, host: &VirtualHost) -> Self {
        Self {
            pattern: host.pattern.clone(),
            routes: scope
                .compile(host)
                .map(|route| (Arc::clone(&route.path), Arc::new(route)))
                .collect(),
        }
    }

    /// Returns the route that every reading of a path selects; `None` if no route matches.
    ///
    /// # Errors
    /// [`InvalidPath`] if readings of the path select different routes.
    pub fn route(
        &self,
        path: &RequestPath<'_>,
    ) -> Result<Option<&Arc<CompiledRoute>>, InvalidPath> {
        self.routes.select(path)
    }

    /// Iterates over the routes, ascending by path.
    pub fn routes(&self) -> impl Iterator<Item = &Arc<CompiledRoute>> {
        self.routes.iter().map(|(_, route)| route)
    }
}

impl Table {
    /// Returns an empty table: every request is a miss.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Compiles a whole snapshot.
    pub fn build(snapshot: &Snapshot, registry: &Registry) -> Self {
        Self::build_with(snapshot, registry, &InTurn)
    }

    /// As [`Table::build`], with hosts and pools compiled as two pieces of work that `join` may run in parallel.
    pub fn build_with(snapshot: &Snapshot, registry: &Registry, join: &dyn Join) -> Self {
        let hosts = || {
            let mut table = Self::empty();
            table.take_settings(snapshot);
            table
        };
        let pool = |name: &PoolName, pool: &Pool, endpoints: &[Endpoint]| {
            Arc::new(CompiledPool::new(name, pool, endpoints, registry))
        };
        let pools = || snapshot.resources().pools().map(pool);
        let (hosts, pools) = both(join, hosts, pools);
        Self { pools, ..hosts }
    }

    /// Returns the table of the snapshot that follows the one of this table. The cost is proportional to what the change touched: changed
    /// endpoints rebuild one pool, but changed settings rebuild every route.
    #[must_use]
    pub fn next(&self, snapshot: &Snapshot, touched: &Touched, registry: &Registry) -> Self {
        let mut table = self.clone();
        // Before the hosts: a host is compiled in the scope of the new settings.
        if touched.settings {
            table.take_settings(snapshot);
        }
        for pattern in &touched.hosts {
            table.take_host(pattern, snapshot);
        }
        for name in &touched.pools {
            table.take_pool(name, snapshot, registry);
        }
        table
    }

    /// Returns the host that matches a normalised name: exact, then the longest suffix, then the catch-all. Does not allocate.
    pub fn host(&self, name: &str) -> Option<&Arc<CompiledHost>> {
        self.hosts.lookup(name)
    }

    /// Returns the catch-all host, if there is one.
    pub fn catch_all(&self) -> Option<&Arc<CompiledHost>> {
        self.hosts.get(&HostPattern::CatchAll)
    }

    /// Returns the pool of a name.
    pub fn pool(&self, name: &PoolName) -> Option<&Arc<CompiledPool>> {
        self.pools.get(name)
    }

    /// Iterates over all hosts, in no particular order.
    pub fn hosts(&self) -> impl Iterator<Item = &Arc<CompiledHost>> {
        self.hosts.values()
    }

    /// Iterates over all pools, in no particular order.
    pub fn pools(&self) -> impl Iterator<Item = &Arc<CompiledPool>> {
        self.pools.iter().map(|(_, pool)| pool)
    }

    /// Returns whether misses are answered with 502, as `compat: aralez-0.9` sets.
    pub const fn compat_0_9(&self) -> bool {
        self.compat_0_9
    }

    fn take_settings(&mut self, snapshot: &Snapshot) {
        let resources = snapshot.resources();
        self.compat_0_9 = resources.settings().compat_0_9;
        self.scope = Arc::new(CompiledScope::of(resources.settings()));
        for (pattern, host) in resources.hosts().iter() {
            let host = CompiledHost::new(&self.scope, host);
            self.hosts.insert(pattern, Arc::new(host));
        }
    }

    fn take_host(&mut self, pattern: &HostPattern, snapshot: &Snapshot) {
        let resources = snapshot.resources();
        match resources.hosts().get(pattern) {
            Some(host) => {
                let host = CompiledHost::new(&self.scope, host);
                self.hosts.insert(pattern, Arc::new(host));
            }
            None => {
                self.hosts.remove(pattern);
            }
        }
    }

    fn take_pool(&mut self, name: &PoolName, snapshot: &Snapshot, registry: &Registry) {
        let pools = snapshot.resources().pools();
        let Some((pool, endpoints)) = pools.get(name) else {
            self.pools.remove(name);
            return;
        };
        let pool = CompiledPool::new(name, pool, endpoints, registry);
        self.pools.insert(name.clone(), Arc::new(pool));
    }
}
