//! Listeners that pass from a running proxy to the process that replaces it, `-u`.
//!
//! The running proxy listens on a unix socket (`upgrade_sock`, mode 0600, the peer's uid is checked). A successor connects and is sent the
//! listening sockets and the instance lock as descriptors: a `flock` belongs to the open file, so that at no moment nobody holds it. The
//! successor starts to serve on them and says so; only then does the running one stop accepting and drain. Where the successor ends before
//! that, the running one goes on as before. The accept queues belong to the sockets, so no connection is lost however many threads each has.

use std::io;
use std::path::PathBuf;

mod giver;
mod message;
mod taker;

pub use giver::{Gives, Offer, Offering, listen};
pub use taker::{TakenOver, take};

/// What a successor asks.
const TAKE: &str = "aralez handover 1: take";
/// More descriptors follow.
const MORE: &str = "more";
/// These were all, and the running proxy has a configuration that serves.
const LIVE: &str = "all, live";
/// These were all; the running proxy has no configuration either.
const EMPTY: &str = "all, empty";
/// The running proxy cannot hand over now.
const NOT_NOW: &str = "not now";
/// What the successor says when it serves.
const SERVING: &str = "serving";
/// What the running proxy answers when it has stopped writing its state and is about to drain.
const LEAVING: &str = "leaving";

/// Why a handover failed.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    /// The socket cannot be used.
    #[error("upgrade_sock: {}: {cause}", path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The other side runs as somebody else.
    #[error("upgrade_sock: {}: the process there runs as uid {uid}", path.display())]
    Foreign {
        /// The socket.
        path: PathBuf,
        /// The uid of the other side.
        uid: u32,
    },
    /// The other side said something else than the protocol has.
    #[error("upgrade_sock: {}: the running process does not hand over: {said:?}", path.display())]
    Refused {
        /// The socket.
        path: PathBuf,
        /// What it said; empty where it hung up.
        said: String,
    },
}
