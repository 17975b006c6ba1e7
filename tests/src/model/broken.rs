//! What a run is held against, and what is told of a run that breaks it.

use std::fmt;
use std::time::Duration;

/// A promise to the people who run a fleet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Promise {
    /// When faults stop, every node that can run the head runs it in bounded time; of the others control knows why not.
    Converges,
    /// Once it does, nothing is sent any more.
    ComesToRest,
    /// The version of a running node never goes backwards.
    NeverBackwards,
    /// What runs is closed under reference, compiles to what it says, and its root is the root of its records.
    ClosedAndTrue,
    /// A node never runs what it refuses.
    NeverRunsRefused,
    /// Refused content is sent once to a node, until it changes or an operator wants it tried again.
    RefusedOnce,
    /// At most one update or question is open on a stream.
    OneInFlight,
    /// What control keeps of a node, and a node of control, is bounded.
    Bounded,
    /// The removal of an endpoint reaches every healthy connected node in bounded time.
    RemovalArrives,
    /// Only updates that came as a whole change what runs.
    WholeOrNothing,
    /// A control with an older head, of a lower generation or of another cluster changes nothing.
    OnlyNewerOwn,
    /// A node that holds the newest content is sent none when it comes back.
    UnchangedGetsNothing,
    /// What the fleet shows of a node was true when it last reported.
    FleetIsTrue,
    /// A push that is called proven is run by every node that it waited for.
    ProofHolds,
    /// What control says fits what the node holds and does.
    FitsTheNode,
    /// A version names one content.
    OneNameOneContent,
    /// Content that twice ended a node soon after it was applied is not run by it again while there is another.
    SuspectRests,
}

/// A promise that a run broke.
#[derive(Clone, Debug)]
pub struct Broken {
    /// The run.
    pub seed: u64,
    /// When, from the start of the run.
    pub at: Duration,
    /// Which promise.
    pub promise: Promise,
    /// What was seen.
    pub what: String,
    /// The last events before it, oldest first; empty where the run was not traced.
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
