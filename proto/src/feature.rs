//! Must-understand features: abilities that a proxy needs to serve a resource.
//!
//! A resource lists the features it needs. A proxy that lacks one refuses the resource instead of ignoring, for example, its authorisation.
//! Numbers are assigned once and never reused: the base here, those of rules next to their rule.

use crate::rules;

/// Routes that forward to a pool or redirect, and everything that all releases enforce. Every resource needs it.
pub const BASE: u32 = 1;

/// Unix sockets as endpoints. A proxy without it does not know such addresses.
pub const UNIX_ENDPOINT: u32 = 3;

/// Routes that answer with a fixed response. A proxy without it does not know the action.
pub const RESPOND: u32 = 18;

/// Routes that serve the files of a folder. A proxy without it does not know the action.
pub const FILES: u32 = 20;

/// Routes that take only requests with certain methods, headers or query parameters, or only their exact path. A proxy without it would take
/// every request below the path.
pub const ROUTE_MATCH: u32 = 6;

/// Routes whose requests several pools share. A proxy without it does not know such an action.
pub const SPLIT: u32 = 7;

fn all() -> impl Iterator<Item = u32> {
    let rules = rules::FEATURES.iter().copied().flatten().copied();
    [BASE, UNIX_ENDPOINT, ROUTE_MATCH, SPLIT, RESPOND, FILES]
        .into_iter()
        .chain(rules)
}

/// Returns the features of this build, ascending.
pub fn known() -> Vec<u32> {
    let mut known: Vec<u32> = all().collect();
    known.sort_unstable();
    // Rules may share a feature.
    known.dedup();
    known
}

/// Returns the first feature in `required` that this build lacks.
pub fn missing(required: &[u32]) -> Option<u32> {
    let lacks = |feature: &u32| !all().any(|known| known == *feature);
    required.iter().copied().find(lacks)
}
