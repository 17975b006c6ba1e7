//! `type: forward`: another server decides about each request.

use std::time::Duration;

use crate::reading::Reader;
use crate::rules::authorization::copied_header::CopiedHeader;
use crate::rules::authorization::server_url::ServerUrl;
use crate::rules::authorization::written::AuthorizationKeys;
use crate::wire::resource as wire;

/// The time limit where none is set.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The prefixes of the headers that are copied where none are named.
const COPIED: [&str; 2] = ["remote-", "x-auth-request-"];

/// A server that decides about requests, and the headers of its response that are copied to a request that passes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerRule {
    /// The URL of the server.
    pub url: ServerUrl,
    /// The headers to copy.
    pub copy: Box<[CopiedHeader]>,
    /// The time from the request to the head of the response, over all tries. Not zero.
    pub timeout: Duration,
}

impl ServerRule {
    /// Reads a rule whose type is `forward`.
    pub(super) fn read(keys: AuthorizationKeys, reader: &mut Reader<'_>) -> Option<Self> {
        let (key, written, at) = match (keys.url, keys.creds) {
            (Some(url), _) => ("url", url.value, url.at),
            (None, Some(creds)) => ("creds", creds.value.0, creds.at),
            (None, None) => return None,
        };
        let url = reader.under(key, |reader| {
            let url = written.parse::<ServerUrl>();
            let url = url.map_err(|error| reader.fault(at, error.to_string()));
            url.ok().filter(|url| reader.may_reach(url.address(), at))
        });
        let copy = keys
            .copy
            .map(|copy| copy.value.iter().map(|it| it.0.clone()).collect());
        Some(Self {
            url: url?,
            copy: copy.unwrap_or_else(copied_by_default),
            timeout: keys.timeout.map_or(TIMEOUT, |timeout| timeout.value.0),
        })
    }

    pub(super) fn encode(&self) -> wire::ServerAuthorization {
        wire::ServerAuthorization {
            url: self.url.to_string(),
            copy: self.copy.iter().map(ToString::to_string).collect(),
            timeout_ms: u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX),
        }
    }

    pub(super) fn decode(wire: &wire::ServerAuthorization) -> Result<Self, &'static str> {
        let url = wire.url.parse::<ServerUrl>();
        let copy = wire
            .copy
            .iter()
            .map(|text| match text.parse::<CopiedHeader>() {
                Ok(copied) if copied.to_string() == *text => Ok(copied),
                _ => Err("copies a header whose name is not valid"),
            });
        if wire.timeout_ms == 0 {
            return Err("has no time limit for its server");
        }
        Ok(Self {
            url: url.map_err(|_| "has the URL of a server that is not valid")?,
            copy: copy.collect::<Result<_, _>>()?,
            timeout: Duration::from_millis(wire.timeout_ms),
        })
    }
}

fn copied_by_default() -> Box<[CopiedHeader]> {
    let prefixes = COPIED.map(|prefix| CopiedHeader::Prefix(prefix.into()));
    prefixes.into()
}
