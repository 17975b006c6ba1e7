//! `authorization`: which clients a route serves, by what they know: a password, a key or a signed token.
//!
//! A narrower scope replaces a wider one as a whole, and `none` opens it. What proves a credential is part of the rule: password hashes, key
//! digests and verification keys. Only the secrets of HS256 are stored as they are, because the algorithm needs them. Nothing of it is printed.

use crate::rules::Rule;
use crate::wire::resource as wire;

mod algorithm;
mod api_keys;
mod basic;
mod key_material;
mod method;
mod public_key;
#[cfg(test)]
mod tests;
mod token_key;
mod tokens;
mod whole;
mod written;

pub use algorithm::TokenAlgorithm;
pub use api_keys::ApiKeys;
pub use basic::{BasicUser, BasicUsers};
pub use key_material::{KeyMaterial, TokenSecret};
pub use method::AuthorizationMethod;
pub use token_key::TokenKey;
pub use tokens::TokenRule;
pub(crate) use whole::WrittenAuthorization;

/// Feature of `authorization`. A proxy without it would serve every client.
const AUTHORIZATION: u32 = 13;

/// The authorization that one scope sets. `None` if it sets none: the wider scope applies.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Authorization(pub Option<AuthorizationMethod>);

impl Rule for Authorization {
    type Keys = WrittenAuthorization;
    type Wire = wire::Authorization;
    const FEATURES: &'static [u32] = &[AUTHORIZATION];

    fn lower(keys: WrittenAuthorization) -> Self {
        Self(Some(keys.0))
    }

    fn narrowed_by(&self, narrower: &Self) -> Self {
        Self(narrower.0.clone().or_else(|| self.0.clone()))
    }

    fn needs(&self) -> &'static [u32] {
        self.0.as_ref().map_or(&[], |_| &[AUTHORIZATION])
    }

    fn encode(&self) -> Option<wire::Authorization> {
        self.0.as_ref().map(AuthorizationMethod::encode)
    }

    /// A part that the model does not allow is reported, and the snapshot with it is refused as a whole.
    fn decode(wire: wire::Authorization, wrong: &mut dyn FnMut(String)) -> Self {
        let method = AuthorizationMethod::decode(wire);
        Self(method.map_err(|reason| wrong(reason.to_owned())).ok())
    }
}
