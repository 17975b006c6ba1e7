//! Matching: which host and which route a request belongs to. Pure, and the same in control, every proxy and `aralez-ctl`.
//!
//! Names and paths are normalised once, at the edge, and compared as bytes from then on. What two readers could understand differently
//! (`..%2f`, a backslash, a control byte) is refused instead of repaired: a rule that guards `/secret` must see every way of writing it.

mod host;
mod host_index;
mod path;
mod path_index;
mod target;

pub use host::{InvalidHost, normalise_host};
pub use host_index::HostIndex;
pub use path::{InvalidPath, InvalidRoutePath, normalise_route_path};
pub use path_index::PathIndex;
pub use target::Target;
