//! `retries`: whether failed requests are retried. Checked only.

use crate::reading::{Between, OneOrMany, keys};

keys! {
    /// Whether failed requests are retried.
    RetriesKeys "in retries";
    @checked {
        /// Number of retries. Default: 2.
        attempts => Between<0, 100>,
        /// Share of the requests that may be retried, such as 20%.
        budget => String,
        /// Conditions: connect, reset, or a status.
        on => OneOrMany<String>,
    }
}
