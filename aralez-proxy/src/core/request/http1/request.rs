//! The head of a request.

use crate::core::limits::HeadLimits;
use crate::core::request::http1::field::{self, BadField, Field};
use crate::core::request::http1::lines::{Line, Lines};
use crate::core::request::http1::{Framing, HttpVersion, RequestRefusal};
use aralez_decision::fields::FieldName;

mod fields;
mod first_line;
mod rules;
#[cfg(test)]
mod tests;

pub use fields::HeadFields;
use rules::{Passage, SeenRequestFields};

/// Empty lines before a request that are skipped (RFC 9112 section 2.2); more are an error.
///
/// RFC 9112 section 2.2: a server ignores at least one empty line before a request; the proxy ignores four.
const MAX_EMPTY_LINES: u8 = 4;
/// Allowance of the request line for everything except its target, in bytes.
const LINE_ROOM: usize = 64;

/// The head of one request, as ranges of the caller's bytes. It can be cleared and reused without allocating.
#[derive(Clone, Debug, Default)]
pub struct RequestHead {
    lines: Lines,
    empty: u8,
    line: Option<first_line::FirstLine>,
    fields: Vec<Field>,
    seen: SeenRequestFields,
}

/// The options that a request sets for its connection and its exchange.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RequestOptions {
    /// The connection stays open for the next request.
    pub keep_alive: bool,
    /// The request asks for a WebSocket (RFC 6455 section 4.1). Other upgrades are not supported, and not forwarded.
    pub web_socket: bool,
    /// The client waits for a 100 before it sends the body.
    pub expects_continue: bool,
    /// The client accepts trailers.
    pub trailers: bool,
}

impl RequestHead {
    /// Clears everything that was read.
    pub fn clear(&mut self) {
        self.lines = Lines::default();
        self.empty = 0;
        self.line = None;
        self.fields.clear();
        self.seen = SeenRequestFields::default();
    }

    /// Continues to read the head. `bytes` begins with the request, and holds at least the bytes of the last call. Returns the length of
    /// the head, or `None` if it is incomplete.
    ///
    /// # Errors
    /// The first rule that the head violates. The result does not depend on how the bytes are split over calls.
    pub fn read(
        &mut self,
        bytes: &[u8],
        limits: &HeadLimits,
    ) -> Result<Option<usize>, RequestRefusal> {
        while let Some(line) = self.lines.next(bytes) {
            self.check_size(line.start, line.end, limits)?;
            // RFC 9112 section 2.2: a line ends in CRLF; stricter: LF alone, which a recipient may accept, is refused from a client.
            if !line.crlf {
                return Err(RequestRefusal::BareLineFeed);
            }
            if self.take(bytes, line, limits)? {
                self.finish(bytes)?;
                return Ok(Some(line.next));
            }
        }
        // A trailing CR may be the first half of the line end.
        let open = bytes.strip_suffix(b"\r").unwrap_or(bytes).len();
        self.check_size(self.lines.start(), open, limits)?;
        Ok(None)
    }

    /// Checks a line that ends at `end` or later. If two limits apply, the lower one counts: a line that arrives slowly reaches it first.
    const fn check_size(
        &self,
        start: usize,
        end: usize,
        limits: &HeadLimits,
    ) -> Result<(), RequestRefusal> {
        let line = start + limits.target + LINE_ROOM;
        // The line's CRLF is not included yet.
        let head = limits.bytes.saturating_sub(2);
        if self.line.is_none() && end > line && line <= head {
            // RFC 9112 section 3: a request target longer than the limit is answered with 414.
            return Err(RequestRefusal::TargetTooLong);
        }
        if end > head {
            // RFC 9110 section 5.4: a request whose header section is larger than the limit is answered with a 4xx.
            return Err(RequestRefusal::HeadTooLarge);
        }
        Ok(())
    }

    /// Processes a line. Returns `true` if it was the last one.
    fn take(
        &mut self,
        bytes: &[u8],
        line: Line,
        limits: &HeadLimits,
    ) -> Result<bool, RequestRefusal> {
        let empty = line.start == line.end;
        if self.line.is_none() {
            if empty {
                self.empty += 1;
                return if self.empty > MAX_EMPTY_LINES {
                    Err(RequestRefusal::RequestLine)
                } else {
                    Ok(false)
                };
            }
            self.line = Some(first_line::read(bytes, line, limits)?);
            return Ok(false);
        }
        if empty {
            return Ok(true);
        }
        if self.fields.len() == limits.fields {
            // RFC 9110 section 5.4: a request whose header section is larger than the limit is answered with a 4xx.
            return Err(RequestRefusal::TooManyFields);
        }
        let field = Field::read(bytes, line).map_err(|bad| match bad {
            // RFC 9112 section 5.2: a request with a folded line is refused with 400, as a server may do instead of unfolding it.
            // RFC 9112 section 2.2: a message with whitespace between its first line and its first field is refused.
            BadField::Folded => RequestRefusal::Folded,
            BadField::NoColon => RequestRefusal::NoColon,
            BadField::Name => RequestRefusal::FieldName,
            BadField::Value => RequestRefusal::FieldValue,
        })?;
        self.seen.note(&field, bytes)?;
        self.fields.push(field);
        Ok(false)
    }

