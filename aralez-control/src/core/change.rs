//! The three kinds of change that the one writer takes: one for each layer of state (design section 5).

use std::collections::BTreeMap;
use std::sync::Arc;

use aralez_proto::model::PoolName;
use aralez_proto::record::Delta;

use crate::core::commit::Proposal;
use crate::core::layers::Endpoints;

/// What the writer is to change.
#[derive(Clone, Debug)]
pub enum Change {
    /// Documents, which become the next revision.
    Documents(Proposal),
    /// Records that control keeps for the fleet: no revision, but durable under a counter of their own, and never rolled back.
    Operational(Delta),
    /// Endpoints that sources found: no revision, and nothing durable.
    Discovered(Batch),
}

/// Pools of which sources found other endpoints, each with all that it has now.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The pools by name.
    pub pools: BTreeMap<PoolName, Arc<Endpoints>>,
}
