//! A key that this release knows but does not enforce.

use serde_json::Value as Json;

use crate::reading::{FromYaml, Reader, Support};
use crate::yaml::Node;

/// A value that is refused if it turns its feature on.
pub(crate) struct NotYet<T>(#[allow(dead_code)] pub(crate) T);

impl<T: FromYaml> FromYaml for NotYet<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    const SUPPORT: Support = Support::Refused;

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        // Inside another key that is not supported, do not report each nested one as well. Invalid values are still reported.
        let inside = std::mem::replace(&mut reader.unenforced, true);
        let value = T::read(node, reader);
        reader.unenforced = inside;
        let value = value?;
        if !inside && value.asks() {
            let reason = format!(
                "{} is not supported in this release; remove it",
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
