//! The reasons why the parser refuses a request.

use crate::core::request::http1::reasons::reasons;

reasons! {
    /// The reason why the head or the body of a request is refused. The connection is closed afterwards, because the start of the next
    /// request is unknown. The names are metric labels and contain nothing of the request.
    pub enum RequestRefusal {
        /// A line of the head ends with LF alone (RFC 9112 section 2.2).
        BareLineFeed = "bare_line_feed": "a line ends with LF alone",
        /// A TLS handshake on a port without TLS (RFC 8446 section 5.1).
        TlsOnPlainPort = "tls_on_plain_port": "a TLS handshake arrived on a port without TLS",
        /// The request line is not METHOD SP TARGET SP VERSION (RFC 9112 section 3).
        RequestLine = "request_line": "the request line is not METHOD TARGET VERSION",
        /// The method is not a token in upper case, as every registered one is (RFC 9110 section 9.1).
        Method = "method": "the method is malformed",
        /// The method is longer than any registered one (RFC 9112 section 3).
        MethodTooLong = "method_too_long": "the method is too long",
        /// CONNECT (RFC 9110 section 9.3.6): this is not a forward proxy.
        Connect = "connect": "CONNECT is not supported",
        /// The version is neither HTTP/1.0 nor HTTP/1.1 (RFC 9112 section 2.3).
        Version = "version": "the version is unknown",
        /// The target contains a byte that must be escaped, or a fragment (RFC 9112 section 3.2).
        TargetByte = "target_byte": "the target contains a byte that must be escaped",
        /// The target is neither a path, nor an http(s) URL, nor the `*` of OPTIONS (RFC 9112 section 3.2).
        TargetForm = "target_form": "the target does not begin with /",
        /// The target is longer than the limit (RFC 9112 section 3).
        TargetTooLong = "target_too_long": "the target is too long",
        /// The head is larger than the limit (RFC 6585 section 5).
        HeadTooLarge = "head_too_large": "the head is too large",
        /// There are more fields than the limit (RFC 6585 section 5).
        TooManyFields = "too_many_fields": "there are too many header fields",
        /// A folded line (RFC 9112 section 5.2).
        Folded = "folded": "a header field is folded",
        /// A line without a colon (RFC 9112 section 5).
        NoColon = "no_colon": "a header field has no colon",
        /// A name is not a token, or a space precedes the colon (RFC 9112 section 5.1).
        FieldName = "field_name": "a header name is not a token",
        /// A control byte in a value (RFC 9110 section 5.5).
        FieldValue = "field_value": "a header value contains a control byte",
        /// A field that may occur once is repeated, and readers differ on which one counts.
        RepeatedField = "repeated_field": "a header field that may occur only once is repeated",
        /// No `Host` in HTTP/1.1 (RFC 9112 section 3.2).
        HostMissing = "host_missing": "Host is missing",
        /// More than one `Host` (RFC 9112 section 3.2).
        HostRepeated = "host_repeated": "Host is repeated",
        /// `Host` is not a name with an optional port (RFC 9110 section 7.2).
        HostMalformed = "host_malformed": "Host is not a name with an optional port",
        /// An absolute target names another host or port than `Host` (RFC 9112 section 3.2.2).
        HostMismatch = "host_mismatch": "the target and Host name different hosts",
        /// Both a length and chunks (RFC 9112 section 6.3).
        LengthAndCoding = "length_and_coding": "both Content-Length and Transfer-Encoding are present",
        /// More than one length, equal or not (RFC 9112 section 6.3).
        LengthRepeated = "length_repeated": "Content-Length is repeated",
        /// `Content-Length` is not one number (RFC 9110 section 8.6).
        LengthMalformed = "length_malformed": "Content-Length is not one number",
        /// More than one `Transfer-Encoding` (RFC 9112 section 6.1).
        CodingRepeated = "coding_repeated": "Transfer-Encoding is repeated",
        /// `Transfer-Encoding` is not exactly `chunked`, in a way that readers interpret differently (RFC 9112 section 6.1).
        CodingMalformed = "coding_malformed": "Transfer-Encoding is not exactly chunked",
        /// A transfer coding that is not supported (RFC 9112 section 6.1).
        CodingUnknown = "coding_unknown": "the only supported transfer coding is chunked",
        /// `Transfer-Encoding` in HTTP/1.0, which does not define it (RFC 9112 section 6.1).
        CodingInOld = "coding_in_old": "Transfer-Encoding is not allowed in HTTP/1.0",
        /// `Connection` is not a short list of names (RFC 9110 section 7.6.1).
        ConnectionMalformed = "connection_malformed": "Connection is not a short list of names",
        /// `Connection` names a field that frames or routes the message, or is the proxy's own (RFC 9110 section 7.6.1).
        ConnectionManaged = "connection_managed": "Connection names a field that must not be hop-by-hop",
        /// An expectation other than `100-continue` (RFC 9110 section 10.1.1).
        Expectation = "expectation": "the only supported expectation is 100-continue",
        /// A chunk size is malformed, or its line is too long (RFC 9112 section 7.1).
        ChunkSize = "chunk_size": "a chunk size is malformed",
        /// A chunk's data is not followed by CRLF (RFC 9112 section 7.1).
        ChunkEnd = "chunk_end": "chunk data is not followed by CRLF",
        /// The trailer section is malformed or too large (RFC 9112 section 7.1.2).
        Trailer = "trailer": "the trailer section is malformed or too large",
        /// The head did not arrive in time (RFC 9110 section 15.5.9).
        HeadTimeout = "head_timeout": "the head was not received in time",
        /// The body did not arrive in time (RFC 9110 section 15.5.9).
        BodyTimeout = "body_timeout": "the body was not received in time",
    }
}

impl RequestRefusal {
    /// Returns the status of the response.
    pub const fn status(self) -> u16 {
        match self {
            // RFC 9110 section 15.5.6: a method that is not supported is answered with 405.
            Self::Connect => 405,
            // RFC 9110 section 15.5.9: a request that has begun and does not arrive in time is answered with 408.
            Self::HeadTimeout | Self::BodyTimeout => 408,
            // RFC 9110 section 15.5.15: a target that is too long is answered with 414.
            Self::TargetTooLong => 414,
            // RFC 9110 section 15.5.18: an expectation that cannot be met is answered with 417.
            Self::Expectation => 417,
            Self::HeadTooLarge | Self::TooManyFields => 431,
            // RFC 9110 section 15.6.2: a request that needs a function that the proxy lacks is answered with 501.
            Self::CodingUnknown | Self::MethodTooLong => 501,
            // RFC 9110 section 15.5.1: a malformed request is answered with 400.
            _ => 400,
        }
    }
}
