//! The reasons why the parser refuses a request.

use crate::core::request::http1::reasons::reasons;

reasons! {
    /// The reason why the head or the body of a request is refused. The connection is closed afterwards, because the start of the next
    /// request is unknown. The names are metric labels and contain nothing of the request.
    pub enum RequestRefusal {
        /// RFC 9112 section 2.2: a line ends with LF alone, or contains a CR alone.
        BareLineFeed = "bare_line_feed": "a line ends with LF alone",
        /// RFC 8446 section 5.1: a TLS handshake on a port without TLS.
        TlsOnPlainPort = "tls_on_plain_port": "a TLS handshake came to a port without TLS",
        /// RFC 9112 section 3: not METHOD SP TARGET SP VERSION.
        RequestLine = "request_line": "the request line is not METHOD TARGET VERSION",
        /// RFC 9110 section 9.1: the method is not a token in upper case, as every registered one is.
        Method = "method": "the method is malformed",
        /// RFC 9110 section 9.3.6: CONNECT; this is not a forward proxy.
        Connect = "connect": "CONNECT is not served",
        /// RFC 9112 section 2.3: neither HTTP/1.0 nor HTTP/1.1.
        Version = "version": "the version is unknown",
        /// RFC 9112 section 3.2: the target contains a byte that must be escaped, or a fragment.
        TargetByte = "target_byte": "the target holds a byte that must be escaped",
        /// RFC 9112 section 3.2: the target is neither a path, nor an http(s) URL, nor the `*` of OPTIONS.
        TargetForm = "target_form": "the target does not begin with /",
        /// RFC 9110 section 4.1: the target is longer than the limit.
        TargetTooLong = "target_too_long": "the target is too long",
        /// RFC 6585 section 5: the head is larger than the limit.
        HeadTooLarge = "head_too_large": "the head is too large",
        /// RFC 6585 section 5: there are more fields than the limit.
        TooManyFields = "too_many_fields": "there are too many header fields",
        /// RFC 9112 section 5.2: a folded line.
        Folded = "folded": "a header field is folded",
        /// RFC 9112 section 5: a line without a colon.
        NoColon = "no_colon": "a header field has no colon",
        /// RFC 9112 section 5.1: a name is not a token, or a space precedes the colon.
        FieldName = "field_name": "a header name is not a token",
        /// RFC 9110 section 5.5: a control byte in a value.
        FieldValue = "field_value": "a header value holds a control byte",
        /// A field that may occur once is repeated, and readers differ on which one counts.
        RepeatedField = "repeated_field": "a field that stands once is repeated",
        /// RFC 9112 section 3.2: no `Host` in HTTP/1.1.
        HostMissing = "host_missing": "Host is missing",
        /// RFC 9112 section 3.2: more than one `Host`.
        HostRepeated = "host_repeated": "Host is repeated",
        /// RFC 9110 section 7.2: `Host` is not a name with an optional port.
        HostMalformed = "host_malformed": "Host is not a name and perhaps a port",
        /// RFC 9112 section 3.2.2: an absolute target names another host or port than `Host`.
        HostMismatch = "host_mismatch": "the target and Host name different hosts",
        /// RFC 9112 section 6.3: both a length and chunks.
        LengthAndCoding = "length_and_coding": "Content-Length and Transfer-Encoding stand together",
        /// RFC 9112 section 6.3: more than one length, equal or not.
        LengthRepeated = "length_repeated": "Content-Length is repeated",
        /// RFC 9110 section 8.6: `Content-Length` is not one number.
        LengthMalformed = "length_malformed": "Content-Length is not one number",
        /// RFC 9112 section 6.1: more than one `Transfer-Encoding`.
        CodingRepeated = "coding_repeated": "Transfer-Encoding is repeated",
        /// RFC 9112 section 6.1: `Transfer-Encoding` is not exactly `chunked`, in a way that readers interpret differently.
        CodingMalformed = "coding_malformed": "Transfer-Encoding is not exactly chunked",
        /// RFC 9112 section 6.1: a transfer coding that is not supported.
        CodingUnknown = "coding_unknown": "only the transfer coding chunked is served",
        /// RFC 9112 section 6.1: `Transfer-Encoding` in HTTP/1.0, which does not define it.
        CodingInOld = "coding_in_old": "HTTP/1.0 has no Transfer-Encoding",
        /// RFC 9110 section 7.6.1: `Connection` is not a short list of names.
        ConnectionMalformed = "connection_malformed": "Connection is not a short list of names",
        /// RFC 9110 section 7.6.1: `Connection` names a field that frames or routes the message, or is the proxy's own.
        ConnectionManaged = "connection_managed": "Connection names a field that is not the client's",
        /// RFC 9110 section 10.1.1: an expectation other than `100-continue`.
        Expectation = "expectation": "only 100-continue can be expected",
        /// RFC 9112 section 7.1: a chunk size is malformed, or its line is too long.
        ChunkSize = "chunk_size": "a chunk's size is malformed",
        /// RFC 9112 section 7.1: a chunk's data is not followed by CRLF.
        ChunkEnd = "chunk_end": "a chunk does not end where it says",
        /// RFC 9112 section 7.1.2: the trailer section is malformed or too large.
        Trailer = "trailer": "the trailer section is malformed or too large",
        /// RFC 9110 section 15.5.9: the head did not arrive in time.
        HeadTimeout = "head_timeout": "the head takes too long",
        /// RFC 9110 section 15.5.9: the body did not arrive in time.
        BodyTimeout = "body_timeout": "the body takes too long",
    }
}

impl RequestRefusal {
    /// Returns the status of the response.
    pub const fn status(self) -> u16 {
        match self {
            Self::Connect => 405,
            Self::HeadTimeout | Self::BodyTimeout => 408,
            Self::TargetTooLong => 414,
            Self::Expectation => 417,
            Self::HeadTooLarge | Self::TooManyFields => 431,
            Self::CodingUnknown => 501,
            _ => 400,
        }
    }
}
