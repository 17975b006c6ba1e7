//! Forwarded heads: kept fields are copied in runs, dropped fields are skipped, added fields follow them.

use crate::core::request::http1::date::DateText;
use crate::core::request::http1::field::Field;
use crate::core::request::http1::request::{HeadFields, RequestHead, RequestOptions};
use crate::core::request::http1::response::ResponseHead;
use crate::core::request::http1::{Framing, HttpVersion};
use aralez_decision::additions::FieldList;
use aralez_decision::client::{self, ClientFacts, RelayedFields};
use aralez_decision::edits::{CompiledEdits, Forwarded, OurLine};
use aralez_decision::fields::FieldName;
use aralez_decision::pseudonym::Pseudonym;
use aralez_decision::trace::NewIds;

#[cfg(test)]
mod tests;

/// The changes to a request on its way to the endpoint.
#[derive(Clone, Copy, Debug)]
pub struct RequestEdits<'a> {
    /// The path and query.
    pub target: &'a str,
    /// The `Host` for a request without one (HTTP/1.0); the request to the endpoint is HTTP/1.1, which requires it.
    pub missing_host: Option<&'a str>,
    /// The edits of the route.
    pub route: &'a CompiledEdits,
    /// Fields added to this request only.
    pub additions: &'a FieldList,
    /// The fields that describe the other end of the connection.
    pub forwarded: &'a Forwarded,
    /// The client. If a trusted proxy is at the other end of the connection, the fields of that proxy pass.
    pub client: ClientFacts,
    /// The name under which this node forwards the request.
    pub node: &'a Pseudonym,
    /// The ids of the request if it brought none.
    pub ids: &'a NewIds,
    /// The client's options to pass on.
    pub options: RequestOptions,
}

