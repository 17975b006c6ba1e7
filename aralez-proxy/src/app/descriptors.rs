//! Adapts the connection limits to the limit of open files.

use aralez_runtime::open_files;
use tracing::warn;

use crate::core::admission::descriptors::{self, Demand};
use crate::settings::Settings;

/// Raises the limit of open files, and lowers the settings that exceed it.
pub(super) fn fit(settings: &mut Settings) -> anyhow::Result<()> {
    let files = open_files::raise();
    let demand = Demand {
        connections: settings.client.connections,
        pool: settings.pool.idle,
        threads: settings.threads,
    };
    let allowed = descriptors::fit(files, demand).ok_or_else(|| {
        anyhow::anyhow!(
            "the limit of open files (RLIMIT_NOFILE) is {files}, too low for {} threads; raise it (LimitNOFILE= in a systemd unit)",
            settings.threads
        )
    })?;
    match demand.connections {
        Some(asked) if asked > allowed.connections => warn!(
            max_connections = allowed.connections,
            "max_connections is lowered from {asked}: the limit of open files (RLIMIT_NOFILE) is {files}; a connection needs one, and a request on it one more"
        ),
        None => warn!(
            max_connections = allowed.connections,
            "max_connections is not set: limited by open files (RLIMIT_NOFILE), which is {files}; a connection needs one, and a request on it one more"
        ),
        Some(_) => {}
    }
    if demand.pool > allowed.pool {
        warn!(
            upstream_keepalive_pool_size = allowed.pool,
            "upstream_keepalive_pool_size is lowered from {}: the limit of open files (RLIMIT_NOFILE) is {files}",
            demand.pool
        );
    }
    settings.descriptors = Some(allowed.descriptors);
    settings.client.connections = Some(allowed.connections);
    settings.pool.idle = allowed.pool;
    Ok(())
}
