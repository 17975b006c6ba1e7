//! Control with a source that makes endpoints up: real publisher, sessions and stream, composed as the product composes them.
//!
//! `discovering-control FOLDER POOLS RATE SECONDS`: listens on `FOLDER/control.sock`, waits for `FOLDER/begin`, which holds the time of the
//! first change in nanoseconds of the machine's monotonic clock.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use aralez_control::core::commit::{CommitOrigin, Proposal};
use aralez_control::core::fleet::SharedFleet;
use aralez_control::core::layers::Answer;
use aralez_control::core::session::Pace;
use aralez_control::ledger::Ledger;
use aralez_control::metrics::Metrics;
use aralez_control::publisher::{Found, Parts, Publisher};
use aralez_control::stream::{self, ControlSocket, Hub, HubParts};
use aralez_proto::document::{DocumentSet, Surroundings};
use aralez_runtime::open_files;
use aralez_tests::fleet_size::discovery::schedule::{self, Schedule};
use clap::Parser;
use tokio::sync::{mpsc, watch};

/// Between two looks at the clock.
const LOOK: Duration = Duration::from_millis(1);

/// Control with a source that makes endpoints up.
#[derive(Debug, Parser)]
struct Options {
    folder: PathBuf,
    pools: u32,
    rate: u32,
    seconds: u32,
}

/// As many threads as control has.
#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let options = Options::parse();
    let fleet = SharedFleet::default();
    let publisher = publisher(&options, fleet.clone())?;
    commit(&publisher, options.pools).await?;
    let (_leave, leaving) = watch::channel(false);
    let hub = Hub::new(
        HubParts {
            cluster: publisher.cluster_id(),
            views: publisher.views(),
            history: Arc::new(publisher.clone()),
            fleet,
            observer: Arc::new(Metrics::default()),
            pace: Pace::default(),
            leaving: leaving.clone(),
        },
        Instant::now(),
    );
    tokio::spawn(Arc::clone(&hub).follow());
    let (found, taken) = mpsc::channel(1024);
    let (follower, folder) = (publisher.clone(), options.folder.clone());
    tokio::spawn(async move { follower.follow_discovered(taken).await });
    tokio::spawn(async move { source(&options, found).await });
    let socket = ControlSocket::bind(&folder.join("control.sock"))?;
    stream::serve(socket, open_files::raise(), hub, leaving)
        .await
        .context("the stream ended")
}

fn publisher(options: &Options, fleet: SharedFleet) -> Result<Publisher> {
    let parts = Parts {
        store: Box::new(Ledger::open(&options.folder.join("ledger"))?),
        main_file: None,
        files: None,
        heads: Arc::new(fleet),
        hold: aralez_control::core::hold::HOLD,
        settling: aralez_control::publisher::SETTLING,
        surroundings: Surroundings::default(),
    };
    Ok(Publisher::open(parts)?)
}

async fn commit(publisher: &Publisher, pools: u32) -> Result<()> {
    let proposal = Proposal {
        documents: DocumentSet::of_main(schedule::document(pools).into()),
        origin: CommitOrigin::Api,
        message: String::new(),
        expect: None,
        save: false,
        confirmation: aralez_control::core::commit::Confirmation::Force,
    };
    let committed = publisher.commit(proposal).await;
    committed
        .map(drop)
        .map_err(|rejected| anyhow!("{rejected}"))
}

/// What is there at first, then one change after the other, each at its time.
async fn source(options: &Options, found: mpsc::Sender<Found>) {
    let tell = |pool, step| Found {
        pool: schedule::pool_name(pool),
        answer: Answer::Endpoints(schedule::endpoints(step)),
    };
    for pool in 0..options.pools {
        let _ = found.send(tell(pool, 0)).await;
    }
    let schedule = Schedule {
        pools: options.pools,
        rate: options.rate,
        seconds: options.seconds,
        begin: begin(&options.folder.join("begin")).await,
    };
    for number in 0..schedule.changes() {
        let (pool, step) = schedule.change(number);
        while schedule::now() < schedule.comes(pool, step) {
            tokio::time::sleep(LOOK).await;
        }
        let _ = found.send(tell(pool, step)).await;
    }
    // The source stays: what it found last goes on to be published.
    found.closed().await;
}

async fn begin(path: &Path) -> Duration {
    loop {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if let Ok(nanoseconds) = text.parse() {
            return Duration::from_nanos(nanoseconds);
        }
        tokio::time::sleep(LOOK * 10).await;
    }
}
