//! An authorization as text, without anything that proves a credential.

use std::fmt;

use aralez_proto::rules::AuthorizationMethod;

use super::CompiledAuthorization;

impl CompiledAuthorization {
    /// Reports whether another server decides.
    pub(crate) const fn asks_a_server(&self) -> bool {
        matches!(self.method, AuthorizationMethod::Forward(_))
    }

    /// Returns what was found if a request passed.
    pub(crate) const fn proof(&self) -> &'static str {
        match self.method {
            AuthorizationMethod::Open => "every client may use the route",
            AuthorizationMethod::Basic(_) => "the password is right",
            AuthorizationMethod::ApiKey(_) => "the key is right",
            AuthorizationMethod::Jwt(_) => "the token is valid",
            AuthorizationMethod::Forward(_) => "the server passes the request",
        }
    }
}

impl fmt::Display for CompiledAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (method, count, what) = match &self.method {
            AuthorizationMethod::Open => return f.write_str("none"),
            AuthorizationMethod::Basic(users) => ("basic", users.users.len(), "user"),
            AuthorizationMethod::ApiKey(keys) => ("apikey", keys.digests().len(), "key"),
            AuthorizationMethod::Jwt(rule) => ("jwt", rule.keys.len(), "key"),
            AuthorizationMethod::Forward(rule) => return write!(f, "forward, {}", rule.url),
        };
        let s = if count == 1 { "" } else { "s" };
        write!(f, "{method}, {count} {what}{s}")
    }
}
