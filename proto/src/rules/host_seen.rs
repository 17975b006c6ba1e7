//! `host`: the `Host` sent to endpoints. Checked only.

use serde_json::Value as Json;

use crate::reading::{FromYaml, Reader, text};
use crate::yaml::Node;

/// `host`: the `Host` sent to endpoints.
pub(crate) struct HostSeen(bool);

impl FromYaml for HostSeen {
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
