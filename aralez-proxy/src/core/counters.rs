//! The traffic counters that this node reports on its stream to control, as a trait.

/// Totals since the process started.
pub trait Counters: Send + Sync {
    /// Number of requests received: heads that were read, and heads that were refused with a response.
    fn requests(&self) -> u64;

    /// Number of responses with status 500 to 599, whether from an endpoint or from the proxy.
    fn responses_5xx(&self) -> u64;
}
