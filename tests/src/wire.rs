//! A client that writes raw bytes and reads answers byte for byte, and distinguishes complete, truncated and reset answers.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

mod answer;
pub use answer::{Answer, End};

use answer::Framing;

/// Maximum wait for the next bytes.
pub const PATIENCE: Duration = Duration::from_secs(4);

/// The reading half of a connection.
#[derive(Debug)]
pub struct Wire {
    stream: OwnedReadHalf,
    buffer: Vec<u8>,
}

/// The reason for which no more bytes arrive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Dry {
    Closed,
    Reset,
    Silent,
}

impl Wire {
    /// Connects to `address`.
    ///
    /// # Errors
    /// The reason for which there is no connection.
    pub async fn open(address: SocketAddr) -> Result<(Self, OwnedWriteHalf), String> {
        let told = |error: std::io::Error| format!("no connection: {error}");
        let stream = TcpStream::connect(address).await.map_err(told)?;
        stream.set_nodelay(true).map_err(told)?;
        let (stream, write) = stream.into_split();
        let buffer = Vec::new();
        Ok((Self { stream, buffer }, write))
    }

    /// Reads an answer; `to_head` if the request was a HEAD.
    ///
    /// # Errors
    /// There is no answer, or it violates the rules for senders.
    pub async fn answer(&mut self, to_head: bool) -> Result<Answer, String> {
        let head = self.head().await?;
        let mut answer = Answer::read_head(&head)?;
        let framing = answer.framing(to_head)?;
        let dry = match framing {
            Framing::Length(length) => self.exact(length, &mut answer.body).await,
            Framing::UntilClose => self.rest(&mut answer.body).await,
            Framing::Chunked => self.chunks(&mut answer).await?,
        };
        answer.end = match (dry, framing) {
            (None, _) | (Some(Dry::Closed), Framing::UntilClose) => End::Whole,
            (Some(Dry::Closed), _) => End::Truncated,
            (Some(Dry::Reset), _) => End::Reset,
            (Some(Dry::Silent), _) => {
                return Err(format!(
                    "{} stops in its body, which waits for more",
                    answer.line
                ));
            }
        };
        Ok(answer)
    }

    /// Waits for an orderly close of the connection, without a byte before it. A reset is accepted only if the client is still `sending`
    /// after the close was announced.
    ///
    /// # Errors
    /// The event that occurred instead.
    pub async fn end(&mut self, sending: bool) -> Result<(), String> {
        loop {
            match self.more().await {
                _ if !self.buffer.is_empty() => {
                    let _ = self.rest(&mut Vec::new()).await;
                    return Err(format!("more came: {}", shown(&self.buffer)));
                }
                Ok(()) => {}
                Err(Dry::Closed) => return Ok(()),
                Err(Dry::Reset) if sending => return Ok(()),
                Err(Dry::Reset) => return Err("the connection is reset, not closed".to_owned()),
                Err(Dry::Silent) => return Err("the connection stays open".to_owned()),
            }
        }
    }

    /// Reads exactly `count` bytes.
    ///
    /// # Errors
    /// An error if they do not arrive.
    pub async fn bytes(&mut self, count: usize) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        match self.exact(count, &mut bytes).await {
            None => Ok(bytes),
            Some(dry) => Err(format!("{dry:?} after {}", shown(&bytes))),
        }
    }

    async fn more(&mut self) -> Result<(), Dry> {
        let read = self.stream.read_buf(&mut self.buffer);
        match tokio::time::timeout(PATIENCE, read).await {
            Ok(Ok(1..)) => Ok(()),
            Ok(Ok(0)) => Err(Dry::Closed),
            Ok(Err(_)) => Err(Dry::Reset),
            Err(_) => Err(Dry::Silent),
        }
    }

    async fn head(&mut self) -> Result<Vec<u8>, String> {
        loop {
            if let Some(at) = self
                .buffer
                .windows(4)
                .position(|window| window == b"\r\n\r\n")
            {
                return Ok(self.buffer.drain(..at + 4).collect());
            }
            let got = match self.more().await {
                Ok(()) => continue,
                Err(Dry::Closed) => "the connection is closed",
                Err(Dry::Reset) => "the connection is reset",
                Err(Dry::Silent) => "nothing more comes",
            };
            return Err(match self.buffer.as_slice() {
                [] => format!("no answer: {got}"),
                part => format!("no answer: {got} after {}", shown(part)),
            });
        }
    }

    async fn exact(&mut self, count: usize, into: &mut Vec<u8>) -> Option<Dry> {
        let end = into.len() + count;
        loop {
            let here = self.buffer.len().min(end - into.len());
            into.extend(self.buffer.drain(..here));
            if into.len() == end {
                return None;
            }
            if let Err(dry) = self.more().await {
                return Some(dry);
            }
        }
    }

    async fn rest(&mut self, into: &mut Vec<u8>) -> Option<Dry> {
        loop {
            into.append(&mut self.buffer);
            if let Err(dry) = self.more().await {
                return Some(dry);
            }
        }
    }

    async fn line(&mut self) -> Result<Vec<u8>, Dry> {
        loop {
            if let Some(at) = self.buffer.iter().position(|byte| *byte == b'\n') {
                return Ok(self.buffer.drain(..=at).collect());
            }
            self.more().await?;
        }
    }

    /// Reads chunks, strictly: no extensions, no leading zeros in a size, CRLF everywhere, well-formed trailer fields.
    async fn chunks(&mut self, answer: &mut Answer) -> Result<Option<Dry>, String> {
        loop {
            let line = match self.line().await {
                Ok(line) => line,
                Err(dry) => return Ok(Some(dry)),
            };
            let size = answer::chunk_size(&line)?;
            if size == 0 {
                return self.trailers(answer).await;
            }
            if let Some(dry) = self.exact(size, &mut answer.body).await {
                return Ok(Some(dry));
            }
            let mut end = Vec::new();
            if let Some(dry) = self.exact(2, &mut end).await {
                return Ok(Some(dry));
            }
            if end != b"\r\n" {
                return Err(format!("a chunk ends in {}", shown(&end)));
            }
        }
    }

    async fn trailers(&mut self, answer: &mut Answer) -> Result<Option<Dry>, String> {
        loop {
            let line = match self.line().await {
                Ok(line) => line,
                Err(dry) => return Ok(Some(dry)),
            };
            if line == b"\r\n" {
                return Ok(None);
            }
            answer::field(&line)?;
            answer.trailers.extend(line);
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
