//! Endpoints for long loads: they respond with their own number and the header they received, quickly and without recording anything.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

const LONGEST_HEAD: usize = 16 << 10;

/// An endpoint on its own loopback port. The response body is `NUMBER|` and the request's `X-Sent`. Dropping it closes the port.
#[derive(Debug)]
pub struct Echo {
    address: SocketAddr,
    asked: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Echo {
    /// Starts an endpoint with the given number.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn start(number: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a loopback port is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let asked = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, number, Arc::clone(&count)));
                while connections.try_join_next().is_some() {}
            }
        });
        Self {
            address,
            asked,
            task,
        }
    }

    /// Returns the listener's address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the number of requests received so far.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, number: u32, asked: Arc<AtomicU64>) {
    let _ = stream.set_nodelay(true);
    let mut head = Vec::with_capacity(2048);
    loop {
        head.clear();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_buf(&mut head).await {
                Ok(1..) if head.len() < LONGEST_HEAD => {}
                _ => return,
            }
        }
        asked.fetch_add(1, Ordering::Relaxed);
        let body = format!("{number}|{}", sent(&head));
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(answer.as_bytes()).await.is_err() {
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
