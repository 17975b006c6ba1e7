//! `authorization` as written, as a whole.

use serde_json::{Value as Json, json};

use crate::reading::{FromYaml, Reader};
use crate::rules::authorization::written::AuthorizationKeys;
use crate::rules::authorization::written::AuthorizationType::{self, ApiKey, Basic, Forward, Jwt};
use crate::rules::authorization::{
    ApiKeys, AuthorizationMethod, BasicUsers, ServerRule, TokenRule,
};
use crate::yaml::{Node, Value};

/// `authorization`: a map, or `none`.
pub(crate) struct WrittenAuthorization(pub(super) AuthorizationMethod);

impl FromYaml for WrittenAuthorization {
    const EXPECTED: &'static str = "a map of type and creds, or none";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        match node.value() {
            Value::Scalar(scalar) if scalar.text == "none" => Some(Self(AuthorizationMethod::Open)),
            Value::Mapping(_) => method(node, reader).map(Self),
            _ => reader.mismatch(node, Self::EXPECTED),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [{ "const": "none" }, AuthorizationKeys::schema()] })
    }
}

fn method<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<AuthorizationMethod> {
    let before = reader.fault_count();
    let keys = AuthorizationKeys::read(node, reader)?;
    let kind = match (&keys.kind, node.get("type")) {
        (Some(kind), _) => kind.value,
        (None, Some(_)) => return None,
        (None, None) => {
            reader.fault(node.at(), "`type` is missing");
            return None;
        }
    };
    if reader.fault_count() == before {
        keys.check(kind, node.at(), reader);
    }
    if reader.fault_count() > before {
        return None;
    }
    match kind {
        Basic => BasicUsers::read(keys, reader).map(|it| AuthorizationMethod::Basic(it.into())),
        ApiKey => ApiKeys::read(keys, reader).map(|it| AuthorizationMethod::ApiKey(it.into())),
        Jwt => TokenRule::read(keys, reader).map(|it| AuthorizationMethod::Jwt(it.into())),
        AuthorizationType::None => Some(AuthorizationMethod::Open),
        Forward => ServerRule::read(keys, reader).map(|it| AuthorizationMethod::Forward(it.into())),
    }
}
