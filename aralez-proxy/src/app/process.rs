//! What the process asks of the system before it serves.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;

use crate::core::traffic::{Event, Tally};

/// Binds a port, so that one that is taken is one line at the start.
pub(super) fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).map_err(|error| {
        let reason = match error.kind() {
            std::io::ErrorKind::AddrInUse => "address in use".to_owned(),
            std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => error.to_string(),
        };
        anyhow::anyhow!("cannot listen on {address}: {reason}")
    })
}

/// Counts and logs panics; the task that panicked ends, the process goes on. The message is not logged: it may hold what a client sent.
pub(super) fn count_panics(tally: Arc<Tally>) {
    std::panic::set_hook(Box::new(move |panic| {
        tally.event(Event::Panic);
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("unnamed");
        match panic.location() {
            Some(at) => tracing::error!(thread = name, "panic at {at}"),
            None => tracing::error!(thread = name, "panic"),
        }
    }));
}

/// A file that holds the process id, removed when the process leaves in order, unless a successor wrote its own id there.
#[derive(Debug)]
pub(super) struct PidFile(PathBuf);

impl PidFile {
    pub(super) fn write(path: &Path) -> anyhow::Result<Self> {
        std::fs::write(path, format!("{}\n", std::process::id()))
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self(path.to_owned()))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        let text = std::fs::read_to_string(&self.0).unwrap_or_default();
        if text.trim().parse() != Ok(std::process::id()) {
            return;
        }
        if let Err(error) = std::fs::remove_file(&self.0) {
            tracing::warn!(%error, file = %self.0.display(), "the pid file stays behind");
        }
    }
}
