//! Why a response is not passed on, each reason by name.

use crate::core::request::http1::reasons::reasons;

reasons! {
    /// Why a response is refused. The client gets a 502 where nothing was answered yet, and the endpoint's connection is closed. The names are
    /// labels of a metric; they hold nothing of the response.
    pub enum BadResponse {
        /// RFC 9112 section 4: not a status line.
        StatusLine = "status_line": "the status line is malformed",
        /// RFC 9112 section 2.3: not HTTP/1.0 to HTTP/1.9.
        Version = "version": "the version is unknown",
        /// RFC 9110 section 15: not three digits from 100.
        Status = "status": "the status is not three digits",
        /// The head is larger than 64 KiB.
        HeadTooLarge = "head_too_large": "the head is too large",
        /// There are more than 256 fields.
        TooManyFields = "too_many_fields": "there are too many header fields",
        /// RFC 9112 section 5.2: a folded line that continues nothing, or folds what frames the message.
        Folded = "folded": "a folded line continues nothing that may be folded",
        /// RFC 9112 section 5: a line without a colon.
        NoColon = "no_colon": "a header field has no colon",
        /// RFC 9112 section 5.1: a name that is no token.
        FieldName = "field_name": "a header name is not a token",
        /// RFC 9110 section 5.5: CR or NUL in a value.
        FieldValue = "field_value": "a header value holds CR or NUL",
        /// RFC 9112 section 6.3: more than one length, and they differ.
        LengthsDiffer = "lengths_differ": "Content-Length is repeated with different values",
        /// RFC 9110 section 8.6: not one number.
        LengthMalformed = "length_malformed": "Content-Length is not one number",
        /// RFC 9112 section 6.1: more than one coding, or not exactly `chunked`.
        Coding = "coding": "Transfer-Encoding is not exactly chunked",
        /// RFC 9112 section 6.1: HTTP/1.0 knows no chunks.
        CodingInOld = "coding_in_old": "HTTP/1.0 has no Transfer-Encoding",
        /// RFC 9110 section 15.2.2: a switch of protocols that nobody asked for.
        Switch = "switch": "a switch of protocols that nobody asked for",
        /// RFC 9110 section 15.2: more informational responses than any exchange needs.
        Informational = "informational": "there are too many informational responses",
        /// The connection ended before the head did.
        Early = "early": "the connection ended before the head did",
        /// RFC 9112 section 7.1: a chunk that is malformed.
        Chunk = "chunk": "a chunk is malformed",
        /// RFC 9112 section 8: the body ended before its end.
        Truncated = "truncated": "the body is cut short",
    }
}
