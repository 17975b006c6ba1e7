//! The client of one exchange, as the exchange sees it: the interface that each downstream protocol implements.
//!
//! [`crate::engine::exchange`] decides, chooses, connects, retries, enforces deadlines, answers, and counts; it needs nothing from its
//! client except these methods. The trait is dispatched statically: for an HTTP/1 client ([`crate::engine::http1`]) every call is direct.
//!
//! Bodies cross this interface in buffers. The exchange relays the received part of the request's body from [`ClientSide::body`]. The
//! response's body stays in the buffer into which it was read: the client stages it ([`ClientSide::stage`]) and sends it
//! ([`ClientSide::poll_send`]). HTTP/1 sends it without a copy, in one write with its head. HTTP/2 will copy received DATA frames into
//! [`ClientSide::body`] and frame the response's body as DATA; an exhausted flow-control window is a pending send, a stream reset by the
//! client is a client that is gone, and [`ClientSide::cut`] resets the stream.

use std::io;
use std::task::{Context, Poll};
use std::time::Instant;

use crate::core::request::http1::Framing;
use crate::core::request::http1::body::BadBody;
use crate::core::request::http1::date::DateText;
use crate::core::request::http1::question::QuestionHead;
use crate::core::request::http1::response::ResponseHead;
use crate::engine::exchange::facts::Facts;
use crate::engine::io::buffer::Buffer;
use crate::engine::io::content_source::FilePart;
use crate::engine::io::timer::Timer;
use crate::engine::upstream::stream::UpstreamStream;
use aralez_decision::additions::FieldList;
use aralez_decision::answer::Answer;
use aralez_decision::client::ClientFacts;
use aralez_decision::edits::CompiledEdits;
use aralez_decision::pseudonym::Pseudonym;
use aralez_decision::trace::NewIds;
use aralez_decision::{Fields, Request};

/// The client of one exchange.
pub trait ClientSide: Send {
    /// The type of the request's header fields.
    type Fields<'a>: Fields
    where
        Self: 'a;

    /// Returns the facts about the request.
    fn facts(&self) -> &Facts;

    /// Returns the request, with the other end of the connection as its client. Only valid until [`ClientSide::release_head`].
    fn request(&self) -> Request<'_, Self::Fields<'_>>;

    /// Writes the request head for an HTTP/1 endpoint. Only valid until [`ClientSide::release_head`].
    fn write_head(&self, changes: &RequestChanges<'_>, out: &mut Vec<u8>);

    /// Writes the head of a request that asks an HTTP/1 authorization server about this one. Only valid until [`ClientSide::release_head`].
    fn write_question(
        &self,
        question: &QuestionHead<'_>,
        changes: &RequestChanges<'_>,
        out: &mut Vec<u8>,
    );

    /// Releases the head of the request, which is not needed any more.
    fn release_head(&mut self);

    /// Returns whether the head of the request was not released yet.
    fn has_head(&self) -> bool;

    /// Returns the received part of the request's body that is not staged yet.
    fn body(&mut self) -> &mut Buffer;

    /// Reads more of the request's body; 0 if the client sends no more.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>>;

    /// Ready when the client is gone. Polled during a connect, and while the response is awaited once the whole request was staged.
    fn poll_gone(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<()>;

    /// Prepares for a response. Output of an earlier one that was staged but not sent is discarded.
    fn await_response(&mut self);

    /// Stages an informational response, if the client can receive one.
    fn inform(&mut self, head: &ResponseHead, bytes: &[u8]);

    /// Stages the switch to the protocol that the client asked for.
    fn switch(&mut self, head: &ResponseHead, bytes: &[u8], changes: &ResponseChanges<'_>);

    /// Stages the head of a final response. `body` is the framing of its body, and whether the whole request has been staged.
    fn respond(
        &mut self,
        head: &ResponseHead,
        bytes: &[u8],
        changes: &ResponseChanges<'_>,
        body: (Framing, bool),
    );

    /// Stages an answer of the proxy, without streamed content.
    fn answer(&mut self, answer: &Answer, changes: &AnswerChanges<'_>);

    /// Stages the part of the response's body that is in `from`. `false` if more must be read first, or the whole body is staged.
    ///
    /// # Errors
    /// [`BadBody`] if the framing of the body is invalid.
    fn stage(&mut self, from: &mut Buffer) -> Result<bool, BadBody>;

    /// Returns whether the whole response body is staged.
    fn is_whole(&self) -> bool;

    /// Handles the end of the response body's source. `false` if the body is incomplete.
    fn end_body(&mut self) -> bool;

    /// Sends staged output, including data that is in `from`. Ready with the number of bytes sent, 0 if nothing was left.
    fn poll_send(&mut self, cx: &mut Context<'_>, from: &mut Buffer) -> Poll<io::Result<usize>>;

    /// Reports whether this client side sends parts of files itself, without a buffer in between. If not, their content is read and staged.
    fn sends_files(&self) -> bool {
        false
    }

    /// Sends staged output, then content of a file as the next part of the response's body. Ready with the number of content bytes sent,
    /// which is 0 only if the file has become shorter. Called only if [`ClientSide::sends_files`], and nothing is staged but a head or the
    /// end of an earlier part.
    fn poll_send_file(&mut self, _: &mut Context<'_>, _: &FilePart<'_>) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }

    /// Returns the total number of bytes sent to the client.
    fn sent(&self) -> u64;

    /// Returns whether staged output is unsent.
    fn has_unsent(&self) -> bool;

    /// Ends a partial response in such a way that the client cannot mistake it for a complete one.
    fn cut(&mut self);

    /// Relays bytes in both directions until the tunnel is closed. `from` contains the bytes that have already been received from the
    /// endpoint.
    fn tunnel(
        &mut self,
        endpoint: UpstreamStream,
        from: &mut Buffer,
        timer: &mut Timer,
    ) -> impl Future<Output = ()> + Send;
}

/// The changes to a request on its way to an endpoint.
#[derive(Clone, Copy, Debug)]
pub struct RequestChanges<'a> {
    /// The path and the query.
    pub target: &'a str,
    /// The edits of the route.
    pub route: &'a CompiledEdits,
    /// The fields added to this request only.
    pub additions: &'a FieldList,
    /// The client, which may be behind a trusted proxy.
    pub client: ClientFacts,
    /// The pseudonym under which this node forwards it.
    pub node: &'a Pseudonym,
    /// The ids of the request if it brought none.
    pub ids: &'a NewIds,
}

/// The changes to a response on its way to the client.
#[derive(Clone, Copy, Debug)]
pub struct ResponseChanges<'a> {
    /// The edits of the route.
    pub route: &'a CompiledEdits,
    /// The fields added to this response only.
    pub additions: &'a FieldList,
    /// The date, for a response without one.
    pub date: &'a DateText,
}

/// The fields of an answer of the proxy in addition to its own.
#[derive(Clone, Copy, Debug)]
pub struct AnswerChanges<'a> {
    /// The edits of the route that answers.
    pub route: Option<&'a CompiledEdits>,
    /// The fields added to this answer only.
    pub additions: &'a FieldList,
    /// The date.
    pub date: &'a DateText,
}
