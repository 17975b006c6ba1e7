//! One node: the proxy's driver with a stand-in for the applier.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use aralez_proto::main_config::ControlAddress;
use aralez_proto::snapshot::{Limits, SharedSnapshot};
use aralez_proxy::core::live::{Live, LiveTable, Origin};
use aralez_proxy::core::request::table::Table;
use aralez_proxy::core::sync::snapshot_cache::CachedState;
use aralez_proxy::core::sync::subscription::Update;
use aralez_proxy::sync::command::{ApplierEvent, Applies, Command};
use aralez_proxy::sync::driver::{Driver, Setup};
use aralez_proxy::sync::{Counters, Identity, SyncStatus};
use tokio::sync::{mpsc, watch};

use super::{Board, Contents, Node};
use crate::ports::random;

struct NoTraffic;

impl Counters for NoTraffic {
    fn requests(&self) -> u64 {
        0
    }

    fn responses_5xx(&self) -> u64 {
        0
    }
}

/// Applies updates synchronously, in the driver's own task.
struct StandIn {
    number: usize,
    live: Arc<Live>,
    news: mpsc::UnboundedSender<ApplierEvent>,
    board: Arc<Board>,
    contents: Arc<Contents>,
}

impl StandIn {
    fn apply(&self, update: &Update) -> ApplierEvent {
        let started = Instant::now();
        let held = Arc::clone(&self.live.load().snapshot);
        match self.contents.follow(&held, update) {
            Ok(snapshot) => {
                let version = snapshot.version();
                self.publish(Arc::clone(&snapshot));
                self.board.applied(self.number, update, &snapshot);
                ApplierEvent::Applied {
                    version,
                    took: started.elapsed(),
                }
            }
            Err(faults) => ApplierEvent::Refused {
                version: update.to,
                faults,
            },
        }
    }

    fn publish(&self, snapshot: SharedSnapshot) {
        self.live.publish(LiveTable {
            table: Table::empty(),
            snapshot,
            origin: Origin::Stream,
            since: Instant::now(),
        });
    }
}

impl Applies for StandIn {
    fn order(&mut self, job: Command) {
        match job {
            Command::Apply(update) => {
                let news = self.apply(&update);
                // The send fails only if the driver is gone, and then no receiver needs the event.
                let _ = self.news.send(news);
            }
            Command::Rename(version) => {
                let held = Arc::clone(&self.live.load().snapshot);
                self.publish(self.contents.renamed(&held, version));
                self.board.renamed(self.number, version);
            }
            Command::Try(_) => {
                let _ = self.news.send(ApplierEvent::Untried);
            }
            Command::Pin(_) | Command::Pause(_) | Command::Leave => {}
        }
    }
}

pub(super) fn start(
    number: usize,
    socket: PathBuf,
    board: &Arc<Board>,
    contents: &Arc<Contents>,
) -> Node {
    let live = Arc::new(Live::new(Instant::now()));
    let (news, news_in) = mpsc::unbounded_channel();
    let (status_out, status) = watch::channel(SyncStatus::default());
    let (stop, stop_in) = watch::channel(false);
    let boot_id = [random().to_le_bytes(), random().to_le_bytes()].concat();
    let setup = Setup {
        servers: vec![ControlAddress::Unix(socket)],
        identity: Identity {
            node: format!("simulated-{number}"),
            group: "default".to_owned(),
            proxy_version: env!("CARGO_PKG_VERSION").to_owned(),
            limits: Limits::default(),
            boot_id: boot_id.clone(),
            replaces_boot_id: Vec::new(),
        },
        limits: Limits::default(),
        counters: Arc::new(NoTraffic),
        live: Arc::clone(&live),
        jobs: Box::new(StandIn {
            number,
            live,
            news,
            board: Arc::clone(board),
            contents: Arc::clone(contents),
        }),
        status: status_out,
    };
    let booted = CachedState {
        boot_id,
        ..CachedState::default()
    };
    let task = tokio::spawn(Driver::new(setup, booted).run(news_in, stop_in));
    Node { status, stop, task }
}
