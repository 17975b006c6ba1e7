//! `authorization`: which clients are allowed. Checked only.

use serde_json::{Value as Json, json};

use crate::reading::{
    Anything, FromYaml, OneOrMany, Reader, SecretText, WrittenDuration, choices, keys,
};
use crate::yaml::{Node, Value};

choices! {
    /// `authorization.type`
    AuthorizationType, "a type", false:
    /// A name and a password.
    Basic = "basic",
    /// A key in a header.
    ApiKey = "apikey",
    /// A signed token (JWT).
    Jwt = "jwt",
    /// An external server decides.
    Forward = "forward",
    /// No authorization.
    None = "none",
}

keys! {
    /// Authorization of clients.
    AuthorizationKeys "in authorization";
    /// The method.
    kind: "type" => AuthorizationType,
    @checked {
        /// The credentials to compare with.
        creds | "data" => SecretText,
        /// User names with their passwords.
        users => Anything,
        /// The file of user names and passwords, in htpasswd format.
        users_file => String,
        /// The keys.
        keys => Anything,
        /// The signature algorithms accepted in a token.
        algorithms => OneOrMany<String>,
        /// The audience required in a token.
        audience => OneOrMany<String>,
        /// The issuer required in a token.
        issuer => String,
        /// The claims passed to endpoints, by header.
        claims => Anything,
        /// The realm shown by browsers.
        realm => String,
        /// The URL of the server that decides.
        url => String,
        /// The headers of its response that are copied to the request.
        copy => OneOrMany<String>,
        /// Time limit for its response. Default: 2s.
        timeout => WrittenDuration,
    }
}

/// `authorization`: a map, or `none`.
pub(crate) struct Authorization(bool);

impl FromYaml for Authorization {
    const EXPECTED: &'static str = "a map of type and creds, or none";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        match node.value() {
            Value::Scalar(scalar) if scalar.text == "none" => Some(Self(false)),
            Value::Mapping(_) => {
                let keys = AuthorizationKeys::read(node, reader)?;
                match (keys.kind, node.get("type")) {
                    (Some(kind), _) => Some(Self(kind.value != AuthorizationType::None)),
                    (None, Some(_)) => None,
                    (None, None) => {
                        reader.fault(node.at(), "`type` is missing");
                        None
                    }
                }
            }
            _ => reader.mismatch(node, Self::EXPECTED),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [{ "const": "none" }, AuthorizationKeys::schema()] })
    }

    fn asks(&self) -> bool {
        self.0
    }
}
