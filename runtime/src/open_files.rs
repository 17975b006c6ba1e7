//! The limit on open files: each connection uses a file descriptor.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit on open files to the hard limit, and returns the limit now in force. If the system refuses, logs that and leaves
/// the limit unchanged.
pub fn raise() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if limit.current != limit.maximum
        && let Err(error) = setrlimit(Resource::Nofile, raised)
    {
        tracing::warn!(%error, "limit on open files not raised");
    }
    let now = getrlimit(Resource::Nofile).current;
    // `None`: unlimited.
    now.map_or(usize::MAX, |now| usize::try_from(now).unwrap_or(usize::MAX))
}
