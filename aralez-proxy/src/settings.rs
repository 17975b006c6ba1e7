//! `main.yaml` as this daemon understands it: with what this machine adds.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use aralez_proto::main_config::{ControlAddress, MainConfig};
use aralez_proto::model::{GroupName, NodeName};
use aralez_proto::snapshot::Limits;

use crate::core::leaving::Phases;
use crate::core::limits::{ClientLimits, PoolLimits};

#[cfg(test)]
mod tests;

/// How long each phase of leaving may take, by `grace_period` and `lame_duck`.
pub fn phases(config: &MainConfig) -> Phases {
    Phases {
        lame_duck: config.lame_duck,
        grace_period: config.grace_period,
    }
}

/// All that this daemon takes from `main.yaml`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Threads that serve requests.
    pub threads: NonZeroUsize,
    /// Where plain HTTP is served.
    pub http: Vec<SocketAddr>,
    /// The port of HTTPS, where redirects to it lead.
    pub tls_port: Option<u16>,
    /// Where the admin endpoint answers.
    pub admin: SocketAddr,
    /// Where control is, in the order of trying.
    pub control_servers: Vec<ControlAddress>,
    /// Who this node is.
    pub node: NodeName,
    /// Whose view it gets.
    pub group: GroupName,
    /// This node's own folder: cache, marks, lock.
    pub state_dir: PathBuf,
    /// The socket on which a successor asks for the listeners.
    pub upgrade_sock: PathBuf,
    /// How long each phase of leaving may take.
    pub phases: Phases,
    /// What clients may take.
    pub client: ClientLimits,
    /// Descriptors for connections of clients and the requests on them, once the limit of open files is known.
    pub descriptors: Option<usize>,
    /// How many idle connections to endpoints are kept.
    pub pool: PoolLimits,
    /// What this node takes at most.
    pub limits: Limits,
}

impl Settings {
    /// The settings of one node. `root` is the machine's `state_dir`, `cores` the default of `threads`.
    pub fn new(config: &MainConfig, root: &Path, node: NodeName, cores: NonZeroUsize) -> Self {
        let control_servers = match &config.control_servers {
            Some(servers) => servers.iter().cloned().collect(),
            None => vec![ControlAddress::Unix(root.join("control.sock"))],
        };
        Self {
            threads: config.threads.unwrap_or(cores),
            http: config.proxy_address_http.iter().copied().collect(),
            tls_port: config
                .proxy_address_tls
                .as_ref()
                .map(|addresses| addresses.first.port()),
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
