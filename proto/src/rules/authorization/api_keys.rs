//! `type: apikey`: keys, of which only SHA-256 digests are stored and sent.

use sha2::{Digest as _, Sha256};

use crate::reading::{Reader, Spanned};
use crate::rules::authorization::written::{AuthorizationKeys, WrittenKey, WrittenKeys};
use crate::wire::resource as wire;
use crate::yaml::Spot;

/// Prefix of a key that is written as its digest.
const PREFIX: &str = "sha256:";

/// The SHA-256 digests of the keys of a route. At least one.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKeys(Box<[[u8; 32]]>);

impl ApiKeys {
    /// Returns the digest of a key that a client presents.
    pub fn digest(key: &[u8]) -> [u8; 32] {
        Sha256::digest(key).into()
    }

    /// Returns the digests. Compare them in constant time.
    pub fn digests(&self) -> &[[u8; 32]] {
        &self.0
    }

    /// Reads the keys of a rule whose type is `apikey`.
    pub(super) fn read(keys: AuthorizationKeys, reader: &mut Reader<'_>) -> Option<Self> {
        match (keys.creds, keys.keys) {
            (Some(creds), _) => {
                let key = filled(&creds.value.0, creds.at, reader)?;
                Some(Self([Self::digest(key.as_bytes())].into()))
            }
            (None, Some(written)) => reader.under("keys", |reader| listed(&written, reader)),
            (None, None) => None,
        }
    }

    pub(super) fn encode(&self) -> wire::ApiKeyAuthorization {
        let digests = self.0.iter().map(|digest| digest.to_vec().into());
        wire::ApiKeyAuthorization {
            sha256: digests.collect(),
        }
    }

    pub(super) fn decode(wire: &wire::ApiKeyAuthorization) -> Result<Self, &'static str> {
        let digests = wire.sha256.iter().map(|digest| digest[..].try_into());
        let digests = digests.collect::<Result<Box<[_]>, _>>();
        let digests = digests.map_err(|_| "has a key that is no SHA-256 digest")?;
        if digests.is_empty() {
            return Err("has no key");
        }
        Ok(Self(digests))
    }
}

impl std::fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ApiKeys({} …)", self.0.len())
    }
}

/// Reads a list of keys. Every faulty entry is reported.
fn listed(written: &Spanned<WrittenKeys>, reader: &mut Reader<'_>) -> Option<ApiKeys> {
    let WrittenKeys::List(list) = &written.value else {
        reader.fault(written.at, "expected a list of keys");
        return None;
    };
    let mut digests = Vec::with_capacity(list.len());
    for (index, key) in list.iter().enumerate() {
        let digest = reader.element(index, |reader| digest_of(key, &digests, reader));
        digests.extend(digest);
    }
    (digests.len() == list.len()).then(|| ApiKeys(digests.into()))
}

fn digest_of(
    key: &Spanned<WrittenKey>,
    before: &[[u8; 32]],
    reader: &mut Reader<'_>,
) -> Option<[u8; 32]> {
    let WrittenKey::Text(text) = &key.value else {
        reader.fault(key.at, "expected a key or `sha256:HEX`, found a map");
        return None;
    };
    let digest = match text.0.strip_prefix(PREFIX) {
        Some(hex) => parse_digest(hex).or_else(|| {
            let reason = "expected 64 hexadecimal digits behind `sha256:`; make them with `printf %s KEY | sha256sum`";
            reader.fault(key.at, reason);
            None
        })?,
        None => ApiKeys::digest(filled(&text.0, key.at, reader)?.as_bytes()),
    };
    if before.contains(&digest) {
        reader.fault(key.at, "duplicate key; remove one of them");
        return None;
    }
    Some(digest)
}

fn parse_digest(hex: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    let plain = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    for (index, byte) in digest.iter_mut().enumerate().filter(|_| plain) {
        *byte = u8::from_str_radix(hex.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    plain.then_some(digest)
}

fn filled<'w>(text: &'w str, at: Spot, reader: &mut Reader<'_>) -> Option<&'w str> {
    if text.is_empty() {
        reader.fault(at, "is empty; generate a key with `openssl rand -hex 32`");
        return None;
    }
    Some(text)
}
