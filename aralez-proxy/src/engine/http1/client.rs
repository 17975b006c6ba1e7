//! The client side of an exchange over HTTP/1.

use std::io;
use std::net::IpAddr;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use aralez_proto::matcher::Scheme;

use crate::core::request::http1::answer::{self, Frame};
use crate::core::request::http1::body::{BadBody, Body, Sender};
use crate::core::request::http1::forward::{self, RequestEdits, ResponseEdits};
use crate::core::request::http1::question::{self, QuestionHead};
use crate::core::request::http1::request::{HeadFields, RequestOptions};
use crate::core::request::http1::response::ResponseHead;
use crate::core::request::http1::{Framing, HttpVersion};
use crate::core::request::outcome::Conclusion;
use crate::core::traffic::{ConnectionState, InState};
use crate::engine::exchange::client_side::{
    AnswerChanges, ClientSide, RequestChanges, ResponseChanges,
};
use crate::engine::exchange::facts::Facts;
use crate::engine::http1::buffers::ClientBuffers;
use crate::engine::http1::connection::Disposition;
use crate::engine::http1::gone::ClientWatch;
use crate::engine::http1::tunnel::{self, Sides};
use crate::engine::io::Io;
use crate::engine::io::body_relay::BodyFraming;
use crate::engine::io::buffer::Buffer;
use crate::engine::io::content_source::FilePart;
use crate::engine::io::timer::Timer;
use crate::engine::shutdown::ShutdownSignal;
use crate::engine::threads::context::ThreadContext;
use crate::engine::upstream::stream::UpstreamStream;
use aralez_decision::Request;
use aralez_decision::answer::{Answer, Content};
use aralez_decision::edits::Forwarded;

/// An HTTP/1 client, built from the parts its connection lends.
#[derive(Debug)]
pub struct Http1<'a, C> {
    pub(in crate::engine) io: &'a mut C,
    pub(in crate::engine) buffers: &'a mut ClientBuffers,
    pub(in crate::engine) worker: &'a ThreadContext,
    pub(in crate::engine) state: &'a mut InState,
    pub(in crate::engine) closing: &'a mut ShutdownSignal,
    pub(in crate::engine) forwarded: &'a Forwarded,
    pub(in crate::engine) address: IpAddr,
    pub(in crate::engine) facts: Facts,
    /// The connection may be kept alive, unless the node is draining.
    pub(in crate::engine) may_keep: bool,
    pub(in crate::engine) after: AfterExchange,
}

/// Consequences of an exchange for its connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::engine) struct AfterExchange {
    /// The connection stays open for the next request.
    keep: bool,
    /// The response body is delimited by the end of the connection.
    until_close: bool,
    /// The client expects the close: its request is complete, and it did not ask for keep-alive.
    last: bool,
    /// The client already exceeded a timeout: linger only briefly.
    brief: bool,
    /// Disposition of the connection after a tunnel.
    tunnel: Option<Disposition>,
}

impl<C: Io> Http1<'_, C> {
    /// Returns the disposition of the connection after the exchange.
    pub(super) fn next(&self, conclusion: Conclusion) -> Disposition {
        let after = self.after;
        let quiet = self.buffers.incoming.is_empty();
        match conclusion {
            Conclusion::Relayed { taken: true } | Conclusion::Answered if after.keep => {
                Disposition::Request
            }
            Conclusion::Relayed { taken } if taken && quiet && !self.facts.options.keep_alive => {
                Disposition::Close
            }
            Conclusion::Answered if after.last && quiet => Disposition::Close,
            // From here on the client may still be sending, this request or its next one, so linger.
            Conclusion::Answered if after.brief => Disposition::LINGER_BRIEFLY,
            // RFC 9112 section 9.6: a server that sent or received the option close reads no further request from the connection.
            Conclusion::Relayed { .. } | Conclusion::Answered => Disposition::LINGER,
            Conclusion::Tunnelled => after.tunnel.unwrap_or(Disposition::Close),
            Conclusion::AnswerLost
            | Conclusion::ClientGone
            | Conclusion::Truncated
            | Conclusion::Aborted => Disposition::Close,
        }
    }

    fn may_keep(&self) -> bool {
        self.may_keep && !self.worker.engine.traffic.is_draining()
    }

    const fn version(&self) -> HttpVersion {
        self.buffers.head.version()
    }

    /// Returns the edits of a head with these changes, for a request with a `Host` and without options.
    fn edits<'e>(&'e self, changes: &RequestChanges<'e>) -> RequestEdits<'e> {
        RequestEdits {
            target: changes.target,
            missing_host: None,
            route: changes.route,
            additions: changes.additions,
            forwarded: self.forwarded,
            client: changes.client,
            node: changes.node,
            ids: changes.ids,
            options: RequestOptions::default(),
        }
    }

    /// Returns the `Host` for a request without one: the host of its absolute target, else the local address, in the form in which the
    /// client would have written it.
    fn own_host(&self, asked: Option<&str>) -> String {
        let local = || self.io.local().map(|address| address.to_string());
        asked.map(str::to_owned).or_else(local).unwrap_or_default()
    }
}

