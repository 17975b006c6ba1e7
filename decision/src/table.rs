//! The hosts of a snapshot and their routes, compiled for lookup.
//!
//! A table shares with its predecessor everything that did not change, so the cost of an update is proportional to the change. Routes refer
//! to their pool by name: the endpoints of pools are not part of the table.

use std::sync::Arc;

use aralez_proto::matcher::{HostIndex, InvalidPath, MatchFacts, PathIndex, RequestPath};
use aralez_proto::model::{HostPattern, VirtualHost};
use aralez_proto::rules::{Errors, Networks};
use aralez_proto::snapshot::{Snapshot, Touched};

mod route;
#[cfg(test)]
mod tests;

use route::CompiledScope;
pub use route::{CompiledRoute, CompiledRules};

/// The routes of a snapshot. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct RouteTable {
    hosts: HostIndex<Arc<CompiledHost>>,
    scope: Arc<CompiledScope>,
    trusted_proxies: Networks,
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
                .map(|route| {
                    (
                        Arc::clone(&route.path),
                        route.matches.clone(),
                        Arc::new(route),
                    )
                })
                .collect(),
        }
    }

    /// Returns the route that every reading of a path selects for a request with these facts; `None` if no route matches.
    ///
    /// # Errors
    /// [`InvalidPath`] if readings of the path select different routes.
    pub fn route(
        &self,
        path: &RequestPath<'_>,
        facts: &impl MatchFacts,
    ) -> Result<Option<&Arc<CompiledRoute>>, InvalidPath> {
        self.routes.select(path, facts)
    }

    /// Iterates over the routes, ascending by path; those of one path in the order in which they are tried.
    pub fn routes(&self) -> impl Iterator<Item = &Arc<CompiledRoute>> {
        self.routes.iter().map(|(_, route)| route)
    }
}

impl RouteTable {
    /// Returns an empty table: every request is a miss.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Compiles the hosts of a whole snapshot.
    pub fn build(snapshot: &Snapshot) -> Self {
        let mut table = Self::empty();
        table.take_settings(snapshot);
        table
    }

    /// Takes what a change touched from the snapshot after it. The cost is proportional to the touched hosts, but changed settings rebuild
    /// every route.
    pub fn take(&mut self, snapshot: &Snapshot, touched: &Touched) {
        // Before the hosts: a host is compiled in the scope of the new settings.
        if touched.settings {
            self.take_settings(snapshot);
        }
        for pattern in &touched.hosts {
            self.take_host(pattern, snapshot);
        }
    }

    /// Returns the host that matches a normalised name: exact, then the longest suffix, then the catch-all. Does not allocate.
    pub fn host(&self, name: &str) -> Option<&Arc<CompiledHost>> {
        self.hosts.lookup(name)
    }

    /// Returns the catch-all host, if there is one.
    pub fn catch_all(&self) -> Option<&Arc<CompiledHost>> {
        self.hosts.get(&HostPattern::CatchAll)
    }

    /// Iterates over all hosts, in no particular order.
    pub fn hosts(&self) -> impl Iterator<Item = &Arc<CompiledHost>> {
        self.hosts.values()
    }

    /// Returns the networks of the proxies that are believed about their clients.
    pub const fn trusted_proxies(&self) -> &Networks {
        &self.trusted_proxies
    }

    /// Returns the error pages for requests that have no route: those set at the top.
    pub fn error_pages(&self) -> &Errors {
        self.scope.error_pages()
    }

    /// Returns whether misses are answered with 502, as `compat: aralez-0.9` sets.
    pub const fn compat_0_9(&self) -> bool {
        self.compat_0_9
    }

    fn take_settings(&mut self, snapshot: &Snapshot) {
        let resources = snapshot.resources();
        self.compat_0_9 = resources.settings().compat_0_9;
        self.trusted_proxies = resources.settings().rules.trusted_proxies.0.clone();
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
}
