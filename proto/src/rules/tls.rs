//! `tls` and `http2`: protocols used towards endpoints. Checked only.

use serde_json::{Value as Json, json};

use crate::reading::{FromYaml, Reader, choices, keys};
use crate::yaml::{Node, Value};

choices! {
    /// `http2`, and `tls` without a map.
    Protocol, "one of auto, on, off", false, asks unless Off:
    /// If the endpoint supports it.
    Auto = "auto",
    /// Always.
    On = "on",
    /// Never.
    Off = "off",
}

keys! {
    /// TLS to an endpoint.
    TlsKeys "in tls";
    @checked {
        /// Whether the endpoint's certificate is verified.
        verify => bool,
        /// The CA that signs it.
        ca => String,
        /// The server name (SNI) sent.
        sni => String,
        /// The certificate presented to the endpoint.
        client_cert => String,
        /// The private key of that certificate.
        client_key => String,
    }
}

/// `tls`
pub(crate) struct TlsToEndpoint(bool);

impl FromYaml for TlsToEndpoint {
    const EXPECTED: &'static str =
        "auto, on, off, or a map of verify, ca, sni, client_cert, client_key";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        match node.value() {
            Value::Mapping(_) => TlsKeys::read(node, reader).map(|_| Self(true)),
            _ => Protocol::read(node, reader).map(|protocol| Self(protocol.asks())),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [Protocol::schema(), TlsKeys::schema()] })
    }

    fn asks(&self) -> bool {
        self.0
    }
}
