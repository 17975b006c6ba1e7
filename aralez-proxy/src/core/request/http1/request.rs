//! The head of a request.

use crate::core::limits::HeadLimits;
use crate::core::request::fields::FieldName;
use crate::core::request::http1::field::{self, BadField, Field};
use crate::core::request::http1::lines::{Line, Lines};
use crate::core::request::http1::{Framing, HttpVersion, RequestRefusal};

mod fields;
mod first_line;
mod rules;
#[cfg(test)]
mod tests;

pub use fields::HeadFields;
use rules::SeenRequestFields;

/// Empty lines before a request that are passed over (RFC 9112 section 2.2); more are not a request.
const MAX_EMPTY_LINES: u8 = 4;
/// What a request line may hold beside its target.
const LINE_ROOM: usize = 64;

/// The head of one request, as places in the caller's bytes. Kept and cleared, it is read again without allocating.
#[derive(Clone, Debug, Default)]
pub struct RequestHead {
    lines: Lines,
    empty: u8,
    line: Option<first_line::FirstLine>,
    fields: Vec<Field>,
    seen: SeenRequestFields,
}

/// What a head asks of the connection and of the exchange.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wishes {
    /// The connection stays open for the next request.
    pub keep_alive: bool,
    /// It asks to become a WebSocket (RFC 6455 section 4.1). Other upgrades are not served, and not seen by endpoints.
    pub web_socket: bool,
    /// It waits for a 100 before it sends its body.
    pub expects_continue: bool,
    /// It takes trailers.
    pub trailers: bool,
}

impl RequestHead {
    /// Forgets what was read.
    pub fn clear(&mut self) {
        self.lines = Lines::default();
        self.empty = 0;
        self.line = None;
        self.fields.clear();
        self.seen = SeenRequestFields::default();
    }

    /// Reads on. `bytes` begin where the request begins, and hold at least what they held at the last call. `Some` is the length of the
    /// head, `None`: more is to come.
    ///
    /// # Errors
    /// The first rule that the head breaks. The answer is the same, however the bytes are split over calls.
    pub fn read(
        &mut self,
        bytes: &[u8],
        limits: &HeadLimits,
    ) -> Result<Option<usize>, RequestRefusal> {
        while let Some(line) = self.lines.next(bytes) {
            self.check_size(line.start, line.end, limits)?;
            if !line.crlf {
                return Err(RequestRefusal::BareLineFeed);
            }
            if self.take(bytes, line, limits)? {
                self.finish(bytes)?;
                return Ok(Some(line.next));
            }
        }
        // A CR at the end may be the first half of the line's end.
        let open = bytes.strip_suffix(b"\r").unwrap_or(bytes).len();
        self.check_size(self.lines.start(), open, limits)?;
        Ok(None)
    }

    /// A line that ends, or will end, at `end` or later. Of two limits the lower one counts: a line that comes slowly meets it first.
    const fn check_size(
        &self,
        start: usize,
        end: usize,
        limits: &HeadLimits,
    ) -> Result<(), RequestRefusal> {
        let line = start + limits.target + LINE_ROOM;
        // The line's own end is still to come.
        let head = limits.bytes.saturating_sub(2);
        if self.line.is_none() && end > line && line <= head {
            return Err(RequestRefusal::TargetTooLong);
        }
        if end > head {
            return Err(RequestRefusal::HeadTooLarge);
        }
        Ok(())
    }

    /// Takes a line; `true` where it was the last one.
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
            return Err(RequestRefusal::TooManyFields);
        }
        let field = Field::read(bytes, line).map_err(|bad| match bad {
            BadField::Folded => RequestRefusal::Folded,
            BadField::NoColon => RequestRefusal::NoColon,
            BadField::Name => RequestRefusal::FieldName,
            BadField::Value => RequestRefusal::FieldValue,
        })?;
        self.seen.note(&field, bytes)?;
        self.fields.push(field);
        Ok(false)
    }

    /// The rules that need the whole head, and what follows from it for each field.
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
            let no_expect = name == FieldName::Expect && (old || field.value(bytes).is_empty());
            if name.is_hop_by_hop() || name == FieldName::Ours || no_expect {
                field.keep = false;
            }
        }
        if self.seen.expects_continue {
            // A client that has its own `Expect` dropped gets no 100, and is not waited for as if it did.
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

    /// The method.
    pub fn method<'a>(&self, bytes: &'a [u8]) -> &'a str {
        text(self.first_line().method.of(bytes))
    }

    /// The target as it came: visible ASCII.
    pub fn target<'a>(&self, bytes: &'a [u8]) -> &'a str {
        text(self.first_line().target.of(bytes))
    }

    /// The version.
    pub const fn version(&self) -> HttpVersion {
        self.first_line().version
    }

    /// The host that is asked for, as it came: the value of `Host`, or, where HTTP/1.0 sends none, the authority of an absolute target.
    pub fn host<'a>(&self, bytes: &'a [u8]) -> Option<&'a str> {
        let authority = self.first_line().authority.map(|(_, span)| span);
        let host = self.seen.host().or(authority)?;
        Some(text(host.of(bytes)))
    }

    /// Whether there is a `Host` field.
    pub const fn has_host_field(&self) -> bool {
        self.seen.host().is_some()
    }

    /// The fields, in their order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// How the end of the body is told.
    pub const fn framing(&self) -> Framing {
        self.seen.framing()
    }

    /// The length as it came is not the number's usual form, and is written anew.
    pub const fn rewrites_length(&self) -> bool {
        self.seen.odd_length()
    }

    /// What it asks of the connection.
    pub fn wishes(&self, bytes: &[u8]) -> Wishes {
        let new = self.version() == HttpVersion::Http11;
        let body = !matches!(self.framing(), Framing::None | Framing::Length(0));
        Wishes {
            keep_alive: if new {
                !self.seen.close
            } else {
                self.seen.keep_alive && !self.seen.close
            },
            web_socket: new && !body && self.seen.upgrades() && self.method(bytes) == "GET",
            expects_continue: new && self.seen.expects_continue,
            trailers: new && self.seen.trailers,
        }
    }
}

/// What was checked to be ASCII is text.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}
