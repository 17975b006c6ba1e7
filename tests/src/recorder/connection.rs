//! One connection of the recorder, request by request.

use std::sync::Arc;

use parking_lot::Mutex;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::framing::RequestFraming;
use super::{Ending, Exchange, Reply, Script, State};
use crate::byte_reader::{ByteReader, end_of_head};

/// Time to watch for early bytes before an upgrade is accepted.
const QUIET: Duration = Duration::from_millis(30);

/// Time that the peer has to close after our half-close.
const FAREWELL: Duration = Duration::from_secs(3);

/// One connection.
pub(super) struct RecordedConnection {
    /// Buffers the bytes received that do not belong to a request yet.
    reader: ByteReader<TcpStream>,
    number: u64,
    state: Arc<Mutex<State>>,
    /// Number of the request being received.
    current: u64,
}

/// The connection is over.
struct Ended;

impl RecordedConnection {
    pub(super) fn new(stream: TcpStream, number: u64, state: Arc<Mutex<State>>) -> Self {
        Self {
            reader: ByteReader::new(stream),
            number,
            state,
            current: 0,
        }
    }

    /// Serves the connection until it is closed or `ends` changes.
    pub(super) async fn serve(mut self, mut ends: watch::Receiver<()>) {
        loop {
            let going = tokio::select! {
                going = self.exchange() => going,
                _ = ends.changed() => Err(Ended),
            };
            if going.is_err() {
                break;
            }
        }
        let Self {
            reader,
            number,
            state,
            ..
        } = self;
        drop(reader);
        state.lock().open.remove(&number);
    }

    /// Reads one request and answers it.
    async fn exchange(&mut self) -> Result<(), Ended> {
        self.more().await?;
        self.record();
        let head = self.head().await?;
        let script = self.state.lock().scripts.pop_front().unwrap_or_default();
        let framing = match RequestFraming::of(&head) {
            Ok(framing) => framing,
            Err(fault) => {
                return self
                    .fault(&format!("the endpoint cannot frame what it got: {fault}"))
                    .await;
            }
        };
        if !script.early.is_empty() {
            let _ = script.pace.write(self.reader.stream(), &script.early).await;
        }
        match framing {
            RequestFraming::Length(length) => drop(self.take(length).await?),
            RequestFraming::Chunked => self.chunks().await?,
        }
        self.update(|exchange| exchange.whole = true);
        self.answer(&head, script).await
    }

    /// Adds an exchange without any bytes yet.
    fn record(&mut self) {
        let mut state = self.state.lock();
        state.requests += 1;
        self.current = state.requests;
        state.exchanges.push(Exchange {
            id: self.current,
            connection: self.number,
            bytes: Vec::new(),
            head: 0,
            whole: false,
            answered: false,
        });
    }

    fn update(&self, change: impl FnOnce(&mut Exchange)) {
        let mut state = self.state.lock();
        let mut exchanges = state.exchanges.iter_mut();
        // `Recorder::begin` removes the exchanges of the previous case.
        if let Some(exchange) = exchanges.find(|exchange| exchange.id == self.current) {
            change(exchange);
        }
    }

    async fn fault(&self, fault: &str) -> Result<(), Ended> {
        self.state.lock().faults.push(fault.to_owned());
        Err(Ended)
    }

    async fn head(&mut self) -> Result<Vec<u8>, Ended> {
        loop {
            let buffered = self.reader.buffered();
            if let Some(end) = end_of_head(buffered) {
                self.update(|exchange| exchange.bytes.clear());
                let head = self.take(end).await?;
                self.update(|exchange| exchange.head = end);
                return Ok(head);
            }
            self.update(|exchange| exchange.bytes = buffered.to_vec());
            self.more().await?;
        }
    }

    async fn chunks(&mut self) -> Result<(), Ended> {
        loop {
            let line = self.line().await?;
            let size = std::str::from_utf8(&line[..line.len() - 2]).unwrap_or("?");
            let Ok(size) = usize::from_str_radix(size, 16) else {
                return self
                    .fault(&format!(
                        "the endpoint got a chunk of {}",
                        line.escape_ascii()
                    ))
                    .await;
            };
            if size == 0 {
                break;
            }
            let data = self.take(size + 2).await?;
            if !data.ends_with(b"\r\n") {
                return self
                    .fault("the endpoint got a chunk that does not end in CRLF")
                    .await;
            }
        }
        while self.line().await? != b"\r\n" {}
        Ok(())
    }

    /// Takes a line, including its CRLF.
    async fn line(&mut self) -> Result<Vec<u8>, Ended> {
        let line = self.reader.until(b"\r\n").await.map_err(|_| Ended)?;
        self.append(&line);
        Ok(line)
    }

    /// Takes `count` bytes and appends them to the exchange as they arrive.
    async fn take(&mut self, count: usize) -> Result<Vec<u8>, Ended> {
        let mut taken = Vec::with_capacity(count);
        loop {
            let here = self.reader.buffered().len().min(count - taken.len());
            let before = taken.len();
            let _ = self.reader.exact(here, &mut taken).await;
            self.append(&taken[before..]);
            if taken.len() == count {
                return Ok(taken);
            }
            self.more().await?;
        }
    }

    fn append(&self, bytes: &[u8]) {
        self.update(|exchange| exchange.bytes.extend(bytes));
    }

    async fn more(&mut self) -> Result<(), Ended> {
        self.reader.more().await.map_err(|_| Ended)
    }

    async fn answer(&mut self, head: &[u8], script: Script) -> Result<(), Ended> {
        let reply = match script.reply {
            Reply::Usual => usual(head),
            Reply::Bytes(bytes) => bytes,
            Reply::Nothing => Vec::new(),
        };
        let switches = reply.starts_with(b"HTTP/1.1 101 ");
        if switches {
            let _ = tokio::time::timeout(QUIET, self.more()).await;
        }
        let early = self.reader.buffered();
        if !early.is_empty() {
            let early = early.escape_ascii().to_string();
            return self
                .fault(&format!(
                    "bytes arrived before the previous request was answered: {early}"
                ))
                .await;
        }
        let _ = script.pace.write(self.reader.stream(), &reply).await;
        self.update(|exchange| exchange.answered = true);
        match script.ending {
            Ending::Open if switches => self.echo().await,
            Ending::Open => Ok(()),
            Ending::Close => {
                let _ = self.reader.stream().shutdown().await;
                let rest = async { while self.more().await.is_ok() {} };
                let _ = tokio::time::timeout(FAREWELL, rest).await;
                Err(Ended)
            }
            Ending::Reset => {
                let _ = self.reader.stream().set_zero_linger();
                Err(Ended)
            }
        }
    }

    async fn echo(&mut self) -> Result<(), Ended> {
        loop {
            self.more().await?;
            let bytes = self.reader.take_buffered();
            self.reader
                .stream()
                .write_all(&bytes)
                .await
                .map_err(|_| Ended)?;
        }
    }
}

/// Builds a 200 with `METHOD TARGET` as its body.
fn usual(head: &[u8]) -> Vec<u8> {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let body = line.strip_suffix(b" HTTP/1.1").unwrap_or(line);
    let mut answer =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    if !head.starts_with(b"HEAD ") {
        answer.extend(body);
    }
    answer
}
