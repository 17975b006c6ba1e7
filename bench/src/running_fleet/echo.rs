//! Endpoints for long loads: they respond with their own number and the header they received, quickly and without recording anything.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aralez_tests::byte_reader::ByteReader;
use aralez_tests::loopback::LoopbackServer;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// An endpoint on its own loopback port. The response body is `NUMBER|` and the request's `X-Sent`. Dropping it closes the port.
#[derive(Debug)]
pub struct Echo {
    server: LoopbackServer,
    asked: Arc<AtomicU64>,
}

impl Echo {
    /// Starts an endpoint with the given number.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn start(number: u32) -> Self {
        let asked = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&asked);
        let server =
            LoopbackServer::start(move |stream| serve(stream, number, Arc::clone(&count))).await;
        Self { server, asked }
    }

    /// Returns the listener's address.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Returns the number of requests received so far.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }
}

async fn serve(stream: TcpStream, number: u32, asked: Arc<AtomicU64>) {
    let mut reader = ByteReader::new(stream);
    while let Ok(head) = reader.head().await {
        asked.fetch_add(1, Ordering::Relaxed);
        let body = format!("{number}|{}", sent(&head));
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let written = reader.stream().write_all(answer.as_bytes()).await;
        if written.is_err() {
            return;
        }
    }
}

/// Returns the value of `X-Sent`; empty if the head has none.
fn sent(head: &[u8]) -> String {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    let value = lines.find(|(name, _)| name.eq_ignore_ascii_case("x-sent"));
    value.map_or_else(String::new, |(_, value)| value.trim().to_owned())
}
