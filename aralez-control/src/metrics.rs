//! The metrics of control, as text for Prometheus. Counters are updated through `core::observer`; gauges are read on each scrape.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use aralez_proto::fault::FaultCode;
use aralez_proto::version::Version;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::core::fleet::NodeCounts;
use crate::core::node::NodeState;
use crate::core::observer::{ApiPressure, Observer};

/// Histogram bounds in seconds: from a typical small change up to a value beyond every promised bound.
const BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
];

type Labels = Vec<(&'static str, &'static str)>;

/// Values sampled at scrape time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gauges {
    /// The head.
    pub head: Version,
    /// Revisions committed since the start.
    pub commits: u64,
    /// Proposals refused since the start.
    pub refused: u64,
    /// Changes held for confirmation since the start.
    pub held: u64,
    /// Set while the current files are held for confirmation.
    pub files_held: bool,
    /// Number of files not read because a process has been writing them for more than a minute.
    pub files_writing: usize,
    /// Time spent parsing the documents of the last commit.
    pub parse: Duration,
    /// Time spent building its views.
    pub lower: Duration,
    /// Time spent writing it to the ledger.
    pub write: Duration,
}

/// All metrics of control.
pub struct Metrics {
    registry: Registry,
    head: HeadGauges,
    commits: Counter,
    refusals: Counter,
    holds: Counter,
    files_held: Gauge,
    files_writing: Gauge,
    nodes: Family<Labels, Gauge>,
    streams: Family<Labels, Counter>,
    nacks: Family<Labels, Counter>,
    pushes: Family<Labels, Counter>,
    wrong_keys: Counter,
    api_closed: Family<Labels, Counter>,
    stages: Family<Labels, Gauge<f64, AtomicU64>>,
    times: Family<Labels, Histogram>,
}

#[derive(Clone, Default)]
struct HeadGauges {
    generation: Gauge,
    revision: Gauge,
    sequence: Gauge,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let times = || Histogram::new(BUCKETS);
        let mut metrics = Self {
            registry: Registry::with_prefix("aralez_control"),
            head: HeadGauges::default(),
            commits: Counter::default(),
            refusals: Counter::default(),
            holds: Counter::default(),
            files_held: Gauge::default(),
            files_writing: Gauge::default(),
            nodes: Family::default(),
            streams: Family::default(),
            nacks: Family::default(),
            pushes: Family::default(),
            wrong_keys: Counter::default(),
            api_closed: Family::default(),
            stages: Family::default(),
            times: Family::new_with_constructor(times),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        let head = self.head.clone();
        registry.register("head_generation", "Generation of the head", head.generation);
        registry.register("head_revision", "Revision of the head", head.revision);
        registry.register("head_sequence", "Sequence of the head", head.sequence);
        registry.register("commits", "Revisions committed", self.commits.clone());
        registry.register("refusals", "Proposals refused", self.refusals.clone());
        registry.register(
            "holds",
            "Changes held for confirmation because of what they remove",
            self.holds.clone(),
        );
        registry.register(
            "files_held",
            "1 while the files are held for confirmation, 0 otherwise",
            self.files_held.clone(),
        );
        registry.register(
            "files_writing",
            "Files not read because a process has been writing them for more than a minute",
            self.files_writing.clone(),
        );
        registry.register("nodes", "Nodes by state", self.nodes.clone());
        registry.register(
            "streams",
            "Streams of proxies, opened or refused",
            self.streams.clone(),
        );
        registry.register(
            "nacks",
            "Faults reported by nodes that refuse an update, by code",
            self.nacks.clone(),
        );
        registry.register(
            "pushes",
            "Pushes through the config API, by outcome",
            self.pushes.clone(),
        );
        registry.register(
            "wrong_keys",
            "Config API requests with a wrong key",
            self.wrong_keys.clone(),
        );
        registry.register(
            "api_connections_closed",
            "Config API connections closed at the connection limit: idle ones evicted for a new one, or new ones refused",
            self.api_closed.clone(),
        );
        registry.register(
            "stage_last_seconds",
            "Duration of each stage of the last commit",
            self.stages.clone(),
        );
        registry.register(
            "duration_seconds",
            "Duration of pushes, of updates from sent to acknowledged, of applying on the node, \
             and of derivations for nodes that refuse the head",
            self.times.clone(),
        );
    }

