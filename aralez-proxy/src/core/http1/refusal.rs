//! Why a request is refused at the gate, each reason by name.

/// Why the head or the body of a request is refused. After it the connection is closed, because nobody knows where the next request would
/// begin. The names are labels of a metric; they hold nothing of the request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum Refusal {
    /// RFC 9112 section 2.2: a line ends with LF alone, or a CR stands alone.
    #[error("a line ends with LF alone")]
    BareLineFeed,
    /// RFC 9112 section 3: not METHOD SP TARGET SP VERSION.
    #[error("the request line is not METHOD TARGET VERSION")]
    RequestLine,
    /// RFC 9110 section 9.1: a method is a token; ours are upper case, as every registered one is.
    #[error("the method is malformed")]
    Method,
    /// RFC 9110 section 9.3.6: this is no forward proxy.
    #[error("CONNECT is not served")]
    Connect,
    /// RFC 9112 section 2.3: neither HTTP/1.0 nor HTTP/1.1.
    #[error("the version is unknown")]
    Version,
    /// RFC 9112 section 3.2: a byte that must be escaped, or a fragment.
    #[error("the target holds a byte that must be escaped")]
    TargetByte,
    /// RFC 9112 section 3.2: neither a path, nor an http(s) URL, nor the `*` of OPTIONS.
    #[error("the target does not begin with /")]
    TargetForm,
    /// RFC 9110 section 4.1: longer than the limit.
    #[error("the target is too long")]
    TargetTooLong,
    /// RFC 6585 section 5: the head is larger than the limit.
    #[error("the head is too large")]
    HeadTooLarge,
    /// RFC 6585 section 5: more fields than the limit.
    #[error("there are too many header fields")]
    TooManyFields,
    /// RFC 9112 section 5.2: a folded line.
    #[error("a header field is folded")]
    Folded,
    /// RFC 9112 section 5: a line without a colon.
    #[error("a header field has no colon")]
    NoColon,
    /// RFC 9112 section 5.1: a name that is no token, a space before the colon among them.
    #[error("a header name is not a token")]
    FieldName,
    /// RFC 9110 section 5.5: a control byte in a value.
    #[error("a header value holds a control byte")]
    FieldValue,
    /// A field that stands once stands twice, and readers differ on which one counts.
    #[error("a field that stands once is repeated")]
    RepeatedField,
    /// RFC 9112 section 3.2: no `Host`. Also in HTTP/1.0: without it nobody is meant.
    #[error("Host is missing")]
    HostMissing,
    /// RFC 9112 section 3.2: more than one `Host`.
    #[error("Host is repeated")]
    HostRepeated,
    /// RFC 9110 section 7.2: not a name and perhaps a port.
    #[error("Host is not a name and perhaps a port")]
    HostMalformed,
    /// RFC 9112 section 3.2.2: an absolute target names another host than `Host`.
    #[error("the target and Host name different hosts")]
    HostMismatch,
    /// RFC 9112 section 6.3: a length and chunks.
    #[error("Content-Length and Transfer-Encoding stand together")]
    LengthAndCoding,
    /// RFC 9112 section 6.3: more than one length, equal or not.
    #[error("Content-Length is repeated")]
    LengthRepeated,
    /// RFC 9110 section 8.6: not one number.
    #[error("Content-Length is not one number")]
    LengthMalformed,
    /// RFC 9112 section 6.1: more than one `Transfer-Encoding`.
    #[error("Transfer-Encoding is repeated")]
    CodingRepeated,
    /// RFC 9112 section 6.1: not exactly `chunked`, in a way that readers differ on.
    #[error("Transfer-Encoding is not exactly chunked")]
    CodingMalformed,
    /// RFC 9112 section 6.1: a coding that is not served.
    #[error("only the transfer coding chunked is served")]
    CodingUnknown,
    /// RFC 9112 section 6.1: HTTP/1.0 knows no chunks.
    #[error("HTTP/1.0 has no Transfer-Encoding")]
    CodingInOld,
    /// RFC 9110 section 7.6.1: not a short list of names.
    #[error("Connection is not a short list of names")]
    ConnectionMalformed,
    /// RFC 9110 section 7.6.1: it names a field that frames, routes or is the proxy's own.
    #[error("Connection names a field that is not the client's")]
    ConnectionManaged,
    /// RFC 9110 section 10.1.1: something other than `100-continue`.
    #[error("only 100-continue can be expected")]
    Expectation,
    /// RFC 9112 section 7.1: a chunk's size is malformed, or its line too long.
    #[error("a chunk's size is malformed")]
    ChunkSize,
    /// RFC 9112 section 7.1: a chunk's data is not followed by CRLF.
    #[error("a chunk does not end where it says")]
    ChunkEnd,
    /// RFC 9112 section 7.1.2: a trailer section that is malformed or too large.
    #[error("the trailer section is malformed or too large")]
    Trailer,
    /// RFC 9110 section 15.5.9: the head did not come in time.
    #[error("the head takes too long")]
    HeadTimeout,
    /// RFC 9110 section 15.5.9: the body did not come in time.
    #[error("the body takes too long")]
    BodyTimeout,
}

