//! Connections to endpoints that wait for the next request. One pool for each worker: nobody else takes its lock.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use aralez_proto::model::EndpointAddress;
use rustix::io::Errno;
use rustix::net::RecvFlags;
use tokio::net::TcpStream;

use crate::core::limits::PoolLimits;

#[cfg(test)]
mod tests;

/// What was found in the pool.
#[derive(Debug)]
pub enum Found {
    /// A connection that was used before.
    Kept(TcpStream),
    /// None that can be used.
    Nothing,
}

/// What became of connections while they waited.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ended {
    /// Their endpoint sent something although nobody asked.
    pub unexpected: u64,
}

/// The pool of one worker.
#[derive(Debug)]
pub struct Pool {
    limits: PoolLimits,
    idle: Mutex<Idle>,
}

#[derive(Debug, Default)]
struct Idle {
    endpoints: HashMap<EndpointAddress, VecDeque<Waiting>>,
    /// In the order in which they came, those that were taken since included.
    order: VecDeque<(u64, EndpointAddress)>,
    count: usize,
    next: u64,
}

#[derive(Debug)]
struct Waiting {
    stream: TcpStream,
    until: Option<Instant>,
    number: u64,
}

/// What a look at a waiting connection shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Look {
    Quiet,
    Closed,
    /// It says something that nobody asked for: it cannot be told from the answer to the next request.
    Talking,
}

impl Pool {
    /// An empty one.
    pub fn new(limits: PoolLimits) -> Self {
        Self {
            limits,
            idle: Mutex::default(),
        }
    }

    /// The newest connection to an endpoint: it is the least likely to have been closed by now. Those that are broken are dropped.
    pub fn take(&self, endpoint: EndpointAddress, now: Instant) -> (Found, Ended) {
        self.with(|idle| {
            let mut ended = Ended::default();
            while let Some(waiting) = idle.pop_newest(endpoint) {
                if waiting.until.is_some_and(|until| until <= now) {
                    continue;
                }
                match look(&waiting.stream) {
                    Look::Quiet => return (Found::Kept(waiting.stream), ended),
                    Look::Closed => {}
                    Look::Talking => ended.unexpected += 1,
                }
            }
            (Found::Nothing, ended)
        })
    }

    /// Keeps a connection until then. Over a limit, the one that waits longest goes.
    pub fn put(&self, endpoint: EndpointAddress, stream: TcpStream, until: Option<Instant>) {
        let limits = self.limits;
        if limits.idle == 0 || limits.idle_per_endpoint == 0 {
            return;
        }
        self.with(|idle| {
            let number = idle.next;
            idle.next += 1;
            let waiting = idle.endpoints.entry(endpoint).or_default();
            waiting.push_back(Waiting {
                stream,
                until,
                number,
            });
            let over = waiting.len() > limits.idle_per_endpoint;
            idle.count += 1;
            idle.order.push_back((number, endpoint));
            if over {
                idle.pop_oldest_of(endpoint);
            }
            while idle.count > limits.idle {
                idle.pop_oldest();
            }
            idle.forget_taken();
        });
    }

    /// Drops what has waited for too long and what its endpoint closed.
    pub fn sweep(&self, now: Instant) -> Ended {
        self.with(|idle| {
            let mut ended = Ended::default();
            let mut count = 0;
            idle.endpoints.retain(|_, waiting| {
                waiting.retain(|waiting| {
                    let look = look(&waiting.stream);
                    ended.unexpected += u64::from(look == Look::Talking);
                    look == Look::Quiet && waiting.until.is_none_or(|until| until > now)
                });
                count += waiting.len();
                !waiting.is_empty()
            });
            idle.count = count;
            ended
        })
    }

    /// How many wait.
    pub fn count(&self) -> usize {
        self.with(|idle| idle.count)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Idle) -> T) -> T {
        work(&mut self.idle.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Idle {
    fn pop_newest(&mut self, endpoint: EndpointAddress) -> Option<Waiting> {
        let found = self.endpoints.get_mut(&endpoint)?.pop_back()?;
        self.count -= 1;
        Some(found)
    }

    fn pop_oldest_of(&mut self, endpoint: EndpointAddress) {
        let oldest = self.endpoints.get_mut(&endpoint);
        if oldest.and_then(VecDeque::pop_front).is_some() {
            self.count -= 1;
        }
    }

    fn pop_oldest(&mut self) {
        while let Some((number, endpoint)) = self.order.pop_front() {
            if self.is_oldest_of(endpoint, number) {
                self.pop_oldest_of(endpoint);
                return;
            }
        }
        self.count = 0;
        self.endpoints.clear();
    }

    fn is_oldest_of(&self, endpoint: EndpointAddress, number: u64) -> bool {
        let waiting = self.endpoints.get(&endpoint).and_then(VecDeque::front);
        waiting.is_some_and(|waiting| waiting.number == number)
    }

    /// Keeps the order as short as what it orders, at a constant cost for each connection.
    fn forget_taken(&mut self) {
        if self.order.len() < 64 + 4 * self.count {
            return;
        }
        let mut order: Vec<_> = self
            .endpoints
            .iter()
            .flat_map(|(endpoint, waiting)| waiting.iter().map(|one| (one.number, *endpoint)))
            .collect();
        order.sort_unstable_by_key(|(number, _)| *number);
        self.order = order.into();
    }
}

/// What an endpoint says that closes an idle connection, up to its status.
fn is_idle_timeout(said: &[u8]) -> bool {
    matches!(
        said,
        [
            b'H',
            b'T',
            b'T',
            b'P',
            b'/',
            b'1',
            b'.',
            _,
            b' ',
            b'4',
            b'0',
            b'8',
            ..
        ]
    )
}

/// Looks without waiting, and asks the system: what the runtime knows is as old as its last look, and what came since then would be taken
/// for the answer to the next request.
fn look(stream: &TcpStream) -> Look {
    let mut said = [0; 12];
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    match rustix::net::recv(stream, &mut said[..], flags) {
        Err(Errno::AGAIN) => Look::Quiet,
        Ok(_) if is_idle_timeout(&said) => Look::Closed,
        Ok((_, 1..)) => Look::Talking,
        Ok((_, 0)) | Err(_) => Look::Closed,
    }
}
