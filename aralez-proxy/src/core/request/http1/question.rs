//! Requests that ask an authorization server about a request of a client.

use crate::core::request::http1::forward::{self, RequestEdits};
use crate::core::request::http1::request::{HeadFields, RequestHead};
use aralez_decision::authorization::server::is_question_field;
use aralez_decision::client;
use aralez_decision::fields::FieldName;

#[cfg(test)]
mod tests;

/// The request line and host of a question.
#[derive(Clone, Copy, Debug)]
pub struct QuestionHead<'a> {
    /// The method.
    pub method: &'a str,
    /// The `Host` of the server.
    pub authority: &'a str,
}

/// Fields of a request that describe its content or select a part or a version of it: they mean nothing in a question, which has no content
/// and wants the whole response. In lower case.
const LEFT_OUT: [&[u8]; 10] = [
    b"content-encoding",
    b"content-language",
    b"content-location",
    b"content-range",
    b"if-match",
    b"if-modified-since",
    b"if-none-match",
    b"if-range",
    b"if-unmodified-since",
    b"range",
];

/// Writes the head of the question about the request of `head`. It has the fields of the request, and those that describe its client; the
/// target, the fields of the question itself and the (empty) edits of a route are in `edits`.
pub fn write(
    head: &RequestHead,
    bytes: &[u8],
    question: &QuestionHead<'_>,
    edits: &RequestEdits<'_>,
    out: &mut Vec<u8>,
) {
    let first = [
        question.method,
        " ",
        edits.target,
        " HTTP/1.1\r\nhost: ",
        question.authority,
        "\r\n",
    ];
    for part in first {
        out.extend_from_slice(part.as_bytes());
    }
    let fields = HeadFields::new(head, bytes);
    let relayed = edits.client.relayed(&fields);
    forward::copy(head.fields(), bytes, edits.route, out, |field| {
        let name = field.key(bytes);
        match field.name {
            FieldName::Ours => {
                relayed.is_some() && client::passes(name) && !is_question_field(name)
            }
            FieldName::Host
            | FieldName::ContentLength
            | FieldName::ContentType
            | FieldName::Expect => false,
            _ => {
                field.keep
                    && !LEFT_OUT
                        .iter()
                        .any(|left_out| left_out.eq_ignore_ascii_case(name))
            }
        }
    });
    forward::write_added(head, bytes, edits, relayed, out);
    out.extend_from_slice(b"\r\n");
}
