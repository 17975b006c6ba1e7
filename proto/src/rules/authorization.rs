//! `authorization`: which clients a route serves, by what they know: a password, a key or a signed token; or by the word of another
//! server.
//!
//! A narrower scope replaces a wider one as a whole, and `none` opens it. What proves a credential is part of the rule: password hashes, key
//! digests and verification keys. Only the secrets of HS256 that documents contain are stored as they are, because the algorithm needs them.
//! Nothing of it is printed.

use crate::model::{EndpointAddress, PoolName};
use crate::rules::Rule;
use crate::wire::resource as wire;

mod algorithm;
mod api_keys;
mod basic;
mod copied_header;
mod credential_file;
mod htpasswd;
mod key_material;
mod method;
mod proof_header;
mod public_key;
mod server;
mod server_url;
#[cfg(test)]
mod tests;
mod token_key;
mod tokens;
mod user_line;
mod whole;
mod written;
mod written_material;

pub use algorithm::TokenAlgorithm;
pub use api_keys::ApiKeys;
pub use basic::BasicUsers;
pub use copied_header::CopiedHeader;
pub use key_material::{KeyMaterial, TokenSecret};
pub use method::AuthorizationMethod;
pub use server::ServerRule;
pub use server_url::ServerUrl;
pub use token_key::TokenKey;
pub use tokens::TokenRule;
pub use user_line::BasicUser;
pub(crate) use whole::WrittenAuthorization;

/// Feature of `authorization`. A proxy without it would serve every client.
const AUTHORIZATION: u32 = 13;
/// Feature of `keys: aralez`. A proxy without it does not know this form of a key.
const ISSUED_TOKENS: u32 = 19;

/// Feature of the type `forward`. A proxy without it does not know the method.
const FORWARD: u32 = 21;

/// The authorization that one scope sets. `None` if it sets none: the wider scope applies.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Authorization(pub Option<AuthorizationMethod>);

impl Rule for Authorization {
    type Keys = WrittenAuthorization;
    type Wire = wire::Authorization;
    const FEATURES: &'static [u32] = &[AUTHORIZATION, ISSUED_TOKENS, FORWARD];

    fn lower(keys: WrittenAuthorization) -> Self {
        Self(Some(keys.0))
    }

    fn narrowed_by(&self, narrower: &Self) -> Self {
        Self(narrower.0.clone().or_else(|| self.0.clone()))
    }

    fn needs(&self) -> &'static [u32] {
        match &self.0 {
            None => &[],
            Some(AuthorizationMethod::Jwt(rule)) if rule.accepts_issued() => {
                &[AUTHORIZATION, ISSUED_TOKENS]
            }
            Some(AuthorizationMethod::Forward(_)) => &[AUTHORIZATION, FORWARD],
            Some(_) => &[AUTHORIZATION],
        }
    }

    fn server(&self) -> Option<(&PoolName, &EndpointAddress)> {
        match &self.0 {
            Some(AuthorizationMethod::Forward(rule)) => Some((rule.url.pool(), rule.url.address())),
            _ => None,
        }
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
