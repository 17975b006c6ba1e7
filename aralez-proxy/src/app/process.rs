//! Process-wide system resources set up before serving.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use super::ending;
use crate::cache::{Ending, ExitNotes};
use crate::core::traffic::{Tally, TrafficEvent};

/// Binds a port. A port in use is reported as a one-line error at the start.
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

/// Installs a panic hook that counts and logs panics. A panic ends its task, not the process. The message is not logged because it may
/// contain client data. A panic that aborts the process is recorded as its exit.
pub(super) fn count_panics(tally: Arc<Tally>, exits: Arc<ExitNotes>) {
    std::panic::set_hook(Box::new(move |panic| {
        tally.event(TrafficEvent::Panic);
        if ending::aborts(panic.payload()) {
            ending::note(&exits, Ending::Panic);
        }
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("unnamed");
        match panic.location() {
            Some(at) => tracing::error!(thread = name, "panic at {at}"),
            None => tracing::error!(thread = name, "panic"),
        }
    }));
}
