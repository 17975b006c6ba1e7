//! Mutations of messages, of kinds that parsers are known to mishandle.

use super::rng::Rng;

/// Byte sequences that are inserted anywhere.
const TOKENS: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\r\n",
    b"\n\r\n",
    b" ",
    b"\t",
    b"\0",
    b"\x0b",
    b"\x7f",
    b"\xff",
    b"\xc4\xb1",
    b":",
    b",",
    b";",
    b"\"",
    b"\\",
    b"#",
    b"0",
    b"1",
    b"+",
    b"-",
    b"0x",
    b"_",
    b"\r\n\r\n",
    b"\n\n",
    b"\r\n ",
    b"\r\n\t",
    b"0\r\n\r\n",
    b"0\r\n",
    b"1\r\nx\r\n",
    b"ffffffffffffffff\r\n",
    b"10000000000000000\r\n",
    b"chunked",
    b", chunked",
    b"identity",
    b"close",
    b"HTTP/1.1",
    b"HTTP/1.0",
    b"HTTP/2.0",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding : chunked\r\n",
    b"transfer-encoding:\tchunked\r\n",
    b"Transfer-Encoding: x\r\n chunked\r\n",
    b"X: y\r\n Transfer-Encoding: chunked\r\n",
    b"Content-Length: 0\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: +5\r\n",
    b"Content-Length: 5, 5\r\n",
    b"Content-Length: 05\r\n",
    b"Host: b\r\n",
    b"Connection: close\r\n",
    b"Connection: content-length\r\n",
    b"Connection: upgrade\r\nUpgrade: websocket\r\n",
    b"Expect: 100-continue\r\n",
    b"GET /smuggled HTTP/1.1\r\nHost: smuggled\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
];

/// Applies one to three mutations. One kind of them inserts a part of `other`.
pub(crate) fn mutate(rng: &mut Rng, bytes: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..1 + rng.below(3) {
        mutate_one(rng, bytes, other);
    }
}

fn mutate_one(rng: &mut Rng, bytes: &mut Vec<u8>, other: &[u8]) {
    let at = place(rng, bytes);
    match rng.below(9) {
        0 | 1 => insert(bytes, at, rng.pick(TOKENS)),
        2 => {
            let end = (at + rng.pick(TOKENS).len()).min(bytes.len());
            bytes.splice(at..end, rng.pick(TOKENS).iter().copied());
        }
        3 if at < bytes.len() => {
            bytes.remove(at);
        }
        4 if at < bytes.len() => bytes[at] ^= 1 << rng.below(8),
        5 if at < bytes.len() => bytes[at] = rng.next() as u8,
        6 => {
            let line = line_at(bytes, at);
            let again = bytes[line.clone()].to_vec();
            insert(bytes, line.start, &again);
        }
        7 => {
            let line = line_at(bytes, at);
            bytes.drain(line);
        }
        8 => splice(rng, bytes, at, other),
        _ => bytes.truncate(at),
    }
}

/// Returns an offset, in two of three cases close after a line end, a colon or a space, where readers differ most.
fn place(rng: &mut Rng, bytes: &[u8]) -> usize {
    let at = rng.below(bytes.len() + 1);
    if rng.once_in(3) {
        return at;
    }
    let near = bytes[at..]
        .iter()
        .position(|byte| matches!(byte, b'\r' | b':' | b' ' | b'\n'));
    let at = near.map_or(at, |near| at + near);
    (at + rng.below(3)).min(bytes.len())
}

fn insert(bytes: &mut Vec<u8>, at: usize, what: &[u8]) {
    bytes.splice(at..at, what.iter().copied());
}

fn line_at(bytes: &[u8], at: usize) -> std::ops::Range<usize> {
    let start = bytes[..at]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |feed| feed + 1);
    let end = bytes[start..].iter().position(|byte| *byte == b'\n');
    start..end.map_or(bytes.len(), |feed| start + feed + 1)
}

fn splice(rng: &mut Rng, bytes: &mut Vec<u8>, at: usize, other: &[u8]) {
    let from = rng.below(other.len() + 1);
    let end = (from + 1 + rng.below(80)).min(other.len());
    insert(bytes, at, &other[from..end]);
}
