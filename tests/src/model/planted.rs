//! Bugs that can be planted between the machines, to show that the model notices each.

/// A bug, as an engineer could make it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Planted {
    /// Whatever a node says while an update is on its way is taken for the Ack of that update.
    AnyReportIsAck,
    /// What came of an update before its stream was cut is applied.
    CutUpdateApplied,
    /// What a node refused is forgotten when it reconnects.
    RefusalsForgotten,
    /// The cache is written before it is known whether the content is taken.
    CacheBeforeCheck,
    /// A node that comes to a control with an older head takes it.
    OlderHeadTaken,
    /// A view that removes endpoints, and comes while an update is on its way, is dropped.
    RemovalDropped,
    /// The difference is computed from the view before the newest instead of from what the node acknowledged.
    DeltaFromNewest,
    /// What a heartbeat says of the expected version is ignored.
    ExpectedIgnored,
    /// A newer view is sent while an update is on its way.
    SecondInFlight,
    /// The root is not verified after applying.
    RootNotVerified,
    /// A restored backup goes on in the generation that it was of.
    GenerationKept,
    /// A suspect root is not in `Hello`.
    SuspectNotTold,
    /// A question of control is answered from what the node held when it started.
    StaleDetail,
    /// A node takes any cluster for its own.
    AnyCluster,
    /// The view of what a node runs was made again, and does not reach its session.
    RecallLost,
    /// What was made for a node that refuses the newest view does not reach its session.
    DerivedLost,
}

impl Planted {
    /// All of them.
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
