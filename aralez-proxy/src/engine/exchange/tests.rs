//! Answers with streamed content, sent to a client that reads slowly.

mod other_protocol;

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::pin;
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll};

use super::*;
use crate::core::admission::{Admission, Most};
use crate::core::limits::{ClientLimits, HeadLimits, PoolLimits};
use crate::core::live::Live;
use crate::core::request::credentials::CredentialMemory;
use crate::core::request::files::roots::FileRoots;
use crate::core::traffic::{ConnectionState, Traffic};
use crate::engine::http1::client::{AfterExchange, Http1};
use crate::engine::io::Io;
use crate::engine::io::buffer::{self, LARGE};
use crate::engine::io::content_source::ContentSource;
use crate::engine::password_checks::PasswordChecks;
use crate::engine::shutdown::ShutdownSignal;
use crate::engine::threads::context::{Engine, ExchangeBuffers};
use aralez_decision::answer::Content;
use aralez_decision::edits::Forwarded;
use aralez_decision::pseudonym::Pseudonym;
use aralez_proto::main_config::MainConfig;

/// The client's socket and the content source.
#[derive(Debug, Default)]
struct Ends {
    /// Bytes that the client's socket accepts now.
    room: usize,
    written: Vec<u8>,
    aborted: bool,
    /// Bytes left in the source.
    left: usize,
    /// The source fails when it is exhausted.
    breaks: bool,
}

#[derive(Clone, Debug)]
struct Shared(Arc<Mutex<Ends>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Ends> {
        self.0.lock().unwrap()
    }
}

