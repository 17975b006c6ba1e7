//! The head of a response.

use std::time::Duration;

use crate::core::request::http1::field::{self, BadField, Field};
use crate::core::request::http1::lines::{Line, Lines};
use crate::core::request::http1::{Framing, HttpVersion, Span};
use aralez_decision::fields::FieldName;
use aralez_decision::octets;

mod bad;
mod rules;
#[cfg(test)]
mod tests;

pub use bad::BadResponse;
use rules::{MAX_NOMINATED, SeenResponseFields};

/// Largest head of a response, in bytes.
pub const MAX_HEAD: usize = 64 * 1024;
/// Margin by which a connection is retired before the endpoint's announced keep-alive timeout.
const KEEP_ALIVE_MARGIN: Duration = Duration::from_secs(1);
/// Maximum number of fields of a response. More than for a request: `Set-Cookie` occurs once per cookie.
pub const MAX_FIELDS: usize = 256;

/// The only final status whose `Upgrade` is forwarded: it must name the required protocols (RFC 9110 section 15.5.22).
const UPGRADE_REQUIRED: u16 = 426;

/// The head of one response, as ranges of the caller's bytes. It can be cleared and reused without allocating.
#[derive(Clone, Debug, Default)]
pub struct ResponseHead {
    lines: Lines,
    line: Option<StatusLine>,
    fields: Vec<Field>,
    seen: SeenResponseFields,
}

#[derive(Clone, Copy, Debug)]
struct StatusLine {
    version: HttpVersion,
    status: u16,
    reason: Span,
}

/// The facts about the request that affect how the response is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Asked {
    /// The request was a HEAD, so the response has no body.
    pub head: bool,
    /// The request asked for a WebSocket.
    pub web_socket: bool,
}

impl ResponseHead {
    /// Clears everything that was read.
    pub fn clear(&mut self) {
        self.lines = Lines::default();
        self.line = None;
        self.fields.clear();
        self.seen = SeenResponseFields::default();
    }

    /// Continues to read the head. `bytes` begins with the response, and holds at least the bytes of the last call. Returns the length of
    /// the head, or `None` if it is incomplete.
    ///
    /// # Errors
    /// The first rule that the head violates. The result does not depend on how the bytes are split over calls.
    pub fn read(&mut self, bytes: &[u8]) -> Result<Option<usize>, BadResponse> {
        while let Some(line) = self.lines.next(bytes) {
            check_size(line.end)?;
            // RFC 9112 section 2.2: a recipient may accept LF alone as the end of a line, as the proxy does from an endpoint.
            if self.take(bytes, line)? {
                self.finish(bytes)?;
                return Ok(Some(line.next));
            }
        }
        check_size(bytes.strip_suffix(b"\r").unwrap_or(bytes).len())?;
        Ok(None)
    }

    /// Processes a line. Returns `true` if it was the last one.
    fn take(&mut self, bytes: &[u8], line: Line) -> Result<bool, BadResponse> {
        if self.line.is_none() {
            self.line = Some(status_line(bytes, line)?);
            return Ok(false);
        }
        if line.start == line.end {
            return Ok(true);
        }
        match Field::read_from_endpoint(bytes, line) {
            Ok(field) => self.push(field)?,
            Err(BadField::Folded) => {
                // RFC 9112 section 2.2: a message with whitespace between its first line and its first field is refused.
                let last = self.fields.last_mut().ok_or(BadResponse::Folded)?;
                last.fold(bytes, line)
                    .map_err(|_| BadResponse::FieldValue)?;
            }
            Err(BadField::NoColon) => return Err(BadResponse::NoColon),
            Err(BadField::Name) => return Err(BadResponse::FieldName),
            Err(BadField::Value) => return Err(BadResponse::FieldValue),
        }
        Ok(false)
    }

    fn push(&mut self, field: Field) -> Result<(), BadResponse> {
        if self.fields.len() == MAX_FIELDS {
            return Err(BadResponse::TooManyFields);
        }
        self.fields.push(field);
        Ok(())
    }

