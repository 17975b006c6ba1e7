//! Where no route may lead.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::model::EndpointAddress;

/// What of Aralez itself listens where: no endpoint may be one of these (design section 11).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Forbidden {
    /// Where the config API listens. The unspecified address stands for every loopback address.
    pub addresses: Vec<SocketAddr>,
    /// The sockets of the daemons, and folders in which there is nothing but theirs.
    pub paths: Vec<PathBuf>,
}

impl Forbidden {
    /// What a route would reach there that it must not; `None`: nothing of ours.
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

/// One that listens on all addresses is reached over any loopback address.
fn reaches(endpoint: SocketAddr, api: SocketAddr) -> bool {
    let ip = endpoint.ip().to_canonical();
    let same = if api.ip().is_unspecified() {
        ip.is_loopback()
    } else {
        api.ip().to_canonical() == ip
    };
    same && api.port() == endpoint.port()
}
