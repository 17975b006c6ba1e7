//! The benchmark: our proxy against nginx, HAProxy and a minimal pingora-proxy, under the same load, in alternating rounds.
//!
//! The load and the origin share one thread, so that they use little of the second core; each proxy is a real process with its own
//! configuration. The compared figure is the processor time per request, pair by pair: a disturbance of the machine affects neighbouring
//! rounds alike.

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
