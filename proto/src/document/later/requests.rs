//! Keys of requests and answers that this release does not enforce.

use serde_json::Value as Json;

use crate::reading::{Anything, Between, OneOrMany, Reader, Shape, choices, keys, text};
use crate::yaml::Node;

choices! {
    /// `compress`
    CompressWord, "a choice", false:
    /// As endpoints send them.
    Off = "off",
    /// What the client takes and what is worth it.
    Auto = "auto",
}

/// `compress`
pub(crate) struct Compress(CompressWord);

impl Shape for Compress {
    const EXPECTED: &'static str = "one of off, auto";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        CompressWord::read(node, reader).map(Self)
    }

    fn schema() -> Json {
        CompressWord::schema()
    }

    fn asks(&self) -> bool {
        self.0 != CompressWord::Off
    }
}

keys! {
    /// Which of the requests below a path a route is for.
    MatchKeys "in match";
    /// Whether the path is the whole path.
    exact: "exact" => bool,
    /// The methods.
    methods: "methods" => OneOrMany<String>,
    /// Headers with their values.
    headers: "headers" => Anything,
    /// Parameters of the query with their values.
    query: "query" => Anything,
}

keys! {
    /// An answer of the proxy's own.
    RespondKeys "in respond";
    /// Its status.
    status: "status" => Between<200, 599>,
    /// Its body.
    body: "body" => String,
    /// The type of its body.
    kind: "type" => String,
}

/// `host`: what endpoints see as `Host`.
pub(crate) struct HostSeen(bool);

impl Shape for HostSeen {
    const EXPECTED: &'static str = "keep, or a name";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        text(node, reader, Self::EXPECTED).map(|name| Self(name != "keep"))
    }

    fn schema() -> Json {
        String::schema()
    }

    fn asks(&self) -> bool {
        self.0
    }
}