    /// Checks the rules that need the whole head, and marks the fields to drop.
    fn finish(&mut self, bytes: &[u8]) -> Result<(), BadResponse> {
        for field in &self.fields {
            self.seen.note(field, bytes)?;
        }
        self.seen.check(self.version())?;
        if self.seen.nominates {
            self.drop_nominated(bytes);
            // RFC 9110 section 6.6.1: a date that does not go on is replaced like one that is absent.
            let mut kept = self.fields.iter().filter(|field| field.keep);
            self.seen.date = kept.any(|field| field.name == FieldName::Date);
        }
        let lengthless = self.is_lengthless();
        let requires_upgrade = self.status() == UPGRADE_REQUIRED;
        for field in &mut self.fields {
            // RFC 9110 section 15.5.22: a 426 names the required protocols in `Upgrade`, so the proxy forwards the field.
            if requires_upgrade && field.name == FieldName::Upgrade {
                field.keep = true;
                continue;
            }
            if field.name.is_hop_by_hop() || (lengthless && field.name == FieldName::ContentLength)
            {
                field.keep = false;
            }
        }
        Ok(())
    }

    fn drop_nominated(&mut self, bytes: &[u8]) {
        let mut left = MAX_NOMINATED;
        for at in 0..self.fields.len() {
            let field = self.fields[at];
            if field.name != FieldName::Connection {
                continue;
            }
            for nominated in octets::list(field.value(bytes)).take(left) {
                left -= 1;
                // The proxy frames the response, whatever the endpoint nominates.
                field::drop_nominated(&mut self.fields, bytes, nominated, |name| {
                    name.is_clients_to_drop() || name == FieldName::Ours
                });
            }
        }
    }

    /// Returns the version.
    pub fn version(&self) -> HttpVersion {
        self.line.map(|line| line.version).unwrap_or_default()
    }

    /// Returns the status, 100 to 999.
    pub fn status(&self) -> u16 {
        self.line.map_or(0, |line| line.status)
    }

    /// Returns the reason phrase as received; empty if there is none or if it holds control bytes.
    pub fn reason<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        self.line
            .map_or(Span::default(), |line| line.reason)
            .of(bytes)
    }

    /// Returns the fields, in order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Reports whether another response to the same request follows: true for every 1xx except 101.
    pub fn is_informational(&self) -> bool {
        // RFC 9110 section 15: a status that is not known is treated like the x00 status of its class.
        (100..200).contains(&self.status()) && self.status() != 101
    }

    /// Reports whether this is a 426 whose `Upgrade`, naming the required protocols, is forwarded.
    pub fn requires_upgrade(&self) -> bool {
        let named = |field: &Field| field.name == FieldName::Upgrade && field.keep;
        self.status() == UPGRADE_REQUIRED && self.fields.iter().any(named)
    }

    /// Reports whether there is a `Date` field.
    pub const fn has_date(&self) -> bool {
        self.seen.date
    }

    /// Reports whether `Content-Length` is forwarded, but has to be written again because it is repeated or not in normal form.
    pub fn rewrites_length(&self) -> bool {
        self.seen.odd_length && !self.is_lengthless()
    }

    /// Reports whether `Content-Length` is not forwarded: chunks delimit the body, or the status allows no length.
    fn is_lengthless(&self) -> bool {
        // RFC 9112 section 6.3: an intermediary removes `Content-Length` from a response with `Transfer-Encoding` before it forwards it.
        // RFC 9110 section 8.6: a response with status 1xx or 204 has no `Content-Length`.
        self.seen.chunked || self.is_informational() || self.status() == 204
    }

    /// Returns the announced length. The body itself may be absent, as in the response to a HEAD.
    pub const fn length(&self) -> Option<u64> {
        if self.seen.chunked {
            None
        } else {
            self.seen.length
        }
    }

    /// Returns the framing of the body (RFC 9112 section 6.3).
    ///
    /// # Errors
    /// [`BadResponse::Switch`] for a 101 that was not requested, or that switches to another protocol.
    pub fn framing(&self, asked: Asked) -> Result<Framing, BadResponse> {
        if self.status() == 101 {
            // RFC 9110 section 7.8: a switch to a protocol that the request did not ask for is refused.
            // RFC 6455 section 4.1: a 101 without `websocket` in `Upgrade`, or without the option upgrade in `Connection`, fails the
            // opening handshake.
            let agreed = asked.web_socket && self.seen.web_socket && self.seen.names_upgrade;
            return if agreed {
                Ok(Framing::None)
            } else {
                Err(BadResponse::Switch)
            };
        }
        // RFC 9112 section 6.3: a response to HEAD, and any 1xx, 204 or 304, has no body.
        // RFC 9112 section 6.1: a response with status 1xx or 204 has no `Transfer-Encoding`.
        if asked.head || self.is_informational() || matches!(self.status(), 204 | 304) {
            return Ok(Framing::None);
        }
        Ok(match (self.seen.chunked, self.seen.length) {
            // RFC 9112 section 6.3: a `Transfer-Encoding` overrides a `Content-Length`.
            (true, _) => Framing::Chunked,
            (false, Some(length)) => Framing::Length(length),
            // RFC 9112 section 6.3: a response with neither `Transfer-Encoding` nor `Content-Length` ends with the connection.
            (false, None) => Framing::UntilClose,
        })
    }

    /// Returns for how long the connection may be reused, if the endpoint announces a timeout (`Keep-Alive: timeout=n`, RFC 2068 section
    /// 19.7.1). One second less than announced, or half of it if that is more: a request in flight when the endpoint closes is lost.
    pub fn keep_alive_for(&self) -> Option<Duration> {
        let told = Duration::from_secs(self.seen.keep_alive_for?);
        Some(told.saturating_sub(KEEP_ALIVE_MARGIN).max(told / 2))
    }

    /// Reports whether the endpoint keeps the connection open, provided that the body delimits itself. The proxy does not reuse a
    /// connection in doubt: if a length is combined with chunks; if `Connection` is not a short list of names, since it may have meant
    /// `close`; or if a 204 announces a body, which may still arrive and be taken for the next response.
    pub fn keeps_alive(&self) -> bool {
        let announced = self.seen.chunked || self.seen.length.is_some_and(|length| length > 0);
        let doubt = self.seen.odd_connection
            || (self.seen.chunked && self.seen.length.is_some())
            || (self.status() == 204 && announced);
        // RFC 9112 section 9.3: an HTTP/1.1 connection persists unless the message has the option close, and an HTTP/1.0 one only with the
        // option keep-alive.
        match self.version() {
            HttpVersion::Http11 => !self.seen.close && !doubt,
            HttpVersion::Http10 => self.seen.keep_alive && !self.seen.close && !doubt,
        }
    }
}

