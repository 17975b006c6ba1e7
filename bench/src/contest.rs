//! The benchmark: our proxy beside nginx, HAProxy and a minimal pingora-proxy, under the same load, in rounds that alternate.
//!
//! The load and the origin are one thread here, so that they cost little of the second core; each proxy is a real process with a
//! configuration of its own. What is compared is the processor time per request, pair by pair: what disturbs a machine disturbs
//! neighbouring rounds alike.

pub mod affinity;
pub mod client;
pub mod compare;
pub mod configs;
pub mod contestant;
pub mod heads;
pub mod idle;
pub mod options;
pub mod origin;
pub mod peers;
pub mod report;
pub mod scenario;
pub mod sockets;
pub mod statistics;
pub mod syscalls;
