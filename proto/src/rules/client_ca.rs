//! `client_ca`: client certificates. Checked only.

use crate::reading::{choices, keys};

choices! {
    /// `client_ca.mode`
    ClientCaMode, "a mode", false:
    /// A client may present a certificate.
    Optional = "optional",
    /// A client must present a certificate.
    Required = "required",
}

keys! {
    /// Client certificates.
    ClientCa "in client_ca";
    @checked {
        /// The CA that signs them.
        ca => String,
        /// Whether a certificate is required. Default: required.
        mode => ClientCaMode,
    }
}
