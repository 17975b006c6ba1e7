//! The traffic counters that this node reports on its stream to control, as a trait.

/// Totals since the process started.
pub trait Counters: Send + Sync {
    /// Number of requests that received a response.
    fn requests(&self) -> u64;

    /// Number of these responses with a status of 500 or above, whether from the endpoint or from the proxy.
    fn responses_5xx(&self) -> u64;
}
