//! The reasons why a response is not forwarded.

use crate::core::request::http1::reasons::reasons;

reasons! {
    /// The reason why a response is refused. The client gets a 502 if no response has begun, and the endpoint's connection is closed. The
    /// names are metric labels and contain nothing of the response.
    pub enum BadResponse {
        /// RFC 9112 section 4: the status line is malformed.
        StatusLine = "status_line": "the status line is malformed",
        /// RFC 9112 section 2.3: the version is not HTTP/1.0 to HTTP/1.9.
        Version = "version": "the version is unknown",
        /// RFC 9110 section 15: the status is not three digits, or below 100.
        Status = "status": "the status is not three digits",
        /// The head is larger than 64 KiB.
        HeadTooLarge = "head_too_large": "the head is too large",
        /// There are more than 256 fields.
        TooManyFields = "too_many_fields": "there are too many header fields",
        /// RFC 9112 section 5.2: a folded line continues no field, or a field that frames the message.
        Folded = "folded": "a folded line continues nothing that may be folded",
        /// RFC 9112 section 5: a line without a colon.
        NoColon = "no_colon": "a header field has no colon",
        /// RFC 9112 section 5.1: a name is not a token.
        FieldName = "field_name": "a header name is not a token",
        /// RFC 9110 section 5.5: CR or NUL in a value.
        FieldValue = "field_value": "a header value holds CR or NUL",
        /// RFC 9112 section 6.3: there are several lengths, and they differ.
        LengthsDiffer = "lengths_differ": "Content-Length is repeated with different values",
        /// RFC 9110 section 8.6: `Content-Length` is not one number.
        LengthMalformed = "length_malformed": "Content-Length is not one number",
        /// RFC 9112 section 6.1: there are several codings, or the coding is not exactly `chunked`.
        Coding = "coding": "Transfer-Encoding is not exactly chunked",
        /// RFC 9112 section 6.1: `Transfer-Encoding` in HTTP/1.0, which does not define it.
        CodingInOld = "coding_in_old": "HTTP/1.0 has no Transfer-Encoding",
        /// RFC 9110 section 15.2.2: a switch of protocols that was not requested.
        Switch = "switch": "a switch of protocols that nobody asked for",
        /// RFC 9110 section 15.2: more informational responses than any exchange needs.
        Informational = "informational": "there are too many informational responses",
        /// The connection closed before the head was complete.
        Early = "early": "the connection ended before the head did",
        /// RFC 9112 section 7.1: a chunk is malformed.
        Chunk = "chunk": "a chunk is malformed",
        /// RFC 9112 section 8: the connection closed before the body was complete.
        Truncated = "truncated": "the body is cut short",
    }
}
