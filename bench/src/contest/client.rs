//! One connection of the load: one request at a time, each sent once, each answer checked.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Instant;

use super::heads;
use super::origin::{LARGE, SMALL};
use super::scenario::{FILE_10M, FILE_64K};
use super::sockets::{self, Moved};

const LONGEST_HEAD: usize = 16 * 1024;

/// The result of a connection's turn.
#[derive(Debug)]
pub enum Step {
    /// Nothing is finished.
    Wait,
    /// A whole answer has arrived; the next request may be sent.
    Answered {
        /// The latency of the request, in nanoseconds.
        nanoseconds: u32,
    },
    /// The other side closed the connection after an answer that announced it.
    Closed,
    /// The request or its connection failed.
    Failed(String),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// No request is outstanding.
    Idle,
    Sending(usize),
    Head,
    /// Number of bytes of the body that are still missing.
    Body(usize),
    /// Answered; the other side is expected to close.
    Closing,
}

/// A client connection.
#[derive(Debug)]
pub struct Client {
    socket: OwnedFd,
    state: State,
    started: Instant,
    partial: Vec<u8>,
    closes: bool,
}

impl Client {
    /// Begins to connect. The time of the first request counts from here.
    ///
    /// # Errors
    /// If connecting fails immediately.
    pub fn connect(
        epoll: BorrowedFd<'_>,
        token: u64,
        to: SocketAddr,
        from: Option<Ipv4Addr>,
    ) -> Result<Self, String> {
        let started = Instant::now();
        let socket = sockets::begin(to, from).map_err(|error| format!("connect: {error}"))?;
        sockets::watch(epoll, &socket, token).map_err(|error| format!("watch: {error}"))?;
        Ok(Self {
            socket,
            state: State::Idle,
            started,
            partial: Vec::new(),
            closes: false,
        })
    }

    /// Reports whether an answer is outstanding.
    pub fn asks(&self) -> bool {
        matches!(self.state, State::Sending(_) | State::Head | State::Body(_))
    }

    /// Sends the first request of a new connection: its time counts from the start of the connection.
    pub fn ask_first(&mut self, request: &[u8]) -> Step {
        self.state = State::Sending(0);
        self.send(request)
    }

    /// Sends a request.
    pub fn ask(&mut self, request: &[u8]) -> Step {
        self.started = Instant::now();
        self.ask_first(request)
    }

    /// Handles readiness of the socket.
    pub fn turn(&mut self, request: &[u8], scratch: &mut [u8]) -> Step {
        if let State::Sending(_) = self.state {
            let step = self.send(request);
            if !matches!(step, Step::Wait) || self.state != State::Head {
                return step;
            }
        }
        self.receive(scratch)
    }

    fn send(&mut self, request: &[u8]) -> Step {
        let State::Sending(mut sent) = self.state else {
            return Step::Wait;
        };
        while sent < request.len() {
            match sockets::put(&self.socket, &request[sent..]) {
                Moved::Bytes(count) => sent += count,
                Moved::Wait => {
                    self.state = State::Sending(sent);
                    return Step::Wait;
                }
                Moved::End => return Step::Failed("cannot send the request".to_owned()),
                Moved::Broken(error) => return Step::Failed(format!("send: {error}")),
            }
        }
        self.state = State::Head;
        Step::Wait
    }

    fn receive(&mut self, scratch: &mut [u8]) -> Step {
        loop {
            let moved = match self.state {
                State::Body(missing) => sockets::skip(&self.socket, scratch, missing),
                _ => sockets::take(&self.socket, scratch),
            };
            let count = match moved {
                Moved::Bytes(count) => count,
                Moved::Wait => return Step::Wait,
                // A reset is fine too: the whole answer has arrived, so nothing was lost.
                Moved::End | Moved::Broken(_) if self.state == State::Closing => {
                    return Step::Closed;
                }
                Moved::End => return Step::Failed(format!("closed early: {:?}", self.state)),
                Moved::Broken(error) => return Step::Failed(format!("receive: {error}")),
            };
            let whole = match self.state {
                State::Body(missing) => self.body(missing, count),
                State::Head => self.head(&scratch[..count]),
                _ => Err(format!("{count} unsolicited bytes")),
            };
            match whole {
                Err(reason) => return Step::Failed(reason),
                Ok(true) => return self.answered(),
                Ok(false) => {}
            }
        }
    }

    fn answered(&mut self) -> Step {
        let nanoseconds = self.started.elapsed().as_nanos();
        self.state = match self.closes {
            true => State::Closing,
            false => State::Idle,
        };
        Step::Answered {
            nanoseconds: u32::try_from(nanoseconds).unwrap_or(u32::MAX),
        }
    }

    /// Reports whether the next request needs a new connection.
    pub fn closes(&self) -> bool {
        self.closes
    }

    fn body(&mut self, missing: usize, count: usize) -> Result<bool, String> {
        self.state = State::Body(missing - count);
        Ok(missing == count)
    }

    /// Parses bytes from the start of an answer; returns whether the answer is complete.
    fn head(&mut self, bytes: &[u8]) -> Result<bool, String> {
        if !self.partial.is_empty() {
            self.partial.extend_from_slice(bytes);
        }
        let all = match self.partial.is_empty() {
            true => bytes,
            false => &self.partial,
        };
        let Some(head) = heads::read(all)? else {
            if all.len() > LONGEST_HEAD {
                return Err("unterminated head".to_owned());
            }
            if self.partial.is_empty() {
                self.partial.extend_from_slice(bytes);
            }
            return Ok(false);
        };
        let here = &all[head.length..];
        let missing = missing(all, head, here)?;
        self.closes = head.closes;
        self.partial.clear();
        self.state = State::Body(missing);
        Ok(missing == 0)
    }
}

/// Returns how much of the body is still missing. An answer that is neither the origin's nor a file is an error.
fn missing(all: &[u8], head: heads::Head, here: &[u8]) -> Result<usize, String> {
    let first = all.split(|byte| *byte == b'\r').next().unwrap_or_default();
    if heads::status(all) != Some(200) {
        return Err(String::from_utf8_lossy(first).into_owned());
    }
    let length = head.body.ok_or("response without Content-Length")?;
    let missing = length.checked_sub(here.len());
    let missing = missing.ok_or("bytes after the response")?;
    let right = match length {
        LARGE | FILE_64K | FILE_10M => true,
        length if length == SMALL.len() => SMALL.starts_with(here),
        _ => false,
    };
    match right {
        true => Ok(missing),
        false => Err("not the body that was asked for".to_owned()),
    }
}
