//! `balance`: selection of an endpoint. Checked only.

use serde_json::{Value as Json, json};

use crate::reading::{FromYaml, Reader, choices, keys, scalar_or_map};
use crate::yaml::{Node, Value};

choices! {
    /// `balance` without a map.
    BalanceWord, "a balancing method", false:
    /// Round robin.
    RoundRobin = "round_robin",
    /// The endpoint with the fewest requests in flight.
    LeastRequests = "least_requests",
}

keys! {
    /// Balancing methods that need a parameter.
    BalanceKeys "in balance";
    @checked {
        /// By a hash of a property of the request.
        hash => Hash,
    }
}

choices! {
    /// `hash` without a map.
    HashWord, "one of ip, uri", false:
    /// The client's address.
    Ip = "ip",
    /// Path and query.
    Uri = "uri",
}

scalar_or_map!(
    /// `hash`
    Hash, "ip, uri, or a map of header or cookie", HashWord, HashKeys
);

keys! {
    /// The property of the request that is hashed.
    HashKeys "in hash";
    @checked {
        /// The header of this name.
        header => String,
        /// The cookie of this name.
        cookie => String,
    }
}

/// `balance`
pub(crate) struct BalanceChoice(bool);

impl FromYaml for BalanceChoice {
    const EXPECTED: &'static str = "round_robin, least_requests, or a map of hash";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        match node.value() {
            Value::Mapping(_) => BalanceKeys::read(node, reader).map(|_| Self(true)),
            _ => BalanceWord::read(node, reader).map(|word| Self(word != BalanceWord::RoundRobin)),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [BalanceWord::schema(), BalanceKeys::schema()] })
    }

    fn asks(&self) -> bool {
        self.0
    }
}
