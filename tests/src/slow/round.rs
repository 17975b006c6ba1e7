//! One round: many concurrent peers of one kind, and the check that each ended as specified.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::far::{FarEndpoint, Lives};
use super::good::Latency;
use super::kind::{Kind, Want, Witness};
use super::peer::{self, Ended};
use super::stage::RoundStage;
use crate::eventually::try_eventually;

/// The promised maximum by which a limit may be exceeded.
const LATE: Duration = Duration::from_secs(1);
/// Share of its limit after which a peer may already end: on a busy machine it starts its own clock late.
const EARLY: f64 = 0.75;
/// Percentage of peers that may lose the answer to a reset, because they send to a closed connection while they are refused.
const LOST: usize = 2;
/// Maximum time for the rest of a round: connections that linger, pools that empty.
const AFTERWARDS: Duration = Duration::from_secs(8);
/// Margin in the number of file descriptors: the good client's own connections open and close.
const GOOD_FILES: usize = 8;

const CLOSES: &str = "aralez_deadline_closes_total";

/// The minimum and maximum of a set of times; `None` if it is empty.
pub type Span = Option<(Duration, Duration)>;

/// The results of a round.
#[derive(Debug)]
pub struct RoundRow {
    /// The kind of peer.
    pub kind: Arc<Kind>,
    /// Number of peers.
    pub peers: usize,
    /// When the clients saw the end or the answer.
    pub clients: Span,
    /// When the endpoint saw the end.
    pub endpoint: Span,
    /// Number of clients per observed result.
    pub answers: BTreeMap<String, usize>,
    /// Latency of the good client; empty if several kinds ran at the same time.
    pub good: Latency,
    /// Peak memory above the proxy's initial memory, in bytes.
    pub memory: u64,
    /// Deviations from the expected results.
    pub problems: Vec<String>,
}

/// Runs one kind alone. Checks that its peers are counted and that their file descriptors are closed, and measures memory and the good
/// client's latency.
///
/// # Panics
/// Panics if the proxy is gone.
pub async fn alone(
    stage: &RoundStage,
    kind: &Arc<Kind>,
    endpoint: &Arc<FarEndpoint>,
    peers: usize,
) -> RoundRow {
    let files = stage.open_files();
    let before = stage.metrics().await.unwrap_or_default();
    stage.forget_peak();
    let start = Instant::now();
    let (own, far) = (Arc::clone(kind), Arc::clone(endpoint));
    let mut row = play(stage.address(), own, far, peers).await;
    row.good = stage.latency_since(start);
    row.memory = stage.memory_peak().saturating_sub(stage.memory);
    let counted = || async {
        let now = stage.metrics().await?;
        let count = |metrics: &super::vitals::Metrics| -> u64 {
            let labels = kind.counted.iter();
            labels
                .map(|label| metrics.labelled(CLOSES, "kind", label))
                .sum()
        };
        let (count, before) = (count(&now), count(&before));
        let enough = kind.counted.is_empty() || count >= before + peers as u64;
        enough
            .then_some(())
            .ok_or_else(|| format!("{:?} went from {before} to {count}", kind.counted))
    };
    row.note(try_eventually(AFTERWARDS, "the peers are counted", counted).await);
    let closed = || async {
        let now = stage.open_files();
        (now <= files + GOOD_FILES)
            .then_some(())
            .ok_or_else(|| format!("{now} files are open, {files} were"))
    };
    row.note(try_eventually(AFTERWARDS, "the files of the peers are closed", closed).await);
    row
}

