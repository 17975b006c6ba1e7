//! The proxy's own answers as HTTP/1: small, plain, and without ending the connection where the next request can be found.

use crate::core::request::additions::{self, FieldList};
use crate::core::request::answer::{Answer, Content};
use crate::core::request::edits::CompiledEdits;
use crate::core::request::http1::date::DateText;
use crate::core::request::http1::forward;
use crate::core::request::http1::{Framing, HttpVersion};

#[cfg(test)]
mod tests;

/// What an answer must know of its request, route and connection.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The client's version.
    pub version: HttpVersion,
    /// The request was a HEAD.
    pub head: bool,
    /// Whether the connection stays open.
    pub keep_alive: bool,
    /// The date.
    pub date: &'a DateText,
    /// The response edits of the route that gives the answer.
    pub route: Option<&'a CompiledEdits>,
    /// What is added to this answer alone.
    pub additions: &'a FieldList,
}

/// Writes an answer. Content that is streamed is to follow, by the [`streamed_framing`] of the client's version.
pub fn write(answer: &Answer, frame: &Frame<'_>, out: &mut Vec<u8>) {
    let reason = reason(answer.status);
    out.extend_from_slice(format!("HTTP/1.1 {} {reason}\r\n", answer.status).as_bytes());
    if !frame.route.is_some_and(CompiledEdits::sets_date) {
        forward::write_date(frame.date, out);
    }
    let text = match answer.content {
        Content::Status => text(answer.status),
        Content::Streamed { .. } => String::new(),
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
    if !frame.head {
        out.extend_from_slice(text.as_bytes());
    }
}

/// How streamed content is framed for a client.
pub const fn streamed_framing(length: Option<u64>, version: HttpVersion) -> Framing {
    match (length, version) {
        (Some(length), _) => Framing::Length(length),
        (None, HttpVersion::Http11) => Framing::Chunked,
        (None, HttpVersion::Http10) => Framing::UntilClose,
    }
}

fn write_framing(answer: &Answer, text: usize, version: HttpVersion, out: &mut Vec<u8>) {
    let framing = match answer.content {
        Content::Status if answer.status == 204 => return,
        Content::Status => Framing::Length(text as u64),
        Content::Streamed { length } => streamed_framing(length, version),
    };
    match framing {
        Framing::Length(length) => forward::write_length(length, out),
        Framing::Chunked => out.extend_from_slice(forward::CHUNKED),
        Framing::None | Framing::UntilClose => {}
    }
}

/// Writes a field, unless the route takes it away.
fn line(frame: &Frame<'_>, (name, value): (&[u8], &[u8]), out: &mut Vec<u8>) {
    if !frame.route.is_some_and(|route| route.drops(name)) {
        additions::write(name, value, out);
    }
}

/// A line for people; what exactly was wrong stands in the metrics, not in front of whoever asks.
fn text(status: u16) -> String {
    match status {
        204 | 300..=399 => String::new(),
        status => format!("{status} {}\n", reason(status)),
    }
}

/// The usual reason phrase of a status that we answer.
const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        414 => "URI Too Long",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        508 => "Loop Detected",
        _ => "Internal Server Error",
    }
}
