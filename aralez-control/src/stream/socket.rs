//! The unix socket for proxies on this machine. Its mode is 0600, one process owns it, and peers are checked by user id.

use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aralez_runtime::private;
use futures_util::stream::Stream;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tracing::warn;

use super::counted::Counted;
use crate::core::peer::PeerIdentity;

/// Pause after a failed accept. With no file descriptors left, accept would fail again immediately.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Reason why the socket cannot be bound, as one line with the key and the path.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Another process accepts connections on it.
    #[error("control_address: another process listens on {}", path.display())]
    InUse {
        /// The socket.
        path: PathBuf,
    },
    /// The path is a file that is not a socket.
    #[error("control_address: {} is not a socket", path.display())]
    NotASocket {
        /// The file.
        path: PathBuf,
    },
    /// The system refused an operation on it.
    #[error("control_address: cannot listen on {}: {cause}", path.display())]
    Unusable {
        /// The socket.
        path: PathBuf,
        /// The cause.
        cause: io::Error,
    },
}

/// A bound socket.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    file: SocketFile,
}

/// Removes the socket file on drop, unless another process has replaced it.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    identity: Option<(u64, u64)>,
}

impl SocketFile {
    fn of(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            identity: identity(path),
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.identity.is_some() && identity(&self.path) == self.identity {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let meta = std::fs::symlink_metadata(path).ok()?;
    Some((meta.dev(), meta.ino()))
}

impl ControlSocket {
    /// Binds `path` with mode 0600 and replaces the stale socket of a process that has exited.
    ///
    /// # Errors
    /// [`SocketError`].
    pub fn bind(path: &Path) -> Result<Self, SocketError> {
        Self::check(path)?;
        let unusable = |cause| SocketError::Unusable {
            path: path.to_owned(),
            cause,
        };
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            private::ensure_dir(folder).map_err(unusable)?;
        }
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(unusable(error)),
            _ => {}
        }
        let listener = UnixListener::bind(path).map_err(unusable)?;
        let file = SocketFile::of(path);
        // Other users may connect before this call; their user id is checked on accept as well.
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(unusable)?;
        Ok(Self { listener, file })
    }

    /// Checks whether `path` can be bound: no process accepts connections on it, and no other kind of file is there.
    ///
    /// # Errors
    /// [`SocketError`].
    pub fn check(path: &Path) -> Result<(), SocketError> {
        let path = path.to_owned();
        match std::fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(cause) => return Err(SocketError::Unusable { path, cause }),
            Ok(metadata) if !metadata.file_type().is_socket() => {
                return Err(SocketError::NotASocket { path });
            }
            Ok(_) => {}
        }
        match std::os::unix::net::UnixStream::connect(&path) {
            Ok(_) => Err(SocketError::InUse { path }),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
            Err(cause) => Err(SocketError::Unusable { path, cause }),
        }
    }

    /// Returns the connections of peers that run as root or as the user of this process, at most `most` at a time.
    pub(super) fn into_incoming(
        self,
        most: usize,
    ) -> (impl Stream<Item = io::Result<Counted>> + Send, SocketFile) {
        let own = rustix::process::geteuid().as_raw();
        let places = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        let incoming = futures_util::stream::unfold(self.listener, move |listener| {
            let places = Arc::clone(&places);
            async move { Some((Ok(next(&listener, own, &places).await), listener)) }
        });
        (incoming, self.file)
    }
}

/// Accepts the next connection of a trusted peer for which there is capacity.
async fn next(listener: &UnixListener, own: u32, places: &Arc<Semaphore>) -> Counted {
    // Log a failing accept once, not ten times a second.
    let mut logged = false;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let Some(peer) = trusted(&stream, own) else {
                    continue;
                };
                match Arc::clone(places).try_acquire_owned() {
                    Ok(place) => return Counted::new(stream, peer, place),
                    Err(_) => warn!(
                        "proxy turned away: all file descriptors for connections are in use; raise the limit of open files"
                    ),
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut logged, true) {
                    warn!(%error, "control socket: accept failed");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Returns the peer process if it may act for nodes.
fn trusted(stream: &UnixStream, own: u32) -> Option<PeerIdentity> {
    let peer = match stream.peer_cred() {
        Ok(peer) => PeerIdentity {
            uid: peer.uid(),
            // Pid 0 means that the peer is in a pid namespace that this process cannot see.
            pid: peer.pid().filter(|pid| *pid > 0),
        },
        Err(error) => {
            warn!(%error, "peer on the control socket turned away: its credentials cannot be read");
            return None;
        }
    };
    let trusted = peer.is_trusted(own);
    if !trusted {
        warn!(%peer, "peer of another user on the control socket turned away");
    }
    trusted.then_some(peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_that_another_process_put_in_place_is_left_to_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("control.sock");
        let first = ControlSocket::bind(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(matches!(
            ControlSocket::bind(&path),
            Err(SocketError::InUse { .. })
        ));
        std::fs::rename(&path, dir.path().join("moved")).unwrap();
        let second = ControlSocket::bind(&path).unwrap();
        drop(first);
        assert!(path.exists());
        drop(second);
        assert!(!path.exists());
    }
}
