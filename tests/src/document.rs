//! Small documents for tests.

use std::fmt::Display;
use std::net::SocketAddr;

/// A document with one host and one route to `endpoints`.
pub fn site(host: &str, endpoints: &[impl Display]) -> String {
    format!("{host}:\n  paths:\n    \"/\":\n{}", servers(endpoints))
}

/// A document with one host whose answers carry `X-Version: VERSION`.
pub fn versioned(host: &str, version: &str, endpoint: SocketAddr) -> String {
    format!(
        "{host}:\n  paths:\n    \"/\":\n      headers:\n        - \"X-Version:{version}\"\n{}",
        servers(&[endpoint])
    )
}

/// The lines of `servers` in a route.
pub fn servers(endpoints: &[impl Display]) -> String {
    let mut text = "      servers:\n".to_owned();
    for endpoint in endpoints {
        text.push_str(&format!("        - \"{endpoint}\"\n"));
    }
    text
}

/// A document with many hosts, `h0.test` and so on, of which the first answers with `X-Version: VERSION`.
pub fn many(hosts: usize, version: &str, endpoint: SocketAddr) -> String {
    let plain = (1..hosts).map(|number| site(&format!("h{number}.test"), &[endpoint]));
    std::iter::once(versioned("h0.test", version, endpoint))
        .chain(plain)
        .collect()
}
