//! The rules for the fields of a request.

use aralez_proto::matcher::{Authority, Scheme};

use crate::core::request::http1::field::Field;
use crate::core::request::http1::request::text;
use crate::core::request::http1::{Framing, HttpVersion, RequestRefusal, Span};
use aralez_decision::fields::FieldName;
use aralez_decision::octets::{self, list};
use aralez_decision::trace;

/// Maximum number of fields that one request may nominate in `Connection`.
const MAX_NOMINATED: usize = 9;

/// The facts collected from the fields so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SeenRequestFields {
    host: Option<Span>,
    length: Option<u64>,
    odd_length: bool,
    chunked: bool,
    singles: u8,
    nominated: [Span; MAX_NOMINATED],
    count: usize,
    names_upgrade: bool,
    web_socket: bool,
    pub(super) close: bool,
    pub(super) keep_alive: bool,
    pub(super) expects_continue: bool,
    expects_other: bool,
    pub(super) trailers: bool,
    pub(super) request_id: Passage,
    pub(super) traceparent: Passage,
    /// The field names that occurred: a bit for each [`FieldName`].
    names: u32,
}

/// Whether a field of which a request has at most one passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Passage {
    /// There is none.
    #[default]
    Absent,
    /// The only one is well formed.
    Passes,
    /// It is malformed or repeated.
    Dropped,
}

impl Passage {
    const fn note(&mut self, well_formed: bool) {
        *self = match self {
            Self::Absent if well_formed => Self::Passes,
            _ => Self::Dropped,
        };
    }
}

impl SeenRequestFields {
    /// Records a field.
    pub(super) fn note(&mut self, field: &Field, bytes: &[u8]) -> Result<(), RequestRefusal> {
        let value = field.value(bytes);
        self.names |= 1 << field.name as u32;
        match field.name {
            FieldName::Other | FieldName::Ours => Ok(()),
            // RFC 9112 section 3.2: a request with more than one `Host` is answered with 400.
            FieldName::Host => match self.host.replace(field.value_span()) {
                Some(_) => Err(RequestRefusal::HostRepeated),
                None => Ok(()),
            },
            FieldName::ContentLength => self.take_length(value),
            FieldName::TransferEncoding => self.take_coding(value),
            FieldName::Connection => self.take_connection(field, bytes),
            FieldName::Upgrade => {
                // RFC 9110 section 7.8: a protocol name in `Upgrade` is matched in any case.
                self.web_socket |= list(value).any(|name| name.eq_ignore_ascii_case(b"websocket"));
                Ok(())
            }
            // RFC 9110 section 5.6.1.2: a recipient ignores the empty members of a list, so an empty `Expect` expects nothing.
            FieldName::Expect if value.is_empty() => Ok(()),
            FieldName::Expect => {
                // RFC 9110 section 10.1.1: the expectation 100-continue is matched in any case.
                let known = value.eq_ignore_ascii_case(b"100-continue");
                self.expects_continue |= known;
                self.expects_other |= !known;
                Ok(())
            }
            FieldName::Te => {
                // RFC 9110 section 10.1.4: trailer fields are forwarded only to a client that accepts them, as the member trailers of `TE`
                // announces.
                self.trailers |= list(value).any(|name| name.eq_ignore_ascii_case(b"trailers"));
                Ok(())
            }
            FieldName::XRequestId => {
                self.request_id.note(trace::is_request_id(value));
                Ok(())
            }
            FieldName::Traceparent => {
                self.traceparent.note(trace::is_traceparent(value));
                Ok(())
            }
            name if name.is_single() => self.take_single(name),
            _ => Ok(()),
        }
    }

    fn take_length(&mut self, value: &[u8]) -> Result<(), RequestRefusal> {
        // RFC 9112 section 6.3: a request with an invalid `Content-Length` is answered with 400, and its connection closes.
        let length = octets::decimal(value).ok_or_else(|| {
            // A list of numbers counts as several lengths.
            let several = value.contains(&b',');
            let number = |text: &[u8]| octets::decimal(text).is_some();
            if several && list(value).all(number) {
                RequestRefusal::LengthRepeated
            } else {
                RequestRefusal::LengthMalformed
            }
        })?;
        self.odd_length = value.len() > 1 && value.starts_with(b"0");
        // RFC 9110 section 8.6: a request with several lengths is rejected, also if they are equal, as a recipient may do instead of
        // merging them.
        match self.length.replace(length) {
            Some(_) => Err(RequestRefusal::LengthRepeated),
            None => Ok(()),
        }
    }

