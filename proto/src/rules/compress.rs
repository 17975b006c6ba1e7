//! `compress`: whether responses are compressed. Checked only.

use crate::reading::choices;

choices! {
    /// `compress`
    Compress, "one of off, auto", false, asks unless Off:
    /// Responses pass as endpoints send them.
    Off = "off",
    /// Responses are compressed if the client accepts it and it is worthwhile.
    Auto = "auto",
}
