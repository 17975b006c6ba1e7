//! `main.yaml` as the proxy uses it, completed by defaults of this machine.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use aralez_proto::main_config::{ControlAddress, FailureRate, MainConfig};
use aralez_proto::model::{FolderPath, GroupName, NodeName};
use aralez_proto::snapshot::Limits;

use crate::core::leaving::Phases;
use crate::core::limits::{ClientLimits, PoolLimits};
use crate::core::request::files::roots::FileRoots;

#[cfg(test)]
mod tests;

/// Returns the duration of each shutdown phase, from `grace_period` and `lame_duck`.
pub fn phases(config: &MainConfig) -> Phases {
    Phases {
        lame_duck: config.lame_duck,
        grace_period: config.grace_period,
    }
}

/// A file server of its own.
#[derive(Clone, Debug)]
pub struct FileServerSettings {
    /// Its listen address.
    pub address: SocketAddr,
    /// The folder that it serves.
    pub folder: FolderPath,
}

/// All settings that the proxy takes from `main.yaml`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Number of serving threads.
    pub threads: NonZeroUsize,
    /// Addresses of plain HTTP listeners.
    pub http: Vec<SocketAddr>,
    /// The file server of this node, if it has one.
    pub file_server: Option<FileServerSettings>,
    /// The folders below which routes may serve files.
    pub file_roots: FileRoots,
    /// The HTTPS port, for redirects.
    pub tls_port: Option<u16>,
    /// Address of the admin endpoint.
    pub admin: SocketAddr,
    /// Control addresses, in order of preference.
    pub control_servers: Vec<ControlAddress>,
    /// The name of this node.
    pub node: NodeName,
    /// The group whose view this node receives.
    pub group: GroupName,
    /// This node's state folder: cache, marks, lock.
    pub state_dir: PathBuf,
    /// The socket on which a successor requests the listeners.
    pub upgrade_sock: PathBuf,
    /// Durations of the shutdown phases.
    pub phases: Phases,
    /// The rate of failed authorizations from which on an address is refused.
    pub auth_failures: FailureRate,
    /// Client limits.
    pub client: ClientLimits,
    /// Number of file descriptors for client connections and their requests, once the limit of open files is known.
    pub descriptors: Option<usize>,
    /// Limits of idle endpoint connections.
    pub pool: PoolLimits,
    /// Limits of the snapshots that this node accepts.
    pub limits: Limits,
}

impl Settings {
    /// Creates the settings of one node. `root` is the machine's `state_dir`, `cores` the default of `threads`.
    pub fn new(config: &MainConfig, root: &Path, node: NodeName, cores: NonZeroUsize) -> Self {
        let control_servers = match &config.control_servers {
            Some(servers) => servers.iter().cloned().collect(),
            None => vec![ControlAddress::Unix(root.join("control.sock"))],
        };
        Self {
            threads: config.threads.unwrap_or(cores),
            http: config.proxy_address_http.iter().copied().collect(),
            file_server: None,
            file_roots: FileRoots::default(),
            tls_port: config.tls_port(),
            admin: config.proxy_admin_address,
            control_servers,
            upgrade_sock: config
                .upgrade_sock
                .clone()
                .unwrap_or_else(|| root.join(format!("proxy-{node}/upgrade.sock"))),
            state_dir: root.join(format!("proxy-{node}")),
            node,
            group: config.node_group.clone(),
            phases: phases(config),
            auth_failures: config.auth_failures,
            descriptors: None,
            client: ClientLimits::of(config),
            pool: PoolLimits::of(config),
            limits: Limits {
                max_snapshot_bytes: config.max_snapshot,
                max_hosts: config.max_hosts,
                max_endpoints: config.max_endpoints,
            },
        }
    }
}
