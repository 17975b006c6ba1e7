//! A large number of clients that send one request each and then stay idle.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::peer::PATIENCE;
use super::vitals::may_open;

/// Number of concurrent openers.
const OPENERS: usize = 32;

/// Idle clients that wait for the proxy to close their connections.
#[derive(Debug)]
pub struct Crowd {
    waiting: JoinSet<Result<Duration, String>>,
}

impl Crowd {
    /// Connects all clients and waits until a `GET` of each is answered with `body`.
    ///
    /// # Panics
    /// Panics if a client gets no such answer, or if this process may not open enough file descriptors.
    pub async fn gather(address: SocketAddr, host: &'static str, body: &str, count: usize) -> Self {
        may_open(count + 1_000);
        let mut opening = JoinSet::new();
        for opener in 0..OPENERS {
            let share = (opener..count).step_by(OPENERS).count();
            let body = body.to_owned();
            opening.spawn(async move {
                let mut open = Vec::new();
                for _ in 0..share {
                    open.push(ask(address, host, &body).await?);
                }
                Ok::<_, String>(open)
            });
        }
        let mut waiting = JoinSet::new();
        for opened in opening.join_all().await {
            for (stream, answered) in opened.expect("each of the crowd is answered") {
                waiting.spawn(wait(stream, answered));
            }
        }
        Self { waiting }
    }

    /// Returns the number of clients that are still connected.
    pub fn present(&self) -> usize {
        self.waiting.len()
    }

    /// Waits until all connections are closed. Returns the idle time of each, measured from its answer.
    ///
    /// # Errors
    /// The first unexpected event on a connection, or a timeout if one stays open longer than `limit` plus [`PATIENCE`].
    pub async fn ends(self, limit: Duration) -> Result<Vec<Duration>, String> {
        let ends = tokio::time::timeout(limit + PATIENCE, self.waiting.join_all());
        let ends = ends.await.map_err(|_| "some are forgotten")?;
        ends.into_iter().collect()
    }
}

async fn ask(address: SocketAddr, host: &str, body: &str) -> Result<(TcpStream, Instant), String> {
    let stream = TcpStream::connect(address).await;
    let mut stream = stream.map_err(|error| format!("no connection: {error}"))?;
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let sent = stream.write_all(request.as_bytes()).await;
    sent.map_err(|error| format!("cannot ask: {error}"))?;
    let end = format!("\r\n\r\n{body}");
    let mut answer = Vec::new();
    while !answer.ends_with(end.as_bytes()) {
        match stream.read_buf(&mut answer).await {
            Ok(1..) => {}
            other => return Err(format!("no whole answer: {other:?}")),
        }
    }
    if !answer.starts_with(b"HTTP/1.1 200 ") {
        return Err(String::from_utf8_lossy(&answer).into_owned());
    }
    Ok((stream, Instant::now()))
}

async fn wait(mut stream: TcpStream, answered: Instant) -> Result<Duration, String> {
    match stream.read_u8().await {
        Ok(byte) => Err(format!("{byte} came without being asked for")),
        Err(_) => Ok(answered.elapsed()),
    }
}
