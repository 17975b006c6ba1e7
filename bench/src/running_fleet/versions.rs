//! Documents whose responses reveal the version that each of their parts is from.
//!
//! A change affects the endpoint, the headers or the path of a host, or all three together; the changes of each part are counted. A
//! response contains the three counts, that of the headers three times (settings, host, header sent to the endpoint). A response that
//! mixes parts of two versions therefore matches no version.

use std::net::SocketAddr;

use aralez_tests::wire::Response;

/// The host under load.
pub const HOST: &str = "a.test";
/// The request path; every version has one route for it.
pub const TARGET: &str = "/a/b/c";

/// Number of changes of each part.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Parts {
    /// Changes of the endpoint; also the endpoint's number.
    pub endpoint: u32,
    /// Changes of the headers.
    pub headers: u32,
    /// Changes of the route's path.
    pub path: u32,
}

impl Parts {
    /// Returns the parts after `changes` changes, in a cycle of four: endpoint, headers, path, all three together.
    pub fn after(changes: u32) -> Self {
        let (rounds, rest) = (changes / 4, changes % 4);
        let alone = |turn| 2 * rounds + u32::from(rest >= turn);
        Self {
            endpoint: alone(1),
            headers: alone(2),
            path: alone(3),
        }
    }

    /// Returns the number of changes that lead to these parts; `None` if no version has this combination.
    pub fn changes(self) -> Option<u32> {
        let rounds = self.path / 2;
        let candidates = (0..4).map(|rest| rounds * 4 + rest);
        candidates
            .into_iter()
            .find(|changes| Self::after(*changes) == self)
    }

    /// Returns the document, with `endpoint` as the only server.
    pub fn document(self, endpoint: SocketAddr) -> String {
        let Self { headers, path, .. } = self;
        let route = if path.is_multiple_of(2) { "/a" } else { "/a/b" };
        format!(
            "headers:\n  - \"X-Global:{headers}\"\n\
             {HOST}:\n  headers:\n    - \"X-Host:{headers}\"\n  paths:\n    \"{route}\":\n      headers:\n\
             \x20       - \"X-Path:{path}\"\n      server_headers:\n        - \"X-Sent:{headers}\"\n\
             \x20     servers:\n        - \"{endpoint}\"\n"
        )
    }
}

/// Returns the number of changes after which a response was made.
///
/// # Errors
/// If its parts are not from one version; the error contains the parts.
pub fn changes_of(response: &Response) -> Result<u32, String> {
    let body = response.text();
    let (endpoint, sent) = body.split_once('|').unwrap_or_default();
    let told = |name| response.header(name).unwrap_or("nothing");
    let (global, host, path) = (told("x-global"), told("x-host"), told("x-path"));
    let tells = || {
        format!(
            "endpoint {endpoint:?}, it was sent {sent:?}; settings {global}, host {host}, path {path}"
        )
    };
    if global != host || host != sent {
        return Err(tells());
    }
    let number = |text: &str| text.parse::<u32>().ok();
    let parts = number(endpoint).zip(number(host)).zip(number(path));
    let changes = parts.and_then(|((endpoint, headers), path)| {
        Parts {
            endpoint,
            headers,
            path,
        }
        .changes()
    });
    changes.ok_or_else(tells)
}

/// Checks that a response is from one version. The load calls this for each response.
///
/// # Errors
/// As for [`changes_of`].
pub fn one_version(response: &Response) -> Result<(), String> {
    changes_of(response).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(endpoint: u32, sent: u32, global: u32, host: u32, path: u32) -> Response {
        let head = format!(
            "HTTP/1.1 200 OK\r\nx-global: {global}\r\nx-host: {host}\r\nx-path: {path}\r\n\r\n"
        );
        let mut response = Response::read_head(head.as_bytes()).unwrap();
        response.body = format!("{endpoint}|{sent}").into_bytes();
        response
    }

    #[test]
    fn every_version_is_known_by_its_parts() {
        for changes in 0..100 {
            let parts = Parts::after(changes);
            assert_eq!(parts.changes(), Some(changes));
            let (e, h, p) = (parts.endpoint, parts.headers, parts.path);
            assert_eq!(changes_of(&answer(e, h, h, h, p)), Ok(changes));
        }
    }

    #[test]
    fn parts_of_two_versions_are_of_none() {
        for first in 0..40 {
            for second in first + 4..44 {
                let (old, new) = (Parts::after(first), Parts::after(second));
                for (e, h, p) in [
                    (old.endpoint, new.headers, new.path),
                    (new.endpoint, old.headers, new.path),
                    (new.endpoint, new.headers, old.path),
                    (new.endpoint, old.headers, old.path),
                ] {
                    assert!(
                        one_version(&answer(e, h, h, h, p)).is_err(),
                        "{first} {second}"
                    );
                }
                let (e, o, h, p) = (new.endpoint, old.headers, new.headers, new.path);
                for (sent, global, host) in [(o, h, h), (h, o, h), (h, h, o)] {
                    assert!(one_version(&answer(e, sent, global, host, p)).is_err());
                }
            }
        }
    }

    #[test]
    fn all_parts_that_change_at_once_are_seen_apart() {
        let (old, new) = (Parts::after(3), Parts::after(4));
        for (e, h, p) in [
            (new.endpoint, old.headers, old.path),
            (old.endpoint, new.headers, old.path),
            (old.endpoint, old.headers, new.path),
            (old.endpoint, new.headers, new.path),
        ] {
            assert!(one_version(&answer(e, h, h, h, p)).is_err(), "{e} {h} {p}");
        }
    }
}
