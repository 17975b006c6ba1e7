//! The reasons why a response is not forwarded.

use crate::core::request::http1::reasons::reasons;

reasons! {
    /// The reason why a response is refused. The client gets a 502 if no response has begun, and the endpoint's connection is closed. The
    /// names are metric labels and contain nothing of the response.
    pub enum BadResponse {
        /// The status line is malformed (RFC 9112 section 4).
        StatusLine = "status_line": "the status line is malformed",
        /// The version is not HTTP/1.0 to HTTP/1.9 (RFC 9112 section 2.3).
        Version = "version": "the version is unknown",
        /// The status is not three digits, or below 100 (RFC 9110 section 15).
        Status = "status": "the status is not three digits",
        /// The head is larger than 64 KiB.
        HeadTooLarge = "head_too_large": "the head is too large",
        /// There are more than 256 fields.
        TooManyFields = "too_many_fields": "there are too many header fields",
        /// A folded line continues no field, or a field that frames the message (RFC 9112 section 5.2).
        Folded = "folded": "a folded line is not allowed here",
        /// A line without a colon (RFC 9112 section 5).
        NoColon = "no_colon": "a header field has no colon",
        /// A name is not a token (RFC 9112 section 5.1).
        FieldName = "field_name": "a header name is not a token",
        /// CR or NUL in a value (RFC 9110 section 5.5).
        FieldValue = "field_value": "a header value contains CR or NUL",
        /// There are several lengths, and they differ (RFC 9112 section 6.3).
        LengthsDiffer = "lengths_differ": "Content-Length is repeated with different values",
        /// `Content-Length` is not one number (RFC 9110 section 8.6).
        LengthMalformed = "length_malformed": "Content-Length is not one number",
        /// There are several codings, or the coding is not exactly `chunked` (RFC 9112 section 6.1).
        Coding = "coding": "Transfer-Encoding is not exactly chunked",
        /// `Transfer-Encoding` in HTTP/1.0, which does not define it (RFC 9112 section 6.1).
        CodingInOld = "coding_in_old": "Transfer-Encoding is not allowed in HTTP/1.0",
        /// A switch of protocols that was not requested (RFC 9110 section 15.2.2).
        Switch = "switch": "the protocol switch was not requested",
        /// More informational responses than any exchange needs (RFC 9110 section 15.2).
        Informational = "informational": "there are too many informational responses",
        /// The connection closed before the head was complete.
        Early = "early": "the connection closed before the head was complete",
        /// A chunk is malformed (RFC 9112 section 7.1).
        Chunk = "chunk": "a chunk is malformed",
        /// The connection closed before the body was complete (RFC 9112 section 8).
        Truncated = "truncated": "the body is truncated",
    }
}
