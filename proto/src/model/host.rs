//! Settings, virtual hosts, routes, pools.

use std::sync::Arc;

use crate::model::{HostPattern, PoolName, Redirect, Respond};
use crate::rules::Rules;

/// Defaults of one node group.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    /// The rules for all hosts.
    pub rules: Rules,
    /// `compat: aralez-0.9`: misses are answered with 502 instead of 404 and 503.
    pub compat_0_9: bool,
}

/// A host and its routes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VirtualHost {
    /// The hosts that it serves.
    pub pattern: HostPattern,
    /// The rules for all of its routes.
    pub rules: Rules,
    /// Ascending by path, each path once.
    pub routes: Vec<Route>,
}

impl VirtualHost {
    /// Returns the pools that its routes name. A pool may occur several times.
    pub fn pools(&self) -> impl Iterator<Item = &PoolName> {
        self.routes.iter().filter_map(|route| match &route.action {
            Action::Pool(pool) => Some(pool),
            Action::Redirect(_) | Action::Respond(_) => None,
        })
    }
}

/// The action and rules for requests below one path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    /// The normalised path: begins with `/`, no trailing slash except for `/` itself.
    pub path: Arc<str>,
    /// The rules for this route only.
    pub rules: Rules,
    /// The action.
    pub action: Action,
}

/// The action of a route.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Forward to an endpoint of the pool.
    Pool(PoolName),
    /// Answer with a redirect.
    Redirect(Redirect),
    /// Answer with a fixed response.
    Respond(Respond),
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
