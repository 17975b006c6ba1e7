//! What decides: pure, synchronous, without input and output, on plain views of requests.

pub mod admission;
pub mod balance;
pub mod cluster;
pub mod counters;
pub mod decide;
pub mod edits;
pub mod fields;
pub mod http1;
pub mod leaving;
pub mod limits;
pub mod live;
pub mod memory;
pub mod parts;
pub mod peer;
pub mod protocol;
pub mod pseudonym;
pub mod readiness;
pub mod registry;
pub mod rest;
pub mod retry;
pub mod subscription;
pub mod table;
pub mod traffic;
pub mod trial;
pub mod websocket;