/// Writes the head of a request for the endpoint, as HTTP/1.1 with the framing of the request.
pub fn request(head: &RequestHead, bytes: &[u8], edits: &RequestEdits<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(head.method(bytes).as_bytes());
    out.push(b' ');
    // RFC 9112 section 3.2.1: a request to an endpoint has its target in origin form.
    out.extend_from_slice(edits.target.as_bytes());
    // RFC 9112 section 2.3: a proxy sends its own version in a forwarded message, not the received one.
    out.extend_from_slice(b" HTTP/1.1\r\n");
    // RFC 9112 section 3.2: an HTTP/1.1 request is sent with a `Host`, also if the client sent none, unless the route removes it.
    if let Some(host) = edits.missing_host.filter(|_| !edits.route.drops(b"host")) {
        out.extend_from_slice(b"host: ");
        out.extend_from_slice(host.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    let anew = head.rewrites_length();
    let fields = HeadFields::new(head, bytes);
    let relayed = edits.client.relayed(&fields);
    copy(head.fields(), bytes, edits.route, out, |field| {
        if field.name == FieldName::Ours {
            // Never kept by the parser, which does not know who is trusted.
            return relayed.is_some() && client::passes(field.key(bytes));
        }
        field.keep && !(anew && field.name == FieldName::ContentLength)
    });
    write_added(head, bytes, edits, relayed, out);
    if edits.options.web_socket {
        // RFC 9110 section 7.8: a sender of `Upgrade` names it in `Connection` too.
        out.extend_from_slice(b"connection: upgrade\r\nupgrade: websocket\r\n");
    } else if edits.options.trailers {
        // RFC 9110 section 10.1.4: a sender of `TE` names it in `Connection` too.
        out.extend_from_slice(b"connection: te\r\nte: trailers\r\n");
    }
    match head.framing() {
        Framing::Chunked => out.extend_from_slice(CHUNKED),
        Framing::Length(length) if anew => write_length(length, out),
        _ => {}
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends the fields that are added to a request: those about its client, the passed proxies and the ids, those of the route, and those of
/// this request only. `relayed`: what a trusted proxy at the other end of the connection says.
#[inline]
pub(super) fn write_added(
    head: &RequestHead,
    bytes: &[u8],
    edits: &RequestEdits<'_>,
    relayed: Option<RelayedFields<'_, HeadFields<'_>>>,
    out: &mut Vec<u8>,
) {
    match relayed {
        Some(relayed) => relayed.write(head.host(bytes), edits.route, out),
        None => edits.forwarded.write(head.host(bytes), edits.route, out),
    }
    write_passed(head.version(), edits, out);
    write_ids(head, edits, out);
    out.extend_from_slice(edits.route.lines());
    out.extend_from_slice(edits.additions.lines());
}

/// Appends this node to the proxies that the request has passed, after the fields of earlier ones: in `Via`, unless the route overrides it,
/// and always in `CDN-Loop`, which detects loops.
fn write_passed(version: HttpVersion, edits: &RequestEdits<'_>, out: &mut Vec<u8>) {
    let node = edits.node.as_str().as_bytes();
    if !edits.route.overrides(OurLine::Via) {
        // RFC 9110 section 7.6.3: a gateway appends a `Via` with the received version and its pseudonym to each request, unless the route
        // sets or removes the field.
        out.extend_from_slice(match version {
            HttpVersion::Http10 => b"via: 1.0 ",
            HttpVersion::Http11 => b"via: 1.1 ",
        });
        out.extend_from_slice(node);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"cdn-loop: ");
    out.extend_from_slice(node);
    out.extend_from_slice(b"\r\n");
}

/// Appends the ids of a request that brought none, unless the route sets or removes them.
fn write_ids(head: &RequestHead, edits: &RequestEdits<'_>, out: &mut Vec<u8>) {
    if !head.has_request_id() && !edits.route.overrides(OurLine::RequestId) {
        out.extend_from_slice(b"x-request-id: ");
        out.extend_from_slice(&edits.ids.request_text());
        out.extend_from_slice(b"\r\n");
    }
    if !head.has_traceparent() && !edits.route.overrides(OurLine::Traceparent) {
        out.extend_from_slice(b"traceparent: ");
        out.extend_from_slice(&edits.ids.traceparent());
        out.extend_from_slice(b"\r\n");
    }
}

// RFC 9112 section 6.1: a sender applies the chunked coding to a body only once.
pub(super) const CHUNKED: &[u8] = b"transfer-encoding: chunked\r\n";

/// The changes to a response on its way to the client.
#[derive(Clone, Copy, Debug)]
pub struct ResponseEdits<'a> {
    /// The edits of the route.
    pub route: &'a CompiledEdits,
    /// Fields added to this response only.
    pub additions: &'a FieldList,
    /// The date for a response without `Date`.
    pub date: &'a DateText,
    /// Set if the body is forwarded as chunks.
    pub chunked: bool,
    /// The client's version.
    pub version: HttpVersion,
    /// Set if the client's connection stays open.
    pub keep_alive: bool,
}

/// Writes the head of a final response for the client.
pub fn response(head: &ResponseHead, bytes: &[u8], edits: &ResponseEdits<'_>, out: &mut Vec<u8>) {
    status_line(head, bytes, out);
    let anew = head.rewrites_length();
    copy(head.fields(), bytes, edits.route, out, |field| {
        field.keep && !(anew && field.name == FieldName::ContentLength)
    });
    out.extend_from_slice(edits.route.lines());
    out.extend_from_slice(edits.additions.lines());
    // RFC 9110 section 6.6.1: a recipient with a clock adds a date to a response without one before it forwards it.
    if !head.has_date() && !edits.route.sets_date() {
        write_date(edits.date, out);
    }
    // RFC 9110 section 8.6: a `Content-Length` that an endpoint repeats with equal values is replaced by a single one before the response
    // is forwarded.
    if let (true, Some(length)) = (anew, head.length()) {
        write_length(length, out);
    }
    if edits.chunked {
        out.extend_from_slice(CHUNKED);
    }
    write_connection(edits.version, edits.keep_alive, out);
    if head.requires_upgrade() {
        // RFC 9110 section 7.8: a sender of `Upgrade` names it in `Connection` too.
        out.extend_from_slice(b"connection: upgrade\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes the head of an informational response. Routes do not edit it.
pub fn informational(head: &ResponseHead, bytes: &[u8], out: &mut Vec<u8>) {
    status_line(head, bytes, out);
    let edits = CompiledEdits::default();
    copy(head.fields(), bytes, &edits, out, |field| field.keep);
    out.extend_from_slice(b"\r\n");
}

/// Writes the head of a switch to WebSocket.
pub fn switch(
    head: &ResponseHead,
    bytes: &[u8],
    (route, additions): (&CompiledEdits, &FieldList),
    out: &mut Vec<u8>,
) {
    status_line(head, bytes, out);
    // RFC 9110 section 8.6: a response with status 1xx or 204 has no `Content-Length`.
    copy(head.fields(), bytes, route, out, |field| {
        field.keep && field.name != FieldName::ContentLength
    });
    out.extend_from_slice(route.lines());
    out.extend_from_slice(additions.lines());
    // RFC 9110 section 15.2.2: a 101 names the new protocol in `Upgrade`.
    // RFC 9110 section 7.8: a sender of `Upgrade` names it in `Connection` too.
    out.extend_from_slice(b"connection: upgrade\r\nupgrade: websocket\r\n\r\n");
}

/// Writes whether the client's connection stays open, unless the version implies it.
pub(super) fn write_connection(version: HttpVersion, keep_alive: bool, out: &mut Vec<u8>) {
    match (version, keep_alive) {
        (HttpVersion::Http11, true) => {}
        // RFC 9112 section 9.3: a connection of an HTTP/1.0 client persists only if the response has the option keep-alive.
        (HttpVersion::Http10, true) => out.extend_from_slice(b"connection: keep-alive\r\n"),
        // RFC 9112 section 9.6: a server that closes the connection after a response sends the option close in it.
        (_, false) => out.extend_from_slice(b"connection: close\r\n"),
    }
}

pub(super) fn write_date(date: &DateText, out: &mut Vec<u8>) {
    out.extend_from_slice(b"date: ");
    out.extend_from_slice(date.as_bytes());
    out.extend_from_slice(b"\r\n");
}

pub(super) fn write_length(length: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"content-length: ");
    out.extend_from_slice(length.to_string().as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn status_line(head: &ResponseHead, bytes: &[u8], out: &mut Vec<u8>) {
    let status = head.status();
    let digit = |power: u16| b'0' + (status / power % 10) as u8;
    // RFC 9112 section 2.3: a proxy sends its own version in a forwarded message, not the received one.
    out.extend_from_slice(b"HTTP/1.1 ");
    // RFC 9112 section 4: a space follows the status, also if there is no reason phrase.
    out.extend_from_slice(&[digit(100), digit(10), digit(1), b' ']);
    out.extend_from_slice(head.reason(bytes));
    out.extend_from_slice(b"\r\n");
}

/// Copies the fields that pass: unchanged lines in runs, repaired lines one by one.
pub(super) fn copy(
    fields: &[Field],
    bytes: &[u8],
    edits: &CompiledEdits,
    out: &mut Vec<u8>,
    passes: impl Fn(&Field) -> bool,
) {
    // RFC 9110 section 5.1: a proxy forwards fields that it does not know, unless `Connection` names them or its configuration removes
    // them.
    // RFC 9110 section 5.3: a proxy keeps the order of field lines.
    let edited = !edits.drops_nothing();
    let mut run = 0..0;
    for field in fields {
        let kept = passes(field) && !(edited && edits.drops(field.key(bytes)));
        if kept && field.plain {
            if run.end != field.start() {
                out.extend_from_slice(&bytes[run]);
                run = field.start()..field.start();
            }
            run.end = field.next();
        } else if kept {
            out.extend_from_slice(&bytes[run]);
            run = 0..0;
            write_repaired(field, bytes, out);
        }
    }
    out.extend_from_slice(&bytes[run]);
}

/// Writes a field on one line: each fold becomes one space (RFC 9112 section 5.2), and so does each control byte.
fn write_repaired(field: &Field, bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(field.key(bytes));
    out.extend_from_slice(b": ");
    // RFC 9112 section 5.2: each fold in a response becomes one space before the field is forwarded.
    let lines = field.value(bytes).split(|byte| *byte == b'\n');
    let parts =
        lines.map(|line| aralez_decision::octets::trim(line.strip_suffix(b"\r").unwrap_or(line)));
    for (at, part) in parts.filter(|part| !part.is_empty()).enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        // RFC 9110 section 5.5: a control byte in a forwarded value is replaced by a space.
        let space = |byte: &u8| if byte.is_ascii_control() { b' ' } else { *byte };
        out.extend(part.iter().map(space));
    }
    out.extend_from_slice(b"\r\n");
}
