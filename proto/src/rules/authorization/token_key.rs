//! The keys that verify tokens.

use crate::model::{HmacStates, TokenIssuer};
use crate::reading::{Reader, SecretText, Spanned};
use crate::rules::authorization::key_material::{KeyMaterial, TokenSecret};
use crate::rules::authorization::public_key;
use crate::rules::authorization::written::TokenKeyMap;
use crate::rules::authorization::written_material::WrittenMaterial;
use crate::wire::resource as wire;
use crate::wire::resource::token_key::Key as WireKey;
use crate::yaml::Spot;

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
    pub(super) fn of_creds(secret: &Spanned<SecretText>, reader: &mut Reader<'_>) -> Option<Self> {
        let written = WrittenMaterial {
            bytes: secret.value.0.as_bytes(),
            at: secret.at,
            file: None,
        };
        Some(Self {
            kid: None,
            material: written.secret(reader)?,
        })
    }

    /// Returns the key with which control signs the tokens that it issues. `at` is the place that asks for it.
    pub(super) fn of_issuer(at: Spot, reader: &mut Reader<'_>) -> Option<Self> {
        let states = match reader.issuer {
            TokenIssuer::Hs256(states) => states,
            TokenIssuer::Unknown => HmacStates::UNKNOWN,
            TokenIssuer::Keyless => {
                let reason = "this control issues no tokens: set master_key in main.yaml, or JWT_KEY in its environment";
                reader.fault(at, reason);
                return None;
            }
        };
        Some(Self {
            kid: None,
            material: KeyMaterial::Hs256States(states),
        })
    }

    /// Reads an entry of `keys`.
    pub(super) fn read(keys: &TokenKeyMap, at: Spot, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(algorithm) = &keys.alg else {
            reader.fault(at, "`alg` is missing");
            return None;
        };
        let algorithm = algorithm.value.into();
        let material = match (&keys.key, &keys.key_file) {
            (Some(key), None) => {
                let bytes = key.value.0.as_bytes();
                let (at, file) = (key.at, None);
                let written = WrittenMaterial { bytes, at, file };
                reader.under("key", |reader| written.read(algorithm, reader))?
            }
            (None, Some(file)) => reader.under("key_file", |reader| {
                WrittenMaterial::of_file(file, reader)?.read(algorithm, reader)
            })?,
            (Some(_), Some(file)) => {
                let reason = "`key` is set too; keep one of them";
                reader.under("key_file", |reader| reader.fault(file.at, reason));
                return None;
            }
            (None, None) => {
                reader.fault(at, "`key` or `key_file` is missing");
                return None;
            }
        };
        Some(Self {
            kid: keys.kid.as_ref().map(|kid| kid.value.as_str().into()),
            material,
        })
    }

    pub(super) fn encode(&self) -> wire::TokenKey {
        let key = match &self.material {
            KeyMaterial::Hs256(secret) => WireKey::Hs256(secret.reveal().to_vec().into()),
            KeyMaterial::Hs256States(states) => {
                WireKey::Hs256States(states.to_bytes().to_vec().into())
            }
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
            WireKey::Hs256States(states) => {
                KeyMaterial::Hs256States(HmacStates::from_bytes(&states).ok_or(BAD)?)
            }
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
