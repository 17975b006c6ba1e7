//! The kinds of slow clients.

use std::time::Duration;

use super::kind::{Drip, Far, Kind, Reads, Want, Witness};

const LARGE: u64 = 64 << 20;
const HEAD: &str = "GET {path} HTTP/1.1\r\nHost: slow.test\r\n";
const UPLOAD: &str = "POST {path} HTTP/1.1\r\nHost: slow.test\r\nContent-Length: 100000\r\n\r\n";
const CHUNKED: &str =
    "POST {path} HTTP/1.1\r\nHost: slow.test\r\nTransfer-Encoding: chunked\r\n\r\n";
const UPGRADE: &str = "GET {path} HTTP/1.1\r\nHost: slow.test\r\nConnection: Upgrade\r\n\
                       Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Time for which the proxy lingers on a refused client that keeps sending: the default of `client_linger`.
pub const LINGER: Duration = Duration::from_secs(5);

/// Returns all kinds of slow clients.
pub fn kinds() -> Vec<Kind> {
    [heads(), bodies(), idle(), readers()].concat()
}

fn heads() -> Vec<Kind> {
    let key = "client_header_timeout";
    let late = Want::Closed(&[408]);
    vec![
        Kind::client("silent after connect", key).counted(&["head", "idle"]),
        Kind::client("drip of the request line", key)
            .drips(Drip::bytes(
                b"GET /a-target-that-takes-its-time-and-then-some-more",
            ))
            .wants(late)
            .counted(&["head"]),
        Kind::client("drip of header fields", key)
            .opens(HEAD)
            .drips(Drip::pieces(b"X-A: b\r\n", 8))
            .wants(late)
            .counted(&["head"]),
        // No byte of a request has arrived: the client would take a response for the answer to its next request.
        Kind::client("drip of empty lines", key)
            .drips(Drip::pieces(b"\r\n", 2).each(Duration::from_millis(400)))
            .wants(Want::Closed(&[0]))
            .counted(&["head", "idle"]),
        Kind::client("endless empty lines", key)
            .drips(Drip::pieces(b"\r\n", 2).each(Duration::from_millis(10)))
            .wants(Want::Closed(&[0, 400]))
            .or_sooner(),
        Kind::client("head stops half way", key)
            .opens(HEAD)
            .wants(late)
            .counted(&["head"]),
        Kind::client("incomplete second request", key)
            .after_one()
            .opens(HEAD)
            .wants(late)
            .counted(&["head"]),
        Kind::client("keeps sending after a refusal", "client_linger")
            .opens("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
            .drips(Drip::bytes(b"x"))
            .stubborn()
            .within(LINGER)
            .wants(Want::Closed(&[400]))
            .or_sooner(),
    ]
}

fn bodies() -> Vec<Kind> {
    let late = Want::Closed(&[408]);
    let rate = "client_body_min_rate";
    let waits = Far::Slow {
        reads: true,
        opening: "",
        drip: None,
    };
    [
        Kind::client("body stops half way", "client_body_timeout")
            .opens(&format!("{UPLOAD}the first bytes"))
            .counted(&["body"]),
        Kind::client("chunk stops half way", "client_body_timeout")
            .opens(&format!("{CHUNKED}64\r\nthe first bytes"))
            .counted(&["body"]),
        Kind::client("drip of a body with Content-Length", rate)
            .opens(UPLOAD)
            .drips(Drip::bytes(b"x"))
            .counted(&["body_rate"]),
        Kind::client("drip of a chunk size", rate)
            .opens(CHUNKED)
            .drips(Drip::bytes(b"1;an-extension-that-takes-its-time-and-more"))
            .counted(&["body_rate", "body"]),
        Kind::client("endless chunks of one byte", rate)
            .opens(CHUNKED)
            .drips(Drip::pieces(b"1\r\na\r\n", 6))
            .counted(&["body_rate"]),
    ]
    .map(|kind| kind.far(waits.clone()).wants(late))
    .to_vec()
}

fn idle() -> Vec<Kind> {
    vec![
        Kind::client("idle between requests", "client_idle_timeout")
            .after_one()
            .counted(&["idle"]),
        Kind::client("WebSocket silent on both sides", "tunnel_idle_timeout")
            .opens(UPGRADE)
            .far(Far::Tunnel)
            .wants(Want::Closed(&[101]))
            .seen_by(Witness::Both)
            .counted(&["tunnel"]),
    ]
}

fn readers() -> Vec<Kind> {
    [
        Kind::client("reads nothing of a large response", "client_write_timeout")
            .reads(Reads::Nothing),
        Kind::client("reads single bytes", "client_write_timeout").reads(Reads::Bytes),
    ]
    .map(|kind| {
        kind.opens(&format!("{HEAD}\r\n"))
            .far(Far::Large(LARGE))
            .wants(Want::Truncated)
            // The endpoint keeps filling the proxy's buffers after the client's are full, so its own clock starts later.
            .or_sooner()
            .seen_by(Witness::Endpoint)
            .counted(&["write"])
    })
    .to_vec()
}
