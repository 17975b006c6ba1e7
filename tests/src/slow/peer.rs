//! A slow client, and the result that it observed.

use parking_lot::Mutex;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;

use super::kind::{ClientScript, Drip, Kind, Reads, SEGMENT, Want};
use crate::byte_reader::end_of_head;

/// Time after its limit for which a peer may remain open before it counts as forgotten.
pub const PATIENCE: Duration = Duration::from_secs(4);

/// A client that does not read drains the rest this long after its limit, when the exchange must be over.
const TAKES_LATER: Duration = Duration::from_millis(1_500);

const FIRST: &str = "\r\n\r\nok";
const SMALL_BUFFER: u32 = 4 << 10;
const SEND_BUFFER: u32 = 64 << 10;
const KEPT: usize = 64 << 10;

/// The result of one client.
#[derive(Debug)]
pub struct Ended {
    /// Time from the start of the limit's clock to the end of the connection, or to the answer if the kind waits for that; `None` if
    /// neither arrived.
    pub after: Option<Duration>,
    /// The status of the final answer; 0 if there was none.
    pub status: u16,
    /// `true` if the connection closed before the answer's body was complete.
    pub truncated: bool,
    /// `true` if the connection was reset.
    pub reset: bool,
    /// The reason for which it could not follow its script.
    pub failed: Option<String>,
}

/// The bytes that a client has received so far.
#[derive(Debug, Default)]
struct Heard {
    bytes: Vec<u8>,
    total: usize,
    first: Option<Instant>,
    reset: bool,
}

/// Runs one client to completion.
pub async fn run(address: SocketAddr, kind: &Kind) -> Ended {
    match begin(address, kind).await {
        Ok(stream) => play(stream, kind).await,
        Err(reason) => Ended {
            after: None,
            status: 0,
            truncated: false,
            reset: false,
            failed: Some(reason),
        },
    }
}

async fn begin(address: SocketAddr, kind: &Kind) -> Result<TcpStream, String> {
    let mut stream = connect(address, &kind.client)
        .await
        .map_err(|error| format!("no connection: {error}"))?;
    if kind.client.first {
        one_exchange(&mut stream, kind).await?;
    }
    let opened = stream.write_all(kind.client.opening.as_bytes()).await;
    opened.map_err(|error| format!("cannot begin: {error}"))?;
    Ok(stream)
}

