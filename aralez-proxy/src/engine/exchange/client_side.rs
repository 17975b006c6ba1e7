//! The client of one exchange, as the exchange sees it: what each protocol of clients brings.
//!
//! [`crate::engine::exchange`] decides, chooses, connects, retries, keeps deadlines, answers, and counts; it asks its client only for what
//! stands here. The trait is dispatched statically: for a client of HTTP/1 ([`crate::engine::http1`]) every call is one of its own code.
//!
//! The cut between the two runs where bytes are framed. A body is handed over in buffers, not in values: what came of the request's body
//! stands in [`ClientSide::body`], from which an exchange relays it, and a response's body stands in the buffer in which it came, of which a
//! client takes what is there ([`ClientSide::stage`]) and sends it ([`ClientSide::poll_send`]). HTTP/1 sends it from there, without a copy, in
//! one write with its head. HTTP/2 will copy the data of DATA frames into the one, and make DATA frames of the other, within the windows of its
//! stream: a window without room is a send that is pending. It brings fields by [`ClientSide::request`] and writes them in
//! [`ClientSide::write_head`]; a reset of its stream is a client that is gone, and [`ClientSide::cut`] resets it.

use std::io;
use std::task::{Context, Poll};
use std::time::Instant;

use crate::core::request::additions::FieldList;
use crate::core::request::answer::Answer;
use crate::core::request::edits::CompiledEdits;
use crate::core::request::http1::Framing;
use crate::core::request::http1::body::BadBody;
use crate::core::request::http1::date::DateText;
use crate::core::request::http1::response::ResponseHead;
use crate::core::request::pseudonym::Pseudonym;
use crate::core::request::{Fields, Request};
use crate::engine::exchange::facts::Facts;
use crate::engine::io::buffer::Buffer;
use crate::engine::io::timer::Timer;
use crate::engine::upstream::stream::UpstreamStream;

/// The client of one exchange.
pub trait ClientSide: Send {
    /// The fields of its request.
    type Fields<'a>: Fields
    where
        Self: 'a;

    /// The facts of its request.
    fn facts(&self) -> &Facts;

    /// Its request, until [`ClientSide::release_head`].
    fn request(&self) -> Request<'_, Self::Fields<'_>>;

    /// Writes the head of its request as an endpoint of HTTP/1 gets it. Until [`ClientSide::release_head`].
    fn write_head(&self, changes: &RequestChanges<'_>, out: &mut Vec<u8>);

    /// The head of its request is needed no more.
    fn release_head(&mut self);

    /// Whether the head of its request was not released.
    fn has_head(&self) -> bool;

    /// What came of its body, and is not on its way.
    fn body(&mut self) -> &mut Buffer;

    /// Reads more of its body. 0 is the end of what it sends.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>>;

    /// Ready when it went away. Polled while its response is awaited, and all of its body has come.
    fn poll_gone(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<()>;

    /// A response is awaited; what was written of another one and not sent is forgotten.
    fn await_response(&mut self);

    /// Takes an informational response, where it may have one.
    fn inform(&mut self, head: &ResponseHead, bytes: &[u8]);

    /// Takes the switch to the protocol that it asked for.
    fn switch(&mut self, head: &ResponseHead, bytes: &[u8], changes: &ResponseChanges<'_>);

    /// Takes the head of a final response, whose body is framed so. `taken`: all of its request is on its way.
    fn respond(
        &mut self,
        head: &ResponseHead,
        bytes: &[u8],
        changes: &ResponseChanges<'_>,
        body: (Framing, bool),
    );

    /// Takes an answer of our own, content that is streamed excepted.
    fn answer(&mut self, answer: &Answer, changes: &AnswerChanges<'_>);

    /// Puts on its way what stands in `from` of the response's body. `false`: more must be read first, or all is on its way.
    ///
    /// # Errors
    /// [`BadBody`]
    fn stage(&mut self, from: &mut Buffer) -> Result<bool, BadBody>;

    /// Whether all of the response's body is on its way.
    fn is_whole(&self) -> bool;

    /// The source of the response's body ended; `false`: the body did not.
    fn end_body(&mut self) -> bool;

    /// Sends what is on its way, data that stands in `from` included. Ready with the number of bytes that this took, 0 where nothing was left.
    fn poll_send(&mut self, cx: &mut Context<'_>, from: &mut Buffer) -> Poll<io::Result<usize>>;

    /// Bytes that were sent to it in all.
    fn sent(&self) -> u64;

    /// Whether something is on its way that is not sent.
    fn has_unsent(&self) -> bool;

    /// Ends what it has of a response in a way that it cannot take for a good end.
    fn cut(&mut self);

    /// Passes bytes on both ways until the tunnel to which both sides agreed is over. What came from the endpoint stands in `from`.
    fn tunnel(
        &mut self,
        endpoint: UpstreamStream,
        from: &mut Buffer,
        timer: &mut Timer,
    ) -> impl Future<Output = ()> + Send;
}

/// How a request is changed on its way to an endpoint.
#[derive(Clone, Copy, Debug)]
pub struct RequestChanges<'a> {
    /// The path and the query.
    pub target: &'a str,
    /// What the route edits.
    pub route: &'a CompiledEdits,
    /// What is added to this request alone.
    pub additions: &'a FieldList,
    /// Under which name this node passes it on.
    pub node: &'a Pseudonym,
}

/// How a response is changed on its way to its client.
#[derive(Clone, Copy, Debug)]
pub struct ResponseChanges<'a> {
    /// What the route edits.
    pub route: &'a CompiledEdits,
    /// What is added to this response alone.
    pub additions: &'a FieldList,
    /// The date, for a response that does not tell it.
    pub date: &'a DateText,
}

/// What an answer of our own gets beside what it says itself.
#[derive(Clone, Copy, Debug)]
pub struct AnswerChanges<'a> {
    /// What the route that gives it edits.
    pub route: Option<&'a CompiledEdits>,
    /// What is added to this answer alone.
    pub additions: &'a FieldList,
    /// The date.
    pub date: &'a DateText,
}
