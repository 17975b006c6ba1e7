//! Answers that the proxy sends itself.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use crate::core::request::outcome::Conclusion;
use crate::core::traffic::Deadline;
use crate::engine::exchange::Exchange;
use crate::engine::exchange::client_side::{AnswerChanges, ClientSide};
use crate::engine::io::buffer;
use crate::engine::io::content_source::ContentSource;
use crate::engine::io::stall::WakeTime;
use aralez_decision::answer::{Answer, Content};
use aralez_decision::table::CompiledRoute;

/// A part of a file up to this size is read into the connection's buffer, and leaves in one write with the head. Of a longer one, the
/// connection sends as much as possible without reading it.
const READ: u64 = buffer::SIZE as u64;

/// The most bytes that are sent before other tasks of the thread run.
const TURN: u64 = 1 << 20;

/// Content that is in memory.
struct Memory<'a>(&'a [u8]);

impl ContentSource for Memory<'_> {
    fn poll_read(&mut self, _: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let length = into.len().min(self.0.len());
        let (now, later) = self.0.split_at(length);
        into[..length].copy_from_slice(now);
        self.0 = later;
        Poll::Ready(Ok(length))
    }
}

/// The result of sending an answer.
enum BodyEnd {
    /// It was sent in full.
    All,
    /// The client accepts no more data.
    Lost(Option<Deadline>),
    /// The source ended early or failed.
    Short,
}

/// The progress of an answer.
#[derive(Debug, Default)]
struct Delivery {
    /// The first content was staged, or there is none.
    begun: bool,
    /// The client side sends the next content as a part of a file.
    passes_file: bool,
    /// The file system requires that its files are read.
    reads_files: bool,
}

/// The result of one step of sending an answer.
enum SendStep {
    /// Something was sent or staged.
    Moved,
    /// No content is available yet, and everything before it is sent.
    WaitsForSource,
    /// The client accepts nothing now.
    WaitsForClient,
    /// There is nothing more to do.
    Ended(BodyEnd),
}

