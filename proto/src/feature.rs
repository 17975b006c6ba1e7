//! Must-understand features: what a proxy has to know to serve a resource.
//!
//! A resource lists the features it needs; a proxy that lacks one refuses the resource rather than ignoring, say, its authorisation
//! (design section 7). Numbers are given once and never reused: the base here, those of rules beside their rule.

use crate::rules;

/// Routes that forward to a pool or redirect, and what every release enforces: no resource serves without it.
pub const BASE: u32 = 1;

/// An endpoint that is a unix socket: a proxy without it knows no such address.
pub const UNIX_ENDPOINT: u32 = 3;

fn all() -> impl Iterator<Item = u32> {
    let rules = rules::FEATURES.iter().copied().flatten().copied();
    [BASE, UNIX_ENDPOINT].into_iter().chain(rules)
}

/// The features of this build, ascending.
pub fn known() -> Vec<u32> {
    let mut known: Vec<u32> = all().collect();
    known.sort_unstable();
    known
}

/// The first feature in `required` that this build lacks.
pub fn missing(required: &[u32]) -> Option<u32> {
    let lacks = |feature: &u32| !all().any(|known| known == *feature);
    required.iter().copied().find(lacks)
}
