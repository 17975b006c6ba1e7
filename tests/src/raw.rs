//! A small, strict HTTP/1 client on a plain socket: it shows exactly what a server sent and rejects everything malformed.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

mod response;
pub use response::Response;

const PATIENCE: Duration = Duration::from_secs(20);
const LONGEST_HEAD: usize = 256 << 10;

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
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects to `address`.
    ///
    /// # Errors
    /// If the connection fails or takes more than 20 s.
    pub async fn open(address: SocketAddr) -> Result<Self, String> {
        let connect = tokio::time::timeout(PATIENCE, TcpStream::connect(address));
        let stream = connect
            .await
            .map_err(|_| format!("connecting to {address} takes too long"))?
            .map_err(|error| format!("no connection to {address}: {error}"))?;
        stream
            .set_nodelay(true)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    /// Sends a request and reads its whole answer.
    ///
    /// # Errors
    /// If unread bytes are left from before, the connection fails, or the answer is malformed or takes more than 20 s.
    pub async fn send(&mut self, request: &Request) -> Result<Response, String> {
        if !self.stream.buffer().is_empty() {
            return Err("bytes were left over before this request".to_owned());
        }
        self.write(&request.head()).await?;
        // A server may refuse a large body before it has read all of it: then its answer counts, not the failed write.
        let written = self.write(&request.body).await;
        let answer = self.answer(&request.method).await;
        match (written, answer) {
            (Err(writing), Err(reading)) => Err(format!("{reading}; before that: {writing}")),
            (_, answer) => answer,
        }
    }

    /// Writes bytes unchanged.
    ///
    /// # Errors
    /// If the connection is closed, or the other side reads nothing for 20 s.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        tokio::time::timeout(PATIENCE, self.stream.get_mut().write_all(bytes))
            .await
            .map_err(|_| "writing takes too long".to_owned())?
            .map_err(|error| format!("cannot write: {error}"))
    }

    /// Reads one answer to a request with `method`, skipping informational ones except 101.
    ///
    /// # Errors
    /// If the connection fails, or the answer is malformed or takes more than 20 s.
    pub async fn answer(&mut self, method: &str) -> Result<Response, String> {
        tokio::time::timeout(PATIENCE, self.answer_unbounded(method))
            .await
            .map_err(|_| "no whole answer within 20 s".to_owned())?
    }

    /// Reads exactly `count` bytes.
    ///
    /// # Errors
    /// If fewer arrive within 20 s.
    pub async fn read_exact(&mut self, count: usize) -> Result<Vec<u8>, String> {
        let mut bytes = vec![0; count];
        tokio::time::timeout(PATIENCE, self.stream.read_exact(&mut bytes))
            .await
            .map_err(|_| format!("no {count} bytes within 20 s"))?
            .map_err(|error| format!("cut short: {error}"))?;
        Ok(bytes)
    }

    async fn answer_unbounded(&mut self, method: &str) -> Result<Response, String> {
        loop {
            let head = self.read_head().await?;
            let mut response = Response::of_head(&head)?;
            if (100..200).contains(&response.status) && response.status != 101 {
                continue;
            }
            response.body = self.read_body(method, &response).await?;
            return Ok(response);
        }
    }

    async fn read_head(&mut self) -> Result<String, String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let read = self.stream.read_until(b'\n', &mut head).await;
            let count = read.map_err(|error| format!("cannot read the head: {error}"))?;
            if count == 0 && head.is_empty() {
                return Err("the connection ended before an answer".to_owned());
            }
            if count == 0 {
                return Err(format!(
                    "the connection ended within the head, after {head:?}"
                ));
            }
            if head.len() > LONGEST_HEAD {
                return Err("the head is too long".to_owned());
            }
        }
        String::from_utf8(head).map_err(|_| "the head is not UTF-8".to_owned())
    }

    async fn read_body(&mut self, method: &str, response: &Response) -> Result<Vec<u8>, String> {
        if method == "HEAD" || matches!(response.status, 101 | 204 | 304) {
            return Ok(Vec::new());
        }
        match response.length()? {
            response::Length::Bytes(count) => self.read_exact(count).await,
            response::Length::Chunked => self.read_chunks().await,
            response::Length::ToTheEnd => {
                let mut body = Vec::new();
                let read = self.stream.read_to_end(&mut body).await;
                read.map_err(|error| format!("cut short: {error}"))?;
                Ok(body)
            }
        }
    }

    async fn read_chunks(&mut self) -> Result<Vec<u8>, String> {
        let mut body = Vec::new();
        loop {
            let size = self.read_chunk_size().await?;
            body.extend(self.read_exact(size).await?);
            if self.read_exact(2).await? != b"\r\n" {
                return Err("a chunk does not end in CRLF".to_owned());
            }
            if size == 0 {
                return Ok(body);
            }
        }
    }

    async fn read_chunk_size(&mut self) -> Result<usize, String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).await;
        read.map_err(|error| format!("cut short before a chunk: {error}"))?;
        let digits = line
            .strip_suffix("\r\n")
            .ok_or_else(|| format!("cut short in a chunk's size: {line:?}"))?;
        usize::from_str_radix(digits, 16).map_err(|_| format!("not a chunk's size: {digits:?}"))
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
