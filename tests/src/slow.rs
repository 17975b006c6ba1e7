//! Slow and silent peers on both sides of a proxy, as data: the behavior of each, the limit that ends it, and the expected response.
//!
//! A kind is a script for a client and one for an endpoint ([`kind`]). A round runs many peers of one kind concurrently while it samples
//! the proxy ([`round`]). A good client on a separate thread measures whether other traffic is affected ([`good`]).

pub mod clients;
pub mod crowd;
pub mod endpoints;
pub mod far;
pub mod good;
pub mod kind;
pub mod peer;
pub mod round;
pub mod stage;
pub mod table;
pub mod vitals;
