//! `authorization`: who may pass. Checked only.

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
    /// A signed token.
    Jwt = "jwt",
    /// Another server decides.
    Forward = "forward",
    /// Open.
    None = "none",
}

keys! {
    /// Who may pass.
    AuthorizationKeys "in authorization";
    /// The method.
    kind: "type" => AuthorizationType,
    @checked {
        /// What is compared with.
        creds | "data" => SecretText,
        /// Names with their passwords.
        users => Anything,
        /// The file of names with their passwords, as htpasswd writes it.
        users_file => String,
        /// The keys.
        keys => Anything,
        /// The algorithms that a token may be signed with.
        algorithms => OneOrMany<String>,
        /// The audience that a token must name.
        audience => OneOrMany<String>,
        /// Who must have issued a token.
        issuer => String,
        /// What of a token endpoints are told, by header.
        claims => Anything,
        /// The realm that a browser shows.
        realm => String,
        /// The server that decides.
        url => String,
        /// The headers of its answer that endpoints are told.
        copy => OneOrMany<String>,
        /// For its answer. Default: 2s.
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
