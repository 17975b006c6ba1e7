//! The proxy's own responses as HTTP/1: small, plain, and without closing the connection if the start of the next request is known.

use http::StatusCode;

use crate::core::request::http1::date::DateText;
use crate::core::request::http1::forward;
use crate::core::request::http1::{Framing, HttpVersion};
use aralez_decision::additions::{self, FieldList};
use aralez_decision::answer::{Answer, Content};
use aralez_decision::edits::CompiledEdits;

#[cfg(test)]
mod tests;

/// The facts about the request, route and connection that a generated response depends on.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The client's version.
    pub version: HttpVersion,
    /// Set if the request was a HEAD.
    pub head: bool,
    /// Set if the connection stays open.
    pub keep_alive: bool,
    /// The date for the `Date` field.
    pub date: &'a DateText,
    /// The response edits of the answering route.
    pub route: Option<&'a CompiledEdits>,
    /// Fields added to this response only.
    pub additions: &'a FieldList,
}

/// Writes a generated response. The caller appends content that is not the text of its status: bytes by their length, and streamed content
/// framed by [`streamed_framing`] for the client's version.
pub fn write(answer: &Answer, frame: &Frame<'_>, out: &mut Vec<u8>) {
    let reason = reason(answer.status);
    out.extend_from_slice(format!("HTTP/1.1 {} {reason}\r\n", answer.status).as_bytes());
    if !frame.route.is_some_and(CompiledEdits::sets_date) {
        // RFC 9110 section 6.6.1: a response that the proxy generates has a date.
        forward::write_date(frame.date, out);
    }
    let text = match answer.content {
        Content::Status => text(answer.status),
        Content::Empty | Content::Bytes(_) | Content::Streamed { .. } => String::new(),
    };
    if !text.is_empty() {
        line(frame, (b"content-type", b"text/plain; charset=utf-8"), out);
    }
    write_framing(answer, text.len(), frame.version, out);
    for field in answer.fields.fields() {
        line(frame, field, out);
    }
    if let Some(route) = frame.route {
        out.extend_from_slice(route.lines());
    }
    out.extend_from_slice(frame.additions.lines());
    forward::write_connection(frame.version, frame.keep_alive, out);
    out.extend_from_slice(b"\r\n");
    // RFC 9110 section 9.3.2: a response to HEAD has no content.
    if !frame.head {
        out.extend_from_slice(text.as_bytes());
    }
}

/// Returns the framing of streamed content for a client.
pub const fn streamed_framing(length: Option<u64>, version: HttpVersion) -> Framing {
    match (length, version) {
        (Some(length), _) => Framing::Length(length),
        // RFC 9112 section 6.1: a response is chunked only if the request was HTTP/1.1.
        (None, HttpVersion::Http11) => Framing::Chunked,
        // RFC 9112 section 6.3: a response of unknown length to an HTTP/1.0 request ends with the connection.
        (None, HttpVersion::Http10) => Framing::UntilClose,
    }
}

fn write_framing(answer: &Answer, text: usize, version: HttpVersion, out: &mut Vec<u8>) {
    let framing = match answer.content {
        // RFC 9110 section 8.6: a response with status 1xx or 204 has no `Content-Length`.
        // RFC 9112 section 6.1: a response with status 1xx or 204 has no `Transfer-Encoding`.
        Content::Status | Content::Bytes(_) if answer.status == 204 => return,
        // RFC 9110 section 8.6: the `Content-Length` of a 304 is that of a 200 for the same request, which is unknown here.
        Content::Bytes(_) if answer.status == 304 => return,
        Content::Status | Content::Empty => Framing::Length(text as u64),
        Content::Bytes(ref bytes) => Framing::Length(bytes.len() as u64),
        Content::Streamed { length } => streamed_framing(length, version),
    };
    match framing {
        Framing::Length(length) => forward::write_length(length, out),
        Framing::Chunked => out.extend_from_slice(forward::CHUNKED),
        Framing::None | Framing::UntilClose => {}
    }
}

/// Writes a field, unless the route drops it.
fn line(frame: &Frame<'_>, (name, value): (&[u8], &[u8]), out: &mut Vec<u8>) {
    if !frame.route.is_some_and(|route| route.drops(name)) {
        additions::write(name, value, out);
    }
}

/// Returns the human-readable line of content. The exact error is counted in the metrics and not revealed to the client.
fn text(status: u16) -> String {
    match status {
        // RFC 9110 section 15.3.5: a 204 has no content.
        204 | 300..=399 => String::new(),
        status => format!("{status} {}\n", reason(status)),
    }
}

/// Returns the usual reason phrase of a status that the proxy generates.
fn reason(status: u16) -> &'static str {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    status.canonical_reason().unwrap_or_default()
}
