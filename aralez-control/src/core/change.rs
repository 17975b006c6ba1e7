//! The changes that the single writer applies: one kind for each layer of state.

use std::collections::BTreeMap;
use std::sync::Arc;

use aralez_proto::model::PoolName;
use aralez_proto::record::Delta;

use crate::core::commit::Proposal;
use crate::core::layers::Endpoints;

/// A change for the writer.
#[derive(Clone, Debug)]
pub enum Change {
    /// Documents that become the next revision.
    Documents(Proposal),
    /// Records that control keeps for the fleet. They make no revision; they are durable under a counter of their own and never rolled
    /// back.
    Operational(Delta),
    /// Endpoints that sources found. They make no revision and are not durable.
    Discovered(Batch),
}

/// Pools whose discovered endpoints changed, each with its complete new set.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The pools by name.
    pub pools: BTreeMap<PoolName, Arc<Endpoints>>,
}
