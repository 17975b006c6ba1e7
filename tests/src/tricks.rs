//! Tricks by which one user of a pool of connections could reach another: an attacker, an endpoint that plays along, and victims
//! who must not notice.
//!
//! Every victim's request carries a number that the endpoint gives back in a header and in the body, so that an answer that belongs
//! to somebody else is seen ([`victims`]). The endpoint takes only what is in order, and keeps what was not ([`endpoint`]).

pub mod attack;
pub mod endpoint;
pub mod list;
pub mod play;
pub mod victims;

/// The host that everybody asks for.
pub const HOST: &str = "pool.test";

/// Begins the body of every answer to a victim.
pub const VICTIM: &str = "victim-";

/// Stands in every answer that nobody may get, and in the target of every request that no endpoint may see.
pub const FOREIGN: &str = "foreign";
