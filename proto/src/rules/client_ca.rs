//! `client_ca`: certificates that clients must show. Checked only.

use crate::reading::{choices, keys};

choices! {
    /// `client_ca.mode`
    ClientCaMode, "a mode", false:
    /// A client may show a certificate.
    Optional = "optional",
    /// A client must show a certificate.
    Required = "required",
}

keys! {
    /// Certificates that clients must show.
    ClientCa "in client_ca";
    @checked {
        /// The authority that signed them.
        ca => String,
        /// Whether they must. Default: required.
        mode => ClientCaMode,
    }
}
