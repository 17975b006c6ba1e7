//! A connection that became a WebSocket: bytes pass as they are until a side ends.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::net::TcpStream;

use super::{Connection, Next};
use crate::core::traffic::{ConnectionState, Deadline};
use crate::engine::buffer::{Buffer, Buffers};
use crate::engine::duplex::State;
use crate::engine::io::Io;
use crate::engine::worker::Job;

/// Bytes that one tunnel may move before others get their turn.
const TURN: usize = 256 * 1024;

/// How one direction stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flow {
    Open,
    /// Its source has ended; what is there is still to be sent.
    Ending,
    /// Its end was passed on.
    Ended,
}

struct Tunnel<'a, C> {
    buffers: &'a Buffers,
    state: &'a mut State,
    client: &'a mut C,
    endpoint: &'a mut TcpStream,
    flows: [Flow; 2],
    moved: bool,
}

impl<C: Io> Connection<C> {
    /// Passes bytes on until both sides ended, one broke, or both are silent for too long.
    pub(super) async fn tunnel(&mut self, job: &mut Job, mut endpoint: TcpStream) -> Next {
        self.state.move_to(ConnectionState::Tunnel);
        let idle = self.worker.engine.limits.tunnel_idle;
        let mut since = Instant::now();
        let mut tunnel = Tunnel {
            buffers: &self.worker.buffers,
            state: &mut job.state,
            client: &mut self.io,
            endpoint: &mut endpoint,
            flows: [Flow::Open; 2],
            moved: false,
        };
        let over = poll_fn(|cx| {
            if tunnel.poll(cx).is_ready() {
                return Poll::Ready(false);
            }
            let now = Instant::now();
            if std::mem::take(&mut tunnel.moved) {
                since = now;
            }
            let over = self.timer.poll(cx, now, Some(since + idle));
            over.map(|()| true)
        })
        .await;
        if over {
            let tally = &self.worker.tally;
            tally.connections.deadline(Deadline::Tunnel);
        }
        Next::Close
    }
}

impl<C: Io> Tunnel<'_, C> {
    /// Ready: it is over.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let state = &mut *self.state;
        let [up, down] = &mut self.flows;
        let moved = &mut self.moved;
        let buffers = self.buffers;
        let upward = flow(
            cx,
            buffers,
            self.client,
            self.endpoint,
            &mut state.from_client,
            up,
            moved,
        );
        let downward = flow(
            cx,
            buffers,
            self.endpoint,
            self.client,
            &mut state.from_endpoint,
            down,
            moved,
        );
        let broken = upward.is_err() || downward.is_err();
        if broken || self.flows == [Flow::Ended; 2] {
            Poll::Ready(())
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

/// Moves one direction as far as it goes.
fn flow(
    cx: &mut Context<'_>,
    buffers: &Buffers,
    from: &mut impl Io,
    to: &mut impl Io,
    buffer: &mut Buffer,
    flow: &mut Flow,
    moved: &mut bool,
) -> Result<(), Broken> {
    let mut left = TURN;
    loop {
        while !buffer.is_empty() {
            let part = std::io::IoSlice::new(buffer.filled());
            let Poll::Ready(count) = to.poll_write(cx, &[part])? else {
                return Ok(());
            };
            if count == 0 {
                return Err(Broken);
            }
            buffer.consume(count);
            *moved = true;
            left = left.saturating_sub(count);
        }
        if to.poll_flush(cx)?.is_pending() {
            return Ok(());
        }
        match flow {
            Flow::Ended => return Ok(()),
            Flow::Ending => {
                if to.poll_shutdown(cx)?.is_ready() {
                    *flow = Flow::Ended;
                }
                return Ok(());
            }
            Flow::Open if left == 0 => {
                cx.waker().wake_by_ref();
                return Ok(());
            }
            Flow::Open => {}
        }
        match buffers.poll_read(cx, from, buffer)? {
            Poll::Ready(0) => *flow = Flow::Ending,
            Poll::Ready(_) => {}
            Poll::Pending => return Ok(()),
        }
    }
}
