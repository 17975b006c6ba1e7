//! `server_headers` and `headers`: edits of request and response headers.

use serde_json::{Value as Json, json};

use crate::model::{Direction, Header, HeaderEdits, MOST_EDITS, check_name};
use crate::reading::{FromYaml, Reader, shown, text};
use crate::rules::Rule;
use crate::wire::resource as wire;
use crate::yaml::{Node, Value};

/// Edits of requests sent to endpoints.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RequestHeaders(pub HeaderEdits);

/// Edits of responses sent to clients.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ResponseHeaders(pub HeaderEdits);

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

            fn lower(keys: Self) -> Self {
                keys
            }

            fn narrowed_by(&self, narrower: &Self) -> Self {
                Self(self.0.narrowed_by(&narrower.0))
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

fn encode(edits: &HeaderEdits) -> Option<wire::HeaderEdits> {
    let headers = |headers: &[Header]| {
        let sent = headers.iter().map(|header| wire::Header {
            name: header.name().to_owned(),
            value: header.value().to_owned(),
        });
        sent.collect()
    };
    (!edits.is_empty()).then(|| wire::HeaderEdits {
        set: headers(&edits.set),
        append: headers(&edits.append),
        remove: edits.remove.clone(),
    })
}

fn decode(
    direction: Direction,
    wire: &wire::HeaderEdits,
    wrong: &mut dyn FnMut(String),
) -> HeaderEdits {
    let header = |header: &wire::Header| Header::new(direction, &header.name, &header.value);
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
    let values =
        json!({ "type": "object", "additionalProperties": { "type": ["string", "number"] } });
    let map = json!({
        "type": "object",
        "properties": {
            "set": values,
            "append": values,
            "remove": { "type": "array", "items": { "type": "string" } },
        },
        "additionalProperties": false,
    });
    let lines = json!({ "type": "array", "items": { "type": "string", "pattern": "^[^:]+:" } });
    json!({ "anyOf": [lines, map] })
}

fn edits<'t>(node: Node<'t>, reader: &mut Reader<'t>, direction: Direction) -> Option<HeaderEdits> {
    let edits = written(node, reader, direction)?;
    edits
        .check(direction)
        .map_err(|error| reader.fault(node.at(), error.to_string()))
        .ok()?;
    Some(edits)
}

fn written<'t>(
    node: Node<'t>,
    reader: &mut Reader<'t>,
    direction: Direction,
) -> Option<HeaderEdits> {
    match node.value() {
        Value::Sequence(lines) => {
            let mut edits = HeaderEdits::default();
            // One above the limit is enough to refuse the list. Reading stops there because each header is compared with all before it.
            for (index, line) in lines.take(MOST_EDITS + 1).enumerate() {
                if let Some(header) =
                    reader.element(index, |reader| header_line(line, reader, direction))
                {
                    add(&mut edits, header);
                }
            }
            Some(edits)
        }
        Value::Mapping(entries) => {
            let mut map = EditsMap {
                direction,
                edits: HeaderEdits::default(),
            };
            for entry in entries {
                reader.under(entry.key, |reader| {
                    if !map.take(entry.key, entry.value, reader) {
                        let reason = format!(
                            "unknown key `{}` in headers; known keys: set, append, remove",
                            shown(entry.key)
                        );
                        reader.fault(entry.at, reason);
                    }
                });
            }
            Some(map.edits)
        }
        Value::Scalar(_) => reader.mismatch(node, EXPECTED),
    }
}

/// Adds a header of the list form. The first of a name replaces that of the message; further ones are appended.
fn add(edits: &mut HeaderEdits, header: Header) {
    if edits.set.iter().any(|other| other.name() == header.name()) {
        edits.append.push(header);
    } else {
        edits.set.push(header);
    }
}

/// Reads one `Name:value`. Values may be secret, so faults never quote one.
fn header_line<'t>(
    node: Node<'t>,
    reader: &mut Reader<'t>,
    direction: Direction,
) -> Option<Header> {
    reader.placed(node.at());
    let line = text(node, reader, "`Name:value` in quotes")?;
    let Some((name, value)) = line.split_once(':') else {
        reader.fault(node.at(), "expected `Name:value`, found no `:`");
        return None;
    };
    header(node, reader, direction, name.trim(), value.trim())
}

fn header<'t>(
    node: Node<'t>,
    reader: &mut Reader<'t>,
    direction: Direction,
    name: &str,
    value: &str,
) -> Option<Header> {
    Header::new(direction, name, value)
        .map_err(|error| reader.fault(node.at(), error.to_string()))
        .ok()
}

struct EditsMap {
    direction: Direction,
    edits: HeaderEdits,
}

impl EditsMap {
    /// Reads the value of a key. Returns `false` if the key is unknown.
    fn take<'t>(&mut self, key: &str, node: Node<'t>, reader: &mut Reader<'t>) -> bool {
        match key {
            "set" => self.edits.set = self.headers(node, reader),
            "append" => self.edits.append = self.headers(node, reader),
            "remove" => self.edits.remove = self.names(node, reader),
            _ => return false,
        }
        true
    }

    fn headers<'t>(&self, node: Node<'t>, reader: &mut Reader<'t>) -> Vec<Header> {
        let Value::Mapping(entries) = node.value() else {
            reader.mismatch::<()>(node, "a map of names and values");
            return Vec::new();
        };
        let mut headers: Vec<Header> = Vec::new();
        for entry in entries.take(MOST_EDITS + 1) {
            let header = reader.under(entry.key, |reader| {
                reader.placed(entry.value.at());
                let value = text(entry.value, reader, "a header value")?;
                header(entry.value, reader, self.direction, entry.key, value)
            });
            let Some(header) = header else { continue };
            if headers.iter().any(|other| other.name() == header.name()) {
                let reason = format!(
                    "duplicate header `{}`; names are case-insensitive",
                    header.name()
                );
                reader.fault(entry.at, reason);
            }
            headers.push(header);
        }
        headers
    }

    fn names<'t>(&self, node: Node<'t>, reader: &mut Reader<'t>) -> Vec<String> {
        let Value::Sequence(elements) = node.value() else {
            reader.mismatch::<()>(node, "a list of names");
            return Vec::new();
        };
        let mut names = Vec::new();
        for (index, element) in elements.enumerate() {
            names.extend(reader.element(index, |reader| {
                reader.placed(element.at());
                let name = text(element, reader, "a header name")?;
                check_name(self.direction, name)
                    .map_err(|error| reader.fault(element.at(), error.to_string()))
                    .ok()
            }));
        }
        names
    }
}
