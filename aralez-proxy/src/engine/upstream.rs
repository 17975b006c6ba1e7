//! The way to endpoints: connections that are made, and those that wait for the next request.

pub mod connect;
pub mod pool;
pub mod stream;
