//! The requests and goals of each scenario.

use clap::ValueEnum;

use crate::running_fleet::lookup::Random;

/// Number of hosts in [`Scenario::Hosts1000`].
pub const MANY: usize = 1_000;
/// Number of hosts in [`Scenario::Hosts100k`].
pub const MOST: usize = 100_000;

/// Size of the file of [`Scenario::File64k`], in bytes.
pub const FILE_64K: usize = 64 * 1024;
/// Size of the file of [`Scenario::File10m`], in bytes.
pub const FILE_10M: usize = 10_000_000;

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
    /// Files of 64 KiB, which the proxy serves itself.
    File64k,
    /// Files of 10 MB.
    File10m,
    /// Small responses, from 1,000 hosts in turn.
    Hosts1000,
    /// Small responses, each from a random one of 100,000 hosts.
    Hosts100k,
    /// The benchmark of the documentation: nine URLs of up to seven segments, with two headers added to each response.
    Documented,
    /// Small responses of a route with two header edits, a limit of requests, and tokens.
    Policies,
    /// Small responses of a route about whose requests a server decides: the origin, which answers 200.
    Forward,
}

impl Scenario {
    /// All scenarios, in the order of the report.
    pub const ALL: [Self; 11] = [
        Self::KeepAlive,
        Self::Connection,
        Self::Post64k,
        Self::Get1m,
        Self::File64k,
        Self::File10m,
        Self::Hosts1000,
        Self::Hosts100k,
        Self::Documented,
        Self::Policies,
        Self::Forward,
    ];

    /// Returns the scenario's name in the report.
    pub fn title(self) -> &'static str {
        match self {
            Self::KeepAlive => "keep-alive GET",
            Self::Connection => "connection per request",
            Self::Post64k => "64 KiB POST",
            Self::Get1m => "1 MiB GET",
            Self::File64k => "64 KiB file",
            Self::File10m => "10 MB file",
            Self::Hosts1000 => "1,000 hosts",
            Self::Hosts100k => "100,000 hosts",
            Self::Documented => "nine URLs, two headers",
            Self::Policies => "edits, limit, token",
            Self::Forward => "authorization: forward",
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

    /// Returns the rules of the routes.
    pub const fn rules(self) -> RouteRules {
        match self {
            Self::Documented => RouteRules::TwoHeaders,
            Self::Policies => RouteRules::Policies,
            Self::Forward => RouteRules::Forward,
            _ => RouteRules::None,
        }
    }

    /// Returns the highest acceptable processor time per request relative to our route without rules; `None` if there is no goal.
    pub const fn goal_plain(self) -> Option<f64> {
        match self {
            Self::Policies => Some(1.10),
            _ => None,
        }
    }

    /// Returns the size of the file that is asked for; `None` if requests are forwarded to the origin.
    pub const fn file(self) -> Option<usize> {
        match self {
            Self::File64k => Some(FILE_64K),
            Self::File10m => Some(FILE_10M),
            _ => None,
        }
    }

    /// Returns the highest acceptable processor time per request relative to nginx; `None` if there is no goal.
    pub fn goal_nginx(self) -> Option<f64> {
        match self {
            Self::KeepAlive | Self::Hosts1000 | Self::Hosts100k => Some(0.90),
            Self::Connection
            | Self::Post64k
            | Self::File64k
            | Self::File10m
            | Self::Documented
            | Self::Policies => Some(1.0),
            Self::Get1m | Self::Forward => None,
        }
    }

    /// Returns the highest acceptable processor time per request relative to HAProxy; `None` if there is no goal.
    pub fn goal_haproxy(self) -> Option<f64> {
        match self {
            Self::Get1m
            | Self::File64k
            | Self::File10m
            | Self::Documented
            | Self::Policies
            | Self::Forward => None,
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
        if self == Self::Documented {
            let paths = (0..=7).map(|segments| PATH.split_inclusive('/').take(segments + 1));
            let paths = paths
                .map(Iterator::collect::<String>)
                .chain(["/?page=2".to_owned()]);
            return paths
                .map(|path| request(&format!("GET {path}"), &host(0), "", 0))
                .collect();
        }
        // Stride of 7: consecutive requests are not for hosts adjacent in the document.
        let hosts = (0..self.hosts()).map(|turn| host(turn * 7 % self.hosts()));
        hosts.map(|host| self.request(&host)).collect()
    }

    fn request(self, host: &str) -> Vec<u8> {
        let token = format!("Authorization: Bearer {TOKEN}\r\n");
        match self {
            Self::Connection => request(ITEMS, host, "Connection: close\r\n", 0),
            Self::Policies => request(ITEMS, host, &token, 0),
            Self::Get1m => request("GET /large", host, "", 0),
            Self::File64k | Self::File10m => request("GET /files/file.bin", host, "", 0),
            Self::Post64k => {
                let fields = "Content-Type: application/octet-stream\r\nContent-Length: 65536\r\n";
                request("POST /api/items", host, fields, 65_536)
            }
            _ => request(ITEMS, host, "", 0),
        }
    }
}

/// The line of most requests.
const ITEMS: &str = "GET /api/items?page=2";

/// The longest path of the documented benchmark.
const PATH: &str = "/api/v1/shops/7/items/42/reviews";

/// The secret of the tokens.
pub const SECRET: &str = "bench-0123456789-abcdef";

/// An HS256 token of [`SECRET`] for the user `bench`, valid until the year 2286.
const TOKEN: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJ1c2VyIjoiYmVuY2giLCJleHAiOjk5OTk5OTk5OTl9.vrhtbA6EKQnPqlWuZJS4kHpwrw1itdEzm1eGwvD5ZTI";

fn request(line: &str, host: &str, fields: &str, body: usize) -> Vec<u8> {
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

/// The rules of the routes that a proxy serves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RouteRules {
    /// None.
    None,
    /// Two headers are added to each response.
    TwoHeaders,
    /// Below `/api`: a header is added to requests and one to responses, requests are limited, and a token is required. nginx has none of it.
    Policies,
    /// Below `/api`, the origin decides about each request first. nginx has none of it.
    Forward,
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
            assert!((150..=450).contains(&head.length), "{scenario:?}: {head:?}");
            assert_eq!(head.length + head.body.unwrap_or(0), request.len());
            assert_eq!(head.closes, scenario == Scenario::Connection);
        }
    }

    #[test]
    fn the_documented_urls_are_nine_with_up_to_seven_segments() {
        let requests = Scenario::Documented.requests();
        let different: BTreeSet<_> = requests.iter().collect();
        assert_eq!((requests.len(), different.len()), (9, 9));
        let deepest = String::from_utf8(requests[7].clone()).unwrap();
        assert!(deepest.starts_with(&format!("GET {PATH} ")), "{deepest}");
        assert_eq!(PATH.matches('/').count(), 7);
    }

    #[test]
    fn every_host_is_asked() {
        let requests = Scenario::Hosts1000.requests();
        let different: BTreeSet<_> = requests.iter().collect();
        assert_eq!(different.len(), MANY);
    }
}
