//! Keys whose values are read and checked, and refused where they ask for something: this release does not enforce them.

use serde_json::{Value as Json, json};

use crate::reading::{
    Anything, Between, Life, OneOrMany, Reader, Secrecy, Shape, choices, keys, scalar_or_map,
};
use crate::yaml::{Node, Value};

pub(crate) mod pools;
pub(crate) mod requests;

/// `sticky_sessions`: true or false, or seconds.
pub(crate) struct Sticky(bool);

impl Shape for Sticky {
    const EXPECTED: &'static str = "true, false or a number of seconds";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        match node.value() {
            Value::Scalar(scalar) if scalar.is_number() => {
                Between::<0, { u32::MAX as u64 }>::read(node, reader)
                    .map(|seconds| Self(seconds.0 > 0))
            }
            _ => bool::read(node, reader).map(Self),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [bool::schema(), { "type": "integer", "minimum": 0 }] })
    }

    fn asks(&self) -> bool {
        self.0
    }
}

keys! {
    /// A rate.
    RateKeys "in rate_limit";
    /// How many requests.
    requests: "requests" => Between<1, { u64::MAX }>,
    /// In which time. Default: 1s.
    per: "per" => Life,
    /// How many at once.
    burst: "burst" => Between<0, { u64::MAX }>,
}

scalar_or_map!(
    /// `rate_limit`
    RateLimit, "a whole number, or a map of requests, per, burst", Between<1, { u64::MAX }>, RateKeys
);
scalar_or_map!(
    /// `files`
    Files, "a folder, or a map of folder, spa, precompressed", String, FilesKeys
);

keys! {
    /// A folder that is served.
    FilesKeys "in files";
    /// The folder.
    folder: "folder" => String,
    /// Whether a miss answers index.html.
    spa: "spa" => bool,
    /// Whether NAME.br, NAME.zst and NAME.gz are sent where they exist.
    precompressed: "precompressed" => bool,
}

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
    /// What is compared with.
    creds: "creds" | "data" => Secrecy,
    /// Names with their passwords.
    users: "users" => Anything,
    /// The file of names with their passwords, as htpasswd writes it.
    users_file: "users_file" => String,
    /// The keys.
    keys: "keys" => Anything,
    /// The algorithms that a token may be signed with.
    algorithms: "algorithms" => OneOrMany<String>,
    /// The audience that a token must name.
    audience: "audience" => OneOrMany<String>,
    /// Who must have issued a token.
    issuer: "issuer" => String,
    /// What of a token endpoints are told, by header.
    claims: "claims" => Anything,
    /// The realm that a browser shows.
    realm: "realm" => String,
    /// The server that decides.
    url: "url" => String,
    /// The headers of its answer that endpoints are told.
    copy: "copy" => OneOrMany<String>,
    /// For its answer. Default: 2s.
    timeout: "timeout" => Life,
}

/// `authorization`: a map, or `none`.
pub(crate) struct Authorization(bool);

impl Shape for Authorization {
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

choices! {
    /// `client_ca.mode`
    ClientCaMode, "a mode", false:
    /// A client may show a certificate.
    Optional = "optional",
    /// A client must show a certificate.
    Required = "required",
}

keys! {
    /// Certificates that clients must show.
    ClientCa "in client_ca";
    /// The authority that signed them.
    ca: "ca" => String,
    /// Whether they must. Default: required.
    mode: "mode" => ClientCaMode,
}

choices! {
    /// `http2`, and `tls` without a map.
    ProtocolChoice, "a choice", false:
    /// As the endpoint speaks.
    Auto = "auto",
    /// Always.
    On = "on",
    /// Never.
    Off = "off",
}

/// `http2`
pub(crate) struct Protocol(ProtocolChoice);

impl Shape for Protocol {
    const EXPECTED: &'static str = "one of auto, on, off";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        ProtocolChoice::read(node, reader).map(Self)
    }

    fn schema() -> Json {
        ProtocolChoice::schema()
    }

    fn asks(&self) -> bool {
        self.0 != ProtocolChoice::Off
    }
}

keys! {
    /// TLS to an endpoint.
    TlsKeys "in tls";
    /// Whether the endpoint's certificate is verified.
    verify: "verify" => bool,
    /// The authority that signed it.
    ca: "ca" => String,
    /// The name that is asked for.
    sni: "sni" => String,
    /// The certificate that is shown to the endpoint.
    client_cert: "client_cert" => String,
    /// The key of that certificate.
    client_key: "client_key" => String,
}

/// `tls`
pub(crate) struct TlsToEndpoint(bool);

impl Shape for TlsToEndpoint {
    const EXPECTED: &'static str =
        "auto, on, off, or a map of verify, ca, sni, client_cert, client_key";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        match node.value() {
            Value::Mapping(_) => TlsKeys::read(node, reader).map(|_| Self(true)),
            _ => Protocol::read(node, reader).map(|protocol| Self(protocol.asks())),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [ProtocolChoice::schema(), TlsKeys::schema()] })
    }

    fn asks(&self) -> bool {
        self.0
    }
}
