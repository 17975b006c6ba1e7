//! Header fields classified by how the proxy treats them. One table for all protocols, so that HTTP/1 and HTTP/2 drop, keep and refuse the
//! same fields.

mod ours;
#[cfg(test)]
mod tests;

use ours::is_ours;

/// The meaning of a field name to the proxy. A field that concerns only endpoints and clients is [`FieldName::Other`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FieldName {
    /// `Authorization`
    Authorization,
    /// `CDN-Loop`
    CdnLoop,
    /// `Connection`
    Connection,
    /// `Content-Length`
    ContentLength,
    /// `Content-Type`
    ContentType,
    /// `Date`
    Date,
    /// `Expect`
    Expect,
    /// `Host`
    Host,
    /// `HTTP2-Settings`
    Http2Settings,
    /// `Keep-Alive`
    KeepAlive,
    /// `Origin`
    Origin,
    /// A field that only a proxy may set about a client, in any spelling that an endpoint may accept for it. It is dropped unless a trusted
    /// proxy sent it.
    Ours,
    /// `Proxy-Connection`
    ProxyConnection,
    /// `TE`
    Te,
    /// `traceparent`
    Traceparent,
    /// `tracestate`
    Tracestate,
    /// `Trailer`
    Trailer,
    /// `Transfer-Encoding`
    TransferEncoding,
    /// `Upgrade`
    Upgrade,
    /// `Via`
    Via,
    /// `X-Api-Key`
    XApiKey,
    /// `X-Request-Id`
    XRequestId,
    /// Any other.
    Other,
}

impl FieldName {
    /// Returns the meaning of a received name, in any case.
    #[inline]
    pub fn of(name: &[u8]) -> Self {
        // The length decides about almost every name of almost every message.
        match name.len() {
            2 if is(name, b"te") => Self::Te,
            3 if is(name, b"via") => Self::Via,
            4 if is(name, b"host") => Self::Host,
            4 if is(name, b"date") => Self::Date,
            6 if is(name, b"expect") => Self::Expect,
            6 if is(name, b"origin") => Self::Origin,
            7 if is(name, b"upgrade") => Self::Upgrade,
            7 if is(name, b"trailer") => Self::Trailer,
            8 if is(name, b"cdn-loop") => Self::CdnLoop,
            9 if is(name, b"x-api-key") => Self::XApiKey,
            10 if is(name, b"connection") => Self::Connection,
            10 if is(name, b"keep-alive") => Self::KeepAlive,
            10 if is(name, b"tracestate") => Self::Tracestate,
            11 if is(name, b"traceparent") => Self::Traceparent,
            12 if is(name, b"content-type") => Self::ContentType,
            12 if is(name, b"x-request-id") => Self::XRequestId,
            13 if is(name, b"authorization") => Self::Authorization,
            14 if is(name, b"content-length") => Self::ContentLength,
            14 if is(name, b"http2-settings") => Self::Http2Settings,
            16 if is(name, b"proxy-connection") => Self::ProxyConnection,
            17 if is(name, b"transfer-encoding") => Self::TransferEncoding,
            _ if is_ours(name) => Self::Ours,
            _ => Self::Other,
        }
    }

    /// Reports whether the field is hop-by-hop and not forwarded (RFC 9110 section 7.6.1). Where the next connection needs one, as for a
    /// supported upgrade, the proxy writes it again.
    pub const fn is_hop_by_hop(self) -> bool {
        // RFC 9110 section 7.6.1: a proxy removes `Connection`, and the fields that are known to concern a single connection, before it
        // forwards a message.
        matches!(
            self,
            Self::Connection
                | Self::Http2Settings
                | Self::KeepAlive
                | Self::ProxyConnection
                | Self::Te
                | Self::Trailer
                | Self::TransferEncoding
                | Self::Upgrade
        )
    }

    /// Reports whether a client may have the field dropped by naming it in `Connection`. It may not for fields that frame the message, that
    /// rules inspect, or that the proxy sets.
    pub const fn is_clients_to_drop(self) -> bool {
        // RFC 9110 section 7.6.1: a sender does not nominate a field that is meant for all recipients, so such a nomination has no effect.
        !matches!(
            self,
            Self::CdnLoop
                | Self::ContentLength
                | Self::ContentType
                | Self::Host
                | Self::Ours
                | Self::Traceparent
                | Self::Tracestate
                | Self::TransferEncoding
                | Self::Via
                | Self::XRequestId
        )
    }

    /// Reports whether a request may have at most one of the field: with two, readers of the first and readers of the last disagree.
    pub const fn is_single(self) -> bool {
        matches!(
            self,
            Self::Authorization | Self::ContentType | Self::Origin | Self::XApiKey
        )
    }

    /// Reports whether the field is allowed in a trailer section: not if it frames, routes, authorises or describes the message (RFC 9110
    /// section 6.5.1).
    pub const fn may_trail(self) -> bool {
        // RFC 9110 section 6.5.1: a field that frames, routes, authenticates, controls or describes a message is not forwarded in its
        // trailer section.
        matches!(
            self,
            Self::Date
                | Self::Other
                | Self::Traceparent
                | Self::Tracestate
                | Self::Via
                | Self::XRequestId
        )
    }
}

/// Compares a received name with a known one, whose length the compiler knows: no loop over bytes remains.
#[inline]
fn is<const LENGTH: usize>(name: &[u8], known: &[u8; LENGTH]) -> bool {
    let name = name.first_chunk::<LENGTH>();
    name.is_some_and(|name| name.eq_ignore_ascii_case(known))
}

/// Reports whether endpoints may take two names for one. CGI and its descendants map every byte that is neither letter nor digit to `_`.
#[inline]
pub(crate) fn is_spelling_of(known: &[u8], name: &[u8]) -> bool {
    let same = |(known, byte): (&u8, &u8)| {
        byte.eq_ignore_ascii_case(known)
            || !(byte.is_ascii_alphanumeric() || known.is_ascii_alphanumeric())
    };
    known.len() == name.len() && known.iter().zip(name).all(same)
}

/// Names that [`FieldName::may_trail`] does not know and that describe or protect a message, so that they are not allowed in its trailer
/// section.
///
/// RFC 9110 section 6.5.1: a field that frames, routes, authenticates, controls or describes a message is not forwarded in its trailer
/// section.
const NOT_TRAILING: [&[u8]; 14] = [
    b"age",
    b"cache-control",
    b"content-encoding",
    b"content-range",
    b"cookie",
    b"expires",
    b"location",
    b"max-forwards",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"range",
    b"set-cookie",
    b"vary",
    b"www-authenticate",
];

/// Reports whether a field of this name is forwarded in a trailer section.
pub fn may_trail(name: &[u8]) -> bool {
    FieldName::of(name).may_trail()
        && !NOT_TRAILING
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
}
