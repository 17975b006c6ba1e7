//! Many nodes in one process: each runs the proxy's own side of the stream (state machine, translation, connection), on one shared runtime.
//!
//! Only applying is a stand-in: it verifies what it is sent with the real records and snapshots, and builds no table. Nodes that hold the
//! same share it. Each node has a connection of its own, as a proxy has.

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

/// Between two looks at what all nodes are doing.
const LOOK: Duration = Duration::from_millis(20);

/// Nodes at work. Dropping them ends their streams.
#[derive(Debug)]
pub struct Simulator {
    board: Arc<Board>,
    contents: Arc<Contents>,
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    status: watch::Receiver<SyncStatus>,
    /// Dropped with the node: then it lets go of its stream.
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
    /// No nodes yet. Whoever watches is told of every version that a node begins to run.
    pub fn new(watcher: Option<Box<dyn Watcher>>) -> Self {
        Self {
            board: Arc::new(Board::new(watcher)),
            contents: Arc::default(),
            nodes: Vec::new(),
        }
    }

    /// From now on all nodes refuse what has this host.
    pub fn refuse(&self, host: &str) {
        self.contents.refuse(host);
    }

    /// Starts one more node, which dials `socket`; its number.
    pub fn add(&mut self, socket: &Path) -> usize {
        let number = self.board.add();
        let started = node::start(number, socket.to_owned(), &self.board, &self.contents);
        self.nodes.push(started);
        number
    }

    /// Starts one more node for each socket, `apart` from each other.
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

    /// What they run and what they were sent.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// How many were started.
    pub const fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether none was.
    pub const fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// How many have a stream on which control welcomed them.
    pub fn connected(&self) -> usize {
        let connected = |node: &&Node| node.status.borrow().connected.is_some();
        self.nodes.iter().filter(connected).count()
    }

    /// Waits until all are welcomed and run this revision or a later one; how long that took.
    ///
    /// # Errors
    /// How many do not, after `limit`.
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
