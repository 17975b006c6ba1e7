//! The origin: responds immediately, discards request bodies, and never closes idle connections.

use std::net::SocketAddr;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::event::epoll;

use super::heads;
use super::sockets::{self, Moved};

/// Body of the small response.
pub const SMALL: &[u8] = br#"{"id":42,"name":"bench","items":[1,2,3],"note":"sixty-four byte"}"#;
/// Body length of the large response, in bytes.
pub const LARGE: usize = 1024 * 1024;
const LONGEST_HEAD: usize = 16 * 1024;

/// Set in the epoll tokens of the origin's sockets; clear in those of the load.
pub const BIT: u64 = 1 << 62;
const LISTENER: u64 = BIT | (1 << 61);

/// The origin: its listener and its connections.
#[derive(Debug)]
pub struct Origin {
    listener: OwnedFd,
    address: SocketAddr,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    answers: Answers,
    /// Connections accepted so far.
    pub accepted: u64,
    /// The last request head, recorded only if this is `Some`.
    pub seen: Option<Vec<u8>>,
}

/// The responses, each in two forms: keep-alive, and with `Connection: close`.
#[derive(Debug)]
struct Answers {
    small: [Vec<u8>; 2],
    large: [Vec<u8>; 2],
}

#[derive(Debug)]
struct Connection {
    socket: OwnedFd,
    partial: Vec<u8>,
    /// Bytes of the request body not yet received.
    body: usize,
    /// The response in flight: whether it is the large one, and how many of its bytes were sent.
    sending: Option<(bool, usize)>,
    large: bool,
    closes: bool,
}

/// Next step of a connection: wait for an event, or close.
#[derive(PartialEq, Eq)]
enum Then {
    Wait,
    Close,
}

impl Origin {
    /// Binds a loopback port and registers the listener with `epoll`.
    ///
    /// # Errors
    /// If a system call fails.
    pub fn new(epoll: BorrowedFd<'_>) -> rustix::io::Result<Self> {
        let (listener, address) = sockets::listener()?;
        let data = epoll::EventData::new_u64(LISTENER);
        epoll::add(epoll, &listener, data, epoll::EventFlags::IN)?;
        Ok(Self {
            listener,
            address,
            connections: Vec::new(),
            free: Vec::new(),
            answers: Answers {
                small: answers(SMALL),
                large: answers(&vec![b'x'; LARGE]),
            },
            accepted: 0,
            seen: None,
        })
    }

    /// Returns the listener's address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Handles an epoll event of one of the origin's sockets, identified by `token`.
    pub fn turn(&mut self, epoll: BorrowedFd<'_>, token: u64, scratch: &mut [u8]) {
        if token == LISTENER {
            self.accept(epoll);
            return;
        }
        let index = (token & !BIT) as usize;
        let Some(Some(connection)) = self.connections.get_mut(index) else {
            return;
        };
        if connection.turn(&self.answers, &mut self.seen, scratch) == Then::Close {
            self.connections[index] = None;
            self.free.push(index);
        }
    }

    fn accept(&mut self, epoll: BorrowedFd<'_>) {
        while let Some(socket) = sockets::accept(&self.listener) {
            self.accepted += 1;
            let index = self.free.pop().unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            // If epoll refuses the socket, it is closed here; the load counts the failed request.
            if sockets::watch(epoll, &socket, BIT | index as u64).is_ok() {
                self.connections[index] = Some(Connection::new(socket));
            }
        }
    }
}

impl Connection {
    fn new(socket: OwnedFd) -> Self {
        Self {
            socket,
            partial: Vec::new(),
            body: 0,
            sending: None,
            large: false,
            closes: false,
        }
    }

    fn turn(&mut self, answers: &Answers, seen: &mut Option<Vec<u8>>, scratch: &mut [u8]) -> Then {
        if self.sending.is_some() && (self.send(answers) == Then::Close || self.sending.is_some()) {
            return self.after_send();
        }
        loop {
            let (moved, room) = match self.body {
                0 => (sockets::take(&self.socket, scratch), scratch.len()),
                body => (sockets::skip(&self.socket, scratch, body), body),
            };
            let count = match moved {
                Moved::Bytes(count) => count,
                Moved::Wait => return Then::Wait,
                Moved::End | Moved::Broken(_) => return Then::Close,
            };
            let whole = match self.body {
                0 => self.head(&scratch[..count], seen),
                body => {
                    self.body = body - count;
                    Ok(self.body == 0)
                }
            };
            match whole {
                Err(_) => return Then::Close,
                Ok(true) if self.send(answers) == Then::Close => return Then::Close,
                // A short read drained the socket: the edge-triggered event announces further bytes.
                Ok(_) if self.sending.is_some() || (count < room && self.body == 0) => {
                    return Then::Wait;
                }
                Ok(_) => {}
            }
        }
    }

    /// Returns `Wait` while the response is in flight; `Close` if sending it failed, or if it was the last on the connection.
    fn after_send(&self) -> Then {
        match self.sending {
            Some(_) => Then::Wait,
            None => Then::Close,
        }
    }

    /// Consumes bytes of a head. Returns whether the request is complete, body included.
    fn head(&mut self, bytes: &[u8], seen: &mut Option<Vec<u8>>) -> Result<bool, &'static str> {
        if !self.partial.is_empty() {
            self.partial.extend_from_slice(bytes);
        }
        let all = match self.partial.is_empty() {
            true => bytes,
            false => &self.partial,
        };
        let Some(head) = heads::read(all)? else {
            if all.len() > LONGEST_HEAD {
                return Err("unterminated head");
            }
            if self.partial.is_empty() {
                self.partial.extend_from_slice(bytes);
            }
            return Ok(false);
        };
        if let Some(seen) = seen {
            *seen = all[..head.length].to_vec();
        }
        let here = all.len() - head.length;
        let body = head.body.unwrap_or(0);
        self.large = heads::wants_large(all);
        self.closes = head.closes;
        self.body = body.checked_sub(here).ok_or("bytes after the request")?;
        self.partial.clear();
        Ok(self.body == 0)
    }

    fn send(&mut self, answers: &Answers) -> Then {
        let (large, mut sent) = self.sending.unwrap_or((self.large, 0));
        let both = match large {
            true => &answers.large,
            false => &answers.small,
        };
        let bytes = &both[usize::from(self.closes)];
        while sent < bytes.len() {
            match sockets::put(&self.socket, &bytes[sent..]) {
                Moved::Bytes(count) => sent += count,
                Moved::Wait => {
                    self.sending = Some((large, sent));
                    return Then::Wait;
                }
                Moved::End | Moved::Broken(_) => {
                    self.sending = None;
                    return Then::Close;
                }
            }
        }
        self.sending = None;
        match self.closes {
            true => Then::Close,
            false => Then::Wait,
        }
    }
}

fn answers(body: &[u8]) -> [Vec<u8>; 2] {
    ["", "Connection: close\r\n"].map(|last| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nServer: bench-origin\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
             ETag: \"5f3c-61a2b7\"\r\n{last}\r\n",
            body.len()
        );
        [head.as_bytes(), body].concat()
    })
}
