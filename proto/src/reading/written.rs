//! Which keys of a map were written, and where.

use crate::reading::Reader;
use crate::yaml::{Node, Spot};

/// The keys that were read so far, by their first name. A key that stands twice under two names is a fault: the parser refuses only equal names.
#[derive(Default)]
pub(crate) struct Written(Vec<(&'static str, Spot)>);

impl Written {
    /// Notes a key, and whether its value is to be read. `false`: it stood before, which is told.
    pub(crate) fn note<'t>(
        &mut self,
        key: &'static str,
        node: Node<'t>,
        reader: &mut Reader<'t>,
    ) -> bool {
        if let Some((_, first)) = self.0.iter().find(|(known, _)| *known == key) {
            let reason = format!("is `{key}` under another name, which stands already at {first}");
            reader.fault(node.at(), reason);
            return false;
        }
        self.0.push((key, node.at()));
        true
    }
}
