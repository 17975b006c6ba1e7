//! Verification of signed tokens (RFC 7515, RFC 7519, RFC 8725).
//!
//! The signature comes first. A key has one algorithm, fixed by the rule; the header of a token only selects a key by its id, and everything
//! else in it (`jku`, `x5u`, `jwk`) has no effect.

use std::fmt;

use aralez_proto::model::HmacStates;
use aralez_proto::rules::{KeyMaterial, TokenAlgorithm, TokenKey, TokenRule};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use subtle::ConstantTimeEq;

use crate::authorization::claims::{ClaimSet, TokenProblem};
use crate::state::Verified;

/// The keys and requirements of a rule.
pub(super) struct TokenVerifier {
    keys: Box<[PreparedKey]>,
    rule: TokenRule,
    /// The claims that header values show, by name.
    shown: Box<[Box<str>]>,
    /// Digest of everything that a verified token depends on.
    identity: [u8; 32],
}

struct PreparedKey {
    kid: Option<Box<str>>,
    algorithm: TokenAlgorithm,
    check: SignatureCheck,
}

/// What checks a signature.
enum SignatureCheck {
    /// A key of the library.
    Key(Box<DecodingKey>, Algorithm),
    /// A secret of HS256 of which only the states are known.
    States(HmacStates),
}

/// The fields of a token's header that matter. Others are ignored; a repeated one is an error.
#[derive(Deserialize)]
struct TokenHeader {
    alg: String,
    kid: Option<String>,
    /// RFC 7515 section 4.1.11: extensions that must be understood. None is.
    crit: Option<serde_json::Value>,
}

impl TokenVerifier {
    pub(super) fn new(rule: &TokenRule, shown: Box<[Box<str>]>) -> Self {
        let keys = rule.keys.iter().map(|key| PreparedKey {
            kid: key.kid.clone(),
            algorithm: key.material.algorithm(),
            check: SignatureCheck::of(&key.material),
        });
        Self {
            keys: keys.collect(),
            rule: rule.clone(),
            identity: identity_of(rule, &shown),
            shown,
        }
    }

    /// Returns a value that differs between rules that accept different tokens, or accept them differently.
    pub(super) const fn identity(&self) -> &[u8; 32] {
        &self.identity
    }

    /// Verifies a token at a time in seconds since 1970.
    pub(super) fn verify(&self, token: &str, now: u64) -> Result<Verified, TokenProblem> {
        let (message, signature) = token.rsplit_once('.').ok_or(TokenProblem::Invalid)?;
        let (header, claims) = message.split_once('.').ok_or(TokenProblem::Invalid)?;
        if claims.contains('.') {
            return Err(TokenProblem::Invalid);
        }
        let key = self.key_of(&header_of(header).ok_or(TokenProblem::Invalid)?);
        let key = key.ok_or(TokenProblem::Invalid)?;
        if !key.check.verifies(message, signature) {
            return Err(TokenProblem::Invalid);
        }
        let claims = URL_SAFE_NO_PAD.decode(claims).ok();
        let claims = claims.and_then(|claims| serde_json::from_slice::<ClaimSet>(&claims).ok());
        claims
            .ok_or(TokenProblem::Stale)?
            .accept(&self.rule, &self.shown, now)
    }

    /// Returns the key that a header selects. An algorithm that is not the key's selects nothing. `None` if none or several match.
    fn key_of(&self, header: &TokenHeader) -> Option<&PreparedKey> {
        let algorithm = TokenAlgorithm::named(&header.alg)?;
        let matches = |key: &&PreparedKey| {
            let named = header.kid.as_deref().zip(key.kid.as_deref());
            key.algorithm == algorithm && named.is_none_or(|(sent, own)| sent == own)
        };
        let mut found = self.keys.iter().filter(matches);
        found.next().filter(|_| found.next().is_none())
    }
}

impl fmt::Debug for TokenVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenVerifier({} keys)", self.keys.len())
    }
}

fn header_of(coded: &str) -> Option<TokenHeader> {
    let header = URL_SAFE_NO_PAD.decode(coded).ok()?;
    let header: TokenHeader = serde_json::from_slice(&header).ok()?;
    header.crit.is_none().then_some(header)
}

impl SignatureCheck {
    fn of(material: &KeyMaterial) -> Self {
        let key = |key, algorithm| Self::Key(Box::new(key), algorithm);
        match material {
            KeyMaterial::Hs256(secret) => {
                key(DecodingKey::from_secret(secret.reveal()), Algorithm::HS256)
            }
            KeyMaterial::Hs256States(states) => Self::States(*states),
            KeyMaterial::Rs256 { modulus, exponent } => {
                let rsa = DecodingKey::from_rsa_raw_components(modulus, exponent);
                key(rsa, Algorithm::RS256)
            }
            KeyMaterial::Es256(point) => {
                key(DecodingKey::from_ec_der(&point[..]), Algorithm::ES256)
            }
            KeyMaterial::EdDsa(public) => key(DecodingKey::from_ed_der(public), Algorithm::EdDSA),
        }
    }

    /// Reports whether a signature, as text, is that of a message.
    fn verifies(&self, message: &str, signature: &str) -> bool {
        match self {
            Self::Key(key, algorithm) => {
                let verified =
                    jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, *algorithm);
                verified.unwrap_or(false)
            }
            // A reader that does not know the secret accepts nothing.
            Self::States(HmacStates::UNKNOWN) => false,
            Self::States(states) => {
                let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
                signature.ct_eq(&states.sign(message.as_bytes())).into()
            }
        }
    }
}

fn identity_of(rule: &TokenRule, shown: &[Box<str>]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    let mut part = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    for TokenKey { kid, material } in &rule.keys {
        part(kid.as_deref().unwrap_or_default().as_bytes());
        part(material.algorithm().name().as_bytes());
        match material {
            KeyMaterial::Hs256(secret) => part(secret.reveal()),
            KeyMaterial::Hs256States(states) => part(&states.to_bytes()),
            KeyMaterial::Rs256 { modulus, exponent } => {
                part(modulus);
                part(exponent);
            }
            KeyMaterial::Es256(point) => part(&point[..]),
            KeyMaterial::EdDsa(key) => part(key),
        }
    }
    part(b"shown");
    shown.iter().for_each(|claim| part(claim.as_bytes()));
    part(b"audience");
    rule.audience.iter().for_each(|text| part(text.as_bytes()));
    part(b"issuer");
    rule.issuer.iter().for_each(|text| part(text.as_bytes()));
    part(b"claims");
    for (claim, header) in &rule.claims {
        part(claim.as_bytes());
        part(header.as_bytes());
    }
    hasher.finalize().into()
}
