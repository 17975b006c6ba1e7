//! Selection of the host and the route of a request. Pure, and identical in control, every proxy and `aralez-ctl`.
//!
//! Names are normalised once, on input, and compared as bytes from then on. A path is forwarded as written and matched in every way in
//! which an endpoint may read it. If these readings select different routes (`/pub%2F..%2Fsecret`, or `/%2Fsecret` with a route `/secret`),
//! the request is refused: a rule that guards `/secret` must apply to every spelling of it.
//!
//! The route is one of the longest path that a request's path begins with in whole segments: the first whose match holds. Where none holds,
//! the next shorter path is asked.

mod authority;
mod conditions;
mod host;
mod host_index;
mod path;
mod path_index;
mod query;
mod target;

pub use authority::{Authority, Scheme};
pub use conditions::{MatchFacts, PlainGet};
pub use host::{InvalidHost, normalise_host, normalise_host_and_port};
pub use host_index::HostIndex;
pub(crate) use path::read_route_path;
pub use path::{
    InvalidAddedPrefix, InvalidPath, InvalidRoutePath, RequestPath, normalise_added_prefix,
    normalise_route_path,
};
pub use path_index::PathIndex;
pub use target::Target;
