//! What this node tells of its traffic, as a trait: the stream asks, whoever counts answers.

/// Totals since the process started.
pub trait Counters: Send + Sync {
    /// Requests answered.
    fn requests(&self) -> u64;

    /// Of these, answers with a status of 500 and above, be they the endpoint's or ours.
    fn responses_5xx(&self) -> u64;
}
