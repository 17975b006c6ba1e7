//! Tricks by which one client of a connection pool could affect another: an attacker, an endpoint that cooperates with it, and victims that
//! must not notice.
//!
//! Every request of a victim carries a number that the endpoint returns in a header and in the body, so that a victim detects an answer
//! that is not its own ([`victims`]). The endpoint accepts only well-formed requests, and records everything else ([`endpoint`]).

pub mod attack;
pub mod endpoint;
pub mod list;
pub mod play;
pub mod victims;

/// The host of every request.
pub const HOST: &str = "pool.test";

/// The first bytes of the body of every answer to a victim.
pub const VICTIM: &str = "victim-";

/// Part of every answer that no client may receive, and of the target of every request that no endpoint may see.
pub const FOREIGN: &str = "foreign";
