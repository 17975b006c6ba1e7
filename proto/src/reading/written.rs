//! The keys written in a map, with their positions.

use crate::reading::Reader;
use crate::yaml::{Node, Spot};

/// Keys read so far, by their primary name. The parser refuses only equal names, so a key written under two of its aliases is caught here.
#[derive(Default)]
pub(crate) struct Written(Vec<(&'static str, Spot)>);

impl Written {
    /// Records a key. Returns `false`, after reporting a fault, if the key was already written; its value must then not be read.
    pub(crate) fn note<'t>(
        &mut self,
        key: &'static str,
        node: Node<'t>,
        reader: &mut Reader<'t>,
    ) -> bool {
        if let Some((_, first)) = self.0.iter().find(|(known, _)| *known == key) {
            let reason =
                format!("duplicate of `{key}`, which is already set at {first} under another name");
            reader.fault(node.at(), reason);
            return false;
        }
        self.0.push((key, node.at()));
        true
    }
}
