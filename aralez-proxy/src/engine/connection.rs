//! One connection of a client, from its first byte to its end.
//!
//! While it waits it holds nothing but its socket and a timer. What a request needs is taken when bytes are there, kept for a moment in
//! case the next request follows, and given back.

use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::closing::Closing;
use super::deferred;
use super::io::Io;
use super::timer::Timer;
use super::worker::{Job, Worker};
use crate::core::edits::Forwarded;
use crate::core::http1::Refusal;
use crate::core::traffic::{Arriving, ConnectionState, Deadline, InState};

mod answering;
mod forwarding;
mod linger;
mod serving;
mod tunneling;

/// One client.
#[derive(Debug)]
pub struct Client {
    /// Its address.
    pub address: IpAddr,
    /// Keeps a drain waiting for its first request.
    pub arriving: Option<Arriving>,
}

/// The connection.
struct Connection<C> {
    io: C,
    worker: Arc<Worker>,
    timer: Timer,
    state: InState,
    forwarded: Forwarded,
    address: IpAddr,
    closing: Closing,
    arriving: Option<Arriving>,
    /// Requests that were served.
    served: u32,
    /// Since when it is idle, or was accepted.
    since: Instant,
    /// When its task was woken last, about.
    now: Instant,
}

/// What follows a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Next {
    /// The next request.
    Request,
    /// Nothing: it is idle.
    Idle,
    /// The end, at once.
    Close,
    /// The end, after what the client still sends was read away for a while, so that our answer is not lost to it.
    Linger(Duration),
}

/// What waiting for bytes brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Came {
    Bytes,
    Nothing(Deadline),
    /// The client is gone, or the engine closes.
    End,
}

/// Serves a client until one of both sides ends it.
pub async fn serve<C: Io>(io: C, client: Client, worker: Arc<Worker>, closing: Closing) {
    let now = Instant::now();
    let mut connection = Connection {
        state: worker.tally.connections.enter(ConnectionState::Idle),
        forwarded: Forwarded::new(client.address, io.is_tls()),
        address: client.address,
        io,
        timer: Timer::default(),
        closing,
        arriving: client.arriving,
        served: 0,
        since: now,
        now,
        worker: Arc::clone(&worker),
    };
    loop {
        if connection.wait().await != Came::Bytes {
            return;
        }
        connection.now = Instant::now();
        // Boxed, so that a connection that waits is small.
        match Box::pin(connection.run()).await {
            Next::Idle | Next::Request => {}
            Next::Close => return,
            Next::Linger(longest) => return connection.linger(longest).await,
        }
    }
}

impl<C: Io> Connection<C> {
    /// Waits for a request to begin.
    async fn wait(&mut self) -> Came {
        self.state.move_to(ConnectionState::Idle);
        let limits = &self.worker.engine.limits;
        let (deadline, limit) = if self.served == 0 {
            (Deadline::Head, limits.header)
        } else {
            (Deadline::Idle, limits.idle)
        };
        let until = self.since + limit;
        let came = poll_fn(|cx| {
            // One that has just come is served; it is told to go with its first answer.
            if self.served > 0 && self.closing.poll(cx) {
                return Poll::Ready(Came::End);
            }
            match self.io.poll_readable(cx) {
                Poll::Ready(Ok(())) => return Poll::Ready(Came::Bytes),
                Poll::Ready(Err(_)) => return Poll::Ready(Came::End),
                Poll::Pending => {}
            }
            let over = self.timer.poll(cx, Instant::now(), Some(until));
            over.map(|()| Came::Nothing(deadline))
        })
        .await;
        if let Came::Nothing(deadline) = came {
            self.worker.tally.connections.deadline(deadline);
        }
        came
    }

    /// Serves requests for as long as they follow each other.
    async fn run(&mut self) -> Next {
        let mut job = self.worker.take_job();
        let next = loop {
            match self.request(&mut job).await {
                Next::Request => {}
                next => break next,
            }
        };
        self.worker.give_job(job);
        next
    }

    /// Reads a request and serves it.
    async fn request(&mut self, job: &mut Job) -> Next {
        job.head.clear();
        match self.read_head(job).await {
            Ok(Some(length)) => self.serve_request(job, length).await,
            Ok(None) => Next::Idle,
            Err(Stop::Gone) => Next::Close,
            Err(Stop::Refused(refusal)) => self.refuse(job, refusal).await,
        }
    }

    /// Reads a head; its length. `None`: nothing came for a while.
    async fn read_head(&mut self, job: &mut Job) -> Result<Option<usize>, Stop> {
        let limits = self.worker.engine.limits;
        let mut begun = (self.served == 0).then_some(self.since);
        let warm = self.now + self.worker.warm().min(limits.idle);
        loop {
            let buffer = &mut job.state.from_client;
            if let Some(length) = job.head.read(buffer.filled(), &limits.head)? {
                return Ok(Some(length));
            }
            if buffer.is_full() {
                buffer.grow();
            }
            let empty = buffer.is_empty();
            // What a request needs is held for the next one for a while, and for a new client not at all.
            let new = self.served == 0;
            let idle = empty && (!new || !self.io.is_watched());
            let until = if idle && new {
                self.now
            } else if idle {
                warm
            } else {
                self.state.move_to(ConnectionState::Head);
                *begun.get_or_insert_with(Instant::now) + limits.header
            };
            match self.read(job, empty, until).await {
                Came::Bytes => {}
                Came::Nothing(_) if idle => {
                    if new {
                        self.count_the_kernels_wait();
                    }
                    return Ok(None);
                }
                Came::Nothing(deadline) => {
                    self.worker.tally.connections.deadline(deadline);
                    // Who said nothing is told nothing.
                    return Err(if empty {
                        Stop::Gone
                    } else {
                        Stop::Refused(Refusal::HeadTimeout)
                    });
                }
                Came::End => return Err(Stop::Gone),
            }
        }
    }

    /// A connection that comes without a byte where those that have some come first was held for as long as the kernel holds one. That is
    /// a part of the time in which its head has to be here. Under a flood the kernel holds none, so some time is left in any case.
    fn count_the_kernels_wait(&mut self) {
        let limits = &self.worker.engine.limits;
        if limits.defer_accept {
            let held = deferred::LONGEST.min(limits.header / 2);
            let since = self.since.checked_sub(held);
            self.since = since.unwrap_or(self.since);
        }
    }

    /// Reads what comes until then.
    async fn read(&mut self, job: &mut Job, idle: bool, until: Instant) -> Came {
        let mut first = Some(self.now);
        poll_fn(|cx| {
            let buffer = &mut job.state.from_client;
            match self.worker.buffers.poll_read(cx, &mut self.io, buffer) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Came::End),
                Poll::Ready(Ok(_)) => return Poll::Ready(Came::Bytes),
                Poll::Pending => {}
            }
            if idle {
                self.state.move_to(ConnectionState::Idle);
                if self.served > 0 && self.closing.poll(cx) {
                    return Poll::Ready(Came::End);
                }
            }
            self.now = first.take().unwrap_or_else(Instant::now);
            let over = self.timer.poll(cx, self.now, Some(until));
            over.map(|()| Came::Nothing(Deadline::Head))
        })
        .await
    }
}

/// Why no head was read.
enum Stop {
    Gone,
    Refused(Refusal),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
