//! What happens to headers on their way: what is taken off, what routes edit, what the proxy itself says.
//!
//! The order for a request: take off what [`passes_request`] does not let pass, then the route's edits ([`of_route`]), then
//! [`forwarded`], so that neither client nor route can speak in our name. For a response: [`passes_response`], then the route's edits.

use aralez_proto::model::HeaderEdits;

mod fields;
#[cfg(test)]
mod tests;

pub use fields::{ManagedField, check_nomination, nominates, passes_request, passes_response};

/// One edit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Edit<'a> {
    /// Take every field of the name away.
    Remove(&'a str),
    /// Replace every field of the name by this one.
    Set(&'a str, &'a str),
    /// Add a field beside those that are there.
    Append(&'a str, &'a str),
}

/// The edits of a route in the order in which they are applied: remove, set, append.
pub fn of_route(edits: &HeaderEdits) -> impl Iterator<Item = Edit<'_>> {
    let remove = edits.remove.iter().map(|name| Edit::Remove(name));
    let set = edits.set.iter();
    let append = edits.append.iter();
    remove
        .chain(set.map(|header| Edit::Set(header.name(), header.value())))
        .chain(append.map(|header| Edit::Append(header.name(), header.value())))
}

/// What the proxy itself tells an endpoint about the client. Replaces whatever the client claimed.
///
/// `client` is the address as text, `host` the `Host` field as it came.
pub const fn forwarded<'a>(client: &'a str, tls: bool, host: &'a str) -> [Edit<'a>; 3] {
    [
        Edit::Set("x-forwarded-for", client),
        Edit::Set("x-forwarded-proto", if tls { "https" } else { "http" }),
        Edit::Set("x-forwarded-host", host),
    ]
}
