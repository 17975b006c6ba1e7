//! A buffered reader of connections: up to a delimiter, by count, or to the end.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};

/// The delimiter of heads.
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// Returns the position after the empty line that ends the head. `None` if the head is incomplete.
pub fn end_of_head(bytes: &[u8]) -> Option<usize> {
    find(bytes, END_OF_HEAD)
}

/// Returns the position after the first occurrence of `delimiter`.
fn find(bytes: &[u8], delimiter: &[u8]) -> Option<usize> {
    let mut windows = bytes.windows(delimiter.len());
    let at = windows.position(|window| window == delimiter)?;
    Some(at + delimiter.len())
}

/// The reader.
#[derive(Debug)]
pub struct ByteReader<S> {
    stream: S,
    buffer: Vec<u8>,
    patience: Option<Duration>,
}

/// The reason for which no more bytes arrive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dry {
    /// The peer closed its side.
    Closed,
    /// The connection was reset.
    Reset,
    /// Nothing arrived within the reader's patience.
    Silent,
}

impl<S: AsyncRead + Unpin> ByteReader<S> {
    /// Creates a reader that waits without limit.
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
            patience: None,
        }
    }

    /// Limits each wait for more bytes.
    #[must_use]
    pub fn patient(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// Returns the stream, for writing.
    pub fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Returns the bytes that have arrived and are not read yet.
    pub fn buffered(&self) -> &[u8] {
        &self.buffer
    }

    /// Takes the bytes that have arrived and are not read yet.
    pub fn take_buffered(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    /// Waits for more bytes and buffers them.
    ///
    /// # Errors
    /// No more bytes arrive.
    pub async fn more(&mut self) -> Result<(), Dry> {
        let read = self.stream.read_buf(&mut self.buffer);
        let read = match self.patience {
            None => read.await,
            Some(patience) => tokio::time::timeout(patience, read)
                .await
                .map_err(|_| Dry::Silent)?,
        };
        match read {
            Ok(1..) => Ok(()),
            Ok(0) => Err(Dry::Closed),
            Err(_) => Err(Dry::Reset),
        }
    }

    /// Reads up to and including `delimiter`.
    ///
    /// # Errors
    /// No more bytes arrive; those that did stay buffered.
    pub async fn until(&mut self, delimiter: &[u8]) -> Result<Vec<u8>, Dry> {
        let mut searched = 0;
        loop {
            if let Some(end) = find(&self.buffer[searched..], delimiter) {
                return Ok(self.buffer.drain(..searched + end).collect());
            }
            searched = (self.buffer.len() + 1).saturating_sub(delimiter.len());
            self.more().await?;
        }
    }

    /// Reads a head, including its empty line.
    ///
    /// # Errors
    /// As [`ByteReader::until`].
    pub async fn head(&mut self) -> Result<Vec<u8>, Dry> {
        self.until(END_OF_HEAD).await
    }

    /// Appends exactly `count` bytes to `into`.
    ///
    /// # Errors
    /// No more bytes arrive; those that did are appended.
    pub async fn exact(&mut self, count: usize, into: &mut Vec<u8>) -> Result<(), Dry> {
        let end = into.len() + count;
        loop {
            let here = self.buffer.len().min(end - into.len());
            into.extend(self.buffer.drain(..here));
            if into.len() == end {
                return Ok(());
            }
            self.more().await?;
        }
    }

    /// Appends all bytes to `into` until no more arrive.
    pub async fn rest(&mut self, into: &mut Vec<u8>) -> Dry {
        loop {
            into.append(&mut self.buffer);
            if let Err(dry) = self.more().await {
                return dry;
            }
        }
    }
}