const fn check_size(end: usize) -> Result<(), BadResponse> {
    if end + 2 > MAX_HEAD {
        return Err(BadResponse::HeadTooLarge);
    }
    Ok(())
}

/// Parses `HTTP/1.1 200 OK`. The reason and the space before it may be missing (RFC 9112 section 4). Several spaces before the status count
/// as one, as that section permits. A reason with a control byte is dropped.
fn status_line(bytes: &[u8], line: Line) -> Result<StatusLine, BadResponse> {
    let text = &bytes[line.start..line.end];
    let (version, rest) = text.split_at_checked(8).ok_or(BadResponse::StatusLine)?;
    if !version.starts_with(b"HTTP/") {
        return Err(BadResponse::StatusLine);
    }
    let version = version_of(version).ok_or(BadResponse::Version)?;
    let rest = rest.strip_prefix(b" ").ok_or(BadResponse::StatusLine)?;
    // RFC 9112 section 4: a recipient may treat several spaces before the status as one, as the proxy does.
    let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
    let rest = &rest[spaces..];
    let (digits, reason) = rest.split_at_checked(3).ok_or(BadResponse::Status)?;
    let status = octets::decimal(digits).ok_or(BadResponse::Status)?;
    // RFC 9110 section 15: a status is a number of three digits, and one below 100 is invalid.
    if status < 100 {
        return Err(BadResponse::Status);
    }
    let reason = match reason {
        [] => reason,
        [b' ', reason @ ..] => reason,
        _ => return Err(BadResponse::Status),
    };
    // RFC 9112 section 2.2: a CR without LF makes the message invalid.
    if reason.contains(&b'\r') {
        return Err(BadResponse::StatusLine);
    }
    // RFC 9112 section 4: a client ignores the content of the reason phrase, so a phrase with a control byte is dropped.
    let shown = if octets::is_value(reason) {
        reason.len()
    } else {
        0
    };
    Ok(StatusLine {
        version,
        status: status as u16,
        reason: Span::new(line.end - shown, line.end),
    })
}

/// Parses the version. `None` for another major version, which has a different framing.
const fn version_of(text: &[u8]) -> Option<HttpVersion> {
    // RFC 9110 section 2.5: a message of a later minor version is processed as the latest that the recipient supports.
    match text {
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9'] => Some(HttpVersion::Http11),
        known => HttpVersion::of(known),
    }
}
