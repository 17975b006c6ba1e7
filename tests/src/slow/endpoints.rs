//! The kinds of slow endpoints.

use std::time::Duration;

use super::kind::{Drip, Far, Kind, Want, Witness};

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const UNTIL_CLOSE: &str = "HTTP/1.1 200 OK\r\n\r\nthe first bytes";
const EARLY_HINTS: &[u8] = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";

/// Returns all kinds of slow endpoints.
pub fn kinds() -> Vec<Kind> {
    [heads(), bodies(), others()].concat()
}

fn heads() -> Vec<Kind> {
    let drip = Drip::bytes(b"HTTP/1.1 200 A-reason-that-takes-its-time-and-then-some-more");
    let interim = Drip::pieces(EARLY_HINTS, EARLY_HINTS.len());
    vec![
        Kind::endpoint("does not accept", "connect", "{connect: 1s}")
            .far(Far::Unreachable)
            .seen_by(Witness::Client)
            .counted(&["connect"]),
        Kind::endpoint("accepts and is silent", "first_byte", "{first_byte: 1s}")
            .counted(&["first_byte"]),
        Kind::endpoint("silent under the read timeout", "read", "{read: 1s}")
            .counted(&["first_byte", "read"]),
        Kind::endpoint("stalls in its head", "read", "{read: 1s}")
            .answers("HTTP/1.1 200 OK\r\nX-A", None)
            .counted(&["read", "first_byte"]),
        Kind::endpoint("drip of the head", "total", "{total: 1s}")
            .answers("", Some(drip))
            .counted(&["total"]),
        Kind::endpoint("drip of interim answers", "total", "{total: 1s}")
            .answers("", Some(interim.each(Duration::from_millis(150))))
            .counted(&["total"]),
        // Limited by number, not by time: the 17th interim response is one too many.
        Kind::endpoint("endless interim answers", "total", "{total: 2s}")
            .answers("", Some(interim.each(Duration::from_millis(20))))
            .within(Duration::from_secs(2))
            .wants(Want::Answer(&[502]))
            .or_sooner(),
    ]
}

fn bodies() -> Vec<Kind> {
    let stalls = |name, opening| {
        Kind::endpoint(name, "read", "{read: 1s}")
            .answers(opening, None)
            .counted(&["read"])
    };
    let drips = |name, opening, drip| {
        Kind::endpoint(name, "total", "{total: 1s}")
            .answers(opening, Some(drip))
            .counted(&["total"])
    };
    [
        stalls("stalls in its body", HEAD),
        stalls("stalls in a close-delimited body", UNTIL_CLOSE),
        drips("drip of its body", HEAD, Drip::bytes(b"x")),
        drips(
            "drip of its chunk sizes",
            CHUNKED,
            Drip::bytes(b"1;an-extension-that-takes-its-time-and-more"),
        ),
    ]
    .map(|kind| kind.wants(Want::Truncated))
    .to_vec()
}

fn others() -> Vec<Kind> {
    let upload = "POST {path} HTTP/1.1\r\nHost: slow.test\r\nContent-Length: 1000000000\r\n\r\n";
    vec![
        Kind::endpoint(
            "does not read the body of a request",
            "write",
            "{write: 1s}",
        )
        .opens(upload)
        .drips(Drip::pieces(&[b'x'; 16 << 10], 16 << 10).each(Duration::ZERO))
        .far(Far::Slow {
            reads: false,
            opening: "",
            drip: None,
        })
        .or_sooner()
        .seen_by(Witness::Client)
        .counted(&["endpoint_write"]),
        Kind::endpoint("silent between requests", "idle", "{idle: 1s}")
            .far(Far::Good)
            .wants(Want::Answer(&[200]))
            // Connections beyond the pool's capacity are closed immediately.
            .or_sooner()
            .seen_by(Witness::Endpoint),
    ]
}
