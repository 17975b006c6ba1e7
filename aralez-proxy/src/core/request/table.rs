//! The table: a snapshot compiled for lookup.
//!
//! Tables are immutable and follow each other; the next one shares with the one before what did not change, so that a change costs what
//! it touches. Routes name their pool instead of holding it: a change of endpoints rebuilds one pool and no route.

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

/// A snapshot compiled for lookup. Cheap to copy.
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
    /// Which hosts it answers for.
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

    /// The route that every reading of a path selects.
    ///
    /// # Errors
    /// [`InvalidPath`] where readings of the path select different routes.
    pub fn route(
        &self,
        path: &RequestPath<'_>,
    ) -> Result<Option<&Arc<CompiledRoute>>, InvalidPath> {
        self.routes.select(path)
    }

    /// The routes, ascending by path.
    pub fn routes(&self) -> impl Iterator<Item = &Arc<CompiledRoute>> {
        self.routes.iter().map(|(_, route)| route)
    }
}

impl Table {
    /// The table of nothing: every request is a miss.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The table of a snapshot. Costs the snapshot.
    pub fn build(snapshot: &Snapshot, registry: &Registry) -> Self {
        Self::build_with(snapshot, registry, &InTurn)
    }

    /// As [`Table::build`]: hosts are one piece of work, pools another.
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

    /// The table of the snapshot that follows the one this table is of. Costs what the change touched: a pool whose endpoints changed is
    /// one pool, but settings are in every route.
    #[must_use]
    pub fn next(&self, snapshot: &Snapshot, touched: &Touched, registry: &Registry) -> Self {
        let mut table = self.clone();
        // A host that is put is compiled in the scope of now.
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

    /// The host that answers for a normalised name: exact, then the longest suffix, then the catch-all. Does not allocate.
    pub fn host(&self, name: &str) -> Option<&Arc<CompiledHost>> {
        self.hosts.lookup(name)
    }

    /// The host that takes what no other one takes.
    pub fn catch_all(&self) -> Option<&Arc<CompiledHost>> {
        self.hosts.get(&HostPattern::CatchAll)
    }

    /// The pool of a name.
    pub fn pool(&self, name: &PoolName) -> Option<&Arc<CompiledPool>> {
        self.pools.get(name)
    }

    /// All hosts, in no particular order.
    pub fn hosts(&self) -> impl Iterator<Item = &Arc<CompiledHost>> {
        self.hosts.values()
    }

    /// All pools, in no particular order.
    pub fn pools(&self) -> impl Iterator<Item = &Arc<CompiledPool>> {
        self.pools.iter().map(|(_, pool)| pool)
    }

    /// Whether misses are answered 502, as `compat: aralez-0.9` asks.
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