    fn take_coding(&mut self, value: &[u8]) -> Result<(), RequestRefusal> {
        // RFC 9112 section 6.1: a sender applies the chunked coding to a body only once; stricter: a second `Transfer-Encoding` is refused
        // whatever it contains.
        if std::mem::replace(&mut self.chunked, true) {
            return Err(RequestRefusal::CodingRepeated);
        }
        // RFC 9112 section 7: the name of a transfer coding is matched in any case.
        if value.eq_ignore_ascii_case(b"chunked") {
            return Ok(());
        }
        let readable = list(value).all(octets::is_token);
        let unknown = list(value).any(|coding| !coding.eq_ignore_ascii_case(b"chunked"));
        // RFC 9112 section 6.3: the end of a body whose last coding is not chunked is unknown, so the request is refused with 400.
        let ends = list(value)
            .last()
            .is_some_and(|last| last.eq_ignore_ascii_case(b"chunked"));
        // RFC 9112 section 6.1: a sender applies the chunked coding to a body only once.
        Err(if readable && unknown && ends {
            // RFC 9112 section 6.1: a request with a transfer coding that the proxy does not know is answered with 501.
            RequestRefusal::CodingUnknown
        } else {
            // RFC 9112 section 7.1: a parameter of the chunked coding is an error.
            RequestRefusal::CodingMalformed
        })
    }

    fn take_connection(&mut self, field: &Field, bytes: &[u8]) -> Result<(), RequestRefusal> {
        let value = field.value(bytes);
        for member in list(value) {
            // RFC 9110 section 7.6.1: a `Connection` field is a list of tokens; stricter: a request with any other member, or with more
            // than nine, is refused.
            if !octets::is_token(member) {
                return Err(if member.starts_with(b":") {
                    RequestRefusal::ConnectionManaged
                } else {
                    RequestRefusal::ConnectionMalformed
                });
            }
            // RFC 9110 section 7.6.1: a sender does not nominate a field that is meant for all recipients; stricter: a request that does is
            // refused.
            if !FieldName::of(member).is_clients_to_drop() {
                return Err(RequestRefusal::ConnectionManaged);
            }
            let place = self
                .nominated
                .get_mut(self.count)
                .ok_or(RequestRefusal::ConnectionMalformed)?;
            let start = member.as_ptr().addr() - bytes.as_ptr().addr();
            *place = Span::new(start, start + member.len());
            self.count += 1;
            // RFC 9110 section 7.6.1: a connection option is matched in any case.
            self.close |= member.eq_ignore_ascii_case(b"close");
            self.keep_alive |= member.eq_ignore_ascii_case(b"keep-alive");
            self.names_upgrade |= member.eq_ignore_ascii_case(b"upgrade");
        }
        Ok(())
    }

    fn take_single(&mut self, name: FieldName) -> Result<(), RequestRefusal> {
        let bit = match name {
            FieldName::Authorization => 1,
            FieldName::ContentType => 2,
            FieldName::Origin => 4,
            _ => 8,
        };
        // RFC 9110 section 5.3: a sender does not repeat a field that is not a list; stricter: a request that repeats one of certain fields
        // is refused.
        if self.singles & bit != 0 {
            return Err(RequestRefusal::RepeatedField);
        }
        self.singles |= bit;
        Ok(())
    }

