//! Documents of many hosts, of the size that real ones have: five paths, and two headers and two servers for each.

use std::net::SocketAddr;
use std::ops::Range;

/// How many paths each host has.
pub const PATHS: usize = 5;

/// A document to be.
#[derive(Clone, Debug)]
pub struct Sites {
    /// How many hosts.
    pub hosts: usize,
    /// The servers of every path.
    pub servers: [SocketAddr; 2],
    /// The version that the first host tells in `X-Version`.
    pub first: u64,
    /// The version that every host tells in `X-All`.
    pub all: u64,
}

impl Sites {
    /// The text.
    pub fn document(&self) -> String {
        self.part(0..self.hosts)
    }

    /// The text of some of the hosts.
    pub fn part(&self, hosts: Range<usize>) -> String {
        let mut text = String::with_capacity(hosts.len() * 1200);
        for number in hosts {
            self.host(number, &mut text);
        }
        text
    }

    fn host(&self, number: usize, text: &mut String) {
        let version = if number == 0 { self.first } else { 0 };
        text.push_str(&format!("{}:\n  paths:\n", host(number)));
        for path in 0..PATHS {
            text.push_str(&format!(
                "    \"{}\":\n      to_https: false\n      headers:\n        - \"X-Version:{version}\"\n\
                 \x20       - \"X-All:{}\"\n      servers:\n        - \"{}\"\n        - \"{}\"\n",
                route(path),
                self.all,
                self.servers[0],
                self.servers[1],
            ));
        }
    }

    /// How many hosts a document of about so many bytes has, at least one.
    pub fn hosts_in(bytes: usize, servers: [SocketAddr; 2]) -> usize {
        let sample = Self {
            hosts: 100,
            servers,
            first: 0,
            all: 0,
        };
        (bytes * 100 / sample.document().len()).max(1)
    }
}

/// The name of a host.
pub fn host(number: usize) -> String {
    format!("host{number}.example.com")
}

/// The path of a route.
pub fn route(number: usize) -> String {
    match number {
        0 => "/".to_owned(),
        _ => format!("/some/path/{number}"),
    }
}
