//! `on_empty`: what a confirmed empty answer of a source does to a pool. Checked only.

use crate::reading::choices;

choices! {
    /// `on_empty`
    OnEmpty, "one of keep, remove", false, asks unless Keep:
    /// The pool stays as it is.
    Keep = "keep",
    /// The pool is empty.
    Remove = "remove",
}
