//! Listen addresses of the two daemons.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use aralez_proto::main_config::{MainConfig, OneOrMany};

use crate::exit::Failure;

/// The addresses of a configuration, each with the key that sets it.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    http: OneOrMany<SocketAddr>,
    admin: SocketAddr,
    api: SocketAddr,
}

impl Addresses {
    /// Returns the addresses of a `main.yaml`.
    pub(crate) fn of(config: &MainConfig) -> Self {
        Self {
            http: config.proxy_address_http.clone(),
            admin: config.proxy_admin_address,
            api: config.config_address,
        }
    }

    /// Returns the first address for traffic, as reached from this machine.
    pub(crate) fn http(&self) -> SocketAddr {
        reached(self.http.first)
    }

    /// Returns the proxy's admin address, as reached from this machine.
    pub(crate) fn admin(&self) -> SocketAddr {
        reached(self.admin)
    }

    /// Returns the address of the config API, as reached from this machine.
    pub(crate) fn api(&self) -> SocketAddr {
        reached(self.api)
    }

    /// Checks that all addresses can be bound, to fail with one line before both daemons fail with many.
    pub(super) fn expect_free(&self) -> Result<(), Failure> {
        let http = self
            .http
            .iter()
            .map(|address| ("proxy_address_http", *address));
        let others = [
            ("proxy_admin_address", self.admin),
            ("config_address", self.api),
        ];
        http.chain(others).try_for_each(expect_free)
    }
}

fn expect_free((key, address): (&str, SocketAddr)) -> Result<(), Failure> {
    let Err(error) = TcpListener::bind(address) else {
        return Ok(());
    };
    let reason = match error.kind() {
        ErrorKind::AddrInUse => "the address is in use by another process".to_owned(),
        ErrorKind::PermissionDenied => {
            "permission denied (ports below 1024 require root or CAP_NET_BIND_SERVICE)".to_owned()
        }
        _ => error.to_string(),
    };
    Err(Failure::refused(format!(
        "cannot listen on {address} ({key}): {reason}"
    )))
}

fn reached(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    const fn local(port: u16) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
    }

    #[test]
    fn a_port_in_use_is_named_with_its_key_in_one_line() {
        let taken = TcpListener::bind(local(0)).unwrap();
        let address = taken.local_addr().unwrap();
        let config = MainConfig {
            proxy_address_http: local(0).into(),
            proxy_admin_address: address,
            config_address: local(0),
            ..MainConfig::default()
        };
        let failure = Addresses::of(&config).expect_free().unwrap_err();
        assert_eq!(failure.exit, Exit::Refused);
        assert!(
            failure.words.contains(&address.to_string()),
            "{}",
            failure.words
        );
        assert!(
            failure.words.contains("proxy_admin_address"),
            "{}",
            failure.words
        );
        assert_eq!(failure.words.lines().count(), 1);
        drop(taken);
        Addresses::of(&config).expect_free().unwrap();
    }

    #[test]
    fn an_address_for_all_is_reached_over_loopback() {
        assert_eq!(reached("0.0.0.0:80".parse().unwrap()), local(80));
        assert_eq!(
            reached("[::]:80".parse().unwrap()),
            "[::1]:80".parse().unwrap()
        );
    }
}