impl<C: ClientSide> Exchange<'_, C> {
    /// Answers the request. The response edits and error pages of `route` apply; without a route, the error pages of the
    /// top. `content` is the source of a streamed answer.
    pub(super) async fn answer(
        &mut self,
        answer: &Answer,
        route: Option<&CompiledRoute>,
        content: Option<&mut dyn ContentSource>,
    ) -> Conclusion {
        self.client.release_head();
        let paged = match route {
            Some(route) => answer.with_page(&route.rules.others.errors),
            None => self.top_page(answer),
        };
        let answer = paged.as_ref().unwrap_or(answer);
        let changes = AnswerChanges {
            route: route.map(|route| &*route.rules.response_edits),
            additions: &self.additions.response,
            date: &self.worker.date(self.now),
        };
        self.client.answer(answer, &changes);
        self.outcome.status = answer.status;
        let mut memory;
        let content: Option<&mut dyn ContentSource> = match (&answer.content, content) {
            (Content::Bytes(bytes), _) => {
                memory = Memory(bytes);
                Some(&mut memory)
            }
            (_, Some(content)) => Some(content),
            (_, None) => None,
        };
        self.worker.buffers.give(&mut self.side.buffer);
        self.send_content(content).await
    }

    /// Sends the staged head, the content that is in the endpoint's buffer, and the content of the source.
    pub(super) async fn send_content(
        &mut self,
        content: Option<&mut dyn ContentSource>,
    ) -> Conclusion {
        match self.give(content).await {
            BodyEnd::All => Conclusion::Answered,
            BodyEnd::Lost(deadline) => {
                if let Some(deadline) = deadline {
                    self.outcome.deadline.get_or_insert(deadline);
                }
                Conclusion::AnswerLost
            }
            BodyEnd::Short => {
                self.client.cut();
                Conclusion::Truncated
            }
        }
    }

    /// Returns the answer with the error page of the top; `None` if there is none.
    fn top_page(&self, answer: &Answer) -> Option<Answer> {
        if let Some(server) = self.file_server() {
            return answer.with_page(server.live.table.routes().error_pages());
        }
        let live = self.worker.engine.live.load();
        answer.with_page(live.table.routes().error_pages())
    }

    /// Sends at the pace of the client.
    async fn give(&mut self, mut content: Option<&mut dyn ContentSource>) -> BodyEnd {
        let limit = self.worker.engine.limits.write;
        let mut until = Instant::now() + limit;
        let mut time = WakeTime::at(self.now);
        let mut delivery = Delivery::default();
        let patience = content.as_ref().and_then(|content| content.patience());
        let mut content_until = None;
        poll_fn(|cx| {
            self.now = time.now();
            let mut sent = self.client.sent();
            let turn_ends = sent + TURN;
            loop {
                let step = self.step(cx, &mut content, &mut delivery);
                if self.client.sent() != sent {
                    sent = self.client.sent();
                    until = self.now + limit;
                }
                match step {
                    SendStep::Moved if sent < turn_ends => content_until = None,
                    SendStep::Moved => {
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    SendStep::WaitsForSource => {
                        let waits = patience.map(|limit| self.now + limit);
                        content_until = content_until.or(waits);
                        ready!(self.timer.poll(cx, self.now, content_until));
                        return Poll::Ready(BodyEnd::Short);
                    }
                    SendStep::WaitsForClient => {
                        ready!(self.timer.poll(cx, self.now, Some(until)));
                        return Poll::Ready(BodyEnd::Lost(Some(Deadline::Write)));
                    }
                    SendStep::Ended(end) => return Poll::Ready(end),
                }
            }
        })
        .await
    }

    /// Stages more content if all that was staged is sent, and sends what is staged. The first content leaves together with the head.
    fn step(
        &mut self,
        cx: &mut Context<'_>,
        content: &mut Option<&mut dyn ContentSource>,
        delivery: &mut Delivery,
    ) -> SendStep {
        if !self.client.has_unsent() || !std::mem::replace(&mut delivery.begun, true) {
            match self.stage_more(cx, content, delivery) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(end)) => return SendStep::Ended(end),
                Poll::Pending if self.client.has_unsent() => {}
                Poll::Pending => return SendStep::WaitsForSource,
            }
        }
        let sent = match content {
            Some(content) if delivery.passes_file => {
                self.poll_send_file(cx, &mut **content, delivery)
            }
            _ => {
                let sent = self.client.poll_send(cx, &mut self.side.buffer);
                sent.map_err(|_| BodyEnd::Lost(None))
            }
        };
        match sent {
            Poll::Ready(Ok(0)) if self.client.is_whole() => SendStep::Ended(BodyEnd::All),
            Poll::Ready(Ok(_)) => SendStep::Moved,
            Poll::Ready(Err(end)) => SendStep::Ended(end),
            Poll::Pending => SendStep::WaitsForClient,
        }
    }

    /// Stages the next content, or decides that the client side sends it as a part of a file.
    fn stage_more(
        &mut self,
        cx: &mut Context<'_>,
        content: &mut Option<&mut dyn ContentSource>,
        delivery: &mut Delivery,
    ) -> Poll<Result<(), BodyEnd>> {
        let from = &mut self.side.buffer;
        if self.client.is_whole() || self.client.stage(from).map_err(|_| BodyEnd::Short)? {
            return Poll::Ready(Ok(()));
        }
        let may_pass = !delivery.reads_files && self.client.sends_files();
        let part = content.as_mut().filter(|_| may_pass);
        let part = part.and_then(|content| content.file_part());
        delivery.passes_file = part.is_some_and(|part| part.length > READ);
        if delivery.passes_file {
            return Poll::Ready(Ok(()));
        }
        let read = content.as_mut().map_or(Poll::Ready(Ok(0)), |content| {
            let buffers = &self.worker.buffers;
            buffers.poll_fill(from, |space| content.poll_read(cx, space))
        });
        Poll::Ready(match ready!(read) {
            Ok(1..) => self
                .client
                .stage(from)
                .map(drop)
                .map_err(|_| BodyEnd::Short),
            Ok(0) if self.client.end_body() => Ok(()),
            Ok(_) | Err(_) => Err(BodyEnd::Short),
        })
    }

    /// Has the client side send the next part of a file.
    fn poll_send_file(
        &mut self,
        cx: &mut Context<'_>,
        content: &mut dyn ContentSource,
        delivery: &mut Delivery,
    ) -> Poll<Result<usize, BodyEnd>> {
        let sent = match content.file_part() {
            Some(part) => ready!(self.client.poll_send_file(cx, &part)),
            None => Ok(0),
        };
        delivery.passes_file = false;
        Poll::Ready(match sent {
            // The file has become shorter.
            Ok(0) => Err(BodyEnd::Short),
            Ok(count) => {
                content.skip(count);
                Ok(count)
            }
            // Some file systems cannot pass on their files.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::InvalidInput | ErrorKind::Unsupported
                ) =>
            {
                delivery.reads_files = true;
                Ok(1)
            }
            Err(_) => Err(BodyEnd::Lost(None)),
        })
    }
}
