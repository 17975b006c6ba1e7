//! The table: a snapshot compiled for lookup, routes and pools.
//!
//! Tables are immutable. Each shares with its predecessor everything that did not change, so the cost of an update is proportional to the
//! change. Routes refer to their pool by name: a change of endpoints rebuilds one pool and no route.

use std::sync::Arc;

use aralez_decision::decide::PoolChoice;
use aralez_decision::rejection::Rejection;
use aralez_decision::table::RouteTable;
use aralez_proto::model::{Endpoint, Pool, PoolName, Split};
use aralez_proto::parallel::{InTurn, Join, both};
use aralez_proto::persistent_map::PersistentMap;
use aralez_proto::snapshot::{Snapshot, Touched};

use crate::core::request::balance::CompiledPool;
use crate::core::request::registry::Registry;

#[cfg(test)]
mod tests;

/// A snapshot compiled for lookup. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Table {
    routes: RouteTable,
    pools: PersistentMap<PoolName, Arc<CompiledPool>>,
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
        let pool = |name: &PoolName, pool: &Pool, endpoints: &[Endpoint]| {
            Arc::new(CompiledPool::new(name, pool, endpoints, registry))
        };
        let pools = || snapshot.resources().pools().map(pool);
        let (routes, pools) = both(join, || RouteTable::build(snapshot), pools);
        Self { routes, pools }
    }

    /// Returns the table of the snapshot that follows the one of this table. The cost is proportional to what the change touched: changed
    /// endpoints rebuild one pool, but changed settings rebuild every route.
    #[must_use]
    pub fn next(&self, snapshot: &Snapshot, touched: &Touched, registry: &Registry) -> Self {
        let mut table = self.clone();
        table.routes.take(snapshot, touched);
        for name in &touched.pools {
            table.take_pool(name, snapshot, registry);
        }
        table
    }

    /// Returns the routes.
    pub const fn routes(&self) -> &RouteTable {
        &self.routes
    }

    /// Returns the pool of a name.
    pub fn pool(&self, name: &PoolName) -> Option<&Arc<CompiledPool>> {
        self.pools.get(name)
    }

    /// Returns the pool that serves a request. It has an endpoint that accepts requests: in a split, pools that have none are passed over. A
    /// split takes one turn.
    ///
    /// # Errors
    /// [`Rejection::NoEndpoint`] if there is none. The request never falls back to the route of a shorter path, whose rules may be laxer.
    pub fn serving_pool(&self, choice: PoolChoice<'_>) -> Result<&Arc<CompiledPool>, Rejection> {
        let serving = |name: &PoolName| self.pool(name).filter(|pool| !pool.is_empty());
        let pool = match choice {
            PoolChoice::Only(name) => serving(name),
            PoolChoice::OneOf(split) => {
                let turn = self.take_turn(split);
                turn.and_then(|turn| split.choose(turn, serving))
            }
        };
        let compat = self.routes.compat_0_9();
        pool.ok_or(Rejection::NoEndpoint { compat })
    }

    /// Takes a turn of a split. Its count is kept with its first pool, whose name says whose split it is.
    fn take_turn(&self, split: &Split) -> Option<u64> {
        let first = split.pools().first()?;
        Some(self.pool(&first.pool)?.take_split_turn())
    }

    /// Iterates over all pools, in no particular order.
    pub fn pools(&self) -> impl Iterator<Item = &Arc<CompiledPool>> {
        self.pools.iter().map(|(_, pool)| pool)
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
