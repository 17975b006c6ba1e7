//! Keys of how endpoints are chosen and checked that this release does not enforce.

use serde_json::{Value as Json, json};

use crate::reading::{
    Anything, Between, Life, OneOrMany, Reader, Shape, choices, keys, scalar_or_map,
};
use crate::yaml::{Node, Value};

choices! {
    /// `balance` without a map.
    BalanceWord, "a way", false:
    /// In turn.
    RoundRobin = "round_robin",
    /// The one with the fewest requests.
    LeastRequests = "least_requests",
}

keys! {
    /// The ways of balancing that need a word more.
    BalanceKeys "in balance";
    /// By a hash of something of the request.
    hash: "hash" => Hash,
}

choices! {
    /// `hash` without a map.
    HashWord, "what is hashed", false:
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
    /// What of a request is hashed.
    HashKeys "in hash";
    /// A header of this name.
    header: "header" => String,
    /// A cookie of this name.
    cookie: "cookie" => String,
}

/// `balance`
pub(crate) struct BalanceChoice(bool);

impl Shape for BalanceChoice {
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

keys! {
    /// Whether a failed request is tried again.
    RetriesKeys "in retries";
    /// How often. Default: 2.
    attempts: "attempts" => Between<0, 100>,
    /// Which share of the requests may be tried again, as 20%.
    budget: "budget" => String,
    /// After what: connect, reset, or a status.
    on: "on" => OneOrMany<String>,
}

choices! {
    /// `health.type`
    HealthType, "a type", false:
    /// Asks with HTTP.
    Http = "http",
    /// Connects.
    Tcp = "tcp",
    /// Asks with gRPC.
    Grpc = "grpc",
}

keys! {
    /// How endpoints are checked.
    HealthKeys "in health";
    /// The path that is asked for.
    path: "path" => String,
    /// The method.
    method: "method" => String,
    /// Between two checks.
    interval: "interval" => Life,
    /// For an answer.
    timeout: "timeout" => Life,
    /// How many good answers make an endpoint live.
    rise: "rise" => Between<1, 1_000>,
    /// How many bad answers make it dead.
    fall: "fall" => Between<1, 1_000>,
    /// Which statuses are good.
    status: "status" => Anything,
    /// How it is asked.
    kind: "type" => HealthType,
    /// By how much the time between two checks varies.
    jitter: "jitter" => Anything,
    /// In which time an endpoint that is back gets its whole share.
    slow_start: "slow_start" => Life,
    /// When an endpoint is left alone for its answers to clients.
    eject: "eject" => EjectKeys,
    /// Below which share of live endpoints all are used, as 50%.
    panic: "panic" => String,
}

keys! {
    /// When an endpoint is left alone for its answers to clients.
    EjectKeys "in eject";
    /// After how many failures in a row.
    after: "after" => Between<1, 1_000_000>,
    /// For how long.
    period: "for" => Life,
    /// Which share of the endpoints at most, as 50%.
    most: "most" => Anything,
}

keys! {
    /// A part of a route's requests, and who serves it.
    PoolKeys "in pools";
    /// Its share of the requests.
    weight: "weight" => Between<0, 65_535>,
    /// The endpoints.
    servers: "servers" => Anything,
}

choices! {
    /// `on_empty`
    OnEmptyWord, "a way", false:
    /// The pool stays as it is.
    Keep = "keep",
    /// The pool is empty.
    Remove = "remove",
}

/// `on_empty`
pub(crate) struct OnEmpty(OnEmptyWord);

impl Shape for OnEmpty {
    const EXPECTED: &'static str = "one of keep, remove";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        OnEmptyWord::read(node, reader).map(Self)
    }

    fn schema() -> Json {
        OnEmptyWord::schema()
    }

    fn asks(&self) -> bool {
        self.0 != OnEmptyWord::Keep
    }
}
