//! Documents with many hosts of realistic size: five paths each, with two headers and two servers per path.

use std::net::SocketAddr;
use std::ops::Range;

/// Number of paths of each host.
pub const PATHS: usize = 5;

/// Parameters of a document.
#[derive(Clone, Debug)]
pub struct Sites {
    /// Number of hosts.
    pub hosts: usize,
    /// The servers of every path.
    pub servers: [SocketAddr; 2],
    /// Version that the first host sends in `X-Version`; the other hosts send 0.
    pub first: u64,
    /// Version that every host sends in `X-All`.
    pub all: u64,
}

impl Sites {
    /// Returns the text of the document.
    pub fn document(&self) -> String {
        self.part(0..self.hosts)
    }

    /// Returns the text of a range of hosts.
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

    /// Returns the number of hosts, at least one, in a document of about `bytes` bytes.
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

/// Returns the name of a host.
pub fn host(number: usize) -> String {
    format!("host{number}.example.com")
}

/// Returns the path of a route.
pub fn route(number: usize) -> String {
    match number {
        0 => "/".to_owned(),
        _ => format!("/some/path/{number}"),
    }
}
