//! Answers that the proxy sends itself.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use crate::core::request::outcome::Conclusion;
use crate::core::traffic::Deadline;
use crate::engine::exchange::Exchange;
use crate::engine::exchange::client_side::{AnswerChanges, ClientSide};
use crate::engine::io::stall::WakeTime;
use aralez_decision::answer::{Answer, Content};
use aralez_decision::table::CompiledRoute;

/// The source of a streamed answer. It is read at the pace of the client.
pub trait ContentSource: Send {
    /// Reads available content; 0 at the end.
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>>;
}

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
            None => {
                let live = self.worker.engine.live.load();
                answer.with_page(live.table.routes().error_pages())
            }
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

    /// Sends the staged answer, and its content at the pace of the client.
    async fn give(&mut self, mut content: Option<&mut dyn ContentSource>) -> BodyEnd {
        let limit = self.worker.engine.limits.write;
        let mut until = Instant::now() + limit;
        let mut time = WakeTime::at(self.now);
        let buffers = &self.worker.buffers;
        let from = &mut self.side.buffer;
        buffers.give(from);
        poll_fn(|cx| {
            self.now = time.now();
            loop {
                match self.client.poll_send(cx, from) {
                    Poll::Ready(Ok(0)) => {}
                    Poll::Ready(Ok(_)) => until = self.now + limit,
                    Poll::Ready(Err(_)) => return Poll::Ready(BodyEnd::Lost(None)),
                    Poll::Pending => {
                        ready!(self.timer.poll(cx, self.now, Some(until)));
                        return Poll::Ready(BodyEnd::Lost(Some(Deadline::Write)));
                    }
                }
                if self.client.is_whole() {
                    return Poll::Ready(BodyEnd::All);
                }
                match self.client.stage(from) {
                    Ok(true) => continue,
                    Ok(false) => {}
                    Err(_) => return Poll::Ready(BodyEnd::Short),
                }
                let read = content.as_mut().map_or(Poll::Ready(Ok(0)), |content| {
                    buffers.poll_fill(from, |space| content.poll_read(cx, space))
                });
                match ready!(read) {
                    Ok(1..) => {}
                    Ok(0) if self.client.end_body() => {}
                    Ok(_) | Err(_) => return Poll::Ready(BodyEnd::Short),
                }
            }
        })
        .await
    }
}
