//! The endpoint's answers: victims receive their own number, attackers the answer that their target selects.

use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;

use super::incoming::IncomingRequest;
use crate::tricks::VICTIM;

/// A complete answer that no client may receive.
pub(super) const FORGED: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nX-Id: foreign\r\n\r\nforeign";

const INTERIM: &str = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
const LONG: usize = 1 << 20;

/// The state of the connection after an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum After {
    /// It serves the next request.
    GoesOn,
    /// It is closed without announcement.
    Closes,
    /// It is a tunnel and carries no more requests.
    Tunnels,
}

/// Sends the answer in a single write, so that all of it arrives together.
pub(super) async fn answer(request: &IncomingRequest, writer: &mut OwnedWriteHalf) -> After {
    let (bytes, after) = bytes(request);
    match writer.write_all(&bytes).await {
        Ok(()) => after,
        Err(_) => After::Closes,
    }
}

/// Returns the two parts of the answer to a request whose body is not consumed.
pub(super) fn untaken(target: &str) -> [&'static [u8]; 2] {
    match target.rsplit('/').next() {
        Some("whole") => [b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nattacker", b""],
        Some("chunks") => [
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\natta\r\n",
            b"4\r\ncker\r\n0\r\n\r\n",
        ],
        _ => [b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\natta", b"cker"],
    }
}

fn bytes(request: &IncomingRequest) -> (Vec<u8>, After) {
    if request.is_victim() {
        let id = request.id.as_deref().unwrap_or("none");
        let number = request.target.trim_start_matches("/v/");
        let body = format!("{VICTIM}{number}");
        return (whole(&format!("X-Id: {id}\r\n"), &body), After::GoesOn);
    }
    let mut parts = request.target.split('/').skip(2);
    let what = parts.next().unwrap_or_default();
    let detail = parts.next().unwrap_or_default();
    let number = detail.parse().unwrap_or(0);
    let plain = whole("", "attacker");
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nattacker\r\n0\r\n\r\n";
    match what {
        "extra" if request.method == "HEAD" => (with_forged(plain), After::GoesOn),
        "extra" => {
            let body = "x".repeat(number);
            (with_forged(whole("", &body)), After::GoesOn)
        }
        "status" => {
            let head = format!("HTTP/1.1 {detail} As Told\r\n\r\n");
            (with_forged(head.into_bytes()), After::GoesOn)
        }
        "both-lengths" => {
            let both = chunks.replace("\r\n\r\n8", "\r\nContent-Length: 3\r\n\r\n8");
            (with_forged(both.into_bytes()), After::GoesOn)
        }
        "chunks-and-more" => (with_forged(chunks.as_bytes().to_vec()), After::GoesOn),
        "two-terminators" => (format!("{chunks}0\r\n\r\n").into_bytes(), After::GoesOn),
        "close" => (plain, After::Closes),
        "long" => (whole("", &"x".repeat(LONG)), After::GoesOn),
        "cut" => (cut(detail).as_bytes().to_vec(), After::Closes),
        "interim" => {
            let interim = INTERIM.repeat(number).into_bytes();
            ([interim, plain].concat(), After::GoesOn)
        }
        "switch" => (switch(), After::Tunnels),
        _ => (plain, After::GoesOn),
    }
}

fn whole(fields: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{fields}\r\n{body}").into_bytes()
}

fn with_forged(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.extend(FORGED);
    bytes
}

fn cut(what: &str) -> &'static str {
    match what {
        "head" => "HTTP/1.1 200 OK\r\nContent-Le",
        "body" => "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nthe first bytes",
        _ => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nthe first bytes",
    }
}

fn switch() -> Vec<u8> {
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        .to_vec()
}
