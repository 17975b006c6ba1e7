//! Matching: which host and which route a request belongs to. Pure, and the same in control, every proxy and `aralez-ctl`.
//!
//! Names are normalised once, at the edge, and compared as bytes from then on. A path is forwarded as it was written and matched in every
//! way in which an endpoint may read it; where these lead to different routes (`/pub%2F..%2Fsecret`, `/%2Fsecret` beside a route
//! `/secret`) the request is refused: a rule that guards `/secret` must see every way of writing it.

mod authority;
mod host;
mod host_index;
mod path;
mod path_index;
mod target;

pub use authority::{Authority, Scheme};
pub use host::{InvalidHost, normalise_host};
pub use host_index::HostIndex;
pub use path::{InvalidPath, InvalidRoutePath, RequestPath, normalise_route_path};
pub use path_index::PathIndex;
pub use target::Target;
