//! Documents whose answers tell from which version each of their parts comes.
//!
//! A change touches the endpoint, the headers or the path of a host, or all at once; each of the three is counted. An answer shows the
//! three counts, the one of the headers three times (settings, host, what the endpoint was sent), so that an answer in which parts of
//! two versions meet belongs to no version.

use std::net::SocketAddr;

use aralez_tests::raw::Response;

/// The host under load.
pub const HOST: &str = "a.test";
/// What is asked for: every version has one route for it.
pub const TARGET: &str = "/a/b/c";

/// How often each part has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Parts {
    /// The endpoint.
    pub endpoint: u32,
    /// The headers.
    pub headers: u32,
    /// The path of the route.
    pub path: u32,
}

impl Parts {
    /// The parts after so many changes: endpoint, headers, path, all at once, and again.
    pub fn after(changes: u32) -> Self {
        let (rounds, rest) = (changes / 4, changes % 4);
        let alone = |turn| 2 * rounds + u32::from(rest >= turn);
        Self {
            endpoint: alone(1),
            headers: alone(2),
            path: alone(3),
        }
    }

    /// The number of changes that lead to these parts; `None` where no version has them together.
    pub fn changes(self) -> Option<u32> {
        let rounds = self.path / 2;
        let candidates = (0..4).map(|rest| rounds * 4 + rest);
        candidates
            .into_iter()
            .find(|changes| Self::after(*changes) == self)
    }

    /// The document, whose endpoint is at `endpoint`.
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

/// The number of changes after which an answer was made.
///
/// # Errors
/// What in it does not belong together.
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

/// The check of a load.
///
/// # Errors
/// As [`changes_of`].
pub fn one_version(response: &Response) -> Result<(), String> {
    changes_of(response).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(endpoint: u32, sent: u32, global: u32, host: u32, path: u32) -> Response {
        let header = |name: &str, value: u32| (name.to_owned(), value.to_string());
        Response {
            status: 200,
            headers: vec![
                header("x-global", global),
                header("x-host", host),
                header("x-path", path),
            ],
            body: format!("{endpoint}|{sent}").into_bytes(),
        }
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
