//! The path of a request: HTTP/1 parsing, the table, the balancer and retries. What is decided about it is in the crate `aralez-decision`.

pub mod balance;
pub mod credentials;
pub mod files;
pub mod http1;
pub mod id_source;
pub mod limiter;
pub mod listener_role;
pub mod outcome;
pub mod peer;
pub mod protocol;
pub mod registry;
pub mod rest;
pub mod retry;
pub mod table;
pub mod websocket;
