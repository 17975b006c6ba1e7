//! The requests and goals of each scenario.

use clap::ValueEnum;

use crate::running_fleet::lookup::Random;

/// Number of hosts in [`Scenario::Hosts1000`].
pub const MANY: usize = 1_000;
/// Number of hosts in [`Scenario::Hosts100k`].
pub const MOST: usize = 100_000;

/// A kind of traffic.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, ValueEnum)]
pub enum Scenario {
    /// Small responses on keep-alive connections.
    KeepAlive,
    /// One connection per request.
    Connection,
    /// Request bodies of 64 KiB.
    Post64k,
    /// Response bodies of 1 MiB.
    Get1m,
    /// Small responses, from 1,000 hosts in turn.
    Hosts1000,
    /// Small responses, each from a random one of 100,000 hosts.
    Hosts100k,
}

impl Scenario {
    /// All scenarios, in the order of the report.
    pub const ALL: [Self; 6] = [
        Self::KeepAlive,
        Self::Connection,
        Self::Post64k,
        Self::Get1m,
        Self::Hosts1000,
        Self::Hosts100k,
    ];

    /// Returns the scenario's name in the report.
    pub fn title(self) -> &'static str {
        match self {
            Self::KeepAlive => "keep-alive GET",
            Self::Connection => "connection per request",
            Self::Post64k => "64 KiB POST",
            Self::Get1m => "1 MiB GET",
            Self::Hosts1000 => "1,000 hosts",
            Self::Hosts100k => "100,000 hosts",
        }
    }

    /// Returns the number of hosts that the proxies are configured with.
    pub fn hosts(self) -> usize {
        match self {
            Self::Hosts1000 => MANY,
            Self::Hosts100k => MOST,
            _ => 1,
        }
    }

    /// Returns the highest acceptable processor time per request relative to nginx; `None` if there is no goal.
    pub fn goal_nginx(self) -> Option<f64> {
        match self {
            Self::KeepAlive | Self::Hosts1000 | Self::Hosts100k => Some(0.90),
            Self::Connection | Self::Post64k => Some(1.0),
            Self::Get1m => None,
        }
    }

    /// Returns the highest acceptable processor time per request relative to HAProxy; `None` if there is no goal.
    pub fn goal_haproxy(self) -> Option<f64> {
        match self {
            Self::Get1m => None,
            _ => Some(0.90),
        }
    }

    /// Returns the requests: one for each host. For [`Scenario::Hosts100k`], as many as there are hosts, each for a random one.
    pub fn requests(self) -> Vec<Vec<u8>> {
        if self == Self::Hosts100k {
            let mut random = Random(1);
            let hosts = (0..MOST).map(|_| host(random.below(MOST)));
            return hosts.map(|host| self.request(&host)).collect();
        }
        // Stride of 7: consecutive requests are not for hosts adjacent in the document.
        let hosts = (0..self.hosts()).map(|turn| host(turn * 7 % self.hosts()));
        hosts.map(|host| self.request(&host)).collect()
    }

    fn request(self, host: &str) -> Vec<u8> {
        let (line, fields, body) = match self {
            Self::KeepAlive | Self::Hosts1000 | Self::Hosts100k => ("GET /api/items?page=2", "", 0),
            Self::Connection => ("GET /api/items?page=2", "Connection: close\r\n", 0),
            Self::Get1m => ("GET /large", "", 0),
            Self::Post64k => (
                "POST /api/items",
                "Content-Type: application/octet-stream\r\nContent-Length: 65536\r\n",
                65_536,
            ),
        };
        let mut request = format!(
            "{line} HTTP/1.1\r\nHost: {host}\r\n\
             User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101\r\n\
             Accept: application/json,text/html;q=0.9,*/*;q=0.8\r\n\
             Accept-Encoding: gzip, deflate, br\r\n{fields}\r\n"
        )
        .into_bytes();
        request.resize(request.len() + body, b'b');
        request
    }
}

/// Returns the name of a host.
pub fn host(number: usize) -> String {
    format!("h{number}.bench.test")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::heads;
    use super::*;

    #[test]
    fn requests_are_whole_and_of_a_usual_size() {
        for scenario in Scenario::ALL {
            let request = &scenario.requests()[0];
            let head = heads::read(request).unwrap().unwrap();
            assert!((150..=300).contains(&head.length), "{scenario:?}: {head:?}");
            assert_eq!(head.length + head.body.unwrap_or(0), request.len());
            assert_eq!(head.closes, scenario == Scenario::Connection);
        }
    }

    #[test]
    fn every_host_is_asked() {
        let requests = Scenario::Hosts1000.requests();
        let different: BTreeSet<_> = requests.iter().collect();
        assert_eq!(different.len(), MANY);
    }
}
