//! Messages of all kinds: valid ones, mutated ones, and noise.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

const REQUEST_LINES: &[&str] = &[
    "GET / HTTP/1.1\r\nHost: a\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n",
    "POST /a/./b?c HTTP/1.1\r\nhost:a:80\r\n",
    "PUT http://a.example/x HTTP/1.1\r\nHost: A.example\r\n",
    "GET /%41/../b%2f HTTP/1.0\r\nHost: [::1]\r\n",
    "\r\nDELETE /x;y HTTP/1.1\r\nHost: a\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\n",
    "GET / HTTP/1.1\r\n",
    "GET /\u{e9} HTTP/1.1\nHost: a\r\n",
];

const REQUEST_FIELDS: &[&str] = &[
    "Accept: */*\r\n",
    "X-Mine:\tv \r\n",
    "Content-Length: 3\r\n",
    "content-length: 0003\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Connection: close, X-Mine, expect\r\n",
    "Connection: keep-alive, Upgrade, TE\r\n",
    "Upgrade: websocket\r\n",
    "Upgrade: h2c\r\n",
    "HTTP2-Settings: AAMA\r\n",
    "TE: trailers\r\n",
    "Expect: 100-continue\r\n",
    "Keep-Alive: 3\r\n",
    "Trailer: x\r\n",
    "X-Forwarded-For: 6.6.6.6\r\n",
    "X_Real_IP: 6.6.6.6\r\n",
    "Authorization: b\r\n",
    "Cookie: a=b\r\n",
    "Via: 1.1 c\r\n",
];

const STATUS_LINES: &[&str] = &[
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 OK\n",
    "HTTP/1.0 404 Not Found\r\n",
    "HTTP/1.1 204\r\n",
    "HTTP/1.1 304 \r\n",
    "HTTP/1.1 100 Continue\r\n",
    "HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: websocket\r\n",
    "HTTP/1.1 999 x\r\n",
    "HTTP/2 200\r\n",
];

const RESPONSE_FIELDS: &[&str] = &[
    "Server: s\r\n",
    "X-Mine:\tv \n",
    "Set-Cookie: a\r\n b\r\n",
    "X: a\n\tb\n",
    "Date: now\r\n",
    "Content-Length: 3\r\n",
    "content-length: 03\n",
    "Transfer-Encoding: chunked\r\n",
    "Connection: close, X-Mine\r\n",
    "Connection: keep-alive\r\n",
    "Keep-Alive: 3\r\n",
    "Trailer: x\r\n",
    "X-Forwarded-For: 6.6.6.6\r\n",
];

const BODY_PARTS: &[&str] = &[
    "3\r\nabc\r\n",
    "3\r\nabc\r\n",
    "01;a=\"b\"\r\n\n\r\n",
    "A ;x\r\n0123456789\r\n",
    "5\r\n0\r\n\r\n\r\n",
    "0\r\n",
    "Digest: x\r\n",
    "Host: evil\r\n",
    "\r\n",
    "0\r\n\r\n",
    "0;x\r\n\r\nGET / HTTP/1.1\r\n",
];

/// Tokens that two readers may interpret differently, to be inserted anywhere.
const TOKENS: &[&str] = &[
    "\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    "\0",
    ":",
    ",",
    ";",
    "0",
    "\r\n\r\n",
    "\r\n ",
    "0\r\n\r\n",
    "chunked",
    "Transfer-Encoding: chunked\r\n",
    "Content-Length: 1\r\n",
    "Host: b\r\n",
    "Connection: close\r\n",
    "\u{e9}",
    "HTTP/1.1",
];

/// Valid messages, mutated messages and noise.
fn changed(good: impl Strategy<Value = Vec<u8>> + 'static) -> BoxedStrategy<Vec<u8>> {
    let good = good.boxed();
    let change = (any::<Index>(), 0..4_u8, select(TOKENS), any::<u8>());
    let mutated = (good.clone(), vec(change, 1..4)).prop_map(|(mut bytes, changes)| {
        for (place, kind, token, byte) in changes {
            change_one(&mut bytes, place, kind, token, byte);
        }
        bytes
    });
    prop_oneof![
        5 => good,
        4 => mutated,
        1 => vec(any::<u8>(), 0..200),
    ]
    .boxed()
}

fn change_one(bytes: &mut Vec<u8>, place: Index, kind: u8, token: &str, byte: u8) {
    let at = place.index(bytes.len() + 1);
    match kind {
        0 => drop(bytes.splice(at..at, token.bytes())),
        1 if at < bytes.len() => drop(bytes.remove(at)),
        2 if at < bytes.len() => bytes[at] = byte,
        _ => {
            let end = (at + 20).min(bytes.len());
            let again = bytes[at..end].to_vec();
            drop(bytes.splice(at..at, again));
        }
    }
}

fn message(
    first: &'static [&'static str],
    fields: &'static [&'static str],
) -> impl Strategy<Value = Vec<u8>> + use<> {
    let parts = (
        select(first),
        vec(select(fields), 0..7),
        select(&["\r\n", "\r\n", "\r\nabc", "\n", ""][..]),
    );
    parts.prop_map(|(first, fields, end)| [first, &fields.concat(), end].concat().into_bytes())
}

/// Request heads.
pub(super) fn requests() -> BoxedStrategy<Vec<u8>> {
    changed(message(REQUEST_LINES, REQUEST_FIELDS))
}

/// Response heads.
pub(super) fn responses() -> BoxedStrategy<Vec<u8>> {
    changed(message(STATUS_LINES, RESPONSE_FIELDS))
}

/// Bodies, most of them chunked.
pub(super) fn bodies() -> BoxedStrategy<Vec<u8>> {
    let parts = vec(select(BODY_PARTS), 0..9);
    changed(parts.prop_map(|parts| parts.concat().into_bytes()))
}

/// Sizes of successive reads, repeated cyclically.
pub(super) fn reads() -> BoxedStrategy<Vec<usize>> {
    prop_oneof![Just(vec![1]), vec(1..40_usize, 1..5)].boxed()
}
