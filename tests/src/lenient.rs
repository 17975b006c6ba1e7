//! A proxy that forwards everything, to show that a test of a proxy detects violations.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The proxy. It reads messages one by one, each framed by its first `Content-Length`, and forwards them unchanged. Dropping it stops the
/// listener.
#[derive(Debug)]
pub struct Lenient {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Lenient {
    /// Starts one on a free loopback port, in front of `endpoint`.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn start(endpoint: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a loopback port is free");
        let address = listener.local_addr();
        let address = address.expect("a bound socket has an address");
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, endpoint));
            }
        });
        Self { address, task }
    }

    /// Returns the address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Lenient {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(mut client: TcpStream, endpoint: SocketAddr) -> Option<()> {
    let mut endpoint = TcpStream::connect(endpoint).await.ok()?;
    let (mut from_client, mut from_endpoint) = (Vec::new(), Vec::new());
    loop {
        let request = message(&mut client, &mut from_client).await?;
        endpoint.write_all(&request).await.ok()?;
        let answer = message(&mut endpoint, &mut from_endpoint).await?;
        client.write_all(&answer).await.ok()?;
    }
}

async fn message(from: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Vec<u8>> {
    loop {
        let head = buffer.windows(4).position(|window| window == b"\r\n\r\n");
        let whole = head.map(|head| head + 4 + length(&buffer[..head]));
        if let Some(whole) = whole.filter(|whole| *whole <= buffer.len()) {
            return Some(buffer.drain(..whole).collect());
        }
        if from.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

fn length(head: &[u8]) -> usize {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let value = text.split("content-length:").nth(1).unwrap_or_default();
    let digits = value.split("\r\n").next().unwrap_or_default();
    digits.trim().parse().unwrap_or(0)
}
