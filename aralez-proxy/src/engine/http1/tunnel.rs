//! A connection that became a WebSocket: bytes pass as they are until a side ends, both are silent for too long, or the node leaves.
//!
//! In the last two cases the client gets a close frame, 1001, between two frames. Where no frame ends in time the connection is reset, so
//! that the client does not take part of a message for all of it.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use aralez_runtime::random;

use crate::core::leaving::{Closed, Draw, TunnelEnd};
use crate::core::request::websocket::{Frames, GOING_AWAY};
use crate::core::traffic::Deadline;
use crate::engine::http1::connection::Disposition;
use crate::engine::io::Io;
use crate::engine::io::buffer::{Buffer, Buffers};
use crate::engine::io::timer::Timer;
use crate::engine::shutdown::ShutdownSignal;
use crate::engine::threads::context::ThreadContext;
use crate::engine::upstream::stream::UpstreamStream;

/// Bytes that one tunnel may move before others get their turn.
const TURN: usize = 256 * 1024;

/// How long the frame under way may take to end once the tunnel was silent for too long, and a client to take the close frame.
const LAST: Duration = Duration::from_secs(1);

/// How one direction stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flow {
    Open,
    /// Its source has ended; what is there is still to be sent.
    Ending,
    /// Its end was passed on.
    Ended,
}

/// How a tunnel ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Over {
    /// Both sides ended, or one broke.
    Ended,
    /// It was asked to end, and no frame is under way to the client.
    Asked,
    /// It was asked to end, and the frame under way did not.
    Stuck,
}

struct Tunnel<'a, C> {
    buffers: &'a Buffers,
    from_client: &'a mut Buffer,
    from_endpoint: &'a mut Buffer,
    client: &'a mut C,
    endpoint: &'a mut UpstreamStream,
    flows: [Flow; 2],
    /// What has passed to the client.
    frames: Frames,
    /// It was asked to end: the frame that is under way to the client is the last one.
    last: bool,
    moved: bool,
}

/// When a tunnel ends.
struct Clock {
    /// Since when both sides are silent.
    since: Instant,
    idle: Duration,
    leaves: Option<TunnelEnd>,
    /// It was asked to end, and is reset then.
    reset: Option<Instant>,
}

impl Clock {
    /// The node leaves.
    fn leave(&mut self, closed: Option<Closed>, limit: Option<Duration>) {
        let draw = Draw::new(random::bytes());
        self.leaves = closed.map(|closed| closed.tunnel_until(limit, draw));
    }

    fn until(&self) -> Instant {
        let silent = self.since + self.idle;
        let asked = self
            .leaves
            .map_or(silent, |leaves| leaves.close.min(silent));
        self.reset.unwrap_or(asked)
    }

    /// It is asked to end; why.
    fn ask(&mut self, now: Instant) -> Deadline {
        let (why, reset) = match self.leaves {
            Some(leaves) if now >= leaves.close => (Deadline::Drain, leaves.reset),
            _ => (Deadline::Tunnel, now + LAST),
        };
        self.reset = Some(reset);
        why
    }
}

/// Both sides of a tunnel, and what it needs.
pub(super) struct Sides<'a, C> {
    pub(super) client: &'a mut C,
    pub(super) endpoint: UpstreamStream,
    /// What came from the client already.
    pub(super) from_client: &'a mut Buffer,
    /// What came from the endpoint already.
    pub(super) from_endpoint: &'a mut Buffer,
    pub(super) timer: &'a mut Timer,
    pub(super) closing: &'a mut ShutdownSignal,
    pub(super) worker: &'a ThreadContext,
}

/// Passes bytes on until the tunnel is over; what follows on the client's connection.
pub(super) async fn pass<C: Io>(mut sides: Sides<'_, C>) -> Disposition {
    let worker = sides.worker;
    let (engine, timer) = (&worker.engine, sides.timer);
    let mut clock = Clock {
        since: Instant::now(),
        idle: engine.limits.tunnel_idle,
        leaves: None,
        reset: None,
    };
    let mut tunnel = Tunnel {
        buffers: &worker.buffers,
        from_client: sides.from_client,
        from_endpoint: sides.from_endpoint,
        client: sides.client,
        endpoint: &mut sides.endpoint,
        flows: [Flow::Open; 2],
        frames: Frames::default(),
        last: false,
        moved: false,
    };
    let connections = &worker.tally.connections;
    let over = poll_fn(|cx| {
        loop {
            if let Poll::Ready(over) = tunnel.poll(cx) {
                return Poll::Ready(over);
            }
            let now = Instant::now();
            if std::mem::take(&mut tunnel.moved) {
                clock.since = now;
            }
            if clock.leaves.is_none() && sides.closing.poll(cx) {
                clock.leave(engine.traffic.closed(), engine.limits.tunnel_grace);
            }
            ready!(timer.poll(cx, now, Some(clock.until())));
            if tunnel.last {
                return Poll::Ready(Over::Stuck);
            }
            connections.deadline(clock.ask(now));
            tunnel.last = true;
        }
    })
    .await;
    let [whole, closed] = [tunnel.frames.is_at_boundary(), tunnel.frames.is_closed()];
    let ended = tunnel.flows[1] == Flow::Ended;
    match over {
        Over::Ended if whole || ended => Disposition::Close,
        Over::Asked if closed || say_going_away(tunnel.client, timer, clock.until()).await => {
            Disposition::LINGER
        }
        Over::Ended | Over::Asked | Over::Stuck => {
            tunnel.client.abort();
            Disposition::Close
        }
    }
}

