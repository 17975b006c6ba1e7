//! `server_headers` and `headers`: edits of request and response headers.

use serde_json::{Value as Json, json};

use crate::model::{Direction, Header, HeaderEdits, HeaderValue, InvalidHeader, check_name};
use crate::reading::{FromYaml, Reader};
use crate::rules::Rule;
use crate::wire::resource as wire;
use crate::yaml::Node;

mod written;

use written::edits;

/// Edits of requests sent to endpoints.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RequestHeaders(pub HeaderEdits);

/// Edits of responses sent to clients.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ResponseHeaders(pub HeaderEdits);

/// Feature of placeholders in values. A proxy without it would send them as they are written.
const TEMPLATES: u32 = 8;

const EXPECTED: &str = "a list of `Name:value`, or a map of set, append, remove";

macro_rules! edits {
    ($name:ident, $direction:expr) => {
        impl FromYaml for $name {
            const EXPECTED: &'static str = EXPECTED;

            fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
                edits(node, reader, $direction).map(Self)
            }

            fn schema() -> Json {
                schema()
            }
        }

        impl Rule for $name {
            type Keys = Self;
            type Wire = wire::HeaderEdits;
            const FEATURES: &'static [u32] = &[TEMPLATES];

            fn lower(keys: Self) -> Self {
                keys
            }

            fn narrowed_by(&self, narrower: &Self) -> Self {
                Self(self.0.narrowed_by(&narrower.0))
            }

            fn needs(&self) -> &'static [u32] {
                needs(&self.0)
            }

            fn encode(&self) -> Option<wire::HeaderEdits> {
                encode(&self.0)
            }

            fn decode(wire: wire::HeaderEdits, wrong: &mut dyn FnMut(String)) -> Self {
                Self(decode($direction, &wire, wrong))
            }
        }
    };
}
edits!(ResponseHeaders, Direction::Response);
edits!(RequestHeaders, Direction::Request);

fn needs(edits: &HeaderEdits) -> &'static [u32] {
    let is_template = |header: &Header| matches!(header.value(), HeaderValue::Template(_));
    let mut headers = edits.set.iter().chain(&edits.append);
    if headers.any(is_template) {
        &[TEMPLATES]
    } else {
        &[]
    }
}

fn encode(edits: &HeaderEdits) -> Option<wire::HeaderEdits> {
    let headers = |headers: &[Header]| headers.iter().map(sent).collect();
    (!edits.is_empty()).then(|| wire::HeaderEdits {
        set: headers(&edits.set),
        append: headers(&edits.append),
        remove: edits.remove.clone(),
    })
}

fn sent(header: &Header) -> wire::Header {
    let (value, template) = match header.value() {
        HeaderValue::Literal(text) => (text.clone(), false),
        HeaderValue::Template(template) => (template.to_string(), true),
    };
    wire::Header {
        name: header.name().to_owned(),
        value,
        template,
    }
}

fn received(direction: Direction, header: &wire::Header) -> Result<Header, InvalidHeader> {
    let read = if header.template {
        Header::written
    } else {
        Header::new
    };
    read(direction, &header.name, &header.value)
}

fn decode(
    direction: Direction,
    wire: &wire::HeaderEdits,
    wrong: &mut dyn FnMut(String),
) -> HeaderEdits {
    let header = |header: &wire::Header| received(direction, header);
    let set = right(wire.set.iter().map(header), wrong);
    let append = right(wire.append.iter().map(header), wrong);
    let names = wire.remove.iter().map(|name| check_name(direction, name));
    let remove = right(names, wrong);
    let edits = HeaderEdits {
        set,
        append,
        remove,
    };
    if let Err(error) = edits.check(direction) {
        wrong(error.to_string());
    }
    edits
}

/// Collects the valid values. Allocates exactly once for all of them: nearly all are valid, and a snapshot keeps the list for long.
fn right<T, E: ToString>(
    values: impl ExactSizeIterator<Item = Result<T, E>>,
    wrong: &mut dyn FnMut(String),
) -> Vec<T> {
    let mut right = Vec::with_capacity(values.len());
    right.extend(values.filter_map(|value| value.map_err(|error| wrong(error.to_string())).ok()));
    right
}

fn schema() -> Json {
    let values = |about: &str| {
        json!({
            "title": "a map of names and values",
            "description": about,
            "type": "object",
            "additionalProperties": { "type": ["string", "number"] },
        })
    };
    let map = json!({
        "type": "object",
        "properties": {
            "set": values("Fields that replace those of the same name."),
            "append": values("Fields added to those of the same name."),
            "remove": {
                "title": "a list of names",
                "description": "Fields that are removed.",
                "type": "array",
                "items": { "type": "string" },
            },
        },
        "additionalProperties": false,
    });
    let lines = json!({ "type": "array", "items": { "type": "string", "pattern": "^[^:]+:" } });
    json!({ "anyOf": [lines, map] })
}
