//! Questions to authorization servers: a request of the proxy's own over the connections of the server's pool, before anything of the
//! client's request reaches an endpoint.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use crate::core::request::balance::Chosen;
use crate::core::request::http1::Framing;
use crate::core::request::http1::body::{Body, Sender};
use crate::core::request::http1::question::QuestionHead;
use crate::core::request::http1::response::Asked;
use crate::core::request::outcome::Conclusion;
use crate::core::request::peer::PeerKey;
use crate::core::traffic::TrafficEvent;
use crate::engine::exchange::Exchange;
use crate::engine::exchange::asking::OpenDecision;
use crate::engine::exchange::client_side::{ClientSide, RequestChanges, ResponseChanges};
use crate::engine::exchange::connecting::{Link, Search, SearchLimits};
use crate::engine::exchange::endpoint_side::EndpointSide;
use crate::engine::exchange::facts::limit;
use crate::engine::io::Io;
use crate::engine::io::content_source::ContentSource;
use crate::engine::upstream::connect::NotConnected;
use crate::engine::upstream::stream::UpstreamStream;
use aralez_decision::ask::Reply;
use aralez_decision::authorization::server::ServerQuestion;
use aralez_decision::client::ClientFacts;
use aralez_decision::edits::CompiledEdits;
use aralez_decision::table::CompiledRoute;
use aralez_proto::rules::Timeouts;

/// The longest content of a passing response that is read, so that its connection can be used again. A longer one costs the connection.
const MOST_CONTENT: usize = 64 * 1_024;

/// The response of a server that does not pass a request, whose head has arrived.
#[derive(Debug)]
pub(super) struct Denial {
    stream: UpstreamStream,
    peer: PeerKey,
    /// Length of the head, which is at the front of the endpoint's buffer.
    head: usize,
    framing: Framing,
    /// The longest wait for more of the content.
    limit: Duration,
}

/// The reason why a question has no response.
enum Unanswered {
    /// The connection ended before a byte of the response.
    Early,
    /// The response is not valid, or ended within its head, or took too long.
    Failed,
    /// The client went.
    ClientGone,
}

/// The content of a server's response.
struct ServerContent<'a> {
    stream: &'a mut UpstreamStream,
    limit: Duration,
}

impl ContentSource for ServerContent<'_> {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        self.stream.poll_read(cx, into)
    }

    fn patience(&self) -> Option<Duration> {
        Some(self.limit)
    }
}

