//! Small documents for tests.

use std::fmt::{Display, Write as _};
use std::net::SocketAddr;

/// Returns a document with one host and one route to `endpoints`.
pub fn site(host: &str, endpoints: &[impl Display]) -> String {
    format!("{host}:\n  paths:\n    \"/\":\n{}", servers(endpoints))
}

/// Returns a document with one host whose answers carry `X-Version: VERSION`.
pub fn versioned(host: &str, version: &str, endpoint: SocketAddr) -> String {
    format!(
        "{host}:\n  paths:\n    \"/\":\n      headers:\n        - \"X-Version:{version}\"\n{}",
        servers(&[endpoint])
    )
}

/// Returns the lines of `servers` in a route.
pub fn servers(endpoints: &[impl Display]) -> String {
    let mut text = "      servers:\n".to_owned();
    for endpoint in endpoints {
        text.push_str(&format!("        - \"{endpoint}\"\n"));
    }
    text
}

/// Returns a document with the hosts `h0.test`, `h1.test` and so on; the first answers with `X-Version: VERSION`.
pub fn many(hosts: usize, version: &str, endpoint: SocketAddr) -> String {
    let plain = (1..hosts).map(|number| site(&format!("h{number}.test"), &[endpoint]));
    std::iter::once(versioned("h0.test", version, endpoint))
        .chain(plain)
        .collect()
}

/// Returns a document with `hosts` hosts of two endpoints each; the first `removed` hosts lack the second one.
pub fn pairs(hosts: usize, removed: usize) -> String {
    let mut text = String::new();
    for host in 0..hosts {
        let (high, low) = (host >> 8, host & 255);
        let second = match host < removed {
            true => String::new(),
            false => format!(", \"10.1.{high}.{low}:80\""),
        };
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "h{host}.test:\n  paths:\n    \"/\":\n      servers: [\"10.0.{high}.{low}:80\"{second}]"
        );
    }
    text
}
