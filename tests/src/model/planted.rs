//! Bugs that can be planted between the state machines, to show that the model detects each.

/// A bug that an engineer could plausibly make.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Planted {
    /// Any report from a node while an update is in flight counts as the Ack of that update.
    AnyReportIsAck,
    /// The parts of an update that arrived before its stream was cut are applied.
    CutUpdateApplied,
    /// The refusals of a node are forgotten when it reconnects.
    RefusalsForgotten,
    /// The cache is written before the content is checked.
    CacheBeforeCheck,
    /// A node that connects to a control with an older head accepts that head.
    OlderHeadTaken,
    /// A view that removes endpoints is dropped if it is published while an update is in flight.
    RemovalDropped,
    /// The delta is computed from the view before the newest instead of from the view that the node acknowledged.
    DeltaFromNewest,
    /// The expected version in a heartbeat is ignored.
    ExpectedIgnored,
    /// A newer view is sent while an update is in flight.
    SecondInFlight,
    /// The root is not verified after applying.
    RootNotVerified,
    /// A restored backup continues in its old generation.
    GenerationKept,
    /// `Hello` omits a suspect root.
    SuspectNotTold,
    /// A detail question of control is answered from the records that the node held when it started.
    StaleDetail,
    /// A node accepts any cluster as its own.
    AnyCluster,
    /// A recalled view of what a node runs does not reach its session.
    RecallLost,
    /// A derivation for a node that refuses the newest view does not reach its session.
    DerivedLost,
}

impl Planted {
    /// All bugs.
    pub const ALL: [Self; 16] = [
        Self::AnyReportIsAck,
        Self::CutUpdateApplied,
        Self::RefusalsForgotten,
        Self::CacheBeforeCheck,
        Self::OlderHeadTaken,
        Self::RemovalDropped,
        Self::DeltaFromNewest,
        Self::ExpectedIgnored,
        Self::SecondInFlight,
        Self::RootNotVerified,
        Self::GenerationKept,
        Self::SuspectNotTold,
        Self::StaleDetail,
        Self::AnyCluster,
        Self::RecallLost,
        Self::DerivedLost,
    ];
}