impl<C: ClientSide> Exchange<'_, C> {
    /// Asks the server of a rule. `None` if the client goes first.
    pub(super) async fn ask_server(
        &mut self,
        question: &ServerQuestion,
        open: &OpenDecision,
    ) -> Option<Reply> {
        let rule = &question.server.rule;
        let Some(pool) = open.live.table.pool(rule.url.pool()) else {
            return Some(Reply::Unavailable);
        };
        let until = self.now + rule.timeout;
        let mut request = Vec::new();
        self.write_question(question, open.client, &mut request);
        let mut search = Search::new(SearchLimits {
            connect: None,
            end: Some(until),
        });
        while let Some(chosen) = pool.choose(&mut search.walk, self.uptime()) {
            let _running = chosen.at.load.begin();
            let asked = self.ask_endpoint(question, &chosen, &mut search, (&request, until));
            match asked.await {
                Ok(reply) => return Some(reply),
                Err(NotConnected::ClientGone) => return None,
                Err(failed) if !search.goes_on(failed).await => break,
                Err(_) => self.now = Instant::now(),
            }
        }
        Some(Reply::Unavailable)
    }

    fn write_question(&self, question: &ServerQuestion, client: ClientFacts, out: &mut Vec<u8>) {
        let url = &question.server.rule.url;
        let changes = RequestChanges {
            target: url.path_and_query(),
            route: &CompiledEdits::default(),
            additions: &question.fields,
            client,
            node: &self.worker.engine.node,
            ids: &self.ids,
        };
        let head = QuestionHead {
            method: if self.client.facts().asked.head {
                "HEAD"
            } else {
                "GET"
            },
            authority: url.authority(),
        };
        self.client.write_question(&head, &changes, out);
    }

    /// Asks one endpoint, and once more on a new connection if a kept one turns out to be closed.
    async fn ask_endpoint(
        &mut self,
        question: &ServerQuestion,
        chosen: &Chosen<'_>,
        search: &mut Search,
        (request, until): (&[u8], Instant),
    ) -> Result<Reply, NotConnected> {
        loop {
            let mut link = self.link(chosen, search).await?;
            let asked = self.converse(&mut link.stream, request, until).await;
            self.now = Instant::now();
            match asked {
                Ok(head) if !self.is_stale(&link) => {
                    return Ok(self
                        .judge_response(question, link, chosen, (head, until))
                        .await);
                }
                Ok(_) | Err(Unanswered::Early) if link.reused => {
                    self.worker.tally.event(TrafficEvent::Stale);
                    search.anew = true;
                }
                Err(Unanswered::ClientGone) => return Err(NotConnected::ClientGone),
                Ok(_) | Err(_) => return Ok(Reply::Unavailable),
            }
        }
    }

    /// Reports whether the response is the 408 with which a server closes a kept connection, and not a response to the question.
    fn is_stale(&self, link: &Link) -> bool {
        let head = &self.side.head;
        link.reused && head.status() == 408 && !head.keeps_alive()
    }

    /// Sends a request and reads the head of its response. Returns the length of the head in the endpoint's buffer.
    async fn converse(
        &mut self,
        stream: &mut UpstreamStream,
        request: &[u8],
        until: Instant,
    ) -> Result<usize, Unanswered> {
        let buffers = &self.worker.buffers;
        self.side.begin();
        buffers.give(&mut self.side.buffer);
        let mut sent = 0;
        poll_fn(|cx| {
            while let Some(rest @ [_, ..]) = request.get(sent..) {
                match stream.poll_write(cx, &[IoSlice::new(rest)]) {
                    Poll::Ready(Ok(count @ 1..)) => sent += count,
                    Poll::Ready(_) => return Poll::Ready(Err(Unanswered::Early)),
                    Poll::Pending => break,
                }
            }
            while let Poll::Ready(read) = buffers.poll_read(cx, stream, &mut self.side.buffer) {
                let touched = std::mem::replace(&mut self.side.progress.touched, true);
                match read {
                    Ok(1..) => {}
                    Ok(_) | Err(_) if touched => return Poll::Ready(Err(Unanswered::Failed)),
                    Ok(_) | Err(_) => return Poll::Ready(Err(Unanswered::Early)),
                }
                if let Some(read) = read_head(self.side).transpose() {
                    return Poll::Ready(read);
                }
            }
            let now = Instant::now();
            if self.client.poll_gone(cx, now).is_ready() {
                return Poll::Ready(Err(Unanswered::ClientGone));
            }
            ready!(self.timer.poll(cx, now, Some(until)));
            Poll::Ready(Err(Unanswered::Failed))
        })
        .await
    }

    /// Returns what a response means for the request.
    async fn judge_response(
        &mut self,
        question: &ServerQuestion,
        mut link: Link,
        chosen: &Chosen<'_>,
        (head, until): (usize, Instant),
    ) -> Reply {
        let asked = Asked {
            head: self.client.facts().asked.head,
            web_socket: false,
        };
        let Ok(framing) = self.side.head.framing(asked) else {
            return Reply::Unavailable;
        };
        if !(200..300).contains(&self.side.head.status()) {
            self.denial = Some(Box::new(Denial {
                stream: link.stream,
                peer: chosen.at.peer.clone(),
                head,
                framing,
                limit: question.server.rule.timeout,
            }));
            return Reply::Denied;
        }
        let bytes = self.side.buffer.filled();
        let fields = self.side.head.fields().iter();
        let fields = fields.map(|field| (field.key(bytes), field.value(bytes)));
        let copied = question.server.copied(fields);
        self.side.buffer.consume(head);
        if self.discard(&mut link.stream, framing, until).await {
            self.keep_server(&chosen.at.peer, link.stream);
        }
        // The exchange with an endpoint begins with nothing of this response.
        self.side.begin();
        self.worker.buffers.give(&mut self.side.buffer);
        Reply::Allowed(copied)
    }

    /// Reads the content of a response, which nobody needs. `false` if its end is not found.
    async fn discard(
        &mut self,
        stream: &mut UpstreamStream,
        framing: Framing,
        until: Instant,
    ) -> bool {
        if framing == Framing::UntilClose {
            return false;
        }
        let buffers = &self.worker.buffers;
        let mut body = Body::new(framing, Sender::Endpoint);
        let mut read = 0;
        poll_fn(|cx| {
            loop {
                match body.take(self.side.buffer.filled_mut()) {
                    Ok(taken) => self.side.buffer.consume(taken.consumed),
                    Err(_) => return Poll::Ready(false),
                }
                if body.is_done() || read > MOST_CONTENT {
                    return Poll::Ready(body.is_done() && self.side.buffer.is_empty());
                }
                match buffers.poll_read(cx, stream, &mut self.side.buffer) {
                    Poll::Ready(Ok(count @ 1..)) => read += count,
                    Poll::Ready(_) => return Poll::Ready(false),
                    Poll::Pending => {
                        ready!(self.timer.poll(cx, Instant::now(), Some(until)));
                        return Poll::Ready(false);
                    }
                }
            }
        })
        .await
    }

    /// Keeps the connection of a response that was read to its end, if the server keeps it too.
    fn keep_server(&self, peer: &PeerKey, stream: UpstreamStream) {
        if self.side.head.keeps_alive() {
            self.keep(peer, stream, limit(Timeouts::defaults().idle));
        }
    }

    /// Relays the response of a server that does not pass the request: all of it, with the response edits of the route.
    pub(super) async fn relay(
        &mut self,
        mut denial: Denial,
        route: Option<&CompiledRoute>,
    ) -> Conclusion {
        let none = CompiledEdits::default();
        let changes = ResponseChanges {
            route: route.map_or(&none, |route| &*route.rules.response_edits),
            additions: &self.additions.response,
            date: &self.worker.date(self.now),
        };
        let whole = !self.client.facts().has_body();
        self.client.await_response();
        let (head, bytes) = (&self.side.head, self.side.buffer.filled());
        self.client
            .respond(head, bytes, &changes, (denial.framing, whole));
        self.client.release_head();
        self.side.buffer.consume(denial.head);
        self.outcome.status = self.side.head.status();
        let mut content = ServerContent {
            stream: &mut denial.stream,
            limit: denial.limit,
        };
        let conclusion = self.send_content(Some(&mut content)).await;
        let done = conclusion == Conclusion::Answered && self.side.buffer.is_empty();
        if done && denial.framing != Framing::UntilClose {
            self.keep_server(&denial.peer, denial.stream);
        }
        self.worker.buffers.give(&mut self.side.buffer);
        conclusion
    }
}

/// Reads the head of the final response, and discards informational ones before it. `None` if more must be read.
fn read_head(side: &mut EndpointSide) -> Result<Option<usize>, Unanswered> {
    loop {
        let head = side.head.read(side.buffer.filled());
        let Some(length) = head.map_err(|_| Unanswered::Failed)? else {
            if side.buffer.is_full() {
                // A large head; its own limit ends the growth.
                side.buffer.grow();
            }
            return Ok(None);
        };
        if !side.head.is_informational() {
            return Ok(Some(length));
        }
        let counted = side.progress.count_informational();
        counted.map_err(|_| Unanswered::Failed)?;
        side.buffer.consume(length);
        side.head.clear();
    }
}
