//! `type: forward`.

use super::*;

#[test]
fn a_server_that_decides_is_named_by_a_url_in_either_key() {
    for rule in [
        "{type: forward, url: 'http://127.0.0.1:1/v'}",
        "{type: forward, data: 'http://127.0.0.1:1/v'}",
        "{type: forward, url: 'http://127.0.0.1:1/v', copy: ['remote-*', X-Auth-Request-*], timeout: 2s}",
    ] {
        let AuthorizationMethod::Forward(server) = accepted(rule) else {
            panic!("{rule}")
        };
        let copied: Vec<String> = server.copy.iter().map(ToString::to_string).collect();
        assert_eq!(copied, ["remote-*", "x-auth-request-*"]);
        assert_eq!(server.timeout, std::time::Duration::from_secs(2));
        assert_eq!(server.url.pool().as_str(), "server:127.0.0.1:1");
    }
    refused_for(&[
        ("type: forward", "`url` is missing"),
        (
            "type: forward, url: 'https://127.0.0.1/'",
            "authorization.url: has the scheme https",
        ),
        (
            "type: forward, data: 'http://auth.example/'",
            "authorization.creds: has a host name",
        ),
        (
            "type: forward, url: 'http://127.0.0.1/', data: 'http://127.0.0.1/'",
            "is set too",
        ),
        (
            "type: forward, url: 'http://127.0.0.1/', realm: x",
            "belongs to another type",
        ),
        (
            "type: forward, url: 'http://127.0.0.1/', copy: ['a b']",
            "name",
        ),
        (
            "type: forward, url: 'http://127.0.0.1/', copy: [Host]",
            "host",
        ),
        (
            "type: forward, url: 'http://127.0.0.1/', copy: ['*']",
            "name",
        ),
        (
            "type: forward, url: 'http://127.0.0.1/', copy: [Content-Length]",
            "content-length",
        ),
        (
            "type: forward, url: 'http://127.0.0.1/', timeout: 0",
            "cannot be disabled",
        ),
    ]);
}
