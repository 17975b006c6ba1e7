//! The path of a request: HTTP/1 parsing, the table, routing, policies, header edits, the balancer and retries.

pub mod additions;
pub mod address_filter;
pub mod answer;
pub mod balance;
pub mod decide;
pub mod edits;
pub mod fields;
pub mod http1;
pub mod outcome;
pub mod peer;
pub mod policy;
pub mod protocol;
pub mod pseudonym;
pub mod registry;
pub mod rejection;
pub mod rest;
pub mod retry;
pub mod route;
pub mod table;
mod view;
pub mod websocket;

#[cfg(test)]
pub(crate) use view::tests;
pub use view::{Context, Fields, Request};
