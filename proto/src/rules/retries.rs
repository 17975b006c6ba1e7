//! `retries`: whether a failed request is tried again. Checked only.

use crate::reading::{Between, OneOrMany, keys};

keys! {
    /// Whether a failed request is tried again.
    RetriesKeys "in retries";
    @checked {
        /// How often. Default: 2.
        attempts => Between<0, 100>,
        /// Which share of the requests may be tried again, as 20%.
        budget => String,
        /// After what: connect, reset, or a status.
        on => OneOrMany<String>,
    }
}
