//! `on_empty`: effect of a confirmed empty answer of a source on a pool. Checked only.

use crate::reading::choices;

choices! {
    /// `on_empty`
    OnEmpty, "one of keep, remove", false, asks unless Keep:
    /// The pool keeps its endpoints.
    Keep = "keep",
    /// The pool loses its endpoints.
    Remove = "remove",
}
