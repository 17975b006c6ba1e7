//! The methods of authorization, and their message.

use std::sync::Arc;

use crate::rules::authorization::{ApiKeys, BasicUsers, ServerRule, TokenRule};
use crate::wire::resource as wire;
use crate::wire::resource::authorization::Method;

/// How clients prove that they may use a route. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AuthorizationMethod {
    /// `none`: every client is served, also if a wider scope asks for more.
    Open,
    /// `basic`: a name and a password (RFC 7617).
    Basic(Arc<BasicUsers>),
    /// `apikey`: a key in `x-api-key`.
    ApiKey(Arc<ApiKeys>),
    /// `jwt`: a signed token (RFC 7519).
    Jwt(Arc<TokenRule>),
    /// `forward`: another server decides.
    Forward(Arc<ServerRule>),
}

impl AuthorizationMethod {
    pub(super) fn encode(&self) -> wire::Authorization {
        let method = match self {
            Self::Open => Method::Open(wire::OpenAuthorization {}),
            Self::Basic(users) => Method::Basic(users.encode()),
            Self::ApiKey(keys) => Method::ApiKey(keys.encode()),
            Self::Jwt(rule) => Method::Jwt(rule.encode()),
            Self::Forward(rule) => Method::Forward(rule.encode()),
        };
        wire::Authorization {
            method: Some(method),
        }
    }

    /// Decodes a received method. The error names what the model does not allow, without its value.
    pub(super) fn decode(wire: wire::Authorization) -> Result<Self, &'static str> {
        match wire.method.ok_or("has no method that is known")? {
            Method::Open(_) => Ok(Self::Open),
            Method::Basic(basic) => {
                BasicUsers::decode(basic).map(|users| Self::Basic(users.into()))
            }
            Method::ApiKey(keys) => ApiKeys::decode(&keys).map(|keys| Self::ApiKey(keys.into())),
            Method::Jwt(jwt) => TokenRule::decode(jwt).map(|rule| Self::Jwt(rule.into())),
            Method::Forward(server) => {
                ServerRule::decode(&server).map(|rule| Self::Forward(rule.into()))
            }
        }
    }
}
