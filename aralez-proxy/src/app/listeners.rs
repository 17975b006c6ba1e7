//! The listening sockets of the configured addresses: passed by systemd, taken over from a running proxy, or bound here.

use std::net::{SocketAddr, TcpListener};

use anyhow::{Context, ensure};
use tracing::info;

use super::process;
use crate::activation::Activated;
use crate::core::request::listener_role::ListenerRole;
use crate::settings::Settings;

/// The origin of a passed socket.
#[derive(Debug)]
enum From {
    Systemd { name: String },
    Running,
}

/// Passed sockets that no configured address has claimed yet.
#[derive(Debug, Default)]
pub(super) struct Passed(Vec<(SocketAddr, From, TcpListener)>);

/// The listening sockets of this process.
#[derive(Debug)]
pub(super) struct Listeners {
    /// The listeners of clients, and what they serve.
    pub(super) http: Vec<(TcpListener, ListenerRole)>,
    pub(super) admin: TcpListener,
}

impl Passed {
    pub(super) fn by_systemd(&mut self, sockets: Vec<Activated>) -> anyhow::Result<()> {
        for Activated { name, listener } in sockets {
            let address = listener.local_addr();
            let address = address.with_context(|| {
                format!("cannot get the address of socket {name} passed by systemd")
            })?;
            self.0.push((address, From::Systemd { name }, listener));
        }
        Ok(())
    }

    pub(super) fn by_running(&mut self, sockets: Vec<TcpListener>) -> anyhow::Result<()> {
        for listener in sockets {
            let address = listener
                .local_addr()
                .context("cannot get the address of a socket passed by the running proxy")?;
            self.0.push((address, From::Running, listener));
        }
        Ok(())
    }

    /// Returns the sockets of the configured addresses. Addresses without a passed socket are bound.
    ///
    /// # Errors
    /// If an address cannot be bound, or systemd passed a socket whose address is not configured.
    pub(super) fn claimed(mut self, settings: &Settings) -> anyhow::Result<Listeners> {
        let routes = settings
            .http
            .iter()
            .map(|address| (*address, ListenerRole::Routes));
        let server = settings.file_server.iter();
        let server = server.map(|server| (server.address, ListenerRole::FileServer));
        let http = routes
            .chain(server)
            .map(|(address, role)| Ok((self.claim(address)?, role)));
        let listeners = Listeners {
            http: http.collect::<anyhow::Result<_>>()?,
            admin: self.claim(settings.admin)?,
        };
        for (address, from, _) in &self.0 {
            match from {
                From::Systemd { name } => ensure!(
                    false,
                    "socket {name} passed by systemd is bound to {address}, which is not configured in main.yaml: set \
                     proxy_address_http, proxy_admin_address or file_server_address to this address, or remove its ListenStream= from the unit"
                ),
                From::Running => {
                    info!(%address, "address no longer configured: left to the previous process");
                }
            }
        }
        Ok(listeners)
    }

    fn claim(&mut self, address: SocketAddr) -> anyhow::Result<TcpListener> {
        let passed = self.0.iter().position(|(passed, ..)| *passed == address);
        match passed {
            Some(index) => Ok(self.0.swap_remove(index).2),
            None => process::listen(address),
        }
    }
}

#[cfg(test)]
mod tests {
    use aralez_proto::main_config::MainConfig;

    use super::*;

    fn bound() -> (SocketAddr, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        (listener.local_addr().unwrap(), listener)
    }

    fn settings(http: SocketAddr) -> Settings {
        let config = MainConfig {
            proxy_address_http: http.into(),
            proxy_admin_address: "127.0.0.1:0".parse().unwrap(),
            ..MainConfig::default()
        };
        let node = "a".parse().unwrap();
        Settings::new(
            &config,
            "/nowhere".as_ref(),
            node,
            std::num::NonZeroUsize::MIN,
        )
    }

    #[test]
    fn a_passed_socket_serves_the_address_that_it_is_bound_to() {
        let (address, listener) = bound();
        let mut passed = Passed::default();
        passed.by_running(vec![listener]).unwrap();
        // A second bind of the address would fail with "address in use".
        let listeners = passed.claimed(&settings(address)).unwrap();
        assert_eq!(listeners.http[0].0.local_addr().unwrap(), address);
    }

    #[test]
    fn a_socket_of_systemd_that_no_key_names_is_an_error_that_names_it() {
        let (address, listener) = bound();
        let name = "metrics".to_owned();
        let mut passed = Passed::default();
        passed
            .by_systemd(vec![Activated { name, listener }])
            .unwrap();
        let free = "127.0.0.1:0".parse().unwrap();
        let error = passed.claimed(&settings(free)).unwrap_err().to_string();
        for part in [&address.to_string(), "metrics", "proxy_address_http"] {
            assert!(error.contains(part), "{part} is not in {error}");
        }
    }
}