/// Sends the close frame; `false`: the client takes nothing.
async fn say_going_away(client: &mut impl Io, timer: &mut Timer, until: Instant) -> bool {
    let mut left = &GOING_AWAY[..];
    poll_fn(|cx| {
        while !left.is_empty() {
            match client.poll_write(cx, &[std::io::IoSlice::new(left)]) {
                Poll::Ready(Ok(count @ 1..)) => left = &left[count..],
                Poll::Ready(_) => return Poll::Ready(false),
                Poll::Pending => {
                    let over = timer.poll(cx, Instant::now(), Some(until));
                    return over.map(|()| false);
                }
            }
        }
        client.poll_flush(cx).map(|sent| sent.is_ok())
    })
    .await
}

impl<C: Io> Tunnel<'_, C> {
    /// Moves both directions as far as they go.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Over> {
        let [up, down] = &mut self.flows;
        let mut upward = Direction {
            buffer: self.from_client,
            flow: up,
            frames: None,
            moved: &mut self.moved,
        };
        let broken = upward
            .poll(cx, self.buffers, self.client, self.endpoint)
            .is_err();
        let mut downward = Direction {
            buffer: self.from_endpoint,
            flow: down,
            frames: Some((&mut self.frames, self.last)),
            moved: &mut self.moved,
        };
        let broken = downward
            .poll(cx, self.buffers, self.endpoint, self.client)
            .is_err()
            || broken;
        if broken || self.flows == [Flow::Ended; 2] {
            Poll::Ready(Over::Ended)
        } else if self.last && self.frames.is_at_boundary() {
            Poll::Ready(Over::Asked)
        } else {
            Poll::Pending
        }
    }
}

/// A side that takes or gives nothing any more.
struct Broken;

impl From<std::io::Error> for Broken {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

/// One direction of a tunnel.
struct Direction<'a> {
    buffer: &'a mut Buffer,
    flow: &'a mut Flow,
    /// Frames as they pass, and whether the one under way is the last one.
    frames: Option<(&'a mut Frames, bool)>,
    moved: &'a mut bool,
}

impl Direction<'_> {
    /// Moves what is there as far as it goes.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &Buffers,
        from: &mut impl Io,
        to: &mut impl Io,
    ) -> Result<(), Broken> {
        let mut left = TURN;
        loop {
            while !self.next().is_empty() {
                let part = std::io::IoSlice::new(self.next());
                let Poll::Ready(count) = to.poll_write(cx, &[part])? else {
                    return Ok(());
                };
                if count == 0 {
                    return Err(Broken);
                }
                self.passed(count);
                left = left.saturating_sub(count);
            }
            if to.poll_flush(cx)?.is_pending() || self.is_last() {
                return Ok(());
            }
            match self.flow {
                Flow::Ended => return Ok(()),
                Flow::Ending => {
                    if to.poll_shutdown(cx)?.is_ready() {
                        *self.flow = Flow::Ended;
                    }
                    return Ok(());
                }
                Flow::Open if left == 0 => {
                    cx.waker().wake_by_ref();
                    return Ok(());
                }
                Flow::Open => {}
            }
            match buffers.poll_read(cx, from, self.buffer)? {
                Poll::Ready(0) => *self.flow = Flow::Ending,
                Poll::Ready(_) => {}
                Poll::Pending => return Ok(()),
            }
        }
    }

    /// What goes on next: all that is there, or no more than the last frame.
    fn next(&self) -> &[u8] {
        let bytes = self.buffer.filled();
        match &self.frames {
            Some((frames, true)) => &bytes[..frames.to_boundary(bytes)],
            _ => bytes,
        }
    }

    fn passed(&mut self, count: usize) {
        if let Some((frames, _)) = &mut self.frames {
            frames.pass(&self.buffer.filled()[..count]);
        }
        self.buffer.consume(count);
        *self.moved = true;
    }

    /// The last frame has passed.
    fn is_last(&self) -> bool {
        matches!(&self.frames, Some((frames, true)) if frames.is_at_boundary())
    }
}
