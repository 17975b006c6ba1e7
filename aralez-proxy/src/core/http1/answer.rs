//! Answers that the proxy gives itself: small, plain, and without ending the connection where the next request can be found.

use super::Version;
use super::date::DateText;
use super::forward;
use crate::core::edits::CompiledEdits;

#[cfg(test)]
mod tests;

/// An answer of the proxy's own.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The status.
    pub status: u16,
    /// Where a redirect leads.
    pub location: Option<&'a str>,
    /// The response edits of the route that gives the answer.
    pub route: Option<&'a CompiledEdits>,
}

/// What an answer must know of its request and connection.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The client's version.
    pub version: Version,
    /// The request was a HEAD.
    pub head: bool,
    /// Whether the connection stays open.
    pub keep_alive: bool,
    /// The date.
    pub date: &'a DateText,
}

impl Answer<'_> {
    /// An answer that only a status tells.
    pub const fn of(status: u16) -> Self {
        Answer {
            status,
            location: None,
            route: None,
        }
    }

    /// Writes it, body included.
    pub fn write(&self, frame: &Frame<'_>, out: &mut Vec<u8>) {
        let body = self.body();
        let reason = reason(self.status);
        out.extend_from_slice(format!("HTTP/1.1 {} {reason}\r\n", self.status).as_bytes());
        let dated = self.route.is_some_and(CompiledEdits::sets_date);
        if !dated {
            forward::write_date(frame.date, out);
        }
        self.line(
            "content-type",
            b"text/plain; charset=utf-8",
            !body.is_empty(),
            out,
        );
        if self.status != 204 {
            forward::write_length(body.len() as u64, out);
        }
        let location = self.location.unwrap_or_default();
        self.line(
            "location",
            location.as_bytes(),
            self.location.is_some(),
            out,
        );
        // Early in the life of a node, and where endpoints come and go, a second is a long time.
        self.line("retry-after", b"1", self.status == 503, out);
        if let Some(route) = self.route {
            out.extend_from_slice(route.lines());
        }
        forward::write_connection(frame.version, frame.keep_alive, out);
        out.extend_from_slice(b"\r\n");
        if !frame.head {
            out.extend_from_slice(body.as_bytes());
        }
    }

    /// Writes a field, unless the route takes it away.
    fn line(&self, name: &str, value: &[u8], wanted: bool, out: &mut Vec<u8>) {
        let dropped = self.route.is_some_and(|route| route.drops(name.as_bytes()));
        if wanted && !dropped {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
    }

    /// A line for people; what exactly was wrong stands in the metrics, not in front of whoever asks.
    fn body(&self) -> String {
        match self.status {
            204 | 300..=399 => String::new(),
            status => format!("{status} {}\n", reason(status)),
        }
    }
}

/// The usual reason phrase of a status that we answer.
const fn reason(status: u16) -> &'static str {
    match status {
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
