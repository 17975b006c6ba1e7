//! Addresses that no route may use.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::model::EndpointAddress;

/// Listen addresses of Aralez itself. No endpoint may be one of these, or clients could reach the config API or the daemons' sockets.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Forbidden {
    /// Listen addresses of the config API. The unspecified address stands for every loopback address.
    pub addresses: Vec<SocketAddr>,
    /// Sockets of the daemons, and folders such as `state_dir` in which every path is forbidden.
    pub paths: Vec<PathBuf>,
}

impl Forbidden {
    /// Returns the name of the part of Aralez that an endpoint would reach. `None` if it reaches none.
    pub fn found_at(&self, endpoint: &EndpointAddress) -> Option<&'static str> {
        match endpoint {
            EndpointAddress::Tcp(endpoint) => {
                let mut addresses = self.addresses.iter();
                let found = addresses.any(|api| reaches(endpoint.socket(), *api));
                found.then_some("the config API")
            }
            EndpointAddress::Unix(path) => {
                let path = Path::new(path.as_str());
                let found = self.paths.iter().any(|ours| path.starts_with(ours));
                found.then_some("a socket of the daemons")
            }
        }
    }
}

/// Reports whether an endpoint reaches the config API. A listener on the unspecified address is reachable at every loopback address.
fn reaches(endpoint: SocketAddr, api: SocketAddr) -> bool {
    let ip = endpoint.ip().to_canonical();
    let same = if api.ip().is_unspecified() {
        ip.is_loopback()
    } else {
        api.ip().to_canonical() == ip
    };
    same && api.port() == endpoint.port()
}
