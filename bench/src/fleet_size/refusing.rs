//! All nodes refuse a large change while endpoints keep changing: how long endpoint changes take to arrive, and whether streams survive.
//!
//! The simulated nodes decode the change on the cores of control, and may be silent for seconds meanwhile. The heartbeat interval is
//! therefore the default: with a shorter one, control would close their streams for that silence.

use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aralez_proto::model::{EndpointOwner, HostPattern, PoolName};
use aralez_proto::snapshot::Snapshot;

use aralez_tests::eventually::try_eventually;
use aralez_tests::fleet::{Fleet, Plan};
use aralez_tests::proof::Row;
use aralez_tests::simulator::{Simulator, Watcher};
use aralez_tests::slow::vitals::{Metrics, may_open};

use super::figures::{Cost, Spread, millis};
use super::options::{FleetOptions, Measurement};

/// Timeout of each step.
const PATIENCE: Duration = Duration::from_secs(180);
/// Promised time until the last node runs a removal, at p99.
const GOAL: Duration = Duration::from_secs(1);
/// The host whose presence makes nodes refuse a snapshot.
const REFUSED: &str = "refused.test";

/// Result of the measurement.
#[derive(Clone, Debug)]
pub struct Refusing {
    /// For each removal: time from the loss of a discovered endpoint until the last node runs without it.
    pub last: Spread,
    /// Number of derivations that control built for nodes that refuse its view.
    pub made: u64,
    /// Streams opened after all nodes had joined. Each replaces a lost one.
    pub lost: u64,
    /// Control's processor time per removal.
    pub control: Duration,
}

/// Counts the nodes that run without the most recently removed endpoint.
#[derive(Default)]
struct Without {
    /// The pool of the most recently removed endpoint.
    pool: Mutex<Option<PoolName>>,
    nodes: AtomicUsize,
    /// The nodes that have run a snapshot with `all` endpoints.
    complete: Mutex<BTreeSet<usize>>,
    all: usize,
}

impl Without {
    fn expect(&self, host: usize) {
        let host: HostPattern = format!("h{host}.test").parse().expect("a host");
        let mut pool = self.pool.lock();
        self.nodes.store(0, Ordering::Relaxed);
        *pool = Some(PoolName::of_route(&host, "/"));
    }
}

