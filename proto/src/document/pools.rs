//! `pools`: the endpoints of a route in several groups, each with its share of the requests.

use serde_json::{Value as Json, json};

use crate::document::server::{Servers, refuse_empty};
use crate::model::{Endpoint, Split};
use crate::reading::{Between, FromYaml, Reader, keys};
use crate::yaml::{Node, Value};

/// `pools`: at least one has a weight above 0.
pub(crate) struct WrittenPools(pub(crate) Vec<WeightedServers>);

/// The endpoints of one pool, with its weight.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct WeightedServers {
    pub(crate) weight: u16,
    pub(crate) servers: Vec<Endpoint>,
}

keys! {
    /// A share of a route's requests, and the endpoints that serve it.
    PoolKeys "in pools";
    /// Its share of the requests, relative to the sum of all weights; 0 for none. Default: 1.
    weight => Between<0, { u16::MAX as u64 }>,
    /// The endpoints.
    servers => Servers,
}

impl FromYaml for WrittenPools {
    const EXPECTED: &'static str = "a list of maps of weight, servers";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let Value::Sequence(elements) = node.value() else {
            return reader.mismatch(node, Self::EXPECTED);
        };
        let pools: Vec<Option<WeightedServers>> = elements
            .enumerate()
            .map(|(index, element)| reader.element(index, |reader| pool(element, reader)))
            .collect();
        let pools: Vec<WeightedServers> = pools.into_iter().collect::<Option<_>>()?;
        if let Err(reason) = Split::check(pools.iter().map(|pool| pool.weight)) {
            reader.fault(node.at(), reason.to_string());
            return None;
        }
        Some(Self(pools))
    }

    fn schema() -> Json {
        let mut pool = PoolKeys::schema();
        pool["required"] = json!(["servers"]);
        json!({ "type": "array", "minItems": 1, "items": pool })
    }
}

fn pool<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<WeightedServers> {
    let keys = PoolKeys::read(node, reader)?;
    if node.get("servers").is_none() {
        reader.fault(node.at(), "`servers` is missing");
    }
    let wrong_weight = node.get("weight").is_some() && keys.weight.is_none();
    let servers = keys.servers?;
    refuse_empty(node, servers.at, reader)?;
    let weight = keys.weight.map_or(1, |weight| weight.value.0);
    let weight = u16::try_from(weight).ok()?;
    (!wrong_weight).then_some(WeightedServers {
        weight,
        servers: servers.value.0,
    })
}
