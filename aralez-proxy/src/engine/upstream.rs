//! Connections to endpoints: connecting, and the pool of idle connections.

pub mod connect;
pub mod pool;
pub mod stream;