impl Watcher for Without {
    fn applied(&self, node: usize, snapshot: &Snapshot) {
        if snapshot.resources().pools().endpoint_count() == self.all {
            let mut complete = self.complete.lock();
            complete.insert(node);
        }
        let pool = self.pool.lock();
        let Some(pool) = &*pool else { return };
        let found = snapshot.resources().pools();
        let found = found.endpoints_of(pool, EndpointOwner::Source);
        if found.len() == 1 {
            self.nodes.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Has all nodes refuse a push, then removes endpoints one after the other.
///
/// # Errors
/// If a push fails, or nodes do not get to an expected state in time.
pub async fn measure(options: &FleetOptions) -> Result<Refusing, String> {
    may_open(options.nodes * 2 + 1_000);
    let mut fleet = Plan::new(0)
        .scripted()
        .document(&document(options.hosts, false))
        .lay_out();
    fleet.script(&found(options.hosts, 0));
    fleet.start_control().await;
    let without = Arc::new(Without {
        all: options.hosts * 4,
        ..Without::default()
    });
    let mut simulator = Simulator::new(Some(Box::new(Arc::clone(&without))));
    simulator.refuse(REFUSED);
    let socket = fleet.folder().join("control.sock");
    let sockets = (0..options.nodes).map(|_| socket.clone());
    simulator.add_each(sockets, Duration::ZERO).await;
    simulator.all_run(1, PATIENCE).await?;
    let arrived = || async {
        let there = without.complete.lock();
        let there = there.len();
        let all = there >= options.nodes;
        all.then_some(())
            .ok_or_else(|| format!("{there} nodes have all endpoints"))
    };
    try_eventually(PATIENCE, "all nodes have what was found", arrived).await?;
    let before = streams(&Metrics::of_control(fleet.api()).await?);
    push(&fleet, &document(options.hosts, true)).await?;
    refusing(&fleet, options.nodes).await?;

    let mut last = Vec::new();
    let cost = Cost::of(fleet.control().pid());
    for removed in 1..=options.removals {
        without.expect(removed - 1);
        let begun = tokio::time::Instant::now();
        fleet.script(&found(options.hosts, removed));
        let all = || async {
            let there = without.nodes.load(Ordering::Relaxed);
            let all = there >= options.nodes;
            all.then_some(())
                .ok_or_else(|| format!("{there} nodes run without it"))
        };
        try_eventually(PATIENCE, "all nodes run without it", all).await?;
        last.push(begun.elapsed());
    }
    let control = cost.spent() / u32::try_from(options.removals.max(1)).unwrap_or(u32::MAX);
    refusing(&fleet, options.nodes).await?;
    let metrics = Metrics::of_control(fleet.api()).await?;
    Ok(Refusing {
        last: Spread::of(last),
        made: metrics.labelled("aralez_control_duration_seconds_count", "of", "derive"),
        lost: streams(&metrics) - before,
        control,
    })
}

/// Returns the number of streams opened since control started.
fn streams(metrics: &Metrics) -> u64 {
    metrics.labelled("aralez_control_streams_total", "began", "opened")
}

async fn push(fleet: &Fleet, text: &str) -> Result<(), String> {
    let answer = fleet.push(text).await;
    match answer.status {
        200 => Ok(()),
        status => Err(format!("{status}: {}", answer.text())),
    }
}

/// Waits until control reports at least `nodes` nodes that refuse its head.
async fn refusing(fleet: &Fleet, nodes: usize) -> Result<(), String> {
    let known = || async {
        let metrics = Metrics::of_control(fleet.api()).await?;
        let refusing = metrics.labelled("aralez_control_nodes", "state", "refusing");
        let all = refusing >= nodes as u64;
        all.then_some(())
            .ok_or_else(|| format!("{refusing} nodes of {nodes} refuse"))
    };
    let known = try_eventually(PATIENCE, "all nodes refuse", known).await;
    known.map(drop)
}

/// Returns the source's script: two endpoints per host, except one for each of the first `removed` hosts.
fn found(hosts: usize, removed: usize) -> String {
    let mut text = String::new();
    for host in 0..hosts {
        let second = if host < removed { "" } else { " 10.4.0.2:80" };
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "h{host}.test/ 10.4.0.1:80{second}");
    }
    text
}

/// Returns a document of hosts with two endpoints each, in addition to those that the source finds. If `refused`, it also has the host
/// that nodes refuse, and every other host has one more path.
fn document(hosts: usize, refused: bool) -> String {
    let mut text = aralez_tests::document::pairs(hosts, 0);
    if refused {
        let more = "\n    \"/more\":\n      servers: [\"10.2.0.1:80\"]\n";
        text = text.replace("]\n", &format!("]{more}"));
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            text,
            "{REFUSED}:\n  paths:\n    \"/\":\n      servers: [\"10.3.0.1:80\"]"
        );
    }
    text
}

/// Returns the table rows.
pub fn rows(measured: &Refusing, options: &FleetOptions) -> Vec<Row> {
    let lost = measured.lost;
    vec![Row {
        what: format!(
            "all of {} nodes refuse a change of all {} hosts, then a discovered endpoint disappears, {} times: time until the last node \
             runs without it",
            options.nodes, options.hosts, options.removals
        ),
        goal: "p99 ≤ 1 s, no stream lost".to_owned(),
        measured: format!(
            "{}; {} derivations made; {lost} streams lost; {} of control's CPU time",
            measured.last.text(),
            measured.made,
            millis(measured.control),
        ),
        met: Some(measured.last.p99 <= GOAL && lost == 0),
        command: FleetOptions::command(Measurement::Refusing),
    }]
}
