//! The wall clock, for display and for the expiry of tokens. Decisions use an `Instant` passed by the caller.

use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the milliseconds since 1970 in UTC; 0 if the machine's clock is set before that.
pub fn unix_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_clock_stands_after_this_was_written() {
        assert!(super::unix_ms() > 1_700_000_000_000);
    }
}
