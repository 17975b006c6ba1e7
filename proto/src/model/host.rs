//! Settings, virtual hosts, routes, pools.

use std::sync::Arc;

use crate::model::{HostPattern, PoolName, Redirect};
use crate::rules::Rules;

/// Defaults of one node group.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    /// What holds for all hosts.
    pub rules: Rules,
    /// `compat: aralez-0.9`: misses answer 502 instead of 404 and 503.
    pub compat_0_9: bool,
}

/// A host and its routes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VirtualHost {
    /// Which hosts it answers for.
    pub pattern: HostPattern,
    /// What holds for all of its routes.
    pub rules: Rules,
    /// Ascending by path, each path once.
    pub routes: Vec<Route>,
}

impl VirtualHost {
    /// The pools that its routes name, one as often as it is named.
    pub fn pools(&self) -> impl Iterator<Item = &PoolName> {
        self.routes.iter().filter_map(|route| match &route.action {
            Action::Pool(pool) => Some(pool),
            Action::Redirect(_) => None,
        })
    }
}

/// What happens to requests below one path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    /// Normalised: begins with `/`, no trailing slash but for `/` itself.
    pub path: Arc<str>,
    /// What holds for it alone.
    pub rules: Rules,
    /// What is done.
    pub action: Action,
}

/// What a route does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Forward to an endpoint of the pool.
    Pool(PoolName),
    /// Answer with a redirect.
    Redirect(Redirect),
}

/// How a named set of endpoints is used.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pool {
    /// How an endpoint is chosen.
    pub balance: Balance,
}

/// How an endpoint is chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Balance {
    /// In turn.
    #[default]
    RoundRobin,
}
