//! `compress`: whether answers are compressed. Checked only.

use serde_json::Value as Json;

use crate::reading::{Reader, Shape, choices};
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
