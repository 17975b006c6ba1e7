//! `sticky_sessions`: whether a client keeps its endpoint. Checked only.

use serde_json::{Value as Json, json};

use crate::reading::{Between, FromYaml, Reader};
use crate::yaml::{Node, Value};

/// `sticky_sessions`: true or false, or seconds.
pub(crate) struct Sticky(bool);

impl FromYaml for Sticky {
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
