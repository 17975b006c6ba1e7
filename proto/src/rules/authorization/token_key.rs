//! The keys that verify tokens.

use crate::reading::{Reader, Spanned};
use crate::rules::authorization::algorithm::TokenAlgorithm;
use crate::rules::authorization::key_material::{KeyMaterial, TokenSecret};
use crate::rules::authorization::public_key;
use crate::rules::authorization::written::TokenKeyMap;
use crate::wire::resource as wire;
use crate::wire::resource::token_key::Key as WireKey;
use crate::yaml::Spot;

/// The shortest secret of HS256 that is accepted without a warning.
const SHORT: usize = 16;

/// A key that verifies tokens of one algorithm.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenKey {
    /// The key's id in the header of a token. `None` for the only key of a rule.
    pub kid: Option<Box<str>>,
    /// The key.
    pub material: KeyMaterial,
}

impl TokenKey {
    /// Reads the secret of a rule that has only one key.
    pub(super) fn of_creds(secret: &Spanned<String>, reader: &mut Reader<'_>) -> Option<Self> {
        let material = secret_key(secret, reader)?;
        Some(Self {
            kid: None,
            material,
        })
    }

    /// Reads an entry of `keys`.
    pub(super) fn read(keys: &TokenKeyMap, at: Spot, reader: &mut Reader<'_>) -> Option<Self> {
        if let Some(file) = &keys.key_file {
            let reason = "key_file is not supported in this release; write the key under `key`";
            reader.fault(file.at, reason);
            return None;
        }
        let (Some(algorithm), Some(key)) = (&keys.alg, &keys.key) else {
            let missing = if keys.alg.is_none() { "alg" } else { "key" };
            reader.fault(at, format!("`{missing}` is missing"));
            return None;
        };
        let text = Spanned {
            value: key.value.0.clone(),
            at: key.at,
        };
        let material = reader.under("key", |reader| {
            match TokenAlgorithm::from(algorithm.value) {
                TokenAlgorithm::Hs256 => secret_key(&text, reader),
                public => public_key::parse(&text.value, public)
                    .map_err(|error| reader.fault(text.at, error.to_string()))
                    .ok(),
            }
        })?;
        Some(Self {
            kid: keys.kid.as_ref().map(|kid| kid.value.as_str().into()),
            material,
        })
    }

    pub(super) fn encode(&self) -> wire::TokenKey {
        let key = match &self.material {
            KeyMaterial::Hs256(secret) => WireKey::Hs256(secret.reveal().to_vec().into()),
            KeyMaterial::Rs256 { modulus, exponent } => WireKey::Rs256(wire::RsaKey {
                modulus: modulus.to_vec().into(),
                exponent: exponent.to_vec().into(),
            }),
            KeyMaterial::Es256(point) => WireKey::Es256(point.to_vec().into()),
            KeyMaterial::EdDsa(key) => WireKey::Eddsa(key.to_vec().into()),
        };
        wire::TokenKey {
            kid: self.kid.as_ref().map(|kid| kid.to_string()),
            key: Some(key),
        }
    }

    pub(super) fn decode(wire: wire::TokenKey) -> Result<Self, &'static str> {
        const BAD: &str = "has a token key that is not valid";
        let material = match wire.key.ok_or("has a token key of an unknown kind")? {
            WireKey::Hs256(secret) if !secret.is_empty() => {
                KeyMaterial::Hs256(TokenSecret::new(&secret))
            }
            WireKey::Hs256(_) => return Err(BAD),
            WireKey::Rs256(key) => public_key::rsa(&key.modulus, &key.exponent).map_err(|_| BAD)?,
            WireKey::Es256(point) => public_key::p256(&point).map_err(|_| BAD)?,
            WireKey::Eddsa(key) => KeyMaterial::EdDsa(key[..].try_into().map_err(|_| BAD)?),
        };
        Ok(Self {
            kid: wire.kid.map(Into::into),
            material,
        })
    }
}

/// Checks a secret of HS256.
fn secret_key(secret: &Spanned<String>, reader: &mut Reader<'_>) -> Option<KeyMaterial> {
    let text = &secret.value;
    if text.is_empty() {
        reader.fault(
            secret.at,
            "is empty; generate a secret with `openssl rand -hex 32`",
        );
        return None;
    }
    if text.contains("-----BEGIN ") {
        let reason = "is a PEM key, but HS256 needs a secret; write RS256, ES256 or EdDSA as `alg`";
        reader.fault(secret.at, reason);
        return None;
    }
    if text.len() < SHORT {
        let reason = format!(
            "is shorter than {SHORT} bytes, so it can be guessed from any token; generate one with `openssl rand -hex 32`"
        );
        reader.note(secret.at, reason);
    }
    Some(KeyMaterial::Hs256(TokenSecret::new(text.as_bytes())))
}
