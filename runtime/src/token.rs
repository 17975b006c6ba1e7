//! Signed tokens: JWTs with HS256, as the documented `POST /jwt` issues them. Control and `aralez-ctl` make them with this code.

use std::fmt;

use aralez_proto::main_config::Secret;
use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};

/// The environment variable with the signing key. It takes precedence over `master_key`, so that the password of the config API and the
/// key of the tokens can differ.
pub const KEY_VARIABLE: &str = "JWT_KEY";

/// The longest lifetime of a token, in minutes: 10 years. Anything longer is taken for a mistake.
pub const MAX_MINUTES: u64 = 10 * 365 * 24 * 60;

/// The longest `owner` or `random`, in bytes: a token must fit into the head of a request.
const MAX_TEXT: usize = 1_024;

/// Reason why a token is not issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// There is no owner.
    #[error("owner: expected a name, found an empty text")]
    NoOwner,
    /// A text is too long.
    #[error("{field}: longer than {MAX_TEXT} bytes")]
    TooLong {
        /// The field of the request.
        field: &'static str,
    },
    /// The lifetime is out of range.
    #[error("{field}: expected minutes from 1 to {MAX_MINUTES} (10 years)")]
    Lifetime {
        /// The field of the request.
        field: &'static str,
    },
}

/// Reason why a token was not signed. It contains nothing of key or claims.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot sign the token: {0}")]
pub struct SigningFailed(
    /// The reason.
    pub String,
);

/// The value of [`KEY_VARIABLE`] is not text. It is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {KEY_VARIABLE} is not valid UTF-8")]
pub struct KeyNotText;

/// The two documented shapes of claims. The field of the request that holds the lifetime selects one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClaimsShape {
    /// `{"user", "exp"}`, of a request with `valid`.
    User,
    /// `{"master_key": "", "owner", "exp", "random"}`, of a request with `exp`.
    Owner,
}

impl ClaimsShape {
    /// Returns the field of the request that holds the lifetime.
    const fn field(self) -> &'static str {
        match self {
            Self::User => "valid",
            Self::Owner => "exp",
        }
    }
}

/// A request for a token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenRequest {
    /// The name of the client that will use the token.
    pub owner: String,
    /// The lifetime, in minutes.
    pub minutes: u64,
    /// The shape of the claims.
    pub shape: ClaimsShape,
    /// A text that makes two tokens differ that are otherwise alike.
    pub random: Option<String>,
}

impl TokenRequest {
    /// Returns the claims of a token that is issued at `now`, in seconds since 1970.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn claims(self, now: u64) -> Result<TokenClaims, TokenError> {
        let field = self.shape.field();
        if self.owner.is_empty() {
            return Err(TokenError::NoOwner);
        }
        let random = self.random.as_deref().unwrap_or_default();
        for (field, text) in [("owner", self.owner.as_str()), ("random", random)] {
            if text.len() > MAX_TEXT {
                return Err(TokenError::TooLong { field });
            }
        }
        if !(1..=MAX_MINUTES).contains(&self.minutes) {
            return Err(TokenError::Lifetime { field });
        }
        let exp = now.saturating_add(self.minutes * 60);
        Ok(TokenClaims(match self.shape {
            ClaimsShape::User => Claims::User {
                user: self.owner,
                exp,
                random: self.random,
            },
            ClaimsShape::Owner => Claims::Owner {
                master_key: "",
                owner: self.owner,
                exp,
                random: self.random.unwrap_or_default(),
            },
        }))
    }
}

/// The claims of a token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenClaims(Claims);

/// Fields in the documented order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
enum Claims {
    User {
        user: String,
        exp: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        random: Option<String>,
    },
    Owner {
        /// The request has a field of this name, and its documented claims repeat it without the value.
        master_key: &'static str,
        owner: String,
        exp: u64,
        random: String,
    },
}

impl TokenClaims {
    /// Returns the time of expiry, in seconds since 1970.
    pub const fn expiry(&self) -> u64 {
        match &self.0 {
            Claims::User { exp, .. } | Claims::Owner { exp, .. } => *exp,
        }
    }
}

/// A signed token. `Debug` does not print it: whoever has it may use it.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedToken(String);

impl SignedToken {
    /// Returns the text, for the one who asked for the token.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Reads a token that another program signed. Returns the token and its time of expiry, in seconds since 1970; `None` if the text is no
    /// token. The signature is not checked.
    pub fn read(text: &str) -> Option<(Self, u64)> {
        let Expiry { exp } = insecure_decode_claims(text).ok()?;
        Some((Self(text.to_owned()), exp))
    }
}

impl fmt::Debug for SignedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedToken(…)")
    }
}

#[derive(Deserialize)]
struct Expiry {
    exp: u64,
}

/// Signs claims with a key.
///
/// # Errors
/// [`SigningFailed`].
pub fn sign(key: &Secret, claims: &TokenClaims) -> Result<SignedToken, SigningFailed> {
    let key = EncodingKey::from_secret(key.reveal().as_bytes());
    let signed = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims.0, &key);
    signed
        .map(SignedToken)
        .map_err(|error| SigningFailed(error.to_string()))
}

/// Returns the signing key of the environment; `None` if there is none or it is empty.
///
/// # Errors
/// A value that is not text.
pub fn environment_key() -> Result<Option<Secret>, KeyNotText> {
    let Some(key) = std::env::var_os(KEY_VARIABLE) else {
        return Ok(None);
    };
    let key = key.into_string().map_err(|_| KeyNotText)?;
    Ok((!key.is_empty()).then(|| Secret::new(key)))
}

#[cfg(test)]
mod tests;
