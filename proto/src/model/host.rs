//! Settings, virtual hosts, routes, pools.

use std::sync::Arc;

use crate::model::{Files, HostPattern, PoolName, Redirect, Respond, RouteMatch, Split};
use crate::rules::Rules;

/// Defaults of one node group.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    /// The rules for all hosts.
    pub rules: Rules,
    /// `compat: aralez-0.9`: misses are answered with 502 instead of 404 and 503.
    pub compat_0_9: bool,
}

/// Maximum number of routes of one path.
pub const MOST_ROUTES: usize = 256;

/// A host and its routes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VirtualHost {
    /// The hosts that it serves.
    pub pattern: HostPattern,
    /// The rules for all of its routes.
    pub rules: Rules,
    /// Ascending by path. The routes of one path are adjacent, in the order in which they are tried: all but the last have a match.
    pub routes: Vec<Route>,
}

impl VirtualHost {
    /// Returns the pools that it references: those of its routes, and those of its rules. A pool may occur several times.
    pub fn pools(&self) -> impl Iterator<Item = &PoolName> {
        let of_routes = self.routes.iter().flat_map(Route::pools);
        of_rules(&self.rules).chain(of_routes)
    }
}

/// The action and rules for requests below one path, or for those of them that have what a match asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    /// The normalised path: begins with `/`, no trailing slash except for `/` itself.
    pub path: Arc<str>,
    /// The conditions on requests; `None` if it takes every request below the path.
    pub matches: Option<Arc<RouteMatch>>,
    /// The rules for this route only.
    pub rules: Rules,
    /// The action.
    pub action: Action,
}

impl Route {
    /// Returns the pools that it references: that of its action, and those of its rules.
    pub fn pools(&self) -> impl Iterator<Item = &PoolName> {
        self.action.pools().chain(of_rules(&self.rules))
    }
}

impl Settings {
    /// Returns the pools that its rules reference.
    pub fn pools(&self) -> impl Iterator<Item = &PoolName> {
        of_rules(&self.rules)
    }
}

fn of_rules(rules: &Rules) -> impl Iterator<Item = &PoolName> {
    rules.servers().map(|(pool, _)| pool)
}

/// The action of a route.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Forward to an endpoint of the pool.
    Pool(PoolName),
    /// Forward to an endpoint of one of several pools, in proportion to their weights.
    Split(Box<Split>),
    /// Answer with a redirect.
    Redirect(Redirect),
    /// Answer with a fixed response.
    Respond(Respond),
    /// Answer with a file of a folder.
    Files(Files),
}

impl Action {
    /// Returns the pools that it names.
    pub fn pools(&self) -> impl Iterator<Item = &PoolName> {
        let (one, several) = match self {
            Self::Pool(pool) => (Some(pool), [].as_slice()),
            Self::Split(split) => (None, split.pools()),
            Self::Redirect(_) | Self::Respond(_) | Self::Files(_) => (None, [].as_slice()),
        };
        one.into_iter().chain(several.iter().map(|one| &one.pool))
    }
}

/// The balancing rules of a pool.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pool {
    /// The balancing algorithm.
    pub balance: Balance,
}

/// A balancing algorithm.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Balance {
    /// Each endpoint in turn.
    #[default]
    RoundRobin,
}