    /// Renders the current values.
    pub fn render(&self, reading: &Gauges, nodes: &NodeCounts) -> String {
        let gauge = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.head.generation.set(gauge(reading.head.generation));
        self.head.revision.set(gauge(reading.head.revision));
        self.head.sequence.set(gauge(reading.head.sequence));
        catch_up(&self.commits, reading.commits);
        catch_up(&self.refusals, reading.refused);
        catch_up(&self.holds, reading.held);
        self.files_held.set(i64::from(reading.files_held));
        self.files_writing
            .set(i64::try_from(reading.files_writing).unwrap_or(i64::MAX));
        for state in NodeState::ALL {
            let count = gauge(nodes.of(state) as u64);
            let label = vec![("state", state.name())];
            self.nodes.get_or_create(&label).set(count);
        }
        for (stage, took) in [
            ("parse", reading.parse),
            ("lower", reading.lower),
            ("write", reading.write),
        ] {
            let label = vec![("stage", stage)];
            self.stages.get_or_create(&label).set(took.as_secs_f64());
        }
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            // Writing to a `String` does not fail; if it did, there would be nothing to return.
            Err(fmt::Error) => String::new(),
        }
    }

    fn observe(&self, what: &'static str, took: Duration) {
        let label = vec![("of", what)];
        self.times.get_or_create(&label).observe(took.as_secs_f64());
    }
}

/// Raises a counter to a total that is counted elsewhere.
fn catch_up(counter: &Counter, total: u64) {
    counter.inc_by(total.saturating_sub(counter.get()));
}

impl Observer for Metrics {
    fn applied(&self, round_trip: Duration, on_node: Duration) {
        self.observe("update", round_trip);
        self.observe("apply", on_node);
    }

    fn refused(&self, code: FaultCode) {
        self.nacks.get_or_create(&vec![("code", code.name())]).inc();
    }

    fn derived(&self, took: Duration) {
        self.observe("derive", took);
    }

    fn stream_opened(&self) {
        self.streams.get_or_create(&vec![("began", "opened")]).inc();
    }

    fn stream_refused(&self) {
        self.streams
            .get_or_create(&vec![("began", "refused")])
            .inc();
    }

    fn pushed(&self, accepted: bool, took: Duration) {
        let outcome = if accepted { "accepted" } else { "refused" };
        self.pushes.get_or_create(&vec![("outcome", outcome)]).inc();
        self.observe("push", took);
    }

    fn wrong_key(&self) {
        self.wrong_keys.inc();
    }

    fn api_pressure(&self, pressure: ApiPressure) {
        let reason = match pressure {
            ApiPressure::GaveWay => "gave_way",
            ApiPressure::TurnedAway => "turned_away",
        };
        self.api_closed
            .get_or_create(&vec![("reason", reason)])
            .inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_that_is_promised_has_a_line() {
        let metrics = Metrics::default();
        metrics.applied(Duration::from_millis(3), Duration::from_millis(1));
        metrics.refused(FaultCode::Limit);
        metrics.pushed(true, Duration::from_millis(7));
        let mut reading = Gauges {
            commits: 3,
            held: 2,
            files_held: true,
            files_writing: 1,
            ..Gauges::default()
        };
        reading.head.revision = 9;
        let text = metrics.render(&reading, &NodeCounts::default());
        let text = format!("{text}{}", metrics.render(&reading, &NodeCounts::default()));
        for line in [
            "aralez_control_head_revision 9",
            "aralez_control_commits_total 3",
            "aralez_control_nacks_total{code=\"limit\"} 1",
            "aralez_control_nodes{state=\"refusing\"} 0",
            "aralez_control_holds_total 2",
            "aralez_control_files_held 1\n",
            "aralez_control_files_writing 1\n",
            "aralez_control_pushes_total{outcome=\"accepted\"} 1",
            "aralez_control_duration_seconds_count{of=\"apply\"} 1",
        ] {
            assert_eq!(text.matches(line).count(), 2, "{line}\n{text}");
        }
    }
}
