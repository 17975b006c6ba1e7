//! The servers of a route.

use serde_json::{Value as Json, json};

use crate::model::{Endpoint, EndpointAddress, SocketPath};
use crate::reading::{Between, FromYaml, Reader, keys, shown, text};
use crate::yaml::{Node, Spot, Value};

/// `servers`, in the order written. Servers with faults are reported and left out.
pub(crate) struct Servers(pub(crate) Vec<Endpoint>);

keys! {
    /// A server with more than its address.
    ServerKeys "at a server";
    /// IP:PORT, or unix:PATH of a socket on the proxy's machine.
    address => Address,
    /// Its share of the requests. Default: 1.
    weight => Between<1, 65_535>,
    /// Use it only if no other server is live. Default: false.
    backup => bool,
}

impl FromYaml for Servers {
    const EXPECTED: &'static str = "a list of servers";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let Value::Sequence(elements) = node.value() else {
            return reader.mismatch(node, Self::EXPECTED);
        };
        let mut servers: Vec<(Endpoint, Spot)> = Vec::new();
        let mut seen = std::collections::HashMap::new();
        for (index, element) in elements.enumerate() {
            reader.element(index, |reader| {
                let Some(endpoint) = server(element, reader) else {
                    return;
                };
                match seen.insert(endpoint.address.clone(), element.at()) {
                    None => servers.push((endpoint, element.at())),
                    Some(first) => {
                        let reason = format!(
                            "duplicate server {}, already listed at {first}",
                            endpoint.address
                        );
                        reader.fault(element.at(), reason);
                    }
                }
            });
        }
        Some(Self(
            servers.into_iter().map(|(endpoint, _)| endpoint).collect(),
        ))
    }

    fn schema() -> Json {
        json!({
            "type": "array",
            "minItems": 1,
            "items": { "anyOf": [Address::schema(), ServerKeys::schema()] },
        })
    }
}

/// Refuses an empty list of servers, at `at` under the key `servers` of a map. `None` if it is empty or no list.
pub(crate) fn refuse_empty<'t>(map: Node<'t>, at: Spot, reader: &mut Reader<'t>) -> Option<()> {
    let Some(Value::Sequence(written)) = map.get("servers").map(Node::value) else {
        return None;
    };
    if written.is_empty() {
        reader.under("servers", |reader| {
            reader.fault(at, "is empty; a route needs at least one server");
        });
        return None;
    }
    Some(())
}

fn server<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Endpoint> {
    match node.value() {
        Value::Scalar(_) => Address::read(node, reader).map(|address| Endpoint::new(address.0)),
        Value::Mapping(_) => {
            let keys = ServerKeys::read(node, reader)?;
            if let Some(weight) = keys.weight.as_ref().filter(|weight| weight.value.0 != 1) {
                let reason = "weight is not supported in this release; remove it";
                reader.under("weight", |reader| reader.fault(weight.at, reason));
            }
            if let Some(backup) = keys.backup.as_ref().filter(|backup| backup.value) {
                let reason = "backup is not supported in this release; remove it";
                reader.under("backup", |reader| reader.fault(backup.at, reason));
            }
            if keys.address.is_none() && node.get("address").is_none() {
                reader.fault(node.at(), "`address` is missing");
            }
            keys.address.map(|address| Endpoint::new(address.value.0))
        }
        Value::Sequence(_) => reader.mismatch(
            node,
            "ip:port, unix:PATH, or a map of address, weight, backup",
        ),
    }
}

/// An endpoint's address.
#[derive(Clone)]
pub(crate) struct Address(EndpointAddress);

impl FromYaml for Address {
    const EXPECTED: &'static str = "ip:port or unix:PATH";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let text = text(node, reader, Self::EXPECTED)?;
        if let Some(reason) = not_taken(text) {
            reader.fault(node.at(), reason);
            return None;
        }
        let address = match text.parse::<EndpointAddress>() {
            Ok(address) => address,
            Err(error) => {
                reader.fault(node.at(), error.to_string());
                return None;
            }
        };
        let may_reach = reader.may_reach(&address, node.at());
        may_reach.then_some(Self(address))
    }

    fn schema() -> Json {
        let longest = SocketPath::LONGEST - 1;
        let tcp = r"(\[[0-9A-Fa-f:.]+\]|[0-9.]+):[0-9]{1,5}";
        json!({ "type": "string", "pattern": format!(r"^({tcp}|unix:/\S{{1,{longest}}})$") })
    }
}

/// Returns the reason why a common mistake is not an address. `None` for any other text.
fn not_taken(text: &str) -> Option<String> {
    let written = shown(text);
    if text.starts_with('/') {
        return Some(format!(
            "`{written}` is a path (did you mean `unix:{written}`?)"
        ));
    }
    if let Some((scheme, rest)) = text
        .split_once("://")
        .filter(|(scheme, _)| *scheme != "unix")
    {
        let rest = shown(rest.trim_end_matches('/'));
        return Some(format!(
            "`{written}` is a URL; write ip:port without `{}://` (did you mean `{rest}`?)",
            shown(scheme)
        ));
    }
    let (host, port) = text.rsplit_once(':')?;
    let named = host.contains(|char: char| char.is_ascii_alphabetic())
        && host
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || "-._".contains(char));
    let ported = port.parse::<u16>().is_ok_and(|port| port > 0);
    (named && ported).then(|| {
        format!("`{written}`: host names are not resolved in this release; write the IP address of {host:?}")
    })
}
