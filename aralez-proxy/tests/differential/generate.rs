//! Generated messages: most of them valid, some of them nearly valid.

use super::rng::Rng;

const METHODS: &[&str] = &[
    "GET", "GET", "POST", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH", "M-SEARCH",
];
const TARGETS: &[&str] = &[
    "/",
    "/a/b?c=d",
    "/a/../b/./c",
    "//a",
    "/%41%2fb",
    "/a;x=y?",
    "/?a=%00",
    "/\"<>^`{|}",
    "http://HOST/x",
    "https://HOST?x",
    "/a%20b",
    "/%7Ea//b;c/%2F",
    "/a%5cb%3Fc",
    "//a/%2e%2e/b;c",
    "/a%2F..",
    "*",
    "http://HOST",
];
const HOSTS: &[&str] = &[
    "a",
    "a.example",
    "A.Example:8080",
    "[::1]",
    "[::1]:80",
    "a.example:",
    "127.0.0.1",
];
const FIELDS: &[&str] = &[
    "Accept: */*",
    "X-A:b",
    "X-A: \t c \t",
    "X-Empty:",
    "Cookie: a=b; c=d",
    "cookie: e=f",
    "User-Agent: x/1 (y; z)",
    "X-Quote: \"a, b\"",
    "X-High: \u{e9}\u{2028}",
    "Via: 1.0 b",
    "X-Forwarded-For: 6.6.6.6",
    "X_Forwarded_For: 6.6.6.6",
    "Forwarded: for=6.6.6.6",
    "X-Forwarded-Ssl: on",
    "X.Real.IP: 6.6.6.6",
    "Front_End_Https: on",
    "Remote-User: root",
    "X-Original-URL: /b",
    "CDN-Loop: other; v=1",
    "Connection: keep-alive",
    "Connection: close",
    "Connection: X-A, Cookie",
    "Connection: upgrade",
    "Upgrade: websocket",
    "Upgrade: h2c",
    "Keep-Alive: timeout=5",
    "Proxy-Connection: keep-alive",
    "TE: trailers",
    "TE: gzip;q=0.5",
    "Trailer: Digest",
    "Expect: 100-continue",
    "Content_Length: 7",
    "Content-Lengthx: 7",
    "X-Content-Length: 7",
    "Transfer_Encoding: chunked",
    "Host2: b",
    "Authorization: Basic x",
    "Content-Type: text/plain",
    "Date: Sun, 06 Nov 1994 08:49:37 GMT",
    "Set-Cookie: a=b",
    "Content-Encoding: chunked",
];
const TRAILERS: &[&str] = &[
    "Digest: x",
    "X-T:y",
    "Host: evil",
    "Content-Length: 5",
    "Transfer-Encoding: chunked",
    "Authorization: x",
    "X-Forwarded-For: 1",
    "grpc-status: 0",
];
const EXTENSIONS: &[&str] = &["", "", "", ";a", ";a=b", " ; a=\"b;c\"", ";\t"];
const STATUSES: &[&str] = &[
    "200 OK",
    "200 ",
    "200",
    "404 Not Found",
    "204 No Content",
    "304 x",
    "206 a  b",
    "500 \u{e9}",
    "999 x",
];
const INFORMATIONAL: &[&str] = &["100 Continue", "103 Early Hints", "102 x"];

/// Generates one to three requests.
pub(crate) fn requests(rng: &mut Rng) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..1 + rng.below(3) {
        request(rng, &mut out);
    }
    out
}

