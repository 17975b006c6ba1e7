//! The promises that a run is checked against, and the report of a violation.

use std::fmt;
use std::time::Duration;

/// A promise to the operators of a fleet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Promise {
    /// After the faults stop, every node that can run the head runs it in bounded time; for every other node, control knows the reason.
    Converges,
    /// Once the fleet has converged, control sends no more updates.
    ComesToRest,
    /// The version of a running node never goes backwards.
    NeverBackwards,
    /// The running snapshot is closed under reference, compiles to a table of its content, and its root is the root of its records.
    ClosedAndTrue,
    /// A node never runs content that it refuses.
    NeverRunsRefused,
    /// Refused content is sent to a node once, until it changes or an operator requests another try.
    RefusedOnce,
    /// At most one update or question is open per stream.
    OneInFlight,
    /// The state that control keeps for a node, and a node for control, is bounded.
    Bounded,
    /// The removal of an endpoint reaches every healthy connected node in bounded time.
    RemovalArrives,
    /// Only updates that arrived in full change the running configuration.
    WholeOrNothing,
    /// A control with an older head, with a lower generation or of another cluster changes nothing.
    OnlyNewerOwn,
    /// A node that reconnects with the newest content is sent none.
    UnchangedGetsNothing,
    /// The state that the fleet shows of a node was true at the node's last report.
    FleetIsTrue,
    /// A push is reported as proven only if every node that it waited for runs it.
    ProofHolds,
    /// Control and a node agree: updates lead to the announced root, an Ack names the root that was sent, and a node closes its stream
    /// only for reasons that the injected faults explain.
    FitsTheNode,
    /// A version names one content.
    OneNameOneContent,
    /// A content that became suspect on a node, by two deaths of a fault in a row or four of unknown cause while it was on trial, does not
    /// run there again while the node has another one.
    SuspectNotRunAgain,
}

/// A promise that a run broke.
#[derive(Clone, Debug)]
pub struct Broken {
    /// The seed of the run.
    pub seed: u64,
    /// Simulated time since the start of the run.
    pub at: Duration,
    /// The broken promise.
    pub promise: Promise,
    /// The observation.
    pub what: String,
    /// The last events before it, oldest first; empty if the run was not traced.
    pub trace: Vec<String>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.trace {
            writeln!(f, "  {line}")?;
        }
        let at = self.at.as_secs_f64();
        write!(
            f,
            "seed {} breaks {:?} after {at:.3} s: {}\n(ARALEZ_SEED={} runs it alone)",
            self.seed, self.promise, self.what, self.seed
        )
    }
}
