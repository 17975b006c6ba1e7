//! `compress`: whether answers are compressed. Checked only.

use crate::reading::choices;

choices! {
    /// `compress`
    Compress, "one of off, auto", false, asks unless Off:
    /// As endpoints send them.
    Off = "off",
    /// What the client takes and what is worth it.
    Auto = "auto",
}
