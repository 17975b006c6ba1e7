//! The signature algorithms of tokens.

use crate::reading::choices;

choices! {
    /// A signature algorithm of tokens (RFC 7518 section 3.1, RFC 8037 section 3.1).
    WrittenAlgorithm, "an algorithm", false:
    /// HMAC with SHA-256.
    Hs256 = "HS256",
    /// RSA (PKCS #1) with SHA-256.
    Rs256 = "RS256",
    /// ECDSA on P-256 with SHA-256.
    Es256 = "ES256",
    /// Ed25519.
    EdDsa = "EdDSA",
}

/// A signature algorithm of tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenAlgorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// RSA (PKCS #1) with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl From<WrittenAlgorithm> for TokenAlgorithm {
    fn from(written: WrittenAlgorithm) -> Self {
        match written {
            WrittenAlgorithm::Hs256 => Self::Hs256,
            WrittenAlgorithm::Rs256 => Self::Rs256,
            WrittenAlgorithm::Es256 => Self::Es256,
            WrittenAlgorithm::EdDsa => Self::EdDsa,
        }
    }
}

impl TokenAlgorithm {
    /// Returns the algorithm with this name in the header of a token. `None` for all that no key can have, such as `none`.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Hs256, Self::Rs256, Self::Es256, Self::EdDsa];
        all.into_iter().find(|known| known.name() == name)
    }

    /// Returns its name in the header of a token.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}
