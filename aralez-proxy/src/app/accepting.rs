//! `--accept-cluster`: moves the state of a stopped proxy to another cluster, effective from its next start.

use std::io::Write as _;

use aralez_runtime::lock::InstanceLock;

use crate::cache::{self, AcceptedCluster};
use crate::core::sync::cluster::ClusterId;
use crate::settings::Settings;

/// Moves the state, and prints what the next start will find.
pub(super) fn accept(settings: &Settings, cluster: &ClusterId) -> anyhow::Result<()> {
    let folder = &settings.state_dir;
    let _lock = InstanceLock::acquire(folder)?;
    let AcceptedCluster {
        snapshots,
        troubles,
    } = cache::accept_cluster(folder, cluster, &settings.limits)?;
    let mut out = std::io::stdout().lock();
    for trouble in troubles {
        writeln!(out, "not moved: {trouble}")?;
    }
    writeln!(
        out,
        "{} joins the cluster at its next start, with {snapshots} cached snapshots",
        settings.node
    )?;
    Ok(())
}