async fn connect(address: SocketAddr, script: &ClientScript) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    SockRef::from(&socket).set_tcp_mss(SEGMENT)?;
    if script.reads != Reads::All {
        socket.set_recv_buffer_size(SMALL_BUFFER)?;
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn one_exchange(stream: &mut TcpStream, kind: &Kind) -> Result<(), String> {
    let request = format!("GET {} HTTP/1.1\r\nHost: slow.test\r\n\r\n", kind.path());
    let sent = stream.write_all(request.as_bytes()).await;
    sent.map_err(|error| format!("cannot send the first request: {error}"))?;
    let mut bytes = Vec::new();
    while !bytes.ends_with(FIRST.as_bytes()) {
        match stream.read_buf(&mut bytes).await {
            Ok(1..) => {}
            end => return Err(format!("no whole first answer: {end:?}")),
        }
    }
    Ok(())
}

async fn play(stream: TcpStream, kind: &Kind) -> Ended {
    let start = Instant::now();
    let answered = AtomicBool::new(false);
    let sent = Mutex::new(start);
    let mut heard = Heard::default();
    let (read, write) = stream.into_split();
    let over = {
        let script = &kind.client;
        let drip = script.drip;
        let stubborn = script.stubborn;
        let reading = listen(read, kind, &answered, &mut heard);
        let writing = async {
            let mut write = write;
            if let Some(drip) = drip {
                speak(&mut write, drip, stubborn, &answered, &sent).await;
            }
            if !stubborn {
                // The reading side detects the end. Keep the writing side open until then.
                std::future::pending::<()>().await;
            }
            drop(write);
        };
        tokio::time::timeout(kind.limit + PATIENCE, async {
            // Reading has priority over sending the next piece: a reset would discard the answer.
            tokio::select! { biased; () = reading => {}, () = writing => {} }
            Instant::now()
        })
        .await
    };
    // A client that sends without pauses is slow from the time of its last successful write.
    let start = match kind.client.drip {
        Some(Drip {
            pause: Duration::ZERO,
            ..
        }) => *sent.lock(),
        _ => start,
    };
    heard.judge(start, over.ok())
}

/// Sends the drip until a write fails, or until an answer arrives if the client is not stubborn.
async fn speak(
    write: &mut OwnedWriteHalf,
    drip: Drip,
    stubborn: bool,
    answered: &AtomicBool,
    sent: &Mutex<Instant>,
) {
    for piece in drip.stream() {
        if answered.load(Ordering::Relaxed) && !stubborn {
            return;
        }
        if write.write_all(piece).await.is_err() {
            return;
        }
        *sent.lock() = Instant::now();
        tokio::time::sleep(drip.pause).await;
    }
}

/// Reads as scripted, until the end of the connection or the end of the answer, depending on the kind.
async fn listen(mut read: OwnedReadHalf, kind: &Kind, answered: &AtomicBool, heard: &mut Heard) {
    let patience = tokio::time::sleep(kind.limit + TAKES_LATER);
    match kind.client.reads {
        Reads::All => {}
        Reads::Nothing => patience.await,
        Reads::Bytes => {
            tokio::pin!(patience);
            tokio::select! { () = &mut patience => {}, () = single_bytes(&mut read, heard) => {} }
        }
    }
    let until_answer = matches!(kind.want, Want::Answer(_));
    let mut bytes = vec![0; 16 << 10];
    loop {
        match read.read(&mut bytes).await {
            Ok(0) => break,
            Ok(count) => heard.take(&bytes[..count]),
            Err(_) => {
                heard.reset = true;
                return;
            }
        }
        let status = final_status(&heard.bytes);
        answered.store(status.is_some(), Ordering::Relaxed);
        if until_answer && status.is_some() && heard.whole() {
            return;
        }
    }
    if kind.client.stubborn {
        std::future::pending::<()>().await;
    }
}

async fn single_bytes(read: &mut OwnedReadHalf, heard: &mut Heard) {
    while let Ok(byte) = read.read_u8().await {
        heard.take(&[byte]);
        tokio::time::sleep(super::kind::PAUSE).await;
    }
}

impl Heard {
    fn take(&mut self, bytes: &[u8]) {
        self.first.get_or_insert_with(Instant::now);
        self.total += bytes.len();
        let room = KEPT.saturating_sub(self.bytes.len());
        self.bytes.extend(&bytes[..bytes.len().min(room)]);
    }

    fn judge(self, start: Instant, over: Option<Instant>) -> Ended {
        let status = final_status(&self.bytes).unwrap_or(0);
        // A tunnel's clock starts when the tunnel is established.
        let start = match self.first {
            Some(first) if status == 101 => first,
            _ => start,
        };
        Ended {
            after: over.map(|over| over - start),
            status,
            truncated: status == 200 && !self.whole(),
            reset: self.reset,
            failed: None,
        }
    }

    fn whole(&self) -> bool {
        let answer = final_answer(&self.bytes).unwrap_or_default();
        let before = self.bytes.len() - answer.len();
        let text = String::from_utf8_lossy(answer).to_ascii_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            return false;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"));
        match length.and_then(|digits| digits.trim().parse::<usize>().ok()) {
            Some(length) => self.total - before - (head.len() + 4) >= length,
            None => body.ends_with("0\r\n\r\n"),
        }
    }
}

/// Returns the status of the first answer that is not an interim one.
fn final_status(bytes: &[u8]) -> Option<u16> {
    status(final_answer(bytes)?)
}

/// Returns the bytes from that answer on.
fn final_answer(mut bytes: &[u8]) -> Option<&[u8]> {
    loop {
        let status = status(bytes)?;
        if !(100..200).contains(&status) || status == 101 {
            return Some(bytes);
        }
        bytes = &bytes[end_of_head(bytes)?..];
    }
}

fn status(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}