    /// Checks the rules that need the whole head.
    pub(super) fn check(
        &self,
        bytes: &[u8],
        version: HttpVersion,
        authority: Option<(Scheme, Span)>,
    ) -> Result<(), RequestRefusal> {
        // RFC 9112 section 6.1: a request with both `Content-Length` and `Transfer-Encoding` is rejected, as a server may do, and its
        // connection closes.
        if self.chunked && self.length.is_some() {
            return Err(RequestRefusal::LengthAndCoding);
        }
        // RFC 9112 section 6.1: a `Transfer-Encoding` in an HTTP/1.0 message makes its framing faulty; stricter: the message is refused.
        if self.chunked && version == HttpVersion::Http10 {
            return Err(RequestRefusal::CodingInOld);
        }
        // RFC 9110 section 10.1.1: an expectation other than 100-continue is answered with 417.
        if self.expects_other && version == HttpVersion::Http11 {
            return Err(RequestRefusal::Expectation);
        }
        let Some(host) = self.host.map(|host| host.of(bytes)) else {
            return check_hostless(bytes, version, authority);
        };
        // RFC 9112 section 3.2: a request with an invalid `Host` is answered with 400.
        if !is_host(host) {
            return Err(RequestRefusal::HostMalformed);
        }
        match authority {
            // RFC 9112 section 3.2.2: the authority of an absolute target takes precedence over `Host`; stricter: a request whose `Host`
            // names another one is refused.
            Some((scheme, authority))
                if !Authority::new(scheme, text(authority.of(bytes))).is_named_by(text(host)) =>
            {
                Err(RequestRefusal::HostMismatch)
            }
            _ => Ok(()),
        }
    }

    /// Returns the members of `Connection`, its options included.
    pub(super) fn nominated<'a>(
        &self,
        bytes: &'a [u8],
    ) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.nominated
            .into_iter()
            .take(self.count)
            .map(|span| span.of(bytes))
    }

    pub(super) const fn upgrades(&self) -> bool {
        self.names_upgrade && self.web_socket
    }

    /// Reports whether a field of this name occurred.
    pub(super) const fn has(&self, name: FieldName) -> bool {
        self.names & (1 << name as u32) != 0
    }

    /// Returns the range of the `Host` value.
    pub(super) const fn host(&self) -> Option<Span> {
        self.host
    }

    pub(super) const fn odd_length(&self) -> bool {
        self.odd_length
    }

    pub(super) const fn framing(&self) -> Framing {
        match (self.chunked, self.length) {
            (true, _) => Framing::Chunked,
            (false, Some(length)) => Framing::Length(length),
            // RFC 9112 section 6.3: a request with neither `Transfer-Encoding` nor `Content-Length` has no body.
            (false, None) => Framing::None,
        }
    }
}

/// Checks a request without `Host`: HTTP/1.0 does not know the field, and may name its host in an absolute target.
fn check_hostless(
    bytes: &[u8],
    version: HttpVersion,
    authority: Option<(Scheme, Span)>,
) -> Result<(), RequestRefusal> {
    // RFC 9112 section 3.2: an HTTP/1.1 request without `Host` is answered with 400.
    if version != HttpVersion::Http10 {
        return Err(RequestRefusal::HostMissing);
    }
    match authority {
        Some((_, authority)) if !is_host(authority.of(bytes)) => Err(RequestRefusal::HostMalformed),
        _ => Ok(()),
    }
}

/// Reports whether `host` is a name, an IPv4 address or a bracketed IPv6 address, optionally with a port.
fn is_host(host: &[u8]) -> bool {
    let (name, port) = match host.strip_prefix(b"[") {
        Some(rest) => match rest.iter().position(|byte| *byte == b']') {
            Some(end) => (&rest[..end], &rest[end + 1..]),
            None => return false,
        },
        None => {
            let end = host.iter().position(|byte| *byte == b':');
            host.split_at(end.unwrap_or(host.len()))
        }
    };
    // RFC 3986 section 3.2.2: a host is a name or an address, in brackets if it is IPv6; stricter: a percent-encoded byte or sub-delimiter
    // in a name is refused.
    // RFC 9110 section 4.2.4: a recipient treats userinfo in an authority as an error.
    let named = if host.starts_with(b"[") {
        name.iter()
            .all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'))
    } else {
        name.iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
    };
    // RFC 9110 section 4.2.1: an http URI with an empty host is invalid.
    !name.is_empty() && named && is_port(port)
}

fn is_port(port: &[u8]) -> bool {
    // RFC 3986 section 3.2.3: an empty port counts as none.
    let digits = match port {
        [] | [b':'] => return true,
        [b':', digits @ ..] => digits,
        _ => return false,
    };
    // RFC 3986 section 3.2.3: a port is a decimal number; stricter: only 1 to 65535 are accepted.
    matches!(octets::decimal(digits), Some(1..=65_535))
}
