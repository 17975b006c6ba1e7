//! `type: jwt`: signed tokens.

use std::collections::BTreeSet;

use crate::reading::{Reader, Spanned};
use crate::rules::authorization::proof_header::proof_header;
use crate::rules::authorization::written::{AuthorizationKeys, WrittenKey, WrittenKeys};
use crate::rules::authorization::{KeyMaterial, TokenAlgorithm, TokenKey};
use crate::wire::resource as wire;

/// How the tokens of a route are verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenRule {
    /// The keys. At least one; if there are several, each has another `kid`.
    pub keys: Box<[TokenKey]>,
    /// The audiences of which a token must name one. Empty if a token must name none.
    pub audience: Box<[Box<str>]>,
    /// The required issuer. `None` if any is accepted.
    pub issuer: Option<Box<str>>,
    /// The claims that endpoints receive: each claim with the name of its request header, in lower case. Each header once.
    pub claims: Box<[(Box<str>, Box<str>)]>,
}

impl TokenRule {
    /// Reads a rule whose type is `jwt`.
    pub(super) fn read(keys: AuthorizationKeys, reader: &mut Reader<'_>) -> Option<Self> {
        let found = match (keys.creds, keys.keys) {
            (Some(creds), _) => vec![TokenKey::of_creds(&creds, reader)?],
            (None, Some(written)) => reader.under("keys", |reader| listed(&written, reader))?,
            (None, None) => return None,
        };
        if let Some(algorithms) = keys.algorithms {
            let listed: Vec<_> = algorithms.value.iter().map(|it| (*it).into()).collect();
            check_algorithms(&listed, algorithms.at, &found, reader)?;
        }
        let audience = keys.audience.iter().flat_map(|it| it.value.iter());
        let claims = keys.claims.map(|claims| claims.value.0);
        Some(Self {
            keys: found.into(),
            audience: audience.map(|it| it.as_str().into()).collect(),
            issuer: keys.issuer.map(|issuer| issuer.value.into()),
            claims: claims.unwrap_or_default().into(),
        })
    }

    /// Reports whether tokens are accepted that control issues.
    pub(super) fn accepts_issued(&self) -> bool {
        let mut keys = self.keys.iter();
        keys.any(|key| matches!(key.material, KeyMaterial::Hs256States(_)))
    }

    pub(super) fn encode(&self) -> wire::JwtAuthorization {
        let claims = self.claims.iter().map(|(claim, header)| wire::ClaimHeader {
            claim: claim.to_string(),
            header: header.to_string(),
        });
        wire::JwtAuthorization {
            keys: self.keys.iter().map(TokenKey::encode).collect(),
            audience: self.audience.iter().map(ToString::to_string).collect(),
            issuer: self.issuer.as_ref().map(ToString::to_string),
            claims: claims.collect(),
        }
    }

    pub(super) fn decode(wire: wire::JwtAuthorization) -> Result<Self, &'static str> {
        let keys = wire.keys.into_iter().map(TokenKey::decode);
        let keys = keys.collect::<Result<Box<[_]>, _>>()?;
        if keys.is_empty() {
            return Err("has no token key");
        }
        let claims = wire.claims.into_iter().map(|claim| {
            let header = proof_header(&claim.header);
            let header = header.ok().filter(|name| *name == claim.header);
            let header = header.ok_or("has a claim whose header name is not valid")?;
            Ok((claim.claim.into(), header.into()))
        });
        Ok(Self {
            keys,
            audience: wire.audience.into_iter().map(Into::into).collect(),
            issuer: wire.issuer.map(Into::into),
            claims: claims.collect::<Result<_, &'static str>>()?,
        })
    }
}

/// Reads the entries of `keys`. Every faulty entry is reported.
fn listed(written: &Spanned<WrittenKeys>, reader: &mut Reader<'_>) -> Option<Vec<TokenKey>> {
    let list = match &written.value {
        WrittenKeys::List(list) => list,
        WrittenKeys::Aralez => return Some(vec![TokenKey::of_issuer(written.at, reader)?]),
    };
    let mut kids = BTreeSet::new();
    let mut keys = Vec::with_capacity(list.len());
    for (index, entry) in list.iter().enumerate() {
        let key = reader.element(index, |reader| {
            let WrittenKey::Map(map) = &entry.value else {
                reader.fault(entry.at, "expected a map of kid, alg and key");
                return None;
            };
            let key = TokenKey::read(map, entry.at, reader)?;
            if key.kid.is_none() && list.len() > 1 {
                reader.fault(
                    entry.at,
                    "`kid` is missing; with several keys, each needs one",
                );
                return None;
            }
            if !kids.insert(key.kid.clone()) {
                reader.fault(entry.at, "duplicate `kid`; each key needs its own");
                return None;
            }
            Some(key)
        });
        keys.extend(key);
    }
    (keys.len() == list.len()).then_some(keys)
}

/// Checks that `algorithms` names the algorithms of the keys and no others: a key determines its algorithm, so nothing else could be used.
fn check_algorithms(
    allowed: &[TokenAlgorithm],
    at: crate::yaml::Spot,
    keys: &[TokenKey],
    reader: &mut Reader<'_>,
) -> Option<()> {
    let used = |algorithm: TokenAlgorithm| {
        let mut keys = keys.iter();
        keys.any(|key| key.material.algorithm() == algorithm)
    };
    let mut unlisted = keys.iter().map(|key| key.material.algorithm());
    if let Some(unlisted) = unlisted.find(|algorithm| !allowed.contains(algorithm)) {
        let name = unlisted.name();
        reader.fault(
            at,
            format!("does not contain {name}, which a key of this rule is for"),
        );
        return None;
    }
    if let Some(unused) = allowed.iter().find(|algorithm| !used(**algorithm)) {
        let name = unused.name();
        reader.fault(
            at,
            format!("contains {name}, but no key of this rule is for it"),
        );
        return None;
    }
    Some(())
}
