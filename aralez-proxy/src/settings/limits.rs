//! The limits of `main.yaml` with their defaults.

use std::num::NonZeroUsize;

use aralez_proto::main_config::{ClientConfig, MainConfig};

use crate::core::limits::{ClientLimits, HeadLimits, PoolLimits};

/// What clients may take.
pub(super) fn client(config: &ClientConfig) -> ClientLimits {
    let default = ClientLimits::default();
    ClientLimits {
        header: config.header_timeout.unwrap_or(default.header),
        body: config.body_timeout.unwrap_or(default.body),
        body_min_rate: config.body_min_rate.unwrap_or(default.body_min_rate),
        write: config.write_timeout.unwrap_or(default.write),
        idle: config.idle_timeout.unwrap_or(default.idle),
        requests: config.requests.unwrap_or(default.requests),
        tunnel_idle: config.tunnel_idle_timeout.unwrap_or(default.tunnel_idle),
        tunnel_grace: config.tunnel_grace,
        linger: config.linger.unwrap_or(default.linger),
        connections: config
            .max_connections
            .map_or(default.connections, NonZeroUsize::new),
        connections_per_listener: config
            .max_connections_per_listener
            .map_or(default.connections_per_listener, NonZeroUsize::new),
        connections_per_address: config
            .max_connections_per_address
            .map_or(default.connections_per_address, NonZeroUsize::new),
        defer_accept: config.defer_accept.unwrap_or(default.defer_accept),
        head: head(config),
    }
}

fn head(config: &ClientConfig) -> HeadLimits {
    let default = HeadLimits::default();
    let bytes = config.max_head.unwrap_or(default.bytes);
    HeadLimits {
        bytes,
        fields: config.max_fields.unwrap_or(default.fields),
        // Who asks for small heads need not ask for short targets too.
        target: config.max_target.unwrap_or(default.target).min(bytes),
    }
}

/// How many idle connections to endpoints a worker keeps.
pub(super) fn pool(config: &MainConfig) -> PoolLimits {
    let default = PoolLimits::default();
    PoolLimits {
        idle: config.upstream_keepalive_pool_size.unwrap_or(default.idle),
        idle_per_endpoint: config
            .upstream_keepalive_per_endpoint
            .unwrap_or(default.idle_per_endpoint),
    }
}
