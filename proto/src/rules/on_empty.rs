//! `on_empty`: what a confirmed empty answer of a source does to a pool. Checked only.

use serde_json::Value as Json;

use crate::reading::{Reader, Shape, choices};
use crate::yaml::Node;

choices! {
    /// `on_empty`
    OnEmptyWord, "a way", false:
    /// The pool stays as it is.
    Keep = "keep",
    /// The pool is empty.
    Remove = "remove",
}

/// `on_empty`
pub(crate) struct OnEmpty(OnEmptyWord);

impl Shape for OnEmpty {
    const EXPECTED: &'static str = "one of keep, remove";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        OnEmptyWord::read(node, reader).map(Self)
    }

    fn schema() -> Json {
        OnEmptyWord::schema()
    }

    fn asks(&self) -> bool {
        self.0 != OnEmptyWord::Keep
    }
}
