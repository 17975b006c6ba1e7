//! The keys of `authorization`: which belong to which type, and exactly one form of credentials.

use serde_json::{Value as Json, json};

use crate::reading::{
    FromYaml, NamedFile, NonZeroTimeout, OneOrMany, Reader, SecretText, Spanned, choices, keys,
    text,
};
use crate::rules::authorization::algorithm::WrittenAlgorithm;
use crate::rules::authorization::copied_header::WrittenCopied;
use crate::rules::authorization::proof_header::proof_header;
use crate::yaml::{Node, Spot, Value};

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

use AuthorizationType::{ApiKey, Basic, Forward, Jwt};

keys! {
    /// Authorization of clients.
    AuthorizationKeys "in authorization";
    /// The method.
    kind: "type" => AuthorizationType,
    /// The credentials: user:pass, a key, or the secret of HS256 tokens; of `forward`, the URL.
    creds | "data" => SecretText,
    /// User names with their password hashes.
    users => Vec<Spanned<SecretText>>,
    /// The file of the configuration folder with user names and password hashes, as htpasswd writes it.
    users_file => NamedFile,
    /// The keys: KEY or sha256:HEX, or the keys of tokens by kid.
    keys => WrittenKeys,
    /// The signature algorithms accepted in a token.
    algorithms => OneOrMany<WrittenAlgorithm>,
    /// The audience required in a token.
    audience => OneOrMany<String>,
    /// The issuer required in a token.
    issuer => String,
    /// The claims passed to endpoints, by header.
    claims => WrittenClaims,
    /// The realm shown by browsers.
    realm => String,
    /// The URL of the server that decides.
    url => String,
    /// The headers of its response that are copied to the request: names, or prefixes followed by *. Default: Remote-* and X-Auth-Request-*.
    copy => OneOrMany<WrittenCopied>,
    /// Time limit for its response. Default: 2s.
    timeout => NonZeroTimeout,
}

keys! {
    /// A key of tokens.
    TokenKeyMap "in a key";
    /// The id of the key in the header of a token.
    kid => String,
    /// The algorithm.
    alg => WrittenAlgorithm,
    /// The secret, or the public key as PEM.
    key => SecretText,
    /// The file of the configuration folder with the secret or the public key.
    key_file => NamedFile,
}

impl AuthorizationKeys {
    /// Returns every key of the map besides `type`: its name, its place if it is set, and the types that it belongs to.
    fn parts(&self) -> [(&'static str, Option<Spot>, &'static [AuthorizationType]); 12] {
        macro_rules! part {
            ($key:ident, $types:expr) => {
                (stringify!($key), self.$key.as_ref().map(|it| it.at), $types)
            };
        }
        [
            part!(creds, &[Basic, ApiKey, Jwt, Forward]),
            part!(users, &[Basic]),
            part!(users_file, &[Basic]),
            part!(keys, &[ApiKey, Jwt]),
            part!(realm, &[Basic]),
            part!(algorithms, &[Jwt]),
            part!(audience, &[Jwt]),
            part!(issuer, &[Jwt]),
            part!(claims, &[Jwt]),
            part!(url, &[Forward]),
            part!(copy, &[Forward]),
            part!(timeout, &[Forward]),
        ]
    }

    /// Reports keys of other types, a second form of credentials, and none.
    pub(super) fn check(&self, kind: AuthorizationType, at: Spot, reader: &mut Reader<'_>) {
        const FORMS: [&str; 5] = ["creds", "users", "users_file", "keys", "url"];
        let mut form = None;
        for (name, set, types) in self.parts() {
            let Some(set) = set else { continue };
            if !types.contains(&kind) {
                let reason = format!("belongs to another type than `{}`; remove it", kind.name());
                reader.under(name, |reader| reader.fault(set, reason));
            } else if let Some(first) = form.filter(|_| FORMS.contains(&name)) {
                let reason = format!("`{first}` is set too; keep one of them");
                reader.under(name, |reader| reader.fault(set, reason));
            } else if FORMS.contains(&name) {
                form = Some(name);
            }
        }
        let advice = match kind {
            Basic => "`creds` (user:pass), `users` or `users_file`",
            ApiKey | Jwt => "`creds` or `keys`",
            Forward => "`url`",
            AuthorizationType::None => return,
        };
        if form.is_none() {
            reader.fault(at, format!("{advice} is missing"));
        }
    }
}

impl AuthorizationType {
    const fn name(self) -> &'static str {
        match self {
            Basic => "basic",
            ApiKey => "apikey",
            Jwt => "jwt",
            Forward => "forward",
            Self::None => "none",
        }
    }
}

/// `keys`: a list, or the name of a set of keys.
pub(crate) enum WrittenKeys {
    /// Keys, or maps of keys.
    List(Vec<Spanned<WrittenKey>>),
    /// The keys with which `/jwt` signs tokens.
    Aralez,
}

/// An entry of `keys`.
pub(crate) enum WrittenKey {
    /// A key, or its digest.
    Text(SecretText),
    /// A key of tokens.
    Map(Box<TokenKeyMap>),
}

impl FromYaml for WrittenKeys {
    const EXPECTED: &'static str = "a list of keys";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        match node.value() {
            Value::Scalar(scalar) if scalar.text == "aralez" => Some(Self::Aralez),
            Value::Sequence(_) => {
                let list = Vec::<Spanned<WrittenKey>>::read(node, reader)?;
                if list.is_empty() {
                    reader.fault(node.at(), "is empty, so no client would be served");
                    return None;
                }
                Some(Self::List(list))
            }
            _ => reader.mismatch(node, Self::EXPECTED),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [{ "const": "aralez" }, Vec::<WrittenKey>::schema()] })
    }
}

impl FromYaml for WrittenKey {
    const EXPECTED: &'static str = "a key, or a map of kid, alg and key";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        match node.value() {
            Value::Mapping(_) => TokenKeyMap::read(node, reader).map(|map| Self::Map(map.into())),
            _ => text(node, reader, Self::EXPECTED)
                .map(|text| Self::Text(SecretText(text.to_owned()))),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [SecretText::schema(), TokenKeyMap::schema()] })
    }
}

/// `claims`: names of claims with the request headers that carry them, in lower case.
pub(crate) struct WrittenClaims(pub(super) Vec<(Box<str>, Box<str>)>);

impl FromYaml for WrittenClaims {
    const EXPECTED: &'static str = "a map of claims and header names";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let Value::Mapping(entries) = node.value() else {
            return reader.mismatch(node, Self::EXPECTED);
        };
        let mut claims: Vec<(Box<str>, Box<str>)> = Vec::new();
        let mut whole = true;
        for entry in entries {
            let header = reader.under(entry.key, |reader| {
                let at = entry.value.at();
                let name = text(entry.value, reader, "a header name")?;
                let name = proof_header(name).map_err(|error| reader.fault(at, error.to_string()));
                let name = name.ok()?;
                if claims.iter().any(|(_, other)| **other == *name) {
                    reader.fault(
                        at,
                        format!("duplicate header `{name}`; each claim needs its own"),
                    );
                    return None;
                }
                Some(name)
            });
            whole &= header.is_some();
            claims.extend(header.map(|header| (entry.key.into(), header.into())));
        }
        whole.then_some(Self(claims))
    }

    fn schema() -> Json {
        json!({ "type": "object", "additionalProperties": { "type": "string" } })
    }
}
