//! Many nodes in one process: each runs the proxy's side of the stream (state machine, translation, connection) on one shared runtime.
//!
//! Only the applier is a stand-in: it verifies updates with the real records and snapshots, but builds no table. Nodes with the same
//! content share one snapshot. Each node has its own connection, as a proxy does.

mod board;
mod contents;
mod node;
mod reordering;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aralez_proxy::sync::SyncStatus;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use board::{Board, Counts, Watcher};
pub use contents::Contents;
pub use reordering::Reordering;

/// Poll interval while waiting for all nodes.
const LOOK: Duration = Duration::from_millis(20);

/// A set of running nodes. Dropping it closes their streams.
#[derive(Debug)]
pub struct Simulator {
    board: Arc<Board>,
    contents: Arc<Contents>,
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    status: watch::Receiver<SyncStatus>,
    /// Set when the node is dropped, so that the driver releases its stream.
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.task.abort();
    }
}

impl Simulator {
    /// Creates a simulator without nodes. `watcher` is called for every version that a node applies from an update.
    pub fn new(watcher: Option<Box<dyn Watcher>>) -> Self {
        Self {
            board: Arc::new(Board::new(watcher)),
            contents: Arc::default(),
            nodes: Vec::new(),
        }
    }

    /// Makes all nodes refuse snapshots with this host from now on.
    pub fn refuse(&self, host: &str) {
        self.contents.refuse(host);
    }

    /// Starts one more node, which dials `socket`, and returns its number.
    pub fn add(&mut self, socket: &Path) -> usize {
        let number = self.board.add();
        let started = node::start(number, socket.to_owned(), &self.board, &self.contents);
        self.nodes.push(started);
        number
    }

    /// Starts one node per socket, at intervals of `apart`.
    pub async fn add_each(&mut self, sockets: impl IntoIterator<Item = PathBuf>, apart: Duration) {
        let begun = tokio::time::Instant::now();
        for (index, socket) in sockets.into_iter().enumerate() {
            self.add(&socket);
            let due = apart * u32::try_from(index).unwrap_or(u32::MAX);
            if begun.elapsed() < due {
                tokio::time::sleep_until(begun + due).await;
            }
        }
    }

    /// Returns the board with the running versions and the counts of all nodes.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// Returns the number of nodes started.
    pub const fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Returns whether no node was started.
    pub const fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Returns the number of nodes whose stream control has welcomed.
    pub fn connected(&self) -> usize {
        let connected = |node: &&Node| node.status.borrow().connected.is_some();
        self.nodes.iter().filter(connected).count()
    }

    /// Waits until all nodes are welcomed and run this revision or a later one. Returns the time that took.
    ///
    /// # Errors
    /// The number of connected nodes and of nodes that run the revision, if these are not all nodes within `limit`.
    pub async fn all_run(&self, revision: u64, limit: Duration) -> Result<Duration, String> {
        let begun = tokio::time::Instant::now();
        loop {
            let (connected, running) = (self.connected(), self.board.running(revision));
            let all = self.len();
            if connected == all && running == all {
                return Ok(begun.elapsed());
            }
            if begun.elapsed() > limit {
                return Err(format!(
                    "of {all} nodes {connected} are connected and {running} run revision {revision} after {limit:?}"
                ));
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}