impl<C: Io> ClientSide for Http1<'_, C> {
    type Fields<'a>
        = HeadFields<'a>
    where
        Self: 'a;

    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn request(&self) -> Request<'_, HeadFields<'_>> {
        let bytes = self.buffers.incoming.aside();
        let head = &self.buffers.head;
        Request {
            method: head.method(bytes),
            scheme: if self.io.is_tls() {
                Scheme::Https
            } else {
                Scheme::Http
            },
            host: head.host(bytes),
            target: head.target(bytes),
            client: self.address,
            fields: HeadFields::new(head, bytes),
        }
    }

    fn write_head(&self, changes: &RequestChanges<'_>, out: &mut Vec<u8>) {
        let bytes = self.buffers.incoming.aside();
        let head = &self.buffers.head;
        let missing_host = (!head.has_host_field()).then(|| self.own_host(head.host(bytes)));
        let edits = RequestEdits {
            missing_host: missing_host.as_deref(),
            options: self.facts.options,
            ..self.edits(changes)
        };
        forward::request(head, bytes, &edits, out);
    }

    fn write_question(
        &self,
        question: &QuestionHead<'_>,
        changes: &RequestChanges<'_>,
        out: &mut Vec<u8>,
    ) {
        let bytes = self.buffers.incoming.aside();
        let edits = self.edits(changes);
        question::write(&self.buffers.head, bytes, question, &edits, out);
    }

    fn release_head(&mut self) {
        self.buffers.incoming.release();
    }

    fn has_head(&self) -> bool {
        !self.buffers.incoming.aside().is_empty()
    }

    fn body(&mut self) -> &mut Buffer {
        &mut self.buffers.incoming
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let incoming = &mut self.buffers.incoming;
        self.worker.buffers.poll_read(cx, self.io, incoming)
    }

    fn poll_gone(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<()> {
        let watch = ClientWatch {
            facts: &self.facts,
            buffers: &self.worker.buffers,
            unwatched: &self.worker.unwatched,
        };
        watch.poll_gone(cx, now, self.io, &mut self.buffers.incoming)
    }

    fn await_response(&mut self) {
        self.buffers.down.out.begin(0);
    }

    /// Relays an informational response. HTTP/1.0 clients do not understand them and get none.
    fn inform(&mut self, head: &ResponseHead, bytes: &[u8]) {
        // RFC 9110 section 15.2: a response with status 1xx is not sent to an HTTP/1.0 client.
        if self.version() == HttpVersion::Http11 {
            forward::informational(head, bytes, self.buffers.down.out.head());
        }
    }

    fn switch(&mut self, head: &ResponseHead, bytes: &[u8], changes: &ResponseChanges<'_>) {
        let changes = (changes.route, changes.additions);
        forward::switch(head, bytes, changes, self.buffers.down.out.head());
    }

    fn respond(
        &mut self,
        head: &ResponseHead,
        bytes: &[u8],
        changes: &ResponseChanges<'_>,
        (framing, taken): (Framing, bool),
    ) {
        let new = self.version() == HttpVersion::Http11;
        let unknown = matches!(framing, Framing::Chunked | Framing::UntilClose);
        // RFC 9112 section 6.1: a response is chunked only if the request was HTTP/1.1.
        let chunked = unknown && new;
        // RFC 9112 section 6.3: a response of unknown length to an HTTP/1.0 request ends with the connection.
        let until_close = unknown && !new;
        // While the request is still arriving, the start of the next one is unknown.
        // RFC 9112 section 9.3: a server reads the whole body of a request, or closes the connection after the response.
        let keep = self.may_keep() && !until_close && taken;
        let edits = ResponseEdits {
            route: changes.route,
            additions: changes.additions,
            date: changes.date,
            chunked,
            version: self.version(),
            keep_alive: keep,
        };
        let down = &mut self.buffers.down;
        forward::response(head, bytes, &edits, down.out.head());
        let goes = BodyFraming {
            chunked,
            // RFC 9110 section 10.1.4: trailer fields are forwarded only to a client that accepts them, as the member trailers of `TE`
            // announces.
            trailers: self.facts.options.trailers,
        };
        down.begin(Body::new(framing, Sender::Endpoint), goes);
        self.after.keep = keep;
        self.after.until_close = until_close;
    }

    fn answer(&mut self, answer: &Answer, changes: &AnswerChanges<'_>) {
        let version = self.version();
        let head = self.facts.asked.head;
        // The framing in which the content is read from its source, and the framing sent to the client.
        let (content, goes) = match answer.content {
            Content::Status | Content::Empty => (Framing::None, Framing::None),
            // RFC 9110 section 9.3.2: a response to HEAD has no content.
            Content::Bytes(_) | Content::Streamed { .. } if head => (Framing::None, Framing::None),
            Content::Bytes(ref bytes) if bytes.is_empty() => (Framing::None, Framing::None),
            Content::Bytes(ref bytes) => {
                let length = Framing::Length(bytes.len() as u64);
                (length, length)
            }
            Content::Streamed { length } => (
                length.map_or(Framing::UntilClose, Framing::Length),
                answer::streamed_framing(length, version),
            ),
        };
        let until_close = goes == Framing::UntilClose;
        // After an ambiguous request, or one whose body is still to arrive, the start of the next one is unknown.
        // RFC 9112 section 9.3: a server reads the whole body of a request, or closes the connection after the response.
        // The status of a route's fixed response says nothing about the request.
        let fixed = matches!(answer.content, Content::Bytes(_));
        let clear = (fixed || answer.status != 400) && !self.facts.has_body();
        let keep = clear && self.may_keep() && !until_close;
        let frame = Frame {
            version,
            head,
            keep_alive: keep,
            date: changes.date,
            route: changes.route,
            additions: changes.additions,
        };
        let down = &mut self.buffers.down;
        down.out.begin(0);
        answer::write(answer, &frame, down.out.head());
        let goes = BodyFraming {
            chunked: goes == Framing::Chunked,
            trailers: false,
        };
        down.begin(Body::new(content, Sender::Endpoint), goes);
        self.after = AfterExchange {
            keep,
            until_close,
            last: clear && !keep && self.facts.is_last(),
            brief: answer.status == 408 && !fixed,
            tunnel: None,
        };
    }

    fn stage(&mut self, from: &mut Buffer) -> Result<bool, BadBody> {
        self.buffers.down.stage(from)
    }

    fn is_whole(&self) -> bool {
        self.buffers.down.is_ended()
    }

    fn end_body(&mut self) -> bool {
        self.buffers.down.close()
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, from: &mut Buffer) -> Poll<io::Result<usize>> {
        self.buffers.down.out.poll_send(cx, self.io, from)
    }

    fn sends_files(&self) -> bool {
        self.io.sends_files()
    }

    fn poll_send_file(
        &mut self,
        cx: &mut Context<'_>,
        part: &FilePart<'_>,
    ) -> Poll<io::Result<usize>> {
        let down = &mut self.buffers.down;
        ready!(down.out.poll_send_before_file(cx, self.io))?;
        let count = ready!(self.io.poll_send_file(cx, part))?;
        down.pass(count);
        Poll::Ready(Ok(count))
    }

    fn sent(&self) -> u64 {
        self.buffers.down.out.moved()
    }

    fn has_unsent(&self) -> bool {
        !self.buffers.down.out.is_empty()
    }

    /// Makes the truncation visible. A body with a length falls short and a chunked one lacks its last chunk; a body delimited by the end
    /// of the connection needs a reset.
    fn cut(&mut self) {
        // RFC 9112 section 8: a close-delimited body is incomplete only if its connection fails, so the proxy resets a connection whose
        // response is cut.
        if self.after.until_close {
            self.io.abort();
        }
    }

    async fn tunnel(&mut self, endpoint: UpstreamStream, from: &mut Buffer, timer: &mut Timer) {
        self.state.move_to(ConnectionState::Tunnel);
        let sides = Sides {
            client: &mut *self.io,
            endpoint,
            from_client: &mut self.buffers.incoming,
            from_endpoint: from,
            timer,
            closing: &mut *self.closing,
            worker: self.worker,
        };
        self.after.tunnel = Some(tunnel::pass(sides).await);
    }
}