    /// Checks the rules that need the whole head, and marks the fields to drop.
    fn finish(&mut self, bytes: &[u8]) -> Result<(), RequestRefusal> {
        let line = self.first_line();
        self.seen.check(bytes, line.version, line.authority)?;
        for nominated in self.seen.nominated(bytes) {
            field::drop_nominated(&mut self.fields, bytes, nominated, |name| {
                name.is_clients_to_drop()
            });
        }
        let old = line.version == HttpVersion::Http10;
        for field in &mut self.fields {
            let name = field.name;
            // RFC 9110 section 10.1.1: an expectation in an HTTP/1.0 request is ignored.
            // RFC 9110 section 10.1.1: a proxy forwards the expectation 100-continue of an HTTP/1.1 request, or answers the request itself.
            let no_expect = name == FieldName::Expect && (old || field.value(bytes).is_empty());
            let no_trace = match name {
                FieldName::XRequestId => self.seen.request_id != Passage::Passes,
                // Without a valid `traceparent` a new trace begins, to which a received `tracestate` does not belong.
                FieldName::Traceparent | FieldName::Tracestate => {
                    self.seen.traceparent != Passage::Passes
                }
                _ => false,
            };
            if name.is_hop_by_hop() || name == FieldName::Ours || no_expect || no_trace {
                field.keep = false;
            }
        }
        if self.seen.expects_continue {
            // If the client had its own `Expect` dropped by nomination, it gets no 100, and the proxy must not wait for one.
            let mut expects = self
                .fields
                .iter()
                .filter(|field| field.name == FieldName::Expect);
            self.seen.expects_continue = expects.any(|field| field.keep);
        }
        Ok(())
    }

    const fn first_line(&self) -> first_line::FirstLine {
        match self.line {
            Some(line) => line,
            None => first_line::FirstLine::NONE,
        }
    }

    /// Returns the method.
    pub fn method<'a>(&self, bytes: &'a [u8]) -> &'a str {
        text(self.first_line().method.of(bytes))
    }

    /// Returns the target as received: visible ASCII.
    pub fn target<'a>(&self, bytes: &'a [u8]) -> &'a str {
        text(self.first_line().target.of(bytes))
    }

    /// Returns the version.
    pub const fn version(&self) -> HttpVersion {
        self.first_line().version
    }

    /// Returns the requested host as received: the value of `Host`, or, for HTTP/1.0 without one, the authority of an absolute target.
    pub fn host<'a>(&self, bytes: &'a [u8]) -> Option<&'a str> {
        // RFC 9112 section 3.3: the host of a request without `Host` is the authority of its absolute target.
        let authority = self.first_line().authority.map(|(_, span)| span);
        let host = self.seen.host().or(authority)?;
        Some(text(host.of(bytes)))
    }

    /// Reports whether there is a `Host` field.
    pub const fn has_host_field(&self) -> bool {
        self.seen.host().is_some()
    }

    /// Reports whether an `X-Request-Id` passes.
    pub fn has_request_id(&self) -> bool {
        self.seen.request_id == Passage::Passes
    }

    /// Reports whether a `traceparent` passes.
    pub fn has_traceparent(&self) -> bool {
        self.seen.traceparent == Passage::Passes
    }

    /// Returns the fields, in order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Returns the framing of the body.
    pub const fn framing(&self) -> Framing {
        self.seen.framing()
    }

    /// Reports whether the received `Content-Length` is not in normal form and has to be written again.
    pub const fn rewrites_length(&self) -> bool {
        self.seen.odd_length()
    }

    /// Returns the options that the request sets for its connection and its exchange.
    pub fn options(&self, bytes: &[u8]) -> RequestOptions {
        let new = self.version() == HttpVersion::Http11;
        let body = !matches!(self.framing(), Framing::None | Framing::Length(0));
        RequestOptions {
            // RFC 9112 section 9.3: an HTTP/1.1 connection persists unless the message has the option close, and an HTTP/1.0 one only with
            // the option keep-alive.
            keep_alive: if new {
                !self.seen.close
            } else {
                self.seen.keep_alive && !self.seen.close
            },
            // RFC 9110 section 7.8: an `Upgrade` in an HTTP/1.0 request is ignored.
            // RFC 6455 section 4.2.1: an opening handshake is a GET of HTTP/1.1 with `websocket` in `Upgrade` and the option upgrade in
            // `Connection`; stricter: and without a body.
            web_socket: new && !body && self.seen.upgrades() && self.method(bytes) == "GET",
            // RFC 9110 section 10.1.1: an expectation in an HTTP/1.0 request is ignored.
            expects_continue: new && self.seen.expects_continue,
            trailers: new && self.seen.trailers,
        }
    }
}

/// Returns bytes already checked to be ASCII as text.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}
