//! The sample site: a tiny origin that shows the requests it receives, so that a new user sees the proxy work.
//!
//! HTTP/1 with keep-alive, requests without a body, loopback only. Not a general web server.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Limit on the length of a head, in bytes.
const MAX_HEAD: usize = 16 << 10;
const IDLE: Duration = Duration::from_secs(75);
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until the future is dropped.
pub(super) async fn serve(listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // A failed connection does not affect the others.
                tokio::spawn(async move { drop(converse(stream).await) });
            }
            // Mostly EMFILE: wait until descriptors are freed.
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn converse(mut stream: TcpStream) -> std::io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let Some(end) = head_end(&buffer) else {
            let read = timeout(IDLE, stream.read_buf(&mut buffer)).await;
            match read {
                Ok(Ok(count)) if count > 0 && buffer.len() <= MAX_HEAD => continue,
                Ok(Err(error)) => return Err(error),
                _ => return Ok(()),
            }
        };
        let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
        buffer.drain(..end);
        let answer = answer(&head);
        stream.write_all(answer.text.as_bytes()).await?;
        if !answer.keep {
            return stream.shutdown().await;
        }
    }
}

fn head_end(buffer: &[u8]) -> Option<usize> {
    let found = buffer.windows(4).position(|four| four == b"\r\n\r\n");
    found.map(|at| at + 4)
}

/// An answer, and whether the connection is kept.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    text: String,
    keep: bool,
}

fn answer(head: &str) -> Answer {
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (method, path, version) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or("/"),
        words.next().unwrap_or_default(),
    );
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(": ")).collect();
    let value = |name: &str| {
        let found = headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| *value)
    };
    // A body is not read, so the next request cannot be found: close.
    let body = value("transfer-encoding").is_some()
        || value("content-length").is_some_and(|length| length != "0");
    let close = value("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    let keep = version == "HTTP/1.1" && !close && !body;
    let page = page(method, path, value("host").unwrap_or("-"), &headers);
    let connection = if keep { "keep-alive" } else { "close" };
    let sent = if method == "HEAD" { "" } else { &page };
    let text = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\nx-content-type-options: nosniff\r\n\
         content-length: {}\r\nconnection: {connection}\r\n\r\n{sent}",
        page.len()
    );
    Answer { text, keep }
}

fn page(method: &str, path: &str, host: &str, headers: &[(&str, &str)]) -> String {
    let forwarded: String = headers
        .iter()
        .filter(|(name, _)| name.to_ascii_lowercase().starts_with("x-forwarded-"))
        .map(|(name, value)| format!("  {name}: {value}\n"))
        .collect();
    format!(
        "Hello from the sample site of Aralez.\n\n\
         Your request reached it through the proxy:\n  {method} {path}\n  host: {host}\n{forwarded}\n\
         Edit and save upstreams.yaml (`aralez-ctl up` printed its path), then repeat the request.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_what_reached_it_and_the_connection_stays() {
        let answer = answer("GET /a?b HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n");
        assert!(answer.keep);
        for part in ["GET /a?b", "host: x", "X-Forwarded-For: 1.2.3.4"] {
            assert!(answer.text.contains(part), "{}", answer.text);
        }
        let (head, body) = answer.text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains(&format!("content-length: {}\r\n", body.len())),
            "{head}"
        );
    }

    #[test]
    fn a_connection_ends_where_asked_or_where_a_body_was_not_read() {
        assert!(!answer("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").keep);
        assert!(!answer("GET / HTTP/1.0\r\n\r\n").keep);
        assert!(!answer("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n").keep);
        assert!(!answer("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n").keep);
        assert!(answer("GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n").keep);
    }

    #[test]
    fn a_head_request_gets_no_body() {
        assert!(answer("HEAD / HTTP/1.1\r\n\r\n").text.ends_with("\r\n\r\n"));
    }

    #[tokio::test]
    async fn two_requests_go_over_one_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(serve(listener));
        let mut stream = TcpStream::connect(address).await.unwrap();
        let two =
            "GET /one HTTP/1.1\r\nHost: x\r\n\r\nGET /two HTTP/1.1\r\nConnection: close\r\n\r\n";
        stream.write_all(two.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        assert_eq!(text.matches("HTTP/1.1 200").count(), 2, "{text}");
        assert!(text.contains("GET /one") && text.contains("GET /two"));
        serving.abort();
    }
}
