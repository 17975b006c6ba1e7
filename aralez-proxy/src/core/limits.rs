//! Limits for one client, for all clients together, and for idle endpoint connections.

use std::num::NonZeroUsize;
use std::time::Duration;

use aralez_proto::main_config::MainConfig;

/// Limits for one client, and for all clients together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClientLimits {
    /// `client_header_timeout`: from the first byte of a head to its last; on a new connection, from accept. Never zero.
    pub header: Duration,
    /// `client_body_timeout`: between two reads of a body. Never zero.
    pub body: Duration,
    /// `client_body_min_rate`: average bytes of a body per second, enforced once `body` has passed; 0 if there is no minimum.
    pub body_min_rate: u64,
    /// `client_write_timeout`: for a client that accepts no bytes written to it. Never zero.
    pub write: Duration,
    /// `client_idle_timeout`: between two requests of a connection. Never zero.
    pub idle: Duration,
    /// `client_requests`: requests per connection. Never zero.
    pub requests: u32,
    /// `tunnel_idle_timeout`: for an upgraded connection on which neither side sends. Never zero.
    pub tunnel_idle: Duration,
    /// `tunnel_grace`: for an upgraded connection during shutdown; `None` is the whole grace period.
    pub tunnel_grace: Option<Duration>,
    /// `client_linger`: how long bytes that a client still sends after its last response are read and discarded. Never zero.
    pub linger: Duration,
    /// `max_connections`: concurrent connections of all clients; `None` if unlimited.
    pub connections: Option<NonZeroUsize>,
    /// `max_connections_per_listener`: concurrent connections of one listener; `None` if unlimited.
    pub connections_per_listener: Option<NonZeroUsize>,
    /// `max_connections_per_address`: concurrent connections of one IPv4 address or one IPv6 /64; `None` if unlimited.
    pub connections_per_address: Option<NonZeroUsize>,
    /// `client_defer_accept`: a connection is accepted when its client has sent bytes, or after a second.
    pub defer_accept: bool,
    /// Limits for the head of a request.
    pub head: HeadLimits,
}

impl ClientLimits {
    /// Reads the limits from `main.yaml`.
    pub fn of(config: &MainConfig) -> Self {
        Self {
            header: config.client_header_timeout,
            body: config.client_body_timeout,
            body_min_rate: config.client_body_min_rate,
            write: config.client_write_timeout,
            idle: config.client_idle_timeout,
            requests: config.client_requests,
            tunnel_idle: config.tunnel_idle_timeout,
            tunnel_grace: config.tunnel_grace,
            linger: config.client_linger,
            connections: config.max_connections,
            connections_per_listener: config.max_connections_per_listener,
            connections_per_address: config.max_connections_per_address,
            defer_accept: config.client_defer_accept,
            head: HeadLimits::of(config),
        }
    }
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self::of(&MainConfig::default())
    }
}

/// Limits for the head of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeadLimits {
    /// `max_head`: bytes from the first byte to the empty line that ends the head.
    pub bytes: usize,
    /// `max_fields`
    pub fields: usize,
    /// `max_target`: bytes, never more than `bytes`.
    pub target: usize,
}

impl HeadLimits {
    /// Reads the limits from `main.yaml`.
    pub fn of(config: &MainConfig) -> Self {
        Self {
            bytes: config.max_head,
            fields: config.max_fields,
            // A small `max_head` limits the target too.
            target: config.max_target.min(config.max_head),
        }
    }
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self::of(&MainConfig::default())
    }
}

/// Limits of one worker's idle endpoint connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PoolLimits {
    /// `upstream_keepalive_pool_size`: over all endpoints.
    pub idle: usize,
    /// `upstream_keepalive_per_endpoint`
    pub idle_per_endpoint: usize,
}

impl PoolLimits {
    /// Reads the limits from `main.yaml`.
    pub const fn of(config: &MainConfig) -> Self {
        Self {
            idle: config.upstream_keepalive_pool_size,
            idle_per_endpoint: config.upstream_keepalive_per_endpoint,
        }
    }
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self::of(&MainConfig::default())
    }
}