/// Runs one kind, possibly alongside others, and returns what its own peers observed.
pub async fn play(
    address: SocketAddr,
    kind: Arc<Kind>,
    endpoint: Arc<FarEndpoint>,
    peers: usize,
) -> RoundRow {
    endpoint.take_lives();
    let mut playing = JoinSet::new();
    for _ in 0..peers {
        let kind = Arc::clone(&kind);
        playing.spawn(async move { peer::run(address, &kind).await });
    }
    let ended = playing.join_all().await;
    let over = || async {
        let lives = endpoint.lives();
        (lives.ended.len() == lives.accepted)
            .then_some(())
            .ok_or_else(|| format!("{} of {} are closed", lives.ended.len(), lives.accepted))
    };
    let over = try_eventually(AFTERWARDS, "the endpoint's connections are closed", over).await;
    let mut row = RoundRow::of(&kind, &ended, &endpoint.lives());
    row.note(over);
    row
}

impl RoundRow {
    fn of(kind: &Arc<Kind>, ended: &[Ended], lives: &Lives) -> Self {
        let mut row = Self {
            kind: Arc::clone(kind),
            peers: ended.len(),
            clients: None,
            endpoint: None,
            answers: BTreeMap::new(),
            good: Latency::default(),
            memory: 0,
            problems: Vec::new(),
        };
        for ended in ended {
            *row.answers.entry(seen(ended)).or_default() += 1;
        }
        row.judge_answers(ended);
        row.judge_times(ended, lives);
        row
    }

    fn judge_answers(&mut self, ended: &[Ended]) {
        let lost = |ended: &&Ended| ended.reset && ended.status == 0;
        let mut bearable = match self.kind.client.drip {
            Some(_) => self.peers * LOST / 100,
            None => 0,
        };
        for ended in ended {
            if fits(self.kind.want, ended) {
                continue;
            }
            if lost(&ended) && bearable > 0 {
                bearable -= 1;
                continue;
            }
            self.problem(format!("{}, not {:?}", seen(ended), self.kind.want));
        }
    }

    fn judge_times(&mut self, ended: &[Ended], lives: &Lives) {
        let witness = self.kind.witness;
        if witness != Witness::Endpoint {
            self.clients = span(ended.iter().filter_map(|ended| ended.after));
            self.judge_span("clients", self.clients);
            if ended.iter().any(|ended| ended.after.is_none()) {
                self.problem("some clients were not closed".to_owned());
            }
        }
        if witness != Witness::Client {
            self.endpoint = span(lives.ended.iter().copied());
            self.judge_span("the endpoint", self.endpoint);
        }
    }

    fn judge_span(&mut self, who: &str, span: Span) {
        let limit = self.kind.limit;
        let Some((least, most)) = span else {
            self.problem(format!("no close seen by {who}"));
            return;
        };
        if most > limit + LATE {
            self.problem(format!("too late for {who}: {most:?}"));
        }
        if least < limit.mul_f64(EARLY) && !self.kind.sooner {
            self.problem(format!("too early for {who}: {least:?}"));
        }
    }

    fn note<T>(&mut self, outcome: Result<T, String>) {
        if let Err(reason) = outcome {
            self.problem(reason);
        }
    }

    fn problem(&mut self, reason: String) {
        if !self.problems.contains(&reason) {
            self.problems.push(reason);
        }
    }
}

fn fits(want: Want, ended: &Ended) -> bool {
    match want {
        Want::Closed(statuses) | Want::Answer(statuses) => {
            ended.failed.is_none() && statuses.contains(&ended.status) && !ended.truncated
        }
        Want::Truncated => ended.truncated,
    }
}

fn seen(ended: &Ended) -> String {
    let end = match (ended.after, ended.reset, ended.truncated) {
        (None, _, _) => ", not closed",
        (_, _, true) => ", truncated",
        (_, true, _) => ", reset",
        _ => "",
    };
    match (&ended.failed, ended.status) {
        (Some(reason), _) => reason.clone(),
        (None, 0) => format!("no answer{end}"),
        (None, status) => format!("{status}{end}"),
    }
}

fn span(times: impl Iterator<Item = Duration>) -> Span {
    times.fold(None, |span, time| match span {
        None => Some((time, time)),
        Some((least, most)) => Some((least.min(time), most.max(time))),
    })
}
