//! A proxy that forwards everything, to show that a test of a proxy detects violations.

use std::net::SocketAddr;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::byte_reader::ByteReader;
use crate::loopback::LoopbackServer;

/// Starts one on a free loopback port, in front of `endpoint`. It reads messages one by one, each framed by its first `Content-Length`, and
/// forwards them unchanged.
///
/// # Panics
/// If no port is free.
pub async fn lenient_proxy(endpoint: SocketAddr) -> LoopbackServer {
    LoopbackServer::start(move |client| pass(client, endpoint)).await
}

async fn pass(client: TcpStream, endpoint: SocketAddr) -> Option<()> {
    let mut endpoint = ByteReader::new(TcpStream::connect(endpoint).await.ok()?);
    let mut client = ByteReader::new(client);
    loop {
        let request = message(&mut client).await?;
        endpoint.stream().write_all(&request).await.ok()?;
        let answer = message(&mut endpoint).await?;
        client.stream().write_all(&answer).await.ok()?;
    }
}

async fn message(from: &mut ByteReader<TcpStream>) -> Option<Vec<u8>> {
    let mut message = from.head().await.ok()?;
    let body = length(&message);
    from.exact(body, &mut message).await.ok()?;
    Some(message)
}

fn length(head: &[u8]) -> usize {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let value = text.split("content-length:").nth(1).unwrap_or_default();
    let digits = value.split("\r\n").next().unwrap_or_default();
    digits.trim().parse().unwrap_or(0)
}
