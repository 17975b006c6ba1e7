//! The keys of `main.yaml` that limit clients.

use std::time::Duration;

use crate::main_config::keys::MainKeys;
use crate::reading::{At, Between, Deadline};

/// What `main.yaml` says about clients and their connections. `None` is "not said".
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClientConfig {
    /// `client_header_timeout`, never zero
    pub header_timeout: Option<Duration>,
    /// `client_body_timeout`, never zero
    pub body_timeout: Option<Duration>,
    /// `client_body_min_rate`: bytes per second, 0 is no minimum
    pub body_min_rate: Option<u64>,
    /// `client_write_timeout`, never zero
    pub write_timeout: Option<Duration>,
    /// `client_idle_timeout`, never zero
    pub idle_timeout: Option<Duration>,
    /// `client_requests`, never zero
    pub requests: Option<u32>,
    /// `tunnel_idle_timeout`, never zero
    pub tunnel_idle_timeout: Option<Duration>,
    /// `tunnel_grace`, never zero
    pub tunnel_grace: Option<Duration>,
    /// `client_linger`, never zero
    pub linger: Option<Duration>,
    /// `max_connections`: 0 is no limit
    pub max_connections: Option<usize>,
    /// `max_connections_per_listener`: 0 is no limit
    pub max_connections_per_listener: Option<usize>,
    /// `max_connections_per_address`: 0 is no limit
    pub max_connections_per_address: Option<usize>,
    /// `client_defer_accept`
    pub defer_accept: Option<bool>,
    /// `max_head`: bytes
    pub max_head: Option<usize>,
    /// `max_fields`
    pub max_fields: Option<usize>,
    /// `max_target`: bytes, not beyond `max_head` where both are said
    pub max_target: Option<usize>,
}

impl ClientConfig {
    pub(super) fn of(keys: &MainKeys) -> Self {
        Self {
            header_timeout: deadline(keys.client_header_timeout.as_ref()),
            body_timeout: deadline(keys.client_body_timeout.as_ref()),
            body_min_rate: keys.client_body_min_rate.as_ref().map(|at| at.value.0),
            write_timeout: deadline(keys.client_write_timeout.as_ref()),
            idle_timeout: deadline(keys.client_idle_timeout.as_ref()),
            requests: number(keys.client_requests.as_ref())
                .map(|requests| u32::try_from(requests).unwrap_or(u32::MAX)),
            tunnel_idle_timeout: deadline(keys.tunnel_idle_timeout.as_ref()),
            tunnel_grace: deadline(keys.tunnel_grace.as_ref()),
            linger: deadline(keys.client_linger.as_ref()),
            max_connections: number(keys.max_connections.as_ref()),
            max_connections_per_listener: number(keys.max_connections_per_listener.as_ref()),
            max_connections_per_address: number(keys.max_connections_per_address.as_ref()),
            defer_accept: keys.client_defer_accept.as_ref().map(|at| at.value),
            max_head: keys.max_head.as_ref().map(|at| whole(at.value.0)),
            max_fields: number(keys.max_fields.as_ref()),
            max_target: keys.max_target.as_ref().map(|at| whole(at.value.0)),
        }
    }
}

fn deadline(key: Option<&At<Deadline>>) -> Option<Duration> {
    key.map(|at| at.value.0)
}

fn number<const MIN: u64, const MAX: u64>(key: Option<&At<Between<MIN, MAX>>>) -> Option<usize> {
    key.map(|at| whole(at.value.0))
}

/// What a number that counts things here is on this machine.
pub(super) fn whole(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
