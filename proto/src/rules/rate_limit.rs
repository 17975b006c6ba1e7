//! `rate_limit`: requests per second and client. Checked only.

use crate::reading::{Between, WrittenDuration, keys, scalar_or_map};

keys! {
    /// A rate.
    RateKeys "in rate_limit";
    @checked {
        /// Number of requests.
        requests => Between<1, { u64::MAX }>,
        /// Period. Default: 1s.
        per => WrittenDuration,
        /// Burst size.
        burst => Between<0, { u64::MAX }>,
    }
}

scalar_or_map!(
    /// `rate_limit`
    RateLimit, "a whole number, or a map of requests, per, burst", Between<1, { u64::MAX }>, RateKeys
);
