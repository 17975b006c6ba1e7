//! Idle endpoint connections. There is one pool per worker, so its lock is never contended.

use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use foldhash::fast::RandomState;

use crate::core::limits::PoolLimits;
use crate::core::request::peer::PeerKey;
use crate::engine::upstream::stream::{Idle, UpstreamStream};

#[cfg(test)]
mod tests;

/// The result of a pool lookup.
#[derive(Debug)]
pub enum Found {
    /// A connection that was used before.
    Kept(UpstreamStream),
    /// No usable connection.
    Nothing,
}

/// Outcome of idle connections that were dropped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ended {
    /// Their endpoint sent data without a request.
    pub unexpected: u64,
}

/// The pool of one worker.
#[derive(Debug)]
pub struct ConnectionPool {
    limits: PoolLimits,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    peers: HashMap<PeerKey, VecDeque<Waiting>, RandomState>,
    /// In insertion order; includes connections that were taken out since.
    order: VecDeque<(u64, PeerKey)>,
    count: usize,
    next: u64,
}

#[derive(Debug)]
struct Waiting {
    stream: UpstreamStream,
    until: Option<Instant>,
    number: u64,
}

impl ConnectionPool {
    /// Creates an empty pool.
    pub fn new(limits: PoolLimits) -> Self {
        Self {
            limits,
            kept: Mutex::default(),
        }
    }

    /// Returns the newest connection to this peer, which is the least likely to have been closed. Unusable ones are dropped.
    pub fn take(&self, peer: &PeerKey, now: Instant) -> (Found, Ended) {
        self.with(|kept| {
            let mut ended = Ended::default();
            while let Some(waiting) = kept.pop_newest(peer) {
                if waiting.until.is_some_and(|until| until <= now) {
                    continue;
                }
                match waiting.stream.idle() {
                    Idle::Quiet => return (Found::Kept(waiting.stream), ended),
                    Idle::Closed => {}
                    Idle::Talking => ended.unexpected += 1,
                }
            }
            (Found::Nothing, ended)
        })
    }

    /// Keeps a connection until `until`. If a limit is exceeded, the longest idle connection is dropped.
    pub fn put(&self, peer: &PeerKey, stream: UpstreamStream, until: Option<Instant>) {
        let limits = self.limits;
        if limits.idle == 0 || limits.idle_per_endpoint == 0 {
            return;
        }
        self.with(|kept| {
            let number = kept.next;
            kept.next += 1;
            let waiting = kept.peers.entry(peer.clone()).or_default();
            waiting.push_back(Waiting {
                stream,
                until,
                number,
            });
            let over = waiting.len() > limits.idle_per_endpoint;
            kept.count += 1;
            kept.order.push_back((number, peer.clone()));
            if over {
                kept.pop_oldest_of(peer);
            }
            while kept.count > limits.idle {
                kept.pop_oldest();
            }
            kept.forget_taken();
        });
    }

    /// Drops connections that are idle for too long or that the endpoint closed.
    pub fn sweep(&self, now: Instant) -> Ended {
        self.with(|kept| {
            let mut ended = Ended::default();
            let mut count = 0;
            kept.peers.retain(|_, waiting| {
                waiting.retain(|waiting| {
                    let idle = waiting.stream.idle();
                    ended.unexpected += u64::from(idle == Idle::Talking);
                    idle == Idle::Quiet && waiting.until.is_none_or(|until| until > now)
                });
                count += waiting.len();
                !waiting.is_empty()
            });
            kept.count = count;
            ended
        })
    }

    /// Returns the number of idle connections.
    pub fn count(&self) -> usize {
        self.with(|kept| kept.count)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.kept.lock())
    }
}

impl Kept {
    fn pop_newest(&mut self, peer: &PeerKey) -> Option<Waiting> {
        let found = self.peers.get_mut(peer)?.pop_back()?;
        self.count -= 1;
        Some(found)
    }

    fn pop_oldest_of(&mut self, peer: &PeerKey) {
        let oldest = self.peers.get_mut(peer);
        if oldest.and_then(VecDeque::pop_front).is_some() {
            self.count -= 1;
        }
    }

    fn pop_oldest(&mut self) {
        while let Some((number, peer)) = self.order.pop_front() {
            if self.is_oldest_of(&peer, number) {
                self.pop_oldest_of(&peer);
                return;
            }
        }
        self.count = 0;
        self.peers.clear();
    }

    fn is_oldest_of(&self, peer: &PeerKey, number: u64) -> bool {
        let waiting = self.peers.get(peer).and_then(VecDeque::front);
        waiting.is_some_and(|waiting| waiting.number == number)
    }

    /// Compacts `order`, at a constant amortized cost per connection.
    fn forget_taken(&mut self) {
        if self.order.len() < 64 + 4 * self.count {
            return;
        }
        let mut order: Vec<_> = self
            .peers
            .iter()
            .flat_map(|(peer, waiting)| waiting.iter().map(|one| (one.number, peer.clone())))
            .collect();
        order.sort_unstable_by_key(|(number, _)| *number);
        self.order = order.into();
    }
}
