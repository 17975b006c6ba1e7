//! Connections to endpoints that wait for the next request. One pool for each worker: nobody else takes its lock.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use foldhash::fast::RandomState;

use crate::core::limits::PoolLimits;
use crate::core::request::peer::PeerKey;
use crate::engine::upstream::stream::{Idle, UpstreamStream};

#[cfg(test)]
mod tests;

/// What was found in the pool.
#[derive(Debug)]
pub enum Found {
    /// A connection that was used before.
    Kept(UpstreamStream),
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
pub struct ConnectionPool {
    limits: PoolLimits,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    peers: HashMap<PeerKey, VecDeque<Waiting>, RandomState>,
    /// In the order in which they came, those that were taken since included.
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
    /// An empty one.
    pub fn new(limits: PoolLimits) -> Self {
        Self {
            limits,
            kept: Mutex::default(),
        }
    }

    /// The newest connection of this identity: it is the least likely to have been closed by now. Those that are broken are dropped.
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

    /// Keeps a connection until then. Over a limit, the one that waits longest goes.
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

    /// Drops what has waited for too long and what its endpoint closed.
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

    /// How many wait.
    pub fn count(&self) -> usize {
        self.with(|kept| kept.count)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
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

    /// Keeps the order as short as what it orders, at a constant cost for each connection.
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
