//! A small, strict HTTP/1 client: whole requests and whole responses, on top of [`crate::wire`].

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;

use crate::wire::{End, Response, Wire};

const PATIENCE: Duration = Duration::from_secs(20);

/// One request, exactly as it will be written.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// Creates a request with its `Host`.
    pub fn new(method: &str, host: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: vec![("Host".to_owned(), host.to_owned())],
            body: Vec::new(),
        }
    }

    /// Creates a `GET`.
    pub fn get(host: &str, target: &str) -> Self {
        Self::new("GET", host, target)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a body and its `Content-Length`.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        self.header("Content-Length", &length)
    }

    /// Returns the bytes of the head.
    pub fn head(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

/// A connection for any number of requests. It never reconnects.
#[derive(Debug)]
pub struct Connection {
    wire: Wire,
    write: OwnedWriteHalf,
}

impl Connection {
    /// Connects to `address`.
    ///
    /// # Errors
    /// If the connection fails or takes more than 20 s.
    pub async fn open(address: SocketAddr) -> Result<Self, String> {
        let connect = tokio::time::timeout(PATIENCE, Wire::open_patient(address, PATIENCE));
        let (wire, write) = connect
            .await
            .map_err(|_| format!("connecting to {address} takes too long"))??;
        Ok(Self { wire, write })
    }

    /// Sends a request and reads its whole response.
    ///
    /// # Errors
    /// If unread bytes are left from before, the connection fails, or the response is malformed or takes more than 20 s.
    pub async fn send(&mut self, request: &Request) -> Result<Response, String> {
        if !self.wire.buffered().is_empty() {
            return Err("bytes were left over before this request".to_owned());
        }
        self.write(&request.head()).await?;
        // A server may refuse a large body before it has read all of it: then its response counts, not the failed write.
        let written = self.write(&request.body).await;
        let response = self.response(&request.method).await;
        match (written, response) {
            (Err(writing), Err(reading)) => Err(format!("{reading}; before that: {writing}")),
            (_, response) => response,
        }
    }

    /// Writes bytes unchanged.
    ///
    /// # Errors
    /// If the connection is closed, or the other side reads nothing for 20 s.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        tokio::time::timeout(PATIENCE, self.write.write_all(bytes))
            .await
            .map_err(|_| "writing takes too long".to_owned())?
            .map_err(|error| format!("cannot write: {error}"))
    }

    /// Reads one response to a request with `method`, skipping informational ones except 101.
    ///
    /// # Errors
    /// If the connection fails, or the response is malformed, truncated or takes more than 20 s.
    pub async fn response(&mut self, method: &str) -> Result<Response, String> {
        tokio::time::timeout(PATIENCE, self.final_response(method))
            .await
            .map_err(|_| "no whole response within 20 s".to_owned())?
    }

    /// Reads exactly `count` bytes.
    ///
    /// # Errors
    /// If fewer arrive within 20 s.
    pub async fn read_exact(&mut self, count: usize) -> Result<Vec<u8>, String> {
        self.wire.bytes(count).await
    }

    async fn final_response(&mut self, method: &str) -> Result<Response, String> {
        loop {
            let response = self.wire.response(method == "HEAD").await?;
            match (response.status, response.end) {
                (_, End::Truncated | End::Reset) => {
                    return Err(format!("cut short: {:?}", response.end));
                }
                (100 | 102..200, End::Whole) => {}
                (_, End::Whole) => return Ok(response),
            }
        }
    }
}

/// Sends one request on a new connection.
///
/// # Errors
/// As [`Connection::open`] and [`Connection::send`].
pub async fn send(address: SocketAddr, request: &Request) -> Result<Response, String> {
    Connection::open(address).await?.send(request).await
}

/// Sends one `GET` on a new connection.
///
/// # Errors
/// As [`send`].
pub async fn get(address: SocketAddr, host: &str, target: &str) -> Result<Response, String> {
    send(address, &Request::get(host, target)).await
}