/// Generates a response, sometimes with informational responses before it or another response after it.
pub(crate) fn response(rng: &mut Rng) -> Vec<u8> {
    let mut out = Vec::new();
    let end = if rng.once_in(5) { "\n" } else { "\r\n" };
    while rng.once_in(5) {
        line(
            &mut out,
            &format!("HTTP/1.1 {}", rng.pick(INFORMATIONAL)),
            end,
        );
        fields(rng, &mut out, 2, end);
        line(&mut out, "", end);
    }
    let version = if rng.once_in(6) {
        "HTTP/1.0"
    } else {
        "HTTP/1.1"
    };
    line(&mut out, &format!("{version} {}", rng.pick(STATUSES)), end);
    fields(rng, &mut out, 6, end);
    if rng.once_in(6) {
        line(&mut out, "X-Folded: a", end);
        line(&mut out, rng.pick(&["  b", "\tc", " ", " X: y"]), end);
    }
    body(rng, &mut out, version, end, true);
    if rng.once_in(8) {
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
    out
}

/// Generates a chunked body.
pub(crate) fn chunked(rng: &mut Rng) -> Vec<u8> {
    let mut out = Vec::new();
    chunks(rng, &mut out);
    out
}

fn request(rng: &mut Rng, out: &mut Vec<u8>) {
    while rng.once_in(8) {
        line(out, "", "\r\n");
    }
    let host = rng.pick(HOSTS);
    let target = rng.pick(TARGETS).replace("HOST", host);
    let version = if rng.once_in(6) {
        "HTTP/1.0"
    } else {
        "HTTP/1.1"
    };
    line(
        out,
        &format!("{} {target} {version}", rng.pick(METHODS)),
        "\r\n",
    );
    if rng.once_in(2) {
        fields(rng, out, 3, "\r\n");
    }
    // `Host` is optional in HTTP/1.0; an HTTP/1.1 request without it is refused.
    if !(version == "HTTP/1.0" && rng.once_in(4)) {
        line(
            out,
            &format!("{}{host}", rng.pick(&["Host: ", "host:", "HOST:\t"])),
            "\r\n",
        );
    }
    fields(rng, out, 5, "\r\n");
    body(rng, out, version, "\r\n", false);
}

fn line(out: &mut Vec<u8>, text: &str, end: &str) {
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(end.as_bytes());
}

fn fields(rng: &mut Rng, out: &mut Vec<u8>, most: usize, end: &str) {
    for _ in 0..rng.below(most + 1) {
        line(out, rng.pick(FIELDS), end);
    }
}

/// Generates the fields that frame a body, the end of the head, and the body. `doubt`: sometimes with a length next to chunks.
fn body(rng: &mut Rng, out: &mut Vec<u8>, version: &str, end: &str, doubt: bool) {
    let data = data(rng);
    match rng.below(6) {
        0 | 1 => line(out, "", end),
        2 | 3 => {
            let zeros = if rng.once_in(4) { "00" } else { "" };
            line(out, &format!("Content-Length: {zeros}{}", data.len()), end);
            line(out, "", end);
            out.extend_from_slice(&data);
        }
        _ if version == "HTTP/1.0" => {
            line(out, "", end);
        }
        _ => {
            if doubt && rng.once_in(4) {
                line(out, &format!("Content-Length: {}", rng.below(9)), end);
            }
            line(
                out,
                rng.pick(&["Transfer-Encoding: chunked", "transfer-encoding:Chunked "]),
                end,
            );
            line(out, "", end);
            chunks(rng, out);
        }
    }
}

fn data(rng: &mut Rng) -> Vec<u8> {
    if rng.once_in(4) {
        // Data that looks like a message, or like the end of one.
        let texts: [&[u8]; 3] = [
            b"GET /inner HTTP/1.1\r\nHost: inner\r\n\r\n",
            b"0\r\n\r\n",
            b"\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        ];
        return rng.pick(&texts).to_vec();
    }
    // Some exceed the 4 KiB that are copied behind a head, and some exceed a read buffer of 16 KiB.
    let most = rng.pick(&[4, 30, 30, 30, 300, 300, 6_000, 20_000]);
    let length = rng.below(most);
    (0..length).map(|at| b'a' + (at % 26) as u8).collect()
}

fn chunks(rng: &mut Rng, out: &mut Vec<u8>) {
    for _ in 0..rng.below(5) {
        let data = data(rng);
        if data.is_empty() {
            continue;
        }
        let zeros = if rng.once_in(4) { "0" } else { "" };
        let size = if rng.once_in(2) {
            format!("{:x}", data.len())
        } else {
            format!("{:X}", data.len())
        };
        line(
            out,
            &format!("{zeros}{size}{}", rng.pick(EXTENSIONS)),
            "\r\n",
        );
        out.extend_from_slice(&data);
        line(out, "", "\r\n");
    }
    line(
        out,
        &format!("{}{}", rng.pick(&["0", "0", "000"]), rng.pick(EXTENSIONS)),
        "\r\n",
    );
    while rng.once_in(4) {
        line(out, rng.pick(TRAILERS), "\r\n");
    }
    line(out, "", "\r\n");
}
