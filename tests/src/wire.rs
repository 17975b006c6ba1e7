//! A client that writes raw bytes and reads responses byte for byte, and distinguishes complete, truncated and reset ones.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use crate::byte_reader::{ByteReader, Dry};

mod response;
pub use response::{End, Response};

use response::Framing;

/// Maximum wait for the next bytes.
pub const PATIENCE: Duration = Duration::from_secs(4);

/// The reading half of a connection.
#[derive(Debug)]
pub struct Wire {
    reader: ByteReader<OwnedReadHalf>,
}

impl Wire {
    /// Connects to `address`. The reading half waits [`PATIENCE`] for bytes.
    ///
    /// # Errors
    /// The reason for which there is no connection.
    pub async fn open(address: SocketAddr) -> Result<(Self, OwnedWriteHalf), String> {
        Self::open_patient(address, PATIENCE).await
    }

    /// Connects to `address`. The reading half waits `patience` for bytes.
    ///
    /// # Errors
    /// The reason for which there is no connection.
    pub async fn open_patient(
        address: SocketAddr,
        patience: Duration,
    ) -> Result<(Self, OwnedWriteHalf), String> {
        let failed = |error: std::io::Error| format!("no connection to {address}: {error}");
        let stream = TcpStream::connect(address).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let (stream, write) = stream.into_split();
        let reader = ByteReader::new(stream).patient(patience);
        Ok((Self { reader }, write))
    }

    /// Returns the bytes that have arrived and are not read yet.
    pub fn buffered(&self) -> &[u8] {
        self.reader.buffered()
    }

    /// Reads a response; `to_head` if the request was a HEAD.
    ///
    /// # Errors
    /// There is no response, or it violates the rules for senders.
    pub async fn response(&mut self, to_head: bool) -> Result<Response, String> {
        let head = self.head().await?;
        let mut response = Response::read_head(&head)?;
        let framing = response.framing(to_head)?;
        let read = match framing {
            Framing::Length(length) => self.reader.exact(length, &mut response.body).await,
            Framing::UntilClose => Err(self.reader.rest(&mut response.body).await),
            Framing::Chunked => self.chunks(&mut response).await?,
        };
        response.end = match (read, framing) {
            (Ok(()), _) | (Err(Dry::Closed), Framing::UntilClose) => End::Whole,
            (Err(Dry::Closed), _) => End::Truncated,
            (Err(Dry::Reset), _) => End::Reset,
            (Err(Dry::Silent), _) => {
                return Err(format!(
                    "{} stops in its body, which waits for more",
                    response.line
                ));
            }
        };
        Ok(response)
    }

    /// Waits for an orderly close of the connection, without a byte before it. A reset is accepted only if the client is still `sending`
    /// after the close was announced.
    ///
    /// # Errors
    /// The event that occurred instead.
    pub async fn end(&mut self, sending: bool) -> Result<(), String> {
        let mut more = Vec::new();
        match self.reader.rest(&mut more).await {
            _ if !more.is_empty() => Err(format!("more came: {}", shown(&more))),
            Dry::Closed => Ok(()),
            Dry::Reset if sending => Ok(()),
            Dry::Reset => Err("the connection is reset, not closed".to_owned()),
            Dry::Silent => Err("the connection stays open".to_owned()),
        }
    }

    /// Reads exactly `count` bytes.
    ///
    /// # Errors
    /// An error if they do not arrive.
    pub async fn bytes(&mut self, count: usize) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        match self.reader.exact(count, &mut bytes).await {
            Ok(()) => Ok(bytes),
            Err(dry) => Err(format!("{dry:?} after {}", shown(&bytes))),
        }
    }

    async fn head(&mut self) -> Result<Vec<u8>, String> {
        let dry = match self.reader.head().await {
            Ok(head) => return Ok(head),
            Err(Dry::Closed) => "the connection is closed",
            Err(Dry::Reset) => "the connection is reset",
            Err(Dry::Silent) => "nothing more comes",
        };
        Err(match self.reader.buffered() {
            [] => format!("no answer: {dry}"),
            part => format!("no answer: {dry} after {}", shown(part)),
        })
    }

    /// Reads chunks, strictly: no extensions, no leading zeros in a size, CRLF everywhere, well-formed trailer fields.
    async fn chunks(&mut self, response: &mut Response) -> Result<Result<(), Dry>, String> {
        loop {
            let line = match self.reader.until(b"\n").await {
                Ok(line) => line,
                Err(dry) => return Ok(Err(dry)),
            };
            let size = response::chunk_size(&line)?;
            if size == 0 {
                return self.trailers(response).await;
            }
            let mut end = Vec::new();
            let data = self.reader.exact(size, &mut response.body).await;
            let read = match data {
                Ok(()) => self.reader.exact(2, &mut end).await,
                dry => dry,
            };
            if read.is_err() {
                return Ok(read);
            }
            if end != b"\r\n" {
                return Err(format!("a chunk ends in {}", shown(&end)));
            }
        }
    }

    async fn trailers(&mut self, response: &mut Response) -> Result<Result<(), Dry>, String> {
        loop {
            let line = match self.reader.until(b"\n").await {
                Ok(line) => line,
                Err(dry) => return Ok(Err(dry)),
            };
            if line == b"\r\n" {
                return Ok(Ok(()));
            }
            response::field(&line)?;
            response.trailers.extend(line);
        }
    }
}

/// Formats bytes for error messages, omitting the middle of long ones.
pub fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 700;
    if bytes.len() <= MOST {
        return format!("\"{}\"", bytes.escape_ascii());
    }
    let (first, last) = (&bytes[..MOST / 2], &bytes[bytes.len() - MOST / 2..]);
    let left_out = bytes.len() - MOST;
    format!(
        "\"{} [{left_out} bytes more] {}\"",
        first.escape_ascii(),
        last.escape_ascii()
    )
}
