//! A connection upgraded to a WebSocket. Bytes are relayed unchanged until a side closes, both sides are idle for too long, or the node
//! leaves.
//!
//! In the last two cases the client receives a close frame, 1001, at a frame boundary. If the current frame does not complete in time the
//! connection is reset, so that the client cannot mistake part of a message for all of it.

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

/// Bytes that one tunnel may move per poll before it yields to other tasks.
const TURN: usize = 256 * 1024;

/// Time for the current frame to complete after an idle timeout, and for the client to accept the close frame.
const LAST: Duration = Duration::from_secs(1);

/// State of one direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flow {
    Open,
    /// The source has closed; buffered bytes are still to be sent.
    Ending,
    /// The close was passed on to the destination.
    Ended,
}

/// Why a tunnel is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Over {
    /// Both sides closed, or one failed.
    Ended,
    /// The tunnel was asked to close, and the client is at a frame boundary.
    Asked,
    /// The tunnel was asked to close, and the current frame did not complete in time.
    Stuck,
}

struct Tunnel<'a, C> {
    buffers: &'a Buffers,
    from_client: &'a mut Buffer,
    from_endpoint: &'a mut Buffer,
    client: &'a mut C,
    endpoint: &'a mut UpstreamStream,
    flows: [Flow; 2],
    /// Frame tracker of the bytes sent to the client.
    frames: Frames,
    /// The tunnel was asked to close: the frame being sent to the client is the last one.
    last: bool,
    moved: bool,
}

/// The deadlines of a tunnel.
struct Clock {
    /// Time of the last byte in either direction.
    since: Instant,
    idle: Duration,
    leaves: Option<TunnelEnd>,
    /// Reset deadline, set once the tunnel was asked to close.
    reset: Option<Instant>,
}

impl Clock {
    /// Draws the deadlines for a node that is leaving.
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

    /// Asks the tunnel to close. Returns the reason.
    fn ask(&mut self, now: Instant) -> Deadline {
        let (why, reset) = match self.leaves {
            Some(leaves) if now >= leaves.close => (Deadline::Drain, leaves.reset),
            _ => (Deadline::Tunnel, now + LAST),
        };
        self.reset = Some(reset);
        why
    }
}

/// Both sides of a tunnel and the resources it uses.
pub(super) struct Sides<'a, C> {
    pub(super) client: &'a mut C,
    pub(super) endpoint: UpstreamStream,
    /// Bytes already received from the client.
    pub(super) from_client: &'a mut Buffer,
    /// Bytes already received from the endpoint.
    pub(super) from_endpoint: &'a mut Buffer,
    pub(super) timer: &'a mut Timer,
    pub(super) closing: &'a mut ShutdownSignal,
    pub(super) worker: &'a ThreadContext,
}

/// Relays bytes until the tunnel is over. Returns what follows on the client's connection.
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
        // RFC 6455 section 5.5.1: no frame follows a close frame.
        // RFC 6455 section 7.1.1: a connection is closed by shutting down the sending side and reading until the peer closes.
        Over::Asked if closed || say_going_away(tunnel.client, timer, clock.until()).await => {
            Disposition::LINGER
        }
        Over::Ended | Over::Asked | Over::Stuck => {
            tunnel.client.abort();
            Disposition::Close
        }
    }
}

/// Sends the close frame. Returns `false` if the client does not accept it in time.
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
    /// Moves bytes in both directions until both are pending.
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

/// A side that failed.
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
    /// The frame tracker, and whether the current frame is the last one.
    frames: Option<(&'a mut Frames, bool)>,
    moved: &'a mut bool,
}

impl Direction<'_> {
    /// Moves bytes until the source or the destination is pending.
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

    /// Returns the bytes to send next: everything buffered, or only up to the end of the last frame.
    fn next(&self) -> &[u8] {
        let bytes = self.buffer.filled();
        match &self.frames {
            // RFC 6455 section 5.5: a control frame is sent between two frames, also between those of one message.
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

    /// Reports whether the last frame was sent.
    fn is_last(&self) -> bool {
        matches!(&self.frames, Some((frames, true)) if frames.is_at_boundary())
    }
}
