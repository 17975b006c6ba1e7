//! Decisions: pure and synchronous, without I/O, on plain views of requests and messages.
//!
//! [`request`] holds everything from the bytes of a request to the selection of an endpoint, [`sync`] the proxy's side of the stream from
//! control. The other modules are shared by both, or concern connections and the node as a whole.

pub mod admission;
pub mod counters;
pub mod leaving;
pub mod limits;
pub mod live;
pub mod readiness;
pub mod request;
pub mod sync;
pub mod traffic;
