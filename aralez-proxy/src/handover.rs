//! Handover of the listeners from a running proxy to the process that replaces it, `-u`.
//!
//! The running proxy listens on a unix socket (`upgrade_sock`, mode 0600, the peer's uid is checked). A successor connects and receives the
//! listening sockets and the instance lock as file descriptors. A `flock` belongs to the open file description, so the lock is held at
//! every moment. The successor starts to serve on the sockets and reports it; only then does the running proxy stop accepting and drain. If
//! the successor exits before that, the running proxy continues unchanged. The accept queues belong to the sockets, so no connection is
//! lost, however many threads each process has.

use std::io;
use std::path::PathBuf;

mod giver;
mod message;
mod taker;

pub use giver::{Gives, Offer, Offering, listen};
pub use taker::{TakenOver, take};

/// Request of a successor.
const TAKE: &str = "aralez handover 1: take";
/// More descriptors follow.
const MORE: &str = "more";
/// Last packet; the running proxy serves a configuration.
const LIVE: &str = "all, live";
/// Last packet; the running proxy has no configuration either.
const EMPTY: &str = "all, empty";
/// The running proxy cannot hand over now.
const NOT_NOW: &str = "not now";
/// The successor reports that it serves.
const SERVING: &str = "serving";
/// The running proxy has stopped writing its state and is about to drain.
const LEAVING: &str = "leaving";

/// Reason why a handover failed.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    /// The socket cannot be used.
    #[error("upgrade_sock: {}: {cause}", path.display())]
    Socket {
        /// The path of the socket.
        path: PathBuf,
        /// The cause.
        cause: io::Error,
    },
    /// The peer runs as another user.
    #[error("upgrade_sock: {}: the listening process runs as another user (uid {uid})", path.display())]
    Foreign {
        /// The path of the socket.
        path: PathBuf,
        /// The uid of the peer.
        uid: u32,
    },
    /// The running proxy refused the handover, closed the connection, or sent an unexpected message.
    #[error("upgrade_sock: {}: the running process refused the handover: {said:?}", path.display())]
    Refused {
        /// The path of the socket.
        path: PathBuf,
        /// The message; empty if the peer closed the connection.
        said: String,
    },
}