impl Refusal {
    /// All of them: the labels of the metric.
    pub const ALL: [Self; 34] = [
        Self::BareLineFeed,
        Self::RequestLine,
        Self::Method,
        Self::Connect,
        Self::Version,
        Self::TargetByte,
        Self::TargetForm,
        Self::TargetTooLong,
        Self::HeadTooLarge,
        Self::TooManyFields,
        Self::Folded,
        Self::NoColon,
        Self::FieldName,
        Self::FieldValue,
        Self::RepeatedField,
        Self::HostMissing,
        Self::HostRepeated,
        Self::HostMalformed,
        Self::HostMismatch,
        Self::LengthAndCoding,
        Self::LengthRepeated,
        Self::LengthMalformed,
        Self::CodingRepeated,
        Self::CodingMalformed,
        Self::CodingUnknown,
        Self::CodingInOld,
        Self::ConnectionMalformed,
        Self::ConnectionManaged,
        Self::Expectation,
        Self::ChunkSize,
        Self::ChunkEnd,
        Self::Trailer,
        Self::HeadTimeout,
        Self::BodyTimeout,
    ];

    /// The status to answer.
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

    /// The label in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BareLineFeed => "bare_line_feed",
            Self::RequestLine => "request_line",
            Self::Method => "method",
            Self::Connect => "connect",
            Self::Version => "version",
            Self::TargetByte => "target_byte",
            Self::TargetForm => "target_form",
            Self::TargetTooLong => "target_too_long",
            Self::HeadTooLarge => "head_too_large",
            Self::TooManyFields => "too_many_fields",
            Self::Folded => "folded",
            Self::NoColon => "no_colon",
            Self::FieldName => "field_name",
            Self::FieldValue => "field_value",
            Self::RepeatedField => "repeated_field",
            Self::HostMissing => "host_missing",
            Self::HostRepeated => "host_repeated",
            Self::HostMalformed => "host_malformed",
            Self::HostMismatch => "host_mismatch",
            Self::LengthAndCoding => "length_and_coding",
            Self::LengthRepeated => "length_repeated",
            Self::LengthMalformed => "length_malformed",
            Self::CodingRepeated => "coding_repeated",
            Self::CodingMalformed => "coding_malformed",
            Self::CodingUnknown => "coding_unknown",
            Self::CodingInOld => "coding_in_old",
            Self::ConnectionMalformed => "connection_malformed",
            Self::ConnectionManaged => "connection_managed",
            Self::Expectation => "expectation",
            Self::ChunkSize => "chunk_size",
            Self::ChunkEnd => "chunk_end",
            Self::Trailer => "trailer",
            Self::HeadTimeout => "head_timeout",
            Self::BodyTimeout => "body_timeout",
        }
    }
}
