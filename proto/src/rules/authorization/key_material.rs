//! What verifies the signature of a token.

use std::fmt;

use crate::model::HmacStates;
use crate::rules::authorization::algorithm::TokenAlgorithm;

/// The material of a key, which determines its algorithm.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyMaterial {
    /// The secret of HS256.
    Hs256(TokenSecret),
    /// A secret of HS256 that its owner does not show.
    Hs256States(HmacStates),
    /// The modulus and the exponent of RS256, big-endian.
    Rs256 {
        /// The modulus, of 2,048 to 8,192 bits.
        modulus: Box<[u8]>,
        /// The public exponent.
        exponent: Box<[u8]>,
    },
    /// The point of ES256, uncompressed.
    Es256(Box<[u8; 65]>),
    /// The public key of Ed25519.
    EdDsa([u8; 32]),
}

impl KeyMaterial {
    /// Returns the only algorithm that this key verifies.
    pub const fn algorithm(&self) -> TokenAlgorithm {
        match self {
            Self::Hs256(_) | Self::Hs256States(_) => TokenAlgorithm::Hs256,
            Self::Rs256 { .. } => TokenAlgorithm::Rs256,
            Self::Es256(_) => TokenAlgorithm::Es256,
            Self::EdDsa(_) => TokenAlgorithm::EdDsa,
        }
    }
}

/// The secret of HS256. Not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenSecret(Box<[u8]>);

impl TokenSecret {
    /// Wraps a secret.
    pub fn new(secret: &[u8]) -> Self {
        Self(secret.into())
    }

    /// Returns the secret, for the one place that verifies signatures.
    pub const fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSecret(…)")
    }
}
