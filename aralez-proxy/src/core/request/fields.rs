//! Header fields by what the proxy does with them. One table for every engine, so that HTTP/1 and HTTP/2 drop, keep and refuse the same.

mod ours;
#[cfg(test)]
mod tests;

use ours::is_ours;

/// What a field's name means to the proxy. Everything that only endpoints and clients care about is [`FieldName::Other`].
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
    /// What only a proxy says of a client, in any spelling that endpoints may take for it.
    Ours,
    /// `Proxy-Connection`
    ProxyConnection,
    /// `TE`
    Te,
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
    /// Any other.
    Other,
}

impl FieldName {
    /// The meaning of a name as it came, in any case.
    pub fn of(name: &[u8]) -> Self {
        // By length first: almost every name of almost every message is settled by that.
        let known: &[(&[u8], Self)] = match name.len() {
            2 => &[(b"te", Self::Te)],
            3 => &[(b"via", Self::Via)],
            4 => &[(b"host", Self::Host), (b"date", Self::Date)],
            6 => &[(b"expect", Self::Expect), (b"origin", Self::Origin)],
            7 => &[(b"upgrade", Self::Upgrade), (b"trailer", Self::Trailer)],
            8 => &[(b"cdn-loop", Self::CdnLoop)],
            9 => &[(b"x-api-key", Self::XApiKey)],
            10 => &[
                (b"connection", Self::Connection),
                (b"keep-alive", Self::KeepAlive),
            ],
            12 => &[(b"content-type", Self::ContentType)],
            13 => &[(b"authorization", Self::Authorization)],
            14 => &[
                (b"content-length", Self::ContentLength),
                (b"http2-settings", Self::Http2Settings),
            ],
            16 => &[(b"proxy-connection", Self::ProxyConnection)],
            17 => &[(b"transfer-encoding", Self::TransferEncoding)],
            _ => &[],
        };
        let found = known
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        match found {
            Some((_, known)) => *known,
            None if is_ours(name) => Self::Ours,
            None => Self::Other,
        }
    }

    /// Whether the field belongs to one connection and goes no further (RFC 9110 section 7.6.1). What of it holds on the next one, such
    /// as an upgrade that is served, is written anew there.
    pub const fn is_hop_by_hop(self) -> bool {
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

    /// Whether a client may have the field dropped by naming it in `Connection`: not what frames the message, carries what rules look
    /// at, or is set by the proxy.
    pub const fn is_clients_to_drop(self) -> bool {
        !matches!(
            self,
            Self::CdnLoop
                | Self::ContentLength
                | Self::ContentType
                | Self::Host
                | Self::Ours
                | Self::TransferEncoding
                | Self::Via
        )
    }

    /// Whether a request has at most one of them: with two, whoever reads the first and whoever reads the last disagree.
    pub const fn is_single(self) -> bool {
        matches!(
            self,
            Self::Authorization | Self::ContentType | Self::Origin | Self::XApiKey
        )
    }

    /// Whether the field may stand in a trailer section: not what frames, routes, authorises or describes the message (RFC 9110
    /// section 6.5.1).
    pub const fn may_trail(self) -> bool {
        matches!(self, Self::Date | Self::Other | Self::Via)
    }
}

/// Names that describe or protect a message and so cannot stand in its trailer section, beside those of [`FieldName::may_trail`].
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

/// Whether a field of this name may go on in a trailer section.
pub fn may_trail(name: &[u8]) -> bool {
    FieldName::of(name).may_trail()
        && !NOT_TRAILING
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
}
