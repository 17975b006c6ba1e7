//! An in-memory connection for hyper, polled without a runtime until there is no progress.

use parking_lot::Mutex;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use hyper::body::{Body as _, Incoming};
use hyper::rt::{Read, ReadBufCursor, Write};

/// Maximum number of polls, more than any message here needs.
const MOST_POLLS: usize = 100_000;
/// Number of consecutive polls without progress after which [`drive`] gives up.
const QUIET_POLLS: usize = 3;

/// One end of a connection. It keeps everything that is written to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pipe(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    input: Vec<u8>,
    at: usize,
    /// Input to add after each written head, in reverse order.
    answers: Vec<Vec<u8>>,
    /// End of the last head in `written`.
    head: usize,
    written: Vec<u8>,
    moved: usize,
}

impl Pipe {
    /// Creates a connection that delivers this input and then closes.
    pub(crate) fn asking(input: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(State {
            input,
            ..State::default()
        })))
    }

    /// Creates a connection that delivers one of these after each written head and then closes.
    pub(crate) fn answering(mut answers: Vec<Vec<u8>>) -> Self {
        answers.reverse();
        Self(Arc::new(Mutex::new(State {
            answers,
            ..State::default()
        })))
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock())
    }

    fn moved(&self) -> usize {
        self.with(|state| state.moved)
    }
}

impl State {
    /// Adds the input for the heads that were written since the last call.
    fn answer(&mut self) {
        while let Some(end) = self.written[self.head..]
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
        {
            self.head += end + 4;
            self.input.extend(self.answers.pop().unwrap_or_default());
        }
    }
}

impl Read for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        self.with(|state| {
            let count = into.remaining().min(state.input.len() - state.at);
            if count == 0 && !state.answers.is_empty() {
                return Poll::Pending;
            }
            into.put_slice(&state.input[state.at..state.at + count]);
            state.at += count;
            state.moved += 1;
            Poll::Ready(Ok(()))
        })
    }
}

impl Write for Pipe {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.with(|state| {
            state.written.extend_from_slice(bytes);
            state.moved += 1;
            state.answer();
        });
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Polls `work` until it is ready. `None` if no bytes move and the waker is not called any more.
pub(crate) fn drive<T>(pipe: &Pipe, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    let mut quiet = 0;
    for _ in 0..MOST_POLLS {
        let before = pipe.moved();
        if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
            return Some(done);
        }
        let moves = woken.0.swap(false, Ordering::Relaxed) || pipe.moved() != before;
        quiet = if moves { 0 } else { quiet + 1 };
        if quiet == QUIET_POLLS {
            return None;
        }
    }
    None
}

#[derive(Debug, Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The data and the trailers of a body.
pub(crate) type Collected = (Vec<u8>, Vec<(String, Vec<u8>)>);

/// Reads a body to its end.
pub(crate) async fn collect(mut body: Incoming) -> Result<Collected, hyper::Error> {
    let (mut data, mut trailers) = (Vec::new(), Vec::new());
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        match frame?.into_data() {
            Ok(bytes) => data.extend_from_slice(&bytes),
            Err(frame) => {
                let map = frame.into_trailers().unwrap_or_default();
                trailers.extend(
                    map.iter()
                        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())),
                );
            }
        }
    }
    Ok((data, trailers))
}
