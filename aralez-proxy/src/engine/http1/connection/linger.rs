//! Lingering close of a connection whose client may still be sending.

use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::core::traffic::{ConnectionState, Deadline};
use crate::engine::http1::connection::Connection;
use crate::engine::io::Io;
use crate::engine::io::buffer::Buffer;

/// How long incoming bytes are discarded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::engine::http1) enum Longest {
    /// `client_linger`.
    Usual,
    /// At most [`BRIEF`]: the client already exceeded a timeout.
    Brief,
}

const BRIEF: Duration = Duration::from_millis(500);

/// Maximum number of bytes discarded.
const MOST: usize = 16 * 1024 * 1024;

impl<C: Io> Connection<C> {
    /// Half-closes the connection and reads until the client closes its side. Closing with unread bytes would reset the connection, and the
    /// reset can overtake our last answer.
    pub(super) async fn linger(&mut self, longest: Longest) {
        self.state.move_to(ConnectionState::Linger);
        let usual = self.worker.engine.limits.linger;
        let longest = match longest {
            Longest::Usual => usual,
            Longest::Brief => BRIEF.min(usual),
        };
        let until = Instant::now() + longest;
        let mut left = MOST;
        let mut sink = Buffer::default();
        let mut ended = false;
        let over = poll_fn(|cx| {
            if !ended {
                // RFC 9112 section 9.6: a server closes its sending side first, and the connection once the client has closed or enough
                // time has passed.
                match self.io.poll_shutdown(cx) {
                    Poll::Ready(Ok(())) => ended = true,
                    Poll::Ready(Err(_)) => return Poll::Ready(false),
                    Poll::Pending => {}
                }
            }
            loop {
                match self.worker.buffers.poll_read(cx, &mut self.io, &mut sink) {
                    Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(false),
                    Poll::Ready(Ok(count)) if count < left => {
                        left -= count;
                        sink.consume(count);
                    }
                    Poll::Ready(Ok(_)) => return Poll::Ready(true),
                    Poll::Pending => break,
                }
            }
            self.timer
                .poll(cx, Instant::now(), Some(until))
                .map(|()| true)
        })
        .await;
        self.worker.buffers.give(&mut sink);
        if over {
            self.worker.tally.connections.deadline(Deadline::Linger);
        }
    }
}
