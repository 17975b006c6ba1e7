//! `main.yaml`: the static configuration of the daemons, one flat map that both may share.
//!
//! Text in, typed values or faults out. `None` is "not said"; each daemon knows its own defaults (keys.md). Paths are as written:
//! relative ones count from the working directory, as in the single-process Aralez.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::main_config::client::whole;
use crate::main_config::keys::MainKeys;
use crate::model::{GroupName, NodeName};
use crate::place::{DocumentFault, DocumentFaults};
use crate::reading::{At, Reader, Shape, told};

mod changes;
mod checks;
mod client;
mod keys;
mod secret;
mod values;

#[cfg(test)]
mod tests;

pub use crate::reading::duration;
pub use changes::{Change, Owner, changes};
pub use client::ClientConfig;
pub use secret::Secret;

/// The values of `main.yaml` that a daemon or the supervisor uses in this release.
#[derive(Clone, Debug, Default)]
pub struct MainConfig {
    /// `threads`
    pub threads: Option<NonZeroUsize>,
    /// `runuser`
    pub runuser: Option<String>,
    /// `rungroup`
    pub rungroup: Option<String>,
    /// `daemon`
    pub daemon: Option<bool>,
    /// `pid_file`
    pub pid_file: Option<PathBuf>,
    /// `error_log`
    pub error_log: Option<PathBuf>,
    /// `log_level`
    pub log_level: Option<LogLevel>,
    /// `state_dir`
    pub state_dir: Option<PathBuf>,
    /// `config_address`
    pub config_address: Option<SocketAddr>,
    /// `config_tls_address`
    pub config_tls_address: Option<SocketAddr>,
    /// `config_api_enabled`
    pub config_api_enabled: Option<bool>,
    /// `master_key`
    pub master_key: Option<Secret>,
    /// `max_api_connections`
    pub max_api_connections: Option<usize>,
    /// `upstreams_conf`
    pub upstreams_conf: Option<PathBuf>,
    /// `control_address`
    pub control_address: Option<ControlAddress>,
    /// `control_servers`
    pub control_servers: Option<Vec<ControlAddress>>,
    /// `node_id`
    pub node_id: Option<NodeName>,
    /// `node_group`
    pub node_group: Option<GroupName>,
    /// `proxy_address_http`
    pub proxy_address_http: Option<Vec<SocketAddr>>,
    /// `proxy_address_tls`: no listener yet, but its port is where `to_https` leads.
    pub proxy_address_tls: Option<Vec<SocketAddr>>,
    /// `proxy_admin_address`
    pub proxy_admin_address: Option<SocketAddr>,
    /// `upstream_keepalive_pool_size`
    pub upstream_keepalive_pool_size: Option<usize>,
    /// `upstream_keepalive_per_endpoint`
    pub upstream_keepalive_per_endpoint: Option<usize>,
    /// What limits clients.
    pub client: ClientConfig,
    /// `upgrade_sock`
    pub upgrade_sock: Option<PathBuf>,
    /// `grace_period`
    pub grace_period: Option<Duration>,
    /// `lame_duck`
    pub lame_duck: Option<Duration>,
    /// `max_snapshot`
    pub max_snapshot: Option<u64>,
    /// `max_hosts`
    pub max_hosts: Option<u64>,
    /// `max_endpoints`
    pub max_endpoints: Option<u64>,
    /// Keys that are known and well-formed but do nothing in this release, each with its place: a daemon logs them.
    pub idle: Vec<DocumentFault>,
}

/// `log_level`
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LogLevel {
    /// Everything.
    Trace,
    /// For developers.
    Debug,
    /// What changes.
    #[default]
    Info,
    /// What may need a person.
    Warn,
    /// What needs a person.
    Error,
    /// Nothing.
    Off,
}

/// Where control listens or is reached for the stream. Over TCP this release has no mTLS yet, so only sockets are values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ControlAddress {
    /// `unix:PATH`
    Unix(PathBuf),
}

/// Reads a `main.yaml`. `file` is its name in faults. An empty text is an empty configuration.
///
/// # Errors
/// Every fault at once: unknown keys with the nearest known one, wrong types, bad addresses.
pub fn read(file: &str, text: &[u8]) -> Result<MainConfig, DocumentFaults> {
    let tree = crate::yaml::parse(text).map_err(|unreadable| {
        let mut reader = Reader::new(file);
        reader.fault(unreadable.at, unreadable.reason);
        told(reader.finish().0, 0)
    })?;
    let mut reader = Reader::new(file);
    let keys = match tree.root() {
        Some(root) => MainKeys::read(root, &mut reader).unwrap_or_default(),
        None => MainKeys::default(),
    };
    checks::check(&keys, &mut reader);
    let (faults, untold, idle) = reader.finish();
    if faults.is_empty() {
        Ok(config(keys, idle))
    } else {
        Err(told(faults, untold))
    }
}

/// The JSON Schema of the file.
pub(crate) fn schema() -> serde_json::Value {
    MainKeys::schema()
}

fn config(keys: MainKeys, idle: Vec<DocumentFault>) -> MainConfig {
    let client = ClientConfig::of(&keys);
    MainConfig {
        threads: keys
            .threads
            .and_then(|at| NonZeroUsize::new(whole(at.value.0))),
        runuser: keys.runuser.map(At::take),
        rungroup: keys.rungroup.map(At::take),
        daemon: keys.daemon.map(At::take),
        pid_file: keys.pid_file.map(At::take),
        error_log: keys.error_log.map(At::take),
        log_level: keys.log_level.map(At::take),
        state_dir: keys.state_dir.map(At::take),
        config_address: keys.config_address.map(At::take),
        config_tls_address: keys.config_tls_address.map(|at| at.value.0),
        config_api_enabled: keys.config_api_enabled.map(At::take),
        master_key: keys.master_key.map(|at| Secret::new(at.value.0)),
        max_api_connections: keys.max_api_connections.map(|at| whole(at.value.0)),
        upstreams_conf: keys.upstreams_conf.map(At::take),
        control_address: keys.control_address.map(|at| at.value.0),
        control_servers: keys
            .control_servers
            .map(|at| at.value.0.into_iter().map(|control| control.0).collect()),
        node_id: keys.node_id.map(At::take),
        node_group: keys.node_group.map(At::take),
        proxy_address_http: keys.proxy_address_http.map(|at| at.value.0),
        proxy_address_tls: keys.proxy_address_tls.map(|at| at.value.0.0),
        proxy_admin_address: keys.proxy_admin_address.map(At::take),
        upstream_keepalive_pool_size: keys
            .upstream_keepalive_pool_size
            .map(|at| whole(at.value.0)),
        upstream_keepalive_per_endpoint: keys
            .upstream_keepalive_per_endpoint
            .map(|at| whole(at.value.0)),
        client,
        upgrade_sock: keys.upgrade_sock.map(At::take),
        grace_period: keys.grace_period.map(|at| at.value.0),
        lame_duck: keys.lame_duck.map(|at| at.value.0),
        max_snapshot: keys.max_snapshot.map(|at| at.value.0),
        max_hosts: keys.max_hosts.map(|at| at.value.0),
        max_endpoints: keys.max_endpoints.map(|at| at.value.0),
        idle,
    }
}
