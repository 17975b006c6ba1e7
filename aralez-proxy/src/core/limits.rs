//! How much the proxy gives to one client, to all of them, and to idle connections to endpoints.

use std::num::NonZeroUsize;
use std::time::Duration;

use aralez_proto::main_config::MainConfig;

/// What one client may take, and all of them together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClientLimits {
    /// `client_header_timeout`: from the first byte of a head (of a fresh connection: from accepting it) to its last. Never zero.
    pub header: Duration,
    /// `client_body_timeout`: between two reads of a body. Never zero.
    pub body: Duration,
    /// `client_body_min_rate`: bytes of a body in a second, on average, judged once `body` has passed; 0 is no minimum.
    pub body_min_rate: u64,
    /// `client_write_timeout`: of a client that takes nothing of what is written to it. Never zero.
    pub write: Duration,
    /// `client_idle_timeout`: between two requests of a connection. Never zero.
    pub idle: Duration,
    /// `client_requests`: of one connection. Never zero.
    pub requests: u32,
    /// `tunnel_idle_timeout`: of an upgraded connection on which neither side says anything. Never zero.
    pub tunnel_idle: Duration,
    /// `tunnel_grace`: of an upgraded connection once the node leaves; `None` is as long as the grace period.
    pub tunnel_grace: Option<Duration>,
    /// `client_linger`: how long what a client still sends after its last answer is read away. Never zero.
    pub linger: Duration,
    /// `max_connections`: at once, of all clients; `None` is no limit.
    pub connections: Option<NonZeroUsize>,
    /// `max_connections_per_listener`: at once; `None` is no limit.
    pub connections_per_listener: Option<NonZeroUsize>,
    /// `max_connections_per_address`: at once, of one IPv4 address or one /64 of IPv6; `None` is no limit.
    pub connections_per_address: Option<NonZeroUsize>,
    /// `client_defer_accept`: a connection is taken in when its client has said something, or after a second.
    pub defer_accept: bool,
    /// How large the head of a request may be.
    pub head: HeadLimits,
}

impl ClientLimits {
    /// As `main.yaml` says.
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

/// How large the head of a message may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeadLimits {
    /// `max_head`: from its first byte to the empty line that ends it.
    pub bytes: usize,
    /// `max_fields`
    pub fields: usize,
    /// `max_target`: bytes, never beyond `bytes`.
    pub target: usize,
}

impl HeadLimits {
    /// As `main.yaml` says.
    pub fn of(config: &MainConfig) -> Self {
        Self {
            bytes: config.max_head,
            fields: config.max_fields,
            // Who asks for small heads need not ask for short targets too.
            target: config.max_target.min(config.max_head),
        }
    }
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self::of(&MainConfig::default())
    }
}

/// How many idle connections to endpoints one worker keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PoolLimits {
    /// `upstream_keepalive_pool_size`: to all endpoints together.
    pub idle: usize,
    /// `upstream_keepalive_per_endpoint`
    pub idle_per_endpoint: usize,
}

impl PoolLimits {
    /// As `main.yaml` says.
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