impl Io for Shared {
    fn poll_read(&mut self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_readable(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll_write(
        &mut self,
        _: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut ends = self.lock();
        let bytes: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        let count = bytes.len().min(ends.room);
        ends.written.extend_from_slice(&bytes[..count]);
        ends.room -= count;
        if count == 0 {
            return Poll::Pending;
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn abort(&mut self) {
        self.lock().aborted = true;
    }

    fn is_tls(&self) -> bool {
        false
    }
}

impl ContentSource for Shared {
    fn poll_read(&mut self, _: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut ends = self.lock();
        let count = ends.left.min(into.len());
        if count == 0 && ends.breaks {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        into[..count].fill(b'x');
        ends.left -= count;
        Poll::Ready(Ok(count))
    }
}

fn worker() -> ThreadContext {
    let now = Instant::now();
    ThreadContext::new(Arc::new(Engine {
        started: now,
        live: Arc::new(Live::new(now)),
        traffic: Arc::new(Traffic::default()),
        node: Pseudonym::new([0; 8]),
        tls_port: None,
        file_roots: FileRoots::default(),
        file_server: None,
        limits: ClientLimits::default(),
        pool: PoolLimits::default(),
        admission: Arc::new(Admission::new(Most::default(), now)),
        limiter: Arc::default(),
        credentials: Arc::new(CredentialMemory::new(
            [0; 32],
            MainConfig::default().auth_failures,
        )),
        password_checks: PasswordChecks::default(),
    }))
}

/// The result of an answer.
struct Answered {
    conclusion: Conclusion,
    head: String,
    body: String,
    aborted: bool,
    /// The largest amount read ahead of what the client accepted.
    ahead: usize,
    tally: Arc<crate::core::traffic::Tally>,
}

fn read_head(worker: &ThreadContext, buffers: &mut ExchangeBuffers, request: &str) {
    let incoming = &mut buffers.client.incoming;
    buffer::tests::read(&worker.buffers, incoming, request.as_bytes());
    let limits = HeadLimits::default();
    let read = buffers.client.head.read(incoming.filled(), &limits);
    incoming.set_aside(read.unwrap().unwrap());
}

/// Runs an exchange whose client accepts `room` bytes at a time. Returns the largest amount read ahead of what the client accepted.
async fn drive(run: impl Future<Output = ()>, shared: &Shared, room: usize) -> usize {
    let mut run = pin!(run);
    let total = shared.lock().left;
    let mut ahead = 0;
    loop {
        let polled = poll_fn(|cx| Poll::Ready(run.as_mut().poll(cx))).await;
        let mut ends = shared.lock();
        ahead = ahead.max((total - ends.left).saturating_sub(ends.written.len()));
        ends.room = room;
        if polled.is_ready() {
            return ahead;
        }
    }
}

/// Answers a request with content, for a client that accepts `room` bytes at a time.
async fn streamed(request: &str, length: Option<u64>, ends: Ends, room: usize) -> Answered {
    let (worker, mut buffers) = (worker(), ExchangeBuffers::default());
    read_head(&worker, &mut buffers, request);
    let now = Instant::now();
    let facts = buffers.client.facts(now);
    let (_close, closing) = tokio::sync::watch::channel(false);
    let shared = Shared(Arc::new(Mutex::new(ends)));
    let mut outcome = Outcome::begun(now);
    let mut client = Http1 {
        io: &mut shared.clone(),
        buffers: &mut buffers.client,
        worker: &worker,
        state: &mut worker.tally.connections.enter(ConnectionState::Exchange),
        closing: &mut ShutdownSignal::new(closing),
        forwarded: &Forwarded::new([192, 0, 2, 1].into(), false),
        address: [192, 0, 2, 1].into(),
        facts,
        may_keep: facts.options.keep_alive,
        after: AfterExchange::default(),
    };
    let parts = ExchangeParts {
        worker: &worker,
        timer: &mut Timer::default(),
        side: &mut buffers.endpoint,
        additions: &mut buffers.additions,
        role: ListenerRole::Routes,
        now,
    };
    let answer = Answer {
        content: Content::Streamed { length },
        ..Answer::of(200)
    };
    let mut source = shared.clone();
    let mut exchange = Exchange::begin(&mut client, parts, &mut outcome);
    let run = async {
        let conclusion = exchange.answer(&answer, None, Some(&mut source)).await;
        exchange.finish(conclusion);
    };
    let ahead = drive(run, &shared, room).await;
    let ends = shared.lock();
    let text = String::from_utf8(ends.written.clone()).unwrap();
    assert_eq!(outcome.sent, text.len() as u64);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    Answered {
        conclusion: outcome.conclusion,
        head: head.to_owned(),
        body: body.to_owned(),
        aborted: ends.aborted,
        ahead,
        tally: Arc::clone(&worker.tally),
    }
}

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const OLD: &str = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";

fn bytes(left: usize) -> Ends {
    Ends {
        left,
        ..Ends::default()
    }
}

#[tokio::test]
async fn content_is_framed_as_the_client_can_read_it() {
    for (request, length, line, body) in [
        (GET, Some(3), "content-length: 3", "xxx"),
        (
            GET,
            None,
            "transfer-encoding: chunked",
            "3\r\nxxx\r\n0\r\n\r\n",
        ),
        (OLD, Some(3), "connection: keep-alive", "xxx"),
        (OLD, None, "connection: close", "xxx"),
        (GET, Some(0), "content-length: 0", ""),
    ] {
        let total = body.matches('x').count();
        for room in [1, 1_000] {
            let answered = streamed(request, length, bytes(total), room).await;
            assert!(answered.head.contains(line), "{}", answered.head);
            assert_eq!(answered.body, body);
            assert_eq!(answered.conclusion, Conclusion::Answered);
        }
    }
}

#[tokio::test]
async fn an_answer_to_head_leaves_its_content_at_its_source() {
    let request = GET.replace("GET", "HEAD");
    let answered = streamed(&request, Some(9), bytes(9), 1_000).await;
    assert!(answered.head.contains("content-length: 9"));
    assert_eq!((answered.body.as_str(), answered.ahead), ("", 0));
}

#[tokio::test]
async fn content_is_read_no_faster_than_the_client_takes_it() {
    let total = 1 << 20;
    let answered = streamed(GET, Some(total as u64), bytes(total), 10_000).await;
    assert_eq!(answered.body.len(), total);
    assert!(answered.ahead <= LARGE, "{} ahead", answered.ahead);
}

#[tokio::test]
async fn content_that_breaks_off_is_never_taken_for_all_of_it() {
    for (request, length, breaks, aborted) in [
        (GET, Some(9), false, false),
        (GET, None, true, false),
        (OLD, None, true, true),
    ] {
        let ends = Ends { breaks, ..bytes(3) };
        let answered = streamed(request, length, ends, 1_000).await;
        assert_eq!(answered.conclusion, Conclusion::Truncated);
        assert_eq!(answered.aborted, aborted, "{}", answered.head);
        assert!(!answered.body.ends_with("0\r\n\r\n"), "{}", answered.body);
        let truncated = crate::core::traffic::TrafficEvent::Truncated;
        assert_eq!(answered.tally.events(truncated), 1);
    }
}
