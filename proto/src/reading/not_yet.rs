//! A key that this release knows but does not enforce.

use serde_json::Value as Json;

use crate::reading::{FromYaml, Reader};
use crate::yaml::Node;

/// A value that must not request anything.
pub(crate) struct NotYet<T>(#[allow(dead_code)] pub(crate) T);

impl<T: FromYaml> FromYaml for NotYet<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        // Do not refuse values inside a key that is refused as a whole.
        let inside = std::mem::replace(&mut reader.unenforced, true);
        let value = T::read(node, reader);
        reader.unenforced = inside;
        let value = value?;
        if !inside && value.asks() {
            let reason = format!(
                "{} is not enforced in this release; remove it to go on",
                reader.key()
            );
            reader.fault(node.at(), reason);
            return None;
        }
        Some(Self(value))
    }

    fn schema() -> Json {
        T::schema()
    }
}
